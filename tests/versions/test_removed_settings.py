"""The tables of removed settings against the definitions in the jars: a Kafka that removes more turns this red."""

import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from kafka_proof.deploy.removed_settings import BROKER, TOPIC, ZOOKEEPER_MODE, removal
from tests.versions.kafka import JAVA, jars, newer
from tests.versions.test_versions import VERSIONS

PROGRAM = Path(__file__).parent / "SettingNames.java"
ALL = list(dict.fromkeys(version for version, _ in VERSIONS))
SOME = [ALL[0], "3.9.2", ALL[-1]]


@cache
def names(kind, version):
    """Return the settings of a "broker" or a "topic" in a version, as a set."""
    command = [*JAVA, "-cp", f"{jars(version)}/*", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = [line.split() for line in done.stdout.splitlines()]
    return {name for each, name in found if each == kind}


def without(name, version):
    """Return whether the tables say that a broker of this version has no such setting."""
    return removal(name, version, BROKER) or (newer(version, "4.0") and ZOOKEEPER_MODE.fullmatch(name))


@pytest.mark.xdist_group("settings")
@pytest.mark.parametrize("versions", [pytest.param(SOME, marks=pytest.mark.sample), ALL], ids=["sample", "all"])
def test_removed(versions):
    for (before, after), number in zip(pairwise(versions), range(1, len(versions)), strict=True):
        gone = {name for name in names("broker", before) if without(name, after) and not without(name, before)}
        # A correction of an old line can have a setting before a newer line has it.
        left = set().union(*(names("broker", version) for version in versions[number:]))
        assert gone == names("broker", before) - left, f"broker settings of {before} that {after} has no more"
        topics = {name for name in names("topic", before) if removal(name, after, TOPIC)}
        left = set().union(*(names("topic", version) for version in versions[number:]))
        assert topics == names("topic", before) - left, f"topic settings of {before} that {after} has no more"


@pytest.mark.xdist_group("settings")
def test_each_name_is_one_of_a_setting():
    for kind, table in (("broker", BROKER), ("topic", TOPIC)):
        assert table.keys() <= set().union(*(names(kind, version) for version in ALL))

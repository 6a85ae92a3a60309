"""Features of real clusters: a new version runs with the old format, is finalised, and returns only where Kafka allows.

The levels in kafka_proof.cluster.features are compared with those of Kafka's own command.
"""

import re
import subprocess

import pytest
from kafka.admin import UpdateFeatureType
from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.features import METADATA, FeaturesError, defaults, features, way_back
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.cluster.versions import level_of
from kafka_proof.operations.features import finalise
from tests.versions.kafka import JAVA, jars
from tests.versions.quorum import Cluster

SECONDS = 60
LINES = ["3.9", "4.0", "4.1", "4.2", "4.3", "4.4"]


def look(cluster):
    with admin_client(cluster.client, SECONDS) as admin:
        return features(admin)


def lowering(cluster, line):
    """Ask Kafka to check a return of metadata.version. Returns its refusal, or ""."""
    with admin_client(cluster.client, SECONDS) as admin:
        change = {METADATA: (UpdateFeatureType.SAFE_DOWNGRADE, level_of(line))}
        try:
            [said] = admin.update_features(change, validate_only=True).values()
        except KafkaError as error:
            return str(error)
        return "" if said == "OK" else said


@pytest.mark.sample
@pytest.mark.xdist_group("features")
@pytest.mark.parametrize("line", LINES)
def test_levels_are_those_of_kafka(line):
    main = ["-cp", f"{jars('4.4.0')}/*", "kafka.tools.StorageTool", "version-mapping", "--release-version", line]
    said = subprocess.run([*JAVA, *main], capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    levels = {name: int(level) for name, level in re.findall(r"^(\S+)=(\d+)", said, re.MULTILINE)}
    del levels["kraft.version"]
    assert {name: level for name, level in levels.items() if level} == defaults(line)


@pytest.mark.parametrize(
    ("old", "new", "returns"),
    [
        pytest.param("3.9.2", "4.4.0", False, marks=pytest.mark.xdist_group("features")),
        pytest.param("4.3.1", "4.4.0", False, marks=pytest.mark.xdist_group("features-4.3")),
        pytest.param("4.0.0", "4.2.2", True, marks=pytest.mark.xdist_group("features-4.0")),
    ],
)
def test_upgrade(old, new, returns):
    before, after = old.rpartition(".")[0], new.rpartition(".")[0]
    with Cluster(old, controllers=[1]) as cluster:
        node = cluster.add(1, "broker,controller", "--standalone")
        wait_ready(cluster.client, [1], SECONDS)
        assert look(cluster)[METADATA] == (level_of(old), level_of(old))
        with pytest.raises(FeaturesError):
            finalise(cluster.client, new)

        node.stop(gently=True)
        node.start(version=new)
        wait_ready(cluster.client, [1], SECONDS)
        assert look(cluster)[METADATA] == (level_of(old), level_of(new))
        wanted = finalise(cluster.client, new, dry_run=True)
        assert wanted[METADATA] == (level_of(old), level_of(new))
        assert look(cluster)[METADATA] == (level_of(old), level_of(new))
        assert finalise(cluster.client, new) == wanted
        assert finalise(cluster.client, new) == {}
        assert {name: level for name, (level, _) in look(cluster).items()} == defaults(new) | {"kraft.version": 1}

        assert way_back(level_of(before), level_of(after)) is returns
        refusal = lowering(cluster, before)
        assert returns is (refusal == ""), refusal
        if not returns:
            assert "Refusing to perform the requested downgrade because it might delete metadata" in refusal

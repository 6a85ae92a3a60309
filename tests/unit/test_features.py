"""Finalised features: who reads them, what rises with a version, and whether there is a way back."""

import pytest

from kafka_proof.cluster.features import METADATA, FeaturesError, consequence, defaults, readable, way_back
from kafka_proof.cluster.versions import level_of, line_of
from kafka_proof.operations.features import changes


@pytest.mark.parametrize(
    ("version", "level"), [("3.9.2", 21), ("4.4.0", 33), ("4.4", 33), ("9.9.9", None), ("3.2.0", None)]
)
def test_level_of(version, level):
    assert level_of(version) == level


@pytest.mark.parametrize(
    ("level", "line"), [(21, "3.9"), (22, "4.0"), (25, "4.0"), (33, "4.4"), (34, "newer than 4.4")]
)
def test_line_of(level, line):
    assert line_of(level) == line


@pytest.mark.parametrize(
    ("level", "version", "can"),
    [
        (21, "3.9.2", True),
        (25, "3.9.2", False),
        (21, "4.4.0", True),
        (33, "4.3.1", False),
        (33, "4.4.0", True),
        (33, "5.0.0", True),
    ],
)
def test_readable(level, version, can):
    assert readable(level, version) is can


@pytest.mark.parametrize(
    ("frm", "to", "back"),
    [
        ("3.9", "4.0", False),
        ("3.9", "4.4", False),
        ("3.7", "3.9", True),
        ("4.0", "4.1", True),
        ("4.0", "4.2", True),
        ("4.1", "4.2", True),
        ("4.2", "4.3", False),
        ("4.3", "4.4", False),
        ("4.0", "4.4", False),
        ("4.4", "4.4", True),
    ],
)
def test_way_back(frm, to, back):
    assert way_back(level_of(frm), level_of(to)) is back
    said = consequence(level_of(frm), level_of(to))
    assert ("no way back" not in said) is back
    assert f"({frm}) to {level_of(to)} ({to})" in said


def test_changes():
    now = {METADATA: (25, 33), "group.version": (1, 1), "transaction.version": (2, 2), "kraft.version": (1, 1)}
    rises = {METADATA: (25, 33), "eligible.leader.replicas.version": (0, 1), "share.version": (0, 2)}
    assert changes(now, "4.4.0") == rises | {"streams.version": (0, 1)}
    assert changes(now, "4.0.1") == {}


@pytest.mark.parametrize(
    ("version", "words"), [("4.0.0", "metadata.version is 33 .4.4. already"), ("9.9.0", "Kafka 9.9.0 are not known")]
)
def test_a_lower_or_unknown_version_is_refused(version, words):
    with pytest.raises(FeaturesError, match=words):
        changes({METADATA: (33, 33)}, version)


def test_3_9_finalises_its_metadata_alone():
    assert defaults("3.9.2") == {METADATA: 21}

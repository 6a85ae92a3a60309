"""Features in KRaft mode: the format in which a cluster writes its metadata, who reads it, and the way back from it.

A new version runs with the old format until an operator finalises it: kafka_proof.operations.features. From then on, no
older version reads the metadata. metadata.version returns to a lower level only if no level between changed the format
of records. kraft.version is left out: it makes a quorum dynamic, which is a change of its configuration.
"""

from collections.abc import Iterable

from kafka import KafkaAdminClient
from kafka.protocol.metadata import ApiVersionsRequest

from kafka_proof.client.raw import known_brokers, send
from kafka_proof.cluster.versions import level_of, line_of

METADATA = "metadata.version"
FORGETS_CONTROLLERS = 33  # the level from which a controller that left can be unregistered (KIP-1312)

# The levels of each release, as `kafka-storage.sh version-mapping` prints them (Feature.defaultLevel in Kafka).
# metadata.version is in versions.py. A level of 0 is not finalised.
_DEFAULTS: dict[str, dict[str, int]] = {
    "3.9": {},
    "4.0": {"group.version": 1, "transaction.version": 2},
    "4.1": {"group.version": 1, "transaction.version": 2, "eligible.leader.replicas.version": 1},
}
_DEFAULTS["4.2"] = _DEFAULTS["4.3"] = _DEFAULTS["4.1"] | {"share.version": 1, "streams.version": 1}
_DEFAULTS["4.4"] = _DEFAULTS["4.3"] | {"share.version": 2}

# Levels of metadata.version from 3.3 on that changed the format of records (didMetadataChange in MetadataVersion).
_CHANGED = {7, 8, 11, 13, 14, 15, 17, 23, 30, 32, 33}


class FeaturesError(Exception):
    """The cluster refuses a level, or no level is known for a version. The message has Kafka's reason."""


# Decisions


def defaults(version: str) -> dict[str, int]:
    """Return the levels that a release finalises, {feature: level}. `version`: such as "4.4.0" or "4.4".

    Raises FeaturesError for a version without levels: before 3.9, or newer than this table.
    """
    line = ".".join(version.split(".")[:2])
    if line not in _DEFAULTS:
        raise FeaturesError(f"the features of Kafka {version} are not known; known are {', '.join(_DEFAULTS)}")
    return {METADATA: level_of(line) or 0} | _DEFAULTS[line]


def readable(level: int, version: str) -> bool:
    """Return whether a Kafka of `version`, such as "4.3.1", reads metadata of this finalised level."""
    known = level_of(version)
    return known is None or level <= known


def way_back(frm: int, to: int) -> bool:
    """Return whether metadata.version can return to the level `frm` after the level `to` is finalised."""
    return not any(frm < level <= to for level in _CHANGED)


def consequence(frm: int, to: int) -> str:
    """Return in one sentence what it means to finalise metadata.version `to` in place of `frm`."""
    said = f"metadata.version changes from {frm} ({line_of(frm)}) to {to} ({line_of(to)})"
    if way_back(frm, to):
        return f"{said}. It can return: kafka-features.sh downgrade --release-version {line_of(frm)}."
    return f"{said}. There is no way back: Kafka does not lower it, and versions before {line_of(to)} cannot read it."


# Question


def features(admin: KafkaAdminClient, brokers: Iterable[int] | None = None) -> dict[str, tuple[int, int]]:
    """Return {feature: (finalised level, highest level that all these brokers support)}; 0: none.

    brokers: ids of those to ask; None: of all that are registered. Nothing is known without any. Raises
    kafka.errors.KafkaError where one does not answer.
    """
    asked = [each.node_id for each in known_brokers(admin)] if brokers is None else brokers
    answers = [send(admin, _question(), broker) for broker in asked]
    if not answers:
        return {}
    supported = [{each.name: each.max_version for each in answer.supported_features or ()} for answer in answers]
    newest = max(answers, key=lambda answer: answer.finalized_features_epoch or 0)
    final = {each.name: each.max_version_level for each in newest.finalized_features or ()}
    names = sorted(final.keys() | {name for each in supported for name in each})
    return {name: (final.get(name, 0), min(each.get(name, 0) for each in supported)) for name in names}


def _question() -> ApiVersionsRequest:
    return ApiVersionsRequest(client_software_name="kafka-proof", client_software_version="1", min_version=3)

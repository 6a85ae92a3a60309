"""Finalised features in KRaft mode: the format in which a cluster writes its metadata, and the way back from it.

A new version first runs with the old format. All nodes change their version, and return to the old one if they must.
Then, separately, an operator finalises the new version: `finalise` does the same as
`kafka-features.sh upgrade --release-version`. From then on, no older version reads the metadata. metadata.version
returns to a lower level only if no level between changed the format of records.

kraft.version is left out: it makes a quorum dynamic, which is a change of its configuration.
"""

from kafka.admin import UpdateFeatureType
from kafka.errors import for_code
from kafka.protocol.admin import UpdateFeaturesRequest
from kafka.protocol.metadata import ApiVersionsRequest

from kafka_proof.client.connection import admin_client
from kafka_proof.client.raw import known_brokers, send
from kafka_proof.client.wait import attempts
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.versions import level_of, line_of

METADATA = "metadata.version"

# The levels of each release, as `kafka-storage.sh version-mapping` prints them (Feature.defaultLevel in Kafka).
# metadata.version is in kafka_proof/cluster/versions.py. A level of 0 is not finalised.
_DEFAULTS = {
    "3.9": {},
    "4.0": {"group.version": 1, "transaction.version": 2},
    "4.1": {"group.version": 1, "transaction.version": 2, "eligible.leader.replicas.version": 1},
}
_DEFAULTS["4.2"] = _DEFAULTS["4.3"] = _DEFAULTS["4.1"] | {"share.version": 1, "streams.version": 1}
_DEFAULTS["4.4"] = _DEFAULTS["4.3"] | {"share.version": 2}

# Levels of metadata.version from 3.3 on that changed the format of records: didMetadataChange in Kafka's MetadataVersion.
_CHANGED = {7, 8, 11, 13, 14, 15, 17, 23, 30, 32, 33}

_SECONDS, _PAUSE = 10, 0.2  # for each answer, and for the brokers to see the new levels; between two looks


class FeaturesError(Exception):
    """The cluster refuses a level, or no level is known for a version. The message has Kafka's reason."""


# Decisions


def defaults(version):
    """Return the levels that a release finalises, {feature: level}. `version`: such as "4.4.0" or "4.4".

    Raises FeaturesError for a version without levels: before 3.9, or newer than this table.
    """
    line = ".".join(version.split(".")[:2])
    if line not in _DEFAULTS:
        raise FeaturesError(f"the features of Kafka {version} are not known; known are {', '.join(_DEFAULTS)}")
    return {METADATA: level_of(line)} | _DEFAULTS[line]


def readable(level, version):
    """Return whether a Kafka of `version`, such as "4.3.1", reads metadata of this finalised level."""
    known = level_of(version)
    return known is None or level <= known


def way_back(frm, to):
    """Return whether metadata.version can return to the level `frm` after the level `to` is finalised."""
    return not any(frm < level <= to for level in _CHANGED)


def consequence(frm, to):
    """Return in one sentence what it means to finalise metadata.version `to` in place of `frm`."""
    said = f"metadata.version changes from {frm} ({line_of(frm)}) to {to} ({line_of(to)})"
    if way_back(frm, to):
        return f"{said}. It can return: kafka-features.sh downgrade --release-version {line_of(frm)}."
    return f"{said}. There is no way back: Kafka does not lower it, and versions before {line_of(to)} cannot read it."


def changes(found, version):
    """Return the levels that rise when `version` is finalised, {feature: (level now, level then)}.

    found: the result of `features`. Raises FeaturesError where the cluster is beyond that version already.
    """
    wanted = defaults(version)
    now = {name: found.get(name, (0, 0))[0] for name in wanted}
    if now[METADATA] > wanted[METADATA]:
        raise FeaturesError(
            f"metadata.version is {now[METADATA]} ({line_of(now[METADATA])}) already, and Kafka {version} has "
            f"{wanted[METADATA]}"
        )
    return {name: (now[name], level) for name, level in wanted.items() if level > now[name]}


# Questions and changes


def features(admin):
    """Return {feature: (finalised level, highest level that all registered brokers support)}; 0: none.

    Raises kafka.errors.KafkaError, also where one broker does not answer.
    """
    answers = [send(admin, _question(), broker.node_id, _SECONDS) for broker in known_brokers(admin)]
    supported = [{each.name: each.max_version for each in answer.supported_features or ()} for answer in answers]
    newest = max(answers, key=lambda answer: answer.finalized_features_epoch or 0)
    final = {each.name: each.max_version_level for each in newest.finalized_features or ()}
    names = sorted(final.keys() | {name for each in supported for name in each})
    return {name: (final.get(name, 0), min(each.get(name, 0) for each in supported)) for name in names}


def finalise(client, version, dry_run=False):
    """Finalise all features at the levels of `version`. Returns the `changes`, which are {} when it is done already.

    client: client properties. With `dry_run` Kafka checks the levels and changes nothing. Raises FeaturesError with
    Kafka's reason; kafka.errors.KafkaError; NotReadyError where the brokers do not see the new levels in time.
    """
    with admin_client(client, _SECONDS) as admin:
        found = changes(features(admin), version)
        if found:
            _update(admin, {name: level for name, (_, level) in found.items()}, dry_run)
        if not found or dry_run:
            return found
        for _ in attempts(_SECONDS, _PAUSE):
            if not (left := changes(features(admin), version)):
                return found
        raise NotReadyError(f"the features are finalised, and a broker does not show {left} after {_SECONDS} s")


def _question():
    return ApiVersionsRequest(client_software_name="kafka-proof", client_software_version="1", min_version=3)


def _update(admin, levels, dry_run):
    rises = UpdateFeatureType.UPGRADE.value
    updates = [
        UpdateFeaturesRequest.FeatureUpdateKey(feature=name, max_version_level=level, upgrade_type=rises)
        for name, level in levels.items()
    ]
    request = UpdateFeaturesRequest(
        timeout_ms=_SECONDS * 1000, feature_updates=updates, validate_only=dry_run, min_version=1
    )
    answer = send(admin, request, seconds=_SECONDS + 1)
    refusals = [
        f"{getattr(each, 'feature', 'the request')}: {for_code(each.error_code).__name__}: {each.error_message}"
        for each in [answer, *(answer.results or ())]
        if each.error_code
    ]
    if refusals:
        raise FeaturesError("; ".join(refusals))

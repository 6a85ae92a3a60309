"""Finalise the features of a version, when all nodes run it: the same as `kafka-features.sh upgrade --release-version`.

Finalising is separate from the rolling change of the nodes, because kafka_proof.cluster.features can rule out a way
back. It never lowers a level.
"""

import re

from kafka.admin import UpdateFeatureType
from kafka.errors import for_code
from kafka.protocol.admin import UpdateFeaturesRequest

from kafka_proof.client.connection import admin_client
from kafka_proof.client.raw import send
from kafka_proof.client.wait import attempts
from kafka_proof.cluster.features import METADATA, FeaturesError, defaults, features
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import describe_quorum
from kafka_proof.cluster.versions import line_of

_SECONDS, _PAUSE = 10, 0.2  # for each answer, and for the brokers to see the new levels; between two looks


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


def finalise(client, version, dry_run=False):
    """Finalise all features at the levels of `version`. Returns the `changes`, which are {} when it is done already.

    client: client properties. With `dry_run` Kafka checks the levels and changes nothing. Raises FeaturesError with
    Kafka's reason; kafka.errors.KafkaError; NotReadyError where the brokers do not see the new levels in time.
    """
    with admin_client(client, _SECONDS, _SECONDS) as admin:
        found = changes(features(admin), version)
        if found:
            _update(admin, {name: level for name, (_, level) in found.items()}, dry_run)
        if not found or dry_run:
            return found
        for _ in attempts(_SECONDS, _PAUSE):
            if not (left := changes(features(admin), version)):
                return found
        raise NotReadyError(f"the features are finalised, and a broker does not show {left} after {_SECONDS} s")


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
        raise FeaturesError("; ".join(refusals) + _of_one_that_left(admin, refusals))


def _of_one_that_left(admin, refusals):
    """Return advice where a controller that left the quorum refuses, by its registration; else "" (KAFKA-20295)."""
    found = re.search(r"Controller (\d+) does not support", " ".join(refusals))
    if not found:
        return ""
    quorum = describe_quorum(admin)
    if int(found[1]) in {each.id for each in [*quorum.voters, *quorum.observers]}:
        return ""
    return (
        f" Controller {found[1]} left the quorum before, and its registration stays. Run it once more with the new "
        "version, as an additional controller, so that it registers again; then run this again, and remove it."
    )

"""Which Kafka version a broker runs, by its protocol, which shows no more than "3.9": 3.9.0 and 3.9.2 have the same."""

from collections.abc import Iterable
from typing import Any

from kafka import KafkaAdminClient
from kafka.protocol.metadata import ApiVersionsRequest

from kafka_proof.client.connection import version_text
from kafka_proof.client.raw import send

# The highest level of the feature metadata.version that each release supports: measured, see tests/versions. Releases
# before 3.3, and later ones in ZooKeeper mode, show none.
_LEVELS = {
    7: "3.3",
    8: "3.4",
    11: "3.5",
    14: "3.6",
    19: "3.7",
    20: "3.8",
    21: "3.9",
    25: "4.0",
    27: "4.1",
    29: "4.2",
    30: "4.3",
    33: "4.4",
}


def level_of(version: str) -> int | None:
    """Return the highest level of metadata.version that a version, such as "4.4.0" or "4.4", supports.

    None where this table has no such release: before 3.3, or newer.
    """
    line = ".".join(version.split(".")[:2])
    return next((level for level, known in _LEVELS.items() if known == line), None)


def line_of(level: int) -> str:
    """Return the oldest release that reads this level of metadata.version, such as "4.4", or "newer than 4.4"."""
    newest = max(_LEVELS)
    return f"newer than {_LEVELS[newest]}" if level > newest else _LEVELS[min(key for key in _LEVELS if key >= level)]


def release(features: Iterable[Any], inferred: tuple[int, ...]) -> str:
    """Return the version as text, such as "4.4", or "newer than 4.4".

    features: the supported features of an ApiVersions response; inferred: the version that kafka-python infers from the
    requests that the broker knows, which names no version newer than kafka-python.
    """
    level = next((feature.max_version for feature in features if feature.name == "metadata.version"), 0)
    return line_of(level) if level else version_text(inferred)


def broker_version(admin: KafkaAdminClient, broker: int) -> str:
    """Return the version of one broker. Raises kafka.errors.KafkaError."""
    request = ApiVersionsRequest(client_software_name="kafka-proof", client_software_version="1")
    answer = send(admin, request, broker)
    return release(answer.supported_features or (), admin.get_broker_version_data(broker).broker_version)

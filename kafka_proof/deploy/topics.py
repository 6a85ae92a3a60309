"""Which topics of the inventory Kafka would refuse."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kafka_proof.deploy.inventory_checks import repeated
from kafka_proof.deploy.removed_settings import TOPIC, removal


def topic_problems(
    topics: Sequence[Mapping[str, Any]], absent: Collection[str], brokers: int, version: str
) -> list[str]:
    """Return what in kafka_topics_present and kafka_topics_absent Kafka would refuse.

    brokers: their number; version: their Kafka, such as "3.9.2".
    """
    problems = []
    names = [topic["name"] for topic in topics]
    for name in repeated(names):
        problems.append(f"kafka_topics_present has {name} more than once. Keep one.")
    metric_names: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        metric_names.setdefault(name.replace(".", "_"), []).append(name)
    problems += [
        f"kafka_topics_present has {' and '.join(found)}, whose metric names collide. Rename one."
        for found in metric_names.values()
        if len(found) > 1
    ]
    for name in sorted(set(names) & set(absent)):
        problems.append(f"{name} is in kafka_topics_present and in kafka_topics_absent. Keep it in one of them.")
    for topic in topics:
        problems += _topic_problems(topic, brokers, version)
    return problems


def _topic_problems(topic: Mapping[str, Any], brokers: int, version: str) -> Iterator[str]:
    name = topic["name"]
    if not re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name) or name in (".", ".."):
        yield (
            f"kafka_topics_present has {name!r}, a name that Kafka refuses. "
            "Use 1 to 249 letters, digits, dots, underscores and hyphens."
        )
    if _given(topic, "partitions") < 1:
        yield f"topic {name} has partitions {topic['partitions']}. Give it 1 or more."
    replicas = _given(topic, "replication_factor")
    if not 1 <= replicas <= brokers:
        yield (
            f"topic {name} has replication_factor {replicas}, and the inventory has {brokers} broker(s). "
            "Lower it, or add hosts to the group kafka."
        )
    for key in sorted(topic.get("config") or {}):
        if gone := removal(key, version, TOPIC):
            yield f"topic {name} sets {key}, {gone}"


def _given(topic: Mapping[str, Any], key: str) -> int:
    """Return a number that the topic gives; 1 if it is left out or null."""
    return 1 if topic.get(key) is None else int(topic[key])

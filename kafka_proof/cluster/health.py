"""Is the cluster healthy? Each partition's state, each broker's view of it, and whether a broker can stop."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from kafka import KafkaAdminClient
from kafka.admin import ConfigResourceType
from kafka.errors import KafkaError
from kafka.protocol.admin import DescribeConfigsRequest
from kafka.protocol.metadata import MetadataRequest

from kafka_proof.client.raw import batches, known_brokers, send

OFFLINE, BELOW_MINIMUM, UNDER_REPLICATED = "offline", "min-isr", "under-replicated"  # keys of advice.ADVICE, too

_BATCH = 200  # topics whose settings one request asks for

_MINIMUM = "min.insync.replicas"


class Partition(NamedTuple):
    """One partition in the view of a broker. `leader` is None where there is none."""

    topic: str
    number: int
    leader: int | None
    replicas: list[int]
    in_sync: list[int]
    min_in_sync: int = 1

    def __str__(self) -> str:
        return f"{self.topic}-{self.number}"

    @property
    def missing(self) -> list[int]:
        """The replicas that are not in sync, sorted."""
        return sorted(set(self.replicas) - set(self.in_sync))

    @property
    def problem(self) -> str:
        """OFFLINE, BELOW_MINIMUM, UNDER_REPLICATED, or "": the worst that holds."""
        if self.leader is None:
            return OFFLINE
        if len(self.in_sync) < self.min_in_sync:
            return BELOW_MINIMUM
        return UNDER_REPLICATED if self.missing else ""


def as_partition(topic: str, described: Mapping[str, Any], minimum: int = 1) -> Partition:
    """Return the Partition for a partition as Kafka's metadata and describe_topics describe it.

    `minimum`: its min.insync.replicas, where the caller asked for it.
    """
    leader = described["leader_id"]
    return Partition(
        topic,
        described["partition_index"],
        leader if leader >= 0 else None,
        described["replica_nodes"],
        described["isr_nodes"],
        minimum,
    )


def partitions_of(topics: Iterable[Mapping[str, Any]]) -> list[Partition]:
    """Return the partitions of the result of describe_topics."""
    return [as_partition(topic["name"], each) for topic in topics for each in topic["partitions"]]


def obstacles(partitions: Iterable[Partition], broker: int, silent: bool = False) -> list[str]:
    """Return the reasons why this broker cannot stop now: a list of messages, empty if it can.

    Two states are no reason: those that the broker itself causes, and a partition with as many replicas as must be in
    sync, which can never spare one. A broker that does not answer (`silent`) also causes the state of a partition whose
    only replica in sync is its own.
    """
    found = []
    for item in partitions:
        if silent and set(item.in_sync) <= {broker} <= set(item.replicas):
            continue
        missing = [replica for replica in item.missing if replica != broker]
        if item.problem == OFFLINE and set(item.replicas) != {broker}:
            found.append(f"{item} is offline, its replicas are on {sorted(item.replicas)}")
        elif missing:
            found.append(f"{item} is under-replicated, not in sync: {missing}")
        elif broker in item.in_sync and len(item.in_sync) <= item.min_in_sync < len(item.replicas):
            found.append(f"{item} has {len(item.in_sync)} in-sync replicas, and {_MINIMUM} {item.min_in_sync}")
    return found


def behind(partitions: Iterable[Partition], broker: int) -> list[Partition]:
    """Return the partitions that have a replica on this broker which is not in sync."""
    return [item for item in partitions if broker in item.missing]


class View(NamedTuple):
    """One broker's view of the cluster: {id: address} of the registered brokers, and the partitions."""

    registered: dict[int, str]
    partitions: list[Partition]


def look(admin: KafkaAdminClient) -> dict[int, View]:
    """Return the view of each broker that answers, {id: View}. Raises KafkaError if none does.

    Ask all of them, because a broker that lost ZooKeeper still answers with its last view.
    """
    views, reasons = {}, []
    for broker in [node.node_id for node in known_brokers(admin)]:
        try:
            views[broker] = _view(*_ask(admin, broker))
        except KafkaError as error:
            reasons.append(error)
    if not views:
        raise reasons[0] if reasons else KafkaError("no broker is registered")
    return views


def _ask(admin: KafkaAdminClient, broker: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a broker's metadata, and {topic: min.insync.replicas}."""
    request = MetadataRequest(topics=None, allow_auto_topic_creation=False)
    metadata = send(admin, request, broker).to_dict()
    names = [topic["name"] for topic in metadata["topics"]]
    minimum: dict[str, int] = {}
    for batch in batches(names, _BATCH):
        resources = [(ConfigResourceType.TOPIC, name, [_MINIMUM]) for name in batch]
        answer = send(admin, DescribeConfigsRequest(resources=resources), broker)
        minimum |= {topic.resource_name: int(topic.configs[0].value) for topic in answer.results if topic.configs}
    return metadata, minimum


def _view(metadata: Mapping[str, Any], minimum: Mapping[str, int]) -> View:
    partitions = [
        # A topic that was just created or deleted has no settings to read. Then it can spare one replica at most.
        as_partition(topic["name"], each, minimum.get(topic["name"]) or max(1, len(each["replica_nodes"]) - 1))
        for topic in metadata["topics"]
        for each in topic["partitions"]
    ]
    return View({item["node_id"]: f"{item['host']}:{item['port']}" for item in metadata["brokers"]}, partitions)


Found = TypeVar("Found")


def in_any(views: Mapping[int, View], what: Callable[[list[Partition]], list[Found]]) -> list[Found]:
    """Return the results of what(partitions), a list, for all views, each once."""
    return list({str(item): item for view in views.values() for item in what(view.partitions)}.values())

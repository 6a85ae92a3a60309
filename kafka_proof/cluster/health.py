"""Which partitions are led and in sync, as each broker sees it; and whether the cluster can do without a broker."""

from typing import NamedTuple

from kafka.admin import ConfigResourceType
from kafka.errors import KafkaError
from kafka.protocol.admin import DescribeConfigsRequest
from kafka.protocol.metadata import MetadataRequest

_BATCH = 200  # topics whose settings one request asks for

_MINIMUM = "min.insync.replicas"


class Partition(NamedTuple):
    """One partition as a broker sees it. `leader` is None where there is none."""

    topic: str
    number: int
    leader: int | None
    replicas: list
    in_sync: list
    min_in_sync: int

    def __str__(self):
        return f"{self.topic}-{self.number}"


def obstacles(partitions, broker, silent=False):
    """Why the cluster cannot do without this broker now: a list of messages, empty if it may stop.

    What the broker itself explains is none, nor is a partition that can never spare a replica (as many replicas as
    must be in sync): nobody can do better. If it is `silent`, which is that it does not answer, it also explains what
    waits for it alone: a partition of which no other replica is in sync.
    """
    found = []
    for item in partitions:
        if silent and set(item.in_sync) <= {broker} <= set(item.replicas):
            continue
        missing = sorted(set(item.replicas) - set(item.in_sync) - {broker})
        if item.leader is None and set(item.replicas) != {broker}:
            found.append(f"{item} is offline, its replicas are on {sorted(item.replicas)}")
        elif missing:
            found.append(f"{item} is under-replicated, not in sync: {missing}")
        elif (
            broker in item.in_sync
            and len(item.replicas) > item.min_in_sync
            and len(item.in_sync) - 1 < item.min_in_sync
        ):
            found.append(f"{item} has {len(item.in_sync)} in-sync replicas, and min.insync.replicas {item.min_in_sync}")
    return found


def behind(partitions, broker):
    """Partitions that have a replica on this broker which is not in sync."""
    return [item for item in partitions if broker in item.replicas and broker not in item.in_sync]


class View(NamedTuple):
    """What one broker says of the cluster: {id: address} of those that are registered, and the list of Partitions."""

    registered: dict
    partitions: list


def look(admin):
    """Return what each broker that answers says, {id: View}. Raises KafkaError if none does.

    All are asked, because one that has lost ZooKeeper and still answers goes on saying that all is well.
    """
    views, reasons = {}, []
    for broker in sorted(node.node_id for node in admin._manager.cluster.brokers()):
        try:
            views[broker] = _view(*admin._manager.run(_ask, admin, broker))
        except KafkaError as error:
            reasons.append(error)
    if not views:
        raise reasons[0] if reasons else KafkaError("no broker is registered")
    return views


async def _ask(admin, broker):
    """A broker's metadata, and {topic: min.insync.replicas}. KafkaAdminClient itself asks whichever broker it likes."""
    request = MetadataRequest(topics=None, allow_auto_topic_creation=False)
    metadata = (await admin._manager.send(request, node_id=broker)).to_dict()
    names, minimum = [topic["name"] for topic in metadata["topics"]], {}
    for start in range(0, len(names), _BATCH):
        resources = [(ConfigResourceType.TOPIC, name, [_MINIMUM]) for name in names[start : start + _BATCH]]
        answer = await admin._manager.send(DescribeConfigsRequest(resources=resources), node_id=broker)
        minimum |= {topic.resource_name: int(topic.configs[0].value) for topic in answer.results if topic.configs}
    return metadata, minimum


def _view(metadata, minimum):
    partitions = [
        Partition(
            topic["name"],
            partition["partition_index"],
            partition["leader_id"] if partition["leader_id"] >= 0 else None,
            partition["replica_nodes"],
            partition["isr_nodes"],
            # A topic that is just made or deleted does not tell: then no more than one of its replicas is to be missed.
            minimum.get(topic["name"]) or max(1, len(partition["replica_nodes"]) - 1),
        )
        for topic in metadata["topics"]
        for partition in topic["partitions"]
    ]
    return View({item["node_id"]: f"{item['host']}:{item['port']}" for item in metadata["brokers"]}, partitions)


def in_any(views, what):
    """What holds of the partitions in any view: what(partitions) is a list."""
    return list({str(item): item for view in views.values() for item in what(view.partitions)}.values())

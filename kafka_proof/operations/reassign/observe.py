"""The replicas that brokers hold, and moves between them, by the cluster's metadata and the brokers' disks."""

import contextlib
from collections import defaultdict

from kafka import TopicPartition
from kafka.errors import KafkaError, for_code

from kafka_proof.client.workarounds import describe_cluster, know_brokers, log_dirs


def topics(admin):
    """Return {TopicPartition: its description by describe_topics}."""
    return {
        TopicPartition(topic["name"], partition["partition_index"]): partition
        for topic in admin.describe_topics()
        for partition in topic["partitions"]
    }


def sizes(admin, brokers, partitions):
    """Return {(TopicPartition, broker): bytes on its disk} of `partitions`, of the brokers that answer."""
    topics = defaultdict(list)
    for tp in partitions:
        topics[tp.topic].append(tp.partition)
    sizes = {}
    for broker in sorted(brokers):
        with contextlib.suppress(KafkaError):  # it stopped meanwhile; a later step reports that
            for directory in log_dirs(admin, broker, topics.items()):
                for topic in directory["topics"]:
                    for partition in topic["partitions"]:
                        tp = TopicPartition(topic["name"], partition["partition_index"])
                        sizes[tp, broker] = partition["partition_size"]
    return sizes


def missing(sizes, tp, leader, broker):
    """Return the bytes of a partition that its leader has and a broker does not have yet. `sizes`: those of `sizes`."""
    return max(0, sizes.get((tp, leader), 0) - sizes.get((tp, broker), 0))


def holds(admin, broker):
    """Return the replicas that the broker holds, as a sorted list of str; empty when it holds none.

    Ask both sides. The metadata can have a replica that does not exist yet. The broker's own log directories can
    have one that is not in the metadata. For a broker that is not registered, only the metadata can be asked.

    Raises kafka.errors.KafkaError when one of them does not answer.
    """
    found = {(*tp, "replica") for tp, partition in topics(admin).items() if broker in partition["replica_nodes"]}
    found |= {
        (*tp, "replica, moving")
        for tp, move in admin.list_partition_reassignments().items()
        if broker in move["replicas"]
    }
    if broker in registered(admin):
        for directory in log_dirs(admin, broker):
            if directory["error_code"]:
                raise for_code(directory["error_code"])(f"broker {broker}, log directory {directory['log_dir']}")
            found |= {
                (topic["name"], partition["partition_index"], f"in {directory['log_dir']}")
                for topic in directory["topics"]
                for partition in topic["partitions"]
            }
    return [f"{topic} partition {partition}: {where}" for topic, partition, where in sorted(found)]


def registered(admin):
    """Return {broker id: rack or None}. The client can send requests to each of them."""
    registered = {broker["broker_id"]: broker["rack"] for broker in describe_cluster(admin)["brokers"]}
    know_brokers(admin, registered)
    return registered


def target(replicas, move):
    """Return a partition's replicas after the move that runs (or None)."""
    return [broker for broker in move["replicas"] if broker not in move["removing_replicas"]] if move else replicas


def partition_name(tp):
    return f"{tp.topic} partition {tp.partition}"


def ids_text(brokers):
    return ", ".join(map(str, brokers))


_UNITS = ("B", "kB", "MB", "GB", "TB")


def size_text(count):
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.3g} {_UNITS[unit]}"

"""What brokers hold and what moves between them, as the cluster and the brokers' disks report it."""

import contextlib

from kafka import TopicPartition
from kafka.errors import KafkaError, for_code


def topics(admin):
    """{TopicPartition: what describe_topics says of it}."""
    return {
        TopicPartition(topic["name"], partition["partition_index"]): partition
        for topic in admin.describe_topics()
        for partition in topic["partitions"]
    }


def log_dirs(admin, broker, topics=None):
    """A broker's log directories, and what is in them of `topics`, pairs of a name and partitions; all if None.

    kafka-python's describe_log_dirs without topics asks for those of the metadata, and not for all that are there.
    """
    return admin._manager.run(admin._async_describe_log_dirs, topics, [broker])[0]["log_dirs"]


def sizes(admin, brokers, topics):
    """{(TopicPartition, broker): bytes on its disk}, of those brokers that answer."""
    sizes = {}
    for broker in sorted(brokers):
        with contextlib.suppress(KafkaError):  # it went away meanwhile; who needs it will say so
            for directory in log_dirs(admin, broker, topics.items()):
                for topic in directory["topics"]:
                    for partition in topic["partitions"]:
                        tp = TopicPartition(topic["name"], partition["partition_index"])
                        sizes[tp, broker] = partition["partition_size"]
    return sizes


def holds(admin, broker):
    """Return what the broker holds, as a sorted list of str; empty when it holds nothing.

    Both sides are asked: the cluster's metadata, in which a replica may be promised that is not made yet, and the
    broker's own log directories, in which one may be that no metadata knows. Of a broker that is not registered only
    the metadata can tell.

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
    """{broker id: rack or None}."""
    registered = {broker["broker_id"]: broker["rack"] for broker in admin.describe_cluster()["brokers"]}
    if registered.keys() - {broker.node_id for broker in admin._manager.cluster.brokers()}:
        # kafka-python speaks only to brokers of its last metadata, which may be older than one that has joined.
        admin._manager.run(admin._manager.cluster.refresh_metadata)
    return registered


def target(replicas, move):
    """What a partition's replicas will be when the move (or None) that runs has ended."""
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

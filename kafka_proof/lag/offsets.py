"""The lag of a consumer group: a distance in offsets.

It is an upper bound for messages: compaction leaves holes, and transaction markers take offsets too.
"""

from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import for_code

POLICIES = ("earliest", "latest", "none")  # auto.offset.reset: the beginning of a group without a usable offset


class PartitionLag(NamedTuple):
    """One partition as one group sees it. The numbers are offsets; None means unknown."""

    topic: str
    partition: int
    committed: int | None  # the next offset that the group will read; None: nothing committed
    start: int | None  # the first offset that still exists; None: no leader to ask
    end: int | None  # the offset that the next message gets; None: no leader to ask
    lag: int | None
    note: str  # the reason for a lag other than end - committed, or ""


def lag(committed, start, end, reset="earliest"):
    """Return (lag, note) for one partition; lag is in offsets, or None when unknown.

    `committed`: int; None and -1 mean that nothing was committed. `start`, `end`: the bounds of the log, None when the
    partition has no leader. `reset`: one of POLICIES, the beginning of a group without a usable offset. With "latest"
    such a group has nothing left; with "none" its consumers stop with an error.

    Raises ValueError for another policy.
    """
    if reset not in POLICIES:
        raise ValueError(f"reset is {reset!r}. Use one of: {', '.join(POLICIES)}.")
    if start is None or end is None:
        return None, "no leader"
    if committed is None or committed < 0:
        note = "nothing committed"
    elif committed < start:
        note = "committed offset no longer exists"
    elif committed > end:
        note = "log was truncated below the committed offset"
    else:
        return end - committed, ""
    return {"earliest": end - start, "latest": 0, "none": None}[reset], note


def rows(committed, starts, ends, reset="earliest"):
    """Return list[PartitionLag], sorted, one for each key of `committed`.

    All three are dict[TopicPartition, int]; a partition that is missing in `starts` or `ends` has no leader.
    """
    result = []
    for tp, offset in sorted(committed.items()):
        start, end = starts.get(tp), ends.get(tp)
        known = None if offset == -1 else offset
        result.append(PartitionLag(tp.topic, tp.partition, known, start, end, *lag(known, start, end, reset)))
    return result


def left(partitions):
    """Return the sum of the lags of list[PartitionLag], or None if one of them is unknown."""
    lags = [partition.lag for partition in partitions]
    return None if None in lags else sum(lags)


def group_lag(admin, group, topic, reset="earliest"):
    """Ask the cluster for the lag of `group` in each partition of `topic`. Returns list[PartitionLag], by partition.

    `admin` is a KafkaAdminClient. Raises kafka.errors.KafkaError, such as UnknownTopicOrPartitionError.
    """
    [description] = admin.describe_topics([topic])
    if description["error_code"]:
        raise for_code(description["error_code"])(f"topic {topic}")
    partitions = with_leader(description)
    committed, *bounds = read_offsets(admin, {group: list(partitions)}, [tp for tp, led in partitions.items() if led])
    return rows(committed[group], *bounds, reset)


def with_leader(topic):
    """Return dict[TopicPartition, bool], whether it has a leader. `topic`: of KafkaAdminClient.describe_topics()."""
    return {
        TopicPartition(topic["name"], partition["partition_index"]): partition["leader_id"] >= 0
        for partition in topic["partitions"]
    }


def read_offsets(admin, groups, partitions):
    """Read committed offsets and the bounds of the logs: one request per coordinator, then two per leader.

    `groups`: dict[str, list[TopicPartition] | None]; None asks for all committed offsets of the group.
    `partitions`: list[TopicPartition], each with a leader.
    Returns (committed, starts, ends): dict[str, dict[TopicPartition, int]] and twice dict[TopicPartition, int].

    The order matters. Offsets only grow during a look, so the smallest come first: committed, then starts, then ends.
    In the opposite order, the lag of a busy group is negative.
    """
    return committed_offsets(admin, groups), *log_bounds(admin, partitions)


def committed_offsets(admin, groups):
    """Read committed offsets of `groups`, as in `read_offsets`. Returns dict[str, dict[TopicPartition, int]]."""
    found = admin.list_group_offsets(groups) if groups else {}
    return {group: {tp: at.offset for tp, at in offsets.items()} for group, offsets in found.items()}


def log_bounds(admin, partitions):
    """Read the bounds of the logs of `partitions`. Returns (starts, ends): twice dict[TopicPartition, int]."""

    def bounds(spec):
        found = admin.list_partition_offsets(dict.fromkeys(partitions, spec)) if partitions else {}
        return {tp: at.offset for tp, at in found.items()}

    return bounds(OffsetSpec.EARLIEST), bounds(OffsetSpec.LATEST)

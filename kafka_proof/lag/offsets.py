"""What a consumer group has left to read.

Lag is a distance in offsets. It is an upper bound for messages: compaction leaves holes, and transaction markers take
offsets too.
"""

from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import for_code

POLICIES = ("earliest", "latest", "none")  # auto.offset.reset: where a group without a usable offset begins


class PartitionLag(NamedTuple):
    """One partition as one group sees it. The numbers are offsets; None is "not known"."""

    topic: str
    partition: int
    committed: int | None  # the next offset that the group will read; None: nothing committed
    start: int | None  # the first offset that still exists; None: no leader to ask
    end: int | None  # the offset that the next message gets; None: no leader to ask
    lag: int | None
    note: str  # why the lag is not simply end - committed, or ""


def lag(committed, start, end, reset="earliest"):
    """Return (lag, note) for one partition; lag is in offsets, or None where it cannot be known.

    `committed`: int; None and -1 mean that nothing was committed. `start`, `end`: the bounds of the log, None when the
    partition has no leader. `reset`: one of POLICIES. A group without a usable offset begins where the policy says, so
    with "latest" it has nothing left, and with "none" its consumers stop with an error.

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
        return 0, "log was truncated below the committed offset"
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
    """Add up list[PartitionLag]: offsets left, or None as soon as one of them is not known."""
    lags = [partition.lag for partition in partitions]
    return None if None in lags else sum(lags)


def group_lag(admin, group, topic, reset="earliest", read_committed=False):
    """Ask the cluster how far `group` is in each partition of `topic`. Returns list[PartitionLag], by partition.

    `admin` is a KafkaAdminClient. `read_committed`: the group's consumers have isolation.level=read_committed, so what
    they can read ends before the first open transaction. Raises kafka.errors.KafkaError, such as
    UnknownTopicOrPartitionError.
    """
    [description] = admin.describe_topics([topic])
    if description["error_code"]:
        raise for_code(description["error_code"])(f"topic {topic}")
    partitions = with_leader(description)
    ask = {group: list(partitions)}
    committed, starts, ends = read_offsets(admin, ask, [tp for tp, led in partitions.items() if led], read_committed)
    return rows(committed[group], starts, ends, reset)


def with_leader(topic):
    """Return dict[TopicPartition, bool], has it a leader, from one of KafkaAdminClient.describe_topics()."""
    return {
        TopicPartition(topic["name"], partition["partition_index"]): partition["leader_id"] >= 0
        for partition in topic["partitions"]
    }


def read_offsets(admin, groups, partitions, read_committed=False):
    """Read committed offsets and the bounds of the logs: one request per coordinator, then two per leader.

    `groups`: dict[str, list[TopicPartition] | None], where None asks for all that the group committed.
    `partitions`: list[TopicPartition], each with a leader.
    Returns (committed, starts, ends): dict[str, dict[TopicPartition, int]] and twice dict[TopicPartition, int].

    The order matters. Offsets only grow while we look, so what is read first must be the smallest: committed, then
    starts, then ends. The other way round, a busy group has less than nothing left.
    """
    return committed_offsets(admin, groups), *log_bounds(admin, partitions, read_committed)


def committed_offsets(admin, groups):
    """Read what `groups` committed, as in `read_offsets`. Returns dict[str, dict[TopicPartition, int]]."""
    found = admin.list_group_offsets(groups) if groups else {}
    return {group: {tp: at.offset for tp, at in offsets.items()} for group, offsets in found.items()}


def log_bounds(admin, partitions, read_committed=False):
    """Read where the logs of `partitions` start and end. Returns (starts, ends): twice dict[TopicPartition, int]."""
    isolation = "read_committed" if read_committed else "read_uncommitted"

    def bounds(spec):
        found = admin.list_partition_offsets(dict.fromkeys(partitions, spec), isolation) if partitions else {}
        return {tp: at.offset for tp, at in found.items()}

    return bounds(OffsetSpec.EARLIEST), bounds(OffsetSpec.LATEST)

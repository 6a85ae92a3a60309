"""One look at consumer groups: owners of partitions, committed offsets, lag, and the age of the first message left."""

import time
from fnmatch import fnmatchcase
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import TopicAuthorizationFailedError

from kafka_proof.client.wait import settled
from kafka_proof.client.workarounds import makes_no_topic
from kafka_proof.cluster.groups import SHARE, describe, list_groups, share_offsets
from kafka_proof.cluster.rights import sees_all_topics
from kafka_proof.lag.offsets import PartitionLag, committed_offsets, log_bounds, rows, with_leader

_BATCH = 32_768  # bytes to fetch of a partition; more than a producer's batch of 16,384, for one message
_HIDDEN = "this client may not see the topic: Describe is missing"
_MAY_HIDE = "this client sees only topics on which it has Describe, and none of this group"
_MOVING = 5  # seconds of further attempts while a leader or a coordinator moves


class NoMatchError(LookupError):
    """A pattern fits no group or no topic. The message is one line: the pattern, and the existing names."""


class GroupLag(NamedTuple):
    """One group, and its lag in each partition of the topics that it reads."""

    group: str
    state: str  # Kafka's: Stable, Empty, PreparingRebalance, …
    members: int | None
    partitions: list[PartitionLag]  # sorted
    owners: dict[TopicPartition, str] | None  # "client id/host" of the member; None: unknown
    kind: str = "classic"  # kafka_proof.cluster.groups.Listed.kind
    reason: str = ""  # why something is unknown


def look(admin, groups=(), topics=(), reset="earliest", must_fit=True):
    """Return list[GroupLag], sorted, of the groups and topics that fit `groups` and `topics`.

    `admin` is a KafkaAdminClient. `groups`, `topics`: names or patterns such as "orders-*"; none means all.
    `reset`: as in kafka_proof.lag.offsets.lag. `must_fit`: refuse a name or pattern that fits nothing.

    Raises NoMatchError, and kafka.errors.KafkaError.
    """
    return settled(lambda: _look(admin, groups, topics, reset, must_fit), _MOVING)


def _look(admin, groups, topics, reset, must_fit):
    listed = list_groups(admin)
    names = matching(groups, listed, "group", must_fit)
    described = describe(admin, [listed[name] for name in names])
    committed = committed_of(admin, [listed[name] for name in names])

    read = {name: {tp.topic for tp in [*committed[name], *(described[name].owners or {})]} for name in names}
    wanted = matching(topics, set().union(*read.values()), "topic", must_fit)

    # All partitions of a topic that a group reads: without a committed offset, the whole partition can be left. A topic
    # that was deleted meanwhile has no partitions.
    partitions, hidden = with_leaders(admin, wanted)
    may_hide = not all(read.values()) and not sees_all_topics(admin)
    bounds = log_bounds(admin, [tp for tp, led in partitions.items() if led])
    return [
        GroupLag(
            name,
            described[name].state,
            described[name].members,
            sorted(
                rows(
                    {tp: committed[name].get(tp, -1) for tp in partitions if tp.topic in read[name]},
                    *bounds,
                    "none" if listed[name].type == SHARE else reset,
                )
                + [
                    PartitionLag(tp.topic, tp.partition, None, None, None, None, _HIDDEN)
                    for tp in {*committed[name], *(described[name].owners or {})}
                    if tp.topic in hidden
                ]
            ),
            described[name].owners,
            listed[name].kind,
            described[name].reason or (_MAY_HIDE if may_hide and not read[name] else ""),
        )
        for name in names
        if not topics or not read[name].isdisjoint(wanted)
    ]


def committed_of(admin, listed):
    """Return {name: {TopicPartition: offset}} of groups: committed, or where a share group starts; -1 for none."""
    shares = {each.name: share_offsets(admin, each) for each in listed if each.type == SHARE}
    return shares | committed_offsets(admin, {each.name: None for each in listed if each.type != SHARE})


def matching(patterns, names, what, must_fit=True):
    """Return the `names` that fit one of `patterns`, sorted; all names if there are no patterns.

    Raises NoMatchError when a pattern fits none and `must_fit`. `what`: "group" or "topic", for the message.
    """
    for pattern in patterns:
        if must_fit and not any(_fits(name, pattern) for name in names):
            there = ", ".join(sorted(names)[:20]) or "none"
            more = f" and {len(names) - 20} more" if len(names) > 20 else ""
            which = "Groups" if what == "group" else "Topics that these groups read and"
            seen = f"{which} that this client may see (Describe): {there}{more}"
            raise NoMatchError(f"no {what} fits {pattern!r}. {seen}.")
    return sorted(name for name in names if not patterns or any(_fits(name, pattern) for pattern in patterns))


def _fits(name, pattern):
    return name == pattern or fnmatchcase(name, pattern)  # a name can contain brackets


def with_leaders(admin, topics):
    """Return (dict[TopicPartition, bool], whether it has a leader, of the existing `topics`; names of hidden ones)."""
    described = admin.describe_topics(topics) if topics else []
    leaders = {tp: led for topic in described if not topic["error_code"] for tp, led in with_leader(topic).items()}
    return leaders, {topic["name"] for topic in described if topic["error_code"] == TopicAuthorizationFailedError.errno}


def timestamps(arguments, places, ends, seconds=5):
    """Read the timestamp of the first message at or after each place.

    `arguments`: the result of `kafka_python`. `places`: dict[TopicPartition, iterable of offsets below the end].
    `ends`: dict[TopicPartition, offset], the ends of the logs. `seconds`: the time to wait for an answer.
    Returns dict[(TopicPartition, offset), milliseconds since 1970, or None when the message has no timestamp]. A place
    that is missing there has no message: only the marker of a transaction is left.

    Raises TimeoutError, and kafka.errors.KafkaError such as TopicAuthorizationFailedError: the client needs READ.
    """
    left = {tp: sorted(offsets) for tp, offsets in places.items() if offsets}
    found = {}
    if not left:
        return found
    with KafkaConsumer(
        **arguments,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # for retention that deletes the place meanwhile
        bootstrap_timeout_ms=int(seconds * 1000),
        max_partition_fetch_bytes=_BATCH,
        max_poll_records=1,
    ) as consumer:
        makes_no_topic(consumer)
        consumer.assign(list(left))
        for tp, offsets in left.items():
            consumer.seek(tp, offsets[0])
        deadline = time.monotonic() + seconds
        while left:
            arrived = consumer.poll(timeout_ms=100)
            for tp, [record] in arrived.items():
                found[tp, left[tp][0]] = record.timestamp if record.timestamp >= 0 else None
                _go_on(consumer, tp, left)
                deadline = time.monotonic() + seconds
            if not arrived:
                for tp in [tp for tp in left if consumer.position(tp) >= ends[tp]]:
                    _go_on(consumer, tp, left)
            if time.monotonic() > deadline:
                tp, [offset, *_] = next(iter(left.items()))
                raise TimeoutError(f"{tp.topic} partition {tp.partition}: no message came from offset {offset} on")
    return found


def _go_on(consumer, tp, left):
    """Seek to the next place in this partition, or pause it after the last one."""
    del left[tp][0]
    if left[tp]:
        consumer.seek(tp, left[tp][0])
    else:
        del left[tp]
        consumer.pause(tp)

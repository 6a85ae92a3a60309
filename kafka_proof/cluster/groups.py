"""Groups of every type: classic ones of consumers, Connect and others; and of KIP-848, share groups, and Streams.

A group that cannot be described has a reason, and hides no other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import IncompatibleBrokerVersion, for_code
from kafka.protocol.admin import DescribeGroupsRequest
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

from kafka_proof.client.messages import (
    ConsumerGroupDescribeRequest,
    DescribeShareGroupOffsetsRequest,
    ShareGroupDescribeRequest,
    StreamsGroupDescribeRequest,
)
from kafka_proof.client.raw import known_brokers, send

CLASSIC, CONSUMER, SHARE, STREAMS = "classic", "consumer", "share", "streams"  # Kafka's types
_DESCRIBE = {
    CONSUMER: ConsumerGroupDescribeRequest,
    SHARE: ShareGroupDescribeRequest,
    STREAMS: StreamsGroupDescribeRequest,
}
_REBALANCING = {"PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling"}

Owners = dict[TopicPartition, str]


class Listed(NamedTuple):
    """A group as its coordinator lists it."""

    name: str
    type: str  # one of the types above; CLASSIC before Kafka 3.8, which does not tell
    protocol: str  # of a classic group: consumer, connect, …; "" for programs that only commit
    state: str  # Stable, Empty, …; "" before Kafka 2.6
    coordinator: int

    @property
    def kind(self) -> str:
        """The type as people know it: consumers, and what the members of another classic group are."""
        return self.protocol if self.type == CLASSIC and self.protocol not in ("", "consumer") else self.type


class Group(NamedTuple):
    """A group and its members."""

    listed: Listed
    state: str
    members: int | None  # None: unknown
    owners: Owners | None  # "client id/host" of the member that has a partition; None: unknown
    reason: str  # why something is unknown, or ""


def list_groups(admin: KafkaAdminClient, brokers: Iterable[int] | None = None) -> dict[str, Listed]:
    """Return {name: Listed} of the groups that these brokers coordinate, by default all. Raises KafkaError."""
    asked = [broker.node_id for broker in known_brokers(admin)] if brokers is None else brokers
    return {
        each["group_id"]: Listed(
            each["group_id"],
            (each.get("group_type") or CLASSIC).lower(),
            each["protocol_type"],
            each.get("group_state") or "",
            broker,
        )
        for broker in asked
        for each in admin.list_groups([broker])
    }


def describe(admin: KafkaAdminClient, listed: Iterable[Listed]) -> dict[str, Group]:
    """Return {name: Group}: one request for each coordinator and type. Raises KafkaError, retriable ones included."""
    batches: dict[tuple[str, int], list[Listed]] = {}
    for group in listed:
        batches.setdefault((group.type, group.coordinator), []).append(group)
    return {
        group.listed.name: group
        for (kind, coordinator), groups in batches.items()
        for group in _described(admin, kind, coordinator, {each.name: each for each in groups})
    }


def share_offsets(admin: KafkaAdminClient, group: Listed) -> dict[TopicPartition, int]:
    """Return the start offset of a share group in each partition; -1 where it has not read, {} if it is not known.

    Raises KafkaError, where another look can succeed.
    """
    try:
        answer = send(admin, DescribeShareGroupOffsetsRequest(groups=[(group.name, None)]), group.coordinator)
    except IncompatibleBrokerVersion:
        return {}
    for described in answer.groups:
        if described.error_code and for_code(described.error_code).retriable:
            raise for_code(described.error_code)(f"group {group.name}")
    return {
        TopicPartition(topic.topic_name, each.partition_index): each.start_offset
        for described in answer.groups
        for topic in described.topics
        for each in topic.partitions
        if not each.error_code
    }


def _described(admin: KafkaAdminClient, kind: str, coordinator: int, listed: Mapping[str, Listed]) -> Iterator[Group]:
    names = list(listed)
    if kind == CLASSIC:
        request = DescribeGroupsRequest(groups=names, include_authorized_operations=False)
    elif kind in _DESCRIBE:
        request = _DESCRIBE[kind](group_ids=names, include_authorized_operations=False)
    else:
        reason = f"the members of a {kind} group cannot be described yet"
        yield from (Group(each, each.state or "unknown", None, None, reason) for each in listed.values())
        return
    try:
        answer = send(admin, request, coordinator)
    except IncompatibleBrokerVersion as error:
        yield from (Group(each, each.state or "unknown", None, None, str(error)) for each in listed.values())
        return
    for found in answer.groups:
        group, error_type = listed[found.group_id], for_code(found.error_code)
        if found.error_code and error_type.retriable:
            raise error_type(f"group {group.name}")
        if found.error_code:
            yield Group(group, group.state or "unknown", None, None, error_type.__name__)
            continue
        state = found.group_state or group.state  # newer than the list, and of the same moment as the members
        shares = {CLASSIC: _classic_shares, STREAMS: _task_shares(found)}.get(kind, _shares)
        owners, reason = _owners(found, state, shares)
        yield Group(group, state, len(found.members), owners, reason)


def _owners(described: Any, state: str, shares: Any) -> tuple[Owners | None, str]:
    """Return (the owners, ""), or (None, why they are unknown)."""
    if state in _REBALANCING:
        return None, ""
    if getattr(described, "protocol_type", "consumer") != "consumer":
        # Programs that assign partitions to themselves and only commit, and members that share other things.
        return None, f"members of {described.protocol_type} share no partitions" if described.protocol_type else ""
    owners: Owners = {}
    for member in described.members:
        try:
            owned = shares(member)
        except Exception as error:  # bytes that a program chose; any error of the decoder is an answer
            return None, f"the assignment of {member.client_id} cannot be decoded ({type(error).__name__})"
        owners |= dict.fromkeys(owned, member.client_id + member.client_host)
    return owners, ""


def _classic_shares(member: Any) -> list[TopicPartition]:
    if not member.member_assignment:
        return []  # an idle member
    assignment = ConsumerProtocolAssignment.decode(member.member_assignment)
    return [TopicPartition(each.topic, number) for each in assignment.assigned_partitions for number in each.partitions]


def _shares(member: Any) -> list[TopicPartition]:
    shares = member.assignment.topic_partitions
    return [TopicPartition(each.topic_name, number) for each in shares for number in each.partitions]


def _task_shares(described: Any) -> Callable[[Any], list[TopicPartition]]:
    """Return what gives a member's partitions: task N reads partition N of each source topic of its subtopology."""
    topology = getattr(described, "topology", None)
    sources = {
        each.subtopology_id: [*each.source_topics, *(topic.name for topic in each.repartition_source_topics)]
        for each in (topology and topology.subtopologies) or []
    }
    return lambda member: [
        TopicPartition(topic, number)
        for task in member.assignment.active_tasks
        for topic in sources[task.subtopology_id]
        for number in task.partitions
    ]

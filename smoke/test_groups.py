"""Consumers of one group share the messages; each group gets all of them"""

import json
import signal

import pytest

from kafka_proof.client.raw import broker_version
from kafka_proof.client.wait import wait_until
from kafka_proof.lag.offsets import log_bounds

VALUES = {0: ["a0", "a1", "a2"], 1: ["b0", "b1", "b2"]}  # by the partitions' numbers

pytestmark = pytest.mark.existing_topic


@pytest.fixture
def send_all(partitions, send, starts):
    """send_all(): VALUES to two partitions; returns where each of the topic ends for the test."""
    return lambda: starts | {tp: send(tp, VALUES[tp.partition]) for tp in partitions}


@pytest.fixture
def numbers(topic):
    """The numbers of all partitions of the topic: [0, 1], and more in a topic that others use."""
    return [tp.partition for tp in topic]


@pytest.fixture
def show(record_property):
    """show(group): keep the group's evidence, whatever comes of the test."""
    groups = []
    yield groups.append
    for group in groups:
        for name, table in group.evidence():
            record_property(name, table)


def check_exclusive(group, owners):
    """Each partition's messages, complete and in order, at its owner and nowhere else."""
    expected = {
        member: {partition: VALUES[partition] for partition in owned if partition in VALUES}
        for member, owned in owners.items()
    }
    assert group.matrix() == expected, f"owners: {owners}; who received what: {group.matrix()}"
    assert group.shared_ownership() == [], "a partition had two owners in one generation"


def test_one_group_shares_the_partitions_and_each_message_reaches_one_member(name, numbers, members, send_all, show):
    """Two members of a group own a partition each, and each message reaches exactly one of them"""
    group = members(name, "AB")
    show(group)
    owners = group.wait_for_owners(numbers)
    shares = sorted(len(owned) for owned in owners.values())
    assert shares == [len(numbers) // 2, (len(numbers) + 1) // 2], f"each should own half of the partitions: {owners}"

    group.read_to(send_all())

    check_exclusive(group, owners)


def test_more_members_than_partitions_leave_one_idle(name, numbers, members, send_all, show):
    """With three members and two partitions, one member is idle, and each message reaches one member"""
    names = "ABCDEFGHI"[: len(numbers) + 1]
    if len(names) <= len(numbers):
        pytest.skip(f"the topic has {len(numbers)} partitions, and as many members are too many to start")
    group = members(name, names)
    show(group)
    owners = group.wait_for_owners(numbers)
    assert sorted(owners.values()) == [[], *([number] for number in numbers)], f"one member should be idle: {owners}"

    group.read_to(send_all())

    check_exclusive(group, owners)


def test_member_that_leaves_hands_over(name, numbers, members, send_all, show):
    """When a member leaves, the others take over its partitions, and committed messages are not delivered again"""
    group = members(name, "AB")
    show(group)
    owners = group.wait_for_owners(numbers)
    group.read_to(send_all())
    group.consumers["A"].commit()
    left = [number for number in owners["A"] if number in VALUES]

    group.leave("A")
    owners = group.wait_for_owners(numbers)
    assert owners == {"B": numbers}
    group.read_to(send_all())

    received = group.matrix()
    after = {number: received["B"][number] for number in left}
    expected = {number: VALUES[number] for number in left}
    assert received["A"] == expected
    assert after == expected, f"B should get what came after A left, and only that: {after}"
    assert group.shared_ownership() == []


def test_two_groups_each_get_everything(name, numbers, members, send_all, show):
    """Two groups each get every message"""
    groups = [members(f"{name}-{number}", "A") for number in (1, 2)]
    for group in groups:
        show(group)
        group.wait_for_owners(numbers)

    ends = send_all()

    for group in groups:
        group.read_to(ends)
        assert group.matrix() == {"A": VALUES}


def test_group_is_listed_and_described(admin, name, numbers, members):
    """A group is listed, and described with its members and their partitions"""
    group = members(name, "AB")
    owners = group.wait_for_owners(numbers)

    state = "Stable" if broker_version(admin) >= (2, 6) else ""  # the list has no states before: KIP-518
    wait_until(
        "the group to be listed as stable",
        lambda: {each["group_id"]: each.get("group_state", "") for each in admin.list_groups()}.get(name),
        good=lambda listed: listed == state,
    )
    described = admin.describe_groups([name])[name]
    assert described["group_state"] == "Stable"
    assigned = [member["member_assignment"]["assigned_partitions"] for member in described["members"]]
    shares = [sorted(number for topic in topics for number in topic["partitions"]) for topics in assigned]
    assert sorted(shares) == sorted(owners.values())


def test_member_that_dies_is_replaced(admin, killed_member, members, send, show, record_property):
    """When a member is killed, another takes over its partitions after the session timeout, and loses nothing"""
    name, partitions, process = killed_member
    numbers = [tp.partition for tp in partitions]
    said = process.communicate(timeout=60)[0]
    assert process.returncode == -signal.SIGKILL, said
    record_property("the member owned, until it was killed", said.strip())
    assert json.loads(said) == numbers

    group = members(name, "B", at=partitions[0].topic)
    show(group)
    assert group.wait_for_owners(numbers) == {"B": numbers}
    starts = log_bounds(admin, partitions)[1]
    group.read_to(starts | {tp: send(tp, VALUES[tp.partition]) for tp in partitions[:2]})
    assert group.matrix() == {"B": VALUES}

"""Consumers of one group share the messages; each group gets all of them"""

import json
import signal

import pytest
from kafka import TopicPartition

from smoke.wait import wait_until

VALUES = {0: ["a0", "a1", "a2"], 1: ["b0", "b1", "b2"]}


@pytest.fixture
def send_all(partitions, send):
    """send_all(): VALUES to the two partitions; returns where each ends."""
    return lambda: {tp: send(tp, values) for tp, values in zip(partitions, VALUES.values(), strict=True)}


@pytest.fixture
def values(partitions):
    """What send_all sends, by the partitions' numbers."""
    return {tp.partition: values for tp, values in zip(partitions, VALUES.values(), strict=True)}


@pytest.fixture
def show(record_property):
    """show(group): keep the group's evidence, whatever comes of the test."""
    groups = []
    yield groups.append
    for group in groups:
        for name, table in group.evidence():
            record_property(name, table)


def check_exclusive(group, owners, values):
    """Each partition's messages, complete and in order, at its owner and nowhere else."""
    expected = {member: {partition: values[partition] for partition in owned} for member, owned in owners.items()}
    assert group.matrix() == expected, f"owners: {owners}; who received what: {group.matrix()}"
    assert group.shared_ownership() == [], "a partition had two owners in one generation"


def test_one_group_shares_the_partitions_and_each_message_reaches_one_member(
    partitions, name, members, send_all, values, show
):
    """Two members of a group own a partition each, and each message reaches exactly one of them"""
    group = members(name, partitions[0].topic, "AB")
    show(group)
    owners = group.wait_for_owners(list(values))
    assert sorted(owners.values()) == [[partition] for partition in values], f"each should own one partition: {owners}"

    group.read_to(send_all())

    check_exclusive(group, owners, values)


def test_more_members_than_partitions_leave_one_idle(partitions, name, members, send_all, values, show):
    """Of three members at two partitions one is idle, and each message still reaches one member"""
    group = members(name, name, "ABC")
    show(group)
    owners = group.wait_for_owners([0, 1])
    assert sorted(owners.values()) == [[], [0], [1]], f"one member should be idle: {owners}"

    group.read_to(send_all())

    check_exclusive(group, owners, values)


def test_member_that_leaves_hands_over(partitions, name, members, send_all, values, show):
    """When a member leaves, the others take over its partitions, and what it committed is not delivered again"""
    group = members(name, name, "AB")
    show(group)
    owners = group.wait_for_owners([0, 1])
    group.read_to(send_all())
    group.consumers["A"].commit()
    left = owners["A"][0]

    group.leave("A")
    owners = group.wait_for_owners([0, 1])
    assert owners == {"B": [0, 1]}
    group.read_to(send_all())

    received = group.matrix()
    assert received["A"] == {left: values[left]}
    assert received["B"][left] == values[left], "B should get what came after A left, and only that"
    assert group.shared_ownership() == []


def test_two_groups_each_get_everything(partitions, name, members, send_all, values, show):
    """Two groups each get every message"""
    groups = [members(f"{name}-{number}", name, "A") for number in (1, 2)]
    for group in groups:
        show(group)
        group.wait_for_owners([0, 1])

    ends = send_all()

    for group in groups:
        group.read_to(ends)
        assert group.matrix() == {"A": values}


def test_group_is_listed_and_described(admin, partitions, name, members):
    """A group is listed, and described with its members and what each owns"""
    group = members(name, name, "AB")
    owners = group.wait_for_owners([0, 1])

    listed = wait_until(
        "the group to be listed as stable",
        lambda: {each["group_id"]: each.get("group_state") for each in admin.list_groups()}.get(name),
        good=lambda state: state == "Stable",
    )
    assert listed
    described = admin.describe_groups([name])[name]
    assigned = [member["member_assignment"]["assigned_partitions"] for member in described["members"]]
    shares = [sorted(number for topic in topics for number in topic["partitions"]) for topics in assigned]
    assert sorted(shares) == sorted(owners.values())


def test_member_that_dies_is_replaced(killed_member, members, send, show, record_property):
    """When a member is killed, another gets its partitions once its session is over, and loses nothing"""
    name, process = killed_member
    said = process.communicate(timeout=60)[0]
    assert process.returncode == -signal.SIGKILL, said
    record_property("the member owned, until it was killed", said.strip())
    assert json.loads(said) == [0, 1]

    group = members(name, name, "B")
    show(group)
    assert group.wait_for_owners([0, 1]) == {"B": [0, 1]}
    group.read_to(
        {TopicPartition(name, number): send(TopicPartition(name, number), VALUES[number]) for number in VALUES}
    )
    assert group.matrix() == {"B": VALUES}

"""Consumers of one group share the messages; each group gets all of them."""

VALUES = {0: ["a0", "a1", "a2"], 1: ["b0", "b1", "b2"]}


def send_all(partitions, send):
    return {tp: send(tp, VALUES[tp.partition]) for tp in partitions}


def test_one_group_shares_the_partitions_and_each_message_reaches_one_member(partitions, name, send, members):
    group = members(name, name, "AB")
    owners = group.wait_for_owners([0, 1])
    assert sorted(owners.values()) == [[0], [1]], f"each member should own one partition: {owners}"

    group.read_to(send_all(partitions, send))

    # Each partition's messages, complete and in order, at its owner and nowhere else.
    expected = {member: {partition: VALUES[partition] for partition in owned} for member, owned in owners.items()}
    assert group.matrix() == expected, f"owners: {owners}; who received what: {group.matrix()}"


def test_more_members_than_partitions_leave_one_idle(partitions, name, send, members):
    group = members(name, name, "ABC")
    owners = group.wait_for_owners([0, 1])
    assert sorted(owners.values()) == [[], [0], [1]], f"one member should be idle: {owners}"

    group.read_to(send_all(partitions, send))

    expected = {member: {partition: VALUES[partition] for partition in owned} for member, owned in owners.items()}
    assert group.matrix() == expected, f"owners: {owners}; who received what: {group.matrix()}"


def test_two_groups_each_get_everything(partitions, name, send, members):
    groups = [members(f"{name}-{number}", name, "A") for number in (1, 2)]
    for group in groups:
        group.wait_for_owners([0, 1])

    ends = send_all(partitions, send)

    for group in groups:
        group.read_to(ends)
        assert group.matrix() == {"A": VALUES}

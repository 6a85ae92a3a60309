"""A group continues at its committed offset, and its lag is known at every moment"""

import time

import pytest
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.wait import wait_until
from kafka_proof.lag.offsets import group_lag, left

from .group import positions


@pytest.fixture
def committed(admin, partitions):
    """committed(group): what the group committed in the test's partitions: dict[partition, offset or None]."""

    def committed(group):
        rows = group_lag(admin, group, partitions[0].topic)
        return {row.partition: row.committed for row in rows[: len(partitions)]}

    return committed


def read_to(group, ends):
    """Read to these ends, and return where the reader continues, dict[partition, offset]: there, or, where others write
    to the topic too, beyond."""
    group.read_to(ends)
    return {tp.partition: offset for tp, offset in positions(group.consumers["reader"]).items()}


def at(offset):
    return OffsetAndMetadata(offset, "", -1)


@pytest.mark.existing_topic
def test_auto_commit_commits_after_its_interval_and_not_before(partitions, name, send, reader, committed):
    """Automatic commit commits the messages read, after its interval and not before"""
    ends = {tp: send(tp, ["a", "b", "c"]) for tp in partitions}
    hourly, soon = f"{name}-hourly", f"{name}-soon"

    # The interval is over in an hour: what was read is not committed yet.
    group = reader(hourly, partitions, enable_auto_commit=True, auto_commit_interval_ms=3_600_000)
    group.read_to(ends)
    group.consumers["reader"].poll()  # would commit; the next line is answered after that
    group.consumers["reader"].committed(partitions[0])
    assert committed(hourly) == {0: None, 1: None}

    group = reader(soon, partitions, enable_auto_commit=True, auto_commit_interval_ms=100)
    group.read_to(ends)

    # The commit happens inside poll() and never between polls, so each look at the broker polls first.
    def poll_and_look():
        group.consumers["reader"].poll()
        return committed(soon)

    wait_until(
        "the automatic commit of everything read",
        poll_and_look,
        good=lambda seen: all((seen[tp.partition] or 0) >= end for tp, end in ends.items()),
    )


@pytest.mark.existing_topic
def test_manual_commit_is_the_only_commit(partitions, name, send, reader, committed):
    """Without automatic commit, only the program commits"""
    ends = {tp: send(tp, ["a", "b", "c"]) for tp in partitions}
    group = reader(name, partitions)
    group.read_to(ends)
    assert committed(name) == {0: None, 1: None}, "enable_auto_commit=False, and yet reading committed"
    group.consumers["reader"].close()  # with automatic commit it would commit now, whatever its interval
    assert committed(name) == {0: None, 1: None}, "enable_auto_commit=False, and yet closing committed"

    group = reader(name, partitions)
    read = read_to(group, ends)
    group.consumers["reader"].commit()

    assert committed(name) == read


@pytest.mark.existing_topic
def test_explicit_offsets_are_committed_as_given(partitions, name, send, reader, committed):
    """Explicitly committed offsets are stored as given"""
    zero, one = partitions
    group = reader(name, partitions)
    group.read_to({tp: send(tp, ["a", "b", "c"]) for tp in partitions})

    group.consumers["reader"].commit({zero: at(1), one: at(2)})

    assert committed(name) == {0: 1, 1: 2}


@pytest.mark.existing_topic
def test_what_was_not_committed_is_delivered_to_the_next_member(topic, partitions, name, send, members, starts):
    """Uncommitted messages are delivered again, to the next member"""
    zero, one = partitions
    numbers = [tp.partition for tp in topic]
    begun = {tp: send(tp, ["a"]) for tp in partitions}
    ends = starts | {tp: send(tp, ["b", "c"]) for tp in partitions}
    first = members(name, "A")
    first.wait_for_owners(numbers)
    first.read_to(ends)
    assert first.matrix() == {"A": {0: ["a", "b", "c"], 1: ["a", "b", "c"]}}

    first.consumers["A"].commit({zero: at(begun[zero]), one: at(ends[one])})
    first.consumers["A"].close()  # leaves the group, so its partitions are free at once

    second = members(name, "B")
    second.wait_for_owners(numbers)
    second.read_to(ends)
    assert second.matrix() == {"B": {0: ["b", "c"]}}, f"B should get what A did not commit: {second.matrix()}"


@pytest.mark.existing_topic
def test_asynchronous_commit_is_confirmed(partitions, name, send, reader, committed):
    """An asynchronous commit is confirmed and stored"""
    group = reader(name, partitions)
    read = read_to(group, {tp: send(tp, ["a", "b", "c"]) for tp in partitions})
    consumer, confirmed = group.consumers["reader"], []

    consumer.commit_async(callback=lambda offsets, answer: confirmed.append(answer))

    def poll_and_look():
        consumer.poll()
        return list(confirmed)

    [answer] = wait_until("the commit to be confirmed", poll_and_look)
    assert not isinstance(answer, Exception), answer
    assert committed(name) == read


def test_lag_is_what_is_left_at_every_step(partitions, name, send, reader, admin, record_property):
    """Lag is exact after each step: sent, read, committed"""
    zero, one = partitions
    series, began = {"partition 0": [], "partition 1": []}, time.monotonic()
    record_property("lag over time", {"unit": "offsets", "series": series})

    def lags():
        rows = group_lag(admin, name, name)
        print(f"kafka left: {left(rows)}")
        for row in rows:
            series[f"partition {row.partition}"].append([time.monotonic() - began, row.lag])
        return {row.partition: row.lag for row in rows}

    assert lags() == {0: 0, 1: 0}, "nothing was sent"

    ends = {zero: send(zero, range(4)), one: send(one, range(2))}
    assert lags() == {0: 4, 1: 2}, "nothing was committed, so all is left"

    group = reader(name, partitions)
    group.read_to(ends)
    assert lags() == {0: 4, 1: 2}, "reading without committing leaves everything"

    consumer = group.consumers["reader"]
    consumer.commit({zero: at(3)})
    assert lags() == {0: 1, 1: 2}, "three of four were committed in partition 0 and nothing in partition 1"

    consumer.commit()
    assert lags() == {0: 0, 1: 0}, "everything was committed"

    send(one, range(5))
    assert lags() == {0: 0, 1: 5}, "five more were sent to partition 1"


def test_lag_of_a_group_that_cannot_go_on_as_it_was(partitions, name, send, reader, admin):
    """Lag is right for a group whose offset no longer exists, and for one beyond the end"""
    zero, one = partitions
    for tp in partitions:
        send(tp, range(6))
    consumer = reader(name, partitions).consumers["reader"]
    consumer.commit({zero: at(1), one: at(9)})
    admin.delete_records({zero: 4})

    rows = group_lag(admin, name, name, reset="earliest")

    assert [(row.start, row.committed, row.end, row.lag) for row in rows] == [(4, 1, 6, 2), (0, 9, 6, 6)], rows
    assert [row.note for row in rows] == [
        "committed offset no longer exists",
        "log was truncated below the committed offset",
    ]
    assert [row.lag for row in group_lag(admin, name, name, reset="latest")] == [0, 0]
    assert [row.lag for row in group_lag(admin, name, name, reset="none")] == [None, None]

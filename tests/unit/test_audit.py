"""The arithmetic over a workload's messages: a run in which all is well, and one for each way in which it is not."""

import dataclasses
import json

import pytest

from kafka_proof.workload.audit import (
    Acked,
    Committed,
    Delivered,
    Evidence,
    Logged,
    Refused,
    audit,
    longest_gap,
    moved_back,
    out_of_order,
    stall,
)

COUNTS = ("lost", "duplicated", "redelivered", "out_of_order", "vanished", "misplaced", "unknown", "commits_moved_back")


def good():
    """Two keys in two partitions, three messages each; all is well."""
    messages = [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    places = [(int(key == "b"), sequence, key, sequence) for key, sequence in messages]
    return Evidence(
        sent=messages,
        acked=[Acked(key, sequence, *place[:2], 10 + n) for n, (*place, key, sequence) in enumerate(places)],
        log=[Logged(*place) for place in places],
        delivered=[Delivered("m", *place, 10.5 + n) for n, place in enumerate(places)],
        committed=[Committed("m", 0, 3, 20, 21), Committed("observer", 0, 3, 22, 23)],
        started=10.0,
    )


def test_all_is_well():
    result = audit(good())

    assert result["problems"] == []
    assert {count: result[count] for count in COUNTS} == dict.fromkeys(COUNTS, 0)
    assert (result["sent"], result["acked"], result["consumed"], result["refused"]) == (6, 6, 6, 0)
    assert (result["produce_stall"], result["consume_stall"]) == (2.0, 2.0)  # of a key
    assert json.loads(json.dumps(result)) == result


def drop(name, index):
    """A change of the evidence: one entry of a list is not there."""
    return lambda evidence: getattr(evidence, name).pop(index)


def put(name, *entries):
    """A change of the evidence: entries more in a list."""
    return lambda evidence: getattr(evidence, name).extend(entries)


def swap(name, one, two):
    """A change of the evidence: two entries of a list change places."""

    def change(evidence):
        entries = getattr(evidence, name)
        entries[one], entries[two] = entries[two], entries[one]

    return change


def all_of(*changes):
    return lambda evidence: [change(evidence) for change in changes]


@pytest.mark.parametrize(
    ("change", "counts", "says"),
    [
        # The broker forgot it before the group saw it.
        (
            all_of(drop("log", 5), drop("delivered", 5)),
            {"lost": 1, "misplaced": 1},
            "1 acknowledged and not in the log",
        ),
        # The group skipped it.
        (drop("delivered", 3), {"lost": 1}, "1 acknowledged and never delivered to the group: b 1"),
        # The group saw it, and then the log was cut: other groups will not.
        (drop("log", 5), {"lost": 1, "vanished": 1, "misplaced": 1}, "1 delivered to the group from an offset"),
        # A retry that was taken for a new message.
        (
            all_of(put("log", Logged(0, 3, "a", 2)), put("delivered", Delivered("m", 0, 3, "a", 2, 17.0))),
            {"duplicated": 1},
            "1 in the log more than once: a 2",
        ),
        # A retry that was overtaken. The offsets say so, not the order of the list.
        (
            all_of(
                put("log", Logged(0, 9, "a", 3)),
                put("log", Logged(0, 8, "a", 4)),
                put("sent", ("a", 3), ("a", 4)),
                put("refused", Refused("a", 3, "E", 15.0), Refused("a", 4, "E", 15.0)),
            ),
            {"out_of_order": 1},
            "1 out of order in the log: a 3",
        ),
        (swap("delivered", 2, 4), {"out_of_order": 1}, "1 out of order in what the group received: a 1"),
        # After a rebalance the next member begins at the committed offset.
        (
            put("delivered", Delivered("n", 0, 1, "a", 1, 16.0), Delivered("n", 0, 2, "a", 2, 16.0)),
            {"redelivered": 2},
            "",
        ),
        (
            put("committed", Committed("observer", 0, 2, 24, 25)),
            {"commits_moved_back": 1},
            "1 committed offsets that moved back: partition 0: 3 (",
        ),
        (put("log", Logged(0, 3, "a", 7)), {"unknown": 1}, "1 in the log and never sent: a 7"),
        (put("sent", ("a", 3)), {}, "1 neither acknowledged nor refused: a 3"),
        (put("broken", "OutOfOrderSequenceNumberError"), {}, "1 times the producer lost its idempotence"),
        (put("unfinished", "the group"), {}, "1 not finished in time: the group"),
    ],
)
def test_what_is_wrong_is_counted_and_said(change, counts, says):
    evidence = good()
    change(evidence)

    result = audit(evidence)

    assert {count: result[count] for count in COUNTS} == dict.fromkeys(COUNTS, 0) | counts
    assert says in "\n".join(result["problems"])
    assert bool(result["problems"]) is bool(says)


def test_a_refused_message_may_be_in_the_log_or_not():
    """A time-out tells the application nothing: neither is a loss."""
    evidence = good()
    evidence.sent += [("a", 3), ("b", 3)]
    evidence.refused += [Refused("a", 3, "KafkaTimeoutError", 20.0), Refused("b", 3, "KafkaTimeoutError", 20.0)]
    evidence.log += [Logged(0, 3, "a", 3)]
    evidence.delivered += [Delivered("m", 0, 3, "a", 3, 20.0)]

    result = audit(evidence)

    assert (result["problems"], result["lost"]) == ([], 0)
    assert (result["refused"], result["refused_but_written"]) == (2, 1)
    assert result["errors"] == {"KafkaTimeoutError": 2}


def test_no_acknowledgement_until_the_end_is_a_stall():
    evidence = good()
    evidence.sent += [("a", 3)]
    evidence.refused += [Refused("a", 3, "KafkaTimeoutError", 45.0)]

    assert audit(evidence)["produce_stall"] == 31.0


def test_a_refusal_does_not_end_a_stall():
    acked = [Acked("a", 0, 0, 0, 1.0), Acked("a", 2, 0, 1, 20.0)]

    assert stall(acked, [Refused("a", 1, "KafkaTimeoutError", 13.0)], 0.0) == 19.0


def test_a_key_that_was_never_acknowledged_stalled_from_the_start():
    assert stall([], [Refused("a", 0, "KafkaTimeoutError", 13.0)], 3.0) == 10.0


def test_a_key_that_stalls_while_others_go_on_is_a_stall():
    acked = [Acked("a", 0, 0, 0, 1.0), Acked("a", 1, 0, 1, 9.0)]
    acked += [Acked("b", number, 1, number, float(number)) for number in range(10)]

    assert stall(acked, [], 0.0) == 8.0


def test_an_acknowledgement_without_an_offset_is_not_misplaced():
    evidence = good()
    evidence.acked = [each._replace(offset=-1) for each in evidence.acked]

    assert audit(evidence)["problems"] == []


def test_problems_name_few_examples():
    evidence = dataclasses.replace(good(), log=[], delivered=[])

    assert audit(evidence)["problems"][0] == "6 acknowledged and not in the log any more: a 0; a 1; a 2; …"


@pytest.mark.parametrize(
    ("sequences", "late"),
    [
        ([0, 1, 2], []),
        ([0, 2, 3], []),  # one is missing: lost or refused, but not out of order
        ([0, 2, 1, 3], [1]),
        ([3, 0, 1], [0, 1]),
        ([0, 1, 2, 1, 2, 3], []),  # delivered again
    ],
)
def test_order(sequences, late):
    assert out_of_order([Logged(0, 0, "a", each) for each in sequences]) == [("a", each) for each in late]


@pytest.mark.parametrize(
    ("commits", "times"),
    [
        ([], 0),
        ([(5, 0, 1), (5, 2, 3), (6, 4, 5)], 0),
        ([(6, 0, 1), (5, 2, 3)], 1),
        ([(6, 0, 2), (5, 1, 3)], 0),  # a look that began before the commit was through
        ([(6, 0, 9), (5, 1, 2), (5, 3, 4)], 0),
        ([(6, 0, 1), (5, 2, 3), (5, 4, 5), (6, 6, 7)], 2),
    ],
)
def test_commits_that_move_back(commits, times):
    assert len(moved_back([Committed("m", 0, *each) for each in commits])) == times


def test_commits_of_other_partitions_are_others():
    assert moved_back([Committed("m", 0, 6, 0, 1), Committed("m", 1, 5, 2, 3)]) == []


@pytest.mark.parametrize(
    ("times", "started", "gap"), [([], 5, 0), ([1, 9], 5, 4), ([6, 7, 9.5], 5, 2.5), ([9.5, 7, 6], 5, 2.5)]
)
def test_longest_gap(times, started, gap):
    assert longest_gap(times, started) == gap

"""The messages that a group has left, case by case. No broker."""

import pytest
from kafka import TopicPartition

from kafka_proof.lag.offsets import PartitionLag, lag, left, rows


@pytest.mark.parametrize(
    ("committed", "start", "end", "reset", "expected"),
    [
        # In the ordinary case the policy does not matter.
        (3, 0, 10, "earliest", 7),
        (3, 0, 10, "latest", 7),
        (3, 0, 10, "none", 7),
        (10, 0, 10, "earliest", 0),
        (0, 0, 0, "earliest", 0),
        (7, 7, 10, "earliest", 3),
        # Nothing was committed: None from a consumer, -1 from the admin client. Zero is an offset like any other.
        (None, 7, 10, "earliest", 3),
        (None, 0, 10, "earliest", 10),
        (-1, 7, 10, "earliest", 3),
        (-1, 7, 10, "latest", 0),
        (None, 7, 10, "none", None),
        (0, 0, 10, "latest", 10),
        # Retention deleted what the group would have read next.
        (3, 7, 10, "earliest", 3),
        (3, 7, 10, "latest", 0),
        (3, 7, 10, "none", None),
        # The log is shorter than what was committed: an unclean election cut it.
        (12, 4, 10, "earliest", 6),
        (12, 4, 10, "latest", 0),
        (12, 4, 10, "none", None),
        # No broker to ask.
        (3, None, None, "earliest", None),
    ],
)
def test_lag(committed, start, end, reset, expected):
    assert lag(committed, start, end, reset)[0] == expected


@pytest.mark.parametrize(
    ("case", "note"),
    [
        ((3, 0, 10), ""),
        ((None, 0, 10), "nothing committed"),
        ((3, 7, 10), "committed offset no longer exists"),
        ((12, 0, 10), "log was truncated below the committed offset"),
        ((3, None, None), "no leader"),
    ],
)
def test_note_says_why_lag_is_not_a_plain_difference(case, note):
    assert lag(*case)[1] == note


def test_unknown_policy_is_refused():
    with pytest.raises(ValueError, match=r"reset is 'oldest'\. Use one of: earliest, latest, none"):
        lag(0, 0, 0, "oldest")


def test_sum_that_the_article_gets_wrong():
    # Sum of ends minus sum of committed is 20. There are 13 messages to read, or none when the group begins at the end.
    one, two = TopicPartition("t", 0), TopicPartition("t", 1)
    committed, starts, ends = {one: -1, two: -1}, {one: 7, two: 0}, {one: 10, two: 10}

    assert left(rows(committed, starts, ends, "earliest")) == 13
    assert left(rows(committed, starts, ends, "latest")) == 0
    assert left(rows(committed, starts, ends, "none")) is None


def test_rows_are_sorted_and_name_what_is_missing():
    one, ten, two = TopicPartition("t", 1), TopicPartition("t", 10), TopicPartition("t", 2)

    assert rows({ten: 1, two: -1, one: 4}, {one: 0, two: 0}, {one: 5, two: 5}) == [
        PartitionLag("t", 1, 4, 0, 5, 1, ""),
        PartitionLag("t", 2, None, 0, 5, 5, "nothing committed"),
        PartitionLag("t", 10, 1, None, None, None, "no leader"),
    ]


def test_nothing_read_is_nothing_left():
    assert left([]) == 0

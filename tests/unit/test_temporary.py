"""Which names a run makes, and which of them another run takes for left over."""

import datetime

import pytest

from kafka_proof.cluster.temporary import SLACK, is_left_over, is_temporary, new_prefix, removable

NOW = datetime.datetime(2026, 11, 23, 15, 4, 5, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)


def test_two_runs_at_the_same_time_have_names_of_their_own():
    one, two = new_prefix("smoke", NOW), new_prefix("smoke", NOW)

    assert one != two
    assert one.startswith("smoke-20261123T150405Z-")


def test_prefix_of_the_longest_word_leaves_room_for_a_name():
    assert len(new_prefix("a" * 50, NOW)) < 100  # of the 249 characters that Kafka takes


@pytest.mark.parametrize(
    ("until", "left"),
    [(NOW, False), (NOW - SLACK, False), (NOW - SLACK - SECOND, True), (NOW + SECOND, False)],
)
def test_left_over_once_every_clock_agrees_that_it_is_over(until, left):
    assert is_left_over(new_prefix("smoke", until) + "x", "smoke", NOW) is left
    assert (removable(until) < NOW) is left


@pytest.mark.parametrize(
    "name",
    [
        "smoke",
        "smoke-",
        "smoke-topic",
        "smoke-20200101T000000Z",
        "smoke-20200101T000000Z-",
        "smoke-20200101T000000Z-1a2b3c4-x",
        "smoke-20200101T000000Z-1A2B3C4D-x",
        "smoke-20200101T000000-1a2b3c4d-x",
        "smoke-20201301T000000Z-1a2b3c4d-x",
        "other-20200101T000000Z-1a2b3c4d-x",
        "my-smoke-20200101T000000Z-1a2b3c4d-x",
        "smoke2-20200101T000000Z-1a2b3c4d-x",
    ],
)
def test_name_of_a_stranger_is_none_of_ours(name):
    assert not is_left_over(name, "smoke", NOW)


def test_names_of_runs():
    until = datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)
    assert is_temporary(f"{new_prefix('workload', until)}messages")
    assert not is_temporary("orders-2026")

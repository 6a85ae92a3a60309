"""States and ages, case by case. No broker, and no clock: the tests say what time it is."""

import pytest

from kafka_proof.lag.state import STATES, History, Seen, judge, time_lag, worst


def window(*looks, owned=True, start=0):
    """Seen from (at, committed, end); the lag is what is between them, under "earliest"."""
    seen = []
    for at, committed, end in looks:
        known = None not in (committed, end) and start <= committed <= end
        lag = end - committed if known else None if end is None else end - start
        seen.append(Seen(at, committed, None if end is None else start, end, lag, owned))
    return seen


ONE_LOOK = [
    # committed, end, owned, state
    (10, 10, True, "OK"),
    (10, 10, False, "OK"),  # nobody reads, and nothing is left to read
    (0, 0, True, "OK"),
    (3, 10, True, "WARN"),  # behind; whether it moves takes another look
    (3, 10, None, "WARN"),  # a program that assigns partitions to itself may well be reading
    (3, 10, False, "STOP"),
    (None, 10, True, "UNCOMMITTED"),
    (None, 0, False, "UNCOMMITTED"),
    (11, 10, True, "OUT_OF_RANGE"),  # the log was cut
    (3, None, True, None),  # no leader
    (None, None, True, None),
]


@pytest.mark.parametrize(("committed", "end", "owned", "state"), ONE_LOOK)
@pytest.mark.parametrize("seconds", [0, 30])
def test_one_look(committed, end, owned, state, seconds):
    assert judge(window((0, committed, end), owned=owned), seconds) == state


def test_committed_offset_that_retention_deleted():
    assert judge(window((0, 3, 10), start=7), 30) == "OUT_OF_RANGE"
    assert judge(window((0, 7, 10), start=7), 30) == "WARN"


WHOLE_WINDOW = [
    ("never behind", [(0, 5, 5), (15, 7, 7), (30, 9, 9)], "OK"),
    ("behind once, and level now", [(0, 5, 9), (15, 5, 9), (30, 9, 9)], "OK"),
    ("level once, and behind now", [(0, 5, 5), (15, 5, 9), (30, 5, 12)], "OK"),
    ("catching up", [(0, 0, 90), (15, 40, 95), (30, 70, 99)], "OK"),
    ("keeping its distance", [(0, 0, 10), (15, 10, 20), (30, 20, 30)], "WARN"),
    ("falling behind", [(0, 0, 10), (15, 5, 30), (30, 9, 60)], "WARN"),
    ("grows between two commits, and is less at each", [(0, 0, 50), (10, 0, 60), (20, 40, 70), (30, 40, 99)], "OK"),
    ("less at no commit", [(0, 0, 50), (10, 0, 60), (20, 15, 70), (30, 15, 80)], "WARN"),
    ("stands still, and more arrives", [(0, 3, 10), (15, 3, 20), (30, 3, 30)], "STALL"),
    ("stands still, and nothing arrives", [(0, 3, 10), (15, 3, 10), (30, 3, 10)], "STALL"),
    ("stands still, for less than the window", [(0, 3, 10), (29, 3, 10)], "WARN"),
    ("went back", [(0, 8, 10), (15, 2, 10), (30, 2, 10)], "REWIND"),
    ("went back, and goes on from there", [(0, 8, 10), (15, 2, 10), (30, 5, 10)], "REWIND"),
    ("went back, and came forward again", [(0, 8, 20), (15, 2, 20), (30, 9, 20)], "OK"),
    ("went back to the end", [(0, 12, 20), (15, 10, 10), (30, 10, 10)], "OK"),
    ("was forgotten", [(0, 8, 10), (30, None, 10)], "UNCOMMITTED"),
    ("committed for the first time", [(0, None, 10), (15, None, 10), (30, 4, 10)], "OK"),
    ("was without a leader for a while", [(0, 4, 10), (15, 4, None), (30, 4, 10)], "STALL"),
]


@pytest.mark.parametrize(("what", "looks", "state"), WHOLE_WINDOW, ids=[case[0] for case in WHOLE_WINDOW])
def test_whole_window(what, looks, state):
    assert judge(window(*looks), 30) == state


@pytest.mark.parametrize(
    ("looks", "state"),
    [
        ([(0, 3, 10), (15, 3, 10)], "STOP"),  # at once: it takes no history to see that nobody is there
        ([(0, 3, 10), (15, 5, 10)], "OK"),  # somebody was there a moment ago
        ([(0, 8, 10), (15, 2, 10)], "REWIND"),  # reset by its operator, who had to stop it for that
    ],
)
def test_group_without_members(looks, state):
    assert judge(window(*looks, owned=False), 30) == state


@pytest.mark.parametrize(("allowance", "state"), [(0, "STALL"), (6, "STALL"), (7, "OK"), (100, "OK")])
def test_allowance_is_a_lag_that_counts_as_none(allowance, state):
    assert judge(window((0, 3, 10), (30, 3, 10)), 30, allowance) == state


def test_worst_state():
    assert worst(STATES) == "STOP"
    assert worst(["OK", None, "WARN", "UNCOMMITTED"]) == "WARN"
    assert worst([None]) is None
    assert worst([]) is None


@pytest.mark.parametrize(
    ("ends", "offset", "expected"),
    [
        ([(0, 10)], 10, (0, True)),  # level
        ([(0, 10)], 12, (0, True)),  # the log was cut
        ([(0, 0), (10, 100)], 50, (95, True)),  # half-way between two looks
        ([(0, 0), (10, 100), (20, 100)], 50, (95, True)),
        ([(0, 0), (10, 100)], 0, (100, True)),
        ([(0, 10), (60, 10), (61, 20)], 10, (40, True)),  # a minute without messages is not lag
        ([(0, 10), (50, 20), (80, 40)], 20, (50, True)),
        ([(0, 10)], 3, (100, False)),  # behind at the first look: at least since then
        ([(40, 10), (50, 20)], 3, (60, False)),
        ([(100, 10)], 3, (0, False)),  # this is the first look
    ],
)
def test_time_lag_at_100(ends, offset, expected):
    assert time_lag(ends, offset, 100) == expected


KEY = ("g", "t", 0)


def test_history_judges_what_it_was_shown():
    history = History(30)
    states = []
    for look in window((0, 3, 10), (10, 3, 20), (31, 3, 20), (40, 5, 20), (50, 20, 20), (60, 20, 25)):
        history.add({KEY: look})
        states.append(history.state(KEY))

    # At 40 the look at 10 is the oldest of the window.
    assert states == ["WARN", "WARN", "STALL", "OK", "OK", "OK"]
    assert history.time_lag(KEY, 20) == (10, True)
    assert history.time_lag(KEY, 15) == (60 - 5, True)
    assert history.time_lag(KEY, 3) == (60, False)


def test_window_stays_whole_when_looks_are_rare():
    history = History(30)
    for look in window((0, 3, 10), (60, 3, 10), (120, 3, 10)):
        history.add({KEY: look})
    assert history.state(KEY) == "STALL"


def test_history_of_what_was_away_begins_anew():
    history = History(30)
    first, second = window((0, 3, 10), (60, 3, 10))
    history.add({KEY: first})
    history.add({})
    history.add({KEY: second})
    assert history.state(KEY) == "WARN"
    assert history.time_lag(KEY, 3) == (0, False)


def test_topic_made_anew_has_no_past():
    history = History(30)
    for look in window((0, 90, 100), (10, None, 5)):
        history.add({KEY: look})
    assert history.time_lag(KEY, 0) == (0, False)


def test_history_is_bounded():
    history = History(30)
    for at in range(2000):
        history.add({KEY: Seen(at, at, 0, at + 1, 1, True)})
    assert history.time_lag(KEY, 0) == (599, False)

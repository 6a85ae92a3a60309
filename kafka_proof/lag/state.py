"""What becomes of a group's lag: its state and its age, judged over what was seen of it. Pure: no broker and no clock.

The rules are Burrow's, over looks instead of commits: Kafka does not tell when a group committed, but it tells who its
members are.

    UNCOMMITTED   nothing is committed
    OUT_OF_RANGE  the committed offset is not in the log: deleted by retention, or the log was cut
    OK            nothing is left, or was not at some look in the window, or the lag fell
    STOP          behind, and no member of the group has the partition
    REWIND        the committed offset went back, and has not come forward again
    STALL         behind, and nothing was committed in the whole window
    WARN          behind, and the lag was not seen to fall

One look is a short window. It cannot tell a group that stands still from one that is about to commit, so what is
behind and has an owner is WARN until a whole window was seen.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

STATES = ("OK", "UNCOMMITTED", "WARN", "OUT_OF_RANGE", "REWIND", "STALL", "STOP")  # from good to bad

_POINTS = 600  # how many ends to remember of a partition: 20 minutes of a look every 2 s


class Seen(NamedTuple):
    """One partition of one group at one look. Offsets are int; None is "not known", or nothing committed."""

    at: float  # seconds, of a clock that never goes back
    committed: int | None
    start: int | None
    end: int | None
    lag: int | None
    owned: bool | None  # has a member of the group this partition? None: nobody can tell


def judge(window, seconds, allowance=0):
    """Return one of STATES, or None for a partition without a leader, of which nothing is known.

    `window`: list[Seen], oldest first; the last one is now. `seconds`: how long nothing must have been committed to
    call it a stall. `allowance`: a lag up to this counts as none.
    """
    now = window[-1]
    commits = window[:1] + [after for before, after in pairwise(window) if after.committed != before.committed]
    # Between two commits the lag of a busy group only grows, so compare it where something was committed.
    lags = [seen.lag for seen in commits if seen.lag is not None]

    if now.end is None:
        state = None
    elif now.committed is None:
        state = "UNCOMMITTED"
    elif not now.start <= now.committed <= now.end:
        state = "OUT_OF_RANGE"
    elif now.lag <= allowance:
        state = "OK"
    elif now.owned is False and len(commits) == 1:
        state = "STOP"
    elif any(seen.committed is not None and seen.committed > now.committed for seen in commits):
        state = "REWIND"
    elif any(seen.lag is not None and seen.lag <= allowance for seen in window):
        state = "OK"
    elif len(commits) == 1:
        state = "STALL" if len(window) > 1 and now.at - window[0].at >= seconds else "WARN"
    else:
        state = "OK" if any(after < before for before, after in pairwise(lags)) else "WARN"
    return state


def worst(states):
    """Return the worst of `states`, each one of STATES or None; None if there are none."""
    known = [state for state in states if state is not None]
    return max(known, key=STATES.index, default=None)


def time_lag(ends, offset, now):
    """Return (seconds, is it exact) since the log's end passed `offset`: the age of the first message left.

    `ends`: list[(at, end)], oldest first: looks at the log's end, at least one. `offset`: where the group goes on. When
    the end had passed it before the first look, the time since that look is the least that it can be, and not exact.
    """
    index = bisect_right(ends, offset, key=lambda point: point[1])
    if index == len(ends):
        return 0.0, True
    after, above = ends[index]
    if index == 0:
        return now - after, False
    before, below = ends[index - 1]
    return now - (before + (after - before) * (offset - below) / (above - below)), True


class History:
    """Remembers looks at groups, as far back as the judgement needs.

    `seconds`: the window; `allowance`: as in `judge`.
    """

    def __init__(self, seconds, allowance=0):
        self.seconds, self.allowance = seconds, allowance
        self._windows, self._ends = {}, {}

    def add(self, looks):
        """Add a look: dict[(group, topic, partition), Seen]. What is not in it any more is forgotten."""
        self._windows = {
            key: _within([*self._windows.get(key, []), seen], seen.at - self.seconds) for key, seen in looks.items()
        }
        ends = {key[1:]: (seen.at, seen.end) for key, seen in looks.items() if seen.end is not None}
        self._ends = {tp: _append(self._ends.get(tp, []), point) for tp, point in ends.items()}

    def state(self, key):
        """Return what `judge` says of (group, topic, partition)."""
        return judge(self._windows[key], self.seconds, self.allowance)

    def time_lag(self, key, offset):
        """Return what `time_lag` says of a group that goes on at `offset`; the partition has a leader."""
        return time_lag(self._ends[key[1:]], offset, self._windows[key][-1].at)


def _within(window, since):
    """Drop what is older than `since`, but keep one look from before, so that the window is a whole one."""
    first = next((index for index, seen in enumerate(window) if seen.at > since), len(window))
    return window[max(0, first - 1) :]


def _append(ends, point):
    if ends and point[1] < ends[-1][1]:
        return [point]  # the log was cut, or the topic made anew: what was before says nothing about it
    if len(ends) > 1 and ends[-2][1] == ends[-1][1] == point[1]:
        ends = ends[:-1]  # of a time without messages, its beginning and its end are enough
    return [*ends, point][-_POINTS:]

"""The state and the age of a group's lag, judged over a window of looks. Pure: no broker and no clock.

The rules are Burrow's, for looks instead of commits: Kafka does not give the time of a commit, but it gives the members
of a group.

    UNCOMMITTED   nothing is committed
    OUT_OF_RANGE  the committed offset is not in the log: deleted by retention, or the log was cut
    OK            nothing is left, now or at some look in the window, or the lag fell
    STOP          behind, and no member of the group has the partition
    REWIND        the committed offset went back, and has not come forward again
    STALL         behind, and nothing was committed in the whole window
    WARN          behind, and the lag did not fall in the window

A single look cannot distinguish a group that stands still from one that is about to commit. A partition that is behind
and has an owner is therefore WARN until a whole window was seen.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

STATES = ("OK", "UNCOMMITTED", "WARN", "OUT_OF_RANGE", "REWIND", "STALL", "STOP")  # from good to bad

_POINTS = 600  # ends to remember of a partition: 20 minutes of a look every 2 s


class Seen(NamedTuple):
    """One partition of one group at one look. Offsets are int; None means unknown, or nothing committed."""

    at: float  # seconds, of a clock that never goes back
    committed: int | None
    start: int | None
    end: int | None
    lag: int | None
    owned: bool | None  # whether a member of the group has this partition; None: unknown


def judge(window, seconds, allowance=0):
    """Return one of STATES, or None for a partition without a leader.

    `window`: list[Seen], oldest first; the last one is now. `seconds`: the time without a commit that makes a stall.
    `allowance`: a lag up to this counts as none.
    """
    now = window[-1]
    commits = window[:1] + [after for before, after in pairwise(window) if after.committed != before.committed]
    # Between two commits the lag of a busy group only grows, so compare it at the commits.
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
    """Return the worst of `states`, each one of STATES or None; None if there is none."""
    known = [state for state in states if state is not None]
    return max(known, key=STATES.index, default=None)


def time_lag(ends, offset, now):
    """Return (seconds, whether that is exact) since the log's end passed `offset`: the age of the first message left.

    `ends`: list[(at, end)], oldest first: looks at the log's end, at least one. `offset`: the next one of the group. If
    the end passed it before the first look, the time since that look is a lower bound, and not exact.
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
    """Keeps looks at groups, as far back as the judgement needs.

    `seconds`: the window; `allowance`: as in `judge`.
    """

    def __init__(self, seconds, allowance=0):
        self.seconds, self.allowance = seconds, allowance
        self._windows, self._ends = {}, {}

    def add(self, looks):
        """Add a look: dict[(group, topic, partition), Seen]. Forgets keys that are not in it."""
        self._windows = {
            key: _within([*self._windows.get(key, []), seen], seen.at - self.seconds) for key, seen in looks.items()
        }
        ends = {key[1:]: (seen.at, seen.end) for key, seen in looks.items() if seen.end is not None}
        self._ends = {tp: _append(self._ends.get(tp, []), point) for tp, point in ends.items()}

    def state(self, key):
        """Return the judgement on (group, topic, partition)."""
        return judge(self._windows[key], self.seconds, self.allowance)

    def time_lag(self, key, offset):
        """Return `time_lag` of a group whose next offset is `offset`; the partition has a leader."""
        return time_lag(self._ends[key[1:]], offset, self._windows[key][-1].at)


def _within(window, since):
    """Drop looks older than `since` except the last of them, which makes the window a whole one."""
    first = next((index for index, seen in enumerate(window) if seen.at > since), len(window))
    return window[max(0, first - 1) :]


def _append(ends, point):
    if ends and point[1] < ends[-1][1]:
        return [point]  # the log was cut, or the topic recreated: earlier ends no longer count
    if len(ends) > 1 and ends[-2][1] == ends[-1][1] == point[1]:
        ends = ends[:-1]  # a time without messages needs only its beginning and its end
    return [*ends, point][-_POINTS:]

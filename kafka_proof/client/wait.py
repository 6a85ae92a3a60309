"""Waiting: for a condition, with a deadline, and with the last observation in the message."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kafka.errors import KafkaError

SECONDS = 30  # generous: a healthy broker never needs it, and a broken one is still reported soon
_waiting: list[list[Any]] = []  # [condition, last observation] of each wait that runs now

Seen = TypeVar("Seen")


class WaitedInVainError(AssertionError):
    """A condition did not come true in its time. The message names the condition and the last observation."""


def attempts(seconds: float, pause: float) -> Iterator[float]:
    """Yield the seconds that are left, at least once, with `pause` seconds after each, until the time is over.

    This is the one loop that waits. The caller tries once in each turn, and leaves the loop when it succeeds.
    """
    deadline = time.monotonic() + seconds
    while True:
        yield deadline - time.monotonic()
        if time.monotonic() >= deadline:
            return
        time.sleep(pause)


def settled(act: Callable[[], Seen], seconds: float, pause: float = 0.1) -> Seen:
    """Return `act()`. Call it again for `seconds` while it raises a retriable KafkaError, and raise the last of them.

    For requests that belong together: between two of them, a topic can be deleted, and a leader or a coordinator can
    move.
    """
    for _ in attempts(seconds, pause):
        try:
            return act()
        except KafkaError as error:
            if not error.retriable:
                raise
            last = error
    raise last


def wait_until(
    what: str,
    look: Callable[[], Seen],
    good: Callable[[Seen], object] = bool,
    seconds: float = SECONDS,
    pause: float = 0.02,
) -> Seen:
    """Call `look()` until `good()` accepts the result, and return the result. `pause`: seconds between two calls.

    Kafka's retriable errors (no leader yet, the coordinator is moving) count as "not yet".
    Raises WaitedInVainError after `seconds`, with `what` and the last observation.
    """
    __tracebackhide__ = True  # pytest shows the line that waited, not this one
    _waiting.append([what, None])
    try:
        for _ in attempts(seconds, pause):
            try:
                result = look()
                if good(result):
                    return result
                seen: object = result
            except KafkaError as error:
                if not error.retriable:
                    raise
                seen = error
            _waiting[-1][1] = seen
        raise WaitedInVainError(f"waited {seconds} s for {what}; last seen: {seen!r}")
    finally:
        _waiting.pop()


def is_of_time(error: BaseException) -> bool:
    """Return whether an exception reports a late answer, and not a wrong one."""
    return isinstance(error, WaitedInVainError) or (isinstance(error, KafkaError) and bool(error.retriable))


def waiting_for() -> str:
    """Return the innermost condition that is waited for now, with its last observation; "" when there is none."""
    return f"waiting for {_waiting[-1][0]}; last seen: {_waiting[-1][1]!r}" if _waiting else ""

"""The one way to wait in this suite: for a condition, with a deadline, and never in silence."""

import time

from kafka.errors import KafkaError

SECONDS = 30  # generous: a healthy broker never needs it, and a broken one is still reported soon
_waiting = []  # what the run waits for now, and what was last seen: for whoever ends it meanwhile


class WaitedInVainError(AssertionError):
    """A condition did not come true in its time. The message says what was waited for, and what was last seen."""


def wait_until(what, look, good=bool, seconds=SECONDS, pause=0.02):
    """Call `look()` until `good(what it returned)`, and return that. `pause` is in seconds, between two looks.

    Kafka's retriable errors (no leader yet, the coordinator is moving) count as "not yet".
    Raises WaitedInVainError after `seconds`, saying what was waited for and what was last seen.
    """
    __tracebackhide__ = True  # pytest shows the line that waited, not this one
    deadline = time.monotonic() + seconds
    _waiting.append([what, None])
    try:
        while True:
            try:
                seen = look()
                if good(seen):
                    return seen
            except KafkaError as error:
                if not error.retriable:
                    raise
                seen = error
            _waiting[-1][1] = seen
            if time.monotonic() >= deadline:
                raise WaitedInVainError(f"waited {seconds} s for {what}; last seen: {seen!r}")
            time.sleep(pause)
    finally:
        _waiting.pop()


def is_of_time(error):
    """Whether an exception says that something did not come in time, and not that something wrong came."""
    return isinstance(error, WaitedInVainError) or (isinstance(error, KafkaError) and error.retriable)


def waiting_for():
    """Say what is waited for at this moment; "" when nothing is."""
    return f"waiting for {_waiting[-1][0]}; last seen: {_waiting[-1][1]!r}" if _waiting else ""

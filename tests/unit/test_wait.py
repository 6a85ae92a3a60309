"""Waiting: for a condition, with a deadline, saying what was last seen. No broker."""

import pytest
from kafka.errors import (
    KafkaTimeoutError,
    LeaderNotAvailableError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    TopicAuthorizationFailedError,
)

from kafka_proof.client.wait import WaitedInVainError, is_of_time, settled, wait_until


def test_returns_what_was_seen_when_it_is_good():
    numbers = iter(range(10))

    assert wait_until("three", lambda: next(numbers), good=lambda number: number == 3) == 3


def test_says_what_was_last_seen():
    with pytest.raises(AssertionError, match=r"waited 0.05 s for a leader; last seen: \[-1\]"):
        wait_until("a leader", lambda: [-1], good=lambda leaders: leaders != [-1], seconds=0.05)


def test_retriable_error_is_not_yet():
    answers = iter([LeaderNotAvailableError(), "leader"])

    def look():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert wait_until("a leader", look) == "leader"


def test_other_error_is_final():
    def look():
        raise TopicAuthorizationFailedError("kafka_demo")

    with pytest.raises(TopicAuthorizationFailedError):
        wait_until("a leader", look)


def test_requests_that_belong_together_are_repeated():
    answers = iter([LeaderNotAvailableError(), NodeNotReadyError(), None])

    def ask():
        if error := next(answers):
            raise error
        return "answer"

    assert settled(ask, seconds=5, pause=0) == "answer"


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError("kafka_demo"), LeaderNotAvailableError()])
def test_requests_are_not_repeated_for_ever(error):
    def ask():
        raise error

    with pytest.raises(type(error)):
        settled(ask, seconds=0.02, pause=0)


@pytest.mark.parametrize(
    ("error", "of_time"),
    [
        (WaitedInVainError("waited 30 s"), True),
        (KafkaTimeoutError(), True),
        (NodeNotReadyError(), True),
        (MessageSizeTooLargeError(), False),
        (AssertionError("assert 1 == 2"), False),
        (pytest.fail.Exception("topic t is missing"), False),
    ],
)
def test_what_a_client_that_is_slowed_down_may_fail_with(error, of_time):
    assert is_of_time(error) == of_time

"""One wish to end is heard once, and what interrupts a run can be shown."""

import os
import signal
import sys

import pytest

from smoke.signals import Signals, drop_frames_without_a_line

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def signals():
    before = [signal.getsignal(number) for number in BOTH]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    signals = Signals()
    signals.listen()
    yield signals
    for number, handler in zip(BOTH, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_signal_interrupts_and_a_second_one_at_once_does_not(signals, number):
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    for again in BOTH:
        os.kill(os.getpid(), again)


def test_later_one_interrupts_again(signals, monkeypatch):
    monkeypatch.setattr("smoke.signals.SECONDS", 0)
    for number in BOTH:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_clean_up_is_not_interrupted(signals):
    signals.ending = True
    for number in BOTH:
        os.kill(os.getpid(), number)


def test_interrupt_between_two_lines_can_be_shown():
    def interrupted():
        raise KeyboardInterrupt

    interrupted.__code__ = interrupted.__code__.replace(co_linetable=b"")
    with pytest.raises(KeyboardInterrupt) as excinfo:
        interrupted()
    assert excinfo.tb.tb_next.tb_lineno is None, sys.version

    drop_frames_without_a_line(excinfo)

    assert "KeyboardInterrupt" in str(excinfo.getrepr(funcargs=True).reprcrash)

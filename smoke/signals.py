"""The signals that end a run: they count once, and not during the clean-up."""

import signal
import time
import traceback

SECONDS = 1  # signals within this time count once: some programs send SIGINT and SIGTERM, and a key repeats


class Signals:
    """Ctrl-C (SIGINT), and SIGTERM, with which CI systems end a job, raise KeyboardInterrupt; pytest then cleans up.

    Set `ending` before the clean-up. It has bounds of its own, and must not end half-way.
    """

    def __init__(self):
        self.ending = False
        self._heard = float("-inf")

    def listen(self):
        """Begin to listen. A shell's background job ignores SIGINT, and still does."""
        signal.signal(signal.SIGTERM, self._hear)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._hear)

    def _hear(self, *_):
        now, before = time.monotonic(), self._heard
        self._heard = now
        if not self.ending and now - before > SECONDS:
            raise KeyboardInterrupt


def drop_frames_without_a_line(excinfo):
    """Drop frames without a line from pytest's ExceptionInfo. A signal can cause them, and pytest cannot show them."""
    lines = [line for _, line in traceback.walk_tb(excinfo.tb)]
    entries = zip(excinfo.traceback, lines, strict=True)
    excinfo.traceback = type(excinfo.traceback)(entry for entry, line in entries if line is not None)

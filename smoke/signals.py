"""The signals that end a run: heard once, and not while it removes what it made."""

import signal
import time
import traceback

SECONDS = 1  # signals as close together as this are one wish: some send SIGINT and SIGTERM, and a key repeats


class Signals:
    """Ctrl-C (SIGINT), and SIGTERM, with which CI systems end a job, raise KeyboardInterrupt; pytest then cleans up.

    Set `ending` where nothing is left but to clean up: that has bounds of its own, and must not end half-way.
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
    """Drop them from pytest's ExceptionInfo. A signal may find Python at such a point, and pytest fails to show it."""
    lines = [line for _, line in traceback.walk_tb(excinfo.tb)]
    entries = zip(excinfo.traceback, lines, strict=True)
    excinfo.traceback = type(excinfo.traceback)(entry for entry, line in entries if line is not None)

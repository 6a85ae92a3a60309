"""kafka-lag: what consumer groups have left to read, for how long, and what becomes of it.

    kafka-lag                                  every group of the broker in build/client.properties, once
    kafka-lag --group orders 'audit-*' --watch live
    kafka-lag --group orders --max-lag 1000    for scripts: exit status 1 when a partition has more left
    kafka-lag --group orders --window 30       look for 30 s before judging, so that a stall shows
    kafka-lag --prometheus :9308               as an exporter

Exit status: 0, fine; 1, a limit is exceeded, and the last line says which; 2, it could not look, and one line says why.
What the states mean is in kafka_proof/lag/state.py.
"""

import argparse
import collections
import json
import math
import os
import re
import shutil
import signal
import sys
import time
from datetime import datetime

from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import DEFAULT_PATH, ClientPropertiesError, kafka_python, read
from kafka_proof.lag.look import NoMatchError, look, timestamps
from kafka_proof.lag.offsets import POLICIES
from kafka_proof.lag.report import exceeded, report
from kafka_proof.lag.state import History
from kafka_proof.lag.view import frame, page, summary

OK, EXCEEDED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

_WINDOW = 30  # seconds: six times as long as a consumer takes from one automatic commit to the next
_ERRORS = (ClientPropertiesError, NoKafkaError, NoMatchError, KafkaError, OSError)


class Looks:
    """Looks at one cluster again and again, and connects again after an error. A context manager."""

    def __init__(self, arguments, options):
        self._arguments, self._options = arguments, options
        self._history = History(options.window, options.max_lag or 0)
        self._admin, self._looked = None, False

    def report(self):
        """Return a report of now. Raises one of _ERRORS."""
        options = self._options
        try:
            if self._admin is None:
                self._admin = connect(self._arguments, options.timeout)
            # A name that was there and goes is no mistake of whoever typed it.
            groups = look(self._admin, options.group, options.topic, options.reset, must_fit=not self._looked)
            now = time.monotonic(), time.time()
            written = self._written(groups) if options.time else None
        except _ERRORS:
            self.close()  # a coordinator that moved is remembered at its old place
            raise
        self._looked = True
        return report(groups, self._history, now, written)

    def _written(self, groups):
        places, ends = {}, {}
        for row in [row for group in groups for row in group.partitions if row.lag]:
            tp = TopicPartition(row.topic, row.partition)
            places.setdefault(tp, set()).add(row.end - row.lag)
            ends[tp] = row.end
        return timestamps(self._arguments, places, ends, self._options.timeout)

    def close(self):
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def once(looks, options):
    """Look for as long as the window is, show the last look, and compare it with the limits. Returns the status."""
    seen = looks.report()
    end = time.monotonic() + options.window
    while time.monotonic() < end:
        time.sleep(max(0, min(1, end - time.monotonic())))
        seen = looks.report()
    over = exceeded(seen, options.max_lag, options.max_time_lag)
    looks.close()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # | head
    if options.json:
        print(json.dumps(seen | {"exceeded": over}, indent=2))
    else:
        print("\n".join(page(seen)))
        behind = any(row["state"] == "WARN" for group in seen["groups"] for row in group["partitions"])
        if behind and not options.window:
            print(f"\nWARN: behind at this look. Whether that lasts takes more of them: --watch, or --window {_WINDOW}")
    sys.stdout.flush()
    for line in over:
        print(line, file=sys.stderr)
    return EXCEEDED if over else OK


def watch(looks, options, where):
    """Show a look every so often, until Ctrl-C: in place on a terminal, else a line for each group."""
    live = sys.stdout.isatty() and not options.json
    trends, shown, first = {}, 0, True
    while True:
        started, lines = time.monotonic(), []
        try:
            seen = looks.report()
            trends = {
                each["group"]: collections.deque([*trends.get(each["group"], []), each["left"]], maxlen=60)
                for each in seen["groups"]
            }
            if live:
                width, height = shutil.get_terminal_size()
                title = f"kafka-lag {where}, {datetime.now():%H:%M:%S}, a look every {options.watch:g} s; Ctrl-C ends"
                lines = frame(seen, trends, title, width, height - 1)
            elif options.json:
                lines = [json.dumps(seen)]
            else:
                groups = [f"{each['group']}: {summary(each)}" for each in seen["groups"]]
                lines = [f"{seen['at']} {line}" for line in groups or ["no groups"]]
        except _ERRORS as error:
            if first:
                raise
            print(f"{reason(error, where)} Looking again.", file=sys.stderr, flush=True)
            shown = 0  # what is on the screen stays there, and the next look goes below
        if lines:
            up = f"\x1b[{shown}F\x1b[J" if live and shown else ""
            print(up + "\n".join(lines), flush=True)
            shown = len(lines)
        first = False
        time.sleep(max(0, started + options.watch - time.monotonic()))


def serve(looks, options, where):
    """Answer Prometheus until Ctrl-C."""
    from kafka_proof.lag.metrics import server  # noqa: PLC0415 (an HTTP server takes long to import, and few need it)

    def answer():
        try:
            return 200, looks.report()
        except _ERRORS as error:
            return 503, reason(error, where)

    looks.report()  # what is wrong from the beginning is said now, and not to Prometheus
    with server(*options.prometheus, answer) as http:
        print(f"kafka-lag: {http.url}", flush=True)
        http.serve_forever()


def reason(error, where):
    """Say in one line what went wrong, and what to do."""
    what = " ".join(str(error).split())[:300]
    if isinstance(error, AuthorizationError):
        return (
            f"{where}: {what}. Allow this user to DESCRIBE the groups and topics, "
            "and to READ the topics for --time and --max-time-lag."
        )
    if isinstance(error, KafkaError):
        return (
            f"{where}: the cluster did not answer as it should ({what}). If that lasts, see whether its brokers are up."
        )
    if isinstance(error, TimeoutError):
        return f"{where}: {what}. Choose a longer --timeout, or leave out --time and --max-time-lag."
    return what


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(UNUSABLE, f"{self.prog}: {message}. See {self.prog} --help.\n")


def _number(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of offsets, such as 1000")
    return int(text)


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _address(text):
    match = re.fullmatch(r"(\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[\w.-]*)):(?P<port>\d{1,5})", text)
    if not match or int(match["port"]) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not [HOST]:PORT, such as :9308 or 0.0.0.0:9308")
    return match["six"] or match["host"] or "127.0.0.1", int(match["port"])


def _options(argv):
    parser = _Parser(
        prog="kafka-lag", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument("--client-properties", metavar="FILE", default=DEFAULT_PATH, help="default: %(default)s")
    cluster.add_argument("--bootstrap-server", metavar="HOST:PORT", help="instead, for a broker without security")
    for what in ("group", "topic"):
        parser.add_argument(
            f"--{what}", metavar="PATTERN", nargs="+", action="extend", default=[], help=f"{what}s, such as 'orders-*'"
        )
    parser.add_argument(
        "--reset", choices=POLICIES, default="earliest", help="where a group without an offset begins (%(default)s)"
    )
    parser.add_argument(
        "--time",
        action="store_true",
        help="tell the time lag from the timestamp of the first message left; reads one batch of each partition behind",
    )
    parser.add_argument(
        "--window", metavar="SECONDS", type=_seconds, help=f"judge so much history ({_WINDOW}; once: 0)"
    )
    parser.add_argument(
        *("--max-lag",),
        metavar="N",
        type=_number,
        help="up to N offsets left in a partition are OK; once: exit status 1 above",
    )
    parser.add_argument(
        "--max-time-lag",
        metavar="SECONDS",
        type=_seconds,
        help="exit status 1 when the first message left in a partition is older; implies --time",
    )
    parser.add_argument("--json", action="store_true", help="for programs; with --watch a line for each look")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--watch", metavar="SECONDS", nargs="?", const=2.0, type=_seconds, help="look every 2 SECONDS")
    shown.add_argument("--prometheus", metavar="[HOST]:PORT", type=_address, help="an exporter (HOST: 127.0.0.1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=5, help="for each answer (5)")
    options = parser.parse_args(argv)

    lasting = "--watch" if options.watch else "--prometheus" if options.prometheus else ""
    if lasting and options.max_time_lag is not None:
        parser.error(f"--max-time-lag decides the exit status, and {lasting} has none: leave one of them out")
    if options.prometheus and options.json:
        parser.error("--prometheus has a format of its own: leave --json out")
    options.time = options.time or options.max_time_lag is not None
    options.window = options.window or (_WINDOW if lasting else 0)
    return options


def main(argv=None):
    """Run the command. Returns the exit status."""
    options = _options(argv)
    lasting = options.watch or options.prometheus
    where = options.bootstrap_server or options.client_properties
    if lasting:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a container's end, like Ctrl-C
    try:
        if options.bootstrap_server:
            arguments = kafka_python({"bootstrap.servers": options.bootstrap_server})
        else:
            arguments = kafka_python(read(options.client_properties))
        with Looks(arguments, options) as looks:
            if options.prometheus:
                serve(looks, options, where)
            elif options.watch:
                watch(looks, options, where)
            else:
                return once(looks, options)
    except BrokenPipeError:  # | head; nothing is left to say it to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except _ERRORS as error:
        print(reason(error, where), file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return OK if lasting else INTERRUPTED
    return OK


if __name__ == "__main__":
    sys.exit(main())

"""kafka-lag: the lag of consumer groups, in offsets and in time, and how it develops.

    kafka-lag                                  every group of the broker in build/client.properties, once
    kafka-lag --group orders 'audit-*' --watch live
    kafka-lag --group orders --max-lag 1000    for scripts: exit status 1 when a partition has more left
    kafka-lag --group orders --window 30       look for 30 s before the judgement, so that a stall shows
    kafka-lag --prometheus :9308               as an exporter

Exit status: 0, fine; 1, a limit is exceeded, and the last line names it; 2, no look was possible; one line says why.
kafka_proof/lag/state.py explains the states.
"""

import argparse
import contextlib
import json
import re
import sys
import time

from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from kafka_proof.advice import explained
from kafka_proof.client.command import (
    OK,
    PROBLEM,
    Parser,
    add_connection_options,
    drop_output,
    duration,
    entry,
    fail,
    properties_of,
    quiet,
    where,
)
from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.client.text import one_line, printable
from kafka_proof.cluster.rights import sees_all_groups
from kafka_proof.lag.look import NoMatchError, look, timestamps
from kafka_proof.lag.offsets import POLICIES
from kafka_proof.lag.report import exceeded, report
from kafka_proof.lag.state import History
from kafka_proof.lag.view import none, page, summary

_WINDOW = 30  # seconds: six times the interval of a consumer's automatic commits
_ERRORS = (ClientPropertiesError, NoKafkaError, NoMatchError, KafkaError, OSError)


class Looks:
    """Repeated looks at one cluster, with a new connection after an error. The caller closes it."""

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
            # A name that disappears later is no mistake on the command line.
            groups = look(self._admin, options.group, options.topic, options.reset, must_fit=not self._looked)
            now = time.monotonic(), time.time()
            written = self._written(groups) if options.time else None
            all_groups = bool(groups) or sees_all_groups(self._admin)
        except _ERRORS:
            self.close()  # kafka-python remembers a coordinator that moved at its old place
            raise
        self._looked = True
        return report(groups, self._history, now, written, all_groups)

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


def once(looks, options):
    """Look for as long as the window is, print the last look, and compare it with the limits. Returns the status."""
    seen = _last_look(looks, options.window)
    over = exceeded(seen, options.max_lag, options.max_time_lag)
    looks.close()
    if options.json:
        print(json.dumps(seen | {"exceeded": over}, indent=2))
    else:
        print("\n".join(page(seen)))
        behind = any(row["state"] == "WARN" for group in seen["groups"] for row in group["partitions"])
        if behind and not options.window:
            print(f"\nWARN: behind at this look. To see whether that lasts: --watch, or --window {_WINDOW}")
    sys.stdout.flush()
    for line in over:
        print(printable(line), file=sys.stderr)
    return PROBLEM if over else OK


def _last_look(looks, window):
    """Look every second for `window` seconds, with progress on a terminal. Returns the last report."""
    seen = looks.report()
    if not window:
        return seen
    from rich.console import Console  # noqa: PLC0415 (0.1 s that a single look need not spend)
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("looking", total=window)
        start = time.monotonic()
        while (left := start + window - time.monotonic()) > 0:
            time.sleep(min(1, left))
            seen = looks.report()
            progress.update(task, completed=time.monotonic() - start)
    return seen


def watch(looks, options):
    """Show a look every --watch seconds until Ctrl-C: in place on a terminal, else as lines."""
    with contextlib.closing(_shown(options)) as shown:
        first = True
        while True:
            started = time.monotonic()
            try:
                seen = looks.report()
            except _ERRORS as error:
                if first:
                    raise
                shown.close()
                print(f"{reason(error, where(options))} Looking again.", file=sys.stderr, flush=True)
            else:
                shown.show(seen)
            first = False
            time.sleep(max(0, started + options.watch - time.monotonic()))


def _shown(options):
    """Return what shows the looks of --watch: a live.Screen, or the same for lines."""
    if not options.json and sys.stdout.isatty():
        from kafka_proof.lag import live  # noqa: PLC0415 (0.1 s that lines need not spend)

        if live.can_draw():
            return live.Screen(where(options), options.watch)
    return _Lines(json.dumps if options.json else _group_lines)


class _Lines:
    """Prints each report as lines. `text(report)` returns them."""

    def __init__(self, text):
        self._text = text

    def show(self, report):
        print(self._text(report), flush=True)

    def close(self):
        """Nothing to end: lines stay."""


def _group_lines(report):
    lines = [summary(group) for group in report["groups"]] or [none(report)]
    return "\n".join(f"{report['at']} {line}" for line in lines)


def serve(looks, options):
    """Answer Prometheus until Ctrl-C."""
    from kafka_proof.lag.metrics import server  # noqa: PLC0415 (0.03 s that other looks need not spend)

    def answer():
        try:
            return 200, looks.report()
        except _ERRORS as error:
            return 503, reason(error, where(options))

    looks.report()  # an error from the beginning ends the command, with one line
    with server(*options.prometheus, answer) as http:
        print(f"kafka-lag: {http.url}", flush=True)
        http.serve_forever()


def reason(error, where):
    """Return in one line what went wrong, and what the user can do."""
    if isinstance(error, NoKafkaError):
        return one_line(explained(error), limit=1000)
    what = one_line(error)
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


def _number(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of offsets, such as 1000")
    return int(text)


def _address(text):
    match = re.fullmatch(r"(\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[\w.-]*)):(?P<port>\d{1,5})", text)
    if not match or int(match["port"]) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not [HOST]:PORT, such as :9308 or 0.0.0.0:9308")
    return match["six"] or match["host"] or "127.0.0.1", int(match["port"])


def _options(argv):
    parser = Parser("kafka-lag", __doc__)
    add_connection_options(parser)
    add = parser.add_argument
    for what in ("group", "topic"):
        add(f"--{what}", metavar="PATTERN", nargs="+", action="extend", default=[], help=f"{what}s, such as 'orders-*'")
    add("--reset", choices=POLICIES, default="earliest", help="where a group without an offset begins (%(default)s)")
    add(
        "--time",
        action="store_true",
        help="take the time lag from the timestamp of the first message left; reads a batch of each partition behind",
    )
    add("--window", metavar="SECONDS", type=duration, help=f"length of the history to judge ({_WINDOW}; once: 0)")
    add(
        "--max-lag",
        metavar="N",
        type=_number,
        help="up to N offsets left in a partition are OK; once: exit status 1 above",
    )
    add(
        "--max-time-lag",
        metavar="SECONDS",
        type=duration,
        help="exit status 1 when the first message left in a partition is older; implies --time",
    )
    add("--json", action="store_true", help="for programs; with --watch a line for each look")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--watch", metavar="SECONDS", nargs="?", const=2.0, type=duration, help="look every 2 SECONDS")
    shown.add_argument("--prometheus", metavar="[HOST]:PORT", type=_address, help="an exporter (HOST: 127.0.0.1)")
    options = parser.parse_args(argv)

    lasting = "--watch" if options.watch else "--prometheus" if options.prometheus else ""
    if lasting and options.max_time_lag is not None:
        parser.error(f"--max-time-lag decides the exit status, and {lasting} has none: leave one of them out")
    if options.prometheus and options.json:
        parser.error("--prometheus has its own format: leave --json out")
    options.time = options.time or options.max_time_lag is not None
    options.window = options.window or (_WINDOW if lasting else 0)
    return options


@entry
def main(argv=None):
    """Run the command. Returns the exit status."""
    options = _options(argv)
    lasting = options.watch or options.prometheus
    quiet()
    try:
        with contextlib.closing(Looks(kafka_python(properties_of(options)), options)) as looks:
            if options.prometheus:
                serve(looks, options)
            elif options.watch:
                watch(looks, options)
            else:
                return once(looks, options)
    except BrokenPipeError:  # of the output; those of connections are errors of Kafka
        if not lasting:
            raise
        drop_output()
        return OK
    except _ERRORS as error:
        return fail(reason(error, where(options)))
    except KeyboardInterrupt:
        if not lasting:
            raise
    return OK


if __name__ == "__main__":
    sys.exit(main())

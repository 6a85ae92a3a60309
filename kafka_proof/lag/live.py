"""The live view of `kafka-lag --watch` on a terminal, drawn by rich."""

import collections
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from kafka_proof.client.text import printable
from kafka_proof.lag.view import HEADER, age, cells, none

# Columns, and those that a narrow terminal leaves out, the first one first.
_GROUPS = ("group", "kafka left", "time lag", "state", "members", "trend"), ("members", "time lag")
_PARTITIONS = HEADER, ("", "start", "committed", "end", "owner", "time lag")
_ELASTIC = {"group", "topic", "owner", "", "trend"}  # columns that can be cut
_NARROW = 8  # characters that such a column keeps before others are left out
_NUMBERS = {"kafka left", "members", "partition", "start", "committed", "end", "lag"}
_STYLES = {"OK": "green", "WARN": "yellow", "UNCOMMITTED": "yellow", None: ""}  # of states; others are red
_BARS = "▁▂▃▄▅▆▇█"
_LOOKS = 60  # in a trend


def can_draw():
    """Return whether standard output is a terminal on which lines can be drawn again."""
    console = Console()
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


class Screen:
    """Draws report after report in place. The caller closes it; the last report stays on the terminal.

    `where`: the cluster, for the title; `seconds`: between two reports.
    """

    def __init__(self, where, seconds):
        self._where, self._seconds, self._trends, self._live = where, seconds, {}, None

    def show(self, report):
        """Draw `report` over the one before."""
        self._trends = {
            group["group"]: collections.deque([*self._trends.get(group["group"], []), group["left"]], maxlen=_LOOKS)
            for group in report["groups"]
        }
        if self._live is None:
            self._live = Live(auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
            self._live.start()
        now = f"{datetime.now():%H:%M:%S}"
        title = f"kafka-lag {self._where}, {now}, a look every {self._seconds:g} s; Ctrl-C ends"
        self._live.update(Frame(report, self._trends, title), refresh=True)

    def close(self):
        """Let the last report stay, so that other lines and the next report go below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class Frame:
    """A report as a rich renderable that fits the terminal: a line for each group, then one for each partition.

    `trends`: dict[group, iterable of what the group had left at each look].
    """

    def __init__(self, report, trends, title):
        self._title, self._none = title, none(report)
        self._groups = [
            [
                *[group["group"], group["left"], age(group), group["state"], group["members"]],
                _Trend(list(trends[group["group"]])),
            ]
            for group in report["groups"]
        ]
        # The cells of a partition are made when the terminal has room for it: a cluster has tens of thousands.
        self._partitions = [row for group in report["groups"] for row in group["partitions"]]

    def __rich_console__(self, console, options):
        room = options.size.height - 3  # without title, blank line and the line of the cursor
        rows = len(self._groups) + len(self._partitions)
        whole = 1 + len(self._groups) + (2 + len(self._partitions) if self._partitions else 0) <= room
        if not whole:
            room -= 1
        groups = self._groups[: max(0, room - 1)]
        partitions = self._partitions[: max(0, room - len(groups) - 3)]
        yield _text(self._title)
        yield ""
        yield _table(*_GROUPS, groups, options.max_width) if self._groups else self._none
        if partitions:
            yield ""
            yield _table(*_PARTITIONS, [cells(row) for row in partitions], options.max_width)
        if not whole:
            left_out = rows - len(groups) - len(partitions)
            yield _text(f"… {left_out} more rows; kafka-lag without --watch shows all")


class _Trend:
    """Numbers as bars, the last ones where there is no room for all. None is a gap."""

    def __init__(self, values):
        self._values = values

    def __rich_measure__(self, console, options):
        return Measurement(1, max(1, len(self._values))).with_maximum(options.max_width)

    def __rich_console__(self, console, options):
        yield _text(sparkline(self._values[-options.max_width :]))


def sparkline(values):
    """Return numbers as bars, the greatest as the tallest; " " for None."""
    top = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if value is None else _BARS[value * (len(_BARS) - 1) // top] for value in values)


def _table(header, optional, rows, width):
    """Return a table of one line for each row, with as many columns as fit into `width`."""
    columns = {name: [row[index] for row in rows] for index, name in enumerate(header)}
    if not any(columns.get("", ())):
        columns.pop("", None)
    longest = {name: max(len(_shown(value)) for value in (name, *values)) for name, values in columns.items()}
    least = {name: min(length, _NARROW) if name in _ELASTIC else length for name, length in longest.items()}
    for name in optional:
        if name in columns and sum(least[each] + 2 for each in columns) - 2 > width:
            del columns[name]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        # Elastic columns are the ones that rich makes narrower; their text does not wrap either.
        table.add_column(
            _text(name), justify="right" if name in _NUMBERS else "left", no_wrap=name not in _ELASTIC, min_width=1
        )
    for row in zip(*columns.values(), strict=True):
        table.add_row(*(_cell(name, value) for name, value in zip(columns, row, strict=True)))
    return table


def _cell(name, value):
    if isinstance(value, _Trend):
        return value
    return _text(_shown(value), _STYLES.get(value, "red") if name == "state" else "")


def _shown(value):
    return "-" if value is None else str(value)


def _text(text, style=""):
    """Return one line that is cut where it does not fit; nothing in it is markup."""
    return Text(printable(text), style, no_wrap=True, overflow="ellipsis")

"""The result of a run of the suite: an HTML page, a Markdown summary, GitHub's annotations, and lines for a terminal.

The source of all of them is one dict of plain values, ready for JSON. smoke/reporting.py fills it:

verdict      "passed", "failed", or "unusable" when the run proves nothing about the cluster
reason       str, why the run ended early or could not begin; "" otherwise
started      str, ISO 8601 with the zone
seconds      float, the whole run
command      str, as typed
diagnose     str, the command that diagnoses the connection to this cluster
cluster      {} when nothing is known, else
             bootstrap   str, "host:port,…"
             cluster_id  str
             mode        "zookeeper" or "kraft"
             kafka       str, the version by the protocol, such as "3.9"
             controller  int, the id of the active controller (with KRaft it can be a node without a broker), or None
             brokers     [{id, host, port, rack, kafka}]
             topics      [{topic, partitions: [{partition, leader, replicas, in_sync}]}], the deployed ones
versions     {name: version} of the programs
tests        [{id, property, module, outcome, seconds, message, details, evidence}]
             property    str, the claim in words
             module      str, the common subject of the claims of one file
             outcome     "passed", "failed", "error" (could not be tested), "skipped" or "not run"
             message     str, why the outcome is not "passed"
             details     str, pytest's account of a failure
             evidence    [[name, value]], where a value is one of
                         str, int, float, bool, None              a line
                         {columns: [str], rows: [[value]]}        a table; the first value of a row is its heading
                         {series: {name: [[seconds, value]]}, unit: str}   a plot over time
"""

import json
import re
import shlex
from collections import Counter
from functools import cache
from itertools import groupby
from pathlib import Path

from kafka_proof.cluster.controller import MODES
from kafka_proof.report.plot import plot

TEMPLATE = Path(__file__).with_name("page.html.j2")
VERDICTS = {"passed": ("✓", "Passed"), "failed": ("✗", "Failed"), "unusable": ("?", "No verdict")}
MARKS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "○", "not run": "·"}
BAD = ("failed", "error")


def judge(tests, reason=""):
    """Return the verdict on `tests`. `reason`: why the run ended early, or "".

    A failed property decides, also in a run that ended early. "passed" needs a whole run and at least one property
    that holds: skipped tests prove nothing.
    """
    outcomes = {test["outcome"] for test in tests}
    if outcomes.intersection(BAD):
        return "failed"
    return "passed" if "passed" in outcomes and "not run" not in outcomes and not reason else "unusable"


def sentence(run):
    """Return the verdict as a sentence, or two when the run ended early."""
    count = Counter(test["outcome"] for test in run["tests"])
    total = len(run["tests"])
    if run["verdict"] == "unusable":
        return run["reason"] or "No property was tested."
    if run["verdict"] == "passed" and count["passed"] == total:
        return "The one property holds." if total == 1 else f"All {total} properties hold."
    parts = []
    if count["failed"]:
        parts.append(f"{count['failed']} of {total} properties {_plural(count['failed'], 'does', 'do')} not hold")
    if count["error"]:
        parts.append(f"{count['error']} could not be tested")
    if not parts:
        parts.append(f"{count['passed']} of {total} properties hold")
    if count["skipped"]:
        parts.append(f"{count['skipped']} {_plural(count['skipped'], 'was', 'were')} skipped")
    if count["not run"]:
        parts.append(f"{count['not run']} did not run")
    return ", ".join(parts) + "." + (f" The run ended early: {run['reason']}" if run["reason"] else "")


def summary(run):
    """Return the last lines for a terminal, list[str]."""
    lines = [f"{VERDICTS[run['verdict']][1].lower()}: {sentence(run)}", f"time: {_seconds(run['seconds'])}"]
    if run["cluster"]:
        lines.append(f"cluster: {_cluster_line(run['cluster'])}")
    if run["verdict"] != "passed":
        lines.append(f"why: {run['diagnose']}")
    return lines


# GitHub


def annotations(run):
    """Return GitHub's workflow commands, list[str]: one for each property that does not hold, or one for no verdict."""
    if run["verdict"] == "unusable":
        return [_annotation("Kafka smoke test: no verdict", sentence(run))]
    return [
        _annotation(f"Kafka: {'could not be tested' if test['outcome'] == 'error' else 'does not hold'}", text)
        for test in _bad(run)
        for text in [f"{test['property']}\n{test['message']}"]
    ]


def _annotation(title, message):
    # https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    def data(text):
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    return f"::error title={data(title).replace(':', '%3A').replace(',', '%2C')}::{data(message)}"


# Pages


def html(run):
    """Return one page that needs nothing else: no script, no network. jinja2 escapes everything from the run."""
    return _page(TEMPLATE.name, run)


def markdown(run):
    """Return a summary in GitHub's Markdown."""
    return _page("page.md.j2", run)


def _page(template, run):
    mark, verdict = VERDICTS[run["verdict"]]
    count = Counter(test["outcome"] for test in run["tests"])
    values = {
        "run": run,
        "mark": mark,
        "verdict": verdict,
        "sentence": sentence(run),
        "counts": [(outcome, count[outcome]) for outcome in MARKS if count[outcome]],
        "bad": [test | {"again": _again(run, test)} for test in _bad(run)],
        "modules": [
            (title, [test | _evidence(test) for test in tests])
            for title, tests in groupby(run["tests"], lambda test: test["module"])
        ],
        "brokers": [
            [
                *[broker["id"], f"{broker['host']}:{broker['port']}", broker["rack"], broker["kafka"]],
                "controller" if broker["id"] == run["cluster"]["controller"] else "",
            ]
            for broker in run["cluster"].get("brokers", [])
        ],
        "topics": [
            [topic["topic"], each["partition"], each["leader"], each["replicas"], each["in_sync"]]
            for topic in run["cluster"].get("topics", [])
            for each in topic["partitions"]
        ],
    }
    return templates().get_template(template).render(values)


@cache
def templates():
    """Return the jinja2 environment of the page's templates."""
    import jinja2  # noqa: PLC0415 (0.03 s of each run of the suite)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE.parent),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"text": _text, "seconds": _seconds, "where": _cluster_line}
    environment.filters |= {"literal": _markdown, "fenced": _fenced}
    environment.globals |= {"plot": plot, "table_of": _table, "marks": MARKS, "modes": MODES}
    return environment


def _evidence(test):
    """Split the evidence of a test into lines and drawings."""
    lines = [[name, value] for name, value in test["evidence"] if not isinstance(value, dict)]
    if test["outcome"] == "skipped":
        lines.insert(0, ["why", test["message"]])
    return {"lines": lines, "drawn": [each for each in test["evidence"] if isinstance(each[1], dict)]}


def _table(columns, rows):
    """Return ([[value]], the columns first; [bool], which columns hold nothing but numbers).

    The first column holds the headings of the rows and counts as text. A broken cluster leaves gaps, filled with "".
    """
    width = max(map(len, [columns, *rows]))
    columns, *rows = ([*row, *[""] * (width - len(row))] for row in [columns, *rows])
    numeric = [
        bool(index) and all(isinstance(value, int | float | None) for value in column)
        for index, column in enumerate(zip(*rows, strict=True))
    ]
    return [columns, *rows], numeric


# Words


def _markdown(text):
    """Return `text` as one line in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|~&$#@])", r"\\\1", " ".join(text.split()))


def _fenced(text):
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}text\n{text}\n{fence}"


def _bad(run):
    return [test for test in run["tests"] if test["outcome"] in BAD]


def _again(run, test):
    function = test["id"].rpartition("::")[2].partition("[")[0]
    return f"{run['command']} -k {shlex.quote(function)}"


def _cluster_line(cluster):
    brokers = len(cluster["brokers"])
    mode = MODES[cluster["mode"]]
    return f"{cluster['bootstrap']}, Kafka {cluster['kafka']} ({mode}), {brokers} {_plural(brokers, 'broker')}"


def _plural(count, one, many=""):
    return one if count == 1 else many or f"{one}s"


def _seconds(seconds):
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def _text(value):
    """Return a value as text: a list as "1, 2", None as a dash, a fraction with three digits."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case list() | tuple():
            return ", ".join(_text(each) for each in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)

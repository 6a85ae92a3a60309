"""What a run of the suite found, for people: one HTML page, a Markdown summary, GitHub's annotations, a few lines.

All of it is made from one dict of plain values, ready for JSON, which smoke/reporting.py fills:

verdict      "passed", "failed", or "unusable" when the run says nothing about the cluster
reason       str, why the run ended early or could not begin; "" when it did not
started      str, ISO 8601 with the zone
seconds      float, the whole run
command      str, as it would be typed
diagnose     str, the command that finds out why a client cannot talk to this cluster
cluster      {} when nothing is known of it, else
             bootstrap   str, "host:port,…"
             cluster_id  str
             mode        "zookeeper" or "kraft"
             kafka       str, the version that the protocol tells, such as "3.9"
             controller  int, the active one's id (with KRaft perhaps no broker's), or None
             brokers     [{id, host, port, rack, kafka}]
             topics      [{topic, partitions: [{partition, leader, replicas, in_sync}]}], those that were deployed
versions     {name: version}, of the programs that ran
tests        [{id, property, module, outcome, seconds, message, details, evidence}]
             property    str, the claim in words
             module      str, what the claims of one file have in common
             outcome     "passed", "failed", "error" (could not be tested), "skipped" or "not run"
             message     str, why it is not "passed"
             details     str, pytest's account of a failure
             evidence    [[name, value]], where a value is one of
                         str, int, float, bool, None              a line
                         {columns: [str], rows: [[value]]}        a table; each row's first value is its heading
                         {series: {name: [[seconds, value]]}, unit: str}   a plot over time
"""

import json
import re
import shlex
from collections import Counter
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from kafka_proof.cluster.controller import MODES
from kafka_proof.report.plot import plot

TEMPLATE = Path(__file__).with_name("page.html")
VERDICTS = {"passed": ("✓", "Passed"), "failed": ("✗", "Failed"), "unusable": ("?", "No verdict")}
MARKS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "○", "not run": "·"}
BAD = ("failed", "error")


def judge(tests, reason=""):
    """Return the verdict on `tests`, when `reason` is why the run ended early ("" when it did not).

    A property that does not hold is a verdict whatever happened later. "Passed" needs a whole run and a property that
    holds: where all are skipped, nothing was proved.
    """
    outcomes = {test["outcome"] for test in tests}
    if outcomes.intersection(BAD):
        return "failed"
    return "passed" if "passed" in outcomes and "not run" not in outcomes and not reason else "unusable"


def sentence(run):
    """Say the verdict in one sentence, or two when the run ended early."""
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
    """Return the lines, list[str], that a terminal shows in the end."""
    lines = [f"{VERDICTS[run['verdict']][1].lower()}: {sentence(run)}", f"time: {_seconds(run['seconds'])}"]
    if run["cluster"]:
        lines.append(f"cluster: {_cluster_line(run['cluster'])}")
    if run["verdict"] != "passed":
        lines.append(f"why: {run['diagnose']}")
    return lines


# GitHub


def markdown(run):
    """Return a summary in GitHub's Markdown."""
    mark, verdict = VERDICTS[run["verdict"]]
    page = [f"## {mark} Kafka smoke test: {verdict.lower()}", "", _markdown(sentence(run)), ""]
    if run["cluster"]:
        page += [f"{_markdown(_cluster_line(run['cluster']))}; {_seconds(run['seconds'])}.", ""]
    for test in _bad(run):
        page += [f"**{_markdown(test['property'])}**", "", *_fenced(test["message"]), ""]
        page += ["Again, alone:", "", *_fenced(_again(run, test)), ""]
    if run["verdict"] != "passed":
        page += ["What a client meets on its way to the cluster:", "", *_fenced(run["diagnose"]), ""]
    if run["tests"]:
        page += ["<details><summary>Every property</summary>", "", "| | property | time |", "|---|---|--:|"]
        page += [
            f"| {test['outcome']} | {_markdown(test['property'])} | {_seconds(test['seconds'])} |"
            for test in run["tests"]
        ]
        page += ["", "</details>", ""]
    return "\n".join(page)


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


def _markdown(text):
    """Make one line of it, in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|~&$#@])", r"\\\1", " ".join(text.split()))


def _fenced(text):
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return [f"{fence}text", text, fence]


# HTML


def html(run):
    """Return one page that needs nothing else: no script, no network. Everything from the run is escaped."""
    mark, verdict = VERDICTS[run["verdict"]]
    bootstrap = run["cluster"].get("bootstrap", "")
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{verdict}: Kafka smoke test" + (f" of {bootstrap}" if bootstrap else "")),
        verdict=run["verdict"],
        heading=f'<span aria-hidden="true">{mark}</span> {verdict}',
        sentence=escape(sentence(run)),
        where=f'<p class="what">{escape(_cluster_line(run["cluster"]))}</p>' if run["cluster"] else "",
        counts=_counts(run["tests"]),
        failures=_failures(run),
        properties="".join(_module(title, list(tests)) for title, tests in groupby(run["tests"], _module_of)),
        cluster=_cluster(run["cluster"]),
        run=_facts(
            {
                "started": run["started"].replace("T", " "),
                "took": _seconds(run["seconds"]),
                "command": run["command"],
                **run["versions"],
            }
        ),
    )


def _counts(tests):
    count = Counter(test["outcome"] for test in tests)
    return "".join(
        f'<li class="{_css(outcome)}"><b>{count[outcome]}</b> {outcome}</li>' for outcome in MARKS if count[outcome]
    )


def _failures(run):
    if run["verdict"] == "passed":
        return ""
    tests = "".join(
        f'<article class="failure {test["outcome"]}"><h3>{escape(test["property"])}</h3>'
        f'<pre class="message">{escape(test["message"])}</pre>'
        f"{_command('Again, alone', _again(run, test))}{_details(test['details'])}</article>"
        for test in _bad(run)
    )
    heading = "What does not hold" if tests else "What to do"
    why = _command("See what a client meets on its way to the cluster, and what to change", run["diagnose"])
    return f"<section><h2>{heading}</h2>{tests}{why}</section>"


def _command(what, command):
    return f'<p class="command">{what}: <code>{escape(command)}</code></p>'


def _details(text):
    return f"<details><summary>pytest's account</summary><pre>{escape(text)}</pre></details>" if text else ""


def _module(title, tests):
    return f"<section><h2>{escape(title)}</h2>{''.join(_test(test) for test in tests)}</section>"


def _test(test):
    outcome = test["outcome"]
    said = "" if outcome == "passed" else f'<span class="word">{outcome}</span>'
    took = "" if outcome == "not run" else _seconds(test["seconds"])
    lines = [[name, value] for name, value in test["evidence"] if not isinstance(value, dict)]
    if outcome == "skipped":
        lines.insert(0, ["why", test["message"]])
    drawn = "".join(_drawn(name, value) for name, value in test["evidence"] if isinstance(value, dict))
    return (
        f'<article class="test {_css(outcome)}"><h3><span class="mark" aria-hidden="true">{MARKS[outcome]}</span>'
        f'<span class="claim">{escape(test["property"])}{said}</span>'
        f'<span class="time">{took}</span></h3>'
        f"{_facts(lines)}{drawn}</article>"
    )


def _drawn(name, value):
    if "series" in value:
        return plot(name, value["series"], value.get("unit", ""))
    if "columns" in value:
        return _table(name, value["columns"], value["rows"])
    return _facts([[name, json.dumps(value, ensure_ascii=False)]])


def _cluster(cluster):
    if not cluster:
        return "<p>Nothing is known of it.</p>"
    controller = cluster["controller"]
    return (
        _facts(
            {
                "bootstrap servers": cluster["bootstrap"],
                "cluster id": cluster["cluster_id"],
                "Kafka": cluster["kafka"],
                "mode": MODES[cluster["mode"]],
            }
        )
        + _table(
            "brokers",
            ["broker", "advertised address", "rack", "Kafka", "role"],
            [
                [
                    *[broker["id"], f"{broker['host']}:{broker['port']}", broker["rack"], broker["kafka"]],
                    "controller" if broker["id"] == controller else "",
                ]
                for broker in cluster["brokers"]
            ],
        )
        + _table(
            "deployed topics",
            ["topic", "partition", "leader", "replicas", "in sync"],
            [
                [topic["topic"], each["partition"], each["leader"], each["replicas"], each["in_sync"]]
                for topic in cluster["topics"]
                for each in topic["partitions"]
            ],
        )
    )


def _facts(facts):
    """Render dict[str, value], or a list of such pairs, as names with their values."""
    pairs = facts.items() if isinstance(facts, dict) else facts
    lines = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(_text(value))}</dd></div>" for name, value in pairs)
    return f"<dl>{lines}</dl>" if lines else ""


def _table(name, columns, rows):
    """Render a table; but for the headings, the columns in which all is a number are aligned to the right."""
    if not rows:
        return ""
    # What a broken cluster gave may have gaps, and the page must show it nevertheless.
    width = max(map(len, [columns, *rows]))
    columns, *rows = ([*row, *[""] * (width - len(row))] for row in [columns, *rows])
    right = [
        ' class="number"' if index and all(isinstance(value, int | float | None) for value in column) else ""
        for index, column in enumerate(zip(*rows, strict=True))
    ]
    head = "".join(
        f'<th scope="col"{align}>{escape(_text(column))}</th>' for column, align in zip(columns, right, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            (f"<td{align}>{escape(_text(value))}</td>" if index else f'<th scope="row">{escape(_text(value))}</th>')
            for index, (value, align) in enumerate(zip(row, right, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    # A wide table scrolls inside of this, and the keyboard can reach what scrolls.
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name)}">'
        f"<table><caption>{escape(name)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


# Words


def _bad(run):
    return [test for test in run["tests"] if test["outcome"] in BAD]


def _module_of(test):
    return test["module"]


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


def _css(outcome):
    return outcome.replace(" ", "-")


def _text(value):
    """Show a value as people write it: list "1, 2", None as a dash, a fraction with three digits."""
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

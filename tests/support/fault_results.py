"""The fate of the messages in each fault, as two tables: one JSON file for each row, one page and one JSON for all.

A run of one fault replaces its own row; the others stay as they were measured, each with its date.
"""

import json
from pathlib import Path

MODES = ("ZooKeeper", "KRaft")
STALLS = {"produce_stall": "longest produce stall", "consume_stall": "longest consume stall"}
COUNTS = ("acked", "refused", "consumed", "lost", "duplicated", "redelivered")
# The counts of `kafka_proof.workload.audit.audit`, and the circumstances.
_KEPT = [*COUNTS, *STALLS, "started", "seconds", "cores", "kafka_python", "errors", "troubles", "producers", "problems"]
_NO_ROW = "-"


def row(title, mode, kafka, result):
    """Return a row: `title` of the fault, one of MODES, version of `kafka` such as "3.9.2", `result` of a Workload."""
    return {"fault": title, "mode": mode, "kafka": kafka, **{name: result[name] for name in _KEPT}}


def save(directory, name, new):
    """Keep a row as directory/NAME.json, and write directory/faults.md and directory/faults.json of all rows there."""
    directory = Path(directory)
    (directory / "rows").mkdir(parents=True, exist_ok=True)
    (directory / "rows" / f"{name}.json").write_text(json.dumps(new, indent=2) + "\n", encoding="utf-8")
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((directory / "rows").glob("*.json"))]
    rows = [each for each in found if "mode" in each]  # others are of an earlier version of this project
    (directory / "faults.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (directory / "faults.md").write_text(page(rows), encoding="utf-8")


def page(rows):
    """Return the rows as Markdown. A row with a problem says so below the tables."""
    faults = list(dict.fromkeys(each["fault"] for each in rows))
    rows = sorted(rows, key=lambda each: (faults.index(each["fault"]), MODES.index(each["mode"])))
    machines = sorted({f"{each['cores']} cores, kafka-python {each['kafka_python']}" for each in rows})
    problems = [f"- **{each['fault']}**, {each['mode']}: {problem}" for each in rows for problem in each["problems"]]
    measured = "Measured on " + "; ".join(machines) + "."
    return "\n".join([*stalls(rows), "", *counts(rows), "", measured, *([""] if problems else []), *problems, ""])


def stalls(rows):
    """Return the lines of the table in which the modes stand side by side for the same fault."""
    found = {(each["fault"], each["mode"]): each for each in rows}
    columns = [(mode, kind) for kind in STALLS for mode in MODES]
    header = ["fault", "lost", *(f"{STALLS[kind]}, {mode}" for mode, kind in columns)]
    lines = []
    for fault in dict.fromkeys(each["fault"] for each in rows):
        lost = sum(found[fault, mode]["lost"] for mode in MODES if (fault, mode) in found)
        cells = [f"{found[fault, mode][kind]:.1f} s" if (fault, mode) in found else _NO_ROW for mode, kind in columns]
        lines.append([fault, f"{lost:,}", *cells])
    return _table(header, ["---"] + ["--:"] * (len(header) - 1), lines)


def counts(rows):
    """Return the lines of the table of messages, a line for each row."""
    header = ["fault", "mode", *COUNTS, "Kafka", "date"]
    lines = [
        [each["fault"], each["mode"], *(f"{each[name]:,}" for name in COUNTS), each["kafka"], each["started"][:10]]
        for each in rows
    ]
    return _table(header, ["---"] * 2 + ["--:"] * len(COUNTS) + ["---"] * 2, lines)


def _table(header, rule, rows):
    return [f"| {' | '.join(line)} |" for line in [header, rule, *rows]]

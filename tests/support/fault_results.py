"""What became of the messages in each fault, as a table: one JSON file for each, one page and one JSON for all.

A run of one fault replaces its own row; the others stay as they were measured, each with its date.
"""

import json
from pathlib import Path

COLUMNS = {  # of the page: what `kafka_proof.workload.audit.audit` counts, in the order in which it is read
    "acked": "acked",
    "refused": "refused",
    "consumed": "consumed",
    "lost": "lost",
    "duplicated": "duplicated",
    "redelivered": "redelivered",
    "produce_stall": "longest produce stall",
    "consume_stall": "longest consume stall",
}
_SECONDS = {"produce_stall", "consume_stall"}
_KEPT = [*COLUMNS, "started", "seconds", "cores", "kafka_python", "errors", "troubles", "producers", "problems"]


def row(title, kafka, result):
    """Return a row: `title` of the fault, version of `kafka` such as "3.9.2", `result` of a Workload."""
    return {"fault": title, "kafka": kafka, **{name: result[name] for name in _KEPT}}


def save(directory, name, new):
    """Keep a row as directory/NAME.json, and write directory/faults.md and directory/faults.json of all rows there."""
    directory = Path(directory)
    (directory / "rows").mkdir(parents=True, exist_ok=True)
    (directory / "rows" / f"{name}.json").write_text(json.dumps(new, indent=2) + "\n", encoding="utf-8")
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((directory / "rows").glob("*.json"))]
    (directory / "faults.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (directory / "faults.md").write_text(page(rows), encoding="utf-8")


def page(rows):
    """Return the rows as Markdown. A row with a problem says so below the table."""
    header = ["fault", *COLUMNS.values(), "Kafka", "date"]
    lines = [header, ["---"] + ["--:"] * len(COLUMNS) + ["---"] * 2]
    lines += [
        [each["fault"], *(_cell(name, each[name]) for name in COLUMNS), each["kafka"], each["started"][:10]]
        for each in rows
    ]
    text = [f"| {' | '.join(line)} |" for line in lines]
    machines = sorted({f"{each['cores']} cores, kafka-python {each['kafka_python']}" for each in rows})
    problems = [f"- **{each['fault']}**: {problem}" for each in rows for problem in each["problems"]]
    return "\n".join(
        [*text, "", "Measured on " + "; ".join(machines) + ".", *([""] if problems else []), *problems, ""]
    )


def _cell(name, value):
    return f"{value:.1f} s" if name in _SECONDS else f"{value:,}"

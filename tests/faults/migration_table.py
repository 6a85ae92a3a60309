"""The fate of the messages in each phase of a migration: a JSON file for each row, and a table of all."""

import json
from pathlib import Path

_COLUMNS = {
    "interrupted": "interrupted and continued",
    "returned": "returned to ZooKeeper",
    "lost": "lost",
    "duplicated": "duplicated",
    "produce_stall": "longest produce stall",
    "consume_stall": "longest consume stall",
}
_STALLS = ("produce_stall", "consume_stall")


def row(phase, forward, back=None, interrupted=True):
    """Return a row. forward: the result of a Workload during the phase; back: during its rollback."""
    results = [forward, *([back] if back else [])]
    return {
        "phase": phase,
        "interrupted": f"{'yes' if interrupted else 'not interrupted'}, {forward['acked']:,} messages",
        "returned": f"yes, {back['acked']:,} messages" if back else "no way back",
        "started": forward["started"],
        "problems": [problem for result in results for problem in result["problems"]],
        **{name: sum(result[name] for result in results) for name in ("lost", "duplicated")},
        **{name: max(result[name] for result in results) for name in _STALLS},
    }


def save(directory, new):
    """Keep a row as directory/rows/N.json, in the order of the phases, and write directory/migration.md of all rows."""
    directory = Path(directory)
    (directory / "rows").mkdir(parents=True, exist_ok=True)
    path = directory / "rows" / f"{new['phase']}.json"
    path.write_text(json.dumps(new, indent=2) + "\n", encoding="utf-8")
    rows = [json.loads(each.read_text(encoding="utf-8")) for each in (directory / "rows").glob("*.json")]
    (directory / "migration.md").write_text(page(sorted(rows, key=lambda each: each["started"])), encoding="utf-8")


def page(rows):
    """Return the rows as a table in Markdown."""
    lines = [["phase", *_COLUMNS.values(), "date"], ["---", *["--:"] * len(_COLUMNS), "---"]]
    lines += [[each["phase"], *(_cell(name, each[name]) for name in _COLUMNS), each["started"][:10]] for each in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(name, value):
    return f"{value:.1f} s" if name in _STALLS else str(value)

"""The table of faults: a row for each, and what is wrong below it."""

import json

from kafka_proof.workload.audit import Evidence, audit
from tests.support.fault_results import COLUMNS, page, row, save

RESULT = audit(Evidence()) | {
    "started": "2026-11-24T22:28:03+00:00",
    "seconds": 40.0,
    "cores": 2,
    "kafka_python": "3.0.12",
    "producers": ["0/0"],
    "troubles": {},
    "acked": 8000,
    "produce_stall": 5.345,
}


def test_page():
    rows = [row("SIGKILL", "3.9.2", RESULT), row("a wiped disk", "3.9.2", RESULT | {"problems": ["3 are gone"]})]

    header, _, first, _, _, machine, _, problem = page(rows).splitlines()

    assert header == "| fault | " + " | ".join(COLUMNS.values()) + " | Kafka | date |"
    assert first == "| SIGKILL | 8,000 | 0 | 0 | 0 | 0 | 0 | 5.3 s | 0.0 s | 3.9.2 | 2026-11-24 |"
    assert machine == "Measured on 2 cores, kafka-python 3.0.12."
    assert problem == "- **a wiped disk**: 3 are gone"


def test_a_new_row_replaces_its_own_and_leaves_the_others(tmp_path):
    save(tmp_path, "1-kill", row("kill", "3.9.2", RESULT))
    save(tmp_path, "2-cut", row("cut", "3.9.2", RESULT))

    save(tmp_path, "1-kill", row("kill", "3.9.2", RESULT | {"acked": 1}))

    assert [(each["fault"], each["acked"]) for each in json.loads((tmp_path / "faults.json").read_text())] == [
        ("kill", 1),
        ("cut", 8000),
    ]
    assert (tmp_path / "faults.md").read_text().count("\n| ") == 3  # the line below the header, and two rows

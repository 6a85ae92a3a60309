"""The table of faults: a row for each, and what is wrong below it."""

import json

from kafka_proof.workload.audit import Evidence, audit
from tests.support.fault_results import COUNTS, page, row, save

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
    rows = [
        row("SIGKILL", "KRaft", "4.4.0", RESULT | {"produce_stall": 0.04}),
        row("SIGKILL", "ZooKeeper", "3.9.2", RESULT),
        row("a wiped disk", "ZooKeeper", "3.9.2", RESULT | {"lost": 3, "problems": ["3 are gone"]}),
    ]

    stalls, counts, machine, problems = page(rows).split("\n\n")

    assert stalls.splitlines()[0] == (
        "| fault | lost | longest produce stall, ZooKeeper | longest produce stall, KRaft "
        "| longest consume stall, ZooKeeper | longest consume stall, KRaft |"
    )
    assert stalls.splitlines()[2:] == [
        "| SIGKILL | 0 | 5.3 s | 0.0 s | 0.0 s | 0.0 s |",
        "| a wiped disk | 3 | 5.3 s | - | 0.0 s | - |",
    ]
    assert counts.splitlines()[0] == "| fault | mode | " + " | ".join(COUNTS) + " | Kafka | date |"
    assert counts.splitlines()[2] == "| SIGKILL | ZooKeeper | 8,000 | 0 | 0 | 0 | 0 | 0 | 3.9.2 | 2026-11-24 |"
    assert machine == "Measured on 2 cores, kafka-python 3.0.12."
    assert problems == "- **a wiped disk**, ZooKeeper: 3 are gone\n"


def test_a_new_row_replaces_its_own_and_leaves_the_others(tmp_path):
    save(tmp_path, "1-kill", row("kill", "KRaft", "4.4.0", RESULT))
    save(tmp_path, "2-cut", row("cut", "KRaft", "4.4.0", RESULT))

    save(tmp_path, "1-kill", row("kill", "KRaft", "4.4.0", RESULT | {"acked": 1}))

    assert [(each["fault"], each["acked"]) for each in json.loads((tmp_path / "faults.json").read_text())] == [
        ("kill", 1),
        ("cut", 8000),
    ]
    assert (tmp_path / "faults.md").read_text().count("\n| kill ") == 2  # one line in each table

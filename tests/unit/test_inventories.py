"""The inventories that users copy."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ask(inventory, *what):
    """What Ansible makes of it."""
    command = ["ansible-inventory", "--inventory", str(ROOT / inventory), *what]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize(
    ("inventory", "hosts"),
    [
        ("inventory.example", {"localhost": None}),
        ("examples/laptop.ini", {"kafka-1": 1, "kafka-2": 2, "kafka-3": 3}),
        ("examples/hosts.ini", {"kafka-1": 1, "kafka-2": 2, "kafka-3": 3}),
    ],
)
def test_both_groups_and_ids(inventory, hosts):
    found = ask(inventory, "--list")
    variables = found["_meta"]["hostvars"]
    assert found["kafka"]["hosts"] == found["zookeeper"]["hosts"] == list(hosts)
    assert {host: variables[host].get("kafka_broker_id") for host in hosts} == hosts

"""The inventories that users copy."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def ask(inventory, *what):
    """The inventory as Ansible reads it."""
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


@pytest.mark.parametrize("inventory", ["examples/laptop.ini", "examples/hosts.ini"])
def test_a_host_that_is_no_broker_any_more_keeps_its_address_and_id(inventory, tmp_path):
    text = (ROOT / inventory).read_text()
    copy = tmp_path / "hosts.ini"
    copy.write_text(text.replace("[kafka]\nkafka-[1:3]", "[kafka]\nkafka-[1:2]").replace("kafka-3\n\n[all", "\n[all"))
    before, after = ask(inventory, "--list"), ask(copy, "--list")
    assert after["kafka"]["hosts"] == ["kafka-1", "kafka-2"]
    assert after["_meta"]["hostvars"] == before["_meta"]["hostvars"]


def test_what_is_done_here_is_done_as_who_we_are():
    """ansible_connection and ansible_become of an inventory are for its hosts, and win over a task's keywords."""
    for path in [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml")]:
        for task in here(yaml.safe_load(path.read_text())):
            assert task["vars"]["ansible_connection"] == "local", (path, task["name"])
            assert task["vars"]["ansible_become"] is False, (path, task["name"])


def here(found):
    """Tasks and plays that are for this machine."""
    if isinstance(found, dict):
        if found.get("delegate_to") == "localhost" or found.get("hosts") == "localhost":
            yield found
        found = list(found.values())
    for item in found if isinstance(found, list) else []:
        yield from here(item)

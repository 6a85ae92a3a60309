"""`python -m kafka_proof.workload`: what it says, what it leaves, and how it ends."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kafka_proof.client.connection import connect
from kafka_proof.client.wait import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workload(cluster, tmp_path):
    """workload(options): the command, started on the cluster."""
    path = tmp_path / "client.properties"
    path.write_text("".join(f"{key}={value}\n" for key, value in cluster.properties.items()))
    command = [sys.executable, "-m", "kafka_proof.workload", "--client-properties", str(path)]
    started = []

    def start(*options):
        started.append(subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def names(cluster):
    """Topics and groups that begin as those of a workload do."""
    with connect(cluster.arguments) as admin:
        found = [*admin.list_topics(), *(group["group_id"] for group in admin.list_groups())]
    return [name for name in found if name.startswith("workload-")]


def test_all_is_well_and_nothing_is_left(cluster, workload, tmp_path):
    process = workload("--seconds", "5", "--report", str(tmp_path / "report.json"))

    said, _ = process.communicate(timeout=120)

    result = json.loads((tmp_path / "report.json").read_text())
    assert process.returncode == 0, said
    assert (result["lost"], result["problems"], result["acked"]) == (0, [], result["sent"])
    assert said.startswith(f"sent {result['sent']}, acked {result['sent']}, refused 0")
    assert names(cluster) == []


def test_it_can_be_ended_early(cluster, workload):
    """SIGTERM ends the sending, not the adding up."""
    started = time.monotonic()
    process = workload("--seconds", "300")
    wait_until("the workload's group", lambda: names(cluster), lambda seen: len(seen) == 2, pause=0.2)

    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)

    assert process.returncode == 0, said
    assert ", lost 0," in said
    assert time.monotonic() - started < 120
    assert names(cluster) == []


def test_a_topic_that_is_not_there(workload):
    process = workload("--topic", "no-such-topic", "--seconds", "5")

    assert (process.wait(timeout=120), process.stdout.read()) == (2, "")

"""The report of a run against a broker."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_run_leaves_a_page_with_the_facts_of_its_cluster(client_properties, tmp_path):
    command = [
        sys.executable,
        "-m",
        "kafka_proof.testing.suite",
        "--client-properties",
        client_properties,
        "--topic",
        "kafka_demo:2",
        "--report",
        tmp_path / "report.html",
    ]
    run = subprocess.run(
        [*command, "-k", "deployed_topic"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout
    assert "passed: The one property holds." in run.stdout.splitlines()

    page = (tmp_path / "report.html").read_text()
    for words in ("The one property holds.", "kafka_demo", "cluster id", "advertised address", "controller"):
        assert words in page

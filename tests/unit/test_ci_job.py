"""The step of a CI job that proves its Kafka runs the suite; tests/ci runs all of it, which takes minutes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def job(step, **settings):
    return subprocess.run(
        [sys.executable, ROOT / "ci" / "job.py", step],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {f"KAFKA_PROOF_{name}": value for name, value in settings.items()},
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"TOPICS": "[orders]"}, "KAFKA_PROOF_TOPICS has 'orders', a topic without a name."),
        ({"TOPICS": "[{partitions: 3}]"}, "KAFKA_PROOF_TOPICS has {'partitions': 3}, a topic without a name."),
        ({"VARIABLES": "{kafka_topics_present: 3}"}, "an unexpected TypeError"),
    ],
)
def test_wrong_settings_are_one_line_and_status_2(settings, message):
    done = job("smoke", **settings)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert message in done.stderr


def test_smoke_runs_the_suite_and_keeps_its_report(tmp_path):
    done = job("smoke", CLIENT_PROPERTIES=str(tmp_path / "none"), REPORT=str(tmp_path / "report"))

    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{tmp_path / 'none'}: no such file. Deploy first" in done.stdout
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"smoke.html", "smoke.xml"}

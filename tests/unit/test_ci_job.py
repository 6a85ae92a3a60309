"""The step of a CI job that proves its Kafka runs the suite; tests/ci runs all of it, which takes minutes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_smoke_runs_the_suite_and_keeps_its_report(tmp_path):
    settings = {
        "KAFKA_PROOF_CLIENT_PROPERTIES": str(tmp_path / "none"),
        "KAFKA_PROOF_REPORT": str(tmp_path / "report"),
    }
    done = subprocess.run(
        [sys.executable, ROOT / "ci" / "job.py", "smoke"],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | settings,
    )

    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{tmp_path / 'none'}: no such file. Deploy first" in done.stdout
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"smoke.html", "smoke.xml"}

"""Molecule's scenarios, each from nothing to nothing. `molecule test --scenario-name NAME` shows one while it runs."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Not in every run of CI: `.ci/run` is `default`, tests/deploy has `kraft`, tests/faults a cluster like `laptop`, and
# `secure` is more than `kraft-cluster`.
LONG = {"default", "kraft", "kraft-cluster", "laptop", "migrate", "rotate", "secure-zookeeper"}
SECONDS = 3600

SCENARIOS = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in LONG else []) for name in SCENARIOS]
)
def test_scenario(name, tmp_path):
    log = tmp_path / "log"
    plain = {"ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"}
    # `timeout` ends all that Molecule started.
    command = ["timeout", str(SECONDS), "molecule", "test", "--scenario-name", name]
    with log.open("w") as out:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | plain, stdout=out, stderr=out, check=False)
    assert done.returncode == 0, log.read_text(errors="replace")

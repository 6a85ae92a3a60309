"""actionlint on every workflow here. The schemas of the actions and of GitLab's files are part of `tox -e lint`."""

import shutil
import subprocess

import pytest

from tests.ci.conftest import ROOT
from tests.ci.jobs import environment

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def test_workflows():
    command = ["actionlint"] if shutil.which("actionlint") else ["go", "run", ACTIONLINT]
    if not shutil.which(command[0]):
        pytest.skip("neither actionlint nor Go, which would fetch it, is installed")
    workflows = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/*/.github/workflows/*.yml")]
    assert len(workflows) >= 2

    # With this environment's shellcheck, which actionlint uses for what steps run.
    done = subprocess.run(
        [*command, *map(str, workflows)], check=False, cwd=ROOT, env=environment(), capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr

"""Installed from a wheel, away from the checkout, the suite and its tools run as they do in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from suite_run import ROOT, names

COMMANDS = ("kafka-lag", "kafka-doctor", "kafka-status")
OPTIONS = (
    "--bootstrap-server",
    "--client-properties",
    "--topic",
    "--read-only",
    "--existing-topic",
    "--prefix",
    "--deadline",
    "--report",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """installed(command, …): run a command of a fresh environment in an empty directory; returns what came of it."""
    venv, elsewhere = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("elsewhere")
    for command in (
        ["venv", "--python", sys.executable, venv],
        ["pip", "install", "--python", venv / "bin/python", ROOT],
    ):
        subprocess.run(
            [Path(sys.executable).with_name("uv"), *command, "--quiet", *(["--clear"] if "venv" in command else [])],
            check=True,
            cwd=elsewhere,
        )
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "VIRTUAL"))
    }

    def installed(command, *arguments):
        return subprocess.run(
            [venv / "bin" / command, *map(str, arguments)],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return installed


def test_help_shows_the_options(installed):
    run = installed("pytest", "--help")

    assert run.returncode == 0, run.stderr
    assert all(option in run.stdout for option in OPTIONS)


def test_whole_suite_with_its_options_and_no_noise(installed, broker, tmp_path):
    page, xml = tmp_path / "page.html", tmp_path / "junit.xml"
    options = ("--prefix", "installed", "--deadline", "120", "--report", page, "--junit-xml", xml)

    run = installed("pytest", "--pyargs", "smoke", "--bootstrap-server", broker.address, *options)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "arning" not in run.stdout + run.stderr
    assert page.read_text().startswith("<!")
    assert "<testsuite" in xml.read_text()
    assert names(broker.arguments, "installed-") == []


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(installed, broker, tmp_path, command):
    properties = tmp_path / "client.properties"
    properties.write_text(f"bootstrap.servers={broker.address}\n")

    run = installed(command, "--client-properties", properties)

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout
    assert "arning" not in run.stderr

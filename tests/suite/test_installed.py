"""Installed from a wheel, away from the checkout, the suite and its tools run as in it; and in it also without that."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.suite.suite_run import ROOT, names

pytestmark = pytest.mark.sample
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
    "--timeout",
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
            timeout=360,
            check=False,
        )

    return installed


def test_the_suite_has_its_options_and_pytest_has_none_of_them(installed):
    suite, pytest_alone = installed("kafka-smoke", "--help"), installed("pytest", "--help")

    assert suite.returncode == pytest_alone.returncode == 0, suite.stderr + pytest_alone.stderr
    assert [option for option in OPTIONS if option not in suite.stdout] == []
    assert [option for option in OPTIONS if f"  {option}" in pytest_alone.stdout] == []
    assert "kafka" not in pytest_alone.stdout.lower().replace("kafka-proof", "")


def test_one_fixture_and_one_top_level_package(installed):
    fixtures = installed("pytest", "--fixtures", "-q").stdout
    listed = "from importlib.metadata import files; print({str(f).split('/')[0] for f in files('kafka-proof')})"
    packages = installed("python", "-c", listed).stdout

    assert [line.split()[0] for line in fixtures.splitlines() if "kafka_" in line and "[session" in line] == [
        "kafka_cluster"
    ]
    assert set(re.findall(r"'([\w.-]+)'", packages)) - {"..", "__pycache__"} == {
        "kafka_proof",
        "kafka_proof-0.1.0.dist-info",
    }


def test_whole_suite_with_its_options_and_no_noise(installed, broker, tmp_path):
    page, xml = tmp_path / "page.html", tmp_path / "junit.xml"
    options = ("--prefix", "installed", "--deadline", "300", "--report", page, "--junit-xml", xml)

    run = installed("kafka-smoke", "--bootstrap-server", broker.address, *options)

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


@pytest.fixture
def bare(tmp_path):
    """bare(option, …): run `pytest smoke` in the checkout, where the package is not installed; its dependencies are.

    `without`: names of modules that are missing, too.
    """

    def bare(*options, without=()):
        environment = tmp_path / "bare"
        venv.create(environment, symlinks=True)
        [packages] = environment.glob("lib/python*/site-packages")
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if path.suffix != ".pth" and path.name.split("-")[0] not in ("kafka_proof", *without):
                (packages / path.name).symlink_to(path)
        return subprocess.run(
            [environment / "bin/python", "-P", "-m", "pytest", "smoke", *map(str, options)],  # -P: like `pytest`
            cwd=ROOT,
            env={
                key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "VIRTUAL"))
            },
            capture_output=True,
            text=True,
            timeout=360,
            check=False,
        )

    return bare


def test_the_checkout_needs_no_installed_package(bare, broker):
    run = bare("--bootstrap-server", broker.address, "--prefix", "bare")

    assert run.returncode == 0, run.stdout + run.stderr
    assert "arning" not in run.stdout + run.stderr
    assert names(broker.arguments, "bare-") == []


@pytest.mark.parametrize(
    ("options", "without"),
    [((), ("kafka",)), ((), ("javaproperties", "lz4")), (("--import-mode=importlib",), ("kafka_proof",))],
)
def test_what_is_not_installed_is_named_in_one_line(bare, options, without):
    run = bare(*options, "--client-properties", "none", without=without)

    assert run.returncode == 2, run.stdout + run.stderr
    assert re.fullmatch(rf"smoke: not installed for \S+: {', '.join(without)}\. Install .*\n", run.stderr), run.stderr
    assert run.stdout == ""

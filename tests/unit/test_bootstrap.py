"""Advice of bootstrap where it cannot make the environment. tests/platforms makes it with every Python there is."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Python 3.11 of Debian without the package python3.11-venv.
PYTHON = """case $* in
    *ensurepip*) exit 1 ;;
    *python3.%d-venv*) echo python3.11-venv ;;
esac"""


@pytest.fixture
def bootstrap(tmp_path):
    """Run a copy of bootstrap where PATH has only stand-ins: {command: shell script}. Returns the last line it said."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("cat", "cmp", "dirname", "sh"):
        (commands / name).symlink_to(shutil.which(name))
    for name in ("bootstrap", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    def run(env=(), **scripts):
        for name, script in scripts.items():
            (commands / name.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
            (commands / name.replace("_", "-")).chmod(0o755)
        command = [tmp_path / "bootstrap", "true"]
        env = {"PATH": str(commands), **dict(env)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 1, done.stderr
        assert not (tmp_path / ".venv").exists()
        return done.stderr.splitlines()[-1]

    return run


def test_no_python(bootstrap):
    said = bootstrap(python3="exit 1")
    assert "no Python 3.11 or newer among: python3 python3.11 python3.12 python3.13 python3.14." in said
    assert "PYTHON=/path/to/python3 ./bootstrap" in said


def test_the_named_python_is_too_old(bootstrap):
    said = bootstrap(env={"PYTHON": "python9"}, python3="true", python9="exit 1")
    assert "no Python 3.11 or newer among: python9." in said


def test_a_missing_package_and_no_root(bootstrap):
    said = bootstrap(python3=PYTHON, apt_get="exit 9", id="echo 1000", sudo="exit 1")
    assert said.endswith("needs root. Run: sudo apt-get update && sudo apt-get install python3.11-venv")


@pytest.mark.parametrize(("user", "sudo"), [("0", "exit 9"), ("1000", 'shift; "$@"')])
def test_a_package_that_cannot_be_installed(bootstrap, user, sudo):
    said = bootstrap(python3=PYTHON, apt_get="exit 100", id=f"echo {user}", sudo=sudo)
    assert "could not install python3.11-venv (see above)" in said
    assert "sudo apt-get update && sudo apt-get install python3.11-venv" in said
    assert "Without a network" in said


def test_no_ensurepip_and_no_apt(bootstrap):
    assert "python3 cannot make a virtual environment (no ensurepip)" in bootstrap(python3=PYTHON)

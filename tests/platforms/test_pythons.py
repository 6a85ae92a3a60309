"""Each Python of this machine that is new enough makes the environment, and the code works on the newest."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platforms.checkout import checkout

OLDEST = 11  # of the Pythons 3.x, as pyproject.toml says
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def pythons():
    """The interpreters of this machine, in PATH and of pyenv, one of each minor version: {"3.11": Path}."""
    directories = [Path(directory) for directory in os.environ["PATH"].split(":")]
    # A shim of pyenv runs only the version that is chosen.
    directories = [directory for directory in directories if directory.name != "shims"]
    found = {}
    for directory in [*directories, *sorted(PYENV.glob("versions/*/bin"))]:
        for path in directory.glob("python3.*"):
            minor = re.fullmatch(r"python3\.(\d+)", path.name)
            if minor and int(minor[1]) >= OLDEST:
                found.setdefault(path.name.removeprefix("python"), path.resolve())  # that of a .venv is a link
    return found


@pytest.fixture
def run(tmp_path):
    """Run a command by bootstrap in a fresh checkout. Returns what it printed, and what bootstrap said."""
    subprocess.run(["tar", "--extract"], cwd=tmp_path, input=checkout(), check=True)

    def run(*command, **env):
        # Nothing but bootstrap compiles the packages.
        env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | env
        done = subprocess.run(
            ["./bootstrap", *command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout, done.stderr

    yield run
    shutil.rmtree(tmp_path / ".venv")  # pytest keeps the rest


RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"  # bootstrap made its environment, too


@pytest.mark.parametrize(
    "version", [pytest.param(each, marks=pytest.mark.long) if each == RUNNING else each for each in pythons()]
)
def test_the_environment_is_made_once_and_runs(run, version, tmp_path):
    python = "import sys; print('%d.%d' % sys.version_info[:2])"
    printed, said = run("python", "-c", python, PYTHON=str(pythons()[version]))
    assert printed.strip() == version
    assert "making .venv" in said
    packages = tmp_path / ".venv" / "lib" / f"python{version}" / "site-packages"
    for package in ("ansible", "kafka"):
        assert list((packages / package / "__pycache__").glob("*.pyc")), f"{package} is not compiled"

    _, said = run("ansible-playbook", "--syntax-check", "site.yml")
    assert "bootstrap" not in said
    run("pytest", "tests", "--collect-only", "--quiet", "--quiet")


@pytest.mark.long
def test_the_newest_one_runs_the_unit_tests(run):
    newest = max(pythons(), key=lambda each: int(each.partition(".")[2]))
    run("pytest", "tests/unit", "-q", "-p", "no:cacheprovider", PYTHON=str(pythons()[newest]))

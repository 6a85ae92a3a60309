"""Advice of bootstrap where it cannot make the environment. tests/platforms makes it with every Python there is."""

import os
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
    for name in ("cat", "cmp", "dirname", "locale", "ls", "sh", "xargs"):
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


@pytest.fixture
def whole(tmp_path):
    """A copy of bootstrap beside an environment that it takes for whole. Returns a function that runs it."""
    packages = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "kafka").mkdir(parents=True)
    (tmp_path / ".venv" / "contents").write_text("kafka\n")
    (tmp_path / ".venv" / "bin").mkdir()
    (tmp_path / ".venv" / "bin" / "python").symlink_to(shutil.which("true"))
    for name in ("bootstrap", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    recipe = [f"{tmp_path}\n", *((ROOT / name).read_text() for name in ("requirements.lock", "pyproject.toml"))]
    (tmp_path / ".venv" / "made-from").write_text("".join(recipe))

    def run(script, **env):
        command = [tmp_path / "bootstrap", "sh", "-c", script]
        path = os.environ["PATH"]
        return subprocess.run(
            command, env={"PATH": path, **env}, cwd="/", capture_output=True, text=True, check=False, timeout=30
        )

    return run


@pytest.mark.parametrize(
    "env",
    [{}, {"LANG": "C"}, {"LC_ALL": "xx_XX.UTF-8"}, {"LANG": "C.UTF-8", "LC_TIME": "xx_XX.UTF-8"}],
    ids=["none", "not UTF-8", "one that does not exist", "one part that does not exist"],
)
def test_a_locale_that_ansible_refuses_is_replaced(whole, env):
    assert whole('echo "$LC_ALL"', **env).stdout == "C.UTF-8\n"


def test_a_locale_that_works_stays(whole):
    assert whole('echo "$LC_ALL$LANG"', LANG="C.UTF-8").stdout == "C.UTF-8\n"


def test_ansible_finds_its_settings_from_any_directory(whole, tmp_path):
    assert whole('echo "$ANSIBLE_CONFIG"').stdout == f"{tmp_path}/ansible.cfg\n"
    assert whole('echo "$ANSIBLE_CONFIG"', ANSIBLE_CONFIG="/mine.cfg").stdout == "/mine.cfg\n"


def test_a_damaged_environment_is_made_again(whole, tmp_path):
    assert whole("true").stderr == ""
    (tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "kafka").rmdir()
    done = whole("true", PYTHON="no-such-python")
    assert (done.returncode, "no Python 3.11 or newer among: no-such-python" in done.stderr) == (1, True)


def test_advice_can_name_bootstrap_where_the_environment_is_not_active(whole, tmp_path):
    assert whole('echo "$KAFKA_PROOF_BOOTSTRAP"').stdout == f"{tmp_path}/bootstrap\n"
    active = f"{tmp_path}/.venv/bin:{os.environ['PATH']}"
    assert whole('echo "$KAFKA_PROOF_BOOTSTRAP"', PATH=active).stdout == "\n"

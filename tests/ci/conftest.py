"""A sample project of a user, in its own directory, and stacks that leave nothing behind."""

import shutil
from pathlib import Path

import pytest

from tests.support.engine import engine, lock, remove

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "ci"
STACK = "cibuild"  # every name of a test's stack begins with it


def left():
    """Names of all that the engine has of the tests' stacks."""
    containers, volumes, networks = engine().containers, engine().volumes, engine().networks
    mine = {"name": f"^{STACK}"}
    found = [*containers.list(all=True, filters=mine), *volumes.list(filters=mine), *networks.list(filters=mine)]
    return sorted(each.name for each in found)


@pytest.fixture(scope="package", autouse=True)
def _alone():
    """The names of the stacks are fixed, so another run on this machine waits."""
    with lock(STACK):
        yield


@pytest.fixture(autouse=True)
def _nothing_left():
    """Each test begins with nothing, removes what it made, and is told what it forgot."""
    remove(name=f"^{STACK}")  # without Ansible, what a failed or killed test left
    yield
    forgotten = left()
    remove(name=f"^{STACK}")
    assert not forgotten, f"left behind: {forgotten}"


@pytest.fixture
def sample(tmp_path):
    """A copy of the sample project: Path."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "orders"))

"""Two runs never change one stack at once, and a run that was killed is no obstacle."""

import os
import subprocess
import sys

import pytest

from kafka_proof.deploy.lock import NAME, lock


@pytest.fixture
def other():
    with subprocess.Popen([sys.executable, "-c", "input()", "ansible"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_the_first_run_has_it_and_may_ask_again(tmp_path):
    assert lock(tmp_path / "build", os.getpid()) is None
    assert lock(tmp_path / "build", os.getpid()) is None
    assert (tmp_path / "build" / NAME).read_text() == str(os.getpid())


def test_a_second_run_is_told_who_has_it(tmp_path, other):
    assert lock(tmp_path, other.pid) is None
    assert lock(tmp_path, os.getpid()) == other.pid
    other.kill()
    other.wait()
    assert lock(tmp_path, os.getpid()) is None


def test_a_process_of_something_else_does_not_count(tmp_path, other):
    assert lock(tmp_path, other.pid) is None
    assert lock(tmp_path, os.getpid(), ours="no-such-word") is None


def test_a_file_that_is_damaged_does_not_count(tmp_path):
    (tmp_path / NAME).write_text("x")
    assert lock(tmp_path, os.getpid()) is None

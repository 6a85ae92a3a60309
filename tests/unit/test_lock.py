"""Two runs never change one stack at once, and a run that was killed is no obstacle."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kafka_proof.client.wait import wait_until
from kafka_proof.deploy.lock import lock, lock_file

FILE = "run"


@pytest.fixture
def other():
    with subprocess.Popen([sys.executable, "-c", "input()", "ansible-playbook"], stdin=subprocess.PIPE) as process:
        # For a moment after its start, a process has no command line.
        wait_until("the command line", Path(f"/proc/{process.pid}/cmdline").read_text)
        yield process
        process.kill()


def test_the_first_run_has_it_and_may_ask_again(tmp_path):
    path = lock_file(tmp_path / "build" / "client.properties")
    assert lock(path, os.getpid()) is None
    assert lock(path, os.getpid()) is None
    assert path.read_text() == str(os.getpid())
    assert [each.name for each in path.parent.iterdir()] == [".client.properties.run"]


def test_a_second_run_is_told_who_has_it(tmp_path, other):
    assert lock(tmp_path / FILE, other.pid) is None
    assert lock(tmp_path / FILE, os.getpid()) == other.pid
    other.kill()
    other.wait()
    assert lock(tmp_path / FILE, os.getpid()) is None


def test_two_runs_do_not_judge_at_once(tmp_path, other):
    (tmp_path / FILE).write_text("x")
    found = []
    second = threading.Thread(target=lambda: found.append(lock(tmp_path / FILE, os.getpid())))
    with (tmp_path / FILE).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        second.start()
        second.join(0.2)
        assert found == []
        file.write(str(other.pid))
    second.join(30)
    assert found == [other.pid]


def test_a_process_of_something_else_does_not_count(tmp_path, other):
    assert lock(tmp_path / FILE, other.pid) is None
    assert lock(tmp_path / FILE, os.getpid(), ours="no-such-word") is None


def test_a_file_that_is_damaged_does_not_count(tmp_path):
    (tmp_path / FILE).write_text("x")
    assert lock(tmp_path / FILE, os.getpid()) is None


def test_a_process_of_another_user_is_asked_what_it_is(tmp_path, monkeypatch):
    """After a restart of the machine, the id can be that of a daemon."""

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    (tmp_path / FILE).write_text("1")
    assert lock(tmp_path / FILE, os.getpid()) is None

"""Run the suite as a user does, as a separate process, and look at what a cluster has before and after."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from kafka_proof.client.connection import connect
from kafka_proof.client.wait import wait_until

ROOT = Path(__file__).resolve().parents[2]
BOUND = 360  # seconds in which every run must end; none is expected to need half of it


@dataclass
class Run:
    """The result of a run."""

    status: int
    output: str

    @property
    def verdict(self):
        """The line that says what was found, or why nothing was."""
        lines = [
            line for line in self.output.splitlines() if line.startswith(("Exit: ", "passed: ", "failed: ", "no v"))
        ]
        assert lines, self.output
        return lines[0]


def start(*options, directory=ROOT, env=None, under=()):
    """Begin a run and return its process; `finish` waits for it. `under`: a command that runs another, such as nice."""
    command = [sys.executable, "-m", "kafka_proof.testing.suite", *map(str, options)]
    return subprocess.Popen(
        # A shell's background job ignores SIGINT, and so would its children.
        ["env", "--default-signal=INT", *under, *command],
        cwd=directory,
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process, seen=""):
    """Wait until the run ends and return a Run. `seen`: what was read of its output before."""
    try:
        rest, _ = process.communicate(timeout=BOUND)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in rest, rest
    assert "Warning" not in rest, rest
    return Run(process.returncode, seen + rest)


def suite(*options, **more):
    """Run the suite to its end."""
    return finish(start(*options, **more))


def until_line(process, words):
    """Read the run's output up to a line with these words, and return what was read."""
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(f"the run ended without a line with {words!r}:\n{seen}")


def refused(run, *words):
    """The run could not begin, and says all these words in one line."""
    assert run.status == 2, run.output
    assert all(word in run.verdict for word in words), run.verdict


def names(arguments, prefix):
    """The topics and groups that begin with `prefix`: sorted list of str."""
    with connect(arguments) as admin:
        found = [*admin.list_topics(), *(group["group_id"] for group in admin.list_groups())]
    return sorted(name for name in found if name.startswith(prefix))


def answers(arguments, seconds=60):
    """Wait until the cluster answers again."""

    def look():
        try:
            connect(arguments).close()
        except ConnectionError as error:
            return error
        return None

    wait_until("the cluster to answer", look, good=lambda error: error is None, seconds=seconds)

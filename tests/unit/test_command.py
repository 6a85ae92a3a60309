"""Every command takes the same connection options, and exits with 0, 1 or 2 in the same sense."""

import contextlib
import importlib
import os
import re
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import SimpleNamespace

import pytest

import smoke
from kafka_proof.client.command import (
    INTERRUPTED,
    NO_READER,
    OK,
    PROBLEM,
    UNUSABLE,
    entry,
    fail,
    properties_of,
    seconds,
    where,
)
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.workload import __main__ as workload
from smoke.options import option_problems

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("doctor", "workload", "support", "testing.suite")  # modules in kafka_proof
RESULT = ["sent", "acked", "refused", "consumed", "lost", "duplicated", "redelivered", "produce_stall", "consume_stall"]
OPTIONS = ("--bootstrap-server", "--client-properties", "--timeout")


def run(module, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"kafka_proof.{module}", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
        timeout=60,
    )


@pytest.fixture
def needed(tmp_path):
    """needed(module): the arguments that a command cannot do without."""
    return lambda module: [tmp_path / "said", tmp_path / "support.tar.gz"] if module == "support" else []


def test_statuses():
    assert (OK, PROBLEM, UNUSABLE) == (0, 1, 2)


@pytest.mark.parametrize("module", COMMANDS)
def test_connection_options(module):
    done = run(module, "--help")

    assert done.returncode == OK, done.stderr
    assert [option for option in OPTIONS if not re.search(f"  {option}[ =]", done.stdout)] == []


@pytest.mark.parametrize("module", COMMANDS)
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--timeout", "0"), "'0' is not a number of seconds above 0"),
        (("--timeout", "nan"), "'nan' is not a number of seconds above 0"),
        (("--no-such-option",), "--no-such-option"),
        (("--bootstrap-server", "a:1", "--client-properties", "b"), "--bootstrap-server"),
    ],
)
def test_wrong_options_are_one_line_and_status_2(module, wrong, words, needed):
    done = run(module, *needed(module), *wrong)
    said = [line for line in (done.stdout + done.stderr).splitlines() if words in line]

    assert done.returncode == UNUSABLE, done.stdout + done.stderr
    assert said
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "1e20", "many"])
@pytest.mark.parametrize("option", ["--seconds", "--rate", "--members", "--delivery-timeout"])
def test_impossible_workload_is_refused(option, number, capsys):
    with pytest.raises(SystemExit) as ended:
        workload.main([option, number, "--bootstrap-server", "localhost:1"])

    assert ended.value.code == UNUSABLE
    assert f"argument {option}: {number!r} is not a number of " in capsys.readouterr().err


@pytest.mark.parametrize("module", ["doctor", "workload", "testing.suite"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--bootstrap-server", "localhost"), "--bootstrap-server: bootstrap.servers has 'localhost'"),
        (("--client-properties", "/none"), "/none: no such file"),
    ],
)
def test_a_cluster_that_is_named_wrongly_is_status_2(module, wrong, words):
    done = run(module, *wrong)

    assert done.returncode == UNUSABLE, done.stdout + done.stderr
    assert words in done.stdout + done.stderr


def test_nobody_there_is_said_with_advice():
    done = run("workload", "--bootstrap-server", "localhost:1")

    assert done.returncode == UNUSABLE
    assert done.stderr.startswith("localhost:1: no Kafka answered")
    assert "Start the broker, or correct the port: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_loss_is_reported_although_the_removal_fails(monkeypatch, capsys):
    @contextlib.contextmanager
    def run(arguments, *_, **options):
        yield SimpleNamespace(sending=False, result=dict.fromkeys(RESULT, 0) | {"problems": ["1 message is lost"]})

    @contextlib.contextmanager
    def removed(*_, **options):
        yield
        raise OSError("no broker answers any more")

    monkeypatch.setattr(workload, "_require_rights", lambda *_: None)
    monkeypatch.setattr(workload, "Workload", run)
    monkeypatch.setattr(workload, "removed", removed)

    assert workload.main(["--topic", "orders", "--bootstrap-server", "localhost:1"]) == PROBLEM
    shown = capsys.readouterr()
    assert "PROBLEM: 1 message is lost" in shown.out
    assert "no broker answers any more" in shown.err


def test_a_bundle_that_cannot_be_written_is_status_2(tmp_path):
    done = run("support", tmp_path / "said", "/dev/null/support.tar.gz", "--bootstrap-server", "localhost:1")

    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert done.stderr.startswith("/dev/null: ")


def test_no_test_and_an_unknown_option_are_status_2_of_the_suite():
    assert run("testing.suite", "-k", "no_such_test").returncode == UNUSABLE
    assert run("testing.suite", "--read-only", "--deadline", "no").returncode == UNUSABLE


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("0.5", 0.5), ("3600", 3600)])
def test_seconds(text, value):
    assert seconds(text) == value
    assert list(option_problems(options(timeout=text))) == []


def options(**more):
    values = {"bootstrap_server": None, "client_properties": None, "timeout": "5", "deadline": "180"}
    return SimpleNamespace(**values | {"prefix": "smoke", "topic": None, "existing_topic": None} | more)


def test_the_suite_checks_its_timeout_as_every_command():
    assert list(option_problems(options(timeout="3601"))) == [
        "--timeout: '3601' is not a number of seconds above 0 and up to 3600."
    ]


def test_the_cluster_of_the_options():
    assert properties_of(options(bootstrap_server="a:1")) == {"bootstrap.servers": "a:1"}
    assert where(options(bootstrap_server="a:1")) == "a:1"
    assert where(options()) == "build/client.properties"
    with pytest.raises(ClientPropertiesError, match=r"^--bootstrap-server: bootstrap\.servers has 'a', which"):
        properties_of(options(bootstrap_server="a"))


def test_an_error_is_one_printable_line(capsys):
    assert fail("one\n two \x1b[2J") == UNUSABLE
    assert capsys.readouterr().err == "one two \\x1b[2J\n"


def test_the_suite_looks_for_the_package_and_all_its_dependencies():
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {canonical(re.match(r"[\w.-]+", line)[0]) for line in dependencies}
    owners = {module: set(map(canonical, names)) for module, names in packages_distributions().items()}

    found = {name for module in smoke.REQUIRED for name in owners.get(module, ())} - {"kafka-proof"}

    assert found == wanted
    assert "kafka_proof" in smoke.REQUIRED


def canonical(name):
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@entry
def broken(message):
    raise KeyError(message)


def test_an_unexpected_error_is_one_line_and_no_problem_of_the_cluster(capsys):
    assert broken("x\nforged") == UNUSABLE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "an unexpected KeyError (" in said
    assert "at test_command.py line " in said
    assert "KAFKA_PROOF_TRACEBACK=1" in said


def test_the_traceback_is_shown_on_request(monkeypatch):
    monkeypatch.setenv("KAFKA_PROOF_TRACEBACK", "1")
    with pytest.raises(KeyError):
        broken("x")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_ended_says_nothing(number):
    program = "import sys, time; from kafka_proof.client.command import entry\n"
    program += "def wait(): print('here', flush=True); time.sleep(60)\n"
    program += "sys.exit(entry(wait)())"
    command = ["env", "--default-signal=INT", sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(number)
        assert process.stderr.read() == b""
    assert process.returncode == INTERRUPTED


def test_a_command_ends_without_a_word_when_its_reader_goes_away():
    program = "import sys; from kafka_proof.client.command import entry; sys.exit(entry(lambda: print('x' * 10**6))())"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == NO_READER


@pytest.mark.parametrize("module", ["doctor.__main__", "lag.__main__", "status", "support", "workload.__main__"])
def test_every_command_ends_in_that_way(module):
    assert importlib.import_module(f"kafka_proof.{module}").main.__wrapped__

"""The pytest plugin that collects the results of a run, shows them at once, and writes the reports in the end.

A test's claim is the first line of its docstring, or else its name. Its evidence are the values of pytest's own
`record_property(name, value)`; kafka_proof/report/page.py lists those that it can draw. JUnit XML gets them as JSON.
"""

import contextlib
import datetime
import json
import os
import platform
import shlex
import shutil
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from kafka.errors import KafkaError

from kafka_proof.client.command import UNUSABLE
from kafka_proof.client.properties import DEFAULT_PATH
from kafka_proof.client.text import printable
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.controller import active_controller, mode
from kafka_proof.cluster.versions import broker_version
from kafka_proof.report import page

from .run_control import RunControl, end_run

NAME = "kafka-report"
NOTHING = pytest.ExitCode.NO_TESTS_COLLECTED
WORDS = {"passed": "ok", "failed": "FAILED", "error": "ERROR", "skipped": "skipped"}
BAR = 20  # characters


class Reporting:
    """Register it as `NAME` in pytest_configure; call `look_at(admin)` as soon as the cluster answers.

    Writes the page where `--report` says, and, on GitHub, annotations and the summary of the job.
    """

    def __init__(self, config):
        self.config = config
        self.path = config.getoption("report")
        self.tests = {}
        self.cluster = {}
        self.reason = ""
        self.run = None
        self.written = []
        self.started = datetime.datetime.now().astimezone()
        self.began = time.monotonic()
        if self.path:
            # Now, because the run can take long, and so that no earlier page passes for this one's.
            try:
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
                Path(self.path).write_text("The run has not ended.\n")
            except OSError as error:
                end_run(f"--report {self.path}: {error.strerror}. Name a file that can be written.")

    def look_at(self, admin):
        """Keep the facts on the cluster behind `admin`, a KafkaAdminClient, for the report."""
        bootstrap = ",".join(admin.config["bootstrap_servers"])
        with contextlib.suppress(KafkaError):  # a test reports it better
            self.cluster = {"bootstrap": bootstrap} | facts(admin, RunControl.of(self.config).deployed_topic)

    # Hooks of pytest

    def pytest_collection_finish(self, session):
        self.tests = {item.nodeid: _claim(item) for item in session.items}
        if terminal := self._terminal():
            # The lines below name properties, and not files, and need no per cent.
            terminal.showfspath = terminal._show_progress_info = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        result = yield
        test = self.tests[item.nodeid]
        test["seconds"] += result.duration
        test["evidence"] = [[name, value] for name, value in item.user_properties]
        if result.failed:
            # A failed clean-up must not hide why the test failed before it.
            test["outcome"] = "failed" if result.when == "call" or test["outcome"] == "failed" else "error"
            test["message"] += "\n" * bool(test["message"]) + _message(result)
            test["details"] += "\n\n" * bool(test["details"]) + result.longreprtext
        elif result.skipped:
            test["outcome"], test["message"] = "skipped", _why_skipped(result)
        elif result.when == "call":
            test["outcome"] = "passed"
        result.user_properties = [(name, _plain(value)) for name, value in item.user_properties]  # for JUnit XML
        return result

    def pytest_keyboard_interrupt(self, excinfo):
        self.reason = str(getattr(excinfo.value, "msg", excinfo.value)) or "It was interrupted."

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session):
        # A run that ends early cleans up only now; pytest's terminal shows the end right after this.
        try:
            return (yield)
        except pytest.exit.Exception as end:  # pytest would show no summary
            self.reason = f"{self.reason} {end}".strip()
            session.exitstatus = end.returncode
        except Exception as error:
            self.reason = f"{self.reason} The clean-up failed: {error}".strip()
            raise
        finally:
            if not self.config.option.collectonly:
                self._finish()
                if self.run["verdict"] == "unusable" and session.exitstatus in (pytest.ExitCode.OK, NOTHING):
                    session.exitstatus = UNUSABLE
                elif self.run["verdict"] == "failed" and session.exitstatus == UNUSABLE:  # the run ended early
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _finish(self):
        tests = list(self.tests.values())
        self.run = {
            "verdict": page.judge(tests, self.reason),
            "reason": self.reason,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": time.monotonic() - self.began,
            "command": _command(),
            "diagnose": _diagnose(self.config),
            "cluster": self.cluster,
            "versions": _versions(),
            "tests": tests,
        }
        if self.path:
            self._write("report", self.path, "w", page.html(self.run))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            self._write("summary", summary, "a", page.markdown(self.run))

    def _write(self, what, path, mode, text):
        try:
            with Path(path).open(mode, encoding="utf-8") as file:
                file.write(text)
            self.written.append(f"{what}: {path}")
        except OSError as error:  # a full disk here is no fault of Kafka
            self.written.append(f"{what}: {path} could not be written ({error.strerror}). Make room, or name another.")

    # The terminal: a line for each property, in words, and below them, where lines can be rewritten, a bar

    def pytest_runtest_logstart(self, nodeid):
        if not (terminal := self._terminal()):
            return
        test, modules = self.tests[nodeid], [each["module"] for each in self.tests.values()]
        done = list(self.tests).index(nodeid)
        if done == 0 or modules[done - 1] != test["module"]:
            terminal.ensure_newline()
            terminal.write_line(f"\n{test['module']}", bold=True)
        if terminal.isatty():
            filled = BAR * done // len(self.tests)
            line = f"{'█' * filled}{'░' * (BAR - filled)} {done}/{len(self.tests)} {test['property']}"
            terminal.rewrite(line[: _columns() - 1], erase=True)
            terminal.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report):
        category, letter, word = yield
        if not letter or not (terminal := self._terminal()):
            return category, letter, word
        # Where pytest would print a dot, print the line.
        test = self.tests[report.nodeid]
        line = f"  {WORDS.get(category, category):8}{test['property']} ({test['seconds']:.2f} s)"
        if why := _message(report) if report.failed else _why_skipped(report) if report.skipped else "":
            line += f"\n          {printable(why.splitlines()[0])}"
        erase = f"\r{' ' * (_columns() - 1)}\r" if terminal.isatty() else ""
        return category, f"{erase}{line}\n", word

    def pytest_terminal_summary(self, terminalreporter):
        if not self.run:
            return
        terminalreporter.section("Kafka")
        on_github = os.environ.get("GITHUB_ACTIONS") == "true"
        for line in page.summary(self.run) + self.written + (page.annotations(self.run) if on_github else []):
            for part in line.splitlines() or [""]:
                terminalreporter.write_line(printable(part))

    def _terminal(self):
        """Return pytest's terminal reporter, or None when the user asked for another display than the default."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        return terminal if terminal and self.config.get_verbosity() == 0 else None


def facts(admin, topic):
    """Ask the cluster for the facts that kafka_proof/report/page.py shows, without the bootstrap servers.

    `topic`: the deployed one, (name, number of partitions), or None. It asks for this topic alone, and for no group, so
    a large cluster costs no more than a small one.
    """
    described = describe_cluster(admin)
    brokers = [
        {
            "id": broker["broker_id"],
            "host": broker["host"],
            "port": broker["port"],
            "rack": broker["rack"],
            "kafka": _kafka_version(admin, broker["broker_id"]),
        }
        for broker in sorted(described["brokers"], key=lambda broker: broker["broker_id"])
    ]
    return {
        "cluster_id": described["cluster_id"],
        "mode": mode(admin),
        "kafka": ", ".join(sorted({broker["kafka"] for broker in brokers if broker["kafka"]})),
        "controller": active_controller(admin),
        "brokers": brokers,
        "topics": [
            {
                "topic": found["name"],
                "partitions": [
                    {
                        "partition": partition["partition_index"],
                        "leader": partition["leader_id"],
                        "replicas": partition["replica_nodes"],
                        "in_sync": partition["isr_nodes"],
                    }
                    for partition in sorted(found["partitions"], key=lambda partition: partition["partition_index"])
                ],
            }
            for found in (admin.describe_topics([topic[0]]) if topic else [])
            if not found["error_code"]
        ],
    }


def _kafka_version(admin, broker):
    try:
        return broker_version(admin, broker)
    except KafkaError:
        return None  # a broker that does not answer is a finding of a test


def _claim(item):
    """Return a test before its run, in the form of kafka_proof/report/page.py."""
    return {
        "id": item.nodeid,
        "property": _words(item.obj.__doc__, getattr(item, "originalname", item.name))
        + (f" ({item.callspec.id})" if hasattr(item, "callspec") else ""),
        "module": _words(item.module.__doc__, item.module.__name__.rpartition(".")[2]),
        "outcome": "not run",
        "seconds": 0.0,
        "message": "",
        "details": "",
        "evidence": [],
    }


def _words(docstring, name):
    """Return the docstring's first line, or the name in words, as a claim without a full stop."""
    text = (docstring or "").strip().split("\n")[0] or name.removeprefix("test_").replace("_", " ")
    return (text[:1].upper() + text[1:]).removesuffix(".")


def _message(result):
    crash = getattr(result.longrepr, "reprcrash", None)  # a failure without a traceback is its text alone
    text = (crash.message if crash else result.longreprtext).strip()
    return text.removeprefix("AssertionError: ").removeprefix("Failed: ")


def _why_skipped(result):
    if hasattr(result, "wasxfail"):
        return result.wasxfail
    return result.longrepr[2].removeprefix("Skipped: ")


def _columns():
    return shutil.get_terminal_size().columns


def _plain(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _command():
    program = Path(sys.argv[0])
    words = {"suite.py": ["kafka-smoke"], "__main__.py": ["python", "-m", program.parent.name]}.get(
        program.name, [program.name]
    )
    return shlex.join([*words, *sys.argv[1:]])


def _diagnose(config):
    if address := config.getoption("bootstrap_server"):
        return shlex.join(["kafka-doctor", "--bootstrap-server", address])
    return shlex.join(["kafka-doctor", "--client-properties", config.getoption("client_properties") or DEFAULT_PATH])


def _versions():
    versions = {"Python": platform.python_version()}
    for package in ("kafka-proof", "kafka-python", "pytest"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed as a package"
    return versions

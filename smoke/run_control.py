"""Begin, bound and end a run: its options, deadline and signals, and the conditions in which no test can succeed."""

import gc
import logging
import os
import re
import signal
from collections import Counter

import pytest
from kafka.errors import KafkaError

from kafka_proof.advice import explained
from kafka_proof.client.command import UNUSABLE
from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.text import printable
from kafka_proof.client.wait import is_of_time, waiting_for

from .options import deployed_topic, option_problems
from .signals import Signals, drop_frames_without_a_line

MARKERS = {
    "read_only": "changes nothing in the cluster",
    "existing_topic": "can also be proved in a topic that others use",
}


def end_run(reason):
    """End the run. Reasons can hold text that a broker chose, and the terminal shows them as they are."""
    pytest.exit(printable(reason), UNUSABLE)


class RunControl:
    """One run of the suite, a pytest plugin. `RunControl.of(config)` returns it."""

    _KEY = pytest.StashKey()

    def __init__(self, config):
        """Ends the run when an option is wrong."""
        self.config = config
        config.stash[self._KEY] = self
        for marker, meaning in MARKERS.items():
            config.addinivalue_line("markers", f"{marker}: {meaning}")
        self.signals = Signals()
        self.signals.listen()
        for problem in option_problems(config.option):
            end_run(problem)
        self.deployed_topic = deployed_topic(config.option)
        self.kafka = None  # the arguments of any client, once they are known
        self.gone = ""  # the reason why no later test can succeed
        self.topic_id = None  # of the --existing-topic, once it is known
        self.throttled = []  # ms of each delay by a quota
        self.left_out = []  # lines: the number of tests that an option leaves out
        logging.getLogger("kafka.net.connection").addFilter(self._note_throttling)

    @classmethod
    def of(cls, config):
        return config.stash[cls._KEY]

    def _note_throttling(self, record):
        # kafka-python reports it only in its log.
        if found := re.search(r"throttled by broker \((\d+) ms\)", record.getMessage()):
            self.throttled.append(int(found[1]))
        return True

    # Which tests run, and for how long

    def pytest_collection_modifyitems(self, config, items):
        for marker in MARKERS:
            if config.getoption(marker):
                left_out = [item for item in items if not item.get_closest_marker(marker)]
                files = ", ".join(f"{n} of {file}" for file, n in Counter(item.path.name for item in left_out).items())
                option = f"--{marker.replace('_', '-')}"
                self.left_out.append(
                    f"{option} leaves out {len(left_out)} of {len(items)} properties: {files or 'none'}"
                )
                config.hook.pytest_deselected(items=left_out)
                items[:] = [item for item in items if item not in left_out]

    def pytest_report_collectionfinish(self):
        return self.left_out

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session):
        seconds = int(session.config.getoption("deadline"))

        def over(*_):
            where = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2]
            doing = f"{where}, {waiting_for()}".strip(", ") or "no test ran"
            end_run(f"--deadline: the {seconds} s are over. At that moment: {doing}. Give more, if it made progress.")

        before = signal.signal(signal.SIGALRM, over)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # the clean-up has its own bounds
            signal.signal(signal.SIGALRM, before)

    # How it ends

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo):
        drop_frames_without_a_line(excinfo)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        self.signals.ending = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        # pytest parses source in order to show it. Python 3.11 (not 3.12) fails when the garbage collector meanwhile
        # runs a finalizer that formats a traceback. Clients that lost their broker have such finalizers.
        gc.disable()
        try:
            result = yield
        finally:
            gc.enable()
        if result.failed:
            self.gone = self.gone or self._why_gone(call.excinfo.value)
            if self.gone:
                # No property failed here. The client's log has the same reason.
                result.outcome, result.sections = "skipped", []
                result.longrepr = (str(item.path), 0, "the run ends here, for the reason below")
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self):
        result = yield
        if self.gone:
            end_run(self.gone)
        return result

    def pytest_terminal_summary(self, terminalreporter):
        if self.throttled and not self.gone:
            terminalreporter.write_line(self._throttling())

    def _why_gone(self, failure):
        """Return why no test can succeed any more, "" when one can. `failure`: the exception of a test."""
        if not self.kafka:
            return ""
        # A quota explains a late answer. It does not explain a wrong one.
        if self.throttled and is_of_time(failure):
            return self._throttling()
        topic = self.config.getoption("existing_topic")
        try:
            with connect(self.kafka, float(self.config.getoption("timeout"))) as admin:
                [described] = admin.describe_topics([topic]) if topic else [{"error_code": 0}]
                # Another client can have created it again meanwhile.
                if described["error_code"] or self.topic_id not in (None, described.get("topic_id")):
                    return f"--existing-topic {topic} was deleted while it was used. Name one that stays."
        except (NoKafkaError, KafkaError) as error:
            return f"The cluster went away: {explained(error)}"
        return ""

    def _throttling(self):
        longest = max(self.throttled) / 1000
        return (
            f"The broker slowed this client down {len(self.throttled)} times, for up to {longest:.1f} s, as its quota "
            "is used up. Raise the quota: kafka-configs.sh --alter --entity-type users --entity-name … --add-config …"
        )

"""The suite can fail: each way to break a deployment or a client turns it red, in the test that claims that property.

Needs Docker and the image kafka-proof; starts and removes its own brokers. `-m sample` is what CI runs.
"""

import ast
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from tests.mutations import broken_brokers, client_mutations, mutation_table
from tests.support.brokers import Brokers

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PREFIX = "mutant"  # of the topics and groups that the suite makes here
FILES = {  # dict[test, file]
    node.name: path
    for path in sorted((ROOT / "smoke").glob("test_*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def every(mutations):
    return [pytest.param(each, id=each.name, marks=[pytest.mark.sample] if each.sample else []) for each in mutations]


@pytest.fixture(scope="module")
def brokers():
    """A ZooKeeper, and brokers to come. All are removed in the end."""
    with Brokers(broken_brokers.PREFIX) as containers:
        containers.start_zookeeper()
        yield broken_brokers.Clusters(containers)


@pytest.fixture(scope="module")
def healthy(brokers):
    """The address of a broker with nothing wrong."""
    return brokers.start(broken_brokers.HEALTHY)


@pytest.fixture
def suite(tmp_path):
    """suite(address, tests, mutation): run tests of smoke/ by name, or all; returns the exit status, a dictionary of
    each test's outcome and message, and what was printed."""

    def suite(address, tests=(), mutation=""):
        report = tmp_path / "smoke.xml"
        names = [str(FILES[test.partition("[")[0]]) + "::" + test for test in tests] or [str(ROOT / "smoke")]
        seconds = "3" if mutation == "connecting_never_ends" else "100"
        options = ["--bootstrap-server", address, "--topic", "kafka_demo:2", "--prefix", PREFIX]
        options += ["--deadline", seconds, "--junit-xml", report, "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "client_mutations", *names, *options],
            env={name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PYTEST_"))}
            | {"PYTHONPATH": str(HERE), "KAFKA_MUTATION": mutation},
            cwd=ROOT,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
        )
        return done.returncode, outcomes(report), done.stdout

    return suite


def outcomes(report):
    """Return dict[test, (its outcome, the message)] of a report in JUnit XML; {} where there is none."""
    found = {}
    for case in ET.parse(report).iter("testcase") if report.exists() else []:
        bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
        # pytest shortens the message; the whole is in the lines of the traceback that begin with E.
        said = [f"{each.get('message')}\n" + "\n".join(re.findall("^E .*", each.text or "", re.M)) for each in bad]
        found[case.get("name")] = (bad[0].tag, said[0]) if bad else ("passed", "")
    return found


def check(mutation, suite, address, in_client=""):
    """Run what `mutation` is about, and see that the suite says so and nothing else."""
    if mutation.unusable:
        status, _, output = suite(address, [mutation.green], in_client)
        assert status == 2, output
        assert re.search(mutation.unusable, output), output
        return
    status, found, output = suite(address, [*mutation.red, mutation.green] if mutation.green else [], in_client)
    assert status == (1 if mutation.red else 0), output
    # A test that is skipped, where something is broken, did not find it.
    assert {outcome for outcome, _ in found.values()} <= {"passed", "failure" if mutation.red else "skipped"}, output
    failed = {test: message for test, (outcome, message) in found.items() if outcome == "failure"}
    assert {test for test in found if test.startswith(mutation.red)} == failed.keys(), output
    for test in mutation.red:
        assert test in {name[: len(test)] for name in failed}, f"{test} did not fail\n{output}"
    for test, message in failed.items():
        assert re.search(mutation.because, message), f"{test} fails for another reason: {message}\n{output}"


def test_nothing_broken(suite, healthy):
    """Without a mutation, and with the patience of those who wait for one, the whole suite is green."""
    status, found, output = suite(healthy)

    assert status == 0, output
    assert {outcome for outcome, _ in found.values()} == {"passed"}, output
    assert {name.partition("[")[0] for name in found} == FILES.keys()


@pytest.mark.parametrize("mutation", every(mutation_table.CLIENTS))
def test_broken_client_is_found(mutation, suite, healthy):
    try:
        check(mutation, suite, healthy, in_client=mutation.name)
    finally:
        forget_what_was_only_asked_for(healthy)


def forget_what_was_only_asked_for(address):
    """Remove the topic that `asking_makes_topics` makes; it must not be there in the next run."""
    with KafkaAdminClient(bootstrap_servers=[address]) as admin:
        if made := [name for name in admin.list_topics() if name == f"{PREFIX}-there-is-no-such-topic"]:
            admin.delete_topics(made)


@pytest.mark.parametrize("mutation", every(mutation_table.DEPLOYMENTS))
def test_broken_deployment_is_found(mutation, suite, brokers):
    brokers.put_right()
    try:
        check(mutation, suite, broken_brokers.DEPLOYMENTS[mutation.name](brokers))
    finally:
        brokers.put_right()


def test_every_mutation_has_its_row():
    assert {each.name for each in mutation_table.CLIENTS} == client_mutations.MUTATIONS.keys()
    assert {each.name for each in mutation_table.DEPLOYMENTS} == broken_brokers.DEPLOYMENTS.keys()

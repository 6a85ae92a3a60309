"""The pytest plugin of kafka-proof: the fixture `kafka_cluster`, for the tests of any project.

    def test_orders(kafka_cluster):
        producer = KafkaProducer(**kafka_cluster.kafka_python)

It uses the Kafka that KAFKA_CLIENT_PROPERTIES or KAFKA_BOOTSTRAP_SERVERS names, or deploys one: see smoke/cluster.py.
pytest loads this file in every session where kafka-proof is installed, so what costs time is imported when it is used.
"""

import contextlib
import os

import pytest

_HOLD = pytest.StashKey()  # this process's smoke.cluster.Shared


def pytest_addoption(parser):
    options = parser.getgroup("kafka_cluster", "the Kafka of the fixture kafka_cluster")
    options.addoption("--keep-kafka", action="store_true", help="leave it running; the next session uses it")
    options.addoption(
        "--kafka-stack",
        metavar="NAME",
        default="kafka-proof",
        help="sessions with the same NAME share one, in containers NAME-pytest-… (default: %(default)s)",
    )


def pytest_configure(config):
    # As in smoke/__init__.py, which pytest overrides while a test runs.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


def pytest_report_header():
    # To run tests against a Kafka that somebody uses is a mistake that should be seen.
    for name in ("KAFKA_CLIENT_PROPERTIES", "KAFKA_BOOTSTRAP_SERVERS"):
        if os.environ.get(name):
            return f"kafka_cluster: {os.environ[name]} ({name})"
    return None


@pytest.fixture(scope="session")
def kafka_cluster(request, tmp_path_factory):
    """A Kafka for the session, shared with parallel workers and other sessions: smoke.cluster.Cluster.

    `bootstrap_servers` (str), `client_properties` (Path) and `kafka_python` (dict of keyword arguments). Topics and
    groups outlive a session that shares it, so a test gives them names of its own.
    """
    from smoke import cluster  # noqa: PLC0415
    from smoke.client import ClientPropertiesError, NoKafkaError  # noqa: PLC0415

    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            print(f"\n{text}", flush=True)

    try:
        if there := cluster.given(os.environ, tmp_path_factory.mktemp("kafka_cluster")):
            return there
        return _hold(request.config).cluster(say)
    except (cluster.ClusterError, ClientPropertiesError, NoKafkaError) as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)  # out here, pytest shows it once


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    # The process that runs pytest-xdist's workers is a user, too, so that a worker that ends early is not the last.
    from smoke.cluster import ClusterError  # noqa: PLC0415

    with contextlib.suppress(ClusterError):  # the workers will say it, if a test of theirs needs Kafka
        _hold(node.config)


@pytest.hookimpl(trylast=True)  # after pytest-xdist's workers have gone
def pytest_sessionfinish(session):
    if not (hold := session.config.stash.get(_HOLD, None)):
        return
    from smoke.cluster import ClusterError  # noqa: PLC0415

    try:
        hold.leave(keep=session.config.getoption("keep_kafka"))
    except ClusterError as error:
        session.config.get_terminal_writer().line(f"\n{error}", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _hold(config):
    from smoke.cluster import Shared  # noqa: PLC0415

    if _HOLD not in config.stash:
        config.stash[_HOLD] = Shared(config.getoption("kafka_stack"))
    return config.stash[_HOLD]

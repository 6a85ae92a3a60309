"""The fixture `kafka_cluster`, for the tests of any project: a pytest plugin without options.

    def test_orders(kafka_cluster):
        producer = KafkaProducer(**kafka_cluster.kafka_python)

    def test_rights(kafka_cluster):
        admin = KafkaAdminClient(**kafka_cluster(secure=True).kafka_python)  # TLS, logins and ACLs

The environment decides:

    KAFKA_CLIENT_PROPERTIES, KAFKA_BOOTSTRAP_SERVERS   a Kafka that runs; without them the fixture deploys one
    KAFKA_CLUSTER_STACK=NAME   sessions with the same NAME share a Kafka, in containers NAME-pytest-… (kafka-proof)
    KAFKA_CLUSTER_MODE=kraft   a Kafka with KRaft; zookeeper is the default
    KAFKA_CLUSTER_KEEP=1       leave it running; the next session uses it

pytest loads this file in every session where kafka-proof is installed, so slow imports are inside the functions.
"""

import contextlib
import functools
import os

import pytest

_HOLDS = pytest.StashKey()  # {secure: this process's Shared, see cluster.py}


def pytest_configure(config):
    # kafka-python's own warnings about Python 3.11 and 3.12; pytest overrides the filter of kafka_proof/__init__.py.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


def pytest_report_header():
    # Tests against a Kafka that others use are a mistake, so show its address.
    for name in ("KAFKA_CLIENT_PROPERTIES", "KAFKA_BOOTSTRAP_SERVERS"):
        if os.environ.get(name):
            return f"kafka_cluster: {os.environ[name]} ({name})"
    return None


@pytest.fixture(scope="session")
def kafka_cluster(request, tmp_path_factory):
    """A Kafka for the session, shared with parallel workers and other sessions: kafka_proof.testing.cluster.Cluster.

    `bootstrap_servers` (str), `client_properties` (Path) and `kafka_python` (dict of keyword arguments). Topics and
    groups outlive a session that shares it, so each test must use its own names.
    """
    from kafka_proof.advice import explained  # noqa: PLC0415
    from kafka_proof.client.connection import NoKafkaError  # noqa: PLC0415
    from kafka_proof.client.properties import ClientPropertiesError  # noqa: PLC0415
    from kafka_proof.testing import cluster  # noqa: PLC0415

    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            print(f"\n{text}", flush=True)

    def find(secure=False):
        try:
            if there := cluster.given(os.environ, tmp_path_factory.mktemp("kafka_cluster")):
                return cluster.given_secure(there) if secure else there
            return _hold(request.config, secure).cluster(say)
        except (cluster.ClusterError, ClientPropertiesError, NoKafkaError) as error:
            reason = explained(error)
        return pytest.fail(reason, pytrace=False)  # outside of `except`, so that pytest shows it once

    return find()._replace(find=functools.cache(find))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    # The process that runs pytest-xdist's workers also holds it, so that a worker that ends early is not the last.
    from kafka_proof.testing.cluster import ClusterError  # noqa: PLC0415

    with contextlib.suppress(ClusterError):  # a worker reports it, if one of its tests needs Kafka
        for secure in (False, True):
            _hold(node.config, secure)


@pytest.hookimpl(trylast=True)  # after pytest-xdist's workers have gone
def pytest_sessionfinish(session):
    holds = session.config.stash.get(_HOLDS, {})
    if not holds:
        return
    from kafka_proof.testing.cluster import ClusterError  # noqa: PLC0415

    for hold in holds.values():
        try:
            hold.leave(keep=os.environ.get("KAFKA_CLUSTER_KEEP") == "1")
        except ClusterError as error:
            session.config.get_terminal_writer().line(f"\n{error}", red=True)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _hold(config, secure):
    from kafka_proof.testing.cluster import Shared, known_mode  # noqa: PLC0415

    holds = config.stash.setdefault(_HOLDS, {})
    if secure not in holds:
        mode = known_mode(os.environ.get("KAFKA_CLUSTER_MODE") or "zookeeper", "KAFKA_CLUSTER_MODE")
        holds[secure] = Shared(os.environ.get("KAFKA_CLUSTER_STACK") or "kafka-proof", mode, secure)
    return holds[secure]

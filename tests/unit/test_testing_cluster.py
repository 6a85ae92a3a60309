"""Decisions of kafka_proof/testing/cluster.py without a Kafka."""

import json

import pytest

from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.testing import cluster
from kafka_proof.testing.cluster import (
    PROJECT,
    ClusterError,
    Shared,
    ansible_environment,
    describe,
    engine,
    failure,
    given,
)


@pytest.mark.parametrize(
    ("docker_host", "host"),
    [
        (None, None),
        ("", None),
        ("unix:///var/run/docker.sock", None),
        ("tcp://localhost:2375", None),
        ("tcp://127.0.0.1:2375", None),
        ("tcp://[::1]:2375", None),
        ("tcp://docker:2376", "docker"),
        ("tcp://192.0.2.1:2375", "192.0.2.1"),
    ],
)
def test_an_engine_on_another_host_publishes_there(docker_host, host):
    expected = {"kafka_advertised_host": host, "kafka_bind_address": "0.0.0.0"} if host else {}
    assert engine({} if docker_host is None else {"DOCKER_HOST": docker_host}) == expected


def report(*results):
    return json.dumps({"plays": [{"tasks": [{"hosts": {"localhost": result}} for result in results]}]})


@pytest.mark.parametrize(
    ("output", "errors", "reason"),
    [
        (
            report({"msg": "fine"}, {"failed": True, "msg": "localhost:\nport 1 is taken"}),
            "",
            "localhost: port 1 is taken",
        ),
        (report({"failed": True, "msg": "ignored"}, {"failed": True, "msg": "the last"}), "", "the last"),
        (report({"unreachable": True, "msg": "no way there"}), "", "no way there"),
        (report({"msg": "fine"}), "interrupted", "interrupted"),
        ("", "ERROR! no such\nplaybook", "ERROR! no such playbook"),
        ("it printed this", "", "it printed this"),
    ],
)
def test_failure_in_one_line(output, errors, reason):
    assert failure(output, errors) == reason


def test_nothing_given(tmp_path):
    assert given({}, tmp_path) is None
    assert given({"KAFKA_BOOTSTRAP_SERVERS": "", "KAFKA_CLIENT_PROPERTIES": ""}, tmp_path) is None


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "localhost"}, "'localhost', which is not HOST:PORT"),
        ({"KAFKA_CLIENT_PROPERTIES": "nowhere"}, "nowhere: no such file"),
        ({"KAFKA_CLIENT_PROPERTIES": "nowhere", "KAFKA_BOOTSTRAP_SERVERS": "localhost:1"}, "nowhere: no such file"),
    ],
)
def test_what_is_given_wrongly_is_named(tmp_path, environment, words):
    with pytest.raises(ClientPropertiesError, match=words):
        given(environment, tmp_path)


def test_a_cluster_is_described_for_any_client(tmp_path):
    path = tmp_path / "client.properties"
    path.write_text("bootstrap.servers=a:1,b:2\n")
    cluster = describe(path)
    assert cluster.bootstrap_servers == "a:1,b:2"
    assert cluster.client_properties == path
    assert cluster.kafka_python == {"bootstrap_servers": ["a:1", "b:2"], "security_protocol": "PLAINTEXT"}


def test_ansible_gets_this_projects_settings_and_not_the_users(monkeypatch):
    monkeypatch.setenv("ANSIBLE_INVENTORY", "mine")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("DOCKER_HOST", "")
    environment = ansible_environment()
    assert environment["ANSIBLE_CONFIG"] == str(PROJECT / "ansible.cfg")
    assert environment["LC_ALL"] == "C.UTF-8"
    assert not {"ANSIBLE_INVENTORY", "DOCKER_HOST"} & environment.keys()


def test_a_stack_that_is_not_ready_keeps_its_ports_until_it_fails(tmp_path, monkeypatch):
    """Other sessions may use it: a broker can be busy for a second."""
    monkeypatch.setattr(cluster, "_own_directory", lambda: tmp_path)
    monkeypatch.setattr(cluster, "describe", str)
    monkeypatch.setattr(Shared, "_ready", lambda _: False)
    played, fails = [], []

    def play(_, playbook, __, **variables):
        played.append(variables["kafka_port"])
        if fails:
            raise ClusterError(playbook)

    monkeypatch.setattr(Shared, "_play", play)
    sessions = [Shared("mine") for _ in range(2)]
    for session in sessions:
        session.cluster(print)
    fails.append(True)
    with pytest.raises(ClusterError):
        sessions[0].cluster(print)
    assert len(set(played)) == 1
    sessions[1].leave(keep=True)
    with pytest.raises(ClusterError):
        sessions[0].cluster(print)
    fails.clear()
    sessions[0].cluster(print)
    assert played[-1] not in played[:-1]

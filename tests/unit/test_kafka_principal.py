"""The login of the deployment: a user is created where a broker refuses it, and a late broker is named."""

from types import SimpleNamespace

import pytest

from tests.unit.stack import plugin

CLIENT = {
    "bootstrap.servers": "localhost:1",
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.jaas.config": 'org.apache.kafka.common.security.scram.ScramLoginModule required username="a" password="b";',
}


@pytest.fixture
def login(monkeypatch):
    """Call the action where logins end with these faults, one by one; return its result, and who was created."""
    module = plugin("kafka_principal")

    def call(*faults):
        left, created = list(faults), []
        monkeypatch.setattr(module, "login_fault", lambda _, __: left.pop(0) if len(left) > 1 else left[0])
        action = SimpleNamespace(check_mode=False, _create=lambda _, user, *__: created.append(user))
        return module.ActionModule.act(action, {"client": CLIENT, "timeout": 0.3}), created

    return call


def test_a_user_that_exists(login):
    assert login("no-broker", "") == ({}, [])


def test_a_user_that_is_refused_is_created(login):
    assert login("no-broker", "login-refused", "") == ({"changed": True}, ["a"])


def test_brokers_that_answer_too_late(login):
    """They may run when the next wait begins, and its reason would be the refused login alone."""
    result, created = login("no-broker")
    assert created == []
    assert "No broker answered a login within 0.3 s (kafka_start_timeout)" in result["late"]
    assert "Run this again" in result["late"]

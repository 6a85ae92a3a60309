"""Which version and protocol brokers may change to."""

import pytest

from kafka_proof.deploy.node import of_kind
from kafka_proof.deploy.versions import protocol_kept, protocol_to_keep, running_version, version_problems
from tests.unit.stack import container, engine, listener, nodes, says, variables


def stack(*running):
    """Brokers h1, h2, …, and engines on which those run that are given as (version, protocol)."""
    hosts = {
        f"h{number}": variables(kafka_broker_id=number, zookeeper_id=number, kafka_listeners=[listener(port=number)])
        for number in range(1, len(running) + 1)
    }
    brokers = of_kind(nodes(hosts, engines={host: host for host in hosts}), "broker") if hosts else []
    engines = {
        node["host"]: engine(container(node, version=version, protocol=protocol or ""))
        for node, (version, protocol) in zip(brokers, running, strict=True)
    }
    return brokers, engines


@pytest.mark.parametrize(
    ("now", "wanted", "upgrading", "words"),
    [
        (("3.9.2", None), "3.9.2", False, None),
        (("3.9.1", None), "3.9.2", False, None),
        (("3.8.1", None), "3.9.2", False, ["runs Kafka 3.8.1", "playbooks/upgrade.yml"]),
        (("3.8.1", None), "3.9.2", True, None),
        (("3.9.2", "3.8"), "3.8.1", True, None),  # the protocol has not risen yet
        (("3.9.2", "3.8-IV0"), "3.8.1", True, None),
        (("3.9.2", "3.8"), "3.8.1", False, ["playbooks/upgrade.yml"]),
        (("3.9.2", None), "3.8.1", True, ["Kafka 3.8.1 cannot read", "Set stack_kafka_version to 3.9.2"]),
        (("3.10.0", None), "3.9.2", True, ["Kafka 3.9.2 cannot read"]),
        ((None, None), "3.9.2", False, None),  # created before versions were noted
    ],
)
def test_version_problems(now, wanted, upgrading, words):
    [node], engines = stack(now)
    node = node | {"version": wanted}
    problems = version_problems(node, engines["h1"]["containers"][0], upgrading)
    assert (says(problems, *words) if words else problems) in (None, [])
    assert version_problems(node, None, upgrading) == []


def test_running_version():
    [node], engines = stack(("3.9.2", "3.8-IV0"))
    assert running_version(engines["h1"]["containers"][0]) == ("3.9.2", "3.8")
    assert running_version(container(node)) == ("3.9.2", "3.9")
    assert running_version(None) is None


@pytest.mark.parametrize(
    ("running", "protocol"),
    [
        ([("3.8.1", None), ("3.8.1", None)], "3.8"),
        ([("3.9.2", "3.8"), ("3.8.1", None)], "3.8"),  # interrupted in the first half
        ([("3.9.2", "3.8"), ("3.9.2", "3.8")], ""),
        ([("3.9.2", None), ("3.9.2", "3.8")], ""),  # interrupted in the second half
        ([], ""),
    ],
)
def test_protocol_to_keep(running, protocol):
    assert protocol_to_keep(*stack(*running), "3.9.2") == protocol


def test_the_protocol_stays_until_the_last_broker_works():
    brokers, engines = stack(("3.9.2", "3.8"), ("3.9.2", "3.8"))
    last = engines[brokers[-1]["host"]]["containers"][0]
    last["health"] = "starting"
    assert protocol_to_keep(brokers, engines, "3.9.2") == "3.8"
    engines[brokers[0]["host"]]["containers"][0]["protocol"] = ""  # it rose there: all had worked
    assert protocol_to_keep(brokers, engines, "3.9.2") == ""


@pytest.mark.parametrize(
    ("running", "protocol"),
    [
        ([("3.9.2", None), ("3.9.2", None)], ["", "", ""]),
        ([("3.9.2", "3.8"), ("3.9.2", "3.8")], ["3.8", "3.8", "3.8"]),
        ([("3.9.2", None), ("3.9.2", "3.8")], ["", "3.8", "3.8"]),  # interrupted while it rose: no way back for h1
        ([("3.8.1", None), ("3.9.2", "3.8")], ["", "3.8", "3.8"]),  # interrupted before
        ([("3.9.2", "3.9")], ["", ""]),
        ([], [""]),
    ],
)
def test_protocol_kept(running, protocol):
    brokers, engines = stack(*running, (None, None))
    engines[brokers[-1]["host"]] = {}  # a new one
    assert [protocol_kept(node["host"], brokers, engines) for node in brokers] == protocol

"""Access control is turned on and off in steps, between which nodes and clients understand each other."""

import json

import pytest

from kafka_proof.deploy.inventory_checks import node_problems
from kafka_proof.deploy.kraft import wanted_voters
from kafka_proof.deploy.security import BOTH, SWITCHED, Security, security_of
from kafka_proof.deploy.transition import (
    between,
    levels,
    port_problems,
    rights_script,
    transition_problems,
)
from tests.unit.stack import container, engine, kraft_nodes, listener, nodes, variables
from tests.unit.test_security import LOGIN, open_listener, secure


def plain(port=9092, **other):
    own = [open_listener("EXTERNAL", port), open_listener("INTERNAL", 19092, advertised_host="kafka", bind_address="")]
    return variables(kafka_listeners=own, **other)


def tls(port=9093, **other):
    found = secure(**{"kafka_controller_port": 19095, "zookeeper_port": 2182} | other)
    return found | {"kafka_listeners": [open_listener("EXTERNAL_SECURE", port), found["kafka_listeners"][1]]}


def running(found, **other):
    return {"one": engine(*(container(node, **other) for node in found))}


def at(level, *, on=True, make=kraft_nodes):
    """The nodes at a level, on the way from the other side."""
    now, wanted = (plain(), tls()) if on else (tls(), plain())
    found, access = between(make({"one": wanted}), running(make({"one": now})), level, security_of(wanted))
    return found, access


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_both_kinds_of_listeners(on):
    for level, first, used in ((BOTH, "CONTROLLER", "INTERNAL"), (SWITCHED, "CONTROLLER_SECURE", "INTERNAL_SECURE")):
        [node], _ = at(level, on=on)
        settings = node["settings"]
        assert {item["name"]: item["protocol"] for item in node["listeners"]} == {
            "EXTERNAL": "PLAINTEXT",
            "INTERNAL": "PLAINTEXT",
            "CONTROLLER": "PLAINTEXT",
            "EXTERNAL_SECURE": "SASL_SSL",
            "INTERNAL_SECURE": "SSL",
            "CONTROLLER_SECURE": "SSL",
        }
        assert settings["inter.broker.listener.name"] == used
        assert settings["controller.listener.names"].split(",")[0] == first
        assert settings["controller.quorum.bootstrap.servers"] == f"kafka:{19093 if level == BOTH else 19095}"
        assert settings["super.users"] == "User:CN=node;User:admin;User:ANONYMOUS"
        assert settings["listener.name.internal_secure.ssl.client.auth"] == "required"
        assert {port["port"] for port in node["ports"]} == {9092, 9093}
        assert set(wanted_voters([node])[1]) == {"CONTROLLER", "CONTROLLER_SECURE"}


def test_ways_meet():
    """The nodes of a level do not depend on the direction, so either way can be turned back."""
    for level in (BOTH, SWITCHED):
        (up, _), (down, _) = at(level, on=True), at(level, on=False)
        keys = ("inter.broker.listener.name", "controller.listener.names", "super.users")
        assert [up[0]["settings"][key] for key in keys] == [down[0]["settings"][key] for key in keys]


def test_the_client_connects_as_nodes_do():
    [node], access = at(BOTH)
    assert (node["client_listener"], access) == ("EXTERNAL", Security())
    [node], access = at(SWITCHED)
    assert (node["client_listener"], access.clients) == ("EXTERNAL_SECURE", "sasl_ssl")


def test_zookeeper():
    [server, broker], _ = at(BOTH, make=nodes)
    assert {port["inside"] for port in server["ports"]} == {2181, 2182}
    assert "clientPortAddress" not in server["settings"]
    assert broker["settings"]["zookeeper.connect"] == "zookeeper:2181"
    assert "zookeeper.ssl.client.enable" not in broker["settings"]
    [server, broker], _ = at(SWITCHED, make=nodes)
    assert broker["settings"]["zookeeper.connect"] == "zookeeper:2182"
    # Until all brokers connect with a certificate, none keeps the others out.
    assert broker["settings"]["zookeeper.set.acl"] is False
    assert "secure --zookeeper.connect zookeeper:2182" in rights_script(server, broker, "secure")


def test_the_root_in_zookeeper_stays():
    now, wanted = plain(kafka_zookeeper_connect="zookeeper:2181/a b"), tls(kafka_zookeeper_connect="zookeeper:2182/a b")
    for level, port in ((BOTH, 2181), (SWITCHED, 2182)):
        found = between(nodes({"one": wanted}), running(nodes({"one": now})), level, security_of(wanted))
        [server, broker], _ = found
        assert broker["settings"]["zookeeper.connect"] == f"zookeeper:{port}/a b"
    assert "secure --zookeeper.connect '\"'\"'zookeeper:2182/a b'\"'\"' " in rights_script(server, broker, "secure")


@pytest.mark.parametrize(
    ("connect", "advice"),
    [
        ("zookeeper:2181/kafka", "Set it to zookeeper:2182/kafka."),
        ("zoo1:2181", "Set it to zookeeper:2182, or leave it out."),
        ("zoo1:2182/kafka", ""),
    ],
)
def test_brokers_use_the_port_with_tls(connect, advice):
    said = node_problems(nodes({"one": tls(kafka_zookeeper_connect=connect)}))
    assert [problem for problem in said if "kafka_zookeeper_connect" in problem] == (
        [f"one: kafka_zookeeper_connect is {connect}, and with kafka_security nodes use the port with TLS. {advice}"]
        if advice
        else []
    )
    assert node_problems(nodes({"one": plain(kafka_zookeeper_connect=connect)})) == []


def test_a_fixed_list_of_voters_is_refused():
    fixed = {"stack_takes_over": {"voters": "1@old:9093"}}
    wanted = kraft_nodes({"one": tls(**fixed)})
    assert port_problems(wanted, running(wanted, level=3)) == []
    [problem] = port_problems(wanted, running(kraft_nodes({"one": plain(**fixed)})))
    assert "one: kafka has a fixed list of voters (controller.quorum.voters)" in problem


def test_separate_controllers():
    def make(hosts):
        return kraft_nodes(hosts, controllers=hosts)

    found, _ = at(SWITCHED, make=make)
    controller, broker = found
    assert [item["name"] for item in controller["listeners"]] == ["CONTROLLER_SECURE", "CONTROLLER"]
    assert "CONTROLLER:PLAINTEXT" in broker["settings"]["listener.security.protocol.map"]
    assert broker["settings"]["listener.name.controller_secure.ssl.keystore.location"]


@pytest.mark.parametrize(
    ("now", "wanted", "steps"),
    [
        ([0, 0], tls(), [1, 2, 3]),
        ([1, 2], tls(), [2, 3]),
        ([3, 3], tls(), []),
        ([3, 3], plain(), [2, 1, 0]),
        ([1, 0], plain(), [0]),
        ([0, 0], plain(), []),
        ([], tls(), []),
    ],
)
def test_levels(now, wanted, steps):
    found = nodes({"one": wanted})
    containers = [container(node, level=level) for node, level in zip(found, now, strict=False)]
    assert levels(found, {"one": engine(*containers)}) == steps


@pytest.mark.parametrize(
    ("now", "wanted", "until", "begun", "steps"),
    [
        ([0, 0], tls(), "both", False, [1, 2]),
        ([2, 2], tls(), "both", False, []),
        ([3, 3], plain(), "both", False, [2, 1]),
        # All containers are there, and perhaps the last one of them does not work, or rights in ZooKeeper are missing.
        ([3, 3], tls(), "", True, [3]),
        ([2, 2], tls(), "both", True, [2]),
        ([0, 0], plain(), "", True, [0]),
        ([3, 3], tls(), "both", True, []),
    ],
)
def test_levels_of_another_run(now, wanted, until, begun, steps):
    found = nodes({"one": wanted})
    containers = [container(node, level=level) for node, level in zip(found, now, strict=True)]
    assert levels(found, {"one": engine(*containers)}, until, begun) == steps


def test_site_does_not_change_access_control():
    wanted = kraft_nodes({"one": tls()})
    [problem] = transition_problems(wanted, running(kraft_nodes({"one": plain()})))
    assert "kafka is open" in problem
    assert "playbooks/secure.yml" in problem
    assert transition_problems(wanted, running(wanted)) == []
    [problem] = transition_problems(wanted, running(wanted, level=2))
    assert "on its way" in problem


def test_both_listeners_need_a_port():
    [problem] = port_problems(kraft_nodes({"one": tls(port=9092)}), running(kraft_nodes({"one": plain()})))
    assert "EXTERNAL_SECURE has port 9092, which EXTERNAL keeps" in problem
    assert "Set kafka_port" in problem


def test_both_listeners_of_zookeeper_need_a_port():
    wanted = nodes({"one": tls(port=9093, zookeeper_port=12181)})
    problems = port_problems(wanted, running(nodes({"one": plain(zookeeper_port=12181)})))
    [problem] = problems
    assert "client-secure has port 12181, which client keeps" in problem
    assert "Set zookeeper_port" in problem


def test_labels_tell_the_listeners():
    [node] = kraft_nodes({"one": tls()})
    found = json.loads(node["labels"]["listeners"])
    assert [item["use"] for item in found] == ["clients", "brokers", "quorum"]
    own = [listener("A", 1), listener("EXTERNAL", 9092), listener("INTERNAL", 19092)]
    [node] = kraft_nodes({"one": variables(kafka_listeners=own)})
    assert [item["use"] for item in json.loads(node["labels"]["listeners"])][:2] == ["others", "clients"]


def test_access_of_a_side_that_the_inventory_left():
    _, access = at(SWITCHED, on=False)
    assert access == security_of(secure(LOGIN))

"""Conflicts of hosts and engines with the nodes, and changes that would leave data behind."""

import pytest

from kafka_proof.deploy.host_checks import engine_problems, host_problems, orphan_lines
from kafka_proof.deploy.node import of_kind
from tests.unit.stack import container, engine, listener, nodes, other, own, says, variables

SERVER, BROKER = nodes()
OURS = ("127.0.0.1", 9092)
PROXY = {"address": "127.0.0.1", "port": 9092, "name": "docker-proxy", "pid": 7}
DATA = [("kafka-data", "broker", 1), ("zookeeper-data", "zookeeper", 1)]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(engine(volumes=[]), id="nothing there"),
        pytest.param({}, id="no engine"),
        pytest.param(engine(container(BROKER)), id="ours runs"),
        pytest.param(engine(container(BROKER), listening=[PROXY]), id="the engine itself listens for ours"),
        pytest.param(
            engine(container(BROKER, ports=[["0.0.0.0", 9092]]), listening=[PROXY | {"address": "0.0.0.0"}]),
            id="the engine itself listens for ours, whose address changes",
        ),
        pytest.param(engine(others=[other("other", ("127.0.0.2", 9092))], volumes=[]), id="another address"),
        pytest.param(engine(others=[other("other", ("127.0.0.1", 9093))], volumes=[]), id="another port"),
        pytest.param(engine(others=[other("other")], volumes=[]), id="not published"),
        pytest.param(engine(listening=[PROXY | {"address": "192.0.2.1"}], volumes=[]), id="a process elsewhere"),
        pytest.param(engine(volumes=DATA), id="kept data of this stack"),
    ],
)
def test_no_conflict(found):
    assert engine_problems([SERVER, BROKER], found) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(
            engine(others=[other("kafka")], volumes=[]),
            ["a container named kafka", "some:1", "docker rename kafka", "stack_name"],
            id="a foreign container of that name",
        ),
        pytest.param(
            engine(others=[other("other", OURS)], volumes=[]), ["in use by the container other"], id="a container"
        ),
        pytest.param(
            engine(others=[other("other", ("0.0.0.0", 9092))], volumes=[]), ["the container other"], id="on all"
        ),
        pytest.param(engine(others=[other("x", ("::", 9092))], volumes=[]), ["the container x"], id="on all, IPv6"),
        pytest.param(
            engine(listening=[PROXY | {"name": "nc", "pid": 42}], volumes=[]),
            ["the process nc (pid 42)"],
            id="a process",
        ),
        pytest.param(
            engine(listening=[PROXY | {"address": "::ffff:127.0.0.1", "name": "java", "pid": 42}], volumes=[]),
            ["the process java (pid 42)"],
            id="a process of Java, as it listens on loopback",
        ),
        pytest.param(
            engine(listening=[PROXY | {"address": "0.0.0.0", "name": None, "pid": None}], volumes=[]),
            ["the process of another user."],
            id="a process of another user",
        ),
        pytest.param(
            engine(others=[other("other", OURS)], listening=[PROXY], volumes=[]),
            ["the container other"],
            id="the container, not the engine's process",
        ),
        pytest.param(
            engine(container(BROKER, ports=[["127.0.0.1", 9999]]), others=[other("other", OURS)]),
            ["the container other"],
            id="ours moves to a port that is taken",
        ),
    ],
)
def test_conflicts(found, words):
    says(engine_problems([SERVER, BROKER], found), *words)


def test_two_nodes_want_one_port():
    server, broker = nodes({"one": variables(zookeeper_port=9092)})
    says(engine_problems([server, broker], engine(volumes=[])), "wanted for zookeeper too")


def test_a_volume_that_is_not_the_stacks():
    foreign = engine(volumes=[]) | {"volumes": ["kafka-data"]}
    says(engine_problems([SERVER, BROKER], foreign), "a volume named kafka-data", "stack_name", "stack_adopt_volumes")
    adopting = nodes({"one": variables(stack_adopt_volumes=True)})
    assert engine_problems(adopting, foreign) == []


@pytest.mark.parametrize(
    ("name", "port", "variable"),
    [
        ("kafka_listeners", 9092, "set kafka_port, or that of the listener"),
        ("zookeeper_port", 2181, "set zookeeper_port."),
        ("zookeeper_election_port", 3888, "set zookeeper_election_port."),
    ],
)
def test_the_variable_that_sets_a_port(name, port, variable):
    address = {"zookeeper_bind_address": "::1", "kafka_listeners": [listener(bind_address="::1")]}
    hosts = {"a": variables(**address), "b": variables(zookeeper_id=2, kafka_broker_id=2)}
    here = [node for node in nodes(hosts, engines={"a": "1", "b": "2"}) if node["host"] == "a"]
    says(engine_problems(here, engine(others=[other("other", ("::1", port))], volumes=[])), "on ::1", variable)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("203.0.113.7", ["on 203.0.113.7", "has 127.0.0.1, 10.0.0.1", "kafka_bind_address", "stack_address"]),
        ("10.0.0.1", None),
        ("0.0.0.0", None),
        ("127.0.0.2", None),
    ],
)
def test_an_address_that_the_host_does_not_have(address, words):
    broker = of_kind(nodes({"one": variables(kafka_listeners=[listener(bind_address=address)])}), "broker")
    problems = engine_problems(broker, engine(volumes=[], addresses=["127.0.0.1", "10.0.0.1"]))
    says(problems, *words) if words else None
    assert bool(problems) is bool(words)
    assert engine_problems(broker, engine(volumes=[])) == []  # no addresses are known


# All hosts together

HOSTS = {"a": variables(), "b": variables(kafka_broker_id=2, zookeeper_id=2, kafka_listeners=[listener()])}
TWO = {"a": "1", "b": "2"}
RUNNING = {
    host: engine(*(container(node) for node in nodes(HOSTS, engines=TWO) if node["host"] == host)) for host in HOSTS
}


def two(engines=TWO, **changes):
    """The nodes of HOSTS after changes, {host: variables}."""
    return nodes({host: HOSTS[host] | changes.get(host, {}) for host in HOSTS}, engines=engines)


def test_problems_name_the_host():
    taken = RUNNING | {"b": engine(listening=[PROXY | {"name": "other"}], volumes=[])}
    says(host_problems(two(), TWO, taken), "b: port 9092", "kafka-2", "other (pid 7)")
    assert host_problems(two(), TWO, RUNNING) == []


def test_an_engine_is_checked_once():
    one = {"a": "1", "b": "1"}
    found = host_problems(two(one), one, dict.fromkeys(HOSTS, engine(volumes=[])))
    assert ["wanted for" in problem for problem in found] == [True, True]  # ZooKeeper's port and Kafka's


def test_another_version_needs_the_upgrade():
    _, broker = (node for node in two() if node["host"] == "a")
    old = RUNNING | {"a": engine(container(SERVER), container(broker, version="3.8.1"))}
    says(
        host_problems(two(), TWO, old, options=" -i x"), "a: kafka runs", "ansible-playbook -i x playbooks/upgrade.yml"
    )
    assert host_problems(two(), TWO, old, changes="version") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"b": {"kafka_broker_id": 3}}, ["b: the broker kafka-2 exists"], id="another id"),
        pytest.param(
            {"a": {"kafka_broker_id": 2}, "b": {"kafka_broker_id": 1}},
            ["a: the broker kafka exists", "b: the broker kafka-2 exists"],
            id="swapped ids",
        ),
    ],
)
def test_a_broker_whose_id_changed(changes, words):
    problems = host_problems(two(**changes), TWO, RUNNING)
    assert all(word in problem for word, problem in zip(words, problems, strict=False)), problems
    assert all("set it back" in problem for problem in problems[: len(words)])


def test_a_removed_broker_on_an_engine_that_stays():
    one = {"a": "1"}
    left = nodes({"a": HOSTS["a"]}, engines=one)
    says(
        host_problems(left, one, {"a": engine(*map(container, left), own("broker", 2))}),
        "a: the broker kafka-2 exists",
        "decommission.yml",
    )


def test_a_server_alone_whose_id_changed():
    moved = nodes({"a": variables(zookeeper_id=5)})
    found = {"a": engine(container(SERVER), container(BROKER))}
    problems = host_problems(moved, {"a": "local"}, found)
    assert any("zookeeper 1" in problem and "Set zookeeper_id back" in problem for problem in problems), problems


def test_kept_data_of_another_id():
    moved = nodes({"a": variables(kafka_broker_id=0)})
    problems = host_problems(moved, {"a": "local"}, {"a": engine(volumes=DATA)})
    says(problems, "a: volume kafka-data holds the data of broker 1", "broker 0, without data", "kafka_broker_id back")


def test_what_a_removed_broker_left_is_only_reported():
    found = {"a": engine(container(SERVER), container(BROKER), volumes=[*DATA, ("kafka-4-data", "broker", 4)])}
    assert host_problems(nodes({"a": variables()}), {"a": "local"}, found) == []
    assert orphan_lines(nodes({"a": variables()}), {"a": "local"}, found) == ["a: volume kafka-4-data"]


def test_orphans_of_a_changed_network():
    moved = nodes({"a": variables(stack_network="other")})
    found = {"a": engine(container(SERVER), container(BROKER))}
    assert orphan_lines(moved, {"a": "local"}, found) == ["a: network kafka"]


@pytest.mark.parametrize(
    ("volumes", "lost"),
    [
        ([], False),
        (DATA, False),
        (DATA[1:], False),
        (DATA[:1], True),
    ],
)
def test_messages_whose_cluster_is_gone(volumes, lost):
    for ids in (1, 3):  # the names of the volumes depend on them
        named = [(name.replace("-", f"-{ids}-" if ids > 1 else "-"), kind, ids) for name, kind, _ in volumes]
        found = {"a": engine(volumes=named)}
        problems = host_problems(
            nodes({"a": variables(kafka_broker_id=ids, zookeeper_id=ids)}), {"a": "local"}, found, options=" -i x"
        )
        assert bool(problems) is lost
        if lost:
            says(problems, "kafka-", "is gone", "ansible-playbook -i x playbooks/teardown.yml -e teardown_data=true")


def test_one_of_several_servers_gets_its_data_from_the_others():
    found = RUNNING | {"a": engine(*RUNNING["a"]["containers"], volumes=[("kafka-data", "broker", 1)])}
    assert host_problems(two(), TWO, found) == []

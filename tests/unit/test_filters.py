"""The roles' decisions, as tables: what is wanted or found, and what follows."""

import pytest

from kafka_proof.deploy.diagnosis import kafka_diagnoses, kafka_diagnosis
from kafka_proof.deploy.files import to_properties
from kafka_proof.deploy.listeners import (
    kafka_addresses,
    kafka_bind_address,
    kafka_client,
    kafka_client_now,
    kafka_client_there,
    kafka_listener_properties,
    kafka_problems,
    kafka_published_ports,
)
from kafka_proof.deploy.stack import (
    containers_wanted,
    engine_problems,
    engines,
    host_problems,
    is_local,
    own_containers,
    protocol_kept,
    protocol_to_keep,
    sharing,
    smoke_options,
    stack_options,
    stack_problems,
    version_problems,
)
from kafka_proof.deploy.topics import topic_problems
from kafka_proof.deploy.zookeeper import zookeeper_ports, zookeeper_problems, zookeeper_servers

BOTH = {"kafka": ["h"], "zookeeper": ["h"]}


def listener(name="EXTERNAL", port=9092, **other):
    host = {"advertised_host": "localhost", "bind_address": "127.0.0.1"}
    return {"name": name, "port": port, "protocol": "PLAINTEXT", **host, **other}


def inside(**other):
    found = listener("INTERNAL", 19092, advertised_host="kafka") | other
    return found | {"bind_address": ""}


def says(problems, *words):
    """One problem, with all the words."""
    assert len(problems) == 1, problems
    assert not [word for word in words if word not in problems[0]], problems
    assert problems[0].endswith((".", "?"))


# Properties


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, ""),
        ({"b": 1, "a": "x"}, "a=x\nb=1\n"),
        ({"a": True, "b": False, "c": None, "d": 0, "e": ""}, "a=true\nb=false\nd=0\ne=\n"),
        ({"bootstrap.servers": "localhost:9092"}, "bootstrap.servers=localhost:9092\n"),
        ({"a": "  x \n"}, "a=x\n"),
        ({"a": "x\ny"}, "a=x\\ny\n"),
        ({"a": "c:\\x"}, "a=c:\\\\x\n"),
    ],
)
def test_to_properties(settings, text):
    assert to_properties(settings) == text


# Listeners


def test_listener_properties():
    listeners = [listener(advertised_host="::1", advertised_port=1), inside(protocol="SSL")]
    assert kafka_listener_properties(listeners, "INTERNAL") == {
        "listeners": "EXTERNAL://0.0.0.0:9092,INTERNAL://0.0.0.0:19092",
        "advertised.listeners": "EXTERNAL://[::1]:1,INTERNAL://kafka:19092",
        "listener.security.protocol.map": "EXTERNAL:PLAINTEXT,INTERNAL:SSL",
        "inter.broker.listener.name": "INTERNAL",
    }


def test_published_ports_are_those_with_an_address():
    listeners = [listener(), inside(), listener("V6", 9093, bind_address="::1")]
    assert kafka_published_ports(listeners) == ["127.0.0.1:9092:9092", "[::1]:9093:9093"]


def test_client():
    brokers = [broker(), second(port=9093, broker_id=2)]
    assert kafka_client(brokers) == {
        "bootstrap.servers": "localhost:9092,localhost:9093",
        "security.protocol": "PLAINTEXT",
    }


def test_client_while_brokers_move_to_other_addresses():
    def runs(properties, state="running"):
        containers = [{"name": "k", "state": state, "env": {"PROPERTIES": properties}}]
        return {"__stack_engine": {"containers": containers}}

    advertised = "a=1\nadvertised.listeners=INTERNAL://k:1,EXTERNAL://localhost:9000\nb=1\n"
    hostvars = {"one": runs(advertised), "two": runs(advertised.replace("9000", "9001"), "exited")}
    brokers = [{"host": host, "container": "k", "client_listener": "EXTERNAL"} for host in hostvars]
    now = kafka_client_now({"bootstrap.servers": "localhost:9092,localhost:9000", "x": "y"}, brokers, hostvars)
    assert now == {"bootstrap.servers": "localhost:9000,localhost:9092", "x": "y"}
    client = {"bootstrap.servers": "localhost:9092"}
    assert kafka_client_there(client, brokers, hostvars) == {"bootstrap.servers": "localhost:9000,localhost:9001"}
    assert kafka_client_there(client, brokers, {"one": {}, "two": {}}) == client


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.1"),
        ("::1", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("nowhere.invalid", "nowhere.invalid"),
    ],
)
def test_bind_address(host, address):
    assert kafka_bind_address(host) == address


# Brokers


def test_addresses():
    listeners = [listener(), inside(), listener("TLS", 9093, protocol="SSL", advertised_port=443)]
    assert kafka_addresses([broker(listeners=listeners)]) == [[1, "localhost:9092", True], [1, "localhost:443", False]]


def broker(**other):
    return {
        "host": "one",
        "is_local": True,
        "broker_id": 1,
        "listeners": [listener(), inside()],
        "client_listener": "EXTERNAL",
        "inter_broker_listener": "INTERNAL",
        "config": {},
        "computed": {"broker.id": 1, "listeners": "x"},
    } | other


def second(host="two", port=9093, **other):
    return broker(host=host, listeners=[listener(port=port), inside()], **other)


def resolve(host):
    return None if host.endswith(".invalid") else "192.0.2.1"


@pytest.mark.parametrize(
    "brokers",
    [
        [broker()],
        [broker(), second(broker_id=2)],
        [broker(config={"log.retention.hours": 1})],
        [broker(is_local=False, listeners=[listener(advertised_host="far", bind_address="0.0.0.0"), inside()])],
        [broker(listeners=[listener(), inside(advertised_host="kafka.invalid")])],  # Docker resolves it
    ],
)
def test_brokers_without_problems(brokers):
    assert kafka_problems(brokers, resolve) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"listeners": [listener(), inside(), inside(port=1)]}, ["INTERNAL more than once", "name of its own"]),
        ({"listeners": [listener(), inside(port="9092")]}, ["port 9092 more than once", "port of its own"]),
        (
            {"listeners": [listener(), listener("SECOND", 1, advertised_port=9092), inside()]},
            ["two listeners advertise localhost:9092", "advertised_port"],
        ),
        ({"client_listener": "X"}, ["kafka_client_listener is X", "EXTERNAL, INTERNAL"]),
        ({"inter_broker_listener": "X"}, ["kafka_inter_broker_listener is X", "EXTERNAL, INTERNAL"]),
        ({"listeners": [listener(protocol="TLS"), inside()]}, ["EXTERNAL", "TLS", "PLAINTEXT, SSL"]),
        ({"listeners": [listener(port=0), inside()]}, ["EXTERNAL", "port 0", "1 to 65535"]),
        ({"listeners": [listener(advertised_port=65536), inside()]}, ["EXTERNAL", "65536", "1 to 65535"]),
        ({"listeners": [listener(advertised_host="0.0.0.0"), inside()]}, ["'0.0.0.0'", "kafka_advertised_host"]),
        ({"listeners": [listener(advertised_host=""), inside()]}, ["''", "kafka_advertised_host"]),
        ({"listeners": [listener(), inside(advertised_host="")]}, ["INTERNAL", "''"]),
        ({"is_local": False}, ["EXTERNAL advertises localhost", "the client itself", "kafka_advertised_host"]),
        (
            {"is_local": False, "listeners": [listener(advertised_host="127.0.0.5"), inside()]},
            ["127.0.0.5", "the client itself"],
        ),
        (
            {"listeners": [listener(advertised_host="a.invalid"), inside()]},
            ["a.invalid", "does not resolve", "/etc/hosts"],
        ),
        ({"listeners": [listener(bind_address="eth0"), inside()]}, ["bind_address eth0", "0.0.0.0"]),
        (
            {"listeners": [listener(advertised_host="192.0.2.7", bind_address="127.0.1.1"), inside()]},
            ["192.0.2.7", "127.0.1.1", "kafka_bind_address"],
        ),
        ({"broker_id": 1001}, ["kafka_broker_id is 1001", "0 to 1000", "reserved.broker.max.id"]),
        ({"broker_id": -1}, ["kafka_broker_id is -1"]),
        ({"config": {"broker.id": 7}}, ["kafka_config sets broker.id", "kafka_broker_id"]),
        ({"config": {"listeners": "y"}}, ["kafka_config sets listeners", "kafka_listeners"]),
    ],
)
def test_broker_problems(change, words):
    says(kafka_problems([broker(**change)], resolve), "one: ", *words)


@pytest.mark.parametrize("config", [{"reserved.broker.max.id": 2000}, {"broker.id.generation.enable": False}])
def test_a_large_broker_id_is_fine_where_it_is_allowed(config):
    assert kafka_problems([broker(broker_id=2000, config=config)], resolve) == []


def test_duplicate_broker_ids():
    brokers = [broker(), second(broker_id="1"), second("three", 9094, broker_id=3)]
    says(kafka_problems(brokers, resolve), "one, two", "kafka_broker_id 1", "id of its own")


def test_duplicate_advertised_addresses():
    problems = kafka_problems([broker(), second(port=9092, broker_id=2)], resolve)
    says(problems, "one, two: all advertise localhost:9092", "kafka_port")


def test_no_listeners():
    problems = kafka_problems([broker(listeners=[])], resolve)
    says(problems, "one: ", "kafka_listeners", "empty")


def test_all_problems_are_said_at_once():
    two = [broker(client_listener="X", config={"broker.id": 1}), second(inter_broker_listener="Y")]
    assert len(kafka_problems(two, resolve)) == 4


# Topics


@pytest.mark.parametrize(
    ("topics", "absent", "words"),
    [
        ([{"name": "a b"}], [], ["'a b'", "Kafka refuses", "letters"]),
        ([{"name": ""}], [], ["''", "1 to 249"]),
        ([{"name": "."}], [], ["'.'"]),
        ([{"name": "x" * 250}], [], ["1 to 249"]),
        ([{"name": "a"}, {"name": "a"}], [], ["a more than once", "Keep one"]),
        ([{"name": "a.b"}, {"name": "a_b"}], [], ["a.b", "a_b", "metric"]),
        ([{"name": "a"}], ["a"], ["a is in kafka_topics_present and in kafka_topics_absent"]),
        ([{"name": "a", "partitions": 0}], [], ["topic a", "partitions 0", "1 or more"]),
        ([{"name": "a", "replication_factor": 0}], [], ["topic a", "replication_factor 0"]),
        ([{"name": "a", "replication_factor": 3}], [], ["replication_factor 3", "2 broker(s)", "group kafka"]),
    ],
)
def test_topic_problems(topics, absent, words):
    says(topic_problems(topics, absent, brokers=2), *words)


def test_topics_without_problems():
    topics = [{"name": "x" * 249, "partitions": 1}, {"name": "A.b-c", "replication_factor": 2}]
    assert topic_problems(topics, ["other"], brokers=2) == []


# Variables


# The engine


def container(name, *ports, stack=None, volumes=()):
    return {
        "name": name,
        "image": "some:1",
        "stack": stack,
        "volumes": list(volumes),
        "ports": [list(p) for p in ports],
    }


def engine(*containers):
    return {"containers": list(containers)}


WANTED = {"kafka": ["127.0.0.1:9092:9092"]}
OURS = ("127.0.0.1", 9092)


@pytest.mark.parametrize(
    ("found", "listening", "planned"),
    [
        pytest.param(engine(), [], {}, id="nothing there"),
        pytest.param({}, [], {}, id="no engine"),
        pytest.param(engine(container("kafka", OURS, stack="")), [], {}, id="ours runs"),
        pytest.param(
            engine(container("kafka", OURS, stack="")),
            [{"address": "127.0.0.1", "port": 9092, "name": "docker-proxy", "pid": 7}],
            {},
            id="what the engine itself listens with for ours",
        ),
        pytest.param(
            engine(container("kafka", ("0.0.0.0", 9092), stack="")),
            [{"address": "0.0.0.0", "port": 9092, "name": "docker-proxy", "pid": 7}],
            {},
            id="what the engine itself listens with for ours, which is to have another address",
        ),
        pytest.param(engine(container("kafka", volumes=["kafka-data"])), [], {}, id="made by hand with our data"),
        pytest.param(engine(container("other", ("127.0.0.2", 9092))), [], {}, id="another address"),
        pytest.param(engine(container("other", ("127.0.0.1", 9093))), [], {}, id="another port"),
        pytest.param(engine(container("other")), [], {}, id="not published"),
        pytest.param(engine(), [{"address": "192.0.2.1", "port": 9092, "name": "x", "pid": 1}], {}, id="other address"),
        pytest.param(engine(), [], {"zookeeper": ["127.0.0.1:2181:2181"]}, id="planned on another port"),
    ],
)
def test_nothing_is_in_the_way(found, listening, planned):
    assert engine_problems(planned | WANTED, found | {"listening": listening}, 1) == []


@pytest.mark.parametrize(
    ("found", "listening", "planned", "words"),
    [
        pytest.param(
            engine(container("kafka")),
            *([], {}),
            ["a container named kafka", "some:1", "docker rename kafka", "stack_name"],
            id="a stranger of that name",
        ),
        pytest.param(engine(container("other", OURS)), [], {}, ["in use by the container other"], id="a container"),
        pytest.param(
            engine(container("other", ("0.0.0.0", 9092))), [], {}, ["the container other"], id="on all interfaces"
        ),
        pytest.param(engine(container("other", ("::", 9092))), [], {}, ["the container other"], id="on all, IPv6"),
        pytest.param(
            engine(),
            [{"address": "127.0.0.1", "port": 9092, "name": "nc", "pid": 42}],
            *({}, ["the process nc (pid 42)"]),
            id="a process",
        ),
        pytest.param(
            engine(),
            [{"address": "0.0.0.0", "port": 9092, "name": None, "pid": None}],
            *({}, ["the process of another user."]),
            id="a process of another user",
        ),
        pytest.param(
            engine(), [], {"zookeeper": ["0.0.0.0:9092:2181"]}, ["wanted for zookeeper too"], id="a planned container"
        ),
        pytest.param(
            engine(container("other", OURS)),
            [{"address": "127.0.0.1", "port": 9092, "name": "docker-proxy", "pid": 7}],
            *({}, ["the container other"]),
            id="the container, not the engine's process",
        ),
        pytest.param(
            engine(container("kafka", ("127.0.0.1", 9999), stack=""), container("other", OURS)),
            *([], {}, ["the container other"]),
            id="ours is to move to a port that is taken",
        ),
    ],
)
def test_what_is_in_the_way(found, listening, planned, words):
    says(engine_problems(planned | WANTED, found | {"listening": listening}, 1), *words)


@pytest.mark.parametrize(
    ("name", "ports", "variable"),
    [
        ("kafka", ["[::1]:9092:9092"], "kafka_port"),
        ("x-zookeeper", ["[::1]:9092:2181"], "zookeeper_port"),
        ("zookeeper-2", ["[::1]:1:2181", "[::1]:2:2888", "[::1]:9092:9092"], "zookeeper_election_port"),
    ],
)
def test_which_variable_to_set(name, ports, variable):
    wanted = {name: ports}
    says(engine_problems(wanted, engine(container("other", ("::1", 9092))), 1), "on ::1", f"set {variable}")


@pytest.mark.parametrize(
    ("volumes", "lost"),
    [
        ([], False),
        (["x-kafka-data", "x-zookeeper-data"], False),
        (["x-zookeeper-data"], False),
        (["x-kafka-data"], True),
        (["x-kafka-data", "zookeeper-data"], True),
    ],
)
def test_messages_whose_cluster_is_gone(volumes, lost):
    found = {"volumes": volumes}
    problems = engine_problems({"x-zookeeper": [], "x-kafka": []}, found, 1)
    assert bool(problems) is lost
    if lost:
        says(problems, "x-kafka-data", "x-zookeeper-data, is gone", "playbooks/teardown.yml -e teardown_data=true")
    # ZooKeeper runs on another host: what is there is not known here.
    assert engine_problems({"x-kafka": []}, found, 1) == []
    # One of several servers gets its data from the others.
    assert engine_problems({"x-zookeeper": [], "x-kafka": []}, found, 3) == []


@pytest.mark.parametrize(
    ("name", "port", "words"),
    [
        ("kafka", "203.0.113.7:9092:9092", ["on 203.0.113.7", "has 127.0.0.1, 10.0.0.1", "kafka_bind_address"]),
        ("zookeeper-2", "203.0.113.7:2181:2181", ["zookeeper_bind_address", "stack_address"]),
        ("kafka", "10.0.0.1:9092:9092", None),
        ("kafka", "0.0.0.0:9092:9092", None),
        ("kafka", "127.0.0.2:9092:9092", None),
    ],
)
def test_an_address_that_the_host_does_not_have(name, port, words):
    problems = engine_problems({name: [port]}, engine() | {"addresses": ["127.0.0.1", "10.0.0.1"]}, 1)
    says(problems, *words) if words else None
    assert bool(problems) is bool(words)
    assert engine_problems({name: [port]}, engine() | {"addresses": []}, 1) == []  # nobody told


# Commands that messages advise


@pytest.mark.parametrize(
    ("sources", "name", "given", "options"),
    [
        (["/p/inventory.example"], "", [], ""),
        (["/p/inventory.example"], "two", [], " -e stack_name=two"),  # set in the inventory
        (["/else where/hosts"], "", [], " -i '/else where/hosts'"),
        (
            ["a,b,"],
            "two",
            ["stack_name=two", "kafka_port=9093", "ansible_become_pass=x"],
            " -i a,b, -e stack_name=two -e kafka_port=9093",
        ),
        (["/p/inventory.example"], "", ["a_password=x"], " -e 'a_password=***'"),
        (["/p/inventory.example"], "", ['{"kafka_port": 1}', "teardown_data=true"], """ -e '{"kafka_port": 1}'"""),
    ],
)
def test_stack_options(sources, name, given, options):
    assert stack_options(sources, ["/p/inventory.example"], name, given) == options


@pytest.mark.parametrize(
    ("name", "topics", "options"),
    [
        ("", [{"name": "kafka_demo", "partitions": 2}], ""),
        ("two", [{"name": "kafka_demo", "partitions": 2}], " -- --client-properties /p --topic kafka_demo:2"),
        ("", [{"name": "orders"}], " -- --client-properties /p --topic orders"),
        ("", [], " -- --client-properties /p"),
    ],
)
def test_smoke_options(name, topics, options):
    assert smoke_options(name, "/p", topics) == options


# The inventory


@pytest.mark.parametrize("group", ["kafka", "zookeeper"])
def test_a_group_without_hosts_is_refused(group):
    for groups in ({**BOTH, group: []}, {name: hosts for name, hosts in BOTH.items() if name != group}):
        says(stack_problems(groups, ["h"]), f"group {group}", "inventory.example")
    assert stack_problems(BOTH, ["h"]) == []


def test_limit_is_refused():
    groups = {"kafka": ["a", "b"], "zookeeper": ["a", "c"]}
    says(stack_problems(groups, ["a"]), "--limit leaves out b, c", "without")


@pytest.mark.parametrize(
    ("config", "ports", "words"),
    [
        (
            {"dataDir": "/x", "tickTime": 1},
            [2181],
            ["zookeeper_config sets dataDir,", "zookeeper_port", "x-zookeeper-data"],
        ),
        ({"server.1": "a:2888:3888"}, [2181], ["zookeeper_config sets server.1,", "group zookeeper"]),
        ({}, [0], ["zookeeper_port is 0", "1 to 65535"]),
        ({}, [65536], ["zookeeper_port is 65536"]),
        ({}, [2181, 2888, 70000], ["zookeeper_election_port is 70000"]),
        ({}, [2181, 2888, 2888], ["two of ZooKeeper's ports are 2888"]),
    ],
)
def test_zookeeper_problems(config, ports, words):
    def problems(config, ports):
        published = zookeeper_ports("::1", ports[0], ports[1:])
        return zookeeper_problems([member(1) | {"config": config, "ports": published}])

    says(problems(config, ports), "h: ", *words)
    assert problems({"tickTime": 1}, [2181, 2888, 3888]) == []


def member(server_id, host="h"):
    known = {"id": server_id, "host": host, "server": f"{host}:2888:3888", "container": "x-zookeeper"}
    return known | {"ports": ["127.0.0.1:2181:2181"], "config": {}, "computed": {"dataDir": "/d"}}


def test_ensemble():
    assert zookeeper_servers([member(1, "a")]) == {}
    assert zookeeper_servers([member(1, "a"), member(7, "b")]) == {"server.1": "a:2888:3888", "server.7": "b:2888:3888"}
    assert zookeeper_ports("::1", 2281, []) == ["[::1]:2281:2181"]
    assert zookeeper_ports("10.0.0.1", 2181, [2888]) == ["10.0.0.1:2181:2181", "10.0.0.1:2888:2888"]
    assert zookeeper_problems([member(1, "a"), member(2, "b")]) == []
    says(zookeeper_problems([member(1, "a"), member(1, "b")]), "a, b: all have zookeeper_id 1")
    says(zookeeper_problems([member(256, "a")]), "a: zookeeper_id is 256", "1 to 255")


# Hosts and engines


def test_engines():
    hostvars = {
        "localhost": {},
        "a": {"ansible_connection": "local"},
        "b": {"ansible_host": "10.0.0.2"},
        "c": {"ansible_host": "10.0.0.2"},
        "d": {},
    }
    found = engines(hostvars, hostvars)
    assert [sharing(found, host) for host in ("a", "b", "d")] == [["localhost", "a"], ["b", "c"], ["d"]]
    assert [host for host in hostvars if is_local(host, hostvars)] == ["localhost", "a"]


def runs(host, container, *ports, **other):
    return {"host": host, "container": container, "ports": list(ports), **other}


def test_containers_wanted():
    everything = [runs("a", "zookeeper"), runs("a", "kafka", "1"), runs("b", "kafka-2", "2"), runs("c", "kafka-3", "3")]
    assert containers_wanted(everything, ["a", "b"]) == {"zookeeper": [], "kafka": ["1"], "kafka-2": ["2"]}


def test_host_problems_are_those_of_each_host_and_its_engine():
    def broker_of(version):
        return engine(container("kafka-a", stack="") | {"version": version, "env": {}})

    servers = [runs("a", "zookeeper", "127.0.0.1:2181:2181")]
    brokers = [runs(host, f"kafka-{host}", "127.0.0.1:9092:9092", version="3.9.2") for host in "ab"]
    listening = {"address": "127.0.0.1", "port": 9092, "pid": 7, "name": "other"}
    hostvars = {
        "a": {"__stack_engine": broker_of("3.9.2")},
        "b": {"__stack_engine": {"listening": [listening]}},
    }
    two_engines, one_engine = {"a": "1", "b": "2"}, {"a": "1", "b": "1"}
    says(host_problems(two_engines, hostvars, servers, brokers, False), "b: ", "kafka-b", "other (pid 7)")
    hostvars["b"]["__stack_engine"] = engine()
    assert host_problems(two_engines, hostvars, servers, brokers, False) == []
    found = host_problems(one_engine, hostvars, servers, brokers, False)
    assert ["wanted for kafka-a too" in message for message in found] == [True]  # said once

    hostvars["a"]["__stack_engine"] = broker_of("3.8.1")
    says(host_problems(two_engines, hostvars, servers, brokers, False), "a: kafka-a runs", "upgrade.yml")
    assert host_problems(two_engines, hostvars, servers, brokers, True) == []


def test_a_broker_that_nobody_has_any_more():
    found = engine(container("kafka-2", stack=""), container("x-kafka-3", stack="x"), container("kafka-9"))
    says(engine_problems({"kafka": []}, found, 3), "the broker kafka-2 is there", "decommission.yml")
    assert engine_problems({"kafka": [], "kafka-2": []}, found, 3) == []
    assert engine_problems({"zookeeper": []}, found, 3) == []


def test_own_containers():
    found = engine(
        container("a-kafka", stack=""),
        container("a-zookeeper"),
        container("b-kafka", stack=""),
        container("c-kafka", volumes=["c-kafka-data"]),
    )
    assert own_containers(["a-kafka", "a-zookeeper", "c-kafka", "d-kafka"], found) == ["a-kafka", "c-kafka"]
    assert own_containers(["a-kafka"], {}) == []


# Versions


def versions(*brokers):
    """An engine with brokers of these (version, protocol)."""
    containers = [
        {
            "name": f"k{number}",
            "version": version,
            "env": {"PROPERTIES": f"a=1\ninter.broker.protocol.version={protocol}\n" if protocol else "a=1\n"},
        }
        for number, (version, protocol) in enumerate(brokers, 1)
    ]
    return {"containers": containers}


@pytest.mark.parametrize(
    ("now", "wanted", "upgrading", "words"),
    [
        (("3.9.2", None), "3.9.2", False, None),
        (("3.9.1", None), "3.9.2", False, None),
        (("3.8.1", None), "3.9.2", False, ["runs Kafka 3.8.1", "playbooks/upgrade.yml"]),
        (("3.8.1", None), "3.9.2", True, None),
        (("3.9.2", "3.8"), "3.8.1", True, None),  # the protocol has not risen yet
        (("3.9.2", "3.8"), "3.8.1", False, ["playbooks/upgrade.yml"]),
        (("3.9.2", None), "3.8.1", True, ["Kafka 3.8.1 cannot read", "Set stack_kafka_version to 3.9.2"]),
        (("3.10.0", None), "3.9.2", True, ["Kafka 3.9.2 cannot read"]),
        ((None, None), "3.9.2", False, None),  # made before versions were noted
    ],
)
def test_version_problems(now, wanted, upgrading, words):
    problems = version_problems(versions(now), "k1", wanted, upgrading)
    assert (says(problems, *words) if words else problems) in (None, [])
    assert version_problems({}, "k1", wanted, upgrading) == []


@pytest.mark.parametrize(
    ("brokers", "protocol"),
    [
        ([("3.8.1", None), ("3.8.1", None)], "3.8"),
        ([("3.9.2", "3.8"), ("3.8.1", None)], "3.8"),  # interrupted in the first half
        ([("3.9.2", "3.8"), ("3.9.2", "3.8")], ""),
        ([("3.9.2", None), ("3.9.2", "3.8")], ""),  # interrupted in the second half
        ([], ""),
    ],
)
def test_protocol_to_keep(brokers, protocol):
    wanted = [{"host": f"h{number}", "container": f"k{number}"} for number in range(1, len(brokers) + 1)]
    hostvars = {item["host"]: {"__stack_engine": versions(*brokers)} for item in wanted}
    assert protocol_to_keep(wanted, hostvars, "3.9.2") == protocol


@pytest.mark.parametrize(
    ("brokers", "protocol"),
    [
        ([("3.9.2", None), ("3.9.2", None)], ["", "", ""]),
        ([("3.9.2", "3.8"), ("3.9.2", "3.8")], ["3.8", "3.8", "3.8"]),
        (
            [("3.9.2", None), ("3.9.2", "3.8")],
            ["", "3.8", "3.8"],
        ),  # interrupted while it rose: no way back for the first
        ([("3.8.1", None), ("3.9.2", "3.8")], ["", "3.8", "3.8"]),  # interrupted before
        ([("3.9.2", "3.9")], ["", ""]),
        ([], [""]),
    ],
)
def test_protocol_kept(brokers, protocol):
    wanted = [{"host": f"h{number}", "container": f"k{number}"} for number in range(1, len(brokers) + 1)]
    hostvars = {item["host"]: {"__stack_engine": versions(*brokers)} for item in wanted}
    hosts = [*hostvars, "new"]
    hostvars["new"] = {"__stack_engine": {}}
    assert [protocol_kept(host, [*wanted, {"host": "new", "container": "k"}], hostvars) for host in hosts] == protocol


# A broker that does not answer


def inspected(status="restarting", code=1, restarts=3):
    return {"name": "kafka", "state": status, "exit_code": code, "restarts": restarts}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kafka.common.InconsistentClusterIdException: The Cluster ID x", "teardown_data=true"),
        ("Invalid cluster.id in: /x/meta.properties. Expected y, but read z", "teardown_data=true"),
        ("kafka.common.InconsistentBrokerIdException: …", "kafka_broker_id"),
        ("kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out", "kafka_zookeeper_connect"),
        ("java.lang.OutOfMemoryError: Java heap space", "kafka_heap"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("org.apache.kafka.common.config.ConfigException: Invalid value", "Correct kafka_config"),
        ("Unrecognized VM option 'UseFoo'", "kafka_jvm_options"),
        ("Invalid maximum heap size: -Xmx1q", "kafka_heap"),
    ],
)
def test_diagnosis_knows(line, words):
    said = kafka_diagnosis([inspected()], ["before", line])
    assert said[0] == "The container kafka is restarting, its last exit code 1, restarted 3 times."
    assert any(words in text for text in said[1:-3])
    assert said[-3:] == ["It said last:", "before", line]


def test_diagnosis_of_what_it_does_not_know():
    said = kafka_diagnosis([inspected("running", 0, 0)], [str(number) for number in range(99)])
    assert said[1] == "It said last:"
    assert said[-1] == "98"
    assert len(said) < 20


def host_with(container, *log):
    return {
        "__kafka_engine": {"containers": [container] if container else []},
        "__kafka_log": {"stdout_lines": list(log), "stderr_lines": []},
    }


def test_diagnoses_name_the_hosts_that_are_not_well():
    well = host_with(inspected("running", 0, 0) | {"health": "healthy"}, "fine")
    ill = host_with(inspected() | {"health": "unhealthy"}, "No space left on device")
    brokers = [runs(host, "kafka") for host in "abc"]
    said = kafka_diagnoses(brokers, [runs("a", "zookeeper")], {"a": well, "b": ill, "c": host_with(None)})
    assert [line for line in said if line in ("a:", "b:", "c:")] == ["b:", "c:"]
    assert any("disk is full" in line for line in said)
    assert kafka_diagnoses(brokers[:1], [], {"a": well})[0] == "a:"  # if all seem well, any may be it
    assert kafka_diagnoses(brokers[:1], [], {"a": {}}) == ["a:", "There is no container of it."]


def test_diagnosis_without_a_container():
    assert kafka_diagnosis([], []) == ["There is no container of it."]

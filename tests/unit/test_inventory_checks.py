"""Which inventories are refused before any host is contacted, and what the messages say."""

import pytest

from kafka_proof.deploy.group_checks import group_problems
from kafka_proof.deploy.inventory_checks import broker_problems, server_problems
from kafka_proof.deploy.node import of_kind
from kafka_proof.deploy.topics import topic_problems
from tests.unit.stack import inside, listener, nodes, says, variables

BOTH = {"kafka": ["h"], "zookeeper": ["h"]}


def resolve(host):
    return None if host.endswith(".invalid") else "192.0.2.1"


def brokers(*hosts):
    """Brokers of hosts that are given by their variables: one, two, three."""
    named = dict(zip(("one", "two", "three"), hosts, strict=False))
    return of_kind(nodes(named), "broker")


def second(port=9093, **other):
    return variables(kafka_listeners=[listener(port=port), inside()], kafka_broker_id=2, **other)


def test_settings_of_zookeeper_mode():
    node = brokers(variables(kafka_config={"zookeeper.session.timeout.ms": 6000}))[0]
    assert broker_problems([node], resolve) == []
    computed = {key: value for key, value in node["computed"].items() if key != "zookeeper.connect"}
    says(broker_problems([{**node, "computed": computed}], resolve), "zookeeper.session.timeout.ms", "runs KRaft")


def test_limit():
    groups = {"kafka": ["a", "b"], "zookeeper": ["a", "c"]}
    says(group_problems(groups, ["a"]), "--limit leaves out b, c", "without")


@pytest.mark.parametrize(
    "hosts",
    [
        [variables()],
        [variables(), second()],
        [variables(kafka_broker_id=0)],  # Kafka's own default, with its own zookeeper_id
        [variables(kafka_config={"log.retention.hours": 1})],
        [
            variables(
                is_local=False, kafka_listeners=[listener(advertised_host="far", bind_address="0.0.0.0"), inside()]
            )
        ],
        [variables(kafka_listeners=[listener(), inside(advertised_host="kafka.invalid")])],  # Docker resolves it
    ],
)
def test_brokers_without_problems(hosts):
    assert broker_problems(brokers(*hosts), resolve) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kafka_listeners": [listener(), inside(), inside(port=1)]}, ["INTERNAL more than once", "its own name"]),
        (
            {"kafka_listeners": [listener(), inside(port="9092")]},
            ["listeners EXTERNAL and INTERNAL have port 9092", "kafka_port"],
        ),
        (
            {"kafka_listeners": [listener(), listener("external", 1, advertised_port=1), inside()]},
            ["EXTERNAL more than once", "its own name"],
        ),
        *(
            ({"kafka_listeners": [listener(advertised_host=host), inside()]}, [host, "the host alone"])
            for host in ("localhost:29192", "PLAINTEXT://localhost", "localhost ", "[::1]")
        ),
        ({"kafka_listeners": [listener(), inside(advertised_host="a b")]}, ["advertised_host of INTERNAL"]),
        (
            {"kafka_listeners": [listener(), listener("SECOND", 1, advertised_port=9092), inside()]},
            ["two listeners advertise localhost:9092", "advertised_port"],
        ),
        (
            {"kafka_config": {"delegation.token.master.key": "x"}, "stack_kafka_version": "4.0.0"},
            ["4.0 removed", "secret"],
        ),
        ({"kafka_client_listener": "X"}, ["kafka_client_listener is X", "EXTERNAL, INTERNAL"]),
        ({"kafka_inter_broker_listener": "X"}, ["kafka_inter_broker_listener is X", "EXTERNAL, INTERNAL"]),
        ({"kafka_listeners": [listener(protocol="TLS"), inside()]}, ["EXTERNAL", "TLS", "PLAINTEXT, SSL"]),
        ({"kafka_listeners": [listener(protocol="SSL"), inside()]}, ["EXTERNAL with SSL", "kafka_security"]),
        ({"kafka_listeners": [listener(port=0), inside()]}, ["EXTERNAL", "port 0", "1 to 65535"]),
        ({"kafka_listeners": [listener(advertised_port=65536), inside()]}, ["EXTERNAL", "65536", "1 to 65535"]),
        ({"kafka_listeners": [listener(advertised_host="0.0.0.0"), inside()]}, ["'0.0.0.0'", "kafka_advertised_host"]),
        ({"kafka_listeners": [listener(advertised_host=""), inside()]}, ["''", "kafka_advertised_host"]),
        ({"kafka_listeners": [listener(), inside(advertised_host="")]}, ["INTERNAL", "''"]),
        ({"is_local": False}, ["EXTERNAL advertises localhost", "the client itself", "kafka_advertised_host"]),
        (
            {"is_local": False, "kafka_listeners": [listener(advertised_host="127.0.0.5"), inside()]},
            ["127.0.0.5", "the client itself"],
        ),
        (
            {"kafka_listeners": [listener(advertised_host="a.invalid"), inside()]},
            ["a.invalid", "does not resolve", "/etc/hosts", "Correct kafka_advertised_host"],
        ),
        (
            {"kafka_listeners": [listener(), listener("INTERNAL", 1, advertised_host="a.invalid")]},
            ["a.invalid", "Correct advertised_host of INTERNAL", "prove: false"],
        ),
        ({"kafka_listeners": [listener(bind_address="eth0"), inside()]}, ["bind_address eth0", "0.0.0.0"]),
        (
            {"kafka_listeners": [listener(advertised_host="192.0.2.7", bind_address="127.0.1.1"), inside()]},
            ["192.0.2.7", "127.0.1.1", "kafka_bind_address"],
        ),
        ({"kafka_listeners": []}, ["kafka_listeners", "empty"]),
        ({"kafka_broker_id": 1001}, ["kafka_broker_id is 1001", "0 to 1000", "reserved.broker.max.id"]),
        ({"kafka_broker_id": -1}, ["kafka_broker_id is -1"]),
        ({"kafka_heap": "2g", "kafka_memory": "1g"}, ["kafka_memory is 1g and the heap is 2g", "Raise"]),
        ({"kafka_config": {"broker.id": 7}}, ["kafka_config sets broker.id", "kafka_broker_id"]),
        ({"kafka_config": {"listeners": "y"}}, ["kafka_config sets listeners", "kafka_listeners"]),
        ({"kafka_config": {"log.dirs": "/x"}}, ["kafka_config sets log.dirs", "stack_name"]),
    ],
)
def test_broker_problems(change, words):
    says(broker_problems(brokers(variables(**change)), resolve), "one: ", *words)


@pytest.mark.parametrize("config", [{"reserved.broker.max.id": 2000}, {"broker.id.generation.enable": False}])
def test_a_large_broker_id_where_it_is_allowed(config):
    assert broker_problems(brokers(variables(kafka_broker_id=2000, kafka_config=config)), resolve) == []


def test_a_listener_that_this_machine_does_not_reach():
    docker = inside(advertised_host="host.docker.invalid", bind_address="0.0.0.0", prove=False)
    assert broker_problems(brokers(variables(kafka_listeners=[listener(), docker])), resolve) == []


def test_a_number_that_yaml_writes_with_an_exponent():
    found = brokers(variables(kafka_broker_id=4000, kafka_config={"reserved.broker.max.id": 5e3}))
    assert broker_problems(found, resolve) == []


def test_duplicate_broker_ids():
    third = variables(kafka_broker_id=3, kafka_listeners=[listener(port=9094), inside()])
    found = brokers(variables(), second() | {"kafka_broker_id": 1}, third)
    says(broker_problems(found, resolve), "one, two", "kafka_broker_id 1", "its own id")


def test_duplicate_advertised_addresses():
    found = brokers(variables(), second(port=9092))
    says(broker_problems(found, resolve), "one, two: all advertise localhost:9092", "kafka_port")


def test_several_hosts_are_not_localhost():
    hosts = {"a": variables(), "b": second()}
    found = of_kind(nodes(hosts, engines={"a": "1", "b": "2"}), "broker")
    problems = broker_problems(found, resolve)
    assert ["the client itself" in problem for problem in problems] == [True, True]


def test_all_problems_are_reported_at_once():
    found = brokers(
        variables(kafka_client_listener="X", kafka_config={"broker.id": 1}),
        second(kafka_inter_broker_listener="Y") | {"kafka_broker_id": 1},
    )
    assert len(broker_problems(found, resolve)) == 4


# ZooKeeper


def servers(*hosts, engines=None):
    named = {f"h{number}": host for number, host in enumerate(hosts, 1)}
    return of_kind(nodes(named, engines and dict(zip(named, engines, strict=True))), "zookeeper")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"zookeeper_config": {"dataDir": "/x", "tickTime": 1}},
            ["zookeeper_config sets dataDir,", "zookeeper_port", "zookeeper-data"],
        ),
        ({"zookeeper_config": {"server.1": "a:2888:3888"}}, ["zookeeper_config sets server.1,", "group zookeeper"]),
        ({"zookeeper_port": 0}, ["zookeeper_port is 0", "1 to 65535"]),
        ({"zookeeper_port": 65536}, ["zookeeper_port is 65536"]),
        ({"zookeeper_id": 256}, ["zookeeper_id is 256", "1 to 255"]),
        (
            {"zookeeper_id": 0},
            ["zookeeper_id is 0", "1 to 255", "it is the kafka_broker_id of the host: set zookeeper_id"],
        ),
    ],
)
def test_server_problems(change, words):
    says(server_problems(servers(variables(**change))), "h1: ", *words)
    assert server_problems(servers(variables(zookeeper_config={"tickTime": 1}))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"zookeeper_election_port": 70000}, ["zookeeper_election_port is 70000"]),
        ({"zookeeper_election_port": 2888}, ["two of ZooKeeper's ports are 2888"]),
        ({"stack_address": "localhost"}, ["at localhost, which to each of them is itself", "stack_address"]),
        ({"stack_address": "::1"}, ["which to each of them is itself"]),
        ({"zookeeper_id": 2}, ["h1, h2: all have zookeeper_id 2"]),
    ],
)
def test_problems_of_servers_on_several_hosts(change, words):
    found = servers(variables(**change), variables(zookeeper_id=2), engines=["a", "b"])
    says(server_problems(found), *words)


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
        ([{"name": "a.b.c"}, {"name": "a.b_c"}], [], ["a.b.c and a.b_c", "metric"]),
        ([{"name": "a"}], ["a"], ["a is in kafka_topics_present and in kafka_topics_absent"]),
        ([{"name": "a", "partitions": 0}], [], ["topic a", "partitions 0", "1 or more"]),
        ([{"name": "a", "replication_factor": 0}], [], ["topic a", "replication_factor 0"]),
        ([{"name": "a", "replication_factor": 3}], [], ["replication_factor 3", "2 broker(s)", "group kafka"]),
        (
            [{"name": "a", "config": {"message.format.version": "2.8"}}],
            [],
            ["topic a sets message.format.version, which Kafka 4.0 removed. Remove it."],
        ),
        (
            [{"name": "a", "config": {"message.timestamp.difference.max.ms": 1, "retention.ms": 1}}],
            [],
            ["Kafka 4.0 removed. Set message.timestamp.before.max.ms and message.timestamp.after.max.ms instead."],
        ),
    ],
)
def test_topic_problems(topics, absent, words):
    says(topic_problems(topics, absent, 2, "4.0.0"), *words)


def test_topics_without_problems():
    topics = [{"name": "x" * 249, "partitions": 1}, {"name": "A.b-c", "replication_factor": 2}]
    assert topic_problems(topics, ["other"], 2, "4.0.0") == []
    old = [{"name": "a", "config": {"message.format.version": "2.8"}}, {"name": "b", "config": None}]
    assert topic_problems(old, [], 2, "3.9.2") == []

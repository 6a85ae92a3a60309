"""The definitions of the inventory become a list of nodes."""

import pytest

from kafka_proof.deploy.containers import create_command
from kafka_proof.deploy.derive import EXIT_WITHOUT_MEMORY, FRESH_ADDRESSES, container_name, with_protocol
from kafka_proof.deploy.files import from_archive, to_archive, to_properties
from kafka_proof.deploy.listeners import addresses_to_verify, bind_address, client_addresses, client_addresses_now
from kafka_proof.deploy.node import node_on, of_kind
from tests.unit.stack import container, engine, inside, listener, nodes, variables


def three(**common):
    return {
        f"k{number}": variables(
            zookeeper_id=number,
            kafka_broker_id=number,
            stack_address=f"10.0.0.{number}",
            kafka_listeners=[listener(port=9091 + number), inside(advertised_host=f"kafka-{number}")],
            **common,
        )
        for number in (1, 2, 3)
    }


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
        ({"a": "x\ry"}, "a=x\\ry\n"),
        ({"broker.rack": "Zürich \U0001f600"}, "broker.rack=Z\\u00fcrich \\ud83d\\ude00\n"),
        ({"sasl.enabled.mechanisms": ["PLAIN", "SCRAM-SHA-256"]}, "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\n"),
        ({"a": 5e3, "b": 0.5}, "a=5000\nb=0.5\n"),
    ],
)
def test_to_properties(settings, text):
    assert to_properties(settings) == text


def test_files_survive_the_archive():
    files = {"server.properties": "a=ü\n", "jvm.options": ""}
    assert from_archive(to_archive(files)) == files
    assert to_archive(files) == to_archive(dict(reversed(files.items())))


@pytest.mark.parametrize(
    ("stack", "kind", "number", "name"),
    [
        ("", "broker", 1, "kafka"),
        ("", "zookeeper", 1, "zookeeper"),
        ("two", "broker", 1, "two-kafka"),
        ("two", "zookeeper", 0, "two-zookeeper-0"),
        ("", "broker", 12, "kafka-12"),
    ],
)
def test_container_name(stack, kind, number, name):
    assert container_name(stack, kind, number) == name


def test_one_broker():
    server, broker = nodes()
    assert (server["kinds"], server["container"], server["volume"]) == (["zookeeper"], "zookeeper", "zookeeper-data")
    assert "server.1" not in server["settings"]
    assert [port["port"] for port in server["ports"]] == [2181]
    assert broker["settings"]["zookeeper.connect"] == "zookeeper:2181"
    assert broker["settings"]["offsets.topic.replication.factor"] == 1
    assert broker["files"]["heap.options"] == "-Xms256m -Xmx256m\n"
    assert "TieredStopAtLevel=1" in broker["files"]["jvm.options"]
    assert "broker.id=1\n" in broker["files"]["server.properties"]


def test_variables_win_over_the_profile():
    chosen = variables(kafka_heap="1g", kafka_jvm_options="", kafka_config={"num.partitions": 3, "log.dirs.x": None})
    _, broker = nodes({"one": chosen})
    assert broker["files"]["heap.options"] == "-Xms1g -Xmx1g\n"
    assert broker["files"]["jvm.options"].split()[:2] == [FRESH_ADDRESSES, EXIT_WITHOUT_MEMORY]
    assert "TieredStopAtLevel" not in broker["files"]["jvm.options"]
    assert "num.partitions=3\n" in broker["files"]["server.properties"]
    _, broker = nodes({"one": variables(kafka_zookeeper_connect="far:2181/chroot")})
    assert broker["settings"]["zookeeper.connect"] == "far:2181/chroot"


def test_three_on_one_engine_reach_each_other_by_name():
    found = nodes(three(kafka_profile="production"))
    assert [node["container"] for node in of_kind(found, "broker")] == ["kafka", "kafka-2", "kafka-3"]
    server = node_on(found, "k2", "zookeeper")
    assert server["settings"]["server.3"] == "zookeeper-3:2888:3888"
    assert [port["port"] for port in server["ports"]] == [2181]  # nothing else has to be published
    assert server["labels"]["ensemble"] == "1,2,3"
    broker = node_on(found, "k2", "broker")
    assert broker["settings"]["zookeeper.connect"] == "zookeeper:2181,zookeeper-2:2181,zookeeper-3:2181"
    assert broker["settings"]["min.insync.replicas"] == 2


def test_three_on_their_own_engines_reach_each_other_by_address():
    found = nodes(three(), engines={"k1": "a", "k2": "b", "k3": "c"})
    server = node_on(found, "k2", "zookeeper")
    assert server["settings"]["server.3"] == "10.0.0.3:2888:3888"
    assert [(port["port"], port["inside"], port["variable"]) for port in server["ports"]] == [
        (2181, 2181, "zookeeper_port"),
        (2888, 2888, "zookeeper_quorum_port"),
        (3888, 3888, "zookeeper_election_port"),
    ]
    broker = node_on(found, "k1", "broker")
    assert broker["settings"]["zookeeper.connect"] == "10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181"


def test_a_server_with_an_ipv6_address():
    hosts = {name: values | {"stack_address": "fd00::1"} for name, values in three().items()}
    found = nodes(hosts, engines={"k1": "a", "k2": "b", "k3": "c"})
    assert node_on(found, "k1", "zookeeper")["settings"]["server.1"] == "[fd00::1]:2888:3888"


def test_listener_settings():
    own = [listener(advertised_host="::1", advertised_port=1), inside(protocol="SSL")]
    _, broker = nodes({"one": variables(kafka_listeners=own)})
    expected = {
        "listeners": "EXTERNAL://0.0.0.0:9092,INTERNAL://0.0.0.0:19092",
        "advertised.listeners": "EXTERNAL://[::1]:1,INTERNAL://kafka:19092",
        "listener.security.protocol.map": "EXTERNAL:PLAINTEXT,INTERNAL:SSL",
        "inter.broker.listener.name": "INTERNAL",
    }
    assert expected.items() <= broker["settings"].items()
    assert broker["labels"]["advertised"] == expected["advertised.listeners"]


def test_variables_reach_their_node():
    hosts = three(
        zookeeper_bind_address="0.0.0.0",
        zookeeper_quorum_port=12888,
        zookeeper_election_port=13888,
        zookeeper_jvm_options="-Dx=1",
        zookeeper_config={"tickTime": 1000, "autopurge.purgeInterval": None},
        kafka_stop_timeout=77,
    )
    found = nodes(hosts, engines={"k1": "a", "k2": "b", "k3": "c"})
    server, broker = node_on(found, "k1", "zookeeper"), node_on(found, "k1", "broker")
    assert server["settings"]["server.2"] == "10.0.0.2:12888:13888"
    assert {port["address"] for port in server["ports"]} == {"0.0.0.0"}
    assert server["files"]["jvm.options"].split() == [FRESH_ADDRESSES, EXIT_WITHOUT_MEMORY, "-Dx=1"]
    assert "tickTime=1000\n" in server["files"]["server.properties"]
    assert "autopurge.purgeInterval" not in server["files"]["server.properties"]
    command = create_command(broker)
    assert command[command.index("--stop-timeout") + 1] == "77"


def test_published_ports_are_those_with_an_address():
    own = [listener(), inside(), listener("V6", 9093, bind_address="::1")]
    _, broker = nodes({"one": variables(kafka_listeners=own)})
    assert [(port["address"], port["port"]) for port in broker["ports"]] == [("127.0.0.1", 9092), ("::1", 9093)]


def test_protocol_of_an_upgrade():
    _, broker = nodes()
    old = with_protocol(broker, "3.8")
    assert "inter.broker.protocol.version=3.8\n" in old["files"]["server.properties"]
    assert old["labels"]["protocol"] == "3.8"
    assert with_protocol(broker, "") == broker


def test_client_addresses():
    found = client_addresses(of_kind(nodes(three()), "broker"))
    assert found == ["localhost:9092", "localhost:9093", "localhost:9094"]


def test_client_addresses_while_brokers_move_to_other_addresses():
    brokers = of_kind(nodes(three()), "broker")[:2]
    moved = [["INTERNAL", "k:1"], ["EXTERNAL", "localhost:9000"]]
    engines = {
        "k1": engine(container(brokers[0], advertised=moved)),
        "k2": engine(container(brokers[1], advertised=[["EXTERNAL", "localhost:9001"]], state="exited")),
    }

    def servers(**options):
        return ",".join(client_addresses_now(brokers, engines, **options))

    assert servers(running_only=True) == "localhost:9000,localhost:9092,localhost:9093"
    assert servers() == "localhost:9000,localhost:9001"
    assert client_addresses_now(brokers, {}) == client_addresses(brokers)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("::1", "::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("nowhere.invalid", "nowhere.invalid"),
    ],
)
def test_bind_address(host, address):
    assert bind_address(host) == address


def test_addresses_to_verify():
    own = [
        listener(),
        inside(),
        listener("TLS", 9093, protocol="SSL", advertised_port=443),
        listener("FAR", 9094, prove=False),
    ]
    brokers = of_kind(nodes({"one": variables(kafka_listeners=own)}), "broker")
    assert addresses_to_verify(brokers) == [[1, "localhost:9092", True], [1, "localhost:443", False]]
    between = [listener(), listener("INTERNAL", 19092, advertised_host="10.0.0.1")]
    brokers = of_kind(nodes({"one": variables(kafka_listeners=between)}), "broker")
    assert addresses_to_verify(brokers, for_clients=True) == [[1, "localhost:9092", True]]
    assert len(addresses_to_verify(brokers)) == 2


@pytest.mark.parametrize(
    ("heap", "config", "limit"),
    [
        ("256m", {}, 4 * 1024**2),
        ("1g", {}, 16 * 1024**2),
        ("64g", {}, 100 * 1024**2),
        ("262144K", {}, 4 * 1024**2),
        ("256m", {"message.max.bytes": 10_000_000}, 20_000_000),
        ("256m", {"socket.request.max.bytes": 7}, 7),
        ("256m", {"message.max.bytes": "10MB"}, 4 * 1024**2),  # the broker refuses that
    ],
)
def test_a_request_fits_the_heap(heap, config, limit):
    _, broker = nodes({"one": variables(kafka_heap=heap, kafka_config=config)})
    assert broker["settings"]["socket.request.max.bytes"] == limit


def test_health_asks_every_listener():
    tls = listener("TLS", 9443, protocol="SSL")
    _, broker = nodes({"one": variables(kafka_listeners=[listener(), tls, inside()])})
    assert [f"/{port}" in broker["health"] for port in (9092, 9443, 19092)] == [True] * 3
    assert broker["health"].count("printf") == 2
    [_, connect, _] = broker["health"].split(" && exec ")
    assert connect == "3<>/dev/tcp/127.0.0.1/9443"


@pytest.mark.parametrize(
    ("change", "memory"),
    [
        ({}, ["576m", "1280m"]),
        ({"kafka_heap": "2g", "zookeeper_heap": "1G"}, ["1536m", "3072m"]),
        ({"kafka_memory": "4g", "zookeeper_memory": "2g"}, ["2g", "4g"]),
        ({"kafka_profile": "production"}, ["576m", "5120m"]),
    ],
)
def test_memory_of_the_containers(change, memory):
    found = nodes({"one": variables(**change)})
    assert [node["memory"] for node in found] == memory
    assert [" --memory " in f" {' '.join(create_command(node))} " for node in found] == [bool(each) for each in memory]


def test_a_request_fits_the_messages_of_the_topics():
    topics = [{"name": "a"}, {"name": "b", "config": None}, {"name": "c", "config": {"max.message.bytes": 10_000_000}}]
    _, broker = nodes({"one": variables(kafka_topics_present=topics)})
    assert broker["settings"]["socket.request.max.bytes"] == 20_000_000

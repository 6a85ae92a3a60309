"""Containers of other images: which layout they have, and the inventory that takes their place."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from kafka_proof.action import ActionError
from kafka_proof.client.ansible_yaml import Template, to_yaml
from kafka_proof.deploy.adoption import adopt, summary
from kafka_proof.deploy.foreign import as_found, layout_of, running_version, sections, settings_of_environment
from tests.unit import foreign
from tests.unit.foreign import found, inspected
from tests.unit.stack import plugin

VERSIONS = ["3.8.1", "3.9.2", "4.0.0", "4.1.1", "4.4.0"]
REACH = {"localhost": {"ansible_connection": "local"}}
ZOOKEEPER = foreign.WURSTMEISTER_ZOOKEEPER
ADVICE = re.compile(r"\b(Start|Name|name|Set|Move|Remove|Connect|Publish|Copy|Correct|Update) (?!of\b)")
ENSEMBLE = [foreign.BITNAMI_ZOOKEEPER, foreign.BITNAMI_ZOOKEEPER_2]


def adopted(*containers):
    return adopt(containers, "adopted", VERSIONS, REACH)


def node(result, group, name):
    return result.inventory["all"]["children"][group]["hosts"][name]


@pytest.mark.parametrize(
    ("image", "env", "cmd", "name"),
    [
        ("wurstmeister/kafka", [], [], "wurstmeister kafka"),
        ("docker.io/wurstmeister/zookeeper:3.4.6", [], [], "wurstmeister zookeeper"),
        ("bitnami/kafka@sha256:0", [], [], "bitnami kafka"),
        ("bitnamisecure/kafka", [], [], "bitnami kafka"),
        ("quay.io/bitnami/zookeeper:3", [], [], "bitnami zookeeper"),
        ("confluentinc/cp-server:7.6.0", [], [], "confluent kafka"),
        ("confluentinc/cp-zookeeper", [], [], "confluent zookeeper"),
        ("apache/kafka-native:4.0.0", [], [], "apache kafka"),
        ("registry.example/mirror/apache/kafka:4.0.0", [], [], "apache kafka"),
        # Renamed by another registry.
        ("our/broker:1", ["BITNAMI_APP_NAME=kafka"], [], "bitnami kafka"),
        ("our/broker:1", ["COMPONENT=zookeeper"], [], "confluent zookeeper"),
        ("our/broker:1", [], ["start-kafka.sh"], "wurstmeister kafka"),
        ("our/broker:1", ["ZK_HOME=/opt/zookeeper-3.4.13"], [], "wurstmeister zookeeper"),
        ("our/broker:1", [], ["/etc/kafka/docker/run"], "apache kafka"),
        ("provectuslabs/kafka-ui", [], [], None),
        ("my-apache/kafkacat", [], [], None),
        ("bitnami/kafka-exporter:1", ["KAFKA_BROKERS=x"], [], None),
    ],
)
def test_layouts(image, env, cmd, name):
    layout = layout_of(inspected("any", image, env, cmd=cmd))
    assert (f"{layout.name} {layout.kind}" if layout else None) == name


def test_a_node_of_this_project_is_none():
    assert layout_of(inspected("kafka", "apache/kafka:4.4.0", [], labels={"kafka-proof.kind": "broker"})) is None


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("KAFKA_LOG_RETENTION_HOURS", "log.retention.hours"),
        ("KAFKA_LISTENER_NAME_CLIENT__X_SSL_TYPE", "listener.name.client_x.ssl.type"),
        ("KAFKA_MY___PLUGIN", "my-plugin"),
        ("KAFKA_HEAP_OPTS", None),
        ("KAFKA_CREATE_TOPICS_SEPARATOR", None),
        ("KAFKA_VERSION", None),
        ("LOG4J_LOGGER_KAFKA", None),
        ("OTHER", None),
    ],
)
def test_settings_of_the_environment(variable, setting):
    layout = layout_of(foreign.CONFLUENT_KAFKA.inspected)
    assert settings_of_environment({variable: "v"}, layout) == ({setting: "v"} if setting else {})


@pytest.mark.parametrize(
    ("jars", "version"),
    [
        ("kafka_2.12-2.5.1.jar", "2.5.1"),
        ("kafka_2.13-4.1.0.jar\nkafka-clients-4.1.0.jar", "4.1.0"),
        ("kafka_2.13-7.6.1-ccs.jar", "3.6.1"),
        ("kafka_2.13-6.2.0-ce.jar", "2.8.0"),
        ("kafka_2.12-5.5.0-ccs.jar", "2.5.0"),
        ("kafka_2.13-8.0.0-ccs.jar", "4.0.0"),
        ("kafka-clients-3.9.0.jar", ""),
        ("", ""),
    ],
)
def test_the_version_by_the_jars(jars, version):
    assert running_version(foreign.CONFLUENT_KAFKA._replace(jars=jars)) == version


@pytest.mark.parametrize(
    ("containers", "group", "name", "expected"),
    [
        pytest.param(
            [ZOOKEEPER, foreign.WURSTMEISTER_KAFKA],
            "kafka",
            "broker-1001",
            {
                "kafka_broker_id": 1001,
                "kafka_heap": "512m",
                "kafka_listeners": [
                    {
                        "name": "PLAINTEXT",
                        "port": 9092,
                        "protocol": "PLAINTEXT",
                        "advertised_host": "192.0.2.7",
                        "bind_address": "0.0.0.0",
                    }
                ],
                "kafka_inter_broker_listener": "PLAINTEXT",
                "kafka_client_listener": "PLAINTEXT",
                "stack_takes_over": {
                    "container": "kafka",
                    "data": ["/kafka/kafka-logs-3f2a9c1b7d55"],
                    "names": ["kafka"],
                },
            },
            id="wurstmeister: generated id, the data in a directory of the host's name",
        ),
        pytest.param(
            [ZOOKEEPER, foreign.WURSTMEISTER_KAFKA],
            "zookeeper",
            "zookeeper-1",
            {
                "zookeeper_id": 1,
                "zookeeper_port": 2181,
                "zookeeper_bind_address": "0.0.0.0",
                "zookeeper_config": {
                    "tickTime": "2000",
                    "initLimit": "10",
                    "syncLimit": "5",
                    "autopurge.snapRetainCount": "3",
                    "autopurge.purgeInterval": "1",
                },
                "stack_takes_over": {
                    "container": "zookeeper",
                    "data": ["/opt/zookeeper-3.4.13/data"],
                    "names": ["zookeeper"],
                },
            },
            id="wurstmeister: ZooKeeper",
        ),
        pytest.param(
            [*ENSEMBLE, foreign.BITNAMI_KAFKA],
            "kafka",
            "broker-2",
            {
                "kafka_broker_id": 2,
                "kafka_zookeeper_connect": "zoo1:2181/chroot",
                "kafka_listeners": [
                    {"name": "INTERNAL", "port": 9092, "protocol": "PLAINTEXT", "advertised_host": "kafka-2"},
                    {
                        "name": "EXTERNAL",
                        "port": 19094,
                        "protocol": "PLAINTEXT",
                        "advertised_host": "localhost",
                        "bind_address": "127.0.0.1",
                    },
                ],
                "kafka_inter_broker_listener": "INTERNAL",
                "kafka_client_listener": "EXTERNAL",
                "stack_takes_over": {
                    "container": "kafka-2",
                    "data": ["/bitnami/kafka/data"],
                    "names": ["kafka-2", "broker"],
                },
            },
            id="bitnami: a port that is published as another one",
        ),
        pytest.param(
            [*ENSEMBLE, foreign.BITNAMI_KAFKA],
            "zookeeper",
            "zookeeper-1",
            {"zookeeper_port": 2181, "zookeeper_quorum_port": 2889, "zookeeper_election_port": 3889},
            id="bitnami: a server of an ensemble",
        ),
        pytest.param(
            [foreign.BITNAMI_KRAFT],
            "kafka",
            "broker-0",
            {
                "kafka_broker_id": 0,
                "kafka_controller_port": 9093,
                "stack_takes_over": {
                    "container": "kafka",
                    "data": ["/bitnami/kafka/data"],
                    "names": ["kafka"],
                    "cluster": "5L6g3nShT-eMCtK--X86sw",
                    "voters": "0@kafka:9093",
                },
            },
            id="bitnami: KRaft",
        ),
        pytest.param(
            [foreign.CONFLUENT_ZOOKEEPER, foreign.CONFLUENT_KAFKA],
            "kafka",
            "broker-1",
            {
                "kafka_broker_id": 1,
                "kafka_inter_broker_listener": "PLAINTEXT",
                "kafka_client_listener": "PLAINTEXT_HOST",
            },
            id="confluent",
        ),
        pytest.param(
            [foreign.CONFLUENT_ZOOKEEPER, foreign.CONFLUENT_KAFKA],
            "zookeeper",
            "zookeeper-1",
            {
                "zookeeper_config": {"tickTime": "2000", "snapshot.trust.empty": "true"},
                "stack_takes_over": {
                    "container": "zookeeper",
                    "data": ["/var/lib/zookeeper/data", "/var/lib/zookeeper/log"],
                    "names": ["zookeeper"],
                },
            },
            id="confluent: ZooKeeper with a directory for its log, and no snapshot yet",
        ),
        pytest.param(
            [foreign.CONFLUENT_CONTROLLER, foreign.CONFLUENT_BROKER],
            "kafka_controller",
            "controller-1",
            {"kafka_controller_id": 1, "kafka_controller_port": 9093, "kafka_controller_heap": "1g"},
            id="confluent: KRaft, a controller",
        ),
        pytest.param(
            [foreign.CONFLUENT_CONTROLLER, foreign.CONFLUENT_BROKER],
            "kafka",
            "broker-2",
            {
                "kafka_broker_id": 2,
                "kafka_inter_broker_listener": "PLAINTEXT",
                "kafka_client_listener": "PLAINTEXT_HOST",
            },
            id="confluent: KRaft, a broker",
        ),
        pytest.param(
            [foreign.APACHE_KRAFT],
            "kafka",
            "broker-1",
            {
                "kafka_broker_id": 1,
                "kafka_controller_port": 9093,
                "stack_takes_over": {
                    "container": "broker",
                    "data": ["/tmp/kraft-combined-logs"],
                    "names": ["broker"],
                    "cluster": "5L6g3nShT-eMCtK--X86sw",
                },
            },
            id="apache: KRaft with its default settings",
        ),
        pytest.param(
            [ZOOKEEPER, foreign.APACHE_ZOOKEEPER_MODE],
            "kafka",
            "broker-7",
            {"kafka_broker_id": 7},
            id="apache: with ZooKeeper",
        ),
    ],
)
def test_inventory(containers, group, name, expected):
    result = adopted(*containers)
    assert result.problems == []
    found = node(result, group, name)
    assert {key: found.get(key) for key in expected} == expected
    assert found["ansible_connection"] == "local"
    assert "environment" not in str(result)


@pytest.mark.parametrize(
    ("containers", "version"),
    [
        ([ZOOKEEPER, foreign.WURSTMEISTER_KAFKA], "3.9.2"),
        ([foreign.BITNAMI_KRAFT], "3.9.2"),
        ([foreign.APACHE_KRAFT], "4.1.1"),
        ([foreign.APACHE_KRAFT._replace(jars="kafka_2.13-4.2.0.jar")], "4.4.0"),
    ],
)
def test_the_version_is_of_the_same_line_or_the_next(containers, version):
    assert adopted(*containers).inventory["all"]["vars"]["stack_kafka_version"] == version


def test_common_variables():
    assert adopted(ZOOKEEPER, foreign.WURSTMEISTER_KAFKA).inventory["all"]["vars"] == {
        "stack_name": "adopted",
        "stack_network": "kafka_default",
        "stack_kafka_version": "3.9.2",
        "kafka_topics_present": [],
    }


def test_a_takeover_changes_no_setting():
    config = node(adopted(ZOOKEEPER, foreign.WURSTMEISTER_KAFKA), "kafka", "broker-1001")["kafka_config"]
    assert config["log.retention.hours"] == "168"
    assert config["offsets.topic.num.partitions"] is None  # only the profile would set it
    assert config["broker.id.generation.enable"] == "false"  # for the id 1001
    assert config["inter.broker.protocol.version"] == "2.8"
    assert not config.keys() & {"broker.id", "port", "log.dirs", "advertised.host.name", "socket.request.max.bytes"}


def test_notes_name_what_is_left_out():
    secret = foreign.WURSTMEISTER_KAFKA.settings | {"ssl.key.password": "hunter2", "message.format.version": "{{ 1 }}"}
    result = adopted(ZOOKEEPER, foreign.WURSTMEISTER_KAFKA._replace(settings=secret))
    text = "\n".join(summary([ZOOKEEPER, foreign.WURSTMEISTER_KAFKA], result))
    assert "kafka: KAFKA_CREATE_TOPICS is left out" in text
    assert "kafka: ssl.key.password is left out: it may be a secret" in text
    assert "kafka: Kafka 2.8.1 becomes 3.9.2" in text
    assert "localhost: kafka, layout wurstmeister, kafka 2.8.1, 2.0 MiB in /kafka/kafka-logs-3f2a9c1b7d55" in text
    assert "hunter2" not in text + str(result)


def test_a_publication_that_ends_is_noted():
    ports = {"29092/tcp": [{"HostIp": "", "HostPort": "39092"}], "9092/tcp": [{"HostIp": "", "HostPort": "9092"}]}
    shown = {"Ports": ports, "Networks": {"kafka_default": {}}}
    broker = inside(foreign.CONFLUENT_KAFKA, NetworkSettings=shown)
    result = adopted(foreign.CONFLUENT_ZOOKEEPER, broker)
    notes = [note for note in result.notes if "of the host" in note]
    assert notes == [
        "broker: port 39092 of the host is left out: the listener PLAINTEXT neither listens on it nor advertises it"
    ]
    assert not [note for note in adopted(*ENSEMBLE, foreign.BITNAMI_KAFKA).notes if "of the host" in note]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", "PLAINTEXT"),
        ("KAFKA_SECURITY_INTER_BROKER_PROTOCOL=PLAINTEXT", "PLAINTEXT"),
        ("KAFKA_INTER_BROKER_LISTENER_NAME=first", "FIRST"),
    ],
)
def test_the_listener_between_brokers(setting, expected):
    """Without a name, Kafka takes the listener PLAINTEXT, also where another one comes first."""
    broker = with_env(foreign.CONFLUENT_KAFKA, *LISTENERS, "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181", setting)
    result = adopted(foreign.CONFLUENT_ZOOKEEPER, broker)
    assert result.problems == []
    assert node(result, "kafka", "broker-1")["kafka_inter_broker_listener"] == expected


LISTENERS = (
    "KAFKA_LISTENERS=FIRST://:29092,PLAINTEXT://:9092",
    "KAFKA_ADVERTISED_LISTENERS=FIRST://broker:29092,PLAINTEXT://localhost:9092",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=FIRST:PLAINTEXT,PLAINTEXT:PLAINTEXT",
)


SHOWN = {
    "Ports": {"2181/tcp": [{"HostIp": "192.0.2.9", "HostPort": "2181"}]},
    "Networks": {"kafka_default": {"IPAddress": "172.19.0.2", "Aliases": ["zk-alias"]}},
}


@pytest.mark.parametrize(
    ("connect", "unknown"),
    [
        ("zookeeper:2181", None),
        ("zookeeper", None),
        ("ZooKeeper.kafka_default:2181/chroot", None),
        ("zk-alias:2181", None),
        ("aaaaaaaaaaaa:2181", None),  # the name of its host
        ("172.19.0.2:2181", None),
        # Of the host, which publishes the port.
        ("192.0.2.9:2181", None),
        ("localhost:2181", None),
        ("host.docker.internal:2181", None),
        ("h1:2181", None),
        ("192.0.2.1:2181", None),
        ("[2001:db8::1]:2181", None),
        # A stranger, alone or beside the server.
        ("zk.elsewhere:2181", "zk.elsewhere"),
        ("zookeeper:2181,zk.elsewhere:2181/chroot", "zk.elsewhere"),
        ("192.0.2.2:2181", "192.0.2.2"),
        ("zookeeper2:2181", "zookeeper2"),
    ],
)
def test_the_brokers_use_the_servers_that_are_found(connect, unknown):
    server = inside(ZOOKEEPER, NetworkSettings=SHOWN)._replace(host="h1", host_names=["machine", "2001:db8::1"])
    settings = foreign.WURSTMEISTER_KAFKA.settings | {"zookeeper.connect": connect}
    brokers = [server, foreign.WURSTMEISTER_KAFKA._replace(settings=settings)]
    result = adopt(brokers, "adopted", VERSIONS, REACH | {"h1": {"ansible_host": "192.0.2.1"}})
    said = f"kafka: zookeeper.connect names {unknown}, and no container that is found has this name or address. Start"
    assert [said in problem for problem in result.problems] == ([True] if unknown else []), result.problems


def test_the_whole_ensemble_is_accepted():
    assert adopted(*ENSEMBLE, foreign.BITNAMI_KAFKA).problems == []


@pytest.mark.parametrize(
    ("mounts", "path", "lost"),
    [
        ([("/", "/bitnami/kafka/data", "tmpfs")], "/bitnami/kafka/data", True),
        ([("/", "/bitnami/kafka/data", "ramfs")], "/bitnami/kafka/data", True),
        ([("/", "/bitnami", "tmpfs")], "/bitnami/kafka/data/", True),
        ([("/", "/bitnami/kafka/data/a-0", "tmpfs")], "/bitnami/kafka/data", True),
        ([("/", "/tmp", "tmpfs")], "/bitnami/kafka/data", False),
        ([("/", "/bitnami/kafka-data", "tmpfs")], "/bitnami/kafka", False),
        ([("/", "/", "overlay")], "/bitnami/kafka/data", False),
        ([], "/bitnami/kafka/data", False),
        ([("/", "/tmp", "tmpfs"), ("/", "/tmp/logs", "ext4")], "/tmp/logs/kafka", False),
        # Directories of the host, and of an engine, that are in memory there: a container that stops leaves them.
        ([("/", "/of/host", "tmpfs")], "/of/host/kafka", False),
        ([("/volumes/kafka/_data", "/bitnami", "tmpfs")], "/bitnami/kafka", False),
    ],
)
def test_data_in_memory_is_refused(mounts, path, lost):
    lines = [f"36 35 98:0 {root} {at} rw,noatime shared:1 - {kind} none rw" for root, at, kind in mounts]
    shown = {"Mounts": [{"Type": "bind", "Destination": "/of/host"}]}
    broker = with_env(foreign.BITNAMI_KRAFT, f"KAFKA_CFG_LOG_DIRS={path}", **shown)
    broker = broker._replace(mounts="\n".join([*lines, "", "unknown words"]))
    said = f"kafka: its data in {path} is in memory (tmpfs), and lost when it stops. Copy it to a volume first"
    assert [said in problem for problem in adopted(broker).problems] == ([True] if lost else [])


VOTERS = "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093,1@kafka-1:9093"
SERVERS = "KAFKA_CFG_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS=CONTROLLER://kafka:9093,kafka-1:9093"


@pytest.mark.parametrize(
    ("env", "setting", "missing"),
    [(VOTERS, "voters", "1@kafka-1:9093"), (SERVERS, "bootstrap.servers", "kafka-1")],
    ids=["voters", "bootstrap servers"],
)
def test_a_part_of_a_quorum_is_refused(env, setting, missing):
    found = "no such controller is found" if env is VOTERS else "no container that is found has this name or address"
    [problem] = adopted(with_env(foreign.BITNAMI_KRAFT, env)).problems
    assert problem.startswith(f"kafka: controller.quorum.{setting} names {missing}, and {found}. Start it, or add its")


def test_the_whole_quorum_is_accepted():
    assert adopted(foreign.CONFLUENT_CONTROLLER, foreign.CONFLUENT_BROKER).problems == []


def inside(each, **shown):
    """The container with other parts of `docker inspect`."""
    return each._replace(inspected=dict(each.inspected) | shown)


def with_env(each, *env, **inside):
    item = dict(each.inspected) | inside
    item["Config"] = each.inspected["Config"] | {"Env": [*each.inspected["Config"]["Env"], *env]}
    return found(item, jars=each.jars, meta=each.meta)


@pytest.mark.parametrize(
    ("containers", "said"),
    [
        ([], "No running container has a known layout of Kafka."),
        ([foreign.WURSTMEISTER_KAFKA], "no running container has a known layout of it. Start it, or add its host"),
        (
            [foreign.BITNAMI_ZOOKEEPER, foreign.BITNAMI_KAFKA],
            "zoo1: its settings name server.2, and no such server is found. Start it, or add its host to the inventory",
        ),
        (
            [*ENSEMBLE, ZOOKEEPER._replace(my_id="3"), foreign.BITNAMI_KAFKA],
            "zoo1: zookeeper is in no server.N of its settings. Name the containers of one cluster",
        ),
        (
            [ZOOKEEPER._replace(settings={"dynamicConfigFile": "/x"}), foreign.WURSTMEISTER_KAFKA],
            "zookeeper: dynamicConfigFile is set, and its servers are not read.",
        ),
        (
            [foreign.BITNAMI_KRAFT, foreign.CONFLUENT_CONTROLLER],
            "of 2 clusters: 5L6g3nShT-eMCtK--X86sw of kafka; wx of controller-1. Name those of one in adopt_containers",
        ),
        (
            [ZOOKEEPER, foreign.WURSTMEISTER_KAFKA, foreign.CONFLUENT_KAFKA._replace(meta={"cluster.id": "other\nx"})],
            "of 2 clusters: other x of broker; wx of kafka.",
        ),
        (
            [inside(foreign.BITNAMI_KRAFT, HostConfig={"AutoRemove": True})],
            "kafka: it runs with --rm, so Docker removes it, and data inside it, when it stops. Start it without --rm",
        ),
        (
            [with_env(foreign.BITNAMI_KRAFT, "KAFKA_CFG_SECURITY_INTER_BROKER_PROTOCOL=SSL")],
            "kafka: no listener has the name SSL, and brokers use this one between them. Set inter.broker.listener",
        ),
        (
            [ZOOKEEPER._replace(settings={"clientPort": "\x1b[2J9"}), foreign.WURSTMEISTER_KAFKA],
            "zookeeper: clientPort is \\x1b[2J9",
        ),
        (
            [ZOOKEEPER, foreign.WURSTMEISTER_KAFKA._replace(meta={})],
            "kafka: no setting and no meta.properties says its id. If it runs no broker, name the other containers in",
        ),
        ([ZOOKEEPER, foreign.WURSTMEISTER_KAFKA._replace(jars="")], "kafka: no jar tells the version of Kafka."),
        (
            [foreign.APACHE_KRAFT._replace(jars="kafka_2.13-5.0.0.jar")],
            "The containers run Kafka 5.0.0, and this project has no such version.",
        ),
        (
            [ZOOKEEPER._replace(settings={"clientPort": "32181"}), foreign.WURSTMEISTER_KAFKA],
            "zookeeper: clientPort is 32181",
        ),
        (
            [ZOOKEEPER._replace(settings={"authProvider.1": "x"}), foreign.WURSTMEISTER_KAFKA],
            "zookeeper: authProvider.1 is set, and access control is not taken over.",
        ),
        (
            [with_env(foreign.BITNAMI_KRAFT, "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:SASL_SSL")],
            "kafka: the listener PLAINTEXT uses SASL_SSL, and access control is not taken over.",
        ),
        ([with_env(foreign.BITNAMI_KRAFT, "KAFKA_CFG_LOG_DIRS=/a,/b")], "kafka: log.dirs names several directories"),
        ([with_env(foreign.BITNAMI_KRAFT, "KAFKA_CFG_LOG_DIRS=/a b")], "kafka: its data is in /a b, which is no"),
        ([with_env(foreign.BITNAMI_KRAFT, "KAFKA_CFG_LOG_DIRS=/a/../b")], "kafka: its data is in /a/../b, which is no"),
        (
            [foreign.BITNAMI_KRAFT._replace(meta={"node.id": "0"})],
            "kafka: its data has no meta.properties with a clust",
        ),
        (
            [with_env(foreign.BITNAMI_KRAFT, NetworkSettings={"Ports": {}, "Networks": {"kafka_default": {}}})],
            "kafka: no listener is published",
        ),
        (
            [with_env(foreign.BITNAMI_KRAFT, NetworkSettings={"Ports": {}, "Networks": {"bridge": {}}})],
            "The containers share no network on which they have names.",
        ),
        ([foreign.BITNAMI_KRAFT, foreign.BITNAMI_KRAFT], "broker-0 is the name of two nodes"),
    ],
)
def test_refused(containers, said):
    """Each problem says what to do."""
    problems = adopted(*containers).problems
    assert any(said in problem for problem in problems), problems
    assert [problem for problem in problems if not ADVICE.search(problem)] == []


def test_text_of_a_container_is_no_template(tmp_path):
    evil = "{{ lookup('pipe', 'touch /tmp/owned') }}"
    settings = foreign.BITNAMI_KRAFT.settings | {"broker.rack": evil, "a\n{{ 1 }}": "x"}
    result = adopted(foreign.BITNAMI_KRAFT._replace(settings=settings))
    path = tmp_path / "adopted.yml"
    path.write_text(to_yaml(result.inventory | {"ours": Template("{{ 1 }}")}))
    assert "!unsafe" in path.read_text()
    loaded = DataLoader().load_from_file(str(path), trusted_as_template=True)
    rack = node(adopted_of(loaded), "kafka", "broker-0")["kafka_config"]["broker.rack"]
    assert rack == evil
    assert not is_template(rack)
    assert is_template(loaded["ours"])
    assert any("is left out: no setting has such a name" in note for note in result.notes)


def adopted_of(inventory):
    return adopted(foreign.BITNAMI_KRAFT)._replace(inventory=inventory)


def is_template(text):
    """Whether Ansible would render a text of a file that it trusts."""
    from ansible._internal._datatag._tags import TrustedAsTemplate  # noqa: PLC0415

    return TrustedAsTemplate.is_tagged_on(text)


def test_the_inventory_is_yaml_without_surprises():
    text = to_yaml(adopted(ZOOKEEPER, foreign.WURSTMEISTER_KAFKA).inventory)
    assert yaml.safe_load(text) == adopted(ZOOKEEPER, foreign.WURSTMEISTER_KAFKA).inventory


def test_sections():
    output = "kafka-proof-section settings\na=1\n\nkafka-proof-section jars\n\nkafka-proof-section meta\nb\n"
    assert sections(output) == {"settings": "a=1", "jars": "", "meta": "b"}


def test_what_was_read():
    answers = {
        "jars": "j",
        "meta": "#Fri\nbroker.id=4\n",
        "my_id": "2",
        "host_names": "machine\n192.0.2.1 172.17.0.1 \n",
        "version_2": "log.1",
        "kilobytes": "10\t/a\n4\t/b",
        "mounts": "36 35 98:0 / / rw - overlay overlay rw",
    }
    read = {"host": "h", "inspected": ZOOKEEPER.inspected, "settings": {"a": "b"}, "answers": answers}
    each = as_found(read)
    assert (each.meta, each.my_id, each.kilobytes, each.name) == ({"broker.id": "4"}, "2", 14, "zookeeper")
    assert each.host_names == ["machine", "192.0.2.1", "172.17.0.1"]


def write(path, containers, check_mode=False):
    """Call the action adopt_inventory with containers as engine_foreign returns them."""
    answers = {"my_id": "", "version_2": "", "kilobytes": "", "mounts": "", "host_names": ""}
    read = [
        {"host": "localhost", "inspected": each.inspected, "settings": dict(each.settings)}
        | {"answers": answers | {"jars": each.jars, "meta": "\n".join(f"{k}={v}" for k, v in each.meta.items())}}
        for each in containers
    ]
    action = SimpleNamespace(task_vars={"hostvars": {"localhost": {}}}, check_mode=check_mode)
    roles = Path(__file__).parents[2] / "roles"
    arguments = {"path": str(path), "containers": read, "stack": "adopted", "roles": str(roles), "names": []}
    return plugin("adopt_inventory").ActionModule.act(action, arguments)


def test_a_corrected_inventory_is_never_overwritten(tmp_path):
    path = tmp_path / "new" / "adopted.yml"
    assert write(path, [foreign.BITNAMI_KRAFT], check_mode=True)["changed"]
    assert not path.exists()
    assert write(path, [foreign.BITNAMI_KRAFT])["changed"]
    assert not write(path, [foreign.BITNAMI_KRAFT])["changed"]
    corrected = path.read_text().replace("kafka_heap: 1g", "kafka_heap: 2g")
    path.write_text(corrected)
    with pytest.raises(ActionError, match=r"adopted.yml exists, and differs .* Remove it, or set adopt_inventory to"):
        write(path, [foreign.BITNAMI_KRAFT])
    assert path.read_text() == corrected
    checked = write(path, [foreign.BITNAMI_KRAFT], check_mode=True)
    assert checked["changed"]
    assert checked["diff"]["before"] == corrected
    assert "kafka_heap: 1g" in checked["diff"]["after"]
    path.write_text("")
    assert write(path, [foreign.BITNAMI_KRAFT])["changed"]


def test_each_named_container_is_found():
    result = adopt([foreign.BITNAMI_KRAFT], "adopted", VERSIONS, REACH, [foreign.BITNAMI_KRAFT.name, "other"])
    [problem] = result.problems
    assert problem.startswith("adopt_containers names other, and no host")

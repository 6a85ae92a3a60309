"""What cannot work is refused: the message says what, where and what to do, and nothing was touched."""

import os
import socket
import subprocess

import pytest

from tests.deploy.conftest import LOCALHOST

INTERNAL = {"name": "INTERNAL", "port": 19092, "protocol": "PLAINTEXT", "advertised_host": "kp-none-kafka"}
EXTERNAL = {
    "name": "EXTERNAL",
    "port": 29292,
    "protocol": "PLAINTEXT",
    "advertised_host": "localhost",
    "bind_address": "127.0.0.1",
}
# 192.0.2.0/24 is for documentation: a connection that is tried hangs, and says so.
REMOTE = "[zookeeper]\nfar.example\n[kafka]\nfar.example\n[all:vars]\nansible_host=192.0.2.1\nansible_ssh_timeout=5\n"
TWO_HOSTS = LOCALHOST.replace("[kafka]\nlocalhost", "[kafka]\none\ntwo")


@pytest.fixture
def refused(no_stack):
    """Run site.yml, which must be refused with all these words in its message, and touch nothing."""

    def run(*words, **options):
        before = no_stack.state()
        assert not any(before.values())
        play = no_stack.play("site.yml", **options)
        assert not play.ok
        missing = [word for word in words if word not in play.message]
        assert not missing, f"{missing} not in the message:\n{play.message}"
        assert "Traceback" not in play.message
        assert no_stack.state() == before
        return play

    return run


def case(name, variables, *words):
    return pytest.param(variables, words, id=name)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        case("misspelt", {"kafka_prot": 1}, "localhost", "kafka_prot", "Did you mean kafka_port?"),
        case("misspelt for ZooKeeper", {"zookeeper_haep": "1g"}, "zookeeper_haep", "Did you mean zookeeper_heap?"),
        case("port is no number", {"kafka_port": "abc"}, "kafka_port", "abc", "int"),
        case("port of ZooKeeper is no number", {"zookeeper_port": "abc"}, "zookeeper_port", "abc", "int"),
        case("port out of range", {"kafka_port": 65536}, "localhost", "EXTERNAL", "65536", "1 to 65535"),
        case("port of ZooKeeper out of range", {"zookeeper_port": 0}, "localhost", "zookeeper_port", "1 to 65535"),
        case("config is no dictionary", {"kafka_config": ["a"]}, "kafka_config", "dict"),
        case(
            "topic with an unknown key",
            {"kafka_topics_present": [{"name": "a", "partition": 2}]},
            "partition",
            "partitions",
        ),
        case("topic without a name", {"kafka_topics_present": [{"partitions": 2}]}, "kafka_topics_present", "name"),
        case("unknown profile", {"kafka_profile": "fast"}, "kafka_profile", "development, production", "fast"),
        case("unknown image source", {"kafka_image_source": "bild"}, "kafka_image_source", "build", "bild"),
        case("stack name that Docker refuses", {"stack_name": "-a b"}, "localhost", "stack_name", "-a b", "letters"),
        case("same port for both", {"zookeeper_port": 29292}, "localhost", "29292", "kp-none-zookeeper", "kafka_port"),
        case(
            "advertised host that does not resolve",
            {"kafka_advertised_host": "nowhere.invalid"},
            *("localhost", "EXTERNAL", "nowhere.invalid", "does not resolve", "kafka_advertised_host"),
        ),
        case("advertises all interfaces", {"kafka_advertised_host": "0.0.0.0"}, "0.0.0.0", "Set kafka_advertised_host"),
        case(
            "listener name twice",
            {"kafka_listeners": [EXTERNAL, INTERNAL, INTERNAL | {"port": 19093}]},
            *("localhost", "kafka_listeners", "INTERNAL more than once", "name of its own"),
        ),
        case(
            "listener port twice",
            {"kafka_listeners": [EXTERNAL, INTERNAL | {"port": 29292}]},
            *("localhost", "kafka_listeners", "port 29292 more than once", "port of its own"),
        ),
        case(
            "unknown protocol",
            {"kafka_listeners": [EXTERNAL | {"protocol": "TLS"}, INTERNAL]},
            *("kafka_listeners", "protocol", "TLS", "PLAINTEXT, SSL"),
        ),
        case("no listeners", {"kafka_listeners": []}, "localhost", "kafka_listeners"),
        case(
            "client listener that is not there",
            {"kafka_client_listener": "EXTRENAL"},
            *("localhost", "kafka_client_listener", "EXTRENAL", "EXTERNAL, INTERNAL"),
        ),
        case(
            "inter-broker listener that is not there",
            {"kafka_inter_broker_listener": "INNER"},
            *("localhost", "kafka_inter_broker_listener", "INNER", "EXTERNAL, INTERNAL"),
        ),
        case("bind address is a name", {"kafka_bind_address": "eth0"}, "EXTERNAL", "bind_address", "eth0", "0.0.0.0"),
        case(
            "derived property",
            {"kafka_config": {"log.dirs": "/x"}},
            "localhost",
            "kafka_config",
            "log.dirs",
            "stack_name",
        ),
        case(
            "derived property of listeners",
            {"kafka_config": {"advertised.listeners": "PLAINTEXT://a:1"}},
            *("kafka_config", "advertised.listeners", "kafka_listeners"),
        ),
        case(
            "derived property of ZooKeeper",
            {"zookeeper_config": {"clientPort": 1}},
            *("localhost", "zookeeper_config", "clientPort", "zookeeper_port"),
        ),
        case("topic name with a space", {"kafka_topics_present": [{"name": "a b"}]}, "'a b'", "letters"),
        case("topic name too long", {"kafka_topics_present": [{"name": "a" * 250}]}, "aaa", "1 to 249"),
        case("topic named ..", {"kafka_topics_present": [{"name": ".."}]}, "'..'", "Kafka refuses"),
        case(
            "topic twice",
            {"kafka_topics_present": [{"name": "a"}, {"name": "a"}]},
            "kafka_topics_present",
            "a more than once",
        ),
        case("topic wanted and not", {"kafka_topics_absent": ["kafka_demo"]}, "kafka_demo", "kafka_topics_absent"),
        case("no partitions", {"kafka_topics_present": [{"name": "a", "partitions": 0}]}, "topic a", "1 or more"),
        case(
            "more replicas than brokers",
            {"kafka_topics_present": [{"name": "a", "replication_factor": 2}]},
            *("topic a", "replication_factor 2", "1 broker", "group kafka"),
        ),
        case(
            "saved image that is not there",
            {"kafka_image_source": "load", "kafka_image_archive": "/nowhere/kafka.tar"},
            *("localhost", "/nowhere/kafka.tar", "Correct kafka_image_archive"),
        ),
        case(
            "saved image that is none",
            {"kafka_image_source": "load", "kafka_image_archive": __file__},
            *("localhost", __file__, "docker save"),
        ),
        case("load without a tarball", {"kafka_image_source": "load"}, "localhost", "kafka_image_archive", "set both"),
    ],
)
def test_variables_that_cannot_work(refused, variables, words):
    refused(*words, **variables)


@pytest.mark.parametrize("advertised", ["localhost", "0.0.0.0", "127.0.0.1"])
def test_loopback_advertised_for_a_remote_host_is_refused_without_connecting(refused, advertised):
    play = refused(
        *("far.example", advertised, "Set kafka_advertised_host"),
        inventory=REMOTE,
        kafka_advertised_host=advertised,
    )
    assert not any(host["unreachable"] for host in play.stats.values()), play.output


def test_duplicate_broker_ids(refused):
    refused("one, two", "kafka_broker_id 1", "id of its own", inventory=TWO_HOSTS)


@pytest.mark.parametrize("group", ["kafka", "zookeeper"])
def test_inventory_without_a_group(refused, group):
    refused(f"group {group}", "inventory.example", inventory=LOCALHOST.replace(f"[{group}]", "[other]"))


@pytest.mark.parametrize(("variable", "container"), [("kafka_port", "kafka"), ("zookeeper_port", "zookeeper")])
def test_port_in_use_by_a_process(refused, no_stack, variable, container):
    with socket.create_server(("127.0.0.1", no_stack.variables[variable])):
        refused(
            *("localhost", f"port {no_stack.variables[variable]} on 127.0.0.1", f"kp-none-{container}"),
            *(f"pid {os.getpid()}", f"set {variable}"),
        )


def test_no_way_to_an_engine(refused):
    play = refused(
        "localhost", "/nonexistent.sock", "no engine answers", env={"DOCKER_HOST": "unix:///nonexistent.sock"}
    )
    assert play.changed == 0


def test_what_is_misspelt_elsewhere_may_be_ignored(no_stack):
    play = no_stack.play("site.yml", "--check", kafka_prot=1, stack_ignored_variables=["kafka_pr.*"])
    assert play.ok, play.message


@pytest.mark.parametrize("image", [{}, {"stack_image": "kp-none:1"}], ids=["", "without an image"])
def test_check_on_a_fresh_engine_says_what_would_be_done_and_does_nothing(no_stack, image):
    play = no_stack.play("site.yml", "--check", "--diff", **image)
    assert play.ok, play.message
    assert {"Run the server", "Run the broker"} <= set(play.changed_tasks)
    assert play.result("Have the topics")["created"] == ["kafka_demo"]
    assert play.diffs()
    assert not any(no_stack.state().values())


def test_check_where_no_engine_runs(no_stack):
    hidden = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /var/run/docker.sock && exec "$@"', "sh"]
    if subprocess.run([*hidden, "true"], check=False, capture_output=True).returncode:
        pytest.skip("hiding the engine from a process needs root's rights to mount")
    play = no_stack.play("site.yml", "--check", "--diff", within=hidden)
    assert play.ok, play.message
    assert {"Run the server", "Run the broker"} <= set(play.changed_tasks)
    assert not any(no_stack.state().values())

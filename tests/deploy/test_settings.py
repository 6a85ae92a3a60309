"""A stack that runs: what site.yml makes, what a changed setting does to it, and that its messages stay."""

import os
import socket

import pytest

from tests.deploy.conftest import TOPIC, own_name
from tests.support.engine import docker
from tests.support.forward import forwarded


def test_second_run_changes_nothing(stack):
    before = stack.state()
    play = stack.site()
    assert (play.changed, play.changed_tasks) == (0, [])
    assert stack.state() == before
    assert "Kafka 3.9 with ZooKeeper, cluster " in play.output


def test_check_on_a_converged_stack_changes_nothing(stack):
    before = stack.state()
    play = stack.site("--check", "--diff")
    assert (play.changed, play.changed_tasks, play.diffs()) == (0, [], [])
    assert stack.state() == before


def test_a_setting_that_kafka_would_ignore_is_told(stack):
    said = stack.site("--check", kafka_config={"log.retention.huors": 7}).output
    assert "Kafka has no setting log.retention.huors, and ignores it. Did you mean log.retention.hours?" in said
    assert "Kafka has no setting" not in stack.site("--check", kafka_config={"log.retention.hours": 7}).output


def test_changed_setting_takes_effect_and_is_taken_back(stack):
    messages = ["before 1", "before 2", "before 3"]
    jmx = "-XX:+UseSerialGC -Dcom.sun.management.jmxremote.port=9999 -Dcom.sun.management.jmxremote.authenticate=false"
    settings = {"kafka_config": {"log.retention.hours": 7}, "kafka_heap": "300m", "kafka_jvm_options": jmx}
    stack.produce(*messages)
    kept = stack.messages()
    stack.commit("keeper", 1)
    assert stack.broker_config("log.retention.hours") == "168"
    zookeeper = docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", stack.zookeeper)

    before = stack.state()
    check = stack.site("--check", "--diff", **settings)
    assert check.changed_tasks == ["Start the broker"]
    assert stack.state() == before
    shown = str(check.diffs())
    assert "log.retention.hours=7" in shown
    assert "-Xmx300m" in shown

    play = stack.site(**settings)
    assert play.changed_tasks == check.changed_tasks
    assert stack.broker_config("log.retention.hours") == "7"
    assert "-Xmx300m" in docker("exec", stack.kafka, "cat", "/etc/kafka-proof/heap.options")
    # The node's port is not that of a command beside it.
    topics = ("/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "localhost:19092", "--list")
    assert "kafka_demo" in docker("exec", stack.kafka, *topics)
    assert stack.messages() == kept
    assert stack.committed("keeper") == 1
    assert docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", stack.zookeeper) == zookeeper

    assert stack.site().changed_tasks == check.changed_tasks
    assert stack.broker_config("log.retention.hours") == "168"
    assert "-Xmx256m" in docker("exec", stack.kafka, "cat", "/etc/kafka-proof/heap.options")
    assert stack.messages() == kept
    assert stack.committed("keeper") == 1


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["", "check"])
def test_an_invalid_value_is_refused_and_the_broker_runs_on(stack, mode):
    before = stack.state()
    values = [
        ({"log.retention.ms": "7d"}, "kafka_config sets log.retention.ms to '7d', which is not a whole number"),
        (
            {"log.cleanup.policy": "x"},
            "kafka_config sets log.cleanup.policy to 'x'. The broker refuses it: String must",
        ),
        ({"num.partitions": "two", "log.retention.ms": 1}, "num.partitions to 'two'"),
    ]
    for value, words in values[1:2] if mode else values:
        play = stack.play("site.yml", *mode, kafka_config=value)
        assert not play.ok
        assert words in play.message
        assert "No broker was changed." in play.message
    assert stack.state() == before


def test_a_setting_that_was_changed_while_it_ran_is_reset_after_a_stop(stack):
    stack.site(kafka_config={"log.retention.ms": 3600000})
    docker("stop", stack.kafka)
    stack.site()
    assert stack.broker_config("log.retention.ms") in (None, "")
    assert stack.site().changed == 0


def test_settings_listeners_and_options_arrive(spare):
    port = spare.port + 10
    listeners = [
        {
            "name": name,
            "port": number,
            "protocol": "PLAINTEXT",
            "advertised_host": "localhost",
            "bind_address": "127.0.0.1",
        }
        for name, number in (("EXTERNAL", spare.port), ("SECOND", port))
    ]
    # No listener for containers alone here, so the broker speaks to itself by one of the published ones.
    spare.site(
        kafka_listeners=listeners,
        kafka_inter_broker_listener="SECOND",
        kafka_client_listener="EXTERNAL",
        kafka_config={"broker.rack": "Zürich", "log.cleanup.policy": ["compact", "delete"]},
        kafka_topics_present=[{"name": TOPIC, "partitions": 2, "config": {"cleanup.policy": "delete"}}],
        zookeeper_config={"tickTime": 1000, "autopurge.purgeInterval": None},
        zookeeper_heap="70m",
    )
    spare.produce("by the first")
    assert spare.messages(bootstrap=f"localhost:{port}") == ["by the first"]
    assert f"bootstrap.servers=localhost:{spare.port}\n" in spare.client_properties.read_text()

    assert spare.broker_config("broker.rack") == "Zürich"
    assert spare.broker_config("log.cleanup.policy") == "compact,delete"

    written = docker("exec", spare.zookeeper, "cat", "/etc/kafka-proof/server.properties")
    assert "tickTime=1000" in written
    assert "autopurge.purgeInterval" not in written
    assert "-Xmx70m" in docker("exec", spare.zookeeper, "cat", "/etc/kafka-proof/heap.options")


@pytest.mark.long
def test_clients_reach_a_broker_by_a_forwarded_port(spare):
    with forwarded(spare.port) as port:
        play = spare.site(kafka_advertised_port=port)
        assert f"broker 1  localhost:{port}" in play.output
        assert f"bootstrap.servers=localhost:{port}\n" in spare.client_properties.read_text()
        spare.produce("one")
        assert spare.messages() == ["one"]
        assert spare.site(kafka_advertised_port=port).changed == 0


def test_other_containers_reach_the_broker_on_its_network(stack, image):
    topics = docker(
        *("run", "--rm", "--network", f"{stack.name}-kafka", "--entrypoint", "/opt/kafka/bin/kafka-topics.sh", image),
        *("--bootstrap-server", f"{stack.kafka}:19092", "--list"),
    )
    assert TOPIC in topics.split()


def test_published_on_loopback_only(stack):
    for container in (stack.kafka, stack.zookeeper):
        bindings = docker("port", container).splitlines()
        assert bindings
        assert all("-> 127.0.0.1:" in binding for binding in bindings), bindings


def test_port_that_is_taken_is_refused_before_the_broker_is_stopped(stack, intruder):
    taken, other = stack.port + 9, own_name("kp-holder")
    intruder(other, "--network", f"{stack.name}-kafka", "--publish", f"127.0.0.1:{taken}:1")
    before = stack.state()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for port, holder in [
            (taken, f"container {other}"),
            (server.getsockname()[1], f"pid {os.getpid()}"),
        ]:
            play = stack.play("site.yml", kafka_port=port)
            assert not play.ok
            for word in ("localhost", f"port {port} on 127.0.0.1", stack.kafka, holder, "set kafka_port"):
                assert word in play.message
            assert stack.state() == before

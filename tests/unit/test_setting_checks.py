"""Settings that are known to be wrong from the inventory alone."""

import pytest

from kafka_proof.deploy.setting_checks import (
    broker_setting_problems,
    controller_setting_problems,
    server_setting_problems,
)

COMPUTED = {"broker.id": 1, "log.dirs": "/data", "listeners": "…"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false"}, ["environment variables", "Write auto.create.topics.enable."]),
        ({"KAFKA_CFG_NUM_PARTITIONS": 3}, ["KAFKA_CFG_NUM_PARTITIONS", "Write num.partitions."]),
        ({"advertised.host.name": "10.0.0.1"}, ["removed", "Set kafka_advertised_host instead"]),
        ({"advertised.port": 9092}, ["removed", "Set kafka_advertised_port instead"]),
        ({"port": 9092}, ["removed", "Set kafka_port instead"]),
        ({"host.name": "a"}, ["removed", "Set kafka_bind_address instead"]),
        ({"log.dir": "/x"}, ["log.dir", "stack_name"]),
        ({"broker.id": 2}, ["broker.id", "kafka_broker_id"]),
        ({"listeners": "A://:1"}, ["listeners", "kafka_listeners"]),
        ({"process.roles": "broker"}, ["process.roles", "a setting of KRaft", "Remove it"]),
        ({"controller.quorum.voters": "1@a:1"}, ["controller.quorum.voters", "ZooKeeper"]),
        ({"node.id": 0}, ["node.id", "ZooKeeper"]),
        ({"offsets.topic.replication.factor": 3}, ["to 3", "2 broker(s)", "Lower it"]),
        ({"transaction.state.log.min.isr": "3"}, ["transaction.state.log.min.isr"]),
        ({"default.replication.factor": 3}, ["default.replication.factor"]),
        ({"min.insync.replicas": 3}, ["min.insync.replicas"]),
        ({"share.coordinator.state.topic.replication.factor": 3}, ["share.coordinator.state.topic.replication.factor"]),
        ({"log.cleanup.policy": {"a": 1}}, ["log.cleanup.policy", "mapping"]),
        ({"log.cleanup.policy": [{"a": 1}]}, ["log.cleanup.policy", "mapping"]),
    ],
)
def test_broker_settings(config, words):
    [problem] = broker_setting_problems(config, COMPUTED, 2, kraft=False, version="3.9.2")
    assert not [word for word in words if word not in problem], problem


def test_broker_settings_that_are_fine():
    config = {
        "log.retention.ms": "7d",  # the broker itself refuses that
        "offsets.topic.replication.factor": 2,
        "sasl.enabled.mechanisms": ["PLAIN", "SCRAM-SHA-256"],
        "my.plugin.port": 1,
        "min.insync.replicas": None,
        "replication.quota.window.num": 11,
    }
    assert list(broker_setting_problems(config, COMPUTED, 2, kraft=False, version="3.9.2")) == []
    config = {"controller.quorum.election.timeout.ms": 1000}
    assert list(broker_setting_problems(config, COMPUTED, 1, kraft=True, version="3.9.2")) == []
    assert list(controller_setting_problems(config | {"num.partitions": 3}, COMPUTED, "4.4.0")) == []


@pytest.mark.parametrize(
    ("name", "of_broker", "of_controller"),
    [
        ("node.id", "derived from kafka_broker_id", "derived from kafka_controller_id"),
        ("process.roles", "derived from the groups", "derived from the groups"),
        ("controller.quorum.voters", "derived from the groups", "derived from the groups"),
        ("controller.quorum.bootstrap.servers", "kafka_controller_port", "kafka_controller_port"),
        ("controller.quorum.auto.join.enable", "would join again", "would join again"),
        ("listeners", "derived from kafka_listeners", "kafka_controller_port and stack_address"),
        ("KAFKA_NUM_PARTITIONS", "Write num.partitions.", "Write num.partitions."),
        (
            "delegation.token.master.key",
            "Set delegation.token.secret.key instead.",
            "Set delegation.token.secret.key instead.",
        ),
        ("zookeeper.connect", "a setting of ZooKeeper mode", "a setting of ZooKeeper mode"),
    ],
)
def test_settings_of_the_quorum(name, of_broker, of_controller):
    [problem] = broker_setting_problems({name: "1"}, COMPUTED, 1, kraft=True, version="4.4.0")
    assert problem.startswith(f"kafka_config sets {name}")
    assert of_broker in problem
    [problem] = controller_setting_problems({name: "1"}, COMPUTED, "4.4.0")
    assert problem.startswith(f"kafka_controller_config sets {name}")
    assert of_controller in problem


MASTER = "delegation.token.master.key"


@pytest.mark.parametrize(
    ("name", "version", "kraft", "end"),
    [
        (MASTER, "3.9.2", True, None),
        (MASTER, "4.0.0", True, "which Kafka 4.0 removed. Set delegation.token.secret.key instead."),
        (MASTER, "4.4.0", True, "which Kafka 4.0 removed. Set delegation.token.secret.key instead."),
        (MASTER, "10.0.0", True, "which Kafka 4.0 removed. Set delegation.token.secret.key instead."),
        ("log.message.format.version", "4.1.1", True, "which Kafka 4.0 removed. Remove it."),
        ("group.share.max.groups", "4.0.0", True, None),
        ("group.share.max.groups", "4.1.0-rc1", True, "which Kafka 4.1 removed. Remove it."),
        (
            "group.share.enable",
            "4.3.1",
            True,
            "which Kafka 4.3 removed. The feature share.version replaces it: remove it.",
        ),
        ("zookeeper.session.timeout.ms", "3.9.2", False, None),
        (
            "zookeeper.session.timeout.ms",
            "3.9.2",
            True,
            "a setting of ZooKeeper mode, and the stack runs KRaft. Remove it.",
        ),
        ("zookeeper.connect", "4.4.0", True, "a setting of ZooKeeper mode, and the stack runs KRaft. Remove it."),
        (
            "inter.broker.protocol.version",
            "3.9.2",
            True,
            "a setting of ZooKeeper mode, and the stack runs KRaft. Remove it.",
        ),
        ("reserved.broker.max.id", "3.9.2", False, None),
        ("controlled.shutdown.enable", "4.4.0", True, None),
        ("log.message.timestamp.before.max.ms", "4.4.0", True, None),
    ],
)
def test_removed_settings(name, version, kraft, end):
    found = list(broker_setting_problems({name: "1"}, {"broker.id": 1}, 1, kraft, version))
    assert found == ([f"kafka_config sets {name}, {end}"] if end else [])


def test_server_settings():
    [problem] = server_setting_problems({"dataDir": "/x", "server.1": "a"}, {"dataDir": "/y"}, "zookeeper-data")
    assert "dataDir, server.1" in problem
    assert "the volume zookeeper-data" in problem
    assert list(server_setting_problems({"tickTime": 1}, {"dataDir": "/y"}, "v")) == []

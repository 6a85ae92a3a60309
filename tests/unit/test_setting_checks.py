"""Settings that are known to be wrong from the inventory alone."""

import pytest

from kafka_proof.deploy.setting_checks import broker_setting_problems, server_setting_problems

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
    [problem] = broker_setting_problems(config, COMPUTED, brokers=2)
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
    assert list(broker_setting_problems(config, COMPUTED, brokers=2)) == []
    assert list(broker_setting_problems({"node.id": 3}, COMPUTED, 1, kraft=True)) == []


def test_server_settings():
    [problem] = server_setting_problems({"dataDir": "/x", "server.1": "a"}, {"dataDir": "/y"}, "zookeeper-data")
    assert "dataDir, server.1" in problem
    assert "the volume zookeeper-data" in problem
    assert list(server_setting_problems({"tickTime": 1}, {"dataDir": "/y"}, "v")) == []

"""Ready means answered by a cluster that can change. A broker alone, without ZooKeeper or controller, is not ready."""

import subprocess

import pytest
from kafka import KafkaAdminClient
from kafka.protocol.metadata import MetadataRequest

from kafka_proof.client.properties import kafka_python
from kafka_proof.client.raw import send
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.ready import NotReadyError, wait_ready
from tests.support.brokers import KRAFT, Cluster

PREFIX, PORT = "kp-ready", 31100
VOTER = 100
NODE = {
    "controller.quorum.voters": f"{VOTER}@{PREFIX}-controller:9093",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": "/var/lib/kafka/data",
    "log.cleaner.dedupe.buffer.size": 16777216,  # for a small heap
    "offsets.topic.replication.factor": 1,
}


@pytest.fixture(scope="module")
def cluster():
    with Cluster(PREFIX, PORT) as cluster:
        cluster.start_zookeeper()
        cluster.start_brokers(1, 2, offsets_topic_replication_factor=2)  # so that each can coordinate groups alone
        yield cluster


def test_a_broker_without_zookeeper_is_not_ready(cluster):
    client = cluster.properties(1, 2)
    controller = wait_ready(client, [1, 2], 10)["controller_id"]
    other = 3 - controller
    inside = ("nsenter", "--net", "--target", str(cluster[str(other)].attrs["State"]["Pid"]))
    rule = ("OUTPUT", "--protocol", "tcp", "--dport", "2181", "--jump", "DROP")
    subprocess.run([*inside, "iptables", "--insert", *rule], check=True)
    try:
        with cluster.admin(controller) as admin:
            wait_until("its session to end", lambda: len(admin.describe_cluster()["brokers"]), lambda n: n == 1, 30)
        with KafkaAdminClient(**kafka_python(cluster.properties(other))) as admin:  # it still answers, and knows both
            known = {node.node_id for node in send(admin, MetadataRequest(topics=[]), other).brokers}
        assert known == {1, 2}
        for brokers in ([1, 2], [other]):
            with pytest.raises(NotReadyError, match=rf"broker \[{other}\] not registered|not know broker \[{other}\]"):
                wait_ready(cluster.properties(other), brokers, 3)
        assert wait_ready(cluster.properties(controller), [controller], 10)["controller_id"] == controller
    finally:
        subprocess.run([*inside, "iptables", "--delete", *rule], check=True)
    wait_ready(client, [1, 2], 30)


def test_a_controller_without_zookeeper_is_not_ready(cluster):
    client = cluster.properties(1, 2)
    wait_ready(client, [1, 2], 30)
    cluster["zookeeper"].stop(timeout=0)
    try:
        with pytest.raises(NotReadyError, match=r"controller \d does not act.*no answer within"):
            wait_ready(client, [1, 2], 3)
    finally:
        cluster["zookeeper"].start()
    wait_ready(client, [1, 2], 30)
    with cluster.admin(1) as admin:
        assert [name for name in admin.list_topics() if not name.startswith("__")] == []


def test_a_broker_without_its_controller_is_not_ready(cluster):
    port = PORT + 9
    client = {"bootstrap.servers": f"localhost:{port}"}
    voter = {"process.roles": "controller", "node.id": VOTER, "listeners": "CONTROLLER://0.0.0.0:9093"}
    broker = {
        "process.roles": "broker",
        "node.id": 1,
        "listeners": f"PLAINTEXT://0.0.0.0:{port}",
        "advertised.listeners": f"PLAINTEXT://localhost:{port}",
    }
    controller = cluster.start("controller", KRAFT, NODE | voter)
    cluster.start("kraft", KRAFT, NODE | broker, ports={port: port})
    assert wait_ready(client, [1], 60)["controller_id"] == VOTER

    controller.kill()
    with pytest.raises(NotReadyError, match="not ready after 3 s"):
        wait_ready(client, [1], 3)

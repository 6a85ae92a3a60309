"""Work-arounds for kafka-python that take several brokers. A test fails where its work-around is removed."""

import pytest
from kafka import KafkaProducer
from kafka.errors import UnknownBrokerIdError
from kafka.protocol.metadata import MetadataRequest

from kafka_proof.client.connection import open_admin
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.raw import send
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import NO_ANSWER, forget_controller, know_brokers, log_dirs, reason
from tests.support.brokers import Cluster


@pytest.fixture(scope="module")
def cluster():
    with Cluster("kp-workarounds", 31200) as cluster:
        cluster.start_zookeeper()
        cluster.start_brokers(1)
        yield cluster


def arguments(cluster, broker=1):
    return kafka_python(cluster.properties(broker))


def test_log_directories_of_all_topics_are_asked_for(cluster):
    with cluster.admin(1) as admin:
        admin.create_topics({"big": {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
        with KafkaProducer(**arguments(cluster)) as producer:
            producer.send("big", b"x", partition=1).get(timeout=10)

        [all_of_it], [some] = log_dirs(admin, 1), log_dirs(admin, 1, [("big", [1])])

        assert "big" in {topic["name"] for topic in all_of_it["topics"]}
        [topic] = some["topics"]
        assert [(each["partition_index"], each["partition_size"] > 0) for each in topic["partitions"]] == [(1, True)]


def test_a_broker_that_joins_later_is_asked_once_it_is_known(cluster):
    with open_admin(arguments(cluster), 10) as admin:
        cluster.start_brokers(2)
        with pytest.raises(UnknownBrokerIdError):
            send(admin, MetadataRequest(topics=[]), 2)

        know_brokers(admin, [1, 2])

        assert {node.node_id for node in send(admin, MetadataRequest(topics=[]), 2).brokers} == {1, 2}


def test_a_controller_that_died_is_asked_for_ever(cluster):
    with open_admin(kafka_python(cluster.properties(1, 2)), 10, 3) as admin:

        def check():
            return admin.create_topics({"checked": {"num_partitions": 1}}, validate_only=True)["topics"]

        check()
        controller = admin.describe_cluster()["controller_id"]
        cluster[str(controller)].kill()
        other = kafka_python(cluster.properties(3 - controller))
        with open_admin(other, 10) as second:
            wait_until(
                "another controller",
                lambda: second.describe_cluster()["controller_id"],
                lambda seen: seen == 3 - controller,
                seconds=30,
            )
        with pytest.raises(NO_ANSWER) as caught:
            check()
        assert reason(caught.value).startswith(f"broker {controller} at localhost:")
        assert f"does not answer ({type(caught.value).__name__}: " in reason(caught.value)

        forget_controller(admin)
        assert wait_until("an answer", check, pause=0.2)[0]["error_code"] == 0

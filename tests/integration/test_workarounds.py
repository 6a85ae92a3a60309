"""Each work-around for kafka-python: the fault in it, so that an upgrade that mends it shows, and its absence here."""

import socket
import time

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, UnknownBrokerIdError
from kafka.protocol.metadata import MetadataRequest

from kafka_proof.client.connection import open_admin
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.raw import send
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import (
    NO_ANSWER,
    SECONDS,
    forget_controller,
    know_brokers,
    log_dirs,
    makes_no_topic,
    producing,
    why_not,
)
from tests.cluster.several_brokers import Cluster
from tests.support.docker import docker, zookeeper

PREFIX, PORT = "kp-workarounds", 31200


@pytest.fixture(scope="module")
def cluster():
    with zookeeper(PREFIX):
        cluster = Cluster(PREFIX, PORT)
        cluster.start(1)
        yield cluster


def arguments(cluster, broker=1):
    return kafka_python(cluster.properties(broker))


def test_the_reason_why_no_connection_opens_is_only_in_the_log():
    with why_not() as why, pytest.raises(KafkaError) as failure:
        KafkaAdminClient(bootstrap_servers=["127.0.0.1:1"], bootstrap_timeout_ms=300)

    assert "REFUSED" not in str(failure.value)
    assert "REFUSED" in why()


def test_a_port_that_says_nothing_in_a_tls_handshake_ends_the_wait():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tls = {"security_protocol": "SSL", "ssl_check_hostname": False}
        address, started = f"127.0.0.1:{silent.getsockname()[1]}", time.monotonic()
        with pytest.raises(KafkaError):
            KafkaAdminClient(bootstrap_servers=[address], bootstrap_timeout_ms=500, **tls).close()

    assert time.monotonic() - started < 2 * SECONDS


def test_a_question_for_a_topic_creates_it_unless_told_otherwise(cluster):
    with (
        KafkaConsumer(**arguments(cluster), allow_auto_create_topics=False) as consumer,
        makes_no_topic(KafkaConsumer(**arguments(cluster))) as careful,
    ):
        for each, topic in ((careful, "not-made"), (consumer, "made")):
            each.subscribe([topic])
            each.poll(500)
    with makes_no_topic(KafkaProducer(**arguments(cluster), max_block_ms=500)) as producer, pytest.raises(KafkaError):
        producer.send("not-made-either", b"").get(timeout=1)

    with cluster.admin(1) as admin:
        topics = wait_until("the topic", admin.list_topics, lambda names: "made" in names)
    assert [name for name in topics if name.startswith("not-made")] == []


def test_log_directories_of_all_topics_are_asked_for(cluster):
    with cluster.admin(1) as admin:
        admin.create_topics({"big": {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
        with KafkaProducer(**arguments(cluster)) as producer:
            producer.send("big", b"x", partition=1).get(timeout=10)

        [all_of_it], [some] = log_dirs(admin, 1), log_dirs(admin, 1, [("big", [1])])

        assert {"big", "made"} <= {topic["name"] for topic in all_of_it["topics"]}
        [topic] = some["topics"]
        assert [(each["partition_index"], each["partition_size"] > 0) for each in topic["partitions"]] == [(1, True)]


def test_messages_that_no_broker_takes_do_not_delay_the_end(cluster):
    try:
        with producing(**arguments(cluster)) as producer:
            producer.send("big", b"before").get(timeout=10)
            docker("pause", cluster.name(1))
            stuck, started = producer.send("big", b"stuck"), time.monotonic()
        assert SECONDS <= time.monotonic() - started < 3 * SECONDS
        assert stuck.failed()
        assert not producer._sender.is_alive()
    finally:
        docker("unpause", cluster.name(1))


def test_a_broker_that_joins_later_is_asked_once_it_is_known(cluster):
    with open_admin(arguments(cluster), 10) as admin:
        cluster.start(2)
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
        docker("kill", cluster.name(controller))
        other = kafka_python(cluster.properties(3 - controller))
        with open_admin(other, 10) as second:
            wait_until(
                "another controller",
                lambda: second.describe_cluster()["controller_id"],
                lambda seen: seen == 3 - controller,
                seconds=30,
            )
        with pytest.raises(NO_ANSWER):
            check()

        forget_controller(admin)
        assert wait_until("an answer", check, pause=0.2)[0]["error_code"] == 0

"""Each work-around for kafka-python is needed and works. A test fails where its work-around is removed."""

import contextlib
import logging
import socket
import ssl
import struct
import threading
import time

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.structs import OffsetAndMetadata

from kafka_proof.client import workarounds
from kafka_proof.client.connection import connect, open_admin
from kafka_proof.client.raw import fetch_state
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import makes_no_topic, producing, why_not
from tests.integration.conftest import LISTENERS
from tests.support.certificates import Authority

MIB = 2**20
ENOUGH = 40 * MIB  # what a peer sends to a client that does not stop it
SOON = 10  # seconds; without their work-around, clients wait for minutes


@pytest.mark.parametrize("level", [logging.NOTSET, logging.CRITICAL])
def test_why_not_returns_the_reason_that_the_error_leaves_out(broker, level, monkeypatch):
    monkeypatch.setattr(logging.getLogger("kafka"), "level", level)
    where = f"localhost:{LISTENERS['TLS'].port}"
    with why_not() as why, pytest.raises(KafkaError) as caught:
        KafkaAdminClient(bootstrap_servers=[where], security_protocol="SSL", bootstrap_timeout_ms=3000)

    assert "certificate" not in str(caught.value)
    assert "certificate verify failed" in why()


def ask_consumer(arguments, topic, treat):
    with KafkaConsumer(**arguments, request_timeout_ms=1000) as consumer:
        treat(consumer).end_offsets([TopicPartition(topic, 0)])


def ask_producer(arguments, topic, treat):
    with KafkaProducer(**arguments, max_block_ms=1000) as producer:
        treat(producer).partitions_for(topic)


@pytest.mark.parametrize("ask", [ask_consumer, ask_producer])
def test_makes_no_topic_by_asking_for_it(arguments, ask):
    untreated, treated = f"{ask.__name__}-untreated", f"{ask.__name__}-treated"
    with pytest.raises(KafkaTimeoutError):
        ask(arguments, treated, makes_no_topic)
    with contextlib.suppress(KafkaTimeoutError):  # the topic is made, and can have no leader yet
        ask(arguments | {"allow_auto_create_topics": False}, untreated, lambda client: client)

    with connect(arguments) as admin:
        topics = wait_until("the topic", admin.list_topics, lambda names: untreated in names)
    assert treated not in topics


def test_handshake_with_a_silent_peer_ends():
    def open_client(address):
        with contextlib.suppress(KafkaError):
            KafkaAdminClient(bootstrap_servers=[address], security_protocol="SSL", bootstrap_timeout_ms=1000)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        client = threading.Thread(target=open_client, args=[address], daemon=True)
        client.start()
        client.join(SOON)
        assert not client.is_alive()


@pytest.mark.parametrize("listener", ["OPEN", "TLS"])
@pytest.mark.parametrize(("frozen", "seconds"), [(1, 5), (1, 2), (3, SOON)])
def test_another_server_is_asked_where_the_first_ones_are_frozen(
    arguments, authority, monkeypatch, listener, frozen, seconds
):
    if listener == "TLS":
        server = f"localhost:{LISTENERS['TLS'].port}"
        arguments = {"bootstrap_servers": [server], "security_protocol": "SSL", "ssl_cafile": str(authority)}
    monkeypatch.setattr("kafka.cluster.random.shuffle", lambda _: None)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(frozen)]
        ports = [each.getsockname()[1] for each in silent]
        servers = [*(f"127.0.0.1:{port}" for port in ports), *arguments["bootstrap_servers"]]
        with open_admin(arguments | {"bootstrap_servers": servers}, seconds) as admin:
            assert len(admin.describe_cluster()["brokers"]) == 1
        for each in silent:
            each.settimeout(SOON)
            each.accept()  # it was asked
            each.setblocking(False)
            with pytest.raises(BlockingIOError):
                each.accept()


def test_fetch_state_says_why_a_consumer_is_idle(arguments):
    partition = TopicPartition("idle", 0)
    with connect(arguments) as admin:
        admin.create_topics({"idle": {"num_partitions": 1}}, wait_for_metadata=True)
    with KafkaProducer(**arguments) as producer:
        producer.send("idle", b"1").get(SOON)
    with KafkaConsumer(**arguments, group_id=None, enable_auto_commit=False) as consumer:
        assert fetch_state(consumer, partition) is None
        consumer.assign([partition])
        consumer.seek(partition, 0)
        consumer.pause(partition)
        assert not consumer.poll(100)
        assert fetch_state(consumer, partition) == "position 0, it is paused"
        consumer.resume(partition)
        wait_until("the message", lambda: consumer.poll(100))
        assert fetch_state(consumer, partition).startswith("position 1, ")


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
def test_a_peer_that_sends_without_end_is_left(tmp_path, protocol):
    """It announces an answer of 2 GiB, and sends as much as it can."""
    authority = Authority(tmp_path / "authority.pem")
    (tmp_path / "server.pem").write_text("".join(authority.issue("localhost")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    sent = []

    def flood(server):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                sent.append(0)
                with contextlib.suppress(OSError), connection:
                    connection.recv(4096)
                    connection.sendall(struct.pack(">i", 2**31 - 1))
                    while sent[-1] < ENOUGH:
                        connection.sendall(bytes(MIB))
                        sent[-1] += MIB

    with socket.create_server(("127.0.0.1", 0)) as plain:
        address = f"localhost:{plain.getsockname()[1]}"
        server = context.wrap_socket(plain, server_side=True) if protocol == "SSL" else plain
        threading.Thread(target=flood, args=[server], daemon=True).start()
        with pytest.raises(KafkaError):
            KafkaAdminClient(
                bootstrap_servers=[address],
                security_protocol=protocol,
                ssl_cafile=str(authority.path),
                bootstrap_timeout_ms=1000,
            )

    assert sent
    assert max(sent) < ENOUGH


def test_producing_ends_while_no_broker_answers(broker, arguments, monkeypatch):
    monkeypatch.setattr(workarounds, "SECONDS", 1)
    with connect(arguments) as admin:
        admin.create_topics({"frozen": {"num_partitions": 1}}, wait_for_metadata=True)
    with contextlib.ExitStack() as at_the_end:
        with producing(**arguments) as producer:
            producer.send("frozen", b"taken").get(SOON)
            broker.pause()
            at_the_end.callback(broker.unpause)
            not_taken = producer.send("frozen", b"not taken")
            began = time.monotonic()
        assert time.monotonic() - began < SOON
        assert not_taken.failed()
        assert not producer._sender.is_alive()


def test_stable_offsets_wait_for_an_open_transaction(arguments):
    """The offsets of an open transaction are not stable: the plain answer is the offset before it."""
    group, partition = f"stable-{time.monotonic_ns()}", TopicPartition("of-stable-offsets", 0)
    offset = {partition: OffsetAndMetadata(1, "", -1)}
    with (
        KafkaProducer(**arguments, transactional_id=group) as producer,
        KafkaConsumer(**arguments, group_id=group, enable_auto_commit=False) as consumer,
        connect(arguments) as admin,
    ):
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(partition.topic, b"").get(SOON)
        producer.commit_transaction()
        consumer.assign([partition])
        consumer.commit(offset)
        producer.begin_transaction()
        producer.send_offsets_to_transaction({partition: OffsetAndMetadata(2, "", -1)}, consumer.group_metadata())
        assert admin.list_group_offsets(group)[group][partition].offset == 1
        with pytest.raises(KafkaError):
            workarounds.stable_offsets(admin, group)
        producer.commit_transaction()
        found = wait_until("stable offsets", lambda: workarounds.stable_offsets(admin, group))
        assert found[partition].offset == 2

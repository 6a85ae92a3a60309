"""Messages arrive complete, in the right place, and in order"""

import itertools
import socket
import time

import pytest
from kafka import KafkaConsumer
from kafka.admin import ConfigResourceType
from kafka.errors import MessageSizeTooLargeError, NoOffsetForPartitionError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.workarounds import producing
from kafka_proof.cluster.settings import value_of

from .group import positions

CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.existing_topic
def test_json_key_and_value_come_back_in_order(partitions, name, producer, reader, headers, starts, record_property):
    """JSON keys and values arrive unchanged, in order, in the partition that the producer named"""
    zero, one = partitions
    sent = [("count_num", str(number)) for number in range(3)] + [({"id": 1}, {"text": "多谢", "list": [1, None, 2.5]})]
    offsets, latency = [], []

    for number, (key, value) in enumerate(sent):
        began = time.perf_counter()
        future = producer.send(one.topic, partition=one.partition, key=key, value=value, headers=headers)
        metadata = future.get(timeout=10)
        latency.append([number, (time.perf_counter() - began) * 1000])
        assert (metadata.topic, metadata.partition) == one
        offsets.append(metadata.offset)
    record_property("from send to acknowledgement, by message", {"unit": "ms", "series": {"acks=all": latency}})
    assert offsets == sorted(set(offsets))
    assert offsets[0] >= starts[one]

    group = reader(name, partitions)
    group.read_to({zero: starts[zero], one: offsets[-1] + 1})
    assert [(record.partition, record.offset, record.key, record.value) for record in group.received["reader"]] == [
        (one.partition, offset, key, value) for offset, (key, value) in zip(offsets, sent, strict=True)
    ]


@pytest.mark.existing_topic
def test_headers_and_timestamps_come_back(partitions, name, producer, reader, headers, starts):
    """Headers and timestamps arrive unchanged"""
    zero, one = partitions
    now = int(time.time() * 1000)
    extra = [("trace", b"\x00\xff"), ("trace", b"again"), ("empty", b"")]
    sent = producer.send(
        zero.topic, partition=zero.partition, key=1, value=1, headers=headers + extra, timestamp_ms=now - 1000
    ).get(timeout=10)

    group = reader(name, partitions)
    group.read_to({zero: sent.offset + 1, one: starts[one]})

    [record] = group.received["reader"]
    assert record.headers == headers + extra
    if record.timestamp_type == 0:  # CreateTime; a topic can stamp messages itself
        assert record.timestamp == now - 1000


@pytest.mark.existing_topic
def test_same_key_goes_to_the_same_partition(topic, producer, headers):
    """Messages of one key share a partition, and many keys use all partitions"""

    # Without partition=, a hash of the key decides, and these 20 keys fall on both partitions, or on some of more.
    def partition_of(key):
        return producer.send(topic[0].topic, key=key, value=0, headers=headers).get(timeout=10).partition

    assert len({partition_of("count_num") for _ in range(3)}) == 1
    used = {partition_of(f"key {number}") for number in range(20)}
    assert len(used) > 1, f"20 keys share partition {used}"


@pytest.mark.existing_topic
def test_order_within_a_partition(partitions, name, send, reader, record_property):
    """Within a partition, order is kept over many batches"""
    ends = {tp: send(tp, range(500)) for tp in partitions}

    group = reader(name, partitions)
    group.read_to(ends)

    matrix = group.matrix()["reader"]
    assert matrix == {tp.partition: list(range(500)) for tp in partitions}, group.evidence()
    record_property("messages", len(group.received["reader"]))


@pytest.mark.existing_topic
@pytest.mark.parametrize("codec", CODECS)
def test_compressed_messages_come_back(codec, kafka, partitions, name, reader, headers, starts):
    """Compressed messages arrive unchanged"""
    zero, one = partitions
    values = [f"{number}: {codec * 50}" for number in range(20)]
    with producing(**kafka, compression_type=codec, linger_ms=50, value_serializer=_json) as producer:
        sent = [producer.send(zero.topic, partition=zero.partition, value=value, headers=headers) for value in values]
        end = [future.get(timeout=10) for future in sent][-1].offset + 1
        size = producer.metrics()["producer-metrics"]["compression-rate-avg"]
    assert size < 1, f"{codec} made the batches {size:.0%} of their size"

    group = reader(name, partitions)
    group.read_to({zero: end, one: starts[one]})
    assert [record.value for record in group.received["reader"]] == values


def _json(value):
    return f'"{value}"'.encode()


@pytest.mark.existing_topic
def test_idempotent_producer_writes_each_message_once(kafka, partitions, name, reader, headers, starts, existing_topic):
    """An idempotent producer writes each message once, at consecutive offsets"""
    zero, one = partitions
    with producing(**kafka, enable_idempotence=True, value_serializer=_json) as producer:
        sent = [producer.send(zero.topic, partition=0, value=number, headers=headers) for number in range(300)]
        offsets = [future.get(timeout=10).offset for future in sent]
    if not existing_topic:  # there, the messages of others lie between
        assert offsets == list(range(300))

    group = reader(name, partitions)
    group.read_to({zero: offsets[-1] + 1, one: starts[one]})
    assert group.matrix()["reader"] == {0: [str(number) for number in range(300)]}


def test_too_large_a_message_is_refused(kafka, admin, name):
    """The producer and the broker refuse a message that is too large, with that error"""
    admin.create_topics({name: {"num_partitions": 1, "configs": {"max.message.bytes": "10000"}}})
    admin.wait_for_topics([name])
    with producing(**kafka, max_request_size=50_000) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            producer.send(name, b"x" * 60_000)  # never leaves the client, so there is no answer to get
        producer.send(name, b"x" * 9_000).get(timeout=10)
        refused = producer.send(name, b"x" * 20_000)  # more than the topic takes
        with pytest.raises(MessageSizeTooLargeError):
            refused.get(timeout=10)
    assert admin.describe_topics([name])[0]["error_code"] == 0


@pytest.mark.existing_topic
def test_unknown_partition_is_refused(topic, producer, headers):
    """A missing partition is refused"""
    with pytest.raises((ValueError, AssertionError), match="nrecognized partition"):
        producer.send(topic[0].topic, partition=len(topic), key=1, value=1, headers=headers)


@pytest.mark.read_only
@pytest.mark.existing_topic
def test_unreachable_broker_is_said_to_be_unreachable():
    """Without a broker, a client reports an error in bounded time"""
    with pytest.raises(NoKafkaError, match="no Kafka answered"):
        connect({"bootstrap_servers": ["localhost:1"]}, seconds=1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts a connection and says nothing
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoKafkaError, match="no Kafka answered within 1 s"):
            connect({"bootstrap_servers": [address]}, seconds=1)


def test_earliest_begins_with_the_first_message(partitions, name, send, reader):
    """A new group with `earliest` begins with the first message"""
    ends = {tp: send(tp, ["before"]) for tp in partitions}

    group = reader(name, partitions, auto_offset_reset="earliest")

    assert set(positions(group.consumers["reader"]).values()) == {0}
    group.read_to(ends)
    assert group.matrix() == {"reader": {0: ["before"], 1: ["before"]}}


@pytest.mark.existing_topic
def test_latest_begins_after_the_last_message(partitions, name, send, reader):
    """A new group with `latest` begins after the last message"""
    before = {tp: send(tp, ["before"]) for tp in partitions}

    group = reader(name, partitions, auto_offset_reset="latest")
    # "Latest" means the moment of the consumer's question, which is later than its creation. position() makes it ask
    # now. Else the next messages can be older than the question, and never arrive.
    begins = positions(group.consumers["reader"])
    assert all(begins[tp] >= end for tp, end in before.items()), f"it begins at {begins}, and the end was {before}"

    group.read_to({tp: send(tp, ["after"]) for tp in partitions})
    assert group.matrix() == {"reader": {0: ["after"], 1: ["after"]}}


@pytest.mark.existing_topic
def test_none_refuses_to_begin(partitions, name, send, reader):
    """A new group with `none` refuses to begin anywhere"""
    send(partitions[0], ["before"])
    consumer = reader(name, partitions, auto_offset_reset="none").consumers["reader"]

    with pytest.raises(NoOffsetForPartitionError):
        positions(consumer)


@pytest.mark.existing_topic
def test_seek_pause_and_resume(partitions, name, send, reader, starts):
    """A consumer continues where it seeks, and receives nothing from a paused partition"""
    zero, one = partitions
    third = {tp: send(tp, range(3)) for tp in partitions}
    ends = {tp: send(tp, range(3, 5)) for tp in partitions}
    group = reader(name, partitions)
    consumer = group.consumers["reader"]

    consumer.seek(zero, third[zero])
    consumer.pause(one)
    group.read_to({zero: ends[zero], one: starts[one]})
    # Messages of the other partition, if the broker sent any, would be delivered before the next message at the latest.
    ends[zero] = send(zero, [5])
    group.read_to({zero: ends[zero], one: starts[one]})
    assert group.matrix()["reader"] == {0: [3, 4, 5]}

    consumer.resume(one)
    group.read_to(ends)
    assert group.matrix()["reader"] == {0: [3, 4, 5], 1: list(range(5))}


def test_offsets_for_times(admin, partitions, name, producer, reader):
    """The broker finds the first message at or after a time"""
    zero = partitions[0]
    if value_of(admin, (ConfigResourceType.TOPIC, name), "message.timestamp.type") != "CreateTime":
        pytest.skip("the broker stamps messages itself")
    now = int(time.time()) - 60  # not so long ago that the broker deletes the messages meanwhile
    for second in (10, 20, 30):
        stamp = (now + second) * 1000
        producer.send(name, partition=0, key=1, value=second, timestamp_ms=stamp).get(timeout=10)
    consumer = reader(name, partitions).consumers["reader"]

    found = {second: consumer.offsets_for_times({zero: (now + second) * 1000})[zero] for second in (10, 15, 30, 31)}

    assert {second: at and at.offset for second, at in found.items()} == {10: 0, 15: 1, 30: 2, 31: None}


def test_transactions_are_seen_whole_or_not_at_all(kafka, partitions, name, producer, record_property):
    """Consumers read the messages of a committed transaction, and never those of an aborted one"""
    zero = partitions[0]

    def read(isolation):
        with KafkaConsumer(**kafka, group_id=None, isolation_level=isolation, enable_auto_commit=False) as consumer:
            consumer.assign([zero])
            consumer.seek(zero, 0)
            end, values = consumer.end_offsets([zero])[zero], []
            for _ in range(200):
                values += [record.value.decode() for records in consumer.poll(50).values() for record in records]
                if consumer.position(zero) >= end:
                    break
            return values

    with producing(**kafka, transactional_id=name, max_block_ms=10_000) as transactional:
        transactional.init_transactions()
        for value, end in itertools.product([b"a", b"b"], ["commit", "abort"]):
            transactional.begin_transaction()
            transactional.send(name, value + end.encode(), partition=0).get(timeout=10)
            if (value, end) == (b"a", "commit"):
                record_property("while a transaction is open, read_committed reads", str(read("read_committed")))
                assert read("read_committed") == []
            getattr(transactional, f"{end}_transaction")()

    assert read("read_committed") == ["acommit", "bcommit"]
    assert read("read_uncommitted") == ["acommit", "aabort", "bcommit", "babort"]

"""The one check that creates something: a topic with a partition on each broker, written, read back, and removed.

Brokers stamp its messages themselves (message.timestamp.type=LogAppendTime), which shows their clocks. The clients are
kafka-python's, like a program's.
"""

import datetime
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    KafkaTimeoutError,
    PolicyViolationError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
)

from kafka_proof.client.connection import open_admin
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.rights import missing, spelt
from kafka_proof.cluster.temporary import is_left_over, new_prefix, nobody_deletes
from kafka_proof.doctor.checks import Finding, judge_clock

_WORD = "kafka-doctor"


def write(arguments, seconds, clock=time.time):
    """Create the topic, write and read one message on each broker, remove the topic. Yields Findings.

    Arguments as for kafka_proof.doctor.checks.examine.
    """
    now = datetime.datetime.now(datetime.UTC)
    name = new_prefix(_WORD, now + datetime.timedelta(seconds=60 + 10 * seconds)) + "write"
    gone = None
    try:
        with open_admin(arguments, seconds, seconds) as admin:
            brokers = sorted(broker["broker_id"] for broker in describe_cluster(admin)["brokers"])
            topic = {
                name: {
                    "assignments": {partition: [broker] for partition, broker in enumerate(brokers)},
                    "configs": {"message.timestamp.type": "LogAppendTime", "min.insync.replicas": "1"},
                }
            }
            # Ask before the real request, which a controller without ZooKeeper would carry out much later:
            # cluster/controller.py, require_acting. This one also shows whether the client has the right.
            try:
                admin.create_topics(topic, validate_only=True)
            except (KafkaTimeoutError, RequestTimedOutError):
                evidence = (
                    f"the controller does not act: no answer within {seconds:g} s when asked to check a new topic"
                )
                yield Finding("write", "FAIL", evidence, "no-controller")
                return
            except AuthorizationError:
                yield Finding("write", "skip", "this client has no right to create topics (Create on kafka-doctor-*)")
                return
            except PolicyViolationError as error:
                yield Finding("write", "skip", f"a policy of the cluster refuses the topic ({one_line(error)})")
                return
            if lacking := missing(admin, name, ("WRITE", "READ", "DELETE")):
                rights = ", ".join(spelt(operation) for operation in lacking)
                yield Finding(
                    "write", "skip", f"this client has no right to use its topic ({rights} on kafka-doctor-*)"
                )
                return
            if nobody_deletes(admin, name):
                yield Finding("write", "skip", "this cluster deletes no topics (delete.topic.enable=false)")
                return
            if left := [each for each in admin.list_topics() if is_left_over(each, _WORD, now)]:  # of a killed run
                admin.delete_topics(left, raise_errors=False)
            try:
                admin.create_topics(topic, wait_for_metadata=True)
                found = list(_write_and_read(arguments, name, brokers, seconds, clock))
            finally:
                gone = _remove(admin, name, seconds)
            yield Finding("controller", "ok", "it acts: it created a topic")
            yield from found
            yield gone or Finding("write", "ok", f"topic {name} was created, written, read, and is gone")
    except (KafkaError, AssertionError) as error:
        yield Finding("write", "FAIL", f"topic {name}: {error or type(error).__name__}", "write")
        if gone:
            yield gone


def _write_and_read(arguments, name, brokers, seconds, clock):
    milliseconds = int(seconds * 1000)
    with KafkaProducer(
        **arguments,
        max_block_ms=milliseconds,
        request_timeout_ms=milliseconds,
        delivery_timeout_ms=2 * milliseconds,
    ) as producer:
        for partition, broker in enumerate(brokers):
            before = clock()
            record = producer.send(name, partition=partition, value=b"kafka-doctor").get(timeout=2 * seconds)
            yield judge_clock(broker, before, record.timestamp / 1000, clock())

    partitions = [TopicPartition(name, partition) for partition in range(len(brokers))]
    with KafkaConsumer(**arguments, group_id=None, enable_auto_commit=False) as consumer:
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        read = set()

        def poll():
            read.update(consumer.poll(timeout_ms=100))
            return read

        wait_until(
            f"a message from each of brokers {brokers}", poll, lambda seen: len(seen) == len(partitions), seconds
        )


def _remove(admin, name, seconds):
    """Delete the topic and wait until it is gone. Returns a Finding when that fails."""
    try:
        admin.delete_topics([name])
        wait_until(f"topic {name} to be gone", admin.list_topics, lambda names: name not in names, seconds)
    except UnknownTopicOrPartitionError:
        return None
    except (KafkaError, AssertionError) as error:
        return Finding("write", "warn", f"topic {name} was created and not removed ({error})", "left-over")
    return None

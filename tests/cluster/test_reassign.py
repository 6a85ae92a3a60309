"""Replicas move between real brokers while a client writes: grown, interrupted, resumed, drained, and nothing lost.

One story: each test begins where the one before it ended, with brokers 1 to 3 at first and 4 joining.
"""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.operations.reassign import ImpossibleError, StalledError, Wanted, holds, plan, rebalance, throttles
from tests.support.brokers import Cluster

PREFIX, PORT = "kp-move", 30200
BIG, PARTITIONS, MEGABYTES = "big", 6, 30
FAST, SLOW = 50_000_000, 500_000  # bytes/s; at the slow one a move takes longer than a test looks at it
TOPICS = {
    BIG: {"num_partitions": PARTITIONS, "replication_factor": 2},
    "orders": {"num_partitions": 12, "replication_factor": 2, "configs": {"min.insync.replicas": "2"}},
    "single": {"num_partitions": 5, "replication_factor": 1},
}
# A run in a separate process, to be ended by signals.
RUN = """
import sys
from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python
from kafka_proof.operations.reassign import Interrupted, Wanted, rebalance, stop_signals
with connect(kafka_python({"bootstrap.servers": sys.argv[1]})) as admin, stop_signals() as stop:
    try:
        rebalance(admin, Wanted([1, 2, 3, 4], eval(sys.argv[2])), throttle=int(sys.argv[3]), stop=stop)
    except Interrupted as reason:
        sys.exit(f"interrupted: {reason}")
"""


class Writer(threading.Thread):
    """Writes numbers to `orders` until it is stopped."""

    def __init__(self, properties):
        super().__init__(daemon=True)
        self.arguments = kafka_python(properties)
        self.acknowledged, self.failed = set(), []
        self.stopping = threading.Event()

    def run(self):
        with KafkaProducer(**self.arguments, acks="all", linger_ms=5) as producer:
            for number in itertools.count():
                future = producer.send("orders", str(number).encode(), partition=number % 12)
                future.add_callback(lambda _, number=number: self.acknowledged.add(number))
                future.add_errback(self.failed.append)
                if self.stopping.wait(0.01):
                    break
            producer.flush()

    def stop(self):
        self.stopping.set()
        self.join(30)


@pytest.fixture(scope="module")
def cluster():
    with Cluster(PREFIX, PORT) as cluster:
        cluster.start_zookeeper()
        cluster.start_brokers(1, 2, 3, offsets_topic_replication_factor=2)
        with cluster.admin(1) as admin:
            admin.create_topics(TOPICS, wait_for_metadata=True)
        with KafkaProducer(**kafka_python(cluster.properties(1)), batch_size=1_000_000) as producer:
            chunk = os.urandom(100_000)
            sent = [producer.send(BIG, chunk, partition=n % PARTITIONS) for n in range(10 * MEGABYTES)]
            [future.get(60) for future in sent]
        yield cluster


@pytest.fixture(scope="module")
def writer(cluster):
    writer = Writer(cluster.properties(1, 2, 3))
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def admin(cluster, writer):
    with connect(kafka_python(cluster.properties(1, 2))) as admin:
        yield admin


def run(cluster, drain, throttle):
    """Begin a run in another process, and wait until something moves under a throttle."""
    command = [sys.executable, "-c", RUN, cluster.properties(1)["bootstrap.servers"], str(drain), str(throttle)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with cluster.admin(1) as admin:
        wait_until("a move", admin.list_partition_reassignments, seconds=60)
        assert throttles(admin)
    return process


def partitions(admin):
    return [partition for topic in admin.describe_topics() for partition in topic["partitions"]]


def is_settled(found):
    """Return whether each partition is in sync and led by its preferred leader."""
    return all(
        set(each["isr_nodes"]) == set(each["replica_nodes"]) and each["leader_id"] == each["replica_nodes"][0]
        for each in found
    )


def check(admin, brokers):
    """All is even, in sync and led by its preferred leader, and no trace of a move is left."""
    assert throttles(admin) == {}
    assert admin.list_partition_reassignments() == {}
    # Any broker answers, and one of them can hear of it a moment later.
    found = wait_until("preferred leaders, in sync", lambda: partitions(admin), is_settled)
    load = Counter(broker for partition in found for broker in partition["replica_nodes"])
    leads = Counter(partition["leader_id"] for partition in found)
    for counts in (load, leads):
        assert counts.keys() == set(brokers)
        assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.sample
def test_evens_out_what_is_there_and_then_has_nothing_to_do(admin):
    rebalance(admin, Wanted([1, 2, 3]), throttle=FAST)
    check(admin, [1, 2, 3])
    assert plan(admin, Wanted([1, 2, 3])) == {}
    assert rebalance(admin, Wanted([1, 2, 3]), throttle=FAST) == 0


@pytest.mark.sample
def test_refuses_a_broker_that_is_not_there(admin):
    with pytest.raises(ImpossibleError, match="broker 4 is not registered"):
        rebalance(admin, Wanted([1, 2, 3, 4]))


def test_goes_on_where_a_killed_run_ended(cluster, admin):
    cluster.start_brokers(4)
    with pytest.raises(ImpossibleError, match="broker 4 is registered and not expected"):
        rebalance(admin, Wanted([1, 2, 3]))
    process = run(cluster, [], SLOW)
    process.kill()
    process.wait()
    assert throttles(admin), "the killed run could not have cleaned up"
    assert admin.list_partition_reassignments()

    said = []
    rebalance(admin, Wanted([1, 2, 3, 4]), throttle=FAST, say=said.append)
    assert any("move already" in line for line in said), said
    check(admin, [1, 2, 3, 4])
    assert holds(admin, 4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_throttle_and_nothing_moving(cluster, admin, number):
    process = run(cluster, [4], SLOW)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted: stopped; last seen:" in said
    assert "called off" in said
    assert throttles(admin) == {}
    assert admin.list_partition_reassignments() == {}


def test_gives_up_when_nothing_moves(admin):
    with pytest.raises(StalledError, match=r"no progress in 5 s; last seen: .* partitions left, .*throttle, raise it"):
        rebalance(admin, Wanted([1, 2, 3, 4], [4]), throttle=1, timeout=5)
    assert throttles(admin) == {}
    assert admin.list_partition_reassignments() == {}


def test_goes_on_when_the_controller_dies_and_comes_back(cluster, admin):
    controller = describe_cluster(admin)["controller_id"]
    said = []

    def say(line):
        said.append(line)
        if len(said) == 2:  # it moves
            cluster[controller].kill()
        elif len(said) == 3:
            cluster[controller].start()

    rebalance(admin, Wanted([1, 2, 3, 4], [1 if controller != 1 else 2]), throttle=FAST // 10, say=say)
    assert len(said) > 3, said
    rebalance(admin, Wanted([1, 2, 3, 4]), throttle=FAST)
    check(admin, [1, 2, 3, 4])


def test_drains_a_broker_under_the_throttle(admin):
    said, speed, wanted = [], 1_000_000, Wanted([1, 2, 3, 4], [4])
    changes = plan(admin, wanted)
    gets = Counter(broker for tp, (old, new) in changes.items() if tp.topic == BIG for broker in set(new) - set(old))
    began = time.monotonic()
    rebalance(admin, wanted, throttle=speed, say=said.append)
    seconds = time.monotonic() - began
    check(admin, [1, 2, 3])
    assert any("partitions left" in line and "MB left" in line for line in said), said
    assert gets
    assert seconds > 0.8 * max(gets.values()) * MEGABYTES * 1e6 / PARTITIONS / speed
    wait_until("broker 4 to delete what it gave away", lambda: holds(admin, 4), lambda held: held == [])


def test_a_broker_that_goes_takes_nothing_along(cluster, admin):
    cluster[4].stop(timeout=60)
    gone = "broker 4 not to be registered"
    wait_until(
        gone, lambda: [broker["broker_id"] for broker in describe_cluster(admin)["brokers"]], lambda b: 4 not in b
    )
    assert rebalance(admin, Wanted([1, 2, 3, 4], [4])) == 0
    assert holds(admin, 4) == []
    check(admin, [1, 2, 3])


def test_refuses_to_drain_more_than_the_rest_can_take(admin):
    with pytest.raises(ImpossibleError, match=r"1 brokers remain.*__consumer_offsets \(2\), big \(2\), orders \(2\)"):
        rebalance(admin, Wanted([1, 2, 3], [2, 3]))


def test_refuses_fewer_replicas_than_writers_need(admin):
    with pytest.raises(
        ImpossibleError, match=r"topic orders cannot have 1 replicas, because its min\.insync\.replicas is 2"
    ):
        rebalance(admin, Wanted([1, 2, 3], replication={"orders": 1}))


def test_gives_topics_more_replicas_and_internal_ones_as_many_as_the_brokers_say(admin):
    def counts():
        return {
            topic["name"]: {len(partition["replica_nodes"]) for partition in topic["partitions"]}
            for topic in admin.describe_topics()
        }

    rebalance(admin, Wanted([1, 2, 3], replication={"__consumer_offsets": 1, "single": 3}), throttle=0)
    assert counts() == {"__consumer_offsets": {1}, "single": {3}, "orders": {2}, BIG: {2}}
    check(admin, [1, 2, 3])
    rebalance(admin, Wanted([1, 2, 3]))
    assert counts()["__consumer_offsets"] == {2}
    check(admin, [1, 2, 3])


def test_nothing_was_lost(cluster, writer):
    writer.stop()
    assert not writer.failed
    with KafkaConsumer(**kafka_python(cluster.properties(1, 2, 3)), auto_offset_reset="earliest") as consumer:
        assigned = [TopicPartition("orders", partition) for partition in range(12)]
        consumer.assign(assigned)
        ends = consumer.end_offsets(assigned)
        consumed = Counter()
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            for messages in consumer.poll(timeout_ms=1000).values():
                consumed.update(int(message.value) for message in messages)
    print(f"acknowledged {len(writer.acknowledged)}, duplicated {sum(consumed.values()) - len(consumed)}")
    assert writer.acknowledged - consumed.keys() == set()

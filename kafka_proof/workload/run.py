"""A producer, the members of a group, and an observer, in threads; then read all again and compare."""

import contextlib
import datetime
import os
import threading
import time
import uuid
from importlib.metadata import version
from operator import not_

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.connection import NoKafkaError, connect, open_admin
from kafka_proof.client.raw import fetch_state
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import stable_offsets
from kafka_proof.cluster.temporary import nobody_deletes, remove
from kafka_proof.lag.offsets import log_bounds
from kafka_proof.workload.audit import Committed, Delivered, Evidence, Logged, audit
from kafka_proof.workload.producer import PATIENCE, Load, Offer

PARTITIONS = 6  # of the topic that the workload creates
COMMIT = 0.1  # seconds from one commit of a member to its next
# Seconds for a commit. A broker answers within 5 (offsets.commit.timeout.ms). A client that gives up earlier leaves the
# request at the broker. It can take effect after a later commit, and the committed offset moves back.
COMMIT_LIMIT = 50
LOOK = 0.2  # seconds from one look at the committed offsets to the next
DRAIN = 90  # seconds for the group to reach the end after the sending
CONNECT = 30  # seconds, during a fault

MEMBER = {
    "session_timeout_ms": 6000,
    "heartbeat_interval_ms": 1000,
    "max_poll_interval_ms": 60_000,
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "isolation_level": "read_committed",  # a member that takes over asks for stable offsets, as Kafka's own client does
}


class Workload:
    """A producer, the members of a group, and an observer, in threads. A context manager with a `result` after it."""

    def __init__(self, arguments, topic, group, load=None):
        """
        arguments: those of `kafka_python`; topic: name of a topic that exists; group: name of a group that no one uses.
        """
        self.load = load = load or Load()
        self.topic, self.group, self.result = topic, group, None
        self._arguments = arguments
        self._run = uuid.uuid4().hex[:8]  # marks its messages, in a topic that others use too
        self._evidence = Evidence()
        self._partitions = []
        self._consumers = {}  # of the members, by name
        self._drained = threading.Event()
        self._offer = Offer(arguments, topic, self._run, load, self._evidence)
        self._sender = self._thread("producer", self._offer.send)
        members = [f"member-{number}" for number in range(1, load.members + 1)]
        self._others = [self._thread(name, self._consume, name) for name in members]
        self._others.append(self._thread("observer", self._observe))

    def __enter__(self):
        """Start, and wait until every partition accepts messages, delivers them, and has a committed offset.

        Raises AssertionError when that does not happen in time, and kafka.errors.KafkaError.
        """
        with open_admin(self._arguments, CONNECT, CONNECT) as admin:

            def partitions():
                [topic] = admin.describe_topics([self.topic])
                return sorted(each["partition_index"] for each in topic["partitions"])

            # Some brokers learn of a new topic a moment later.
            self._partitions = wait_until(f"the partitions of topic {self.topic}", partitions, pause=0.1)
        self._offer.partitions = self._partitions
        self._started = datetime.datetime.now(datetime.UTC)
        for thread in [self._sender, *self._others]:
            thread.start()
        try:
            wait_until("every partition to be written, read and committed", self._idle_partitions, not_, 60, 0.1)
        except BaseException:
            self._abandon()
            raise
        self._evidence.started = time.monotonic()
        return self

    def __exit__(self, kind, *_):
        """Stop sending, wait for the messages on their way, read all again, and compare. After an error: only stop."""
        if kind is not None:
            self._abandon()
            return
        try:
            self._end_sending()
            self._drain()
            self._stop()
            with KafkaConsumer(**self._arguments, **PATIENCE, group_id=None, enable_auto_commit=False) as consumer:
                self._read_again(consumer)
        except BaseException:
            self._abandon()
            raise
        self.result = {
            "topic": self.topic,
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(self._offer.seconds, 1),
            "cores": os.cpu_count(),
            "kafka_python": version("kafka-python"),
            "producers": self._offer.producers,
            "troubles": self._evidence.troubles,
            **audit(self._evidence),
        }

    @property
    def sending(self):
        """Whether it still sends. It stops after `load.seconds`."""
        return self._sender.is_alive()

    def offered(self):
        """Return how many messages were sent by now."""
        return len(self._evidence.sent)

    def acknowledged(self):
        """Return how many messages are acknowledged by now, for a wait until it grows again."""
        return len(self._evidence.acked)

    def errors(self):
        """Return the errors of refused messages by now: set of names of classes."""
        return {each.error for each in list(self._evidence.refused)}

    def _end_sending(self):
        self._offer.enough.set()
        seconds = 2 * self.load.delivery_timeout + 30
        self._sender.join(seconds)
        if self._sender.is_alive():
            self._evidence.unfinished.append(f"the producer, {seconds} s after its end")

    # --- the group

    def _consume(self, name):
        while not self._drained.is_set():
            with self._survived(name):  # and join again, like a program that is restarted
                consumer = KafkaConsumer(**self._arguments, **PATIENCE, **MEMBER, group_id=self.group, client_id=name)
                self._consumers[name] = consumer
                try:
                    consumer.subscribe([self.topic])
                    self._read(name, consumer)
                finally:
                    with contextlib.suppress(KafkaError, OSError):
                        consumer.close(autocommit=False)

    def _read(self, name, consumer):
        processed, due = {}, 0.0  # offsets to commit, and the time of the next commit
        while not self._drained.is_set():
            for tp, records in consumer.poll(timeout_ms=100).items():
                now = time.monotonic()
                for record in records:
                    if message := self._mine(record):
                        self._evidence.delivered.append(Delivered(name, record.partition, record.offset, *message, now))
                processed[tp] = records[-1].offset + 1
            processed = {tp: offset for tp, offset in processed.items() if tp in consumer.assignment()}
            if processed and time.monotonic() >= due:
                due = time.monotonic() + COMMIT
                try:
                    self._commit(name, consumer, processed)
                    processed = {}
                except KafkaError as error:
                    # A rebalance, or the coordinator moves. Commit the rest next time.
                    self._evidence.trouble(name, error)

    def _commit(self, name, consumer, processed):
        begun = time.monotonic()
        offsets = {tp: OffsetAndMetadata(offset, "", -1) for tp, offset in processed.items()}
        consumer.commit(offsets, timeout_ms=COMMIT_LIMIT * 1000)
        self._committed(name, processed, begun)

    def _observe(self):
        while not self._drained.is_set():
            with self._survived("observer"), open_admin(self._arguments, CONNECT) as admin:
                while not self._drained.wait(LOOK):
                    self._look(admin)
            self._drained.wait(LOOK)

    def _look(self, admin):
        begun = time.monotonic()
        offsets = stable_offsets(admin, self.group).items()
        seen = {tp: each.offset for tp, each in offsets if tp.topic == self.topic and each.offset >= 0}
        self._committed("observer", seen, begun)

    def _committed(self, who, offsets, begun):
        ended = time.monotonic()
        self._evidence.committed += [
            Committed(who, tp.partition, offset, begun, ended) for tp, offset in offsets.items()
        ]

    @contextlib.contextmanager
    def _survived(self, who):
        """Count an error of a client of `who`, which ends the block and not the run."""
        try:
            yield
        except (KafkaError, OSError) as error:
            self._evidence.trouble(who, error)

    # --- the end

    def _bounds(self):
        """Return the start and the end of each partition: twice {TopicPartition: offset}.

        Not through a consumer: after a leader moved, kafka-python 3.0.12's asks the old one until its time is over.
        """

        def bounds():
            with open_admin(self._arguments, CONNECT, 10) as admin:
                return log_bounds(admin, [TopicPartition(self.topic, partition) for partition in self._partitions])

        return wait_until(f"the ends of {self.topic}", bounds, seconds=DRAIN, pause=0.1)

    def _drain(self):
        """Wait until the group has committed the end of every partition."""
        ends = {tp.partition: end for tp, end in self._bounds()[1].items()}

        def left():
            committed = {
                each.partition: each.offset for each in list(self._evidence.committed) if each.who == "observer"
            }
            return {
                partition: (committed.get(partition), end)
                for partition, end in ends.items()
                if (committed.get(partition) or 0) < end
            }

        def idle():
            """Return what each member says of partitions that the group has not read to their end."""
            return [
                f"{name}, partition {number}: {said}"
                for name, consumer in self._consumers.items()
                for number in left()
                if (said := fetch_state(consumer, TopicPartition(self.topic, number)))
            ]

        self._try(f"group {self.group} to commit the end of {self.topic}", left, 0.1, idle)

    def _read_again(self, consumer):
        """Read the topic from its start to its end, without a group, after the sending."""
        starts, ends = self._bounds()
        consumer.assign(list(starts))
        for tp, start in starts.items():
            consumer.seek(tp, start)

        def unread():
            for records in consumer.poll(timeout_ms=200).values():
                self._evidence.log += [
                    Logged(record.partition, record.offset, *message)
                    for record in records
                    if (message := self._mine(record))
                ]
            return {tp.partition: at for tp, end in ends.items() if (at := consumer.position(tp, 10_000)) < end}

        self._try(f"{self.topic} to be read again", unread, 0)

    def _try(self, what, look, pause, why=list):
        try:
            wait_until(what, look, not_, DRAIN, pause)
        except AssertionError as error:
            self._evidence.unfinished += [str(error), *why()]

    def _idle_partitions(self):
        """Return {partition: the step that it still waits for}."""
        waits = {}
        for what in ("acked", "delivered", "committed"):
            seen = {each.partition for each in list(getattr(self._evidence, what))}
            waits |= {partition: what for partition in self._partitions if partition not in {*seen, *waits}}
        return waits

    def _stop(self):
        self._offer.enough.set()
        self._drained.set()
        for thread in [self._sender, *self._others]:
            thread.join(DRAIN)
            if thread.is_alive():
                self._evidence.unfinished.append(f"{thread.name}, which did not stop in {DRAIN} s")

    def _abandon(self):
        self._offer.abandoned.set()
        self._stop()

    # --- helpers

    def _thread(self, name, function, *arguments):
        def run():
            try:
                function(*arguments)
            except Exception as error:  # without one of its threads a run proves nothing
                self._evidence.unfinished.append(f"{name}, which ended with {error!r}")

        return threading.Thread(target=run, name=name, daemon=True)

    def _mine(self, record):
        """Return (key, sequence) of a message of this run, None for another."""
        mark, _, rest = (record.value or b"").decode(errors="replace").partition(" ")
        return (record.key.decode(), int(rest.split()[1])) if mark == self._run else None


@contextlib.contextmanager
def topic_of_its_own(arguments, prefix, topic=None, seconds=5):
    """Create a topic for a workload, and yield its name. In the end remove everything that begins with `prefix`.

    `topic`: its options for KafkaAdminClient.create_topics; six partitions, and the broker's defaults, without.
    `seconds`: to wait for each answer.
    """
    name = f"{prefix}messages"
    with connect(arguments, seconds) as admin:
        if nobody_deletes(admin, name):
            raise NoKafkaError(
                "This cluster deletes no topics (delete.topic.enable=false), so the workload's own would stay. "
                "Name one that exists: --topic NAME."
            )
        admin.create_topics({name: topic or {"num_partitions": PARTITIONS}})
        admin.wait_for_topics([name], 30_000)
    with removed(arguments, prefix, seconds=seconds):
        yield name


@contextlib.contextmanager
def removed(arguments, prefix, topics=True, seconds=5):
    """In the end remove the groups, and with `topics` the topics, that begin with `prefix`.

    `seconds`: to wait for each answer.
    """
    try:
        yield
    finally:
        with connect(arguments, seconds) as admin:  # a new one: an old connection knows an old controller
            remove(admin, lambda name: name.startswith(prefix), "the workload", topics)

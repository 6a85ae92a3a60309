"""The producer of a workload: a steady offer of numbered messages, which continues when a producer is lost."""

import contextlib
import dataclasses
import threading
import time

from kafka import KafkaProducer
from kafka.errors import (
    InvalidProducerEpochError,
    KafkaError,
    OutOfOrderSequenceNumberError,
    ProducerFencedError,
    UnknownProducerIdError,
)

from kafka_proof.client.raw import fatal_error, producer_identity
from kafka_proof.client.workarounds import abandon, is_stranded
from kafka_proof.workload.audit import Acked, Refused

# During a fault a client must not wait long for a broker that is gone. kafka-python's own values are 30 s.
PATIENCE = {"reconnect_backoff_max_ms": 500, "request_timeout_ms": 10_000}

_LOST_IDEMPOTENCE = (
    InvalidProducerEpochError,
    OutOfOrderSequenceNumberError,
    ProducerFencedError,
    UnknownProducerIdError,
)


@dataclasses.dataclass
class Load:
    """The rate, the size and the length of a workload. Times are in seconds."""

    rate: float = 200  # messages in a second
    members: int = 3  # of the group
    seconds: float = 600  # to send, at most
    delivery_timeout: float = 120  # until a message is given up; longer than the fault, so that none is refused
    producer: dict = dataclasses.field(default_factory=dict)  # other settings of KafkaProducer


class Offer:
    """The sending of messages, and their outcome in `evidence`. `send` runs in a separate thread."""

    def __init__(self, arguments, topic, mark, load, evidence):
        """`mark`: the beginning of all values; `evidence`: a kafka_proof.workload.audit.Evidence, which it fills."""
        self.enough = threading.Event()  # set it to end the sending
        self.abandoned = threading.Event()  # set it to wait for no message on its way
        self.partitions = []  # to send to, before `send` begins
        self.producers = []  # their ids and epochs: "ID/EPOCH"
        self.seconds = 0.0  # how long it sent
        self._topic, self._mark, self._load, self._evidence = topic, mark, load, evidence
        self._made = 0
        timeout = int(load.delivery_timeout * 1000)
        self._settings = arguments | PATIENCE | {"acks": "all", "enable_idempotence": True, "retry_backoff_ms": 100}
        self._settings |= {"delivery_timeout_ms": timeout, "max_block_ms": timeout} | load.producer

    def send(self):
        """Send until `enough` is set, or `load.seconds` are over; then wait for the messages on their way."""
        started = due = time.monotonic()
        producer, number = None, 0
        try:
            end = started + self._load.seconds
            while not self.enough.wait(max(0, min(due, end) - time.monotonic())) and due < end:
                due += 1 / self._load.rate  # steady: late messages are sent as soon as possible
                if producer is None or self._is_broken(producer):
                    producer = self._renewed(producer)
                if producer is not None:
                    self._send_one(producer, number)
                    number += 1
        finally:
            if producer is not None:
                self._close(producer)
            self.seconds = time.monotonic() - started

    def _renewed(self, old):
        """Return a new producer, None if there is none now. All messages of the old one are answered before."""
        if old is not None:
            self._close(old)
        try:
            self._made += 1
            return KafkaProducer(**self._settings)
        except (KafkaError, OSError) as error:
            self._evidence.trouble("producer", error)
            return None

    def _close(self, producer):
        """Wait until all its messages are answered; give up the rest, as refused."""
        if not (self.abandoned.is_set() or is_stranded(producer)):
            with contextlib.suppress(KafkaError):
                producer.close(timeout=self._load.delivery_timeout + 10)
                return
        abandon(producer, 10)

    def _send_one(self, producer, number):
        # Two keys for each partition, so that the order of each is a proof and no partition is idle.
        partition = self.partitions[number % len(self.partitions)]
        key = f"key-{number % (2 * len(self.partitions))}"
        sequence = number // (2 * len(self.partitions))
        self._evidence.sent.append((key, sequence))
        try:
            future = producer.send(
                self._topic,
                key=key.encode(),
                value=f"{self._mark} {self._made} {sequence}".encode(),
                partition=partition,
            )
        except (KafkaError, OSError) as error:
            self._refused(producer, key, sequence, error)
        else:
            future.add_callback(self._acked, producer, key, sequence, partition)
            future.add_errback(self._refused, producer, key, sequence)

    def _acked(self, producer, key, sequence, partition, metadata):
        self._evidence.acked.append(Acked(key, sequence, partition, metadata.offset, time.monotonic()))
        if (identity := producer_identity(producer)) and identity not in self.producers:
            self.producers.append(identity)

    def _refused(self, producer, key, sequence, error):
        self._evidence.refused.append(Refused(key, sequence, type(error).__name__, time.monotonic()))
        if isinstance(error, _LOST_IDEMPOTENCE):
            self._broken(producer, f"{type(error).__name__} for {key} {sequence}")

    def _is_broken(self, producer):
        if error := fatal_error(producer):
            self._broken(producer, f"fatal error {error!r}")
        if is_stranded(producer):
            self._evidence.trouble("producer", "stranded, when it gave a message up")
            return True
        return getattr(producer, "lost_idempotence", False)

    def _broken(self, producer, why):
        if not getattr(producer, "lost_idempotence", False):
            producer.lost_idempotence = True
            self._evidence.broken.append(why)

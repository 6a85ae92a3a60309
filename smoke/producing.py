"""A producer that ends in bounded time, whatever became of the broker."""

import contextlib

from kafka import KafkaProducer
from kafka.errors import KafkaError

from smoke.client import makes_no_topic

SECONDS = 5


@contextlib.contextmanager
def producing(**settings):
    """Yield a KafkaProducer(**settings), and close it. What no broker takes within SECONDS after the block is dropped.

    kafka-python 3.0.12 waits for it for 2 minutes in its own `with`; and a close() whose time is over leaves the
    producer as it was: it goes on sending, also to topics that are removed meanwhile, and complains when Python ends.
    """
    producer = makes_no_topic(KafkaProducer(**settings))
    try:
        yield producer
    finally:
        try:
            producer.close(timeout=SECONDS)
        except KafkaError:  # what could not be sent failed where it was sent
            producer._sender.force_close()
            producer._sender.join(SECONDS)
            with contextlib.suppress(KafkaError):
                producer.close(timeout=0)

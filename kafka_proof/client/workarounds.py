"""Every work-around for kafka-python 3.0.12, each with a test in tests/integration/test_workarounds.py."""

import contextlib
import logging
import re
import ssl
import time

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.net.transport import KafkaSSLTransport

SECONDS = 5


@contextlib.contextmanager
def why_not():
    """Hold back kafka-python's log while it connects, and yield a function that returns the last reason in it, or "".

    Its exception says only that the time is over; a wrong password or an untrusted certificate is in its log alone.
    """
    reasons = [""]

    def keep(record):
        if found := re.search(r"Bootstrap (?:connection|attempt) to \S+ failed: (.*) \(backoff", record.getMessage()):
            reasons.append(found[1])

    logger, handler = logging.getLogger("kafka"), logging.Handler()
    handler.emit = keep
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        # A refused login shows as such once, and as a lost connection in the attempts around it. The last one may be
        # cut short because the time is over.
        yield lambda: max(
            reversed(reasons), key=lambda reason: ("Sasl" in reason, reason != "" and "timed out" not in reason)
        )
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def makes_no_topic(client):
    """Return this KafkaConsumer or KafkaProducer, which from now on makes no topic by asking for it.

    A topic may have been deleted by others, and many brokers make one that a client asks for. kafka-python 3.0.12 has a
    setting for that, allow_auto_create_topics, and drops it.
    """
    metadata = client._metadata if isinstance(client, KafkaProducer) else client._cluster
    metadata.config["allow_auto_create_topics"] = False
    return client


async def _handshake(transport):
    # kafka-python 3.0.12 waits without end for who accepts a connection and says nothing, as a frozen broker does.
    deadline = time.monotonic() + 5
    while True:
        try:
            return transport._sock.do_handshake()
        except ssl.SSLWantReadError:
            await transport._net.wait_read(transport._sock, deadline)
        except ssl.SSLWantWriteError:
            await transport._net.wait_write(transport._sock, deadline)


KafkaSSLTransport.handshake = _handshake


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

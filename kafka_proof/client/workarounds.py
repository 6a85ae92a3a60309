"""Every work-around for kafka-python 3.0.12, each with a test in tests/integration/test_workarounds.py."""

import contextlib
import itertools
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.cluster import ClusterMetadata
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError
from kafka.future import Future
from kafka.net.manager import KafkaConnectionManager
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport
from kafka.producer.transaction_manager import TransactionState
from kafka.protocol.admin import DescribeLogDirsRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.raw import known_brokers, refresh_metadata, send

SECONDS = 5
SHARE = (
    3  # seconds that a bootstrap server has to answer before another one is asked; half of the time, if that is less
)
PORTION = 1 << 20  # bytes that a connection hands on at once

Client = TypeVar("Client", KafkaConsumer, KafkaProducer)

# Errors of a request to the controller: a refusal, or no answer. kafka-python asks twice for the controller, and then
# raises a RuntimeError.
NO_ANSWER = (KafkaError, RuntimeError)


# Connecting


@contextlib.contextmanager
def why_not() -> Iterator[Callable[[], str]]:
    """Hold back kafka-python's log while it connects, and yield a function that returns the last reason in it, or "".

    The exception says only that the time is over. A wrong password or an untrusted certificate is in the log alone.
    """
    reasons = [""]

    def keep(record: logging.LogRecord) -> None:
        if found := re.search(r"Bootstrap (?:connection|attempt) to \S+ failed: (.*) \(backoff", record.getMessage()):
            reasons.append(found[1])

    logger, handler = logging.getLogger("kafka"), logging.Handler()
    handler.emit = keep  # type: ignore[method-assign]
    propagate, logger.propagate = logger.propagate, False
    level = logger.level
    logger.setLevel(logging.WARNING)  # also where a program wants to see less
    logger.addHandler(handler)
    try:
        # A refused login shows as such once, and as a lost connection in the attempts around it. The deadline can cut
        # the last attempt short.
        yield lambda: max(
            reversed(reasons), key=lambda reason: ("Sasl" in reason, reason != "" and "timed out" not in reason)
        )
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def _in_turn(cluster: Any) -> list[Any]:
    # kafka-python draws a bootstrap server for each attempt, and can draw a frozen one each time.
    if not hasattr(cluster, "turns"):
        cluster.turns = itertools.cycle(cluster._bootstrap_brokers.values())  # in an order of chance
    return [next(cluster.turns)]


ClusterMetadata.bootstrap_brokers = _in_turn
_get_connection = KafkaConnectionManager.get_connection


def _for_a_share(manager: Any, node_id: Any, timeout_ms: float | None = None, **options: Any) -> Any:
    # kafka-python gives all its time to the bootstrap server that it asks first. It has no deadline for a handshake.
    servers = len(manager.cluster._bootstrap_brokers)
    if servers == 1 or not manager.cluster.is_bootstrap(node_id):
        return _get_connection(manager, node_id, timeout_ms, **options)
    left = timeout_ms or manager.socket_connection_setup_timeout_ms(node_id)
    share = max(left / servers, min(SHARE * 1000, left / 2))
    connection = _get_connection(manager, node_id, share, **options)

    def give_up() -> None:
        if not connection.init_future.is_done:
            connection.close(KafkaConnectionError(f"no answer within {share:.0f} ms"))

    manager._net.call_at(time.monotonic() + share / 1000, give_up)
    return connection


KafkaConnectionManager.get_connection = _for_a_share


async def _handshake(transport: Any) -> Any:
    # kafka-python waits without end for a port that accepts a connection and says nothing, such as a frozen broker's.
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return transport._sock.do_handshake()
        except ssl.SSLWantReadError:
            await transport._net.wait_read(transport._sock, deadline)
        except ssl.SSLWantWriteError:
            await transport._net.wait_write(transport._sock, deadline)


KafkaSSLTransport.handshake = _handshake


def _receive(transport: Any) -> tuple[bytes, KafkaError | None]:
    # kafka-python reads until the peer pauses, and only then looks at the announced size. A peer that sends without
    # end fills the memory. The next call reports the end of a connection, because an answer with the reason can come
    # first.
    sock, size = transport._sock, 0
    received: list[bytes] = []
    try:
        while size < PORTION or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            part = sock.recv(1 << 16)
            if not part:
                return b"".join(received), None if received else KafkaConnectionError("socket disconnected")
            received.append(part)
            size += len(part)
    except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        pass
    except Exception as error:  # as kafka-python: whatever it is, the connection ends with it
        return b"".join(received), None if received else KafkaConnectionError(error)
    return b"".join(received), None


KafkaTCPTransport._sock_recv = KafkaSSLTransport._sock_recv = _receive


# A broker that does not answer

_SILENCE = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)


def names_brokers(admin: KafkaAdminClient) -> KafkaAdminClient:
    """Return this client, whose errors from now on have the attribute `silent` where a broker does not answer.

    It is the broker as text, "broker 3 at localhost:9094". kafka-python's own words are "NodeNotReadyError: 3", or
    "KafkaConnectionError: 111 ECONNREFUSED" without the broker.
    """
    manager = admin._manager
    send_unnamed = manager.send

    def send_named(request: Any, node_id: Any = None, request_timeout_ms: int | None = None) -> Future:
        node_id = manager.least_loaded_node() if node_id is None else node_id
        named = Future()

        def fail(error: Exception) -> None:
            if isinstance(error, _SILENCE) and (node := manager.cluster.broker_metadata(node_id)):
                error.silent = f"broker {node_id} at {node.host}:{node.port}"
            named.failure(error)

        send_unnamed(request, node_id, request_timeout_ms)._add_cb_eb(named.success, fail)
        return named

    manager.send = send_named
    return admin


def reason(error: BaseException) -> str:
    """Return an error as text, with the broker where one does not answer."""
    silent = getattr(error, "silent", "")
    return f"{silent} does not answer ({error})" if silent else str(error)


# Metadata and the controller


def makes_no_topic(client: Client) -> Client:
    """Return this KafkaConsumer or KafkaProducer, which from now on creates no topic with a request for metadata.

    Others can have deleted the topic, and many brokers create a topic that a client asks for. A setting of kafka-python
    is for that, allow_auto_create_topics, and kafka-python drops it.
    """
    metadata = client._metadata if isinstance(client, KafkaProducer) else client._cluster
    metadata.config["allow_auto_create_topics"] = False
    return client


def describe_cluster(admin: KafkaAdminClient) -> dict[str, Any]:
    """Return {cluster_id, controller_id (-1 without one), brokers: [{broker_id, host, port, rack}]}: the live brokers.

    kafka-python's describe_cluster expects a field that brokers before Kafka 3.7 do not send. Where a broker cannot
    describe the cluster it asks for the metadata, which every version answers alike.
    """
    response = send(admin, MetadataRequest(topics=[], allow_auto_topic_creation=False))
    brokers = [
        {"broker_id": each.node_id, "host": each.host, "port": each.port, "rack": each.rack}
        for each in response.brokers
    ]
    return {"cluster_id": response.cluster_id, "controller_id": response.controller_id, "brokers": brokers}


def know_brokers(admin: KafkaAdminClient, brokers: Iterable[int]) -> None:
    """Read the metadata again where it lacks one of these brokers.

    kafka-python refuses to send to a broker that joined after its last metadata, and does not ask for it.
    """
    if set(brokers) - {broker.node_id for broker in known_brokers(admin)}:
        refresh_metadata(admin)


def forget_controller(admin: KafkaAdminClient) -> None:
    """Make the client ask for the controller again.

    kafka-python remembers the controller until that broker itself answers that it is none. A dead one never answers.
    """
    admin._controller_id = None


def log_dirs(
    admin: KafkaAdminClient, broker: int, topics: Iterable[tuple[str, list[int]]] | None = None
) -> list[dict[str, Any]]:
    """Return a broker's log directories with the replicas of `topics`, (name, partitions); of all that it has if None.

    kafka-python's describe_log_dirs without topics asks for the topics of the metadata. A broker can have others.
    """
    request = DescribeLogDirsRequest(topics=None if topics is None else list(topics))
    return [result.to_dict() for result in send(admin, request, broker).results]


# Groups


def stable_offsets(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
    """Return the committed offsets of a group, as a consumer of Kafka's own client gets them when it takes over.

    Since Kafka 4, a coordinator that takes over answers with older offsets until it knows that the newest are on all
    replicas. A request for stable offsets waits for that. kafka-python sends it only for a consumer with
    isolation_level="read_committed".
    """
    build = admin._list_group_offsets_requests

    def stable(groups: Any) -> Iterator[Any]:
        for name, request in build(groups):
            request.require_stable = True
            yield name, request

    admin._list_group_offsets_requests = stable
    try:
        return dict(admin.list_group_offsets(group)[group])
    finally:
        del admin._list_group_offsets_requests


# Producers


@contextlib.contextmanager
def producing(**settings: Any) -> Iterator[KafkaProducer]:
    """Yield a KafkaProducer(**settings), and close it. A message that no broker takes within SECONDS is dropped.

    In its own `with`, kafka-python waits for such messages for 2 minutes.
    """
    producer = makes_no_topic(KafkaProducer(**settings))
    try:
        yield producer
    finally:
        try:
            producer.close(timeout=SECONDS)
        except KafkaError:  # the messages fail where they were sent
            abandon(producer, SECONDS)


def abandon(producer: KafkaProducer, seconds: float) -> None:
    """Close a producer and drop the messages that it still has. `seconds`: for its thread to end.

    A close() whose time is over leaves the producer as it was. It continues to send, also to topics that are removed
    meanwhile, and complains when Python ends.
    """
    producer._sender.force_close()
    producer._sender.join(seconds)
    with contextlib.suppress(KafkaError):
        producer.close(timeout=1)


def is_stranded(producer: KafkaProducer) -> bool:
    """Return whether the producer will never send again, and never report it.

    When kafka-python gives up a message that it had sent, it drops its producer id, rightly, and never asks for
    another. Later messages are neither acknowledged nor refused. A program needs a new producer after that.
    """
    state = producer._transaction_manager
    return bool(state) and not state.has_producer_id() and state._current_state is TransactionState.READY

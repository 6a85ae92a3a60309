"""Information and requests that kafka-python has and does not offer.

All uses of its private attributes are here and in workarounds.py, so that an upgrade breaks two files at most.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

Item = TypeVar("Item")


def send(admin: KafkaAdminClient, request: Any, broker: int | None = None, seconds: float | None = None) -> Any:
    """Send a request of kafka.protocol to one broker, and return the response. Without `broker`, to any broker.

    `seconds`: the time for the answer; without it, the client's own. The public methods of KafkaAdminClient choose the
    broker themselves. A request object keeps the version of the first broker, so make a new one for each broker.
    Raises kafka.errors.KafkaError.
    """
    milliseconds = None if seconds is None else max(1, int(seconds * 1000))
    return admin._manager.run(admin._manager.send, request, broker, milliseconds)


def batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Cut a list into lists that one request carries."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def broker_version(admin: KafkaAdminClient) -> tuple[int, ...]:
    """Return the version of the broker that answered first, as its protocol shows it: (3, 9)."""
    return tuple(admin._manager.broker_version)


def api_versions(admin: KafkaAdminClient) -> dict[int, tuple[int, int]]:
    """Return {key of a request: (lowest version, highest version)} of the broker that answered first.

    KafkaAdminClient.api_versions() refuses a broker that knows a request which kafka-python does not know.
    """
    return dict(admin._manager.broker_version_data.api_versions)


def known_brokers(admin: KafkaAdminClient) -> list[Any]:
    """Return the brokers in the client's metadata, by id: objects with node_id, host, port and rack."""
    return sorted(admin._manager.cluster.brokers(), key=lambda broker: broker.node_id)


def refresh_metadata(admin: KafkaAdminClient) -> None:
    """Read the metadata again. A client sends requests only to brokers in its last metadata."""
    admin._manager.run(admin._manager.cluster.refresh_metadata)


def producer_identity(producer: KafkaProducer) -> str:
    """Return the producer's id and epoch, "ID/EPOCH"; "" for a producer without idempotence."""
    if not (state := producer._transaction_manager):
        return ""
    return f"{state.producer_id_and_epoch.producer_id}/{state.producer_id_and_epoch.epoch}"


def fatal_error(producer: KafkaProducer) -> Exception | None:
    """Return the error after which the producer refuses all messages, or None."""
    state = producer._transaction_manager
    return state.last_error if state and state.has_fatal_error() else None


def fetch_state(consumer: KafkaConsumer, partition: TopicPartition) -> str | None:
    """Return how far a consumer is in an assigned partition, and why it fetches no more of it, as text.

    For a report about a member that is idle beside messages. Another thread may use the consumer meanwhile.
    """
    fetcher = consumer._fetcher
    if not (state := consumer._subscription.assignment.get(partition)):
        return None
    node = fetcher._manager.cluster.leader_for_partition(partition)
    fetched = {each.topic_partition for each in list(fetcher._completed_fetches)}
    waiting = {
        "its position is not known": not state.has_valid_position,
        "its position awaits validation": state.awaiting_validation,
        "its revocation is pending": state._pending_revocation,
        "it is paused": state.paused,
        f"a request to broker {node} is on its way": node in fetcher._nodes_with_pending_fetch_requests,
        "its records wait to be read": partition in fetched,
    }
    reasons = [reason for reason, holds in waiting.items() if holds] or ["it can be fetched"]
    return f"position {state.position.offset if state.position else None}, {', '.join(reasons)}"

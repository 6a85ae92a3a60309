"""The rights of a client: the questions that show them, and the names of those that are missing.

A broker checks rights first and existence second. So the questions can be about names that do not exist, of a topic, a
group and a transactional id. "Not authorized" is a missing right, "unknown" is none. They create nothing, so nothing
can be left.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ACLOperation
from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from kafka.protocol.consumer import HeartbeatRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.raw import send
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster, producing
from kafka_proof.cluster.settings import settings_of

NOWHERE = "kafka-proof-rights"  # name of a topic to ask for; it is never created
GRANT = "Grant it with kafka-acls.sh --add."

_RESOURCES = {
    ClusterAuthorizationFailedError: "the cluster",
    GroupAuthorizationFailedError: "the groups",
    TopicAuthorizationFailedError: "the topics",
    TransactionalIdAuthorizationFailedError: "the transactional ids",
}
_NO_TOPIC = {UnknownTopicOrPartitionError.errno, InvalidTopicError.errno}  # the second: no topic can have this name


class TopicRights(NamedTuple):
    """Rights of a client to a topic. `exists`: None where the broker does not show it to this client."""

    exists: bool | None
    granted: Collection[str] | None  # names such as READ; None: the broker does not tell

    def missing(self, wanted: Sequence[str]) -> list[str]:
        """Return those of `wanted` that are not granted. A broker that does not tell grants all."""
        return [] if self.granted is None else [name for name in wanted if name not in self.granted]


# Decisions


def topic_question(topic: str) -> MetadataRequest:
    """Return the request for `topic_rights`. It creates no topic."""
    named = [MetadataRequest.MetadataRequestTopic(name=topic)]
    return MetadataRequest(
        topics=named, allow_auto_topic_creation=False, include_topic_authorized_operations=True, min_version=4
    )


def topic_rights(response: Any) -> TopicRights:
    """Return the TopicRights in the response to `topic_question`."""
    [topic] = response.topics
    if topic.error_code == TopicAuthorizationFailedError.errno:  # without Describe, which each of the others implies
        return TopicRights(None, ())
    granted = topic.authorized_operations
    names = None if granted is None else {each.name for each in ACLOperation if each in granted}
    return TopicRights(topic.error_code not in _NO_TOPIC, names)


def sees_all_groups(admin: KafkaAdminClient) -> bool:
    """Return whether a list of groups is of all groups: without Describe on the cluster, a broker leaves others out."""
    # Only these versions have the answer.
    asked = MetadataRequest(topics=[], include_cluster_authorized_operations=True, min_version=8, max_version=10)
    granted = send(admin, asked).authorized_operations
    return granted is None or ACLOperation.DESCRIBE in granted


def sees_all_topics(admin: KafkaAdminClient) -> bool:
    """Return whether a list of topics is of all topics: a broker leaves out those on which Describe is missing."""
    return topic_rights(send(admin, topic_question(NOWHERE))).exists is not None


def group_question(group: str) -> HeartbeatRequest:
    """Return the request for `may_use_group`: the heartbeat of a member that the group does not have.

    Every broker answers it, and it needs no coordinator, which the first question for one creates.
    """
    return HeartbeatRequest(group_id=group, generation_id=-1, member_id="kafka-proof")


def may_use_group(response: Any) -> bool:
    """Return whether the client may be a member of the group, by the response to `group_question`."""
    return bool(response.error_code != GroupAuthorizationFailedError.errno)


def spelt(operation: str) -> str:
    """Return the name of an operation as Kafka's documentation spells it: DescribeConfigs for DESCRIBE_CONFIGS."""
    return operation.title().replace("_", "")


def refusal(error: KafkaError) -> str:
    """Return in one sentence which right the error is about, and how to grant it."""
    resource = next((name for kind, name in _RESOURCES.items() if isinstance(error, kind)), "what it asks for")
    return f"this client may not use {resource}: Describe on {resource} is missing ({one_line(error)}). {GRANT}"


# Questions


def missing_to_look(admin: KafkaAdminClient, topics: Sequence[str]) -> list[str]:
    """Return the missing rights to look at the brokers and at `topics`, names such as "smoke-*"."""
    refused = []
    broker = describe_cluster(admin)["brokers"][0]["broker_id"]
    with contextlib.suppress(KafkaError):  # a test reports a broker that does not answer, or answers as another
        if not settings_of(admin, [broker])[broker]:  # this is a refusal
            refused.append("DescribeConfigs on the cluster")
    for topic in topics:
        if missing(admin, topic.replace("*", "rights"), ["DESCRIBE"]):
            refused.append(f"Describe on topic {topic}")
    return refused


def missing_to_work(
    admin: KafkaAdminClient, prefix: str, existing_topic: str | None, operations: Sequence[str]
) -> list[str]:
    """Return the missing rights of a run, such as "Create on topic smoke-*".

    `prefix`: the beginning of the run's names; `existing_topic`: the topic to write to instead of topics of the run's
    own; `operations`: those on a topic. Raises kafka.errors.KafkaError, and AssertionError when no coordinator answers.
    """
    name, names = f"{prefix}rights", _pattern(prefix)
    refused = []
    if not existing_topic and _is_refused(
        lambda: admin.create_topics({name: {"num_partitions": 2}}, validate_only=True)
    ):
        refused.append(f"Create on topic {names}")
    refused += [
        f"{spelt(operation)} on topic {existing_topic or names}"
        for operation in missing(admin, existing_topic or name, operations)
    ]
    offsets = {TopicPartition(name, 0): OffsetAndMetadata(0, "", -1)}
    attempts: dict[str, Callable[[], Any]] = {
        f"Read on group {names}": lambda: admin.alter_group_offsets(name, offsets),
        f"Delete on group {names}": lambda: admin.delete_groups([name]),
    }
    return refused + [right for right, attempt in attempts.items() if _is_refused(attempt)]


def missing_for_transactions(client: Mapping[str, Any], prefix: str) -> list[str]:
    """Return the missing right to begin transactions. `client`: arguments of any client; else as above."""
    refused = _is_refused(lambda: _begin_transactions(client, f"{prefix}rights"))
    return [f"Write on transactional id {_pattern(prefix)}"] if refused else []


def missing(admin: KafkaAdminClient, topic: str, wanted: Sequence[str]) -> list[str]:
    """Return the operations among `wanted` that the client may not do with the topic. Raises KafkaError."""
    [described] = admin.describe_topics([topic])
    if described["error_code"] == TopicAuthorizationFailedError.errno:
        return list(wanted)
    return TopicRights(None, described.get("authorized_operations")).missing(wanted)


def _pattern(prefix: str) -> str:
    """Return a pattern of the names of all runs: "smoke-*" for "smoke-20261123T150405Z-1a2b3c4d-"."""
    return f"{prefix.partition('-')[0]}-*"


def _begin_transactions(client: Mapping[str, Any], name: str) -> None:
    with (
        contextlib.suppress(KafkaTimeoutError),  # a test reports transactions that do not work
        producing(**client, transactional_id=name, max_block_ms=10_000) as producer,
    ):
        producer.init_transactions()


def _is_refused(attempt: Callable[[], Any]) -> bool:
    try:
        # The first use of groups, or of transactions, creates the topic of their coordinator.
        [answer] = wait_until("the coordinator of groups or transactions", lambda: [attempt()], seconds=60)
    except AuthorizationError:
        return True
    return "GroupAuthorization" in str(answer)  # a request can name several groups, so the answer has the error

"""The rights that a run needs. It asks for them first, and reports all missing rights by name.

A broker checks rights first and existence second. So the questions are about a topic, a group and a transactional id
that do not exist: "not authorized" is a missing right, "unknown" is none. They create nothing, so nothing can be left.
"""

import contextlib

from kafka import TopicPartition
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster, producing
from kafka_proof.cluster.settings import settings_of

OWN_TOPIC = ("WRITE", "READ", "DELETE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")
OTHERS_TOPIC = ("WRITE", "READ", "DESCRIBE_CONFIGS")


def missing_to_look(admin, topics):
    """Return the missing rights to look at the brokers and at `topics`, names such as "smoke-*": list[str]."""
    refused = []
    broker = describe_cluster(admin)["brokers"][0]["broker_id"]
    with contextlib.suppress(KafkaError):  # a test reports a broker that does not answer, or answers as another
        if not settings_of(admin, [broker])[broker]:  # this is a refusal
            refused.append("DescribeConfigs on the cluster")
    for topic in topics:
        if not _operations(admin, topic.replace("*", "rights"), ["DESCRIBE"]):
            refused.append(f"Describe on topic {topic}")
    return refused


def missing_to_work(admin, kafka, prefix, existing_topic=None, transactions=True):
    """Return the other missing rights, list[str], such as "Create on topic smoke-*".

    `admin`: a KafkaAdminClient; `kafka`: arguments of any client; `prefix`: the beginning of the run's names;
    `existing_topic`: the topic to write to instead of topics of the run's own; `transactions`: whether the run uses
    them. Raises kafka.errors.KafkaError, and AssertionError when no coordinator answers.
    """
    name, names = f"{prefix}rights", f"{prefix.split('-')[0]}-*"
    operations = OTHERS_TOPIC if existing_topic else OWN_TOPIC
    granted = _operations(admin, existing_topic or name, operations)
    refused = []
    if not existing_topic and _is_refused(
        lambda: admin.create_topics({name: {"num_partitions": 2}}, validate_only=True)
    ):
        refused.append(f"Create on topic {names}")
    refused += [
        f"{operation.title().replace('_', '')} on topic {existing_topic or names}"
        for operation in operations
        if operation not in granted
    ]
    offsets = {TopicPartition(name, 0): OffsetAndMetadata(0, "", -1)}
    attempts = {
        f"Read on group {names}": lambda: admin.alter_group_offsets(name, offsets),
        f"Delete on group {names}": lambda: admin.delete_groups([name]),
    }
    if transactions:
        attempts[f"Write on transactional id {names}"] = lambda: _begin_transactions(kafka, name)
    return refused + [right for right, attempt in attempts.items() if _is_refused(attempt)]


def _operations(admin, topic, wanted):
    """Return the granted operations among `wanted`, list[str]. A broker that does not report them grants all."""
    [described] = admin.describe_topics([topic])
    if described["error_code"] == TopicAuthorizationFailedError.errno:  # without Describe, which each of them implies
        return []
    granted = described.get("authorized_operations")
    return [operation for operation in wanted if granted is None or operation in granted]


def _begin_transactions(kafka, name):
    with (
        contextlib.suppress(KafkaTimeoutError),  # a test reports transactions that do not work
        producing(**kafka, transactional_id=name, max_block_ms=10_000) as producer,
    ):
        producer.init_transactions()


def _is_refused(attempt):
    try:
        # The first use of groups, or of transactions, creates the topic of their coordinator.
        [answer] = wait_until("the coordinator of groups or transactions", lambda: [attempt()], seconds=60)
    except AuthorizationError:
        return True
    return "GroupAuthorization" in str(answer)  # a request can name several groups, so the answer has the error

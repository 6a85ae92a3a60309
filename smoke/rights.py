"""What a run needs to be allowed to do, asked before anything else, so that all that is missing is said by name.

A broker looks at rights first and at existence second. So all is asked of a topic, a group and a transactional id that
are not there: "not authorized" is a missing right, "unknown" is none. Nothing is made, so nothing can be left.
"""

import contextlib

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import AuthorizationError, KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import producing

OWN_TOPIC = ("WRITE", "READ", "DELETE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")
OTHERS_TOPIC = ("WRITE", "READ", "DESCRIBE_CONFIGS")


def missing_to_look(admin, topics):
    """Return list[str]: what is refused of looking at the brokers and at `topics`, names such as "smoke-*"."""
    refused = []
    broker = str(admin.describe_cluster()["brokers"][0]["broker_id"])
    wanted = ConfigResource(ConfigResourceType.BROKER, broker, ["broker.id", "node.id"])
    with contextlib.suppress(KafkaError):  # that a broker does not answer, or not as this one, is for a test to say
        if not admin.describe_configs([wanted], config_filter="all")["broker"][broker]:  # that is how it is refused
            refused.append("DescribeConfigs on the cluster")
    for topic in topics:
        if not _operations(admin, topic.replace("*", "rights"), ["DESCRIBE"]):
            refused.append(f"Describe on topic {topic}")
    return refused


def missing_to_work(admin, kafka, prefix, existing_topic=None, transactions=True):
    """Return list[str]: what is refused of the rest, such as "Create on topic smoke-*".

    `admin`: a KafkaAdminClient; `kafka`: arguments of any client; `prefix`: what the run's names begin with;
    `existing_topic`: the topic that is written to instead of topics of the run's own; `transactions`: whether the run
    uses them. Raises kafka.errors.KafkaError, and AssertionError when no coordinator answers.
    """
    name, names = f"{prefix}rights", f"{prefix.split('-')[0]}-*"
    topic, operations = (existing_topic, OTHERS_TOPIC) if existing_topic else (name, OWN_TOPIC)
    granted = _operations(admin, topic, operations)
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
    if _is_refused(lambda: admin.alter_group_offsets(name, {TopicPartition(name, 0): OffsetAndMetadata(0, "", -1)})):
        refused.append(f"Read on group {names}")
    if _is_refused(lambda: admin.delete_groups([name])):
        refused.append(f"Delete on group {names}")
    if transactions and _is_refused(lambda: _begin_transactions(kafka, name)):
        refused.append(f"Write on transactional id {names}")
    return refused


def _operations(admin, topic, wanted):
    """Return those of `wanted` that are granted, list[str]. A broker that does not tell grants all."""
    [described] = admin.describe_topics([topic])
    if described["error_code"] == TopicAuthorizationFailedError.errno:  # without Describe, which each of them implies
        return []
    granted = described.get("authorized_operations")
    return [operation for operation in wanted if granted is None or operation in granted]


def _begin_transactions(kafka, name):
    with (
        contextlib.suppress(KafkaTimeoutError),  # that transactions do not work is for a test to say
        producing(**kafka, transactional_id=name, max_block_ms=10_000) as producer,
    ):
        producer.init_transactions()


def _is_refused(attempt):
    try:
        # The first use of groups, or of transactions, makes the topic that their coordinator writes to.
        [answer] = wait_until("the coordinator of groups or transactions", lambda: [attempt()], seconds=60)
    except AuthorizationError:
        return True
    return "GroupAuthorization" in str(answer)  # a request may name several, so it is in the answer

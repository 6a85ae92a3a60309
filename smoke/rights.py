"""What a run needs to be allowed to do. It is tried before anything else, so that what is missing is said by name."""

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import AuthorizationError, UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata


def missing(admin, kafka, prefix, existing_topic=None):
    """Return list[str], the operations that are refused, such as "Create on topic smoke-*".

    `admin`: a KafkaAdminClient; `kafka`: arguments of any client; `prefix`: what the run's names begin with;
    `existing_topic`: the topic that is written to instead of one of the run's own.
    What it makes carries the prefix and is left to the run's clean-up. Raises kafka.errors.KafkaError for any other
    reason.
    """
    word = f"{prefix.split('-')[0]}-*"
    topic = existing_topic or f"{prefix}rights"
    named = existing_topic or word
    refused = []

    def allowed(operation, attempt):
        try:
            attempt()
        except AuthorizationError:
            refused.append(operation)
        except UnknownTopicOrPartitionError:  # how a broker says that it will not even tell
            refused.append(operation)

    allowed("Describe on the cluster", admin.list_groups)
    if not existing_topic:
        allowed(f"Create on topic {word}", lambda: admin.create_topics({topic: {"num_partitions": 1}}))
        if refused[-1:] == [f"Create on topic {word}"]:
            return [*refused, f"(and then, not tried: Write, Read, Describe, DescribeConfigs, Delete on topic {word})"]
        admin.wait_for_topics([topic])
    allowed(f"Write on topic {named}", lambda: _write(kafka, topic))
    allowed(f"Read on topic {named}", lambda: _read(kafka, topic))
    allowed(f"Read on group {word}", lambda: _commit(kafka, topic, f"{prefix}rights"))
    allowed(f"Delete on group {word}", lambda: _delete_group(admin, f"{prefix}rights"))
    if not existing_topic:
        allowed(f"Delete on topic {word}", lambda: admin.delete_topics([topic]))
    return refused


def _write(kafka, topic):
    with KafkaProducer(**kafka, max_block_ms=5000, retries=0) as producer:
        producer.send(topic, b"rights", partition=0).get(timeout=10)


def _read(kafka, topic):
    with KafkaConsumer(**kafka, group_id=None, enable_auto_commit=False) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, max(0, consumer.end_offsets([partition])[partition] - 1))
        consumer.poll(2000)


def _commit(kafka, topic, group):
    with KafkaConsumer(**kafka, group_id=group, enable_auto_commit=False) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.commit({partition: OffsetAndMetadata(0, "", -1)}, timeout_ms=20_000)


def _delete_group(admin, group):
    for said in admin.delete_groups([group]).values():
        if "Authorization" in str(said):
            raise AuthorizationError(str(said))

"""A sample program: customers place orders in a topic, and it adds them up."""

import json

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def place(settings, topic, orders):
    """Send `orders`, a list of (customer, amount). The key decides the partition and so keeps each customer's order."""
    with KafkaProducer(**settings, key_serializer=str.encode, value_serializer=lambda v: json.dumps(v).encode()) as to:
        for sent in [to.send(topic, key=customer, value=amount) for customer, amount in orders]:
            sent.get(timeout=10)


def placed(settings, topic):
    """Return dict[customer, list of amounts in order] of all orders in the topic."""
    found = {}
    with KafkaConsumer(**settings, group_id=None) as consumer:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=100).values():
                for record in records:
                    found.setdefault(record.key.decode(), []).append(json.loads(record.value))
    return found


def totals(settings, topic):
    """Return dict[customer, total]."""
    return {customer: sum(amounts) for customer, amounts in placed(settings, topic).items()}

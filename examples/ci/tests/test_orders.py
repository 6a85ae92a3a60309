"""These tests ask for a Kafka with the fixture kafka_cluster; kafka-proof provides it."""

import uuid

import orders
import pytest
from kafka import KafkaAdminClient


@pytest.fixture
def topic(kafka_cluster):
    """A new topic for the test, because other tests use the cluster at the same time."""
    name = f"orders-{uuid.uuid4().hex[:8]}"
    with KafkaAdminClient(**kafka_cluster.kafka_python) as admin:
        admin.create_topics({name: {"num_partitions": 3}})
        yield name
        admin.delete_topics([name])


def test_orders_add_up(kafka_cluster, topic):
    orders.place(kafka_cluster.kafka_python, topic, [("ada", 3), ("bob", 5), ("ada", 4)])

    assert orders.totals(kafka_cluster.kafka_python, topic) == {"ada": 7, "bob": 5}


def test_no_orders_no_totals(kafka_cluster, topic):
    assert orders.totals(kafka_cluster.kafka_python, topic) == {}


@pytest.mark.parametrize("customer", ["ada", "bob", "多谢"])
def test_orders_of_a_customer_stay_in_order(kafka_cluster, topic, customer):
    orders.place(kafka_cluster.kafka_python, topic, [(customer, amount) for amount in range(100)])

    assert orders.placed(kafka_cluster.kafka_python, topic) == {customer: list(range(100))}

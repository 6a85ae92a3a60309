"""Which Kafka version a broker runs, by its protocol."""

from kafka import KafkaAdminClient

from kafka_proof.client.connection import version_text


def broker_version(admin: KafkaAdminClient, broker: int) -> str:
    """Return the version of one broker as text, such as "3.9". Raises kafka.errors.KafkaError.

    The protocol shows no more: 3.9.0 and 3.9.2 have the same one.
    """
    return version_text(admin.get_broker_version_data(broker).broker_version)

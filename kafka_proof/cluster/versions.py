"""Which Kafka a broker runs, as its protocol tells it."""

from kafka_proof.client.connection import version_text


def broker_version(admin, broker):
    """Return the version of one broker as text, such as "3.9". Raises kafka.errors.KafkaError.

    The protocol does not tell more: 3.9.0 and 3.9.2 speak alike.
    """
    return version_text(admin.get_broker_version_data(broker).broker_version)

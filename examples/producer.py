"""Send three messages to Kafka, and see each one arrive.

    python examples/producer.py

prints

    send 0 to kafka_demo, partition 1, offset 0
    send 1 to kafka_demo, partition 1, offset 1
    send 2 to kafka_demo, partition 1, offset 2

Start examples/consumer.py in a second terminal to receive them.
"""

import argparse
import json
import sys
import traceback
from pathlib import Path

from kafka import KafkaProducer
from kafka.errors import KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python, read

CLIENT_PROPERTIES = Path(__file__).resolve().parent.parent / "build" / "client.properties"


def send(producer, topic):
    for number in range(3):
        future = producer.send(
            topic,
            key="count_num",  # the same key goes to the same partition …
            value=str(number),
            partition=1,  # … unless a partition is named, which then decides
        )
        # send() only puts the message in a queue. Waiting for the answer shows whether it arrived.
        metadata = future.get(timeout=10)
        print(f"send {number} to {metadata.topic}, partition {metadata.partition}, offset {metadata.offset}")


def main(argv=None):
    parser = argparse.ArgumentParser(description="Send three messages to Kafka.")
    parser.add_argument("--client-properties", metavar="FILE", default=CLIENT_PROPERTIES)
    parser.add_argument("--topic", default="kafka_demo")
    options = parser.parse_args(argv)

    try:
        # bootstrap_servers=["127.0.0.1:9092"] and, where the cluster wants it, TLS and a password. Host and port: older
        # versions took ":9092" for localhost, but kafka-python 3 does not connect to it.
        settings = kafka_python(read(options.client_properties))
        connect(settings).close()  # says in one line what is wrong when no broker answers
        with KafkaProducer(
            **settings,
            key_serializer=lambda key: json.dumps(key).encode(),
            value_serializer=lambda value: json.dumps(value).encode(),
        ) as producer:
            send(producer, options.topic)
    except (ClientPropertiesError, NoKafkaError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError:  # not kafka.errors.kafka_errors: that is a dictionary, and Python cannot catch it
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

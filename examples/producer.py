"""Send three messages to Kafka, and wait for the acknowledgement of each.

    python examples/producer.py

prints

    send 0 to kafka_demo, partition 1, offset 0
    send 1 to kafka_demo, partition 1, offset 1
    send 2 to kafka_demo, partition 1, offset 2

Start examples/consumer.py in a second terminal to receive them.

Exit status: 0, all messages are acknowledged; 1, Kafka refused a message or did not answer in time; 2, the file cannot
be used, or no broker answers.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from kafka import KafkaProducer
from kafka.errors import KafkaError

CLIENT_PROPERTIES = Path(__file__).resolve().parent.parent / "build" / "client.properties"


def client_settings(path):
    """Return the keyword arguments for kafka-python that a client properties file of Kafka's own format describes.

    Raises OSError for a file that cannot be read, and ValueError for a file without bootstrap.servers.
    """

    def unescaped(text):  # of Java's format: \\ is one backslash, \u00e4 is ä
        return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", lambda found: found[2] or chr(int(found[1], 16)), text)

    lines = [line.strip() for line in Path(path).read_text().splitlines()]
    pairs = [re.split(r"\s*=\s*", line, maxsplit=1) for line in lines if "=" in line and line[0] not in "#!"]
    properties = {key: unescaped(value) for key, value in pairs}
    if not properties.get("bootstrap.servers"):
        raise ValueError(f"{path}: bootstrap.servers is missing. Write: bootstrap.servers=HOST:PORT")
    settings = {
        # Host and port: kafka-python 3 does not connect to ":9092", which older versions took for localhost.
        "bootstrap_servers": [server.strip() for server in properties["bootstrap.servers"].split(",")],
        "security_protocol": properties.get("security.protocol", "PLAINTEXT"),
    }
    if authorities := properties.get("ssl.truststore.location"):
        settings["ssl_cafile"] = authorities  # a PEM file
    if own := properties.get("ssl.keystore.location"):
        settings["ssl_certfile"] = own  # a PEM file: the client's certificate and its key
    quoted = r'(username|password)="((?:[^"\\]|\\.)*)"'
    if login := dict(re.findall(quoted, properties.get("sasl.jaas.config", ""))):
        settings["sasl_mechanism"] = properties.get("sasl.mechanism", "PLAIN")
        settings["sasl_plain_username"] = unescaped(login.get("username", ""))
        settings["sasl_plain_password"] = unescaped(login.get("password", ""))
    return settings


def send(producer, topic):
    for number in range(3):
        future = producer.send(
            topic,
            key=json.dumps("count_num").encode(),  # the same key goes to the same partition …
            value=json.dumps(str(number)).encode(),
            partition=1,  # … unless the program names a partition
        )
        # send() only puts the message into a queue. The acknowledgement proves that Kafka has it.
        metadata = future.get()
        print(f"send {number} to {metadata.topic}, partition {metadata.partition}, offset {metadata.offset}")


def main(argv=None):
    parser = argparse.ArgumentParser(description="Send three messages to Kafka.")
    parser.add_argument("--client-properties", metavar="FILE", default=CLIENT_PROPERTIES)
    parser.add_argument("--topic", default="kafka_demo")
    options = parser.parse_args(argv)

    try:
        producer = KafkaProducer(
            **client_settings(options.client_properties),
            bootstrap_timeout_ms=5000,  # for the first answer of a broker
            request_timeout_ms=5000,  # for each answer
            delivery_timeout_ms=10000,  # for the acknowledgement of a message, with all retries
        )
    # KafkaError, not kafka.errors.kafka_errors: that name is a dictionary, and Python cannot catch it.
    except (OSError, ValueError, KafkaError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with producer:
            send(producer, options.topic)
    except KafkaError as error:  # such as a topic that is not there, or a partition
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

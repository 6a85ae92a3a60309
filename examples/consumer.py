"""Receive messages from Kafka, until Ctrl-C.

    python examples/consumer.py

prints, after examples/producer.py has run in another terminal,

    receive, key: count_num, value: 0
    receive, key: count_num, value: 1
    receive, key: count_num, value: 2

and at the end, after Ctrl-C,

    kafka left: 0

Variants:

    the same command in two terminals   one group: each message reaches only one of the two
    --group other                       another group: it receives every message, too
    --manual-commit                     commit each message after it is processed

Exit status: 0, ended by Ctrl-C; 1, Kafka refused a request; 2, the file cannot be used, or no broker answers.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
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


def receive(consumer, manual_commit):
    for message in consumer:
        print(f"receive, key: {decode(message.key)}, value: {decode(message.value)}", flush=True)
        if manual_commit:
            consumer.commit()  # after the work: a crash between an earlier commit and the work would lose the message


def decode(raw):
    try:
        return json.loads(raw.decode())
    except (AttributeError, ValueError):
        return raw  # None, or not JSON: another program wrote it


def left(settings, group, topic):
    """Return how many messages `group` has left to read in `topic`, as a distance in offsets."""
    with KafkaConsumer(**settings, group_id=group) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        # In this order: offsets only grow, and a busy group must not have less than nothing left.
        committed = {partition: consumer.committed(partition) for partition in partitions}
        starts = consumer.beginning_offsets(partitions)
        ends = consumer.end_offsets(partitions)

    def place(partition):  # a group without a committed offset, or with one outside of the log, continues at its start
        offset = committed[partition] or 0
        return offset if starts[partition] <= offset <= ends[partition] else starts[partition]

    return sum(ends[partition] - place(partition) for partition in partitions)


def main(argv=None):
    parser = argparse.ArgumentParser(description="Receive messages from Kafka, until Ctrl-C.")
    parser.add_argument("--client-properties", metavar="FILE", default=CLIENT_PROPERTIES)
    parser.add_argument("--topic", default="kafka_demo")
    parser.add_argument("--group", default="test")
    parser.add_argument("--manual-commit", action="store_true", help="instead of every five seconds")
    options = parser.parse_args(argv)
    sys.stdout.reconfigure(errors="backslashreplace")  # a message can have characters that this terminal has not

    try:
        settings = {"bootstrap_timeout_ms": 5000} | client_settings(options.client_properties)
        consumer = KafkaConsumer(
            options.topic,
            **settings,
            group_id=options.group,
            auto_offset_reset="earliest",  # where a group without a committed offset begins
            enable_auto_commit=not options.manual_commit,
        )
    except (OSError, ValueError, KafkaError) as error:
        print(error, file=sys.stderr)
        return 2
    status = 0
    try:
        receive(consumer, options.manual_commit)
    except KeyboardInterrupt:
        pass  # the way to end this program
    except KafkaError as error:  # such as a session timeout that the broker does not allow
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        status = 1
    finally:
        # Leave the group, so that its other members take over at once, and commit, if that is automatic. With a
        # limit: while other members join, the broker lets this one wait.
        consumer.close(timeout_ms=3000)
    if status == 0:
        try:
            print(f"kafka left: {left(settings, options.group, options.topic)}")
        except KafkaError as error:  # the broker went away
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

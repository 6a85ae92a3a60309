"""Receive messages from Kafka, until Ctrl-C.

    python examples/consumer.py

prints, once examples/producer.py has run in another terminal,

    receive, key: count_num, value: 0
    receive, key: count_num, value: 1
    receive, key: count_num, value: 2

and at the end, when you press Ctrl-C,

    kafka left: 0

Things to try:

    the same command in two terminals   one group: each message reaches only one of the two
    --group other                       another group: it gets every message, too
    --manual-commit                     each message is committed when it has been dealt with
"""

import argparse
import json
import sys
import traceback
from pathlib import Path

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python, read
from kafka_proof.lag.offsets import group_lag, left

CLIENT_PROPERTIES = Path(__file__).resolve().parent.parent / "build" / "client.properties"


def receive(consumer, manual_commit):
    for message in consumer:
        print(f"receive, key: {decode(message.key)}, value: {decode(message.value)}", flush=True)
        if manual_commit:
            consumer.commit()  # after the work: who commits before it loses what a crash interrupts


def decode(raw):
    try:
        return json.loads(raw.decode())
    except (AttributeError, ValueError):
        return raw  # None, or not JSON: another program wrote it


def main(argv=None):
    parser = argparse.ArgumentParser(description="Receive messages from Kafka, until Ctrl-C.")
    parser.add_argument("--client-properties", metavar="FILE", default=CLIENT_PROPERTIES)
    parser.add_argument("--topic", default="kafka_demo")
    parser.add_argument("--group", default="test")
    parser.add_argument("--manual-commit", action="store_true", help="instead of every five seconds")
    options = parser.parse_args(argv)

    try:
        settings = kafka_python(read(options.client_properties))
        with connect(settings) as admin:
            run(settings, options)
            # The article subtracts the sum of the committed offsets from the sum of the ends. That is right only where
            # every partition has a committed offset and no old message was deleted; kafka-lag is right
            # everywhere.
            print(f"kafka left: {left(group_lag(admin, options.group, options.topic))}")
    except (ClientPropertiesError, NoKafkaError) as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError:
        traceback.print_exc()
        return 1
    except KeyboardInterrupt:  # before there was a group to leave
        return 130
    return 0


def run(settings, options):
    consumer = KafkaConsumer(
        options.topic,
        **settings,
        group_id=options.group,
        auto_offset_reset="earliest",  # where a group begins that has not committed anything yet
        enable_auto_commit=not options.manual_commit,
    )
    with consumer:
        try:
            receive(consumer, options.manual_commit)
        except KeyboardInterrupt:
            # Leave the group, so that its other members take over at once, and commit, if that is automatic. With a
            # limit, because while other members are joining, the broker lets this one wait.
            consumer.close(timeout_ms=3000)


if __name__ == "__main__":
    sys.exit(main())

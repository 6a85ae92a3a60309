"""A member of a consumer group as a separate process, which dies like a process that the kernel kills.

    python smoke/member.py TOPIC

Reads [client properties, keyword arguments of KafkaConsumer], as a line of JSON, from its standard input, where no `ps`
shows a password.
Prints the partitions that it owns, as JSON, as soon as it owns some. Then kills itself, so that the group is not told.
"""

import json
import os
import signal
import sys

from kafka import KafkaConsumer

from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import makes_no_topic


def main(topic):
    """Join, print the partitions, and die; or end with a message when it owns none after a while."""
    properties, settings = json.loads(sys.stdin.readline())
    consumer = makes_no_topic(KafkaConsumer(**kafka_python(properties), **settings))
    consumer.subscribe([topic])
    consumer.partitions_for_topic(topic)

    def owned():
        consumer.poll(100)
        return sorted(tp.partition for tp in consumer.assignment())

    print(json.dumps(wait_until("partitions to own", owned)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])

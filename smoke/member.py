"""A member of a consumer group as a process of its own, which dies as if the kernel had killed it.

    python smoke/member.py TOPIC

Reads keyword arguments of KafkaConsumer, as a line of JSON, from its standard input, where no `ps` shows a password.
Prints the partitions that it owns, as JSON, as soon as it owns some, and kills itself, so that nothing tells the group.
"""

import json
import os
import signal
import sys

from kafka import KafkaConsumer

from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import makes_no_topic


def main(topic):
    """Join, show what is owned, and die; or end with a message when nothing is owned after a while."""
    consumer = makes_no_topic(KafkaConsumer(**json.loads(sys.stdin.readline())))
    consumer.subscribe([topic])
    consumer.partitions_for_topic(topic)

    def owned():
        consumer.poll(100)
        return sorted(tp.partition for tp in consumer.assignment())

    print(json.dumps(wait_until("partitions to own", owned)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Measure kafka-lag against Kafka's own command, in one run on one machine.

    python -m bench.lag [--client-properties FILE] [--container NAME] [--rounds 3]

It makes a topic of 50 partitions and 200 groups that are behind in each. It asks for one group and for all groups, with
kafka-lag and with `kafka-consumer-groups.sh --describe` in the broker's container. Both must give the same numbers.
Start-up is part of every figure. In the end the topic and the groups are removed.
"""

import json
import os
import sys
import uuid

from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition

from bench import Figures, each_round, parser, run, show, timed
from kafka_proof.client.connection import connect
from kafka_proof.client.properties import DEFAULT_PATH, kafka_python, read
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.temporary import remove

GROUPS, PARTITIONS, MESSAGES = 200, 50, 20


def make(admin, arguments, name):
    """Make the topic, its messages and the groups."""
    admin.create_topics({name: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)
    with KafkaProducer(**arguments) as producer:
        for partition in range(PARTITIONS):
            for _ in range(MESSAGES):
                producer.send(name, b"value", partition=partition)
        producer.flush()
    for number in range(GROUPS):
        group = f"{name}-{number:03}"
        offsets = {
            TopicPartition(name, partition): OffsetAndMetadata((number + partition) % MESSAGES, "", -1)
            for partition in range(PARTITIONS)
        }
        wait_until("the commit", lambda group=group, offsets=offsets: admin.alter_group_offsets(group, offsets))


def of_ours(printed, name):
    """{(group, partition): lag} of what kafka-lag --json printed."""
    return {
        (row["group"], row["partition"]): row["lag"]
        for group in json.loads(printed)["groups"]
        for row in group["partitions"]
        if row["topic"] == name
    }


def of_theirs(printed, name):
    """The same of what kafka-consumer-groups.sh printed: GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …"""
    lines = [line.split() for line in printed.splitlines() if line.startswith(name)]
    return {(line[0], int(line[2])): int(line[5]) for line in lines}


def measure(client_properties, container, address, name, rounds):
    """Return the Figures of each command, for one group and for all."""
    lag = [sys.executable, "-m", "kafka_proof.lag", "--client-properties", client_properties]
    kafka = ["docker", "exec", container, "kafka-consumer-groups.sh", "--bootstrap-server", address, "--describe"]
    commands = {
        "kafka-lag one": [*lag, "--group", f"{name}-000"],
        "kafka-consumer-groups.sh one": [*kafka, "--group", f"{name}-000"],
        "kafka-lag all": lag,
        "kafka-consumer-groups.sh all": [*kafka, "--all-groups"],
    }
    figures = Figures()
    for _ in each_round(rounds):
        for key, command in commands.items():
            took, printed = timed(run, *command)
            figures.note(key, took)
    theirs, ours = of_theirs(printed, name), of_ours(run(*lag, "--json"), name)
    if ours != theirs or len(ours) != GROUPS * PARTITIONS:
        sys.exit(f"the commands differ: kafka-lag shows {len(ours)} partitions, the other {len(theirs)}")
    return figures


def main():
    """Run as a command."""
    command = parser(__doc__)
    command.add_argument("--client-properties", metavar="FILE", default=DEFAULT_PATH)
    command.add_argument("--container", metavar="NAME", default="kafka", help="the broker's (default: %(default)s)")
    options = command.parse_args()
    path = os.path.abspath(options.client_properties)
    arguments = kafka_python(read(path))
    name = f"bench-{uuid.uuid4().hex[:8]}"
    with connect(arguments) as admin:
        try:
            make(admin, arguments, name)
            figures = measure(path, options.container, arguments["bootstrap_servers"][0], name, options.rounds)
        finally:
            remove(admin, lambda found: found.startswith(name), "the benchmark")

    middle = figures.medians()
    rows = []
    for which, what, target in (
        ("one", f"one group of {PARTITIONS} partitions", "at most 1.0 s"),
        ("all", f"{GROUPS} groups of {PARTITIONS} partitions", "at most 5 s, at least 3-fold"),
    ):
        ours, theirs = middle[f"kafka-lag {which}"], middle[f"kafka-consumer-groups.sh {which}"]
        rows.append((what, f"{ours:.2f} s", f"{theirs:.2f} s", f"{theirs / ours:.1f}-fold", target))
    show(options.rounds, ("what", "kafka-lag", "kafka-consumer-groups.sh", "ratio", "target"), rows)


if __name__ == "__main__":
    main()

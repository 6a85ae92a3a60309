"""A member of a consumer group as a process of its own, so that a test can kill it as the kernel would.

    python -m smoke.member '{"kafka": {…}, "topic": "…"}'

`kafka`: keyword arguments of KafkaConsumer. Prints the partitions that it owns, as JSON, whenever they change.
"""

import json
import sys

from kafka import KafkaConsumer


def main():
    """Run until killed."""
    given = json.loads(sys.argv[1])
    consumer = KafkaConsumer(**given["kafka"])
    consumer.subscribe([given["topic"]])
    consumer.partitions_for_topic(given["topic"])
    shown = None
    while True:
        consumer.poll(100)
        owned = sorted(tp.partition for tp in consumer.assignment())
        if owned != shown:
            print(json.dumps(owned), flush=True)
            shown = owned


if __name__ == "__main__":
    main()

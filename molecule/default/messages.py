"""Write messages and commit in the middle, or see that they are still there and that the broker has a setting."""

import argparse

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from kafka_proof.client.properties import kafka_python, read

PARTITION = TopicPartition("kafka_demo", 0)
VALUES = [b"message %d" % number for number in range(100)]
COMMITTED = 40


def main():
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client_properties")
    parser.add_argument("action", choices=["write", "read"])
    parser.add_argument("--setting", default="", metavar="KEY=VALUE")
    args = parser.parse_args()
    client = kafka_python(read(args.client_properties))
    with KafkaConsumer(
        **client, group_id="molecule", auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        consumer.assign([PARTITION])
        if args.action == "write":
            with KafkaProducer(**client) as producer:
                for future in [
                    producer.send(PARTITION.topic, value, partition=PARTITION.partition) for value in VALUES
                ]:
                    future.get(timeout=10)
            consumer.commit({PARTITION: OffsetAndMetadata(COMMITTED, "", -1)})
        else:
            assert consumer.committed(PARTITION) == COMMITTED, f"committed is {consumer.committed(PARTITION)}"
            consumer.seek_to_beginning(PARTITION)
            end = consumer.end_offsets([PARTITION])[PARTITION]
            values = []
            while consumer.position(PARTITION) < end:
                values += [record.value for records in consumer.poll(1000).values() for record in records]
            assert values == VALUES, f"{len(values)} of {len(VALUES)} messages are there"
    if args.setting:
        key, value = args.setting.split("=")
        with KafkaAdminClient(**client) as admin:
            broker = str(admin.describe_cluster()["brokers"][0]["broker_id"])
            resource = ConfigResource(ConfigResourceType.BROKER, broker, [key])
            seen = admin.describe_configs([resource], config_filter="all")["broker"][broker][key]["value"]
        assert seen == value, f"{key} is {seen}"


if __name__ == "__main__":
    main()

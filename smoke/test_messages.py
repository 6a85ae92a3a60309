"""Messages arrive as they were sent, where they were sent, in order, and at the place where a reader asked to begin."""

from smoke.group import positions


def test_json_key_and_value_come_back_in_order(partitions, name, producer, reader):
    _, one = partitions
    sent = [("count_num", str(number)) for number in range(3)] + [({"id": 1}, {"text": "多谢", "list": [1, None, 2.5]})]

    for offset, (key, value) in enumerate(sent):
        metadata = producer.send(name, partition=1, key=key, value=value).get(timeout=10)
        assert (metadata.topic, metadata.partition, metadata.offset) == (name, 1, offset)

    group = reader(name, partitions)
    group.read_to({partitions[0]: 0, one: len(sent)})
    assert [(record.partition, record.offset, record.key, record.value) for record in group.received["reader"]] == [
        (1, offset, key, value) for offset, (key, value) in enumerate(sent)
    ]


def test_same_key_goes_to_the_same_partition(partitions, name, producer):
    # Without partition=, a hash of the key decides, and these 20 keys fall on both partitions.
    def partition_of(key):
        return producer.send(name, key=key, value=None).get(timeout=10).partition

    assert len({partition_of("count_num") for _ in range(3)}) == 1
    assert {partition_of(f"key {number}") for number in range(20)} == {0, 1}


def test_earliest_begins_with_the_first_message(partitions, name, send, reader):
    ends = {tp: send(tp, ["before"]) for tp in partitions}

    group = reader(name, partitions, auto_offset_reset="earliest")

    assert set(positions(group.consumers["reader"]).values()) == {0}
    group.read_to(ends)
    assert group.matrix() == {"reader": {0: ["before"], 1: ["before"]}}


def test_latest_begins_after_the_last_message(partitions, name, send, reader):
    for tp in partitions:
        send(tp, ["before"])

    group = reader(name, partitions, auto_offset_reset="latest")
    # "Latest" means the moment when the consumer asks, and that is not when it is made: position() makes it ask now.
    # Without this line the next messages may be older than the question, and they never arrive.
    assert set(positions(group.consumers["reader"]).values()) == {1}

    group.read_to({tp: send(tp, ["after"]) for tp in partitions})
    assert group.matrix() == {"reader": {0: ["after"], 1: ["after"]}}

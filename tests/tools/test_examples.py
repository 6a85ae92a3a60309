"""examples/producer.py and consumer.py on a broker."""

import ast
import runpy
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition

from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python, read
from kafka_proof.client.wait import wait_until
from kafka_proof.lag.offsets import group_lag
from kafka_proof.lag.offsets import left as lag_left

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def arguments(client_properties):
    return kafka_python(read(client_properties))


@pytest.fixture(scope="module")
def admin(arguments):
    with connect(arguments) as admin:
        yield admin


@pytest.fixture
def topic(admin):
    """A new topic of two partitions, as kafka_demo has. The group of the same name and the topic are removed after."""
    name = f"examples-{uuid.uuid4().hex[:8]}"
    admin.create_topics({name: {"num_partitions": 2}})
    wait_until("the topic's leaders", lambda: leaders(admin, name), good=lambda ids: len(ids) == 2 and min(ids) >= 0)
    yield name

    def groups():
        found = [each["group_id"] for each in admin.list_groups() if each["group_id"] == name]
        if found:
            admin.delete_groups(found)
        return found

    wait_until("the group to be gone", groups, good=lambda found: not found)
    admin.delete_topics([name])


def leaders(admin, topic):
    return [each["leader_id"] for described in admin.describe_topics([topic]) for each in described["partitions"]]


def documented(program):
    """Return the output that the docstring of a program promises: its indented lines, without the command."""
    lines = ast.get_docstring(ast.parse((EXAMPLES / program).read_text())).partition("Variants:")[0].splitlines()
    return [line.strip() for line in lines if line.startswith("    ") and "python" not in line]


def start(program, client_properties, *options):
    # A job of a shell that is not interactive ignores SIGINT.
    command = ["env", "--default-signal=INT", sys.executable, EXAMPLES / program]
    return subprocess.Popen(
        [*command, "--client-properties", client_properties, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, err = process.communicate(timeout=30)
    return process.returncode, out.splitlines(), err


def test_output_is_the_documented_one(client_properties, topic):
    status, said, err = ended(start("producer.py", client_properties, "--topic", topic))
    assert (status, said, err) == (0, [line.replace("kafka_demo", topic) for line in documented("producer.py")], "")

    assert received(client_properties, topic) == (0, documented("consumer.py"), "")


def test_manual_commit_leaves_nothing_either(client_properties, admin, topic):
    ended(start("producer.py", client_properties, "--topic", topic))

    def committed():
        wait_until("the commits", lambda: lag_left(group_lag(admin, topic, topic)), good=lambda number: number == 0)

    assert received(client_properties, topic, "--manual-commit", before=committed) == (0, documented("consumer.py"), "")


def test_messages_of_other_programs_are_shown(client_properties, arguments, topic):
    with KafkaProducer(**arguments) as producer:
        for value in (None, b"\xff text", b'"\\ud800"'):  # JSON of half a character, which no terminal has
            producer.send(topic, key=b"1", value=value, partition=0).get(10)
    status, said, err = received(client_properties, topic)
    assert (status, err) == (0, "")
    assert said[:3] == [f"receive, key: 1, value: {shown}" for shown in ("None", r"b'\xff text'", r"\ud800")]


def received(client_properties, topic, *options, before=lambda: None):
    """Return the status, lines and errors of a consumer that gets Ctrl-C after three messages, and after `before`."""
    consumer = start("consumer.py", client_properties, "--topic", topic, "--group", topic, *options)
    said = [consumer.stdout.readline().rstrip("\n") for _ in range(3)]
    before()
    consumer.send_signal(signal.SIGINT)
    status, more, err = ended(consumer)
    return status, said + more, err


def test_left_counts_from_the_place_where_the_group_continues(arguments, admin, topic):
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    with KafkaProducer(**arguments) as producer:
        for future in [producer.send(topic, b"value", partition=tp.partition) for tp in [zero] * 5 + [one] * 10]:
            future.get(timeout=10)
    admin.delete_records({zero: 2, one: 6})
    left = runpy.run_path(str(EXAMPLES / "consumer.py"))["left"]

    def expect(number):
        assert left(arguments, topic, topic) == number
        assert lag_left(group_lag(admin, topic, topic)) == number

    def commit(tp, offset):
        wait_until("the commit", lambda: admin.alter_group_offsets(topic, {tp: OffsetAndMetadata(offset, "", -1)}))

    expect(3 + 4)  # nothing committed: from the start of each log
    commit(one, 3)
    expect(3 + 4)  # committed before the start of the log
    commit(one, 9)
    expect(3 + 1)
    commit(zero, 5)
    commit(one, 10)
    expect(0)


@pytest.mark.parametrize("program", ["producer.py", "consumer.py"])
def test_no_broker_gives_one_line(program, tmp_path):
    (tmp_path / "client.properties").write_text("bootstrap.servers=localhost:1\n")
    status, said, err = ended(start(program, tmp_path / "client.properties"))
    assert (status, said, err) == (2, [], "KafkaTimeoutError: Unable to bootstrap from ['localhost:1']\n")

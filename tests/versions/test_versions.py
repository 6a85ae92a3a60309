"""The suite, the commands, the workload and the fixture, against every supported line of Kafka.

CI runs the sample: the oldest version and the newest. docs/smoke.md has the table.
"""

import json
import os
import subprocess
import sys

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.connection import connect
from tests.versions.kafka import KRAFT, ZOOKEEPER, running

VERSIONS = [
    ("2.4.1", ZOOKEEPER),
    ("2.8.2", ZOOKEEPER),
    ("3.3.2", KRAFT),
    ("3.4.1", KRAFT),
    ("3.7.2", KRAFT),
    ("3.9.2", ZOOKEEPER),
    ("3.9.2", KRAFT),
    ("4.0.0", KRAFT),
    ("4.1.1", KRAFT),
    ("4.2.2", KRAFT),
    ("4.3.1", KRAFT),
    ("4.4.0", KRAFT),
]
SAMPLE = [VERSIONS[0], VERSIONS[-1]]  # 3.9.2 is what most other tests run
TOPIC = "deployed"
SESSION = """
def test_it_answers(kafka_cluster):
    from kafka import KafkaProducer
    with KafkaProducer(**kafka_cluster.kafka_python) as producer:
        assert producer.send("from-the-fixture", b"value").get(30).offset == 0
"""


def _parameter(version, mode):
    marks = [pytest.mark.xdist_group(f"{version}-{mode}"), *([pytest.mark.sample] * ((version, mode) in SAMPLE))]
    return pytest.param((version, mode), id=f"{version}-{mode}", marks=marks)


@pytest.fixture(scope="module", params=[_parameter(*each) for each in VERSIONS])
def kafka(request):
    """(version, mode, HOST:PORT) of a broker with the topic TOPIC of two partitions, a message and a commit."""
    version, mode = request.param
    with running(version, mode) as address:
        with connect({"bootstrap_servers": [address]}) as admin:
            admin.create_topics({TOPIC: {"num_partitions": 2}})
            admin.wait_for_topics([TOPIC])
        with KafkaProducer(bootstrap_servers=address) as producer:
            producer.send(TOPIC, b"value", partition=1).get(30)
        with KafkaConsumer(bootstrap_servers=address, group_id="behind") as consumer:
            consumer.commit({TopicPartition(TOPIC, number): OffsetAndMetadata(0, "", -1) for number in (0, 1)})
        yield version, mode, address


def command(module, address, *options):
    """Run a command against the broker. Return (exit status, standard output); its standard error must be empty."""
    words = [sys.executable, "-m", module, "--bootstrap-server", address, *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=360, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_suite(kafka):
    *_, address = kafka
    status, said = command("kafka_proof.testing.suite", address, "--topic", f"{TOPIC}:2", "--deadline", "300")
    assert status == 0, said
    assert "37 passed" in said


def test_status(kafka):
    version, mode, address = kafka
    status, said = command("kafka_proof.status", address, "--json")
    assert status == 0, said
    found = json.loads(said)
    assert (found["mode"], found["controller"]) == (mode, 1)
    assert [broker["kafka"] for broker in found["brokers"]] == [version.rpartition(".")[0]]
    [topic] = [topic for topic in found["topics"] if topic["topic"] == TOPIC]
    assert [(each["partition"], each["end"]) for each in topic["partitions"]] == [(0, 0), (1, 1)]


def test_lag(kafka):
    *_, address = kafka
    status, said = command("kafka_proof.lag", address, "--json", "--group", "behind")
    assert status == 0, said
    [group] = json.loads(said)["groups"]
    assert [(row["partition"], row["lag"]) for row in group["partitions"]] == [(0, 0), (1, 1)]


def test_doctor(kafka):
    version, _, address = kafka
    status, said = command("kafka_proof.doctor", address, "--write")
    assert status == 0, said
    assert f"Kafka {version.rpartition('.')[0]}" in said


def test_workload(kafka):
    *_, address = kafka
    status, said = command("kafka_proof.workload", address, "--seconds", "3")
    assert status == 0, said
    assert "lost 0, duplicated 0" in said


def test_fixture(kafka, tmp_path):
    *_, address = kafka
    (tmp_path / "test_session.py").write_text(SESSION)
    environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": address}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout

"""Groups of every type with real members, on the newest Kafka: each has its own row, and none hides another."""

import contextlib
import json
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from kafka import KafkaProducer
from kafka.protocol.consumer import JoinGroupRequest, SyncGroupRequest

from kafka_proof.client.connection import connect, links
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.groups import describe, list_groups
from tests.support.maven import jar
from tests.versions.kafka import JAVA, KRAFT, jars, running
from tests.versions.test_versions import TOPIC, VERSIONS, command

pytestmark = [pytest.mark.sample, pytest.mark.xdist_group("groups")]
NEWEST = VERSIONS[-1][0]
SESSION = 300_000  # ms: these members send no heartbeats


def join(address, group, protocol_type, assignment):
    """Join a group as its only member, with these bytes as the assignment."""
    [link] = links({"bootstrap_servers": [address]}, 30)
    link.open()
    protocol = JoinGroupRequest.JoinGroupRequestProtocol(name="any", metadata=b"")
    member = ""
    for _ in range(2):  # the first answer gives the member its id
        answer = link.ask(
            JoinGroupRequest(
                group_id=group,
                session_timeout_ms=SESSION,
                rebalance_timeout_ms=SESSION,
                member_id=member,
                protocol_type=protocol_type,
                protocols=[protocol],
            )
        )
        member = answer.member_id
    own = SyncGroupRequest.SyncGroupRequestAssignment(member_id=member, assignment=assignment)
    answer = link.ask(
        SyncGroupRequest(
            group_id=group,
            generation_id=answer.generation_id,
            member_id=member,
            protocol_type=protocol_type,
            protocol_name="any",
            assignments=[own],
        )
    )
    assert not answer.error_code
    link.close()


@contextlib.contextmanager
def kip_848(address, group):
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([TOPIC])
    wait_until("partitions of a KIP-848 consumer", lambda: consumer.poll(0.2) or consumer.assignment(), seconds=30)
    yield
    consumer.close()


@contextlib.contextmanager
def member(address, group, command, log):
    """A program that is the only member of a group. Its output goes to the file `log`. Waits for its partitions."""
    with log.open("w") as output:
        process = subprocess.Popen([*JAVA, "-cp", *command], stdout=output, stderr=subprocess.STDOUT)
        try:
            with connect({"bootstrap_servers": [address]}) as admin:
                wait_until(
                    f"partitions of {group}",
                    lambda: describe(admin, [each for each in list_groups(admin).values() if each.name == group]),
                    good=lambda found: found and found[group].owners,
                    seconds=60,
                )
            yield
        finally:
            process.kill()
            process.wait()


def share_consumer(address, group, directory):
    """The console's share consumer, which acknowledges what it reads."""
    main = [f"{jars(NEWEST)}/*", "org.apache.kafka.tools.consumer.ConsoleShareConsumer"]
    options = ["--bootstrap-server", address, "--topic", TOPIC, "--group", group]
    return member(address, group, [*main, *options], directory / "share.out")


def streams_program(address, group, directory):
    """A program of Kafka Streams, with the protocol of KIP-1071."""
    # A topology without a state store needs no other jar.
    streams = jar("org.apache.kafka", "kafka-streams", NEWEST)
    command = [f"{jars(NEWEST)}/*:{streams}", Path(__file__).parent / "StreamsMember.java"]
    return member(address, group, [*command, address, group, TOPIC], directory / "streams.out")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with running(NEWEST, KRAFT) as address, contextlib.ExitStack() as members:
        with connect({"bootstrap_servers": [address]}) as admin:
            admin.create_topics({TOPIC: {"num_partitions": 2}})
            admin.wait_for_topics([TOPIC])
        with KafkaProducer(bootstrap_servers=address) as producer:
            for number in range(5):
                producer.send(TOPIC, b"value", partition=number % 2).get(30)
        join(address, "garbage", "consumer", b"\xff\xfe\xfd")
        join(address, "cut-short", "consumer", b"\x00\x00\x00\x00\x00\x01\x00\x08dep")
        join(address, "connect-cluster", "connect", b"\x00\x01tasks")
        members.enter_context(kip_848(address, "next-generation"))
        members.enter_context(share_consumer(address, "jobs", tmp_path_factory.mktemp("share")))
        members.enter_context(streams_program(address, "counts", tmp_path_factory.mktemp("streams")))
        yield address


KINDS = {
    "connect-cluster": ("connect", 1),
    "counts": ("streams", 1),
    "cut-short": ("classic", 1),
    "garbage": ("classic", 1),
    "jobs": ("share", 1),
    "next-generation": ("consumer", 1),
}


def test_lag(address):
    status, said = command("kafka_proof.lag", address, "--json")
    assert status == 0, said
    groups = {each["group"]: each for each in json.loads(said)["groups"]}
    assert {name: (each["type"], each["members"]) for name, each in groups.items()} == KINDS
    assert {each["kafka_state"] for each in groups.values()} == {"Stable"}

    assert groups["next-generation"]["left"] == 5
    assert {row["owner"] for row in groups["next-generation"]["partitions"]} == {"rdkafka/127.0.0.1"}
    assert {row["owner"] for row in groups["jobs"]["partitions"]} == {"console-share-consumer/127.0.0.1"}
    counted = {(row["topic"].partition("-")[0], row["partition"]): row for row in groups["counts"]["partitions"]}
    # The topic, and the one that the program writes to and reads again.
    assert counted.keys() == {(topic, number) for topic in (TOPIC, "counts") for number in (0, 1)}
    assert {row["owner"] for row in counted.values()} == {"member-StreamThread-1-consumer/127.0.0.1"}
    for name in ("garbage", "cut-short"):
        assert "cannot be decoded" in groups[name]["note"]
        assert groups[name]["left"] is None
    assert groups["connect-cluster"]["note"] == "members of connect share no partitions"


def test_lag_of_a_share_group_falls_to_nothing(address):
    def seen():
        with KafkaProducer(bootstrap_servers=address) as producer:
            producer.send(TOPIC, b"value", partition=0).get(30)
        status, said = command("kafka_proof.lag", address, "--json", "--group", "jobs")
        assert status == 0, said
        return json.loads(said)["groups"][0]

    def is_known(group):
        return group["partitions"][0]["lag"] is not None

    group = wait_until("a start offset of the share group", seen, is_known, pause=0.2)
    assert group["partitions"][0]["lag"] <= 2


def test_page(address):
    status, said = command("kafka_proof.lag", address)
    assert status == 0, said
    assert "next-generation: consumer, Stable, members: 1, kafka left: " in said
    assert "connect-cluster: connect, Stable, members: 1, kafka left: unknown, members of connect share no" in said


def test_status(address):
    status, said = command("kafka_proof.status", address, "--json")
    assert status == 0, said
    found = {each["group"]: (each["type"], each["members"]) for each in json.loads(said)["groups"]}
    assert found == KINDS
    assert "jobs: share, Stable, members: 1" in command("kafka_proof.status", address)[1]

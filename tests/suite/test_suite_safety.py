"""The suite changes nothing that is not its own, and leaves nothing, however it ends."""

import datetime
import os
import re
import signal
import threading

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.connection import connect
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster import temporary
from kafka_proof.cluster.temporary import is_left_over, new_prefix, removable
from tests.suite.conftest import PREFIX, Kind, Pattern
from tests.suite.suite_run import answers, finish, names, start, suite, until_line

FAST = ("-k", "json_key or auto_commit or more_members or transactions")


@pytest.fixture
def to(broker):
    """The option that points a run at the broker."""
    return ("--bootstrap-server", broker.address)


@pytest.fixture(scope="module")
def ours(broker):
    """A topic that others use, with messages and a group."""
    with connect(broker.arguments) as admin:
        admin.create_topics({"ours": {"num_partitions": 2}}, wait_for_metadata=True)
        with KafkaProducer(**broker.arguments) as producer:
            for number in range(10):
                producer.send("ours", b"ours", partition=number % 2).get(timeout=20)
        with KafkaConsumer(**broker.arguments, group_id="our-group") as consumer:
            consumer.commit({TopicPartition("ours", 0): OffsetAndMetadata(3, "", -1)})
    return "ours"


def topics(broker):
    """The names of all topics."""
    with connect(broker.arguments) as admin:
        return sorted(admin.list_topics())


def contents(broker):
    """All that the cluster has: topics with their ends, groups with their commits."""
    with connect(broker.arguments) as admin:
        found = {
            t["name"]: [(p["partition_index"], p["leader_id"]) for p in t["partitions"]]
            for t in admin.describe_topics()
        }
        partitions = [TopicPartition(topic, number) for topic, numbers in found.items() for number, _ in numbers]
        ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        groups = [group["group_id"] for group in admin.list_groups()]
        commits = {group: admin.list_group_offsets({group: None}) for group in groups}
        return found, {tp: end.offset for tp, end in ends.items()}, commits


def test_read_only_changes_nothing_and_needs_no_right_to_write(broker, user, ours):
    broker.grant(
        [
            (Kind.TOPIC, "*", Pattern.LITERAL, "DESCRIBE"),
            (Kind.CLUSTER, "kafka-cluster", Pattern.LITERAL, "DESCRIBE_CONFIGS"),
        ]
    )
    before = contents(broker)

    run = suite("--read-only", "--client-properties", user("alice"), "--topic", f"{ours}:2")

    assert run.status == 0, run.output
    assert run.verdict == "passed: All 5 properties hold."
    assert "--read-only leaves out " in run.output
    assert contents(broker) == before


def test_existing_topic_is_shared_with_a_producer_and_no_topic_is_made(broker, user, ours):
    broker.grant(
        [
            *[(Kind.TOPIC, ours, Pattern.LITERAL, operation) for operation in ("READ", "WRITE")],
            (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "DESCRIBE"),
            *[(Kind.GROUP, "smoke-", Pattern.PREFIXED, operation) for operation in ("READ", "DELETE")],
            (Kind.TOPIC, ours, Pattern.LITERAL, "DESCRIBE_CONFIGS"),
            (Kind.CLUSTER, "kafka-cluster", Pattern.LITERAL, "DESCRIBE_CONFIGS"),
        ]
    )
    before = topics(broker)
    over = threading.Event()
    sent = []

    def produce():
        with KafkaProducer(**broker.arguments) as producer:
            while not over.wait(0.005):
                sent.append(producer.send(ours, b"not JSON", key=b"theirs"))

    other = threading.Thread(target=produce)
    other.start()
    try:
        run = suite("--existing-topic", ours, "--client-properties", user("alice"))
    finally:
        over.set()
        other.join()

    assert run.status == 0, run.output
    assert "--existing-topic leaves out 8 of 37 properties: " in run.output
    assert sent
    assert topics(broker) == before
    assert names(broker.arguments, "smoke-") == []


def test_success_leaves_nothing(broker, to):
    run = suite(*to)

    assert run.status == 0, run.output
    assert names(broker.arguments, "smoke-") == []


def test_failure_leaves_nothing(broker, to):
    run = suite(*to, *FAST, "--topic", "no-such-topic", "-k", "deployed_topic or more_members")

    assert run.status == 1, run.output
    assert run.verdict.startswith("failed: 1 of 2 properties does not hold")
    assert names(broker.arguments, "smoke-") == []


def plugin(name, **env):
    """The environment in which a run loads a plugin of this directory."""
    return {"PYTEST_PLUGINS": name, "PYTHONPATH": os.path.dirname(__file__)} | env


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
@pytest.mark.parametrize("after", ["collected", "A new topic", "Automatic commit", "Two members", "(zstd)"])
def test_signal_leaves_nothing(broker, to, numbers, after):
    process = start(*to)
    seen = until_line(process, after)
    for number in numbers:
        os.killpg(process.pid, number)

    run = finish(process, seen)

    assert run.status == 2, run.output
    assert "It was interrupted." in run.output
    assert names(broker.arguments, "smoke-") == []


def test_signal_does_not_end_the_clean_up(broker, to):
    signals = plugin("at_the_end", AT_THE_END="kill -INT $PPID; kill -TERM $PPID")
    run = finish(start(*to, "-k", "json_key", env=signals))

    assert run.status == 0, run.output
    assert names(broker.arguments, "smoke-") == []


def test_deadline_says_what_was_waited_for_and_leaves_nothing(broker, to):
    run = finish(start(*to, "--deadline", "5", "-k", "more_members", env=plugin("stuck")))

    assert run.status == 2, run.output
    assert run.verdict.startswith("no verdict: --deadline: the 5 s are over. At that moment: test_more_members")
    assert "waiting for every member to reach the end" in run.verdict
    assert names(broker.arguments, "smoke-") == []


def test_kill_leaves_what_a_later_run_removes(broker, to):
    process = start(*to)
    until_line(process, "Two members")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    left = names(broker.arguments, "smoke-")
    topics_left = topics(broker)
    assert topics_left

    assert suite(*to, *FAST).status == 0, "what a dead run left is in nobody's way"
    assert set(names(broker.arguments, "smoke-")) <= set(left)
    assert topics(broker) == topics_left, "it may be alive: its time is not over"

    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=11)
    with connect(broker.arguments) as admin:
        temporary.remove(admin, lambda name: is_left_over(name, "smoke", later), "a run that was killed")
    assert names(broker.arguments, "smoke-") == []


def test_only_expired_left_overs_of_this_prefix_go(broker, to):
    now = datetime.datetime.now(datetime.UTC)
    expired = new_prefix("smoke", now - datetime.timedelta(minutes=6)) + "x"
    kept = [
        new_prefix("smoke", now + datetime.timedelta(minutes=1)) + "x",
        new_prefix("other", now - datetime.timedelta(days=1)) + "x",
        "smoke-20200101-x",
        "smoke-test",
        "smoke",
    ]
    with connect(broker.arguments) as admin:
        admin.create_topics({name: {"num_partitions": 1} for name in [expired, *kept]}, wait_for_metadata=True)
        for name in [expired, *kept]:
            admin.alter_group_offsets(name, {TopicPartition(name, 0): OffsetAndMetadata(0, "", -1)})
        try:
            run = suite(*to, "-k", "json_key")
            assert run.status == 0, run.output
            assert set(names(broker.arguments, "smoke") + names(broker.arguments, "other")) == set(kept)
        finally:
            temporary.remove(admin, lambda name: name in kept, "this test")


def test_two_runs_at_once_are_in_nobodys_way(broker, to):
    runs = [start(*to) for _ in range(2)]

    for run in [finish(process) for process in runs]:
        assert run.status == 0, run.output
    assert names(broker.arguments, "smoke-") == []


@pytest.mark.parametrize(("away", "back"), [(("stop",), "start"), (("kill",), "start"), (("pause",), "unpause")])
@pytest.mark.parametrize("after", ["A new topic", "Two members", "Headers"])
def test_broker_that_goes_away_ends_the_run_in_a_line(broker, to, away, back, after):
    process = start(*to)
    seen = until_line(process, after)
    broker.do(*away)
    try:
        run = finish(process, seen)
    finally:
        broker.do(back)
        answers(broker.arguments)

    assert run.status == 2, run.output
    # The engine closes the port of a container some time after it is stopped.
    how = "within 5 s" if away == ("pause",) else r"(within 5 s|\(127\.0\.0\.1 port \d+ refuses: nothing listens)"
    assert re.match(rf"no verdict: The cluster went away: {broker.address}: no Kafka answered {how}", run.verdict)
    assert " was not removed: " in run.output
    assert "The next run with --prefix smoke removes it, from " in run.output
    assert "Error" not in run.output.replace(run.verdict, "").partition("! _pytest")[0], run.output
    remove_what_is_left(broker)


def test_broker_that_goes_away_before_the_clean_up_is_said(broker, to):
    away = plugin("at_the_end", AT_THE_END=f"docker kill {PREFIX}-broker")
    try:
        run = finish(start(*to, "-k", "json_key", env=away))
    finally:
        broker.do("start")
        answers(broker.arguments)

    assert run.status == 2, run.output
    assert " was not removed: " in run.verdict
    assert "The next run with --prefix smoke removes it, from " in run.verdict
    remove_what_is_left(broker)


def remove_what_is_left(broker):
    """Remove what a run left that could not, as a later one would."""
    later = removable(datetime.datetime.now(datetime.UTC)) + datetime.timedelta(minutes=10)

    def remove():
        with connect(broker.arguments) as admin:
            return temporary.remove(admin, lambda name: is_left_over(name, "smoke", later), "the run")

    assert wait_until("what was left to be there, and to go", remove)
    assert names(broker.arguments, "smoke-") == []

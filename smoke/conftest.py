"""The fixtures of the suite: a connection, a topic and a group for each test, and consumers that it closes.

Every name begins with a prefix that has the time at which its run is over. The run removes everything with that prefix
when it ends: after a failure, after Ctrl-C, at the deadline, and after SIGTERM. The next run removes the left-overs of
a killed run.
"""

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResourceType
from kafka.errors import KafkaError, TopicAuthorizationFailedError
from kafka.protocol.metadata import MetadataRequest
from kafka.structs import OffsetAndMetadata

from kafka_proof.advice import explained
from kafka_proof.client.command import properties_of
from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.client.raw import send as send_request
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster, makes_no_topic, producing
from kafka_proof.cluster import rights, temporary
from kafka_proof.cluster.settings import value_of
from kafka_proof.lag.offsets import log_bounds

from .group import Group
from .options import pytest_addoption
from .reporting import NAME, Reporting
from .run_control import RunControl, end_run

__all__ = ["pytest_addoption"]  # pytest looks for its hooks here
HEADER = "smoke"
# Operations on topics that a run needs.
OWN_TOPIC = ("WRITE", "READ", "DELETE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")
OTHERS_TOPIC = ("WRITE", "READ", "DESCRIBE_CONFIGS")
MEMBER = {
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "session_timeout_ms": 10_000,  # a broker can refuse kafka-python's 45 s (group.max.session.timeout.ms)
    "heartbeat_interval_ms": 100,  # how soon a member hears that its group is rebalancing; stock is 3000
}


def pytest_configure(config):
    config.pluginmanager.register(RunControl(config))
    config.pluginmanager.register(Reporting(config), NAME)


@pytest.fixture(scope="session", autouse=True)
def _begin(request):
    """Set up the fixtures of the whole run before its first test."""
    needed = {name for item in request.session.items for name in item.fixturenames}
    for name in ("admin", "prefix", "killed_member"):
        if name in needed:
            request.getfixturevalue(name)


@pytest.fixture(scope="session")
def kafka(request):
    """Keyword arguments for any kafka-python client: dict[str, object]."""
    try:
        arguments = kafka_python(properties_of(request.config.option))
    except ClientPropertiesError as error:
        end_run(str(error))
    RunControl.of(request.config).kafka = arguments
    return arguments


@pytest.fixture(scope="session")
def admin(kafka, word, request):
    """A KafkaAdminClient for the whole run."""
    try:
        admin = connect(kafka, float(request.config.getoption("timeout")))
    except NoKafkaError as error:
        end_run(explained(error))
    with admin:
        deployed = RunControl.of(request.config).deployed_topic
        try:
            _refuse(rights.missing_to_look(admin, [f"{word}-*", *(deployed or ())[:1]]))
        except KafkaError as error:
            end_run(f"The cluster does not let a run begin: {error}")
        request.config.pluginmanager.get_plugin(NAME).look_at(admin)
        yield admin


def _refuse(missing):
    if missing:
        end_run(f"This client may not: {', '.join(missing)}. {rights.GRANT}")


@pytest.fixture(scope="session")
def word(request):
    """The beginning of the names of all runs."""
    return request.config.getoption("prefix")


@pytest.fixture(scope="session")
def existing_topic(request):
    """The topic to write to instead of the run's own; None by default."""
    return request.config.getoption("existing_topic")


@pytest.fixture(scope="session")
def prefix(kafka, admin, word, existing_topic, request):
    """The beginning of the names of this run's topics and groups. When the run ends, all of them are removed."""
    run = RunControl.of(request.config)
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(seconds=int(request.config.getoption("deadline")) + 120)
    prefix = temporary.new_prefix(word, until)
    try:
        if existing_topic:
            run.topic_id = _check_existing(admin, existing_topic)
        transactions = any("transaction" in item.name for item in request.session.items)
        operations = OTHERS_TOPIC if existing_topic else OWN_TOPIC
        missing = rights.missing_to_work(admin, prefix, existing_topic, operations)
        _refuse(missing + (rights.missing_for_transactions(kafka, prefix) if transactions else []))
        if not existing_topic and temporary.nobody_deletes(admin, f"{prefix}rights"):
            end_run(
                "This cluster deletes no topics (delete.topic.enable=false), so the run could not remove its "
                "own. Set it to true, or name a topic that takes the messages: --existing-topic NAME."
            )
        if existing_topic and "compact" in _policy(admin, existing_topic):
            end_run(
                f"--existing-topic {existing_topic} is compacted: the last message of each key would stay for good. "
                "Name another."
            )
        temporary.remove(admin, lambda name: temporary.is_left_over(name, word, now), "a run that was killed")
    except (KafkaError, AssertionError) as error:
        end_run(f"The cluster does not let a run begin: {error}")
    yield prefix
    run.signals.ending = True
    try:
        # Not with `admin`: a signal can have interrupted it in the middle of a request.
        with connect(kafka, float(request.config.getoption("timeout"))) as remover:
            temporary.remove(remover, lambda name: name.startswith(prefix), "this run", topics=not existing_topic)
    except (NoKafkaError, KafkaError, AssertionError) as error:
        left = f"The rest of this run, {prefix}…, was not removed: {error}"
        by = f"The next run with --prefix {word} removes it, from {temporary.removable(until):%H:%M} UTC on."
        end_run(f"{left} {by}")


def _check_existing(admin, topic):
    """Return the topic's id, or None where the broker does not show it. End the run where the topic is unusable."""
    [described] = admin.describe_topics([topic])
    if described["error_code"] and described["error_code"] != TopicAuthorizationFailedError.errno:
        end_run(f"--existing-topic {topic}: no such topic, or it is being deleted. Name one that stays.")
    if not described["error_code"] and len(described["partitions"]) < 2:
        end_run(f"--existing-topic {topic} has one partition, and two are needed. Name another.")
    return described.get("topic_id")


def _policy(admin, topic):
    return value_of(admin, (ConfigResourceType.TOPIC, topic), "cleanup.policy") or ""


@pytest.fixture(scope="session")
def coordinator(admin, prefix):
    """Wait until group coordinators answer. The first use of groups on a cluster creates `__consumer_offsets`."""
    wait_until("a group coordinator", lambda: admin.list_group_offsets({prefix: None}) is not None, seconds=60)


@pytest.fixture
def name(prefix, request):
    """A name of the running test's own, for topics and groups."""
    return prefix + re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")


@pytest.fixture
def topic(admin, name, existing_topic):
    """All partitions of the topic to write to, each with a leader: list[TopicPartition]. The test's own has two."""
    return _topic(admin, name, existing_topic)


def _topic(admin, name, existing_topic):
    """Return all partitions of the existing topic, or of a new one, each with a leader: list[TopicPartition]."""
    topic = existing_topic or name
    if not existing_topic:
        _make_topic(admin, topic)

    def leaders():
        found = [each for described in admin.describe_topics([topic]) for each in described["partitions"]]
        return {partition["partition_index"]: partition["leader_id"] for partition in found}

    ids = wait_until("a leader for each partition", leaders, good=lambda ids: ids and min(ids.values()) >= 0)
    return [TopicPartition(topic, number) for number in sorted(ids)]


def _make_topic(admin, name):
    """Create a topic of two partitions, and wait until every broker knows it."""
    admin.create_topics({name: {"num_partitions": 2}})

    def still_unknown():
        return [
            broker["broker_id"]
            for broker in describe_cluster(admin)["brokers"]
            if send_request(admin, _question(name), broker["broker_id"]).topics[0].error_code
        ]

    wait_until(f"all brokers to know {name}", still_unknown, good=lambda brokers: not brokers)


def _question(topic):
    return MetadataRequest([MetadataRequest.MetadataRequestTopic(name=topic)], allow_auto_topic_creation=False)


@pytest.fixture
def partitions(topic):
    """Two partitions to write to: list[TopicPartition]."""
    return topic[:2]


@pytest.fixture
def starts(admin, topic, existing_topic):
    """The start of the test's messages in each partition: dict[TopicPartition, offset]; 0 in the test's own topic."""
    return log_bounds(admin, topic)[1] if existing_topic else dict.fromkeys(topic, 0)


@pytest.fixture(scope="session")
def producer(kafka, prefix):
    """A producer of JSON keys and values, as in examples/producer.py, for the whole run.

    It ends before its topics are removed (`prefix`): some brokers create a topic again for a producer that asks for it.
    """
    with producing(**kafka, key_serializer=to_json, value_serializer=to_json) as producer:
        yield producer


@pytest.fixture
def headers(name):
    """The mark of the test's messages: list[(str, bytes)]."""
    return [(HEADER, name.encode())]


@pytest.fixture
def mine(headers):
    """mine(record): returns whether the test sent it."""
    return lambda record: headers[0] in record.headers


@pytest.fixture
def send(producer, headers):
    """send(partition, values): write the values there, in order, and return the offset after the last one."""

    def send(tp, values):
        sent = [
            producer.send(tp.topic, partition=tp.partition, key="count_num", value=value, headers=headers)
            for value in values
        ]
        return [future.get(timeout=10) for future in sent][-1].offset + 1

    return send


@pytest.fixture
def consumer(kafka, coordinator):
    """consumer(group, …): a KafkaConsumer of JSON that begins at the earliest message and commits nothing by itself.

    Keyword arguments are KafkaConsumer's and override this. The test's consumers are closed when it ends.
    """
    opened = []

    def consumer(group, **overrides):
        json_messages = {"key_deserializer": from_json, "value_deserializer": from_json}
        settings = kafka | MEMBER | json_messages | overrides
        opened.append(makes_no_topic(KafkaConsumer(group_id=group, **settings)))
        return opened[-1]

    yield consumer
    for each in opened:
        each.close(autocommit=False, timeout_ms=2000)  # in the middle of a join the broker does not answer


@pytest.fixture
def members(admin, consumer, existing_topic, topic, starts, mine):  # noqa: PLR0913, PLR0917 (fixtures)
    """members(group, names): a Group whose members, one per letter of `names`, have subscribed to the test's topic.

    `at`: the name of another topic.
    """

    def members(group, names, at=topic[0].topic):
        if existing_topic and not any(group == known["group_id"] for known in admin.list_groups()):
            _begin_at(admin, group, starts)
        consumers = {name: consumer(group) for name in names}
        for each in consumers.values():
            each.subscribe([at])
            # Know the topic before joining. A member that learns of it later joins again, and kafka-python 3.0.12
            # forgets that second join when poll() times out in the middle: it stays without partitions for good.
            assert each.partitions_for_topic(at), f"{at} is not in the metadata"
        return Group(consumers, mine)

    return members


def _begin_at(admin, group, starts):
    """Commit for a group that does not exist yet, so that it does not read earlier messages of others."""
    admin.alter_group_offsets(group, {tp: OffsetAndMetadata(offset, "", -1) for tp, offset in starts.items()})


@pytest.fixture(scope="session")
def killed_member(request, admin, prefix, existing_topic, coordinator):
    """A group, all partitions of its topic, and the process of a member, which kills itself once it owns them.

    It starts with the run. The member's session of 6 s, the shortest that a stock broker allows, ends while other tests
    run.
    """
    name = f"{prefix}killed-member"
    partitions = _topic(admin, name, existing_topic)
    if existing_topic:
        _begin_at(admin, name, log_bounds(admin, partitions)[1])
    settings = MEMBER | {"group_id": name, "session_timeout_ms": 6000}
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("member.py")), partitions[0].topic]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    # Where the package is not installed, the process finds it where this one did.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        print(json.dumps([properties_of(request.config.option), settings]), file=process.stdin, flush=True)
        yield name, partitions, process
        process.kill()


@pytest.fixture
def reader(consumer, existing_topic, starts, mine):
    """reader(group, partitions, …): a Group of one that reads these partitions, without the time that joining takes.

    It commits offsets like any other consumer, with a fixed assignment. In a topic that others use it begins at the
    test's messages, unless `auto_offset_reset` is given.
    """

    def reader(group, partitions, **overrides):
        one = consumer(group, **overrides)
        one.assign(partitions)
        if existing_topic and "auto_offset_reset" not in overrides:
            for tp in partitions:
                one.seek(tp, starts[tp])
        return Group({"reader": one}, mine)

    return reader


def to_json(value):
    return json.dumps(value).encode()


def from_json(raw):
    """Return the value, or the raw bytes: in a topic that others use, not all messages are JSON."""
    try:
        return json.loads(raw) if raw is not None else None
    except ValueError:
        return raw

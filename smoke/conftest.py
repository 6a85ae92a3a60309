"""What the tests share: a connection, a topic and a group of their own, and consumers that are closed in the end.

Everything that a run makes begins with `smoke-<run id>-`, and it is removed, and seen to be gone, when the run ends:
after a failure, after Ctrl-C, and when a CI system ends it with SIGTERM.
"""

import json
import signal
import uuid

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import MemberToRemove

from smoke.client import DEFAULT_PATH, ClientPropertiesError, NoKafkaError, connect, kafka_python, read
from smoke.group import Group
from smoke.wait import wait_until

UNUSABLE = 2  # exit status: there was nothing to test; 1 is for a property that does not hold


def pytest_addoption(parser):
    options = parser.getgroup("kafka", "the Kafka to test")
    options.addoption(
        "--client-properties",
        metavar="FILE",
        default=DEFAULT_PATH,
        help="Kafka's client properties: bootstrap.servers, security.protocol, … (default: %(default)s)",
    )
    options.addoption(
        "--bootstrap-server", metavar="HOST:PORT", help="instead of a file, for a broker without security"
    )
    options.addoption("--topic", metavar="NAME", default="kafka_demo", help="the deployed topic (default: %(default)s)")
    options.addoption("--partitions", metavar="N", type=int, default=2, help="its partitions (default: %(default)s)")


def pytest_configure(config):
    # As in smoke/__init__.py, which pytest overrides while a test runs.
    config.addinivalue_line("filterwarnings", "ignore:(key|value)_.*serializer does not implement:DeprecationWarning")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: pytest then cleans up


@pytest.fixture(scope="session")
def kafka(request):
    """Keyword arguments for any kafka-python client: dict[str, object]."""
    address = request.config.getoption("bootstrap_server")
    try:
        if address:
            return kafka_python({"bootstrap.servers": address})
        return kafka_python(read(request.config.getoption("client_properties")))
    except ClientPropertiesError as error:
        pytest.exit(str(error), returncode=UNUSABLE)


@pytest.fixture(scope="session")
def admin(kafka):
    """A KafkaAdminClient for the whole run."""
    try:
        admin = connect(kafka)
    except NoKafkaError as error:
        pytest.exit(str(error), returncode=UNUSABLE)
    with admin:
        yield admin


@pytest.fixture(scope="session")
def prefix(admin):
    """What the names of this run's topics and groups begin with. When the run ends, all of them go."""
    prefix = f"smoke-{uuid.uuid4().hex[:8]}-"
    yield prefix

    def mine(names):
        return [name for name in names if name.startswith(prefix)]

    def groups():
        names = mine(group["group_id"] for group in admin.list_groups())
        for group, description in admin.describe_groups(names).items():
            if stranded := [MemberToRemove(member["member_id"]) for member in description["members"]]:
                admin.remove_group_members(group, stranded)
        if names:
            admin.delete_groups(names)
        return names

    def topics():
        return mine(admin.list_topics())

    try:
        wait_until("this run's groups to be gone", groups, good=lambda names: not names)
    finally:
        if left := topics():
            admin.delete_topics(left)
        wait_until("this run's topics to be gone", topics, good=lambda names: not names)


@pytest.fixture(scope="session")
def coordinator(admin, prefix):
    """Wait until group coordinators answer. The first use of groups on a new cluster makes `__consumer_offsets`."""
    wait_until("a group coordinator", lambda: admin.list_group_offsets({prefix: None}) is not None, seconds=60)


@pytest.fixture
def name(prefix, request):
    """A name of the running test's own, for topics and groups."""
    return prefix + request.node.name.removeprefix("test_").replace("_", "-")


@pytest.fixture
def partitions(admin, name):
    """A topic of the test's own with two partitions, each with a leader: list[TopicPartition]."""
    admin.create_topics({name: {"num_partitions": 2}})

    def leaders():
        return [partition["leader_id"] for topic in admin.describe_topics([name]) for partition in topic["partitions"]]

    wait_until("a leader for both partitions", leaders, good=lambda ids: len(ids) == 2 and min(ids) >= 0)
    return [TopicPartition(name, 0), TopicPartition(name, 1)]


@pytest.fixture(scope="session")
def producer(kafka):
    """A producer of JSON keys and values, as in examples/producer.py, for the whole run."""
    with KafkaProducer(**kafka, key_serializer=to_json, value_serializer=to_json) as producer:
        yield producer


@pytest.fixture
def send(producer):
    """send(partition, values): write the values there, in order, and return the offset after the last one."""

    def send(tp, values):
        sent = [producer.send(tp.topic, partition=tp.partition, key="count_num", value=value) for value in values]
        return [future.get(timeout=10) for future in sent][-1].offset + 1

    return send


@pytest.fixture
def consumer(kafka, coordinator):
    """consumer(group, …): a KafkaConsumer of JSON that begins at the earliest message and commits nothing by itself.

    Keyword arguments are KafkaConsumer's and override this. The test's consumers are closed when it ends.
    """
    opened = []

    def consumer(group, **overrides):
        settings = {
            "auto_offset_reset": "earliest",
            "enable_auto_commit": False,
            "key_deserializer": from_json,
            "value_deserializer": from_json,
            "heartbeat_interval_ms": 100,  # how soon a member hears that its group is rebalancing; stock is 3000
        }
        opened.append(KafkaConsumer(group_id=group, **(kafka | settings | overrides)))
        return opened[-1]

    yield consumer
    for each in opened:
        each.close(autocommit=False, timeout_ms=2000)  # in the middle of a join, leaving is not answered


@pytest.fixture
def members(consumer):
    """members(group, topic, names): a Group whose members, one per letter of `names`, have subscribed to the topic."""

    def members(group, topic, names):
        consumers = {name: consumer(group) for name in names}
        for each in consumers.values():
            each.subscribe([topic])
            # Know the topic before joining. A member that learns of it later joins again, and kafka-python 3.0.12
            # forgets that second join when poll() times out in the middle: it stays without partitions for good.
            assert each.partitions_for_topic(topic), f"{topic} is not in the metadata"
        return Group(consumers)

    return members


@pytest.fixture
def reader(consumer):
    """reader(group, partitions, …): a Group of one that reads these partitions, without the time that joining takes.

    It commits offsets like any other consumer; only who reads what is settled beforehand.
    """

    def reader(group, partitions, **overrides):
        one = consumer(group, **overrides)
        one.assign(partitions)
        return Group({"reader": one})

    return reader


def to_json(value):
    return json.dumps(value).encode()


def from_json(raw):
    return json.loads(raw) if raw is not None else None

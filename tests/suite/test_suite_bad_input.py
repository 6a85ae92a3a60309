"""The suite refuses a target that cannot be tested: one line tells what to do, with exit status 2 and no traceback."""

import contextlib
import os
import socket
import struct
import threading

import pytest

from kafka_proof.client.connection import connect
from tests.suite.conftest import Kind, Pattern
from tests.suite.suite_run import finish, names, refused, start, suite, until_line

RIGHTS = {  # what a run says that it needs: how it is granted
    "DescribeConfigs on the cluster": (Kind.CLUSTER, "kafka-cluster", Pattern.LITERAL, "DESCRIBE_CONFIGS"),
    "Create on topic smoke-*": (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "CREATE"),
    "Write on topic smoke-*": (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "WRITE"),
    "Read on topic smoke-*": (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "READ"),
    "Delete on topic smoke-*": (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "DELETE"),
    "AlterConfigs on topic smoke-*": (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "ALTER_CONFIGS"),
    "DescribeConfigs on topic smoke-*": (Kind.TOPIC, "smoke-", Pattern.PREFIXED, "DESCRIBE_CONFIGS"),
    "Read on group smoke-*": (Kind.GROUP, "smoke-", Pattern.PREFIXED, "READ"),
    "Delete on group smoke-*": (Kind.GROUP, "smoke-", Pattern.PREFIXED, "DELETE"),
    "Write on transactional id smoke-*": (Kind.TRANSACTIONAL_ID, "smoke-", Pattern.PREFIXED, "WRITE"),
}
IMPLIED = {"DescribeConfigs on topic smoke-*"}  # by AlterConfigs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("security.protocol=PLAINTEXT", "bootstrap.servers is missing. Set it"),
        ("bootstrap.servers=localhost", "'localhost', which is not HOST:PORT"),
        (
            "bootstrap.servers=a:1\nbootstrap.servers=b:1",
            "bootstrap.servers is there twice, as a:1 and as b:1. Keep one",
        ),
        ("bootstrap.servers=a:1\nsecurity.protocol=TLS", "security.protocol is 'TLS'"),
        ("bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL", "sasl.mechanism is 'GSSAPI'"),
        (
            "bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
            'sasl.jaas.config=x.ScramLoginModule required username="a" password="b";',
            "sasl.mechanism is PLAIN, and sasl.jaas.config is not of its PlainLoginModule. Correct one",
        ),
    ],
)
def test_bad_properties(tmp_path, text, words):
    path = tmp_path / "client.properties"
    path.write_text(text)

    refused(suite("--client-properties", path), str(path), words)


def test_no_such_file_and_no_file(tmp_path):
    refused(
        suite("--client-properties", tmp_path / "none"), "no such file. Deploy first", "bootstrap.servers=HOST:PORT"
    )
    refused(suite("--client-properties", tmp_path), f"{tmp_path}: Is a directory. Name a file that can be read")
    refused(suite(directory=tmp_path), "build/client.properties: no such file. Deploy first")


def test_unreadable_file(tmp_path):
    path = tmp_path / "client.properties"
    path.touch(mode=0o000)
    # Root reads every file, for as long as it has these two capabilities.
    mortal = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []

    refused(suite("--client-properties", path, under=mortal), "Permission denied. Name a file that can be read")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--bootstrap-server", "a:1", "--client-properties", "b"), "both say where Kafka is. Give one"),
        (
            ("--bootstrap-server", "localhost"),
            "--bootstrap-server: bootstrap.servers has 'localhost', which is not HOST:PORT",
        ),
        (("--bootstrap-server", ":9092"), "':9092', which is not HOST:PORT"),
        (("--prefix", "a-b"), "--prefix is 'a-b'. Use up to 50 letters and digits"),
        (("--prefix", ""), "--prefix is ''"),
        (("--prefix", "é"), "--prefix is 'é'"),
        (("--prefix", "a" * 51), "--prefix is 'aaa"),
        (("--deadline", "0"), "--deadline is '0'. Give a number of seconds"),
        (("--deadline", "-1"), "--deadline is '-1'"),
        (("--deadline", "soon"), "--deadline is 'soon'"),
        (("--topic", "a:-2"), "--topic is 'a:-2'. Write NAME or NAME:PARTITIONS"),
        (("--topic", "a:0"), "--topic is 'a:0'"),
        (("--topic", ":2"), "--topic is ':2'"),
        (("--existing-topic", "a b"), "--existing-topic is 'a b'"),
        (("--report", "/dev/null/page.html"), "--report /dev/null/page.html: "),
    ],
)
def test_bad_options(options, words):
    refused(suite(*options), words)


@contextlib.contextmanager
def server(answer):
    """A server that is not Kafka: `answer(connection)` is called for each, in a thread. Yields its address."""
    with socket.create_server(("localhost", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):  # when it is closed
                while True:
                    connection = listening.accept()[0]
                    threading.Thread(target=one, args=[connection], daemon=True).start()

        def one(connection):
            with contextlib.suppress(OSError), connection:
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"localhost:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def http(connection):
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def silent(connection):
    while connection.recv(1000):
        pass


def closes(connection):
    pass


def old(connection):
    """A broker of Kafka 0.11, in what it says of its requests."""
    versions = {0: 5, 1: 6, 2: 2, 3: 4, 8: 3, 9: 3, 10: 1, 11: 2, 12: 1, 18: 1, 19: 2, 20: 1}
    while size := connection.recv(4):
        request = b""
        while len(request) < struct.unpack(">i", size)[0]:
            request += connection.recv(1000)
        key, version, correlation = struct.unpack(">hhi", request[:8])
        listed = b"".join(struct.pack(">hhh", api, 0, most) for api, most in versions.items())
        body = struct.pack(">hi", 35 if version > 1 else 0, len(versions)) + listed
        if key == 3:
            host = b"localhost"
            port = connection.getsockname()[1]
            node = struct.pack(">iih", 1, 1, len(host)) + host + struct.pack(">ih", port, -1)
            body = node + struct.pack(">hii", -1, 1, 0)
            body = (struct.pack(">i", 0) if version > 2 else b"") + body
        elif version == 1:
            body += struct.pack(">i", 0)
        connection.sendall(struct.pack(">ii", len(body) + 4, correlation) + body)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http, "no Kafka answered within 5 s"),
        (silent, "no Kafka answered within 5 s"),
        (closes, "no Kafka answered within 5 s"),
        (old, "is older than 2.4"),
    ],
)
def test_server_that_is_not_kafka_or_too_old(answer, words):
    with server(answer) as address:
        refused(suite("--bootstrap-server", address), f"{address}", words)


def test_server_that_says_nothing_to_a_client_with_tls(file, tls):
    with server(silent) as address:
        run = suite("--client-properties", file(tls | {"bootstrap.servers": address}), "--deadline", "60")

    refused(run, f"{address}: no Kafka answered within 5 s", "timed out", "Start the broker")


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))  # and nobody else can listen there meanwhile
        address = f"localhost:{taken.getsockname()[1]}"

        run = suite("--bootstrap-server", address)

    refused(run, f"{address}: no Kafka answered (127.0.0.1 port ", "refuses: nothing listens there", "Start the broker")


def test_all_rights_are_enough(broker, user):
    broker.grant(RIGHTS.values())

    run = suite("--client-properties", user("alice"))

    assert run.status == 0, run.output
    assert names(broker.arguments, "smoke-") == []


@pytest.mark.parametrize("right", sorted(RIGHTS.keys() - IMPLIED))
def test_missing_right_is_named(broker, user, right):
    broker.grant([granted for name, granted in RIGHTS.items() if name != right])

    refused(suite("--client-properties", user("alice")), f"This client may not: {right}. Grant it")
    assert names(broker.arguments, "smoke-") == []


def test_all_missing_rights_are_named(broker, user):
    broker.grant([RIGHTS["DescribeConfigs on the cluster"], (Kind.TOPIC, "*", Pattern.LITERAL, "DESCRIBE")])

    missing = [name for name in RIGHTS if name != "DescribeConfigs on the cluster"]
    refused(suite("--client-properties", user("alice")), *missing)


def test_missing_right_to_look_is_named(broker, user):
    broker.grant([])
    options = ("--client-properties", user("alice"), "--read-only", "--topic", "hidden")

    refused(suite(*options), "Describe on topic smoke-*", "Describe on topic hidden", "DescribeConfigs on the cluster")


def test_existing_topic_that_will_not_do(broker):
    to = ("--bootstrap-server", broker.address, "--existing-topic")
    with connect(broker.arguments) as admin:
        admin.create_topics({"single": {"num_partitions": 1}}, wait_for_metadata=True)
        compacted = {"num_partitions": 2, "configs": {"cleanup.policy": "compact"}}
        admin.create_topics({"compacted": compacted}, wait_for_metadata=True)

    refused(
        suite(*to, "no-such-topic"), "--existing-topic no-such-topic: no such topic, or it is being deleted. Name one"
    )
    refused(suite(*to, "single"), "--existing-topic single has one partition, and two are needed. Name another")
    refused(suite(*to, "compacted"), "--existing-topic compacted is compacted: ", "Name another.")
    with connect(broker.arguments) as admin:
        assert "no-such-topic" not in admin.list_topics()


def test_existing_topic_that_is_deleted_meanwhile(broker):
    with connect(broker.arguments) as admin:
        admin.create_topics({"doomed": {"num_partitions": 2}}, wait_for_metadata=True)
    process = start("--bootstrap-server", broker.address, "--existing-topic", "doomed")
    seen = until_line(process, "Messages arrive")
    with connect(broker.arguments) as admin:  # another: the first would ask for the topic, and so make it again
        admin.delete_topics(["doomed"])
    run = finish(process, seen)

    with connect(broker.arguments) as admin:
        assert "doomed" not in admin.list_topics()
    assert run.status == 2, run.output
    assert "--existing-topic doomed was deleted while it was used. Name one that stays." in run.output
    assert names(broker.arguments, "smoke-") == []


@contextlib.contextmanager
def quota(broker, limit):
    """A quota for the user slow, such as "producer_byte_rate=500"."""
    who = ("--entity-type", "users", "--entity-name", "slow")
    broker.command("kafka-configs.sh", "--alter", "--add-config", limit, *who)
    try:
        yield
    finally:
        broker.command("kafka-configs.sh", "--alter", "--delete-config", limit.partition("=")[0], *who)


@pytest.mark.parametrize("limit", ["producer_byte_rate=500", "consumer_byte_rate=500", "request_percentage=0.5"])
def test_quota_that_is_used_up_is_said(broker, user, limit):
    with quota(broker, limit):
        run = suite("--client-properties", user("slow"), "-k", "json_key or order_within or more_members or latest")

    assert run.status in (0, 2), run.output
    assert "as its quota is used up. Raise the quota" in run.output
    assert names(broker.arguments, "smoke-") == []

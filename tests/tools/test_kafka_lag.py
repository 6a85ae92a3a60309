"""kafka-lag against a broker."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import urllib.error
import urllib.request
import uuid

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python, read
from kafka_proof.client.wait import wait_until
from kafka_proof.lag.__main__ import main
from tests.support.engine import execute


@pytest.fixture(scope="module")
def arguments(client_properties):
    return kafka_python(read(client_properties))


@pytest.fixture(scope="module")
def admin(arguments):
    with connect(arguments) as admin:
        yield admin


@pytest.fixture(scope="module")
def producer(arguments):
    with KafkaProducer(**arguments) as producer:
        yield producer


@pytest.fixture
def name(admin, request):
    """The prefix of the test's topics and groups. They are removed after it."""
    name = f"tools-{uuid.uuid4().hex[:8]}-{request.node.name.split('[')[0].removeprefix('test_').replace('_', '-')}"
    yield name

    def groups():
        left = [each["group_id"] for each in admin.list_groups() if each["group_id"].startswith(name)]
        if left:
            admin.delete_groups(left)
        return left

    wait_until("the test's groups to be gone", groups, good=lambda left: not left)
    if left := [topic for topic in admin.list_topics() if topic.startswith(name)]:
        admin.delete_topics(left)


@pytest.fixture
def topic(admin, name, producer):
    """topic(ends): a topic with as many messages in each partition as `ends` says: list[TopicPartition]."""

    def topic(*ends, suffix="", **message):
        topic = name + suffix
        admin.create_topics({topic: {"num_partitions": len(ends)}})
        partitions = [TopicPartition(topic, number) for number in range(len(ends))]

        def leaders():
            return [
                each["leader_id"] for described in admin.describe_topics([topic]) for each in described["partitions"]
            ]

        wait_until("the topic's leaders", leaders, good=lambda ids: len(ids) == len(ends) and min(ids) >= 0)
        for tp, end in zip(partitions, ends, strict=True):
            send(producer, tp, end, **message)
        return partitions

    return topic


def send(producer, tp, count, **message):
    for future in [producer.send(tp.topic, b"value", partition=tp.partition, **message) for _ in range(count)]:
        future.get(timeout=10)


def commit(admin, group, offsets):
    """Commit for a group without members."""
    places = {tp: OffsetAndMetadata(offset, "", -1) for tp, offset in offsets.items()}
    wait_until("the commit", lambda: admin.alter_group_offsets(group, places))


@contextlib.contextmanager
def member(arguments, group, topic, **settings):
    """A member of the group, which polls in its own thread and never commits unless told to."""
    with contextlib.ExitStack() as stack:
        settings = {"enable_auto_commit": False, "client_id": "a-member", "heartbeat_interval_ms": 100} | settings
        consumer = stack.enter_context(
            contextlib.closing(KafkaConsumer(group_id=group, auto_offset_reset="earliest", **arguments, **settings))
        )
        consumer.subscribe([topic])
        assert consumer.partitions_for_topic(topic)
        enough = threading.Event()

        def poll():
            while not enough.is_set():
                consumer.poll(timeout_ms=50)

        thread = threading.Thread(target=poll)
        thread.start()
        stack.callback(thread.join)
        stack.callback(enough.set)
        wait_until("the member's partitions", consumer.assignment)
        yield consumer


@pytest.fixture
def lag(capsys, client_properties):
    """lag(*options): run the command; returns (status, the parsed report, what it said on stderr)."""

    def lag(*options):
        capsys.readouterr()
        status = main(["--client-properties", str(client_properties), "--json", *options])
        out, err = capsys.readouterr()
        return status, json.loads(out) if out else None, err

    return lag


def rows(report, group):
    [found] = [each for each in report["groups"] if each["group"] == group]
    return found["partitions"]


def pick(rows, *keys):
    return [tuple(row[key] for key in keys) for row in rows]


def test_group_that_is_behind_and_that_nobody_reads(admin, name, topic, lag):
    zero, _ = topic(10, 4)
    commit(admin, name, {zero: 3})

    status, report, err = lag("--group", name)

    assert (status, err) == (0, "")
    assert report["groups"][0]["left"] == 7 + 4
    # The program that committed was no member, and a program that assigns partitions to itself may still run.
    assert pick(rows(report, name), "partition", "start", "committed", "end", "lag", "owner", "state") == [
        (0, 0, 3, 10, 7, None, "WARN"),
        (1, 0, None, 4, 4, None, "UNCOMMITTED"),
    ]


def test_group_whose_members_left(arguments, producer, name, topic, lag):
    [tp] = topic(5)
    with member(arguments, name, name, enable_auto_commit=True, auto_commit_interval_ms=50):
        wait_until("the commit", lambda: lag("--group", name)[1]["groups"][0]["left"] == 0)
    send(producer, tp, 2)

    _, report, _ = lag("--group", name)

    assert pick(rows(report, name), "committed", "end", "lag", "owner", "state") == [(5, 7, 2, "", "STOP")]
    assert (report["groups"][0]["kafka_state"], report["groups"][0]["members"]) == ("Empty", 0)


def test_member_that_keeps_up_and_member_that_is_stuck(arguments, admin, name, topic, lag):
    [tp] = topic(5)
    commit(admin, f"{name}-stuck", {tp: 1})
    with (
        member(arguments, f"{name}-fine", name, enable_auto_commit=True, auto_commit_interval_ms=50),
        member(arguments, f"{name}-stuck", name),
    ):
        wait_until("the commit", lambda: lag("--group", f"{name}-fine")[1]["groups"][0]["left"] == 0)
        once = lag("--group", f"{name}-*")[1]
        longer = lag("--group", f"{name}-*", "--window", "0.5")[1]

    [fine], [stuck] = rows(longer, f"{name}-fine"), rows(longer, f"{name}-stuck")
    assert (fine["lag"], fine["state"], stuck["lag"], stuck["state"]) == (0, "OK", 4, "STALL")
    assert re.fullmatch(r"a-member/[\d.:a-f]+", stuck["owner"])
    assert rows(once, f"{name}-stuck")[0]["state"] == "WARN", "one look cannot know that it stands still"


def test_numbers_are_those_of_kafka_consumer_groups(broker, arguments, admin, name, topic, lag):
    zero, one, two = topic(10, 4, 6)
    commit(admin, f"{name}-behind", {zero: 3, one: 4, two: 0})
    commit(admin, f"{name}-stuck", {zero: 9, two: 2})
    with member(arguments, f"{name}-stuck", name):
        theirs = {
            **kafka_consumer_groups(broker, arguments, f"{name}-behind"),
            **kafka_consumer_groups(broker, arguments, f"{name}-stuck"),
        }
        _, report, _ = lag("--group", f"{name}-behind", f"{name}-stuck")
    ours = {
        (row["group"], row["topic"], row["partition"]): (row["committed"], row["end"], row["lag"], row["owner"] or "")
        for group in report["groups"]
        for row in group["partitions"]
    }

    assert len(ours) == 6
    # Where nothing was committed Kafka's command says no lag; this group begins with the first of 4 messages.
    uncommitted = (f"{name}-stuck", name, 1)
    assert (theirs.pop(uncommitted)[:3], ours.pop(uncommitted)[:3]) == ((None, 4, None), (None, 4, 4))
    assert ours == theirs


def kafka_consumer_groups(broker, arguments, group):
    """{(group, topic, partition): (committed, end, lag, "client id/host")} as Kafka's own command says."""
    [address, *_] = arguments["bootstrap_servers"]
    command = ["kafka-consumer-groups.sh", "--bootstrap-server", address, "--describe", "--group", group]
    said = execute(broker.name, *command)
    header, *lines = [line.split() for line in said.splitlines() if line.startswith(("GROUP", group))]
    found = {}
    for line in lines:
        row = {key: None if text == "-" else text for key, text in zip(header, line, strict=True)}
        offsets = [row[key] and int(row[key]) for key in ("CURRENT-OFFSET", "LOG-END-OFFSET", "LAG")]
        owner = (row["CLIENT-ID"] or "") + (row["HOST"] or "")
        found[row["GROUP"], row["TOPIC"], int(row["PARTITION"])] = (*offsets, owner)
    return found


def test_offset_that_retention_deleted(admin, name, topic, lag):
    [tp] = topic(10)
    commit(admin, name, {tp: 3})
    admin.delete_records({tp: 6})

    for reset, expected in (("earliest", 4), ("latest", 0), ("none", None)):
        _, report, _ = lag("--group", name, "--reset", reset)
        assert pick(rows(report, name), "start", "committed", "lag", "state") == [(6, 3, expected, "OUT_OF_RANGE")]


def test_limits_decide_the_exit_status(admin, name, topic, lag):
    zero, one = topic(5, 2, timestamp_ms=int(time.time() * 1000) - 3_600_000)
    commit(admin, name, {zero: 2, one: 2})

    def status(*options):
        status, report, err = lag("--group", name, *options)
        assert err.splitlines() == report["exceeded"]
        return status, err

    assert status("--max-lag", "3") == (0, "")
    assert status("--max-lag", "2") == (
        1,
        f"--max-lag 2: exceeded in 1 of 2 partitions, most by group {name}, topic {name}, partition 0: 3\n",
    )
    assert status("--max-time-lag", "7200") == (0, "")
    code, err = status("--max-time-lag", "3600")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("--max-time-lag 3600: exceeded in 1 of 2 partitions")


def test_time_lag_is_the_age_of_the_first_message_left(admin, producer, name, topic, lag):
    zero, one = topic(0, 0)
    hours = 3_600_000
    now = int(time.time() * 1000)
    for age in (5, 3, 1):
        send(producer, zero, 1, timestamp_ms=now - age * hours)
    send(producer, one, 1, timestamp_ms=now - 2 * hours)
    for number, offsets in enumerate([{zero: 0, one: 1}, {zero: 1, one: 0}, {zero: 2, one: 0}, {zero: 3, one: 1}]):
        commit(admin, f"{name}-{number}", offsets)

    _, report, _ = lag("--group", f"{name}-*", "--time")

    ages = {group["group"][-1]: [row["time_lag"] // 3600 for row in group["partitions"]] for group in report["groups"]}
    assert ages == {"0": [5, 0], "1": [3, 2], "2": [1, 2], "3": [0, 0]}
    assert lag("--group", f"{name}-0")[1]["groups"][0]["partitions"][0]["time_lag"] is None, "not asked for"


def test_marker_of_a_transaction_is_lag_but_no_message(arguments, admin, name, topic, lag):
    [tp] = topic(0)
    with KafkaProducer(**arguments, transactional_id=name) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(tp.topic, b"value", partition=0)
        producer.commit_transaction()
    commit(admin, name, {tp: 1})

    _, report, _ = lag("--group", name, "--time")

    assert pick(rows(report, name), "committed", "end", "lag", "time_lag") == [(1, 2, 1, 0.0)]


def test_group_or_topic_that_does_not_exist(admin, name, topic, lag):
    [tp] = topic(1)
    commit(admin, name, {tp: 1})

    status, report, err = lag("--group", name, "no-such-*")
    assert (status, report, err.count("\n")) == (2, None, 1)
    assert "no group fits 'no-such-*'" in err
    assert name in err

    status, report, err = lag("--group", name, "--topic", "no-such")
    assert (status, report) == (2, None)
    assert err.startswith(
        f"no topic fits 'no-such'. Topics that these groups read and that this client may see (Describe): {name}."
    )


def test_topic_that_was_deleted_is_left_out(admin, name, topic, lag):
    [gone], [kept] = topic(1, suffix="-gone"), topic(2, suffix="-kept")
    commit(admin, name, {gone: 0, kept: 0})
    admin.delete_topics([gone.topic])
    wait_until("the topic to be gone", lambda: gone.topic not in admin.list_topics())

    status, report, _ = lag("--group", name)

    assert status == 0
    assert pick(rows(report, name), "topic", "lag") == [(kept.topic, 2)]


# A separate process, as a user starts it.


@pytest.fixture
def running(client_properties):
    """running(option, …): the command in a separate process, for as long as the context lasts."""
    command = [sys.executable, "-m", "kafka_proof.lag", "--client-properties", client_properties]

    @contextlib.contextmanager
    def running(*options, **streams):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | streams
        # A shell's background job ignores SIGINT.
        with subprocess.Popen(["env", "--default-signal=INT", *command, *options], **streams) as process:
            try:
                yield process
            finally:
                process.kill()

    return running


def interrupt(process):
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=20)


def test_watch_follows_the_states_and_ends_with_ctrl_c(running, admin, producer, name, topic):
    [tp] = topic(10)
    commit(admin, name, {tp: 5})
    with running("--group", name, "--watch", "0.2", "--window", "1", "--json") as process:

        def wait_for(what, good):
            for line in process.stdout:
                [row] = rows(json.loads(line), name)
                if good(row):
                    return row
            raise AssertionError(f"kafka-lag ended before {what}: {process.stderr.read()}")

        assert wait_for("its first look", lambda _: True)["state"] == "WARN"
        stuck = wait_for("STALL", lambda row: row["state"] == "STALL")
        assert stuck["time_lag_is_least"], "it was behind at the first look: for so long at least"
        commit(admin, name, {tp: 2})
        wait_for("REWIND", lambda row: row["state"] == "REWIND")
        commit(admin, name, {tp: 10})
        wait_for("OK", lambda row: row["state"] == "OK")
        send(producer, tp, 3)
        late = wait_for("a lag", lambda row: row["lag"] == 3)
        assert not late["time_lag_is_least"], "the log's end passed the committed offset between two looks"

        assert interrupt(process) == 0
        assert process.stderr.read() == ""


def test_watch_prints_lines_where_there_is_no_terminal(running, admin, name, topic):
    [tp] = topic(4)
    commit(admin, name, {tp: 1})
    with running("--group", name, "--watch", "0.1") as process:
        lines = [process.stdout.readline() for _ in range(2)]
        assert interrupt(process) == 0
    for line in lines:
        assert re.fullmatch(rf"\S+ {name}: Empty, members: 0, kafka left: 3(, time lag: > \d+\.\d s)?, WARN\n", line)


def test_watch_draws_on_a_terminal(running, admin, name, topic):
    [tp] = topic(4)
    commit(admin, name, {tp: 1})
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (12, 40))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"}
    with running("--group", name, "--watch", "0.1", stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        os.set_blocking(ours, False)
        drawn = bytearray()

        def look():
            with contextlib.suppress(BlockingIOError):
                drawn.extend(os.read(ours, 65536))
            return drawn.decode(errors="replace")

        wait_until("a second look, over the first", look, good=lambda seen: "██" in seen)
        assert interrupt(process) == 0
        with contextlib.suppress(OSError):  # the end of a terminal
            look()
    os.close(ours)
    seen = drawn.decode(errors="replace")
    assert "\x1b[1A" in seen, "the second look is drawn over the first"
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l"), "the cursor is visible again"
    lines = re.split(r"[\r\n]|\x1b\[[\d;?]*[A-Za-z]", seen)
    assert max(map(len, lines)) == 40, "as wide as the terminal"
    assert [line for line in lines if line.startswith(name[:6])]


def test_watch_prints_lines_on_a_terminal_that_cannot_draw(running, admin, name, topic):
    [tp] = topic(4)
    commit(admin, name, {tp: 1})
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "dumb"}
    with running("--group", name, "--watch", "0.1", stdout=theirs, env=environment) as process, open(ours) as terminal:
        os.close(theirs)
        lines = [terminal.readline() for _ in range(2)]
        assert interrupt(process) == 0
    assert all(f"{name}: Empty, members: 0, kafka left: 3" in line for line in lines)


def test_prometheus(running, admin, producer, name, topic):
    [tp] = topic(4)
    commit(admin, name, {tp: 1})
    labels = f'group="{name}",partition="0",topic="{name}"'
    with running("--group", name, "--prometheus", ":0") as process:
        url = process.stdout.readline().split()[-1]
        assert url.startswith("http://127.0.0.1:")

        def scrape():
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                return answer.read().decode().splitlines()

        assert f"kafka_consumergroup_lag{{{labels}}} 3.0" in scrape()
        send(producer, tp, 2)
        lines = scrape()
        assert f"kafka_consumergroup_lag{{{labels}}} 5.0" in lines
        assert f"kafka_consumergroup_current_offset{{{labels}}} 1.0" in lines
        with_state = labels.replace(",topic", ',state="WARN",topic')
        assert f"kafka_consumergroup_state{{{with_state}}} 1.0" in lines
        assert any(line.startswith(f"kafka_consumergroup_lag_seconds{{{labels}}} ") for line in lines)
        assert f'kafka_topic_partition_current_offset{{partition="0",topic="{name}"}} 6.0' in lines
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url.replace("/metrics", "/"), timeout=10)

        with running("--prometheus", url.removeprefix("http://").removesuffix("/metrics")) as second:
            assert second.wait(timeout=20) == 2
            assert re.fullmatch(r"cannot listen on \S+: Address already in use\..*\n", second.stderr.read())
        assert interrupt(process) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("mode", [[], ["--watch", "0.1"]])
def test_reader_that_goes_away(running, mode):
    with running(*mode) as process:
        process.stdout.close()
        process.wait(timeout=20)
        assert process.stderr.read() == ""


# Servers that are no Kafka.


@pytest.fixture(params=["silent", "closes at once", "HTTP"])
def not_kafka(request):
    """The address of a server that is no Kafka."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError), contextlib.ExitStack() as open_ones:
                while True:
                    connection, _ = server.accept()
                    if request.param == "silent":
                        open_ones.enter_context(connection)
                        continue
                    with connection, contextlib.suppress(TimeoutError):
                        if request.param == "HTTP":
                            connection.settimeout(5)  # a client that gave up can leave a connection without a word
                            connection.recv(1024)
                            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("mode", [[], ["--watch"], ["--prometheus", ":0"]], ids=["once", "watch", "prometheus"])
def test_server_that_is_not_kafka(not_kafka, mode, capsys):
    status = main(["--bootstrap-server", not_kafka, "--timeout", "0.5", *mode])
    out, err = capsys.readouterr()

    assert (status, out) == (2, "")
    assert err.startswith(f"{not_kafka}: no Kafka answered within 0.5 s")
    assert err.count("\n") == 1

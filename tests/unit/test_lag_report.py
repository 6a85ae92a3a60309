"""What kafka-lag prints for people, scripts and Prometheus, from looks that are written down here. No broker."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from kafka import TopicPartition
from kafka.errors import GroupAuthorizationFailedError, KafkaConnectionError

from kafka_proof.lag.__main__ import main, reason
from kafka_proof.lag.look import GroupLag, NoMatchError, matching, owners_of
from kafka_proof.lag.metrics import exposition, server
from kafka_proof.lag.offsets import rows
from kafka_proof.lag.report import exceeded, report
from kafka_proof.lag.state import History
from kafka_proof.lag.view import duration, frame, page, sparkline

ZERO, ONE, OTHER = TopicPartition("orders", 0), TopicPartition("orders", 1), TopicPartition("audit", 0)


def group(name, committed, ends, owners=None):
    return GroupLag(name, "Stable", 1, rows(committed, dict.fromkeys(ends, 0), ends), owners)


def seen(*groups, at=0, history=None, written=None):
    return report(groups, history or History(0), (at, 1_700_000_000 + at), written)


BILLING = group("billing", {ZERO: 3, ONE: 5}, {ZERO: 10, ONE: 5}, {ZERO: "app/10.0.0.7"})
IDLE = GroupLag("idle", "Empty", 0, rows({OTHER: -1}, {}, {}), None)

PAGE = """\
  group    topic   partition  start  committed  end  lag  time lag  owner         state
  billing  orders          0      0          3   10    7  -         app/10.0.0.7  WARN
  billing  orders          1      0          5    5    0  0.0 s     none          OK
billing: Stable, members: 1, kafka left: 7, WARN

  idle     audit           0      -          -    -    -  -         -             -      no leader
idle: Empty, members: 0, kafka left: unknown"""


def test_page():
    assert "\n".join(page(seen(BILLING, IDLE))) == PAGE


def test_page_without_groups():
    assert page(seen()) == ["groups: none"]
    assert page(seen(group("new", {}, {}))) == ["new: Stable, members: 1, kafka left: 0"]


def test_report_is_plain():
    [partition, _] = seen(BILLING)["groups"][0]["partitions"]
    assert json.loads(json.dumps(partition)) == {
        "group": "billing",
        "topic": "orders",
        "partition": 0,
        "start": 0,
        "committed": 3,
        "end": 10,
        "lag": 7,
        "time_lag": None,
        "time_lag_is_least": False,
        "owner": "app/10.0.0.7",
        "state": "WARN",
        "note": "",
    }


def ages(report):
    return [(row["time_lag"], row["time_lag_is_least"]) for row in report["groups"][0]["partitions"]]


@pytest.mark.parametrize(
    ("written", "age"),
    [
        ({(ZERO, 3): 1_699_999_988_500}, 11.5),
        ({(ZERO, 3): 1_700_000_000_700}, 0.0),  # the producer's clock is ahead
        ({(ZERO, 3): None}, None),  # a message without a timestamp
        ({}, 0.0),  # no message: a transaction's marker
    ],
)
def test_time_lag_from_messages(written, age):
    assert ages(seen(BILLING, written=written)) == [(age, False), (0.0, False)]


def test_time_lag_from_history():
    history = History(30)
    seen(BILLING, history=history)
    assert ages(seen(BILLING, at=12, history=history)) == [(12, True), (0.0, False)]

    later = group("billing", {ZERO: 13, ONE: 5}, {ZERO: 20, ONE: 5}, {})
    assert ages(seen(later, at=22, history=history)) == [(7, False), (0.0, False)]


@pytest.mark.parametrize(
    ("max_lag", "max_time_lag", "lines"),
    [
        (None, None, []),
        (7, None, []),
        (6, None, ["exceeded in 1 of 2 partitions, most by group billing, topic orders, partition 0: 7"]),
        (7, 60, []),
        (7, 59, ["exceeded in 1 of 2 partitions, most by group billing, topic orders, partition 0: 60.0"]),
        (0, 1, ["partition 0: 7", "partition 0: 60.0"]),
    ],
)
def test_limits(max_lag, max_time_lag, lines):
    report = seen(BILLING, written={(ZERO, 3): 1_699_999_940_000})
    found = exceeded(report, max_lag, max_time_lag)
    assert len(found) == len(lines)
    assert all(line.endswith(end) for line, end in zip(found, lines, strict=True)), found


def test_what_is_not_known_keeps_no_limit():
    [line] = exceeded(seen(BILLING, IDLE), 100, None)
    assert line.endswith("in 1 of 3 partitions, most by group idle, topic audit, partition 0: not known (no leader)")


def test_prometheus():
    odd = group('a"b\\c', {ZERO: 1}, {ZERO: 2}, {})
    lines = exposition(seen(BILLING, odd, IDLE)).splitlines()

    assert 'kafka_consumergroup_lag{group="billing",topic="orders",partition="0"} 7' in lines
    assert 'kafka_consumergroup_lag{group="a\\"b\\\\c",topic="orders",partition="0"} 1' in lines
    assert 'kafka_consumergroup_lag_seconds{group="billing",topic="orders",partition="1"} 0.0' in lines
    assert 'kafka_consumergroup_current_offset{group="billing",topic="orders",partition="1"} 5' in lines
    assert 'kafka_consumergroup_state{group="billing",topic="orders",partition="0",state="WARN"} 1' in lines
    assert 'kafka_topic_partition_oldest_offset{topic="orders",partition="1"} 0' in lines
    assert 'kafka_consumergroup_members{group="idle"} 0' in lines
    # One sample of a partition, however many groups read it; none of what is not known.
    assert [line for line in lines if line.startswith("kafka_topic_partition_current_offset{")] == [
        'kafka_topic_partition_current_offset{topic="orders",partition="0"} 2',
        'kafka_topic_partition_current_offset{topic="orders",partition="1"} 5',
    ]
    assert not any("None" in line or "audit" in line for line in lines)
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(set(names)) == len(names), "each metric is described once"


def test_scrape_that_fails_says_why():
    answers = [(503, "localhost:9092: the cluster stopped answering."), (200, seen(BILLING))]
    with server("127.0.0.1", 0, lambda: answers.pop(0)) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(http.url, timeout=10)
            with error.value as answer:
                assert (answer.code, answer.read()) == (503, b"localhost:9092: the cluster stopped answering.\n")
            with urllib.request.urlopen(http.url, timeout=10) as answer:
                assert answer.status == 200
        finally:
            http.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            GroupAuthorizationFailedError("group\nx"),
            "h:1: [Error 30] GroupAuthorizationFailedError: group x. "
            "Allow this user to DESCRIBE the groups and topics, and to READ the topics for --time and --max-time-lag.",
        ),
        (
            KafkaConnectionError("closed"),
            "h:1: the cluster did not answer as it should (KafkaConnectionError: closed). "
            "If that lasts, see whether its brokers are up.",
        ),
        (
            TimeoutError("t partition 0: no message came"),
            "h:1: t partition 0: no message came. Choose a longer --timeout, or leave out --time and --max-time-lag.",
        ),
    ],
)
def test_error_is_one_line(error, line):
    assert reason(error, "h:1") == line


def test_frame_fits_the_terminal():
    trends = {"billing": [0, 3, 7], "idle": [None]}
    whole = frame(seen(BILLING, IDLE), trends, "title", 200, 50)
    assert whole[:4] == [
        "title",
        "",
        "  group    kafka left  time lag  state  members  look by look",
        "  billing           7  0.0 s     WARN         1  ▁▄█",
    ]
    narrow = frame(seen(group("g" * 40, {ZERO: 3}, {ZERO: 9})), {"g" * 40: [5] * 50 + [6] * 10}, "title", 80, 50)
    assert narrow[3].startswith(f"  {'g' * 19}…           6")
    assert narrow[3].endswith("▆██████████")
    assert len(narrow[3]) == 80
    cut = frame(seen(BILLING, IDLE), trends, "title", 20, 6)
    assert len(cut) == 6
    assert max(map(len, cut)) == 20
    assert cut[-1].startswith("  … 5 more lines")


@pytest.mark.parametrize(
    ("values", "bars"), [([], ""), ([0, 0], "▁▁"), ([0, 1], "▁█"), ([0, 50, None, 100], "▁▄ █"), ([7] * 3, "███")]
)
def test_sparkline(values, bars):
    assert sparkline(values) == bars


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.97, "10.0 s"),
        (12.4, "12 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7620, "2 h 7 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([], ["a", "ab", "b[1]"]),
        (["a"], ["a"]),
        (["a*"], ["a", "ab"]),
        (["a?", "a"], ["a", "ab"]),
        (["b[1]"], ["b[1]"]),  # a name is itself, also when it looks like a pattern
        (["[!a]*"], ["b[1]"]),
    ],
)
def test_matching(patterns, names):
    assert matching(patterns, ["b[1]", "ab", "a"], "group") == names


def test_pattern_that_fits_nothing_is_refused_with_what_there_is():
    with pytest.raises(NoMatchError) as error:
        matching(["a", "c*"], ["b", "a"], "group")
    assert str(error.value) == "no group fits 'c*'. Groups that this client may see: a, b."
    with pytest.raises(NoMatchError, match="Topics that these groups read and that this client may see: none"):
        matching(["c"], [], "topic")
    assert matching(["c*"], ["b"], "group", must_fit=False) == []
    with pytest.raises(NoMatchError, match=r"name-19 and 5 more\."):
        matching(["c"], [f"name-{number:02}" for number in range(25)], "group")


def member(assignment):
    return {"client_id": "app", "client_host": "/10.0.0.7", "member_assignment": assignment}


SHARE = {"assigned_partitions": [{"topic": "orders", "partitions": [0, 1]}]}


@pytest.mark.parametrize(
    ("protocol", "described", "state", "members", "owners"),
    [
        ("consumer", "Stable", "Stable", [member(SHARE)], {ZERO: "app/10.0.0.7", ONE: "app/10.0.0.7"}),
        ("consumer", "Stable", "Stable", [member(SHARE), member(b"")], {ZERO: "app/10.0.0.7", ONE: "app/10.0.0.7"}),
        ("consumer", "Empty", "Empty", [], {}),
        ("consumer", "PreparingRebalance", "PreparingRebalance", [member(b"")], None),
        ("consumer", "Stable", "Stable", [member(b"\x07?")], None),  # a protocol that is not understood
        ("", "Empty", "Empty", [], None),  # a program that assigns partitions to itself
        ("", "Dead", "Stable", [], None),  # the protocol of KIP-848
    ],
)
def test_owners(protocol, described, state, members, owners):
    assert owners_of({"protocol_type": protocol, "group_state": described, "members": members}, state) == owners


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bootstrap-server", "localhost"], "'localhost', which is not HOST:PORT"),
        (["--client-properties", "/nowhere"], "/nowhere: no such file"),
        (["--bootstrap-server", "a:1", "--client-properties", "b"], "not allowed with argument"),
        (["--max-lag", "-1"], "argument --max-lag"),
        (["--max-lag", "many"], "'many' is not a number of offsets"),
        (["--max-time-lag", "nan"], "'nan' is not a number of seconds above 0"),
        (["--watch", "0"], "'0' is not a number of seconds above 0"),
        (["--watch", "--max-time-lag", "5"], "--max-time-lag decides the exit status"),
        (["--watch", "--prometheus", ":0"], "not allowed with argument"),
        (["--prometheus", "9308"], "'9308' is not [HOST]:PORT"),
        (["--prometheus", ":65536"], "':65536' is not [HOST]:PORT"),
        (["--prometheus", ":0", "--json"], "leave --json out"),
        (["--reset", "oldest"], "invalid choice: 'oldest'"),
        (["--group"], "argument --group"),
        (["orders"], "unrecognized arguments: orders"),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys):
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()

    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1, err

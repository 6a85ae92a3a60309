"""The page of kafka-status and its exit status. No broker."""

import contextlib
import re

import pytest

from kafka_proof import status
from kafka_proof.client.connection import START, NoKafkaError
from kafka_proof.status import main, render

STATUS = {
    "cluster_id": "tGptZPNNTw6jzlMy3nff-w",
    "mode": "zookeeper",
    "controller": 2,
    "brokers": [
        {"id": 1, "host": "kafka-1", "port": 9092, "rack": None, "kafka": "3.9", "problem": ""},
        {"id": 2, "host": "kafka-2", "port": 9092, "rack": "b", "kafka": None, "problem": "kafka-2:9092: timed out"},
    ],
    "topics": [
        {"topic": "__consumer_offsets", "internal": True, "partitions": []},
        {
            "topic": "kafka_demo",
            "internal": False,
            "partitions": [
                {"partition": 0, "leader": 1, "replicas": [1, 2], "in_sync": [1]}
                | {"start": 0, "end": 12, "problem": "UNDER-REPLICATED, not in sync: [2]"},
                {"partition": 1, "leader": None, "replicas": [2], "in_sync": [2]}
                | {"start": None, "end": None, "problem": "OFFLINE, no leader"},
            ],
        },
    ],
    "groups": [
        {
            "group": "test",
            "type": "classic",
            "state": "Stable",
            "members": 1,
            "note": "",
            "left": None,
            "partitions": [
                {"topic": "kafka_demo", "partition": 0, "committed": 3, "start": 0, "end": 12, "lag": 9, "note": ""},
                {"topic": "kafka_demo", "partition": 1, "committed": 5, "start": None}
                | {"end": None, "lag": None, "note": "no leader"},
            ],
        }
    ],
    "quorum": None,
    "warnings": [],
    "problems": ["broker 2: kafka-2:9092: timed out", "kafka_demo partition 1: OFFLINE, no leader"],
}

UNASKED = STATUS | {"mode": "kraft", "controller": None, "warnings": [status.UNASKED]}

PAGE = """\
cluster tGptZPNNTw6jzlMy3nff-w: Kafka 3.9, ZooKeeper, controller 2

  broker  address       rack  kafka
       1  kafka-1:9092  -     3.9
       2  kafka-2:9092  b     -      <-- kafka-2:9092: timed out

topics
  topic       partition  leader  replicas  in sync  start  end
  kafka_demo          0       1  1,2             1      0   12  <-- UNDER-REPLICATED, not in sync: [2]
  kafka_demo          1       -  2               2      -    -  <-- OFFLINE, no leader
  internal (partitions): __consumer_offsets (0)

groups
  test: Stable, members: 1, kafka left: unknown
    topic       partition  committed  end  lag
    kafka_demo          0          3   12    9
    kafka_demo          1          5    -    -  no leader

problems: 2
  broker 2: kafka-2:9092: timed out
  kafka_demo partition 1: OFFLINE, no leader"""


def test_page():
    assert render(STATUS) == PAGE


QUORUM = {
    "leader": 1,
    "epoch": 4,
    "voters": [
        {"id": 1, "address": "kafka-1:9093", "end": 120, "behind": 0, "problem": ""},
        {"id": 2, "address": "kafka-2:9093", "end": 80, "behind": 40, "problem": "last fetch 12.0 s ago"},
    ],
    "observers": [3],
    "metadata_version": [30, 33],
}

QUORUM_LINES = """
quorum: leader 1, epoch 4, metadata.version 30 (4.3); the brokers support 33 (4.4)
  voter  address       end  behind
      1  kafka-1:9093  120       0
      2  kafka-2:9093   80      40  <-- last fetch 12.0 s ago
  observers that are no brokers: 3

  broker"""


def test_page_of_a_quorum():
    page = render(STATUS | {"mode": "kraft", "quorum": QUORUM, "warnings": ["2 voters"]})
    assert QUORUM_LINES in page
    assert page.endswith("\nwarning: 2 voters")
    healthy = QUORUM | {"observers": [], "metadata_version": [33, 33]}
    page = render(STATUS | {"mode": "kraft", "quorum": healthy})
    assert "metadata.version 33 (4.4)\n" in page
    assert "observers" not in page


def test_page_of_a_new_cluster():
    nothing = STATUS | {"topics": [], "groups": [], "problems": []}

    assert re.search(r"internal \(partitions\): none\n\ngroups: none\n\nno problems", render(nothing))


def test_page_escapes_control_characters():
    forged = "g\n::error::x \x1b[31m [bold]y[/bold]"
    [broker, _], [group] = STATUS["brokers"], STATUS["groups"]
    page = render(
        STATUS
        | {"brokers": [broker | {"rack": forged}], "groups": [group | {"group": forged}], "problems": [f"x: {forged}"]}
    )

    assert page.count(r"g\n::error::x \x1b[31m [bold]y[/bold]") == 3
    assert "\x1b" not in page
    assert not re.search("^::", page, re.M)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(("problems", "code"), [([], 0), (STATUS["problems"], 1)])
def test_exit_status_says_whether_there_are_problems(options, problems, code, monkeypatch, capsys):
    monkeypatch.setattr(status, "connect", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(status, "collect", lambda _: STATUS | {"problems": problems})

    assert main(["--bootstrap-server", "h:1", *options]) == code
    assert "tGptZPNNTw6jzlMy3nff-w" in capsys.readouterr().out


def test_no_answer_is_one_line_with_advice_and_exit_status_2(monkeypatch, capsys):
    def refuse(*_):
        raise NoKafkaError(f"h:1: no Kafka answered (\x1b[31m). {START}", "http")

    monkeypatch.setattr(status, "connect", refuse)

    assert main(["--bootstrap-server", "h:1"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(r"h:1: no Kafka answered \(\\x1b\[31m\)\. Name the port of a broker, not .*\n", output.err)


def test_missing_file_is_one_line_and_exit_status_2(capsys):
    assert main(["--client-properties", "/no/such.properties"]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(r"/no/such.properties: no such file\. Deploy first .*\n", output.err)


def test_without_the_right_to_ask_the_controller_is_unknown_and_no_problem():
    page = render(UNASKED)

    assert page.startswith("cluster tGptZPNNTw6jzlMy3nff-w: Kafka 3.9, KRaft, controller unknown\n")
    assert page.endswith("no right to ask about them (Describe on the cluster)")

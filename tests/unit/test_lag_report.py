"""The output of kafka-lag for people, scripts and Prometheus, from looks written down here. No broker."""

import contextlib
import gzip
import io
import json
import threading
import urllib.error
import urllib.request

import pytest
from kafka import TopicPartition
from kafka.errors import GroupAuthorizationFailedError, KafkaConnectionError
from prometheus_client import generate_latest
from rich.console import Console

from kafka_proof.advice import ADVICE
from kafka_proof.client.connection import START, NoKafkaError
from kafka_proof.lag.__main__ import main, reason
from kafka_proof.lag.live import Frame, sparkline
from kafka_proof.lag.look import GroupLag, NoMatchError, matching
from kafka_proof.lag.metrics import registry, server
from kafka_proof.lag.offsets import rows
from kafka_proof.lag.report import exceeded, report
from kafka_proof.lag.state import History
from kafka_proof.lag.view import duration, page

ZERO, ONE, OTHER = TopicPartition("orders", 0), TopicPartition("orders", 1), TopicPartition("audit", 0)


def group(name, committed, ends, owners=None):
    return GroupLag(name, "Stable", 1, rows(committed, dict.fromkeys(ends, 0), ends), owners)


def seen(*groups, at=0, history=None, written=None):
    return report(groups, history or History(0), (at, 1_700_000_000 + at), written)


BILLING = group("billing", {ZERO: 3, ONE: 5}, {ZERO: 10, ONE: 5}, {ZERO: "app/10.0.0.7"})
IDLE = GroupLag("idle", "Empty", 0, rows({OTHER: -1}, {}, {}), None)
# A client chooses its group's name and its own id; a file may hold nothing that the terminal obeys.
FORGED = "g\n::error::x \x1b[31m [bold]y[/bold]"
ESCAPED = r"g\n::error::x \x1b[31m [bold]y[/bold]"

PAGE = """\
  group    topic   partition  start  committed  end  lag  time lag  owner         state
  billing  orders          0      0          3   10    7  -         app/10.0.0.7  WARN
  billing  orders          1      0          5    5    0  0.0 s     none          OK
billing: Stable, members: 1, kafka left: 7, WARN

  idle     audit           0      -          -    -    -  -         -             -      no leader
idle: Empty, members: 0, kafka left: unknown"""


def test_page():
    assert "\n".join(page(seen(BILLING, IDLE))) == PAGE


def test_a_group_of_another_type_and_one_of_which_nothing_is_known():
    share = BILLING._replace(group="jobs", kind="share", members=2)
    unknown = IDLE._replace(group="odd", members=None, partitions=[], reason="the assignment of x cannot be decoded")
    lines = page(seen(share, unknown))
    assert "jobs: share, Stable, members: 2, kafka left: 7, WARN" in lines
    assert lines[-1] == "odd: Empty, members: unknown, kafka left: unknown, the assignment of x cannot be decoded"


def test_a_group_of_which_nothing_is_known_exceeds_each_limit():
    hidden = IDLE._replace(group="few", partitions=[], reason="this client may not see its topics")
    lines = exceeded(seen(BILLING, hidden), 10, None)
    assert lines == ["--max-lag 10: not known of group few: this client may not see its topics"]
    assert exceeded(seen(hidden), None, None) == []


def test_page_without_groups():
    assert page(seen()) == ["groups: none"]
    assert page(seen() | {"all_groups": False}) == ["groups: none that this client may see (Describe)"]
    assert page(seen(group("new", {}, {}))) == ["new: Stable, members: 1, kafka left: 0"]


def test_page_escapes_control_characters():
    header, row, line = page(seen(group(FORGED, {ZERO: 3}, {ZERO: 10}, {ZERO: f"{FORGED}/10.0.0.7"})))
    assert row.split("  ")[1] == ESCAPED
    assert row.index(f"{ESCAPED}/10.0.0.7") == header.index("owner")
    assert line == f"{ESCAPED}: Stable, members: 1, kafka left: 7, WARN"


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
    forged = group(FORGED, {ZERO: 1}, {ZERO: 2}, {})
    lines = generate_latest(registry(seen(BILLING, odd, forged, IDLE))).decode().splitlines()

    assert 'kafka_consumergroup_lag{group="billing",partition="0",topic="orders"} 7.0' in lines
    assert 'kafka_consumergroup_lag{group="a\\"b\\\\c",partition="0",topic="orders"} 1.0' in lines
    assert 'kafka_consumergroup_lag_seconds{group="billing",partition="1",topic="orders"} 0.0' in lines
    assert 'kafka_consumergroup_current_offset{group="billing",partition="1",topic="orders"} 5.0' in lines
    assert 'kafka_consumergroup_state{group="billing",partition="0",state="WARN",topic="orders"} 1.0' in lines
    assert 'kafka_topic_partition_oldest_offset{partition="1",topic="orders"} 0.0' in lines
    assert 'kafka_consumergroup_members{group="idle"} 0.0' in lines
    assert f'kafka_consumergroup_members{{group="{ESCAPED.replace(chr(92), chr(92) * 2)}"}} 1.0' in lines
    # One sample of a partition, however many groups read it; none of what is not known.
    assert [line for line in lines if line.startswith("kafka_topic_partition_current_offset{")] == [
        'kafka_topic_partition_current_offset{partition="0",topic="orders"} 2.0',
        'kafka_topic_partition_current_offset{partition="1",topic="orders"} 5.0',
    ]
    assert not any("None" in line or "audit" in line for line in lines)
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(set(names)) == len(names), "each metric is described once"


@contextlib.contextmanager
def serving(look, host="127.0.0.1"):
    """Serve `look` for the block. Yields the URL of the metrics."""
    with server(host, 0, look) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield http.url
        finally:
            http.shutdown()
            thread.join()


def get(url, **headers):
    """Return (status, content type, body) of a GET."""
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers["Content-Type"], answer.read()


def test_scrape_that_fails_says_why():
    answers = [(503, "localhost:9092: the cluster stopped answering."), (200, seen(BILLING))]
    with serving(lambda: answers.pop(0)) as url:
        plain = "text/plain; charset=utf-8"
        assert get(url) == (503, plain, b"localhost:9092: the cluster stopped answering.\n")
        assert get(url.removesuffix("/metrics")) == (404, plain, b"Ask for /metrics.\n")
        assert get(url)[0] == 200


def test_scrape_in_the_formats_of_prometheus():
    with serving(lambda: (200, seen(BILLING))) as url:
        _, kind, body = get(url)
        assert kind == "text/plain; version=0.0.4; charset=utf-8"
        assert get(url, **{"Accept-Encoding": "gzip"})[1] == kind
        assert gzip.decompress(get(url, **{"Accept-Encoding": "gzip"})[2]) == body
        _, kind, body = get(url, Accept="application/openmetrics-text; version=1.0.0")
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        assert body.endswith(b"# EOF\n")
        _, _, body = get(f"{url}?name[]=kafka_consumergroup_members")
        assert [line for line in body.decode().splitlines() if line[0] != "#"] == [
            'kafka_consumergroup_members{group="billing"} 1.0'
        ]


def test_scrapes_look_one_at_a_time():
    busy, overlaps, both = threading.Lock(), [], threading.Barrier(2)

    def look():
        free = busy.acquire(blocking=False)
        overlaps.append(not free)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)  # a second look at the same time would come
        if free:
            busy.release()
        return 200, seen(BILLING)

    with serving(look) as url:
        threads = [threading.Thread(target=get, args=(url,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert overlaps == [False, False]


def test_listens_on_ipv6():
    with serving(lambda: (200, seen(BILLING)), host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert get(url)[0] == 200


def test_address_in_use_is_one_line():
    with (
        server("127.0.0.1", 0, None) as first,
        pytest.raises(OSError, match=r"^cannot listen on 127\.0\.0\.1:\d+: Address already in use\. Choose another"),
    ):
        server("127.0.0.1", first.server_port, None)


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
        (
            NoKafkaError(f"h:1: no Kafka answered (x). {START}", "http"),
            f"h:1: no Kafka answered (x). {ADVICE['http']}",
        ),
        (NoMatchError("groups: a\n::error::b, \x1b[31mc"), r"groups: a ::error::b, \x1b[31mc"),
    ],
)
def test_error_is_one_line(error, line):
    assert reason(error, "h:1") == line


def drawn(report, trends, width, height):
    """Return the lines of the live view on a terminal of this size."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(Frame(report, trends, "title"))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_live_view():
    trends = {"billing": [0, 3, 7], "idle": [None]}
    assert drawn(seen(BILLING, IDLE), trends, 200, 50) == [
        "title",
        "",
        "group    kafka left  time lag  state  members  trend",
        "billing           7  0.0 s     WARN         1  ▁▄█",
        "idle              -  -         -            0",
        "",
        "group    topic   partition  start  committed  end  lag  time lag  owner         state",
        "billing  orders          0      0          3   10    7  -         app/10.0.0.7  WARN",
        "billing  orders          1      0          5    5    0  0.0 s     none          OK",
        "idle     audit           0      -          -    -    -  -         -             -      no leader",
    ]
    assert drawn(seen(), {}, 80, 24) == ["title", "", "groups: none"]


def test_live_view_is_as_wide_as_the_terminal():
    name = "g" * 40
    report = seen(group(name, {ZERO: 3}, {ZERO: 9}, {ZERO: "app/10.0.0.7"}))
    trends = {name: [5] * 50 + [6] * 10}

    assert drawn(report, trends, 80, 24)[2:] == [
        "group                kafka left  time lag  state  members  trend",
        f"{'g' * 18}…           6  -         WARN         1  ▆▆▆▆▆▆▆▆▆▆▆██████████",
        "",
        "group       topic   partition  committed  end  lag  time lag  owner        state",
        f"{'g' * 9}…  orders          0          3    9    6  -         app/10.0.0…  WARN",
    ]
    # No room for all columns: the names, the lag, the state and the trend stay.
    assert drawn(report, trends, 40, 24)[2:] == [
        "group     kafka left  state  trend",
        f"{'g' * 7}…           6  WARN   ▆██████████",
        "",
        "group      topic   partition  lag  state",
        f"{'g' * 8}…  orders          0    6  WARN",
    ]
    assert max(map(len, drawn(report, trends, 20, 24))) <= 20


@pytest.mark.parametrize(
    ("height", "lines"),
    [
        (11, ["idle     audit           0    -  -         -"]),  # all
        (10, ["billing  orders          0    7  -         WARN", "… 2 more rows; kafka-lag without --watch shows all"]),
        (7, ["idle              -  -         -", "… 3 more rows; kafka-lag without --watch shows all"]),
        (6, ["billing           7  0.0 s     WARN   █", "… 4 more rows; kafka-lag without --watch shows all"]),
    ],
)
def test_live_view_is_as_high_as_the_terminal(height, lines):
    found = drawn(seen(BILLING, IDLE), {"billing": [7], "idle": [None]}, 50, height)
    assert len(found) < height
    assert found[-len(lines) :] == lines


def test_live_view_shows_names_as_text():
    found = drawn(seen(group(FORGED, {ZERO: 3}, {ZERO: 9})), {FORGED: [1]}, 120, 24)
    assert [line.startswith(f"{ESCAPED}  ") for line in found] == [False] * 3 + [True, False, False, True]


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
    assert str(error.value) == "no group fits 'c*'. Groups that this client may see (Describe): a, b."
    with pytest.raises(NoMatchError, match=r"these groups read and that this client may see \(Describe\): none"):
        matching(["c"], [], "topic")
    assert matching(["c*"], ["b"], "group", must_fit=False) == []
    with pytest.raises(NoMatchError, match=r"name-19 and 5 more\."):
        matching(["c"], [f"name-{number:02}" for number in range(25)], "group")


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

"""The report of a run: sentences, drawings, and that nothing from the run is markup. In a browser: tests/report."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from kafka_proof.report.page import annotations, html, judge, markdown, sentence, summary
from kafka_proof.report.plot import _ticks

EVIL = "<script>alert('x')</script>&\"|`*"
MATRIX = {"columns": ["member", "partition 0", "partition 1"], "rows": [["A", 3, None], ["B", None, 3]]}
LAG = {"series": {"partition 0": [[0, 0], [0.5, 4], [1, None], [1.5, 1]]}, "unit": "offsets"}


def claim(outcome="passed", **other):
    base = {"id": "smoke/test_x.py::test_one[a]", "property": "One holds", "module": "What one must do"}
    return base | {"outcome": outcome, "seconds": 0.25, "message": "", "details": "", "evidence": []} | other


def broken(**other):
    return claim("failed", message="B owns nothing", details="def test_one():\n>   assert", **other)


def run(*tests, reason="", **other):
    return {
        "verdict": judge(tests, reason),
        "reason": reason,
        "started": "2026-11-23T14:05:26+00:00",
        "seconds": 5.0,
        "command": "pytest smoke",
        "diagnose": "kafka-doctor --bootstrap-server localhost:9092",
        "cluster": {
            "bootstrap": "localhost:9092",
            "cluster_id": "2OqFPm2jRJ-8a1bT0mBmUw",
            "mode": "zookeeper",
            "kafka": "3.9",
            "controller": 0,
            "brokers": [{"id": 0, "host": "localhost", "port": 9092, "rack": None, "kafka": "3.9"}],
            "topics": [
                {
                    "topic": "kafka_demo",
                    "partitions": [{"partition": 0, "leader": 0, "replicas": [0], "in_sync": [0]}],
                }
            ],
        },
        "versions": {"pytest": "9.2.0"},
        "tests": list(tests),
    } | other


# The verdict


@pytest.mark.parametrize(
    ("outcomes", "reason", "verdict", "said"),
    [
        (["passed"], "", "passed", "The one property holds."),
        (["passed"] * 3, "", "passed", "All 3 properties hold."),
        (["passed", "skipped"], "", "passed", "1 of 2 properties hold, 1 was skipped."),
        (["passed", "failed"], "", "failed", "1 of 2 properties does not hold."),
        (["failed", "failed", "error"], "", "failed", "2 of 3 properties do not hold, 1 could not be tested."),
        (["error", "skipped", "skipped"], "", "failed", "1 could not be tested, 2 were skipped."),
        (
            ["failed", "not run"],
            "stopped",
            "failed",
            "1 of 2 properties does not hold, 1 did not run. The run ended early: stopped",
        ),
        (["passed", "not run"], "Ctrl-C", "unusable", "Ctrl-C"),
        (["not run"], "h:1: no Kafka answered", "unusable", "h:1: no Kafka answered"),
        (["skipped"], "", "unusable", "No property was tested."),
        ([], "", "unusable", "No property was tested."),
    ],
)
def test_verdict(outcomes, reason, verdict, said):
    of = run(*map(claim, outcomes), reason=reason)
    assert of["verdict"] == verdict
    assert sentence(of) == said
    assert html(of).count(f'<header class="{verdict}">') == 1


def test_a_passed_run_needs_no_advice():
    assert summary(run(claim())) == [
        "passed: The one property holds.",
        "time: 5.00 s",
        "cluster: localhost:9092, Kafka 3.9 (ZooKeeper), 1 broker",
    ]
    assert annotations(run(claim())) == []
    assert "kafka-doctor" not in html(run(claim())) + markdown(run(claim()))


@pytest.mark.parametrize("show", [html, markdown])
def test_a_failure_says_what_why_and_what_to_run(show):
    page = show(run(claim(), broken()))
    for words in ("One holds", "B owns nothing", "pytest smoke -k test_one", "kafka-doctor --bootstrap-server"):
        assert words in page


def test_without_a_cluster_there_is_still_a_page():
    of = run(claim("not run"), reason="h:1: no Kafka answered", cluster={})
    assert "h:1: no Kafka answered" in html(of)
    assert "h:1: no Kafka answered" in markdown(of)
    assert annotations(of) == ["::error title=Kafka smoke test%3A no verdict::h:1: no Kafka answered"]


# GitHub


def test_annotations_are_one_line_each_and_escaped():
    [line] = annotations(run(claim(), broken() | {"message": "100% of\r\n::error::it"}))
    assert line == "::error title=Kafka%3A does not hold::One holds%0A100%25 of%0D%0A::error::it"


def test_markdown_of_a_name_is_no_markup():
    page = markdown(run(broken(property=EVIL)))
    assert "\\<script\\>alert('x')\\</script\\>\\&\"\\|\\`\\*" in page
    assert "<script" not in page.replace("\\<script", "")


def test_markdown_fences_hold_what_has_fences():
    assert "````text\n```\nx\n````" in markdown(run(broken() | {"message": "```\nx"}))


# The page


class Page(HTMLParser):
    """Its elements, in order, checked to be closed as they were opened."""

    VOID = ("meta", "path", "circle")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def test_everything_from_the_run_is_escaped():
    def evil(value):
        """Put markup at the end of every text in it, names of evidence and versions too."""
        if isinstance(value, dict):
            return {key: value[key] if key in ("verdict", "outcome", "mode") else evil(value[key]) for key in value}
        if isinstance(value, list):
            return [evil(each) for each in value]
        return value + EVIL if isinstance(value, str) else value

    shown = [["matrix", MATRIX], ["lag", {**LAG, "series": {EVIL: [[0, 1]]}}], ["other", {EVIL: 1}], ["line", "x"]]
    tests = [claim(evidence=shown), broken(), claim("skipped", message="why")]
    page = Page(html(evil(run(*tests, versions={EVIL: "1"}))))

    assert not page.all("script")
    assert "".join(page.text).count(EVIL) > 30
    plain = Page(html(run(*tests, versions={"a": "1"})))
    assert [name for name, _ in page.elements] == [name for name, _ in plain.elements]


def test_the_page_loads_nothing():
    text = html(run(claim(evidence=[["matrix", MATRIX], ["lag", LAG]]), broken()))
    assert not re.search(r"https?:|url\(|@import|src=|href=", text)
    assert "default-src 'none'" in text


def test_evidence_is_drawn_by_its_shape():
    evidence = [["received by A", 3], ["share", 0.5], ["order kept", True], ["matrix", MATRIX], ["lag", LAG], ["x", {}]]
    page = Page(html(run(claim(evidence=json.loads(json.dumps(evidence))))))
    text = "|".join(filter(str.strip, page.text))
    for words in ("received by A|3", "share|0.5", "order kept|yes", "matrix|member|partition 0", "A|3|-|B|-|3", "x|{}"):
        assert words in text
    # Evidence, brokers and topics: headings for the columns, and for each row.
    assert len(page.all("table")) == len(page.all("caption")) == 3
    assert [attrs["scope"] for attrs in page.all("th")].count("row") == 4
    assert all(attrs["aria-label"] for attrs in page.all("svg") if attrs.get("role") == "img")


@pytest.mark.parametrize("rows", [[], [["A"]], [["A", 1, 2, 3]], [["A", 1], ["B"]]])
def test_a_table_with_gaps_is_shown(rows):
    Page(html(run(claim(evidence=[["matrix", {"columns": ["member", "partition 0"], "rows": rows}]]))))


# Plots


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 0, [0, 1]),
        (3, 3, [3, 4]),
        (-4, 6, [-4, -2, 0, 2, 4, 6]),
        (0, 0.003, [0, 0.001, 0.002, 0.003]),
        (0, 98_765, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (1.7, 2.4, [1.6, 1.8, 2, 2.2, 2.4]),
    ],
)
def test_ticks_are_round_and_hold_all(low, high, ticks):
    assert _ticks(low, high) == pytest.approx(ticks)


def drawing(series):
    """Return the figure of a page, an Element."""
    shown = claim(evidence=[["lag", {"series": series, "unit": "offsets"}]])
    return ET.fromstring(re.search("<figure.*</figure>", html(run(shown)), re.S)[0])


def test_a_gap_interrupts_the_line():
    [line] = [path.get("d") for path in drawing(LAG["series"]).iter("path") if "line s0" in path.get("class")][1:]
    assert re.sub(r"[\d. ]+", "", line) == "MLM"
    assert len(list(drawing(LAG["series"]).iter("circle"))) == 3


@pytest.mark.parametrize(
    "series", [{}, {"a": []}, {"a": [[0, None]]}, {"a": [[1, 1]]}, {"a": [[0, 0], [0, 0]], "b": []}]
)
def test_little_or_nothing_can_be_plotted(series):
    assert "lag" in "".join(drawing(series).itertext())


def test_lines_stay_in_the_drawing():
    points = [[x / 10, (-1) ** x * x * 1e6] for x in range(200)]
    [line] = [path.get("d") for path in drawing({"a": points}).iter("path") if path.get("class") == "line s0"][1:]
    for x, y in re.findall(r"([\d.]+) ([\d.]+)", line):
        assert 60 <= float(x) <= 458
        assert 10 <= float(y) <= 176


def test_a_plot_says_its_numbers_to_those_who_cannot_see_it():
    [label] = [svg.get("aria-label") for svg in drawing(LAG["series"]).iter("svg") if svg.get("role")]
    assert label == "lag, offsets over seconds. partition 0: 0 to 4, at last 1"

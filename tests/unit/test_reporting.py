"""The plugin that collects a run for the report, in runs of pytest with their own tests and without a broker."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kafka_proof.report import page
from smoke import reporting

pytest_plugins = ["pytester"]

CONFTEST = """
from smoke.options import pytest_addoption
from smoke.reporting import NAME, Reporting

def pytest_configure(config):
    config.pluginmanager.register(Reporting(config), NAME)
"""
TESTS = '''
"""What a client relies on."""
import pytest

@pytest.fixture
def cleaned():
    yield
    assert False, "the topic is still there"

@pytest.fixture
def broken():
    raise OSError("no route")

def test_it_holds(record_property):
    record_property("owners", {"columns": ["member", "partition"], "rows": [["A", 0]]})

def test_it_fails():
    """The doc says it.

    And more.
    """
    assert 1 == 2, "one is not two: <b>"

@pytest.mark.skip(reason="needs a cluster")
def test_skipped():
    pass

def test_not_cleaned(cleaned):
    pass

def test_neither(cleaned):
    pytest.fail("and before that it failed", pytrace=False)

def test_no_set_up(broken):
    pass

@pytest.mark.parametrize("codec", ["gzip"])
def test_codec(codec):
    pass
'''


@pytest.fixture
def suite(pytester, monkeypatch):
    """suite(code, *options): run pytest on these tests; returns pytester's result and the run that was reported."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(CONFTEST)

    def suite(code, *options):
        pytester.makepyfile(test_suite=code)
        seen = []

        class Watch:
            def pytest_unconfigure(self, config):
                if plugin := config.pluginmanager.get_plugin(reporting.NAME):
                    seen.append(plugin.run)

        result = pytester.runpytest_inprocess(*options, plugins=[Watch()], no_reraise_ctrlc=True)
        return result, seen[0] if seen else None

    return suite


def test_what_is_gathered(suite):
    result, run = suite(TESTS)
    assert result.ret == 1
    assert run["verdict"] == "failed"
    assert [(test["property"], test["outcome"], test["message"].split("\n")[0]) for test in run["tests"]] == [
        ("It holds", "passed", ""),
        ("The doc says it", "failed", "one is not two: <b>"),
        ("Skipped", "skipped", "needs a cluster"),
        ("Not cleaned", "error", "the topic is still there"),
        ("Neither", "failed", "and before that it failed"),
        ("No set up", "error", "OSError: no route"),
        ("Codec (gzip)", "passed", ""),
    ]
    assert {test["module"] for test in run["tests"]} == {"What a client relies on"}
    assert "the topic is still there" in run["tests"][4]["message"]
    assert run["tests"][0]["evidence"] == [["owners", {"columns": ["member", "partition"], "rows": [["A", 0]]}]]
    assert {"pytest", "kafka-python", "kafka-proof", "Python"} == run["versions"].keys()


def test_the_terminal_has_a_line_for_each_property(suite):
    lines = [re.sub(r" \([\d.]+ s\)", "", line) for line in suite(TESTS)[0].outlines]
    start = lines.index("What a client relies on")
    assert lines[start + 1 : start + 16] == [
        "  ok      It holds",
        "  FAILED  The doc says it",
        "          one is not two: <b>",
        "  skipped Skipped",
        "          needs a cluster",
        "  ok      Not cleaned",
        "  ERROR   Not cleaned",
        "          the topic is still there",
        "  FAILED  Neither",
        "          and before that it failed",
        "  ERROR   Neither",
        "          the topic is still there",
        "  ERROR   No set up",
        "          OSError: no route",
        "  ok      Codec (gzip)",
    ]
    assert "failed: 2 of 7 properties do not hold, 2 could not be tested, 1 was skipped." in lines
    assert "why: kafka-doctor --client-properties build/client.properties" in lines


@pytest.mark.parametrize("option", ["-v", "-q"])
def test_another_display_than_the_usual_is_left_to_pytest(suite, option):
    result, _ = suite(TESTS, option)
    assert "What a client relies on" not in result.outlines
    assert "Codec (gzip)" not in result.stdout.str()


def test_junit_has_the_evidence_as_json(suite, pytester):
    suite(TESTS, "--junit-xml=junit.xml")
    [found] = ET.parse(pytester.path / "junit.xml").iter("property")
    assert found.attrib == {"name": "owners", "value": '{"columns": ["member", "partition"], "rows": [["A", 0]]}'}


def test_the_page_is_written_also_where_there_was_no_directory(suite, pytester):
    suite(TESTS, "--report", "build/page.html")
    assert "one is not two: &lt;b&gt;" in (pytester.path / "build" / "page.html").read_text()


def test_a_page_that_cannot_be_written_is_refused_at_once(suite, pytester):
    result, run = suite(TESTS, "--report", ".")
    assert result.ret == 2
    assert "--report .: Is a directory. Name a file that can be written." in result.stderr.str()
    assert not run


def test_github_gets_a_summary_and_annotations(suite, pytester, monkeypatch):
    summary = pytester.path / "summary.md"
    summary.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    result, _ = suite(TESTS)

    assert summary.read_text().startswith("# before\n## ✗ Kafka smoke test: failed\n")
    assert len([line for line in result.outlines if line.startswith("::error title=Kafka")]) == 4


@pytest.mark.parametrize(
    ("code", "options", "reason"),
    [
        ("def test_a(): __import__('pytest').exit('h:1: no Kafka', returncode=2)", [], "h:1: no Kafka"),
        ("def test_a(): raise KeyboardInterrupt", [], "It was interrupted."),
        ("import nothing_of_this_name", [], "1 error during collection"),
        ("def test_a(): pass", ["-k", "other"], ""),
    ],
)
def test_a_run_that_ends_early_is_no_verdict(suite, code, options, reason):
    _, run = suite(code, *options)
    assert run["verdict"] == "unusable"
    assert run["reason"] == reason


def test_what_did_not_run_is_named(suite):
    _, run = suite(TESTS, "--exitfirst")
    assert [test["outcome"] for test in run["tests"]] == ["passed", "failed"] + ["not run"] * 5


def test_a_clean_up_that_fails_after_an_early_end_is_said(suite):
    code = """
import pytest

@pytest.fixture(scope="session")
def prefix():
    yield
    raise OSError("topics are left")

def test_a(prefix):
    raise KeyboardInterrupt
"""
    _, run = suite(code)
    assert run["reason"] == "It was interrupted. The clean-up failed: topics are left"


def test_a_report_that_cannot_be_written_in_the_end_is_no_failure(suite, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "nowhere" / "summary.md"))
    result, _ = suite("def test_a(): pass")
    assert result.ret == 0
    assert "could not be written (No such file or directory)" in result.stdout.str()


def test_a_list_of_the_tests_is_no_run(suite):
    result, run = suite(TESTS, "--collect-only")
    assert result.ret == 0
    assert not run


def test_the_templates_are_in_the_package():
    assert page.TEMPLATE.parent == Path(page.__file__).parent
    assert page.TEMPLATE.name in page.templates().list_templates(extensions=["j2"])

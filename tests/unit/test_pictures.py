"""The picture of the report in the documentation shows a run with all properties of the suite."""

import json

import pytest

from tests.report import pictures
from tests.report.pictures import PICTURE, SAMPLE, record

RUN = json.loads(SAMPLE.read_text(encoding="utf-8"))


def claims(run):
    return {test["id"]: (test["property"], test["module"]) for test in run["tests"]}


def test_the_sample_has_each_property_of_the_suite_and_no_other():
    status, suite = record(["--collect-only", "--quiet"])
    assert status == 0
    assert claims(RUN) == claims(suite), "draw the picture again: tox -e pictures"


def test_the_sample_is_a_whole_run_in_which_all_properties_hold():
    assert RUN["verdict"] == "passed"
    assert {test["outcome"] for test in RUN["tests"]} == {"passed"}
    assert all(test["seconds"] for test in RUN["tests"])


def test_the_picture_is_a_small_file():
    assert PICTURE.stat().st_size < 400_000


@pytest.mark.parametrize(
    ("status", "outcome", "code"), [(1, "failed", 1), (0, "skipped", 2), (4, "not run", 4), (0, "passed", 0)]
)
def test_only_a_run_in_which_all_holds_is_kept(status, outcome, code, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "record", lambda _: (status, {"tests": [RUN["tests"][0] | {"outcome": outcome}]}))
    monkeypatch.setattr(pictures, "draw", lambda *_: drawn.append(1))
    monkeypatch.setattr(pictures, "SAMPLE", tmp_path / "sample.json")
    monkeypatch.setattr(pictures, "ROOT", PICTURE.anchor)
    monkeypatch.setattr(pictures.browser, "PROGRAM", "chromium")
    monkeypatch.setattr(pictures.shutil, "which", lambda _: "pngquant")

    assert pictures.main([]) == code
    assert len(drawn) == (tmp_path / "sample.json").is_file() == (code == 0)


def test_missing_programs_are_one_line(monkeypatch, capsys):
    monkeypatch.setattr(pictures.browser, "PROGRAM", None)

    assert pictures.main([]) == 2
    assert capsys.readouterr().err.endswith("Install them: apt-get install chromium pngquant\n")

"""The generated pages are those of their sources."""

import runpy
from pathlib import Path

import pytest

from kafka_proof.advice import ADVICE

ROOT = Path(__file__).resolve().parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


@pytest.mark.parametrize("path", ["docs/variables.md", "docs/troubleshooting.md"])
def test_page_is_the_one_that_its_sources_give(path):
    assert (ROOT / path).read_text() == GENERATE["pages"]()[path], "run: tox -e docs"


def test_each_diagnosis_has_one_symptom():
    codes = [code for symptoms in GENERATE["SYMPTOMS"].values() for code in symptoms]
    assert sorted(codes) == sorted(ADVICE)

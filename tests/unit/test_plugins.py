"""Plugins are thin: documentation that ansible-doc finds, which is also their specification, and no decisions."""

import json
import subprocess
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from kafka_proof.action import _argument_spec, engine_error, templated, untagged

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = sorted(path.stem for path in (ROOT / "plugins" / "action").glob("*.py"))


def test_ansible_doc_finds_every_action():
    command = ["ansible-doc", "--type", "module", "--json", *ACTIONS]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert sorted(found) == ACTIONS
    for name, item in found.items():
        assert item["doc"]["has_action"], name
        assert item["doc"]["short_description"], name
        assert {"check_mode", "diff_mode"} <= item["doc"]["attributes"].keys(), name
        assert name in item["examples"], name


def test_every_documentation_has_an_action():
    assert sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")) == ACTIONS


@pytest.mark.parametrize("name", ACTIONS)
def test_actions_are_short(name):
    assert len((ROOT / "plugins" / "action" / f"{name}.py").read_text().splitlines()) <= 50


def test_the_specification_is_the_documentation():
    options = _argument_spec("kafka_topics")
    assert options["client"] == {"type": "dict", "required": True}
    assert options["topics"]["options"]["name"] == {"type": "str", "required": True}
    assert options["timeout"] == {"type": "int", "default": 60}


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (
            "docker: Error response from daemon: name in use.\n\nRun 'docker run --help' for more information\n",
            "docker: ",
        ),
        ("a\nb\nc\nd\ne\n", "b c d e"),
        ("\x1b[31mred\n", "\\x1b[31mred"),
        ("", "nothing"),
    ],
)
def test_errors_of_the_engine_are_kept(stderr, said):
    assert engine_error("", stderr).startswith(said)
    assert "--help" not in engine_error("", stderr)


def test_templates_have_results_and_other_values_stay():
    templar = Templar(DataLoader(), {"inner": trust_as_template("{{ 1 + 1 }}")})
    trusted = {"plain": "a", "deep": [{"key": "{{ inner }}"}], "{{ inner }}": "key", "kinds": [None, True, 1, 1.5]}
    values = {"own": {name: _trusted(value) for name, value in trusted.items()}, "untrusted": "{{ inner }}"}
    own = {"plain": "a", "deep": [{"key": 2}], "{{ inner }}": "key", "kinds": [None, True, 1, 1.5]}
    assert templated(templar, values) == {"own": own, "untrusted": "{{ inner }}"}


def _trusted(value):
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    return trust_as_template(value) if isinstance(value, str) else value


def test_tags_go():
    tagged = {trust_as_template("a"): [trust_as_template("b"), 1, True, None, {"c": 1.5}]}
    found = untagged(tagged)
    assert found == tagged
    assert [type(part) for part in (*found, *found["a"])] == [str, str, int, bool, type(None), dict]

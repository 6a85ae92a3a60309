"""Which of a host's variables are refused, before any host is spoken to."""

import re
from pathlib import Path

import pytest
import yaml

from kafka_proof.deploy.variables import checked, of_no_controller, of_other_mode, specified

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION = specified(ROOT / "roles")


def problems(given=(), **variables):
    values = {name: value for name, value in variables.items() if name in SPECIFICATION}
    return checked(values, [*variables, "other", "_kafka_x", "ansible_host"], SPECIFICATION, given)[1]


@pytest.mark.parametrize(
    ("name", "near"),
    [("kafka_prot", "kafka_port"), ("zookeeper_haep", "zookeeper_heap"), ("stack_nmae", "stack_name")],
)
def test_a_misspelt_variable(name, near):
    [problem] = problems(kafka_port=1, **{name: 1})
    assert problem.startswith(f"{name} is no variable of this project. Did you mean {near}?")
    assert "stack_ignored_variables" in problem


def test_a_misspelt_variable_of_any_playbook_by_e():
    """Such as migrate_finalize: the playbook would run without it."""
    specs = yaml.safe_load((ROOT / "roles" / "stack" / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    names = list(specs["playbooks"]["options"])
    assert "migrate_finalise" in names
    for name in names:
        [problem] = problems(given=[f"{name}x"], **{f"{name}x": 1})
        assert problem.startswith(f"{name}x is no variable of this project.")


@pytest.mark.parametrize("heap", ["300", "1.5g", "-1m", "256 m"])
def test_a_heap_that_the_jvm_would_refuse(heap):
    [problem] = problems(kafka_heap="1G", zookeeper_heap=heap)
    assert problem.startswith(f"zookeeper_heap is '{heap}'.")
    assert "such as 512m" in problem


def test_of_what_is_mistyped_only_what_came_by_e_is_told():
    mistyped = {"kafka_port": "abc", "kafka_advertised_port": "abc"}
    assert len(problems(**mistyped)) == 2
    [problem] = problems(given=["kafka_port"], **mistyped)
    assert "kafka_port" in problem


@pytest.mark.parametrize(
    ("name", "value", "like"),
    [
        ("kafka_config", "{log.retention.hours: 24}", """-e '{"kafka_config": {"KEY": "VALUE"}}'"""),
        ("kafka_topics_present", "orders", """-e '{"kafka_topics_present": […]}'"""),
    ],
)
def test_text_that_was_meant_to_be_more(name, value, like):
    [problem] = problems(given=[name], **{name: value})
    assert name in problem
    assert like in problem
    assert like not in problems(**{name: value})[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka_config", {"a": 1, "ssl.key.password": "***"}),
        ("kafka_topics_present", [{"name": "a", "config": {"some.token": "***"}}]),
        ("kafka_jvm_options", "-Da=b -Djavax.net.ssl.keyStorePassword=***"),
    ],
)
def test_the_mask_of_an_advised_command(name, value):
    [problem] = problems(**{name: value})
    assert problem == (
        f"{name} has the value ***, with which an advised command hides a secret. Write the secret itself."
    )


def test_stars_that_are_no_mask():
    assert problems(kafka_config={"ssl.key.password": "a***", "a": "****"}, kafka_jvm_options="-Da=***b") == []


def test_a_variable_that_is_meant_for_something_else():
    assert problems(kafka_prot=1, stack_ignored_variables=["kafka_pr.*"]) == []
    assert len(problems(kafka_prot=1, zookeeper_x=1, stack_ignored_variables=["kafka_pr.*", "keeper"])) == 1
    assert len(problems(kafka_prot=1, stack_ignored_variables="keeper,kraft")) == 1  # not letters, such as k


def test_an_ignored_variable_that_is_no_regular_expression():
    [unknown, problem] = problems(kafka_prot=1, stack_ignored_variables=["other", "x["])
    assert unknown.startswith("kafka_prot is no variable")
    assert problem.startswith("stack_ignored_variables has 'x[', which is no regular expression: unterminated")
    assert "at position 1" in problem


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"kafka_port": "abc"}, ["kafka_port", "abc", "int"]),
        ({"kafka_config": ["a"]}, ["kafka_config", "dict"]),
        ({"kafka_profile": "fast"}, ["kafka_profile", "development, production", "fast"]),
        ({"kafka_topics_present": [{"name": "a", "partition": 2}]}, ["partition", "partitions"]),
        ({"kafka_topics_present": [{"partitions": 2}]}, ["kafka_topics_present", "name"]),
        ({"kafka_topics_present": ["topic1:100:3"]}, ["has 'topic1:100:3'", "{name: …, partitions: …", "needed: name"]),
        ({"kafka_topics_present": [{"name": True}]}, ["name of kafka_topics_present is True", "in quotes"]),
        ({"kafka_listeners": ["PLAINTEXT://:9092"]}, ["'PLAINTEXT://:9092'", "needed: name, port, advertised_host"]),
        ({"kafka_advertised_host": ["a", "b"]}, ["kafka_advertised_host is ['a', 'b']", "one text"]),
        ({"kafka_jvm_options": ["-Xss1m", "-Dx=1"]}, ["kafka_jvm_options is ['-Xss1m', '-Dx=1']", "one text"]),
        ({"zookeeper_heap": ""}, ["zookeeper_heap is ''", "512m"]),
        ({"kafka_config": {1: 2, "a": 1}}, ["kafka_config has the key 1", "in quotes"]),
        ({"docker_engine_start_timeout": "soon"}, ["docker_engine_start_timeout", "soon"]),
        ({"stack_name": "a b"}, ["stack_name is 'a b'", "letters, digits"]),
        ({"stack_name": "-a"}, ["'-a'", "a letter or digit first"]),
    ],
)
def test_a_mistyped_variable(variables, words):
    [problem] = problems(**variables)
    assert not [word for word in words if word not in problem], problem


def test_all_are_named_at_once():
    assert len(problems(kafka_prot=1, kafka_port="abc", stack_name="a b")) == 3


@pytest.mark.parametrize(
    ("names", "with_zookeeper", "refused"),
    [
        (
            ["kafka_port", "zookeeper_heap", "kafka_zookeeper_connect"],
            False,
            ["kafka_zookeeper_connect", "zookeeper_heap"],
        ),
        (["kafka_port", "zookeeper_heap", "upgrade_protocol"], True, []),
        (["kafka_controller_heap", "upgrade_finalise"], True, ["kafka_controller_heap", "upgrade_finalise"]),
        (["kafka_controller_heap"], False, []),
    ],
)
def test_variables_of_the_other_mode(names, with_zookeeper, refused):
    found = of_other_mode(names, with_zookeeper)
    assert [message.partition(" ")[0] for message in found] == refused
    assert all("Remove it." in message for message in found)


def test_variables_that_brokers_which_are_controllers_ignore():
    own = {name for name in SPECIFICATION if name.startswith("kafka_controller_")}
    found = [message.partition(" ")[0] for message in of_no_controller([*own, "kafka_heap", "stack_name"])]
    assert found == sorted(own - {"kafka_controller_port", "kafka_controller_bind_address"})


def test_values_are_converted():
    listeners = [{"name": "E", "port": "9092", "protocol": "PLAINTEXT", "advertised_host": "h"}]
    given = {"kafka_port": "9092", "kafka_listeners": listeners, "kafka_heap": None, "kafka_restart_gate": "no"}
    given["kafka_config"] = {"a": None}  # leaves out a setting of the profile
    values, found = checked(given, given, SPECIFICATION)
    assert found == []
    numbers = [{"name": 20190801, "partitions": "1e2"}]
    assert checked({"kafka_topics_present": numbers}, [], SPECIFICATION)[0] == {
        "kafka_topics_present": [{"name": "20190801", "partitions": 100}]
    }
    assert values == {
        "kafka_port": 9092,
        "kafka_listeners": [listeners[0] | {"port": 9092}],  # and nothing that was left out
        "kafka_heap": None,
        "kafka_restart_gate": False,
        "kafka_config": {"a": None},
    }


def test_no_problems():
    assert problems(kafka_port="9092", kafka_config={"a": 1}, kafka_topics_present=[], stack_name="a.b-C_1") == []
    assert problems() == []


def test_a_variable_of_a_playbook_is_ours_where_it_is_given_for_it():
    given = {"teardown_date": True, "upgrade_protocol": False, "rebalance_trottle": 1, "other": 1}
    _, found = checked({}, ["restart_policy", *given], SPECIFICATION, given)
    assert [problem.partition(" If ")[0] for problem in found] == [
        "rebalance_trottle is no variable of this project. Did you mean rebalance_throttle?",
        "teardown_date is no variable of this project. Did you mean teardown_data?",
    ]


def test_the_playbooks_variables_are_all_specified():
    playbooks = Path(__file__).resolve().parents[2] / "playbooks"
    words = set(
        re.findall(
            r"\b(?:decommission|(?:export|plan|rebalance|restart|support|teardown|upgrade)_)\w*",
            "".join(path.read_text() for path in playbooks.glob("*.yml")),
        )
    )
    assert {word for word in words if word not in SPECIFICATION} <= {"support_gather", "teardown_"}

"""The roles' descriptions of themselves: defaults, their comments, and the argument specifications agree."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from kafka_proof.deploy.engines import smoke_options
from kafka_proof.deploy.lines import BETWEEN
from kafka_proof.operations.reassign.run import THROTTLE
from smoke.options import deployed_topic
from tests.support import engine

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# Their names are those of the modules.
ACCESS = {"kafka_acls", "kafka_acls_absent", "kafka_quotas", "kafka_users", "kafka_users_absent"}
TYPES = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict"}


def load(path):
    return yaml.safe_load((ROOT / path).read_text())


def defaults(role):
    return load(f"roles/{role}/defaults/main.yml")


def options(role):
    entry_points = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    [name] = entry_points.keys() - {"playbooks"}
    return entry_points[name]["options"]


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_specification_name_the_same_variables(role):
    assert sorted(defaults(role)) == sorted(options(role))


@pytest.mark.parametrize("role", ROLES)
def test_types_are_those_of_the_defaults(role):
    for name, value in defaults(role).items():
        if value is not None and not (isinstance(value, str) and "{{" in value):
            assert options(role)[name]["type"] == TYPES[type(value)], name


@pytest.mark.parametrize("role", ROLES)
def test_choices_hold_the_default(role):
    for name, value in defaults(role).items():
        choices = options(role)[name].get("choices")
        given = value if isinstance(value, list) else [value]
        assert choices is None or "{{" in str(value) or set(given) <= set(choices), name


@pytest.mark.parametrize("role", ROLES)
def test_each_default_has_one_line_of_comment(role):
    lines = (ROOT / "roles" / role / "defaults" / "main.yml").read_text().splitlines()
    found = [number for number, line in enumerate(lines) if re.match(r"\w+:", line)]
    assert len(found) == len(defaults(role))
    for number in found:
        assert re.match(r"# \S.{10,}[^.]$", lines[number - 1]), lines[number]
        assert not lines[number - 2].startswith("#"), f"two lines above {lines[number]}"


@pytest.mark.parametrize("role", ROLES)
def test_each_option_is_described(role):
    for name, option in options(role).items():
        assert re.match(r"[A-Z].*\.$", option["description"]), name


@pytest.mark.parametrize("role", ROLES)
def test_public_variables_begin_with_the_name_of_their_role(role):
    for name in defaults(role):
        assert name.startswith(f"{role}_") or name in ACCESS


@pytest.mark.parametrize("role", ROLES)
def test_computed_and_registered_variables_begin_with_underscores_and_the_name_of_their_role(role):
    for path in sorted((ROOT / "roles" / role / "vars").glob("*.yml")):
        for name in load(path.relative_to(ROOT)):
            assert name.startswith(f"_{role}_"), path
    for path in sorted((ROOT / "roles" / role / "tasks").glob("*.yml")):
        for name in re.findall(r"^\s*register: (\S+)", path.read_text(), re.MULTILINE):
            assert name.startswith(f"__{role}_"), path


def tasks(items):
    """Yield the tasks of a file or a block, and those of the blocks in it."""
    for item in items:
        yield item
        for part in ("block", "rescue", "always"):
            yield from tasks(item.get(part, []))


def test_each_update_of_package_lists_ends_without_a_network():
    found = []
    for path in sorted((ROOT / "roles").glob("*/tasks/*.yml")):
        for task in tasks(load(path.relative_to(ROOT))):
            if (apt := task.get("ansible.builtin.apt", {})).get("update_cache"):
                found.append((task.get("timeout", 0) in range(1, 91), apt.get("update_cache_retries")))
    assert found == [(True, 1)] * 2


@pytest.mark.parametrize("path", ["kafka/tasks/start.yml", "kafka_controller/tasks/run.yml"])
def test_no_controller_starts_after_the_first_one_failed(path):
    """Its host would join them later, and no controller would begin the quorum."""
    before = []
    for task in load(f"roles/{path}"):
        if task["name"] == "Create the network":
            before += load(f"roles/stack/tasks/{task['ansible.builtin.include_role']['tasks_from']}.yml")
        elif not task.get("run_once"):
            before.append(task)
        if task["name"] == "Start the first controller":
            break
    assert len(before) == 2
    assert all(task["any_errors_fatal"] for task in before)


def test_no_variable_has_two_roles():
    names = [name for role in ROLES for name in defaults(role)]
    assert len(names) == len(set(names))


def test_defaults_that_two_files_need_agree():
    """Ansible cannot import, and the suite must not import what deploys."""
    option = SimpleNamespace(topic="", bootstrap_server="", client_properties="")
    name, partitions = deployed_topic(option)
    assert defaults("kafka_topics")["kafka_topics_present"] == [{"name": name, "partitions": partitions}]
    topic = [{"name": name, "partitions": partitions}]
    assert smoke_options("", "client.properties", topic) == ""

    assert BETWEEN == engine.VERSION

    limits = [play.get("vars", {}) for file in ("rebalance", "decommission") for play in load(f"playbooks/{file}.yml")]
    throttles = [found["rebalance_throttle"] for found in limits if "rebalance_throttle" in found]
    module = yaml.safe_load(runpy.run_path(str(ROOT / "plugins" / "modules" / "kafka_topics.py"))["DOCUMENTATION"])
    throttles.append(module["options"]["throttle"]["default"])
    assert throttles == [THROTTLE] * 3


def test_site_imports_what_is_there():
    plays = load("site.yml")
    assert plays
    for play in plays:
        assert set(play) == {"name", "tags", "ansible.builtin.import_playbook"}
        assert (ROOT / play["ansible.builtin.import_playbook"]).is_file()


def test_each_role_has_a_task_that_begins_it():
    for role in ROLES:
        # The content of `stack` is for the other roles: they name the tasks.
        assert (ROOT / "roles" / role / "tasks" / "main.yml").is_file() or role == "stack"


def test_each_variable_is_set_by_a_test():
    paths = {*(ROOT / "tests").rglob("*.py"), *(ROOT / "molecule").rglob("*.yml"), ROOT / "ci" / "job.py"}
    paths.remove(ROOT / "tests" / "unit" / "stack.py")  # it repeats defaults
    words = set(re.findall(r"\w+", "".join(path.read_text() for path in paths)))
    entry_points = [load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"] for role in ROLES]
    names = {name for points in entry_points for point in points.values() for name in point["options"]}
    assert sorted(names - words) == []


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reads_private_variables_of_a_role_above_it(role):
    """`stack` is below all others, which only depend on it."""
    longest_first = sorted(ROLES, key=len, reverse=True)  # kafka_image before kafka
    text = "".join(path.read_text() for path in (ROOT / "roles" / role).rglob("*.yml"))
    found = re.findall(rf"\b__?({'|'.join(longest_first)})_\w+", text)
    assert set(found) <= {role, "stack"}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "stack"])
def test_main_is_a_table_of_contents(role):
    tasks = load(f"roles/{role}/tasks/main.yml")
    assert len(tasks) <= 8
    assert len((ROOT / "roles" / role / "tasks" / "main.yml").read_text().splitlines()) <= 60


def test_roles_ask_the_engine_by_actions_and_raw_alone_and_never_for_ever():
    asks, without = [], re.compile(r"(?<!timeout \d\d )(?<!timeout \d\d\d )(?<!\d }} )docker [a-z]")
    for path in [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml")]:
        for task in tasks([part for item in load(path.relative_to(ROOT)) for part in (item, *item.get("tasks", []))]):
            for module in {"ansible.builtin.raw", "ansible.builtin.command", "ansible.builtin.shell"} & task.keys():
                asks += [(module, task[module])] if re.search(r"\bdocker [a-z]", str(task[module])) else []
    assert len(asks) >= 6
    assert {module for module, _ in asks} == {"ansible.builtin.raw"}
    # `timeout 30`, or a number that a template computes.
    assert [script for _, script in asks if without.search(script)] == []
    assert without.search("docker start x")

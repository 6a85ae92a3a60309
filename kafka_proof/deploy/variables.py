"""Variables of this project: which there are, and which of a host's are misspelt, removed or mistyped."""

import difflib
import re
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

_ROLES = ("docker_engine_", "kafka_", "stack_", "zookeeper_")

_PLAYBOOKS = ("decommission", "rebalance_", "restart_", "support_", "teardown_", "upgrade_")

# How a value of this type is written by -e.
_LIKE = {"dict": '{"KEY": "VALUE"}', "list": "[…]"}


def specified(roles):
    """The options of all roles, {name: option}. `roles`: the directory."""
    found = {}
    for path in Path(roles).glob("*/meta/argument_specs.yml"):
        for entry_point in yaml.load(path.read_text(), yaml.CSafeLoader)["argument_specs"].values():
            found |= entry_point["options"]
    return found


def variable_problems(values, names, specification, given=()):
    """What in one host's variables is misspelt, removed or mistyped.

    `values`: {name: value} of what is specified; `names`: of all variables; `specification`: what `specified` returns;
    `given`: names of those that came by -e.
    """
    problems = []
    ours = [name for name in names if name.startswith(_ROLES)] + [name for name in given if name.startswith(_PLAYBOOKS)]
    for name in sorted(set(ours) - specification.keys()):
        if not any(re.match(str(pattern), name) for pattern in values.get("stack_ignored_variables", [])):
            near = difflib.get_close_matches(name, specification, n=1, cutoff=0)
            problems.append(
                f"{name} is no variable of this project. Did you mean {near[0]}? "
                "If it is meant for something else, name it in stack_ignored_variables."
            )
    problems += _type_problems(values, specification, given)
    for name in ("kafka_heap", "zookeeper_heap"):
        if (heap := values.get(name)) and not re.fullmatch(r"\d+[kKmMgG]", str(heap)):
            problems.append(f"{name} is '{heap}'. Write it as the JVM wants it, with a unit, such as 512m.")
    if not re.fullmatch(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)?", str(values.get("stack_name", ""))):
        problems.append(
            f"stack_name is '{values['stack_name']}', and Docker names no container so. "
            "Use letters, digits, dots, underscores and hyphens, a letter or digit first."
        )
    return problems


def _type_problems(values, specification, given):
    problems = {}
    for name, value in values.items():
        if messages := ArgumentSpecValidator({name: specification[name]}).validate({name: value}).error_messages:
            problems[name] = " ".join(messages)
    # What is mistyped by -e makes all that is worked out from it mistyped, too.
    problems = {name: message for name, message in problems.items() if name in given} or problems
    for name in problems:
        like = _LIKE.get(specification[name]["type"])
        if like and name in given and isinstance(values[name], str):
            problems[name] += f""". By -e it is written as JSON: -e '{{"{name}": {like}}}'"""
    return list(problems.values())

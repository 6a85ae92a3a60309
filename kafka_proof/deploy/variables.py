"""Variables of this project: which exist, and which of a host's are misspelt, removed or mistyped."""

import difflib
import itertools
import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from kafka_proof.client import redact

Values = Mapping[str, Any]  # {name: value}
Specification = Mapping[str, Mapping[str, Any]]  # {name: option, as in meta/argument_specs.yml}
Checked = tuple[dict[str, Any], list[str]]  # converted values, and what is wrong

_ROLES = ("docker_engine_", "kafka_", "stack_", "zookeeper_")
# The playbooks' own variables are common words. They belong to this project only where they come by -e.
PLAYBOOKS = (
    *("adopt_", "decommission", "export_", "migrate_", "plan_", "rebalance_", "restart_", "rotate_"),
    *("secure_", "support_", "teardown_", "upgrade_"),
)
# Variables for one mode alone.
_OF_ZOOKEEPER: tuple[str, ...] = ("zookeeper_", "kafka_zookeeper_", "upgrade_protocol")
_OF_KRAFT: tuple[str, ...] = ("kafka_controller_", "upgrade_finalise")
# Variables for controllers that are no brokers. The port and its address are those of every controller.
_OF_CONTROLLERS = tuple(f"kafka_controller_{name}" for name in ("config", "heap", "id", "jvm_", "memory", "start_"))
# A value that redact.masked made: all of it is hidden, or what follows a name in it.
_MASKED = re.compile(rf"(.*[=:]\s*)?{re.escape(redact.MASK)}", re.DOTALL)
# How -e gives a value of this type.
_LIKE = {"dict": '{"KEY": "VALUE"}', "list": "[…]"}


def specified(roles: str | Path) -> dict[str, dict[str, Any]]:
    """Return the options of all roles, {name: option}. `roles`: their directory."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(Path(roles).glob("*/meta/argument_specs.yml")):
        for entry_point in yaml.load(path.read_text(), yaml.CSafeLoader)["argument_specs"].values():
            found |= entry_point["options"]
    return found


def default_files(roles: str | Path) -> list[str]:
    """Return the files with the defaults of all roles."""
    return [str(path) for path in sorted(Path(roles).glob("*/defaults/main.yml"))]


def of_other_mode(names: Iterable[str], with_zookeeper: bool) -> list[str]:
    """Return a message for each variable, of those that a host has, that the mode of the cluster does not use."""
    of_other = _OF_KRAFT if with_zookeeper else _OF_ZOOKEEPER
    mode, hosts = ("KRaft", "hosts") if with_zookeeper else ("ZooKeeper", "no hosts")
    return [
        f"{name} is a variable for {mode}, and the group zookeeper has {hosts}. Remove it."
        for name in sorted(names)
        if name.startswith(of_other)
    ]


def of_no_controller(names: Iterable[str]) -> list[str]:
    """Return a message for each variable, of those that a host has, that brokers which are controllers ignore."""
    return [
        f"{name} is a variable for controllers that are no brokers, and the group kafka_controller has no hosts. "
        "Remove it; the brokers are the controllers, and have other variables, such as kafka_heap."
        for name in sorted(names)
        if name.startswith(_OF_CONTROLLERS)
    ]


def checked(values: Values, names: Iterable[str], specification: Specification, given: Container[str] = ()) -> Checked:
    """Return (the values, converted to their types; what is misspelt, removed or mistyped).

    values: {name: value} of specified variables of one host; names: of all its variables; given: names that came by -e.
    """
    converted, mistyped = _converted(values, specification, given)
    ignored, irregular = _patterns(converted.get("stack_ignored_variables") or [])
    problems = _unknown(ignored, names, specification, given) + mistyped + irregular
    for role, size in itertools.product(("kafka", "kafka_controller", "zookeeper"), ("heap", "memory")):
        name = f"{role}_{size}"
        if (heap := values.get(name)) is not None and not re.fullmatch(r"\d+[kKmMgG]", str(heap)):
            problems.append(f"{name} is '{heap}'. Write a number with a unit, as the JVM expects, such as 512m.")
    for name in ("kafka_config", "kafka_controller_config", "zookeeper_config"):
        odd = [key for key in values.get(name) or {} if not isinstance(key, str)]
        problems += [f"{name} has the key {key!r}, and names of settings are texts. Write it in quotes." for key in odd]
    problems += [
        f"{name} has the value {redact.MASK}, with which an advised command hides a secret. Write the secret itself."
        for name, value in values.items()
        if _is_masked(value)
    ]
    if not re.fullmatch(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)?", str(values.get("stack_name", ""))):
        problems.append(
            f"stack_name is '{values['stack_name']}', and Docker refuses such a name. "
            "Use letters, digits, dots, underscores and hyphens, a letter or digit first."
        )
    return converted, problems


def _is_masked(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(map(_is_masked, parts)) or (isinstance(value, str) and bool(_MASKED.fullmatch(value)))


def _patterns(texts: Iterable[Any]) -> tuple[list[re.Pattern[str]], list[str]]:
    """Return (patterns of stack_ignored_variables, what in them is none)."""
    patterns, problems = [], []
    for text in map(str, texts):
        try:
            patterns.append(re.compile(text))
        except re.error as error:
            problems.append(
                f"stack_ignored_variables has {text!r}, which is no regular expression: {error}. Correct it; a name by "
                "itself is one."
            )
    return patterns, problems


def _unknown(
    ignored: Iterable[re.Pattern[str]], names: Iterable[str], specification: Specification, given: Container[str]
) -> list[str]:
    ours = [name for name in names if name.startswith(_ROLES) or (name.startswith(PLAYBOOKS) and name in given)]
    unknown = sorted(set(ours) - specification.keys())
    return [
        f"{name} is no variable of this project. Did you mean "
        f"{difflib.get_close_matches(name, specification, n=1, cutoff=0)[0]}? "
        "If it is meant for something else, name it in stack_ignored_variables."
        for name in unknown
        if not any(pattern.match(name) for pattern in ignored)
    ]


def _converted(values: Values, specification: Specification, given: Container[str]) -> Checked:
    converted: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in values.items():
        option = dict(specification[name])
        if value is None:  # left to a default that the code decides
            converted[name] = None
            continue
        if unwritten := _no_text(name, option, value):
            problems[name] = unwritten
            continue
        result = ArgumentSpecValidator({name: option}).validate({name: value})
        converted[name] = _without_absent(result.validated_parameters.get(name))
        if result.error_messages:
            problems[name] = " ".join(result.error_messages)
    # A value that is mistyped by -e makes all values that follow from it mistyped, too.
    problems = {name: message for name, message in problems.items() if name in given} or problems
    for name in problems:
        like = _LIKE.get(specification[name]["type"])
        if like and name in given and isinstance(values[name], str):
            problems[name] += f""". By -e, write JSON: -e '{{"{name}": {like}}}'"""
    return converted, list(problems.values())


def _no_text(name: str, option: Mapping[str, Any], value: Any) -> str:
    """Return why a value is not written as its option wants; "" where the validation of Ansible decides.

    Ansible takes any value for a text: a list becomes "['a', 'b']", and YAML's `on` becomes "True".
    """
    if option["type"] == "str" and isinstance(value, list | dict | bool):
        shown = redact.MASK if option.get("no_log") else repr(value)
        return f"{name} is {shown}, and one text is wanted. Write it in quotes."
    if option.get("elements") == "dict" and isinstance(value, list):
        keys = option.get("options", {})
        for item in value:
            if not isinstance(item, dict):
                form = ", ".join(f"{key}: …" for key in keys)
                shown = redact.MASK if any(key.get("no_log") for key in keys.values()) else repr(item)
                return f"{name} has {shown}. Write each as a mapping: {{{form}}}; needed: {_needed(keys)}."
            for key in keys.keys() & item.keys():
                if problem := _no_text(f"{key} of {name}", keys[key], item[key]):
                    return problem
    return ""


def _needed(options: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(key for key, option in options.items() if option.get("required")) or "none"


def _without_absent(value: Any) -> Any:
    """Drop the keys that the validator adds as None to the items of a list, for options that the user left out."""
    if not isinstance(value, list):
        return value  # in a dictionary of settings, None has a meaning
    return [
        {key: part for key, part in item.items() if part is not None} if isinstance(item, dict) else item
        for item in value
    ]

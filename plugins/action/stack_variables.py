"""Refuse variables of a host that look like this project's and are none, or are mistyped; then work others out.

    stack_variables:
      roles: roles             # the directory of the roles, whose meta/argument_specs.yml say what there is
      work_out: [_kafka_x]     # names of variables, which may make use of those that are checked
      typed: [stack_]          # whose types are checked: those that begin so; all, if it is left out

Returns `values`, {name: value}. For all roles at once: by itself Ansible checks the specification of each role in a
task of its own, on each host. Names of the playbooks' own variables are common words, and belong to this project only
where they come by -e.
"""

import difflib
import re
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

_ROLES = ("docker_engine_", "kafka_", "stack_", "zookeeper_")
_PLAYBOOKS = ("decommission", "rebalance_", "restart_", "support_", "teardown_", "upgrade_")
# How a value of this type is written by -e.
_LIKE = {"dict": '{"KEY": "VALUE"}', "list": "[…]"}


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            argument_spec={
                "roles": {"type": "path", "required": True},
                "work_out": {"type": "list", "elements": "str", "required": True},
                "typed": {"type": "list", "elements": "str", "default": [""]},
            }
        )
        specification = specified(args["roles"])
        typed = tuple(args["typed"])
        values = {name: task_vars[name] for name in specification if name in task_vars and name.startswith(typed)}
        values = self._templar.template(values)
        given = load_extra_vars(self._loader)
        if problems := variable_problems(values, task_vars, specification, given):
            return {"failed": True, "msg": "\n".join([f"{task_vars['inventory_hostname']}:", *problems])}
        values = self._templar.template({name: task_vars[name] for name in args["work_out"]})
        return {"changed": False, "values": values}


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

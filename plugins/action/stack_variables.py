"""Refuse variables of a host that look like this project's and are none, or are mistyped; then work others out.

    stack_variables:
      roles: roles             # the directory of the roles, whose meta/argument_specs.yml say what there is
      work_out: [_kafka_x]     # names of variables, which may make use of those that are checked
      typed: [stack_]          # whose types are checked: those that begin so; all, if it is left out

Returns `values`, {name: value}. For all roles at once: by itself Ansible checks the specification of each role in a
task of its own, on each host. Names of the playbooks' own variables are common words, and belong to this project only
where they come by -e.
"""

from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from kafka_proof.deploy.variables import specified, variable_problems


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

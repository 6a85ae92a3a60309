"""Do what the filters engine_change and engine_removal say, so that a host's Docker engine has just what is wanted.

By the `docker` command and over Ansible's own connection, for the reasons that engine_look gives.

    engine_run:
      change: "{{ _kafka_change }}"
"""

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec={"change": {"type": "dict", "required": True}})
        change = args["change"]
        result = {"changed": change["change"] != "nothing", "diff": change["diff"]}
        if not result["changed"] or self._task.check_mode:
            return result
        # A shell reads the commands from its standard input, so that no `ps` shows what is in the environment.
        command = f"{self._compute_environment_string()} sh -s"
        done = self._low_level_execute_command(command, in_data=change["script"].encode())
        if done["rc"]:
            said = (done["stderr"].strip() or done["stdout"].strip()).splitlines()[-2:]  # the last may only say which
            what = {"remove": "removed", "stop": "stopped"}.get(change["change"], "run")
            where = f"{task_vars['inventory_hostname']}: {change['name']} could not be {what}."
            return {"failed": True, "msg": " ".join([where, "The engine said:", *said])}
        return result

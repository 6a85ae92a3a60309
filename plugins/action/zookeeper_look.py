"""Ask a ZooKeeper server in a container what it is to its ensemble, over Ansible's own connection to its host.

    zookeeper_look:
      container: zookeeper

Never fails. Returns `mode`: leader, follower or standalone, empty if it does not serve, and then `msg`, why not.
"""

import shlex

from ansible.plugins.action import ActionBase

from kafka_proof.deploy.zookeeper import zookeeper_mode

_SRVR = "exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && timeout 4 cat <&3"


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec={"container": {"type": "str", "required": True}})
        command = shlex.join(["docker", "exec", args["container"], "bash", "-c", _SRVR])
        done = self._low_level_execute_command(f"{self._compute_environment_string()} {command}")
        return {"changed": False, **zookeeper_mode(args["container"], done["stdout"], done["stderr"])}

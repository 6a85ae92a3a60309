"""Prove from a host that each address that brokers advertise leads there to the right broker, by Ansible's connection.

    kafka_reach:
      addresses: [[1, "10.0.0.1:9092", true]]   # broker's id, address, and whether to ask who answers: PLAINTEXT only
      timeout: 10                               # seconds for each

Where something else than PLAINTEXT is spoken only the connection is tried. Needs `python3` on the host, as Ansible
does.
"""

import json
import shlex
from pathlib import Path

from ansible.plugins.action import ActionBase

_SCRIPT = Path(__file__).parents[1] / "remote" / "kafka_reach.py"


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            argument_spec={
                "addresses": {"type": "list", "elements": "list", "required": True},
                "timeout": {"type": "int", "default": 10},
            }
        )
        host = "this machine" if self._task.delegate_to else task_vars["inventory_hostname"]
        asked = json.dumps([args["addresses"], args["timeout"]])
        done = self._low_level_execute_command(f"python3 - {shlex.quote(asked)}", in_data=_SCRIPT.read_bytes())
        try:
            problems = json.loads(done["stdout"])
        except ValueError:
            said = (done["stderr"].strip() or done["stdout"].strip() or "nothing").splitlines()[-1]
            return {"failed": True, "msg": f"{host}: its python3 cannot try the brokers' addresses. It said: {said}"}
        if problems:
            return {"failed": True, "msg": "\n".join([f"{host} does not reach all brokers:", *problems])}
        return {"changed": False}

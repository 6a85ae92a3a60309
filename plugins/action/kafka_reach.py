"""Verify from a host that each advertised address leads to its broker. ansible-doc -t module kafka_reach."""

import json
import shlex
from pathlib import Path

from kafka_proof.action import Action, ActionError

_SCRIPT = Path(__file__).parents[1] / "remote" / "kafka_reach.py"


class ActionModule(Action):
    def act(self, arguments):
        host = "this machine" if self._task.delegate_to else self.host
        asked = json.dumps([arguments["addresses"], arguments["timeout"]])
        done = self._low_level_execute_command(f"python3 - {shlex.quote(asked)}", in_data=_SCRIPT.read_bytes())
        try:
            problems = json.loads(done["stdout"])
        except ValueError:
            said = (done["stderr"].strip() or done["stdout"].strip() or "nothing").splitlines()[-1]
            raise ActionError(f"{host}: its python3 cannot try the brokers' addresses. It said: {said}") from None
        if problems:
            raise ActionError("\n".join([f"{host} does not reach all brokers:", *problems]))
        return {}

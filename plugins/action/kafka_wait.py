"""Wait before or after a broker is restarted, and say what for.

    kafka_wait:
      until: can_stop                               # or back
      host: kafka-1                                 # its name in the inventory, for messages
      broker: 1                                     # id
      client: {bootstrap.servers: localhost:9092}   # client properties
      timeout: 600                                  # seconds
      start_timeout: 90                             # seconds until it answers, for `back`

`can_stop`: no partition is offline, under-replicated or short of in-sync replicas beyond what this broker explains.
`back`: it is registered, answers at its advertised address, and is in sync wherever it has a replica.
"""

import time

from ansible.plugins.action import ActionBase

from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.ready import NotReadyError
from kafka_proof.operations.rolling import wait_back, wait_can_stop

_ADVICE = (
    "See playbooks/status.yml, and run this again when that is mended. Where nothing works anyway, "
    "-e kafka_restart_gate=false changes all brokers at once, and waits for nothing"
)


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        required = {"required": True}
        _, args = self.validate_argument_spec(
            argument_spec={
                "until": {"type": "str", "choices": ["can_stop", "back"], **required},
                "host": {"type": "str", **required},
                "broker": {"type": "int", **required},
                "client": {"type": "dict", **required},
                "timeout": {"type": "int", **required},
                "start_timeout": {"type": "int", "default": 90},
            }
        )
        host, started = args["host"], time.monotonic()

        def say(text):
            self._display.display(f"  {host}: {text}")

        try:
            with why_not():
                if args["until"] == "back":
                    wait_back(args["client"], args["broker"], args["start_timeout"], args["timeout"], say)
                else:
                    wait_can_stop(args["client"], args["broker"], args["timeout"], say)
        except (NotReadyError, ClientPropertiesError) as error:
            advice = "" if args["until"] == "back" else f". {_ADVICE}"
            return {"failed": True, "msg": f"{host}: {error}{advice}"}
        return {"changed": False, "seconds": round(time.monotonic() - started, 1)}

"""Wait before or after a node is restarted. ansible-doc -t module kafka_wait."""

import time

from kafka_proof.action import Action, ActionError
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.operations.rolling import wait_back, wait_can_stop

_ADVICE = (
    "See playbooks/status.yml, and run this again when that is repaired. Where nothing works anyway, "
    "-e kafka_restart_gate=false changes all brokers at once, and waits for nothing"
)


class ActionModule(Action):
    def act(self, arguments):
        host, client, node, kinds = (arguments[name] for name in ("host", "client", "node", "kinds"))
        back, started = arguments["until"] == "back", time.monotonic()

        def say(text):
            self.say(f"  {host}: {text}")

        try:
            with why_not():
                if back:
                    wait_back(client, node, arguments["start_timeout"], arguments["timeout"], say, kinds=kinds)
                else:
                    wait_can_stop(client, node, arguments["timeout"], say, kinds=kinds)
        except NotReadyError as error:
            raise ActionError(f"{host}: {error}{'' if back else f'. {_ADVICE}'}") from None
        return {"seconds": round(time.monotonic() - started, 1)}

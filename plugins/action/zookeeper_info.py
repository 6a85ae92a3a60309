"""Ask a ZooKeeper server in a container for its role in the ensemble. ansible-doc -t module zookeeper_info."""

import shlex

from kafka_proof.action import Action
from kafka_proof.client.wait import attempts
from kafka_proof.deploy.zookeeper import zookeeper_mode

_SRVR = "exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && timeout 4 cat <&3"
# Lines of a stack trace begin with a tab.
_FAULTS = "^(Caused by: )?[a-zA-Z.]+(Exception|Error)"
_FAULT = f"timeout 30 docker logs --tail 200 {{container}} 2>&1 | grep -E '{_FAULTS}' | tail -n 1"


class ActionModule(Action):
    def act(self, arguments):
        for _ in attempts(arguments["timeout"], 1):
            if (found := self._ask(arguments))["mode"]:
                break
        return found

    def _ask(self, arguments):
        # That of another image, until the node has taken it over.
        names = [arguments["container"], *filter(None, [arguments["instead_of"]])]
        ask = [shlex.join(["timeout", "30", "docker", "exec", name, "bash", "-c", _SRVR]) for name in reversed(names)]
        done = self.shell(" || ".join(ask))
        found = zookeeper_mode(arguments["container"], done["stdout"], done["stderr"])
        if found["mode"]:
            return found
        log = self.shell(_FAULT.format(container=shlex.quote(arguments["container"])))["stdout"].strip()
        return zookeeper_mode(arguments["container"], done["stdout"], done["stderr"], log)

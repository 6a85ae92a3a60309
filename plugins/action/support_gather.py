"""Ask a host for its part of a support bundle, without secrets. ansible-doc -t module support_gather."""

import time

from kafka_proof.action import Action
from kafka_proof.support import host_script, host_sections, write_host

_CLOCK = "date +%s.%N"


class ActionModule(Action):
    def act(self, arguments):
        asked_at = time.time()
        clock = self.shell(_CLOCK)
        answered_at = time.time()
        done = self.shell(host_script(arguments["containers"], arguments["since"], arguments["log_bytes"]))
        sections = {"clock": (clock["rc"], clock["stdout"])} | host_sections(done["stdout"])
        return {"missing": write_host(arguments["directory"], sections, asked_at, answered_at)}

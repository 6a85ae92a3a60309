"""Ask a host for what tells how it is, and write that to this machine without secrets; nothing changes on the host.

By a shell over Ansible's own connection, so that it works where neither Python nor an engine does.

    support_gather:
      directory: build/support/host-1    # made here
      containers: [kafka, zookeeper]
      since: 24h                         # of the logs, as `docker logs --since` takes it
      log_bytes: 5000000                 # of each container's log, from its end

Returns `missing`, what the host could not say.
"""

import time

from ansible.plugins.action import ActionBase

from kafka_proof.support import host_script, host_sections, write_host

_CLOCK = "date +%s.%N"


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
                "directory": {"type": "str", **required},
                "containers": {"type": "list", "elements": "str", **required},
                "since": {"type": "str", **required},
                "log_bytes": {"type": "int", **required},
            }
        )
        asked_at = time.time()
        clock = self._shell(_CLOCK)
        answered_at = time.time()
        done = self._shell(host_script(args["containers"], args["since"], args["log_bytes"]))
        sections = {"clock": (clock["rc"], clock["stdout"])} | host_sections(done["stdout"])
        return {"changed": False, "missing": write_host(args["directory"], sections, asked_at, answered_at)}

    def _shell(self, script):
        return self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script.encode())

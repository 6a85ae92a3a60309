"""Ask a host for what tells how it is, and write that to this machine without secrets; nothing changes on the host.

By a shell over Ansible's own connection, so that it works where neither Python nor an engine does.

    support_gather:
      directory: build/support/host-1    # made here
      containers: [kafka, zookeeper]
      since: 24h                         # of the logs, as `docker logs --since` takes it
      log_bytes: 5000000                 # of each container's log, from its end

Returns `missing`, what the host could not say.
"""

import shlex
import time

from ansible.plugins.action import ActionBase

from smoke.support import write_host

_MARK = "kafka-proof-support"
_CLOCK = "date +%s.%N"
_HOST = {
    "host": "uname -a; cat /etc/os-release; uptime; nproc; date",
    "memory": "free -m || head -5 /proc/meminfo",
    "disk": "df -hT; df -hi",
    "limits": "ulimit -a; cat /proc/sys/fs/file-max /proc/sys/vm/max_map_count /proc/sys/vm/swappiness",
    "time": "timedatectl status || chronyc tracking || ntpq -p || date",
    "listeners": "ss -Hltnp || netstat -ltnp || cat /proc/net/tcp /proc/net/tcp6",
    "engine": "docker version && docker info",
    "images": "docker images --all --digests --no-trunc",
    "containers": "docker ps --all --no-trunc --size",
    "engine-disk": "docker system df --verbose",
}


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
        done = self._shell(script(args["containers"], args["since"], args["log_bytes"]))
        sections = {"clock": (clock["rc"], clock["stdout"])} | parse(done["stdout"])
        return {"changed": False, "missing": write_host(args["directory"], sections, asked_at, answered_at)}

    def _shell(self, script):
        return self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script.encode())


def script(containers, since, log_bytes):
    """The shell's commands: each prints its section, then a line with its name and its exit status."""
    sections = dict(_HOST)
    for name in map(shlex.quote, containers):
        sections[f"{name}.json"] = f"docker inspect {name}"
        sections[f"{name}.log"] = (
            f"docker inspect --format . {name} >/dev/null && "
            f"docker logs --timestamps --since {shlex.quote(since)} {name} 2>&1 | tail -c {int(log_bytes)}"
        )
    return "\n".join(
        f"( {command} ) </dev/null 2>&1; printf '\\n{_MARK} %s %s\\n' $? {name}" for name, command in sections.items()
    )


def parse(output):
    """Turn what the script printed into {name: (exit status, text)}."""
    sections, lines = {}, []
    for line in output.splitlines():
        if line.startswith(f"{_MARK} "):
            _, status, name = line.split(" ", 2)
            sections[name] = (int(status), "\n".join(lines).strip("\n"))
            lines = []
        else:
            lines.append(line)
    return sections

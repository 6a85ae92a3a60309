"""Bring an image from a host's Docker engine to this machine as a tarball; engine_load takes it to other hosts.

engine_save:
  name: kafka-proof:3.9.2
  archive: build/kafka.tar      # its directory is made
"""

import shlex
from pathlib import Path

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """See the module's docstring."""

    TRANSFERS_FILES = True  # Ansible makes a directory on the host before, and removes it after
    _supports_check_mode = False
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        required = {"type": "str", "required": True}
        _, args = self.validate_argument_spec(argument_spec={"archive": required, "name": required})
        archive = Path(args["archive"])
        archive.parent.mkdir(parents=True, exist_ok=True)
        local = self._connection.transport == "local"
        shell = self._connection._shell
        copy = str(archive) if local else shell.join_path(shell.tmpdir, "image.tar")
        # The file is the engine's client's, which is root where the user may not speak to the engine.
        save = shlex.join(["docker", "save", "--output", copy, args["name"]])
        readable = shlex.join(["chmod", "a+r", copy])
        script = f"{save} && {readable}".encode()
        done = self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script)
        if done["rc"]:
            said = (done["stderr"].strip() or done["stdout"].strip() or "nothing").splitlines()[-1]
            return {"failed": True, "msg": f"{args['name']} could not be saved. The engine said: {said}"}
        if not local:
            self._connection.fetch_file(copy, str(archive))
        return {"changed": False}

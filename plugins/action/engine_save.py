"""Save an image of a host's Docker engine as a tarball on the controller. ansible-doc -t module engine_save."""

import shlex
from pathlib import Path

from kafka_proof.action import Action


class ActionModule(Action):
    TRANSFERS_FILES = True  # Ansible makes a directory on the host before, and removes it after
    _supports_check_mode = False

    def act(self, arguments):
        archive = Path(arguments["archive"])
        archive.parent.mkdir(parents=True, exist_ok=True)
        local, shell = self._connection.transport == "local", self._connection._shell
        copy = str(archive) if local else shell.join_path(shell.tmpdir, "image.tar")
        # The client of the engine writes the file, which is root where the user may not speak to the engine.
        save = shlex.join(["docker", "save", "--output", copy, arguments["name"]])
        self.docker(f"{save} && {shlex.join(['chmod', 'a+r', copy])}", f"{arguments['name']} could not be saved")
        if not local:
            self._connection.fetch_file(copy, str(archive))
        return {}

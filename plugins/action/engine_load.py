"""Load an image from a tarball into a host's Docker engine. ansible-doc -t module engine_load."""

import shlex

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.image import ImageError, loaded_image


class ActionModule(Action):
    TRANSFERS_FILES = True  # Ansible makes a directory on the host before, and removes it after
    _supports_check_mode = False

    def act(self, arguments):
        failed = f"{arguments['archive']} could not be loaded"
        load = shlex.join(["docker", "load", "--quiet", "--input", self._bring(arguments["archive"])])
        try:
            loaded = loaded_image(self.docker(load, failed))
        except ImageError as error:
            raise ActionError(f"{self.host}: {failed}. {error}") from None
        self.docker(shlex.join(["docker", "tag", loaded, arguments["name"]]), failed)
        return {"changed": True}

    def _bring(self, path):
        """Return where the host has the tarball."""
        if self._connection.transport == "local":
            return path
        copy = self._connection._shell.join_path(self._connection._shell.tmpdir, "image.tar")
        self._connection.put_file(path, copy)
        return copy

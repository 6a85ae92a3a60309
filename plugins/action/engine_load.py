"""Have a host's Docker engine load a tarball that this machine holds, over Ansible's connection and by `docker`.

One trip and no checksums on either side, since the engine checks every layer: a third of the time that `copy` and a
module take. Nothing is needed on the host but the command, and room for the tarball in the user's home while it loads.

    engine_load:
      archive: build/kafka.tar      # as `docker save` writes it, compressed or not
      name: kafka-proof:3.9.2       # what the image is to be called
"""

import shlex

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from kafka_proof.deploy import image


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
        try:
            loaded = image.loaded_image(self._docker("load", "--quiet", "--input", self._bring(args["archive"])))
            self._docker("tag", loaded, args["name"])
        except AnsibleConnectionFailure:
            raise  # the host is unreachable, as Ansible says it of any task
        except (AnsibleError, image.ImageError) as error:
            where = f"{task_vars['inventory_hostname']}: {args['archive']} could not be loaded."
            return {"failed": True, "msg": f"{where} {error}"}
        return {"changed": True}

    def _bring(self, path):
        """Where the host has the tarball."""
        if self._connection.transport == "local":
            return path
        copy = self._connection._shell.join_path(self._connection._shell.tmpdir, "image.tar")
        self._connection.put_file(path, copy)
        return copy

    def _docker(self, *arguments):
        # By its standard input, without which Ansible gives a command a terminal, and docker draws progress bars on it.
        script = shlex.join(["docker", *arguments]).encode()
        done = self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script)
        if done["rc"]:
            said = (done["stderr"].strip() or done["stdout"].strip() or "nothing").splitlines()[-1]
            raise AnsibleError(f"The engine said: {said}")
        return done["stdout"]

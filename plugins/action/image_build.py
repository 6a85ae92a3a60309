"""Build an image on a host's Docker engine. ansible-doc -t module image_build."""

import shlex

from kafka_proof.action import Action, ActionError
from kafka_proof.client.text import printable

_LINES = 60  # of the engine's output, in the message


class ActionModule(Action):
    _supports_check_mode = False

    def act(self, arguments):
        options = [word for key, value in arguments["arguments"].items() for word in ("--build-arg", f"{key}={value}")]
        build = ["docker", "build", "--force-rm", "--tag", arguments["name"], *options, arguments["path"]]
        # The classic builder is part of the engine; the other one is a plug-in that Debian does not have.
        done = self.shell(f"DOCKER_BUILDKIT=0 timeout {arguments['timeout']} {shlex.join(build)} 2>&1")
        if done["rc"]:
            said = "\n".join(map(printable, done["stdout"].splitlines()[-_LINES:]))
            raise ActionError(f"{self.host}: {arguments['name']} could not be built. The engine's last lines:\n{said}")
        return {"changed": True}

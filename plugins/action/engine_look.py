"""Ask a host's Docker engine what it has, with the `docker` command and over Ansible's own connection.

A module would cost 1 s to start Python and load a client for the engine; this costs 0.2 s, and needs nothing on the
host but the command.

    engine_look:
      image: kafka-proof:3.9.2    # the image to look for

A user who may not speak to the engine becomes root for it, as its socket belongs to root and the group docker. Fails
only if that cannot be. Returns `can_talk_to_docker` (bool), `as_root` (bool, whether root has to do what follows), and,
if it answers,

    containers   [{name, image, image_id, state, started, health, exit_code, restarts, recipe, stack, version, env: {},
                   ports: [[address, port]], networks: [str], volumes: [str]}]
    image        {id, tags, digests}, or null if there is none of that name
    networks     [str]
    volumes      [str]
    listening    [{address, port, name, pid}], the host's TCP sockets, as far as `ss` is there and may tell
    addresses    [str], the host's own, if `ip` is there and the engine is the host's

else `msg`, why not. `recipe`, `stack` and `version` are the labels that engine_run gives; null where somebody else made
it.
"""

import shlex

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import become_loader

from kafka_proof.deploy import engine

_NO_ROOT = (
    "{host}: this user may not speak to the Docker engine, and cannot become root ({error}). Add --ask-become-pass, "
    "or add the user to the group docker there."
)


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec={"image": {"type": "str", "required": True}})
        script = engine.SCRIPT.format(image=shlex.quote(args["image"]))
        done, as_root = self._shell(script), self._connection.become is not None
        if done["rc"] and done["stdout"].strip() not in ("", "0"):
            # In this same task, because a second one costs as much as the question.
            self._connection.set_become_plugin(self._root(task_vars))
            try:
                done, as_root = self._shell(script), True
            except AnsibleConnectionFailure:
                raise  # the host is unreachable, as Ansible says it of any task
            except AnsibleError as error:
                return {"failed": True, "msg": _NO_ROOT.format(host=task_vars["inventory_hostname"], error=error)}
        result = {"changed": False, "can_talk_to_docker": done["rc"] == 0, "as_root": as_root}
        if done["rc"]:
            return result | {"msg": (done["stderr"].strip() or "no answer").splitlines()[-1]}
        return result | engine.parse(done["stdout"])

    def _shell(self, script):
        return self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script.encode())

    def _root(self, task_vars):
        """The plugin that makes root, such as sudo, set as Ansible does for a task that says `become`."""
        plugin = become_loader.get(self._templar.template(task_vars.get("ansible_become_method", "sudo")))
        names = C.config.get_plugin_vars("become", plugin._load_name)
        options = self._templar.template({name: task_vars[name] for name in names if name in task_vars})
        plugin.set_options(task_keys={"become_pass": self._play_context.become_pass}, var_options=options)
        return plugin

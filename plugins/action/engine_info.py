"""Ask a host's Docker engine what it has. ansible-doc -t module engine_info."""

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.loader import become_loader

from kafka_proof.action import Action, ActionError, engine_error
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import attempts
from kafka_proof.deploy import engine

_SETTLE, _PAUSE = 2, 0.4  # seconds for a container that crashed, and between two looks at it


class ActionModule(Action):
    def act(self, arguments):
        script = engine.script(arguments["image"], arguments["stack"])
        done, as_root = self.shell(script), self._connection.become is not None
        if done["rc"] and (user := done["stdout"].strip()).isdigit() and user != "0":  # of a refusal
            # In this same task, because a second one costs as much as the question.
            self._connection.set_become_plugin(self._root())
            try:
                done, as_root = self.shell(script), True
            except AnsibleConnectionFailure:
                raise  # the host is unreachable, as Ansible reports it for any task
            except AnsibleError as error:
                said = engine.no_root(one_line(error), bool(self._play_context.become_pass))
                raise ActionError(f"{self.host}: {said}") from None
        if done["rc"] == engine.PODMAN:
            raise ActionError(f"{self.host}: {engine.NOT_DOCKER}")
        answers, installed = done["rc"] == 0, done["rc"] != engine.NO_COMMAND
        result = {"can_talk_to_docker": answers, "as_root": as_root, "installed": installed}
        if done["rc"]:
            return result | {"msg": engine_error("", done["stderr"])}
        report = engine.parse(done["stdout"], arguments["stack"])
        # A crash may be over, or be one of many. Of these the pauses between two runs show the exit code.
        for _ in attempts(_SETTLE, _PAUSE) if engine.is_unsettled(report) else ():
            done = self.shell(script)
            if done["rc"] == 0 and not engine.is_unsettled(report := engine.parse(done["stdout"], arguments["stack"])):
                break
        # Of what is not the stack's, nothing appears in the output of -v.
        return result | report | {"_ansible_verbose_override": True}

    def _root(self):
        """Return the plugin that makes root, such as sudo, set as Ansible does for a task with `become`."""
        plugin = become_loader.get(self._templar.template(self.task_vars.get("ansible_become_method", "sudo")))
        names = C.config.get_plugin_vars("become", plugin._load_name)
        options = self._templar.template({name: self.task_vars[name] for name in names if name in self.task_vars})
        plugin.set_options(task_keys={"become_pass": self._play_context.become_pass}, var_options=options)
        return plugin

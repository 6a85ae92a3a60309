"""Check and convert the variables of a host. ansible-doc -t module stack_variables."""

import os

from ansible.utils.vars import load_extra_vars

from kafka_proof.action import Action, ActionError, templated
from kafka_proof.deploy.lock import lock, lock_file
from kafka_proof.deploy.variables import checked, default_files, of_no_controller, of_other_mode, specified
from kafka_proof.operations.access.check import problems as access_problems


def _lock(path):
    try:
        holder = lock(path, os.getppid())  # of the run, not of this task
    except OSError:
        return  # a checkout that cannot be written; the task that writes client.properties reports it
    if holder:
        raise ActionError(f"another run changes this stack: process {holder}, which {path} names. Wait until it ends.")


class ActionModule(Action):
    SECRET = True  # values hold passwords

    def act(self, arguments):
        specification = specified(arguments["roles"])
        only = tuple(arguments["only"])
        given, defaults = load_extra_vars(self._loader), {}
        for path in default_files(arguments["roles"]):
            defaults |= self._loader.load_from_file(path, trusted_as_template=True)
        # In YAML, a key with nothing behind it. Other values follow from it, so the default stands in here.
        empty = [name for name in defaults if self.task_vars.get(name, "") is None and defaults[name] is not None]
        variables = defaults | self.task_vars | {name: defaults[name] for name in empty}
        values = {name: variables[name] for name in specification if name in variables and name.startswith(only)}
        values = templated(self._templar.copy_with_new_env(available_variables=variables), values)
        values, problems = checked(values, self.task_vars, specification, given)
        given_here = [name for name in self.task_vars if name in specification]
        with_zookeeper, controllers = (self.task_vars["groups"].get(name) for name in ("zookeeper", "kafka_controller"))
        if not arguments["any_mode"]:
            problems += of_other_mode(given_here, bool(with_zookeeper))
            problems += [] if with_zookeeper or controllers else of_no_controller(given_here)
        problems = problems or access_problems(values)
        problems += [f"{name} is null. Leave it out, or give it a value." for name in empty]
        if problems:
            raise ActionError("\n".join([f"{self.host}:", *problems]))
        # The host whose client.properties counts, in each playbook: roles/stack/vars/main.yml, _stack_properties.
        first = (self.task_vars["groups"].get("kafka") or self.task_vars["ansible_play_hosts_all"])[0]
        if arguments["lock"] and not self.check_mode and self.host == first:
            _lock(lock_file(values["stack_client_properties"]))
        return {"values": values}

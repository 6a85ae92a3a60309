"""Check and convert the variables of a host. ansible-doc -t module stack_variables."""

from ansible.utils.vars import load_extra_vars

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.variables import checked, specified


class ActionModule(Action):
    SECRET = True  # values hold passwords

    def act(self, arguments):
        specification = specified(arguments["roles"])
        only = tuple(arguments["only"])
        values = {
            name: self.task_vars[name] for name in specification if name in self.task_vars and name.startswith(only)
        }
        values = self._templar.template(values)
        values, problems = checked(values, self.task_vars, specification, load_extra_vars(self._loader))
        if problems:
            raise ActionError("\n".join([f"{self.host}:", *problems]))
        return {"values": values}

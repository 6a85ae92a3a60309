"""Check the groups, and find hosts that share an engine. ansible-doc -t module stack_groups."""

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.engines import engines
from kafka_proof.deploy.group_checks import GROUPS, group_problems


class ActionModule(Action):
    def act(self, arguments):
        groups, hostvars = self.task_vars["groups"], self.task_vars["hostvars"]
        in_play = self.task_vars["ansible_play_hosts_all"] if arguments["check_limit"] else None
        if problems := group_problems(groups, in_play, arguments["migrates"]):
            raise ActionError("\n".join(problems))
        return {"engines": engines(dict.fromkeys(host for name in GROUPS for host in groups.get(name, [])), hostvars)}

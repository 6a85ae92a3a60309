"""Derive the nodes of the stack from the inventory. ansible-doc -t module stack_nodes."""

from kafka_proof.action import Action
from kafka_proof.deploy.derive import make_nodes
from kafka_proof.deploy.engines import engines, is_local


class ActionModule(Action):
    SECRET = True  # settings hold passwords

    def act(self, arguments):
        hostvars = self.task_vars["hostvars"]
        # Without the hosts that --limit leaves out of a playbook that changes nothing.
        groups = {
            group: [host for host in self.task_vars["groups"].get(group, []) if "__stack_variables" in hostvars[host]]
            for group in ("zookeeper", "kafka")
        }
        hosts = list(dict.fromkeys([*groups["zookeeper"], *groups["kafka"]]))
        values = {
            host: {**hostvars[host]["__stack_variables"]["values"], "is_local": is_local(host, hostvars)}
            for host in hosts
        }
        return {"nodes": make_nodes(groups, values, engines(hosts, hostvars))}

"""Derive the nodes of the stack from the inventory, and check them. ansible-doc -t module stack_nodes."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.clients import access
from kafka_proof.deploy.cluster_data import new_cluster_id
from kafka_proof.deploy.engines import engines, is_local
from kafka_proof.deploy.given_certificates import with_principals
from kafka_proof.deploy.group_checks import GROUPS
from kafka_proof.deploy.image import image_archives, image_wanted, images_problems
from kafka_proof.deploy.inventory_checks import quorum_warnings
from kafka_proof.deploy.preflight import inventory_problems
from kafka_proof.deploy.stages import stage_nodes


class ActionModule(Action):
    SECRET = True  # settings hold passwords

    def act(self, arguments):
        hostvars = self.task_vars["hostvars"]
        groups = {
            group: [host for host in self.task_vars["groups"].get(group, []) if "__stack_variables" in hostvars[host]]
            for group in GROUPS
        }
        hosts = list(dict.fromkeys(host for group in GROUPS for host in groups[group]))
        checked = {host: hostvars.raw_get(host)["__stack_variables"]["values"] for host in hosts}  # no templates
        values = with_principals({host: own | {"is_local": is_local(host, hostvars)} for host, own in checked.items()})
        reports = {host: hostvars[host].get("__stack_engine") or {} for host in hosts}
        stage = {name: arguments[name] for name in ("phase", "level")}
        nodes, security = stage_nodes(groups, values, engines(hosts, hostvars), reports, **stage)
        broker = values[groups["kafka"][0]]
        archives = image_archives(images := image_wanted(values))
        if arguments["check"]:
            recipe = Path(arguments["roles"], "kafka_image", "files")
            if problems := inventory_problems(groups, values, nodes, images_problems(images, archives, recipe)):
                raise ActionError("\n".join(problems))
            for warning in quorum_warnings(nodes):
                self._display.warning(warning)
        return {
            "nodes": nodes,
            "archives": archives,
            "new_cluster_id": arguments["cluster"] or new_cluster_id(),
            "security": broker["kafka_security"],
            "access": access(security, broker["stack_secrets"]),
        }

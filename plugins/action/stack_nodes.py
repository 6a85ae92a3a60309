"""Derive the nodes of the stack from the inventory, and check them. ansible-doc -t module stack_nodes."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.clients import access
from kafka_proof.deploy.cluster_data import new_cluster_id
from kafka_proof.deploy.derive import make_nodes
from kafka_proof.deploy.engines import engines, is_local
from kafka_proof.deploy.group_checks import GROUPS, mode_problems
from kafka_proof.deploy.image import image_archives, image_wanted, images_problems
from kafka_proof.deploy.inventory_checks import node_problems, quorum_warnings
from kafka_proof.deploy.security import security_of
from kafka_proof.deploy.topics import topic_problems


class ActionModule(Action):
    SECRET = True  # settings hold passwords

    def act(self, arguments):
        hostvars = self.task_vars["hostvars"]
        # Without the hosts that --limit leaves out of a playbook that changes nothing.
        groups = {
            group: [host for host in self.task_vars["groups"].get(group, []) if "__stack_variables" in hostvars[host]]
            for group in GROUPS
        }
        hosts = list(dict.fromkeys(host for group in GROUPS for host in groups[group]))
        values = {
            host: {**hostvars[host]["__stack_variables"]["values"], "is_local": is_local(host, hostvars)}
            for host in hosts
        }
        nodes = make_nodes(groups, values, engines(hosts, hostvars))
        images = image_wanted(values)
        archives = image_archives(images)
        if arguments["check"]:
            first = values[groups["kafka"][0]]
            versions = {host: own["stack_kafka_version"] for host, own in values.items()}
            # With a version that lacks the mode, all other messages would mislead.
            problems = mode_problems(groups, versions) or [
                *images_problems(images, archives, Path(arguments["roles"], "kafka_image", "files")),
                *node_problems(nodes),
                *topic_problems(
                    *(first[f"kafka_topics_{state}"] for state in ("present", "absent")),
                    *(len(groups["kafka"]), first["stack_kafka_version"]),
                ),
            ]
            if problems:
                raise ActionError("\n".join(problems))
            for warning in quorum_warnings(nodes):
                self._display.warning(warning)
        broker = values[groups["kafka"][0]]
        return {
            "nodes": nodes,
            "archives": archives,
            "new_cluster_id": new_cluster_id(),
            "security": broker["kafka_security"],
            "access": access(security_of(broker), broker["stack_secrets"]),
        }

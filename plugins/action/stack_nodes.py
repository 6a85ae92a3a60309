"""Derive the nodes of the stack from the inventory, and check them. ansible-doc -t module stack_nodes."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.derive import make_nodes
from kafka_proof.deploy.engines import engines, is_local
from kafka_proof.deploy.image import image_archives, image_wanted, images_problems
from kafka_proof.deploy.inventory_checks import broker_problems, server_problems
from kafka_proof.deploy.node import BROKER, ZOOKEEPER, of_kind
from kafka_proof.deploy.topics import topic_problems


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
        nodes = make_nodes(groups, values, engines(hosts, hostvars))
        images = image_wanted(values)
        archives = image_archives(images)
        if arguments["check"]:
            first = values[groups["kafka"][0]]
            problems = [
                *images_problems(images, archives, Path(arguments["roles"], "kafka_image", "files")),
                *server_problems(of_kind(nodes, ZOOKEEPER)),
                *broker_problems(of_kind(nodes, BROKER)),
                *topic_problems(
                    first["kafka_topics_present"],
                    first["kafka_topics_absent"],
                    len(groups["kafka"]),
                    first["stack_kafka_version"],
                ),
            ]
            if problems:
                raise ActionError("\n".join(problems))
        return {"nodes": nodes, "archives": archives}

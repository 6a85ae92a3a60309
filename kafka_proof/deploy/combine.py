"""Make brokers controllers, too, and so give a stack with separate controllers fewer containers.

The combined nodes join the quorum beside the separate controllers, which then leave it. Nodes are on one engine: on
several, both would publish the same port. Kafka keeps the registration of a controller that left, with the versions
of its features. Its removal needs metadata.version 33 (4.4; KAFKA-20295).
"""

from collections.abc import Mapping, Sequence

from kafka_proof.deploy.containers import container_of
from kafka_proof.deploy.derive import Hosts, make_nodes, with_files
from kafka_proof.deploy.node import BROKER, Engines, Node, dedicated, of_kind

COMBINE = "combine"

_BOOTSTRAP = "controller.quorum.bootstrap.servers"


def combined_nodes(
    groups: Mapping[str, Sequence[str]], hosts: Hosts, engine_of: Mapping[str, str], engines: Engines
) -> list[Node]:
    """Return the separate controllers that exist, and brokers that are controllers, too.

    engines: {host: its report}; {} before engines are asked: then all controllers of the inventory count.
    """
    separate = dedicated(make_nodes(groups, hosts, engine_of))
    if any(engines.values()):
        separate = [node for node in separate if container_of(node, engines.get(node["host"]) or {})]
    # A node finds the quorum by controllers that leave it later, too.
    others = [node["peers"]["controller"] for node in separate]
    combined = of_kind(make_nodes({"kafka": groups["kafka"]}, hosts, engine_of), BROKER)
    found = []
    for node in combined:
        addresses = ",".join([node["settings"][_BOOTSTRAP], *others])
        found.append(with_files({**node, "settings": {**node["settings"], _BOOTSTRAP: addresses}}))
    return [*separate, *found]


def combine_problems(
    groups: Mapping[str, Sequence[str]], nodes: Sequence[Node], engine_of: Mapping[str, str], engines: Engines
) -> list[str]:
    """Return why the brokers cannot become controllers."""
    if not groups.get("kafka_controller"):
        return ["The inventory has no group kafka_controller, so its brokers are controllers already."]
    if len(set(engine_of.values())) > 1:
        return [
            "The nodes are on several engines, where a broker and a separate controller would publish the same "
            "kafka_controller_port. Keep separate controllers there."
        ]
    found = [container_of(node, engines.get(node["host"]) or {}) for node in of_kind(nodes, BROKER)]
    if not all(item is not None and item["state"] == "running" for item in found):
        return ["A broker does not run. Run site.yml first, so that the cluster is whole."]
    return []

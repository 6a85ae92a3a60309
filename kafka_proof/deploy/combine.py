"""Make brokers controllers, too, and so give a stack with separate controllers fewer containers.

The combined nodes join the quorum beside the separate controllers, which then leave it. Nodes are on one engine: on
several, both would publish the same port. Kafka keeps the registration of a controller that left, with the versions
of its features. Its removal needs metadata.version 33 (4.4; KAFKA-20295).
"""

from collections.abc import Mapping, Sequence

from kafka_proof.deploy.containers import container_in
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
        separate = [node for node in separate if container_in(node, engines)]
    # A node finds the quorum by controllers that leave it later, too.
    others = [node["peers"]["controller"] for node in separate]
    combined = of_kind(make_nodes({"kafka": groups["kafka"]}, hosts, engine_of), BROKER)
    found = []
    for node in combined:
        # With a fixed list of voters, combine_problems refuses.
        known = {key: ",".join([value, *others]) for key, value in node["settings"].items() if key == _BOOTSTRAP}
        found.append(with_files({**node, "settings": node["settings"] | known}))
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
    if not all(_BOOTSTRAP in node["settings"] for node in of_kind(nodes, BROKER)):
        return [
            "The quorum has a fixed list of voters (controller.quorum.voters), which no controller can join. Keep "
            "separate controllers."
        ]
    if not all(_runs(node, engines) or _began(node, engines) for node in of_kind(nodes, BROKER)):
        return ["A broker does not run. Run site.yml first, so that the cluster is whole."]
    return []


def has_begun(nodes: Sequence[Node], engines: Engines) -> bool:
    """Return whether a run made a broker a controller, or was interrupted while it did: its volume says so."""
    return any(_began(node, engines) for node in of_kind(nodes, BROKER))


def _runs(node: Node, engines: Engines) -> bool:
    found = container_in(node, engines)
    return found is not None and found["state"] == "running"


def _began(node: Node, engines: Engines) -> bool:
    volumes = (engines.get(node["host"]) or {}).get("own_volumes", [])
    return any(each["name"] == node["volume"] and each["kind"] == ",".join(node["kinds"]) for each in volumes)

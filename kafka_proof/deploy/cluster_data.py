"""The data of a KRaft cluster on the engines: its id, the node that begins it, and data of another mode or cluster.

The volume of a node carries the id of the cluster as a label, so that it outlives the container.
"""

import base64
import uuid
from collections.abc import Sequence

from kafka_proof.deploy.containers import container_in
from kafka_proof.deploy.kraft import initial_controllers, is_kraft
from kafka_proof.deploy.node import BROKER, CONTROLLER, Engines, Node, has_data, of_kind


def new_cluster_id() -> str:
    """Return an id for a new cluster as Kafka writes it: 22 characters of base64 without a leading hyphen.

    Commands would take a leading hyphen for an option (Uuid.randomUuid of Kafka avoids it, too).
    """
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def cluster_ids(nodes: Sequence[Node], engines: Engines) -> dict[str, list[str]]:
    """Return {cluster id: hosts} of the volumes of the nodes, by the label that a volume is created with."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        for volume in engines.get(node["host"], {}).get("own_volumes", []):
            if volume["name"] == node["volume"] and volume.get("cluster"):
                found.setdefault(volume["cluster"], []).append(node["host"])
    return found


def with_cluster(node: Node, nodes: Sequence[Node], engines: Engines, new_id: str) -> Node:
    """Return a node of KRaft with the cluster's id, and with the arguments that format its directory, if it is empty.

    nodes: all of the stack; engines: {host: its report}; new_id: the id of a cluster without any data.
    """
    if "process.roles" not in node["settings"]:
        return node
    ids = cluster_ids(nodes, engines)
    cluster = next(iter(ids), node["takes_over"].get("cluster") or new_id)
    arguments = [f"--cluster-id={cluster}"]  # in one word: an id that ZooKeeper gave can begin with a hyphen
    if CONTROLLER in node["kinds"]:
        first = first_controller(nodes, engines)
        if "migration" in node["labels"] and not _is_dual(nodes, engines):
            arguments += ["--initial-controllers", initial_controllers(nodes, cluster)]
        else:
            arguments.append("--standalone" if node["host"] == first else "--no-initial-controllers")
    return {**node, "format": arguments, "labels": {**node["labels"], "cluster": cluster}}


def _is_dual(nodes: Sequence[Node], engines: Engines) -> bool:
    """Return whether metadata can have been copied to the controllers: then one that lost its disk must not vote."""
    found = [container_in(node, engines) for node in of_kind(nodes, BROKER)]
    return any(item is not None and (item["migration"] or item["cluster"]) for item in found)


def first_controller(nodes: Sequence[Node], engines: Engines) -> str:
    """Return the host of the controller that begins the quorum of a new cluster; "" for a cluster that has data.

    Its volume may exist, when the first run was interrupted. Then no other node has one yet.
    """
    if not is_kraft(nodes):
        return ""
    first = of_kind(nodes, CONTROLLER)[0]
    return "" if any(has_data(node, engines) for node in nodes if node is not first) else first["host"]


def cluster_problems(nodes: Sequence[Node], engines: Engines, options: str = "") -> list[str]:
    """Return how the data on the engines contradicts the mode that the inventory's groups select."""
    problems = []
    ids = cluster_ids(nodes, engines)
    if not is_kraft(nodes):
        return _kraft_left(engines)
    if len(ids) > 1:
        said = "; ".join(f"{cluster} on {', '.join(hosts)}" for cluster, hosts in ids.items())
        problems.append(
            f"The volumes of this stack belong to {len(ids)} clusters: {said}. A node refuses the data of another "
            "cluster. Remove the hosts that do not belong here from the inventory, or choose a stack_name."
        )
    problems += _zookeeper_left(nodes, engines)
    if changed := _changed_roles(nodes, engines):
        return problems + changed
    controllers = of_kind(nodes, CONTROLLER)
    asked = [node for node in controllers if engines.get(node["host"])]
    brokers = [node for node in of_kind(nodes, BROKER) if node not in controllers and has_data(node, engines)]
    if brokers and len(asked) == len(controllers) and not any(has_data(node, engines) for node in controllers):
        problems.append(
            f"{brokers[0]['host']}: the volume {brokers[0]['volume']} holds messages of a cluster whose metadata, the "
            f"volume of every controller such as {controllers[0]['volume']} on {controllers[0]['host']}, is gone. "
            "A broker would delete the messages that no metadata names. Restore one of these volumes, or correct "
            f"kafka_controller_id; or give the messages up, with ansible-playbook{options} playbooks/teardown.yml "
            "-e teardown_data=true."
        )
    return problems


def _kraft_left(engines: Engines) -> list[str]:
    """A stack with KRaft whose inventory has the group zookeeper, as after a migration."""
    found = {
        volume["cluster"]: f"{host}: the data of this stack, such as the volume {volume['name']}, belongs to a cluster "
        f"with KRaft, {volume['cluster']}, and the group zookeeper of the inventory selects ZooKeeper. Remove the "
        "group; after a migration, name it kafka_controller if there is none. Or choose a stack_name."
        for host, engine in engines.items()
        for volume in engine.get("own_volumes", [])
        if volume.get("cluster")
    }
    return list(found.values())


def _changed_roles(nodes: Sequence[Node], engines: Engines) -> list[str]:
    """A node keeps its roles. A combined one takes its part of the metadata with it, and a voter is not left behind."""
    for node in nodes:
        for volume in engines.get(node["host"], {}).get("own_volumes", []):
            kinds = ",".join(node["kinds"])
            if volume["name"] == node["volume"] and volume.get("cluster") and volume["kind"] != kinds:
                before, remedy = (
                    (
                        "is a controller, too",
                        "Run playbooks/combine.yml again if it was interrupted. Otherwise remove the hosts of the "
                        "group kafka_controller",
                    )
                    if CONTROLLER in volume["kind"].split(",")
                    else ("is no controller", "Put the hosts of the group kafka_controller back")
                )
                return [
                    f"{node['host']}: the broker of the volume {volume['name']} {before}, and the group "
                    f"kafka_controller of the inventory makes it a {' and '.join(node['kinds'])}. A running cluster "
                    f"keeps its roles. {remedy}; or choose a stack_name."
                ]
    return []


def _zookeeper_left(nodes: Sequence[Node], engines: Engines) -> list[str]:
    """A stack with ZooKeeper whose inventory lost the group."""
    for node in nodes:
        engine = engines.get(node["host"], {})
        own = [(item["name"], item["kinds"]) for item in engine.get("containers", [])]
        # After a migration ZooKeeper's data stays, and that of the controllers is the cluster's.
        volumes = [] if cluster_ids(nodes, engines) else engine.get("own_volumes", [])
        own += [(item["name"], item["kind"].split(",")) for item in volumes]
        left = next((name for name, kinds in own if "zookeeper" in kinds), "")
        unnamed = any(volume["name"] == node["volume"] and not volume.get("cluster") for volume in volumes)
        if left or (unnamed and has_data(node, engines)):
            what = f"{left} is ZooKeeper's" if left else f"the volume {node['volume']} was written with ZooKeeper"
            return [
                f"{node['host']}: {what}, and the inventory has no host in the group zookeeper, which selects KRaft. "
                "Put the hosts of the group zookeeper back. A new cluster beside this one needs a stack_name; a move "
                "from ZooKeeper to KRaft is a migration: docs/migration.md."
            ]
    return []

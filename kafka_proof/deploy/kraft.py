"""KRaft: the settings of a node, the controllers' listener, and the voters of the quorum.

The quorum of controllers is dynamic (KIP-853, kraft.version 1). The first controller of a new cluster is formatted as a
quorum by itself. The others join it, see kafka_proof.operations.quorum. So no list of voters has to agree on several
hosts before any of them runs, and an interrupted first run can continue.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kafka_proof.deploy.node import (
    BROKER,
    CONTROLLER,
    DATA,
    QUORUM_LISTENERS,
    Common,
    Listener,
    Node,
    of_kind,
)
from kafka_proof.deploy.security import Security, node_protocol
from kafka_proof.deploy.takeover import name_on_network

# Settings of kafka_config by which a controller decides. A controller that is no broker gets these alone, so that the
# others do not restart it.
_OF_CONTROLLERS = (
    *("num.partitions", "default.replication.factor", "min.insync.replicas", "unclean.leader.election.enable"),
    *(
        "auto.leader.rebalance.",
        "leader.imbalance.",
        "broker.heartbeat.",
        "broker.session.",
        "controller.",
        "metadata.",
    ),
    *("create.topic.policy.", "alter.config.policy.", "authorizer.", "super.users", "principal.builder."),
    *("delegation.token.", "listener.name.", "sasl.", "security.", "ssl."),
)


def of_controllers(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of kafka_config that controllers need."""
    return {key: value for key, value in config.items() if key.startswith(_OF_CONTROLLERS)}


def quorum_listener(security: Security) -> str:
    return QUORUM_LISTENERS[security.on]


def listener(node: Common, variables: Mapping[str, Any], one_engine: bool, security: Security) -> Listener:
    """Return the listener of a controller. Only the cluster's nodes use it: on one engine nothing is published."""
    return Listener(
        name=quorum_listener(security),
        port=variables["kafka_controller_port"],
        protocol=node_protocol(security),
        advertised_host=name_on_network(node) if one_engine else variables["stack_address"],
        bind_address="" if one_engine else variables["kafka_controller_bind_address"],
    )


def settings(node: Common, security: Security, protocols: str = "") -> dict[str, Any]:
    """Return the settings that make a node of its kinds.

    protocols: of its listeners, as in listener.security.protocol.map. A broker that is no controller connects to the
    controllers' listener, and so has to know its protocol.
    """
    name = quorum_listener(security)
    own = f"{name}:{node_protocol(security)}"
    return {
        "process.roles": ",".join(node["kinds"]),
        "node.id": node["id"],
        "controller.listener.names": name,
        **_quorum(node),
        "listener.security.protocol.map": ",".join(dict.fromkeys([*filter(None, protocols.split(",")), own])),
        "log.dirs": DATA,
    }


def directory_id(cluster: str, node_id: int) -> str:
    """Return the id of a controller's directory in the quorum that begins a migration, as Kafka writes it.

    All controllers of that quorum are formatted with the ids of all: no broker could let them join one by one.
    """
    for attempt in range(64):  # an id that begins with a hyphen would be taken for an option
        found = uuid.uuid5(uuid.NAMESPACE_OID, f"{cluster}/{node_id}/{attempt}")
        text = base64.urlsafe_b64encode(found.bytes).decode().rstrip("=")
        if not text.startswith("-"):
            break
    return text


def initial_controllers(nodes: Sequence[Node], cluster: str) -> str:
    """Return the voters of a quorum that begins with all its controllers, as `kafka-storage.sh format` takes them."""
    return ",".join(
        f"{node['id']}@{node['peers']['controller']}:{directory_id(cluster, node['id'])}"
        for node in of_kind(nodes, CONTROLLER)
    )


def _quorum(node: Common) -> dict[str, str]:
    """Return how a node finds the quorum. A cluster that was taken over may have a fixed list of voters."""
    if voters := node["takes_over"].get("voters"):
        return {"controller.quorum.voters": voters}
    return {"controller.quorum.bootstrap.servers": ""}  # the addresses of all controllers


def is_kraft(nodes: Sequence[Node]) -> bool:
    return bool(of_kind(nodes, CONTROLLER))


def wanted_voters(nodes: Sequence[Node]) -> dict[int, dict[str, tuple[str, int]]]:
    """Return {id: {listener: (host, port)}} of the controllers: the voters that the quorum should have.

    {} while brokers use ZooKeeper, in a migration: only brokers with KRaft answer questions about the quorum. Separate
    controllers beside combined nodes are leaving: kafka_proof.deploy.combine.
    """
    found: dict[int, dict[str, tuple[str, int]]] = {}
    if not all("process.roles" in node["settings"] for node in of_kind(nodes, BROKER)):
        return found
    controllers = of_kind(nodes, CONTROLLER)
    for node in of_kind(controllers, BROKER) or controllers:
        found[node["id"]] = {
            item["name"]: (item["advertised_host"], int(item["port"]))
            for item in node["listeners"]
            if item["name"] in QUORUM_LISTENERS
        }
    return found

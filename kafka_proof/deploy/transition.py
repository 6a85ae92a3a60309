"""Turn access control on or off while the cluster runs, in three rolls of all nodes.

    level 0  open: listeners without TLS alone, no authoriser
    level 1  both: listeners of both kinds; nodes use those without TLS; clients without a login may do everything
    level 2  switched: as 1, and nodes use those with TLS
    level 3  secure: listeners with TLS alone, and default deny

Each step is one level up, or one down. Neighbouring levels have listeners in common, by which nodes and clients of both
understand each other, so nodes change one at a time. A container carries its level and its listeners as labels: they
say where an interrupted run continues, and which listeners the inventory does not describe any more.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kafka_proof.deploy import listeners, security, zookeeper
from kafka_proof.deploy.containers import container_in
from kafka_proof.deploy.derive import ports_of, probes, with_files
from kafka_proof.deploy.files import to_properties
from kafka_proof.deploy.node import BROKER, CONTROLLER, QUORUM_LISTENERS, ZOOKEEPER, Engines, Node, Port, of_kind
from kafka_proof.deploy.security import BOTH, OPEN, SECURE, SWITCHED, Security, level_name, target

_OF_SECURITY = (
    *("listener.name.", "config.providers", "zookeeper.ssl.", "authProvider.", "ssl.", "sslQuorum"),
    *("authorizer.class.name", "super.users", "allow.everyone.if.no.acl.found", "zookeeper.set.acl"),
    *("zookeeper.clientCnxnSocket", "clientPort", "secureClientPort", "serverCnxnFactory"),
)


class Step(NamedTuple):
    """A level, and the security of its listeners with TLS."""

    level: int
    access: Security


def levels(nodes: Sequence[Node], engines: Engines, until: str = "", begun: bool = False) -> list[int]:
    """Return the levels that the containers have to pass, in order; [] if all are where they should be.

    until: "both" stops one level before the end; begun: whether an earlier run did not come to its end. Its last level
    is repeated: all containers can have it before the last one of them works.
    """
    now = {found["level"] for node in nodes if (found := container_in(node, engines))}
    if not now:
        return []
    if target(nodes[0]) == SECURE:
        last = SWITCHED if until == "both" else SECURE
        left = list(range(min(now) + 1, last + 1))
    else:
        last = BOTH if until == "both" else OPEN
        left = list(range(max(now) - 1, last - 1, -1))
    return left or ([last] if begun and now == {last} else [])


def transition_problems(nodes: Sequence[Node], engines: Engines, options: str = "") -> list[str]:
    """Return why site.yml does not change the access control of a running cluster."""
    for node in nodes:
        found = container_in(node, engines)
        if found and (level := found["level"]) != target(node):
            now = level_name(level) if level in (OPEN, SECURE) else "on its way"
            return [
                f"{node['host']}: {node['container']} is {now}, and by "
                f"kafka_security it would be {level_name(target(node))}. Brokers that change one at a time could not "
                "reach each other. Run "
                f"ansible-playbook{options} playbooks/secure.yml, which changes a running cluster in three rolls."
            ]
    return []


def port_problems(nodes: Sequence[Node], engines: Engines, options: str = "") -> list[str]:
    """Return which ports of the inventory another listener has until the change is complete, and what prevents it."""
    problems = [
        f"{node['host']}: {node['container']} has a fixed list of voters (controller.quorum.voters), whose ports speak "
        "one protocol, so controllers that change one at a time would lose each other. Keep kafka_security as it is."
        for node in nodes
        if "controller.quorum.voters" in node["settings"]
        and (found := container_in(node, engines))
        and found["level"] in {OPEN, SECURE} - {target(node)}
    ]
    for node in nodes:
        own, old = _sides(node, engines)
        taken = {_published(item): item["name"] for item in old}
        variable = {"clients": "kafka_port", "quorum": "kafka_controller_port", "zookeeper": "zookeeper_port"}
        problems += [
            f"{node['host']}: {item['name']} has port {_published(item)}, which {taken[_published(item)]} keeps until "
            f"clients have moved. Set {variable.get(item['use'], 'the port in kafka_listeners')} to another port."
            for item in own
            if _published(item) in taken
        ]
    return problems


def _published(item: Mapping[str, Any]) -> int:
    """Return the port of a listener on its host: that of ZooKeeper is another one in the container."""
    port: int = item.get("published", item["port"])
    return port


def between(nodes: Sequence[Node], engines: Engines, level: int, access: Security) -> tuple[list[Node], Security]:
    """Return the nodes of level 1 or 2, and the security of the deployment's client, which connects as nodes do.

    The nodes are those of the inventory, with the listeners that their containers still have. access: of the
    inventory, which says nothing of clients where the way leads to an open cluster.
    """
    sides = {node["container"]: _sides(node, engines) for node in nodes}
    step = Step(level, _access(access, sides))
    both = {name: [*own, *old] for name, (own, old) in sides.items()}
    connect = {
        "zookeeper.connect": [_used(both[node["container"]], "zookeeper", level) for node in of_kind(nodes, ZOOKEEPER)],
        "controller.quorum.bootstrap.servers": [
            _used(both[node["container"]], "quorum", level) for node in of_kind(nodes, CONTROLLER)
        ],
    }
    addresses = {key: ",".join(map(listeners.advertised, found)) for key, found in connect.items()}
    found = [with_files(_at(step, node, *sides[node["container"]], addresses)) for node in nodes]
    return found, Security() if level == BOTH else step.access


def rights_script(server: Node, broker: Node, rights: str) -> str:
    """Return the shell script that lets nodes alone change what is in ZooKeeper (secure), or everybody (unsecure).

    It runs in a server's container, as the node. Brokers set the rights of what they create later by themselves.
    broker: one whose zookeeper.connect tells the root of the cluster.
    """
    settings = security.zookeeper_client(Security(clients=security.LOGIN)) | {"zookeeper.set.acl": None}
    command = (
        "cat >/tmp/rights.properties && exec /opt/kafka/bin/kafka-run-class.sh kafka.admin.ZkSecurityMigrator "
        f"--zookeeper.acl {rights} "
        f"--zookeeper.connect {shlex.quote(zookeeper.secure_address(server) + zookeeper.chroot(broker))} "
        "--zk-tls-config-file /tmp/rights.properties"
    )
    return (
        f"timeout 300 docker exec -i {shlex.quote(server['container'])} bash -c {shlex.quote(command)} <<'END'\n"
        f"{to_properties(settings)}END"
    )


def _access(access: Security, sides: Mapping[str, Any]) -> Security:
    """Return the security of the side with TLS. Of a side that the inventory left, the listeners tell."""
    if access.on:
        return access
    protocols = {item["protocol"] for _, old in sides.values() for item in old if item["use"] == "clients"}
    return access._replace(clients=next(iter(protocols), "SASL_SSL").lower())


def _sides(node: Node, engines: Engines) -> tuple[list[Any], list[Any]]:
    """Return the listeners of the inventory, and those that the container has beside them, each with its `use`."""
    own = json.loads(node["labels"]["listeners"])
    found = container_in(node, engines) or {"listeners": []}
    names = {item["name"] for item in own}
    return own, [item for item in found["listeners"] if item["name"] not in names]


def _used(found: Sequence[Any], use: str, level: int) -> Any:
    """Return the listener of this use by which nodes connect at a level."""
    of_use = [item for item in found if item["use"] == use]
    tls = [item for item in of_use if item["protocol"].endswith("SSL") == (level == SWITCHED)]
    return (tls or of_use)[0]


def _at(step: Step, node: Node, own: list[Any], old: list[Any], addresses: Mapping[str, str]) -> Node:
    kept = {key: value for key, value in node["settings"].items() if not key.startswith(_OF_SECURITY)}
    changed = _of_server if ZOOKEEPER in node["kinds"] else _of_kafka
    settings = kept | changed(step, node, [*own, *old])
    if BROKER in node["kinds"] and "zookeeper.connect" in settings:
        addresses = {**addresses, "zookeeper.connect": addresses["zookeeper.connect"] + zookeeper.chroot(node)}
    settings |= {key: value for key, value in addresses.items() if key in settings}
    plain: list[Any] = [{key: value for key, value in item.items() if key != "use"} for item in [*own, *old]]
    listening = [] if ZOOKEEPER in node["kinds"] else plain
    # As nodes do: the listener by which they connect exists before and after the step.
    is_broker = BROKER in node["kinds"]
    clients = _used([*own, *old], "clients", step.level) if is_broker else {"name": "", "protocol": ""}
    return {
        **node,
        "settings": settings,
        "computed": settings,
        "listeners": listening,
        "client_listener": clients["name"],
        "client_protocol": clients["protocol"],
        "ports": [*node["ports"], *_ports(node, old)],
        "client": security.node_client(step.access),
        "secrets": node["secrets"] or security.secrets_of(node, step.access),
        "health": probes(listening) if listening else node["health"],
        "labels": node["labels"] | {"level": str(step.level), "listeners": json.dumps([*own, *old], sort_keys=True)},
    }


def _of_kafka(step: Step, node: Node, both: Sequence[Any]) -> dict[str, Any]:
    kraft = "process.roles" in node["settings"]
    # The one that nodes use comes first.
    quorum = list(QUORUM_LISTENERS if step.level == BOTH else reversed(QUORUM_LISTENERS))
    inter_broker = _used(both, "brokers", step.level)["name"] if BROKER in node["kinds"] else ""
    found: dict[str, Any] = dict(listeners.listener_settings(both, inter_broker))
    known = list(both)
    if kraft:
        missing = [name for name in quorum if name not in {item["name"] for item in both}]
        known += [{"name": name, "protocol": ("PLAINTEXT", "SSL")[QUORUM_LISTENERS.index(name)]} for name in missing]
        found["controller.listener.names"] = ",".join(quorum)
        found["listener.security.protocol.map"] = ",".join(f"{item['name']}:{item['protocol']}" for item in known)
    elif step.level == SWITCHED:
        found |= security.zookeeper_client(step.access) | {"zookeeper.set.acl": False}
    of_nodes = [item["name"] for item in both if item["use"] == "brokers"] + quorum
    found |= security.listener_settings(known, of_nodes, step.access, node["version"])
    rights = security.authorisation(step.access, kraft)
    return found | rights | {"super.users": f"{rights['super.users']};User:ANONYMOUS"}


def _of_server(step: Step, node: Node, both: Sequence[Any]) -> dict[str, Any]:
    servers = node["labels"]["ensemble"].count(",") + 1
    found = security.zookeeper_server(step.access, servers)
    del found["clientPortAddress"]
    if servers > 1:
        found |= {"portUnification": True, "sslQuorum": step.level == SWITCHED}
    return found | {"clientPort": zookeeper.CLIENT_PORT}


def _ports(node: Node, old: Sequence[Any]) -> list[Port]:
    if ZOOKEEPER not in node["kinds"]:
        return ports_of(old)
    return [
        Port(address=item["bind_address"], port=item["published"], inside=item["port"], variable="zookeeper_port")
        for item in old
    ]

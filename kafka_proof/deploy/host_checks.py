"""Preflight checks of the hosts and their engines: conflicts with what the nodes need, before anything changes.

An *orphan* is a container, a volume or a network that belongs to the stack by its label, and to no node of the
inventory. Orphans are reported; some mean that a run would leave data behind, and those stop it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kafka_proof.client.address import to_address
from kafka_proof.deploy.cluster_data import cluster_problems
from kafka_proof.deploy.containers import container_of
from kafka_proof.deploy.engines import sharing
from kafka_proof.deploy.kraft import is_kraft
from kafka_proof.deploy.migration import migration_problems, under_way_problems
from kafka_proof.deploy.node import (
    BROKER,
    CONTROLLER,
    ZOOKEEPER,
    Engine,
    Engines,
    Node,
    Port,
    dedicated,
    has_data,
    of_kind,
)
from kafka_proof.deploy.takeover import problems as takeover_problems
from kafka_proof.deploy.takeover import taken_over
from kafka_proof.deploy.transition import port_problems, transition_problems
from kafka_proof.deploy.versions import version_problems

_CONTROLLER_ID = "kafka_controller_id"

Holders = Iterable[tuple[tuple[str, int], str]]  # ((address, port), how it is held)


def host_problems(
    nodes: Sequence[Node],
    engine_of: Mapping[str, str],
    engines: Engines,
    changes: str = "",
    options: str = "",
) -> list[str]:
    """Return what on the hosts and on their engines conflicts with the nodes.

    engine_of: {host: engine}; engines: {host: what its engine reported}; changes: "version", "security",
    "migration", "combine" or "takeover" where that may change; options: those of the commands that messages advise.
    """
    problems = []
    for host in engine_of:
        engine, neighbours = engines[host], sharing(engine_of, host)
        found: list[str] = []
        if host == neighbours[0]:
            here = [node for node in nodes if node["host"] in neighbours]
            # This machine's engine may be in a virtual machine, with other addresses.
            seen = {**engine, "addresses": []} if engine_of[host] == "local" else engine
            found = engine_problems(here, seen)
        for node in [*dedicated(nodes), *of_kind(nodes, BROKER)]:
            if node["host"] == host:
                found += version_problems(node, container_of(node, engine), changes == "version", options)
        problems += [f"{host}: {message}" for message in found]
    # A stack between the modes, or of the other one, explains everything else.
    if changes != "migration" and (under_way := under_way_problems(engines, options)):
        return under_way
    if changes not in ("migration", "combine") and (elsewhere := cluster_problems(nodes, engines, options)):
        return elsewhere
    if in_the_way := (port_problems if changes == "security" else transition_problems)(nodes, engines, options):
        return in_the_way
    if of_takeover := takeover_problems(nodes, engines, changes, options):
        return of_takeover
    if changes == "migration" and (too_early := migration_problems(nodes, engines, options)):
        return too_early
    # An orphan may also hold a port. The orphan is the cause, so it comes first.
    return data_problems(nodes, engine_of, engines, options) + problems


def engine_problems(nodes: Sequence[Node], engine: Engine) -> list[str]:
    """Return the conflicts of the nodes on one engine: names, volumes, ports and addresses."""
    problems: list[str] = []
    holders: list[tuple[tuple[str, int], str]] = []
    staying = _without_taken_over(nodes, engine)
    for node in nodes:
        problems += _name_problems(node, engine)
        problems += _address_problems(node, staying, holders)
        holders += [((port["address"], port["port"]), f"wanted for {node['container']} too") for port in node["ports"]]
    return problems


def _without_taken_over(nodes: Sequence[Node], engine: Engine) -> Engine:
    """Return the engine without the containers that nodes take over: these leave their ports to the nodes."""
    leaving = [item for node in nodes if (item := taken_over(node, engine))]
    names, ports = [item["name"] for item in leaving], [port for item in leaving for port in item["ports"]]
    return {
        **engine,
        "others": [item for item in engine.get("others", []) if item["name"] not in names],
        "listening": [item for item in engine.get("listening", []) if [item["address"], item["port"]] not in ports],
    }


def _name_problems(node: Node, engine: Engine) -> Iterator[str]:
    name, volume = node["container"], node["volume"]
    for item in engine.get("others", []):
        if item["name"] == name:
            yield (
                f"a container named {name} (image {item['image']}) exists, and it is not this stack's. "
                f"Rename it (docker rename {name} NEWNAME), or choose a stack_name."
            )
    own = [item["name"] for item in engine.get("own_volumes", [])]
    if volume in engine.get("volumes", []) and volume not in own and not node["adopt_volume"]:
        yield (
            f"a volume named {volume} exists, and no label says that it is this stack's. Choose a stack_name. If an "
            "earlier version of this project kept it for this stack, run again with -e stack_adopt_volumes=true."
        )


def _address_problems(node: Node, engine: Engine, holders: Holders) -> Iterator[str]:
    found = container_of(node, engine)
    own_ports = {(address, port) for address, port in found["ports"]} if found else set()
    taken = list(holders)
    for item in [*engine.get("others", []), *engine.get("containers", [])]:
        if item is not found:
            taken += [((address, port), f"in use by the container {item['name']}") for address, port in item["ports"]]
    for item in engine.get("listening", []):
        if (item["address"], item["port"]) in own_ports:
            continue  # the engine itself, for the container that changes
        pid = f" (pid {item['pid']})" if item.get("pid") else ""
        process = f"in use by the process {item.get('name') or 'of another user'}{pid}"
        taken.append(((item["address"], item["port"]), process))
    for port in node["ports"]:
        if (port["address"], port["port"]) not in own_ports:
            yield from _port_problems(node, port, taken, engine.get("addresses", []))


def _port_problems(node: Node, wanted: Port, taken: Holders, addresses: Iterable[str]) -> Iterator[str]:
    name, address, port = node["container"], wanted["address"], wanted["port"]
    own = [_normal(item) for item in addresses]
    if own and not ({_normal(address)} & {"0.0.0.0", "::", *own} or address.startswith("127.")):
        variable = "zookeeper_port" if ZOOKEEPER in node["kinds"] else wanted["variable"]
        yield (
            f"port {port} of {name} would be published on {address}, and this host has {', '.join(own)}. "
            f"Set {variable.removesuffix('_port')}_bind_address to one of them, and stack_address to that "
            "by which the other hosts reach it."
        )
    held = [how for (other, number), how in taken if number == port and _overlap(address, other)]
    if held:
        variable = wanted["variable"]
        variable += ", or that of the listener in kafka_listeners" if variable == "kafka_port" else ""
        yield f"port {port} on {address}, which {name} would publish, is {held[0]}. Free it, or set {variable}."


def orphans(nodes: Sequence[Node], engine_of: Mapping[str, str], engines: Engines) -> list[dict[str, Any]]:
    """Return [{host, what (container, volume or network), name, kinds, id}] of the orphans, each engine once."""
    found = []
    for host in engine_of:
        neighbours = sharing(engine_of, host)
        if host != neighbours[0]:
            continue
        engine = engines.get(host, {})
        here = [node for node in nodes if node["host"] in neighbours]
        wanted = {("container", node["container"]) for node in here}
        wanted |= {("volume", node["volume"]) for node in here} | {("network", node["network"]) for node in here}
        own = [
            *(("container", item["name"], item["kinds"], item["id"]) for item in engine.get("containers", [])),
            *(("volume", item["name"], item["kind"].split(","), item["id"]) for item in engine.get("own_volumes", [])),
            *(("network", name, [], None) for name in engine.get("own_networks", [])),
        ]
        found += [
            {"host": host, "what": what, "name": name, "kinds": kinds, "id": number}
            for what, name, kinds, number in own
            if (what, name) not in wanted
        ]
    return found


def orphan_lines(nodes: Sequence[Node], engine_of: Mapping[str, str], engines: Engines) -> list[str]:
    """Return a line for each orphan, for people."""
    return [f"{item['host']}: {item['what']} {item['name']}" for item in orphans(nodes, engine_of, engines)]


def data_problems(nodes: Sequence[Node], engine_of: Mapping[str, str], engines: Engines, options: str) -> list[str]:
    """Return how a run would leave data behind: a broker that the inventory lost, or the data of ZooKeeper."""
    found = orphans(nodes, engine_of, engines)
    problems = [
        f"{item['host']}: the {kind} {item['name']} exists, and no host of the inventory has its id here. If a "
        f"{variable} or a host changed, set it back. To remove the {kind}, put its host back and run "
        "playbooks/decommission.yml."
        for item in found
        for kind, variable in [(BROKER, "kafka_broker_id") if BROKER in item["kinds"] else (CONTROLLER, _CONTROLLER_ID)]
        if item["what"] == "container" and kind in item["kinds"]
    ]
    lost_brokers = any(problems)
    for kind, variable in ((ZOOKEEPER, "zookeeper_id"), (CONTROLLER, _CONTROLLER_ID), (BROKER, "kafka_broker_id")):
        wanted = of_kind(nodes, kind)
        if kind == ZOOKEEPER and is_kraft(nodes):
            continue  # after a migration its data stays
        left = [item for item in found if kind in item["kinds"] and item["what"] in ("container", "volume")]
        if left and not any(has_data(node, engines) for node in wanted) and not (kind != ZOOKEEPER and lost_brokers):
            ids = ", ".join(sorted({str(item["id"]) for item in left if item["id"] is not None})) or "another"
            problems.append(
                f"{left[0]['host']}: {left[0]['what']} {left[0]['name']} holds the data of {kind} {ids}, and the "
                f"inventory has {kind} {', '.join(str(node['id']) for node in wanted)}, without data. Set {variable} "
                "back. Nothing is lost."
            )
    moved = any(ZOOKEEPER in item["kinds"] for item in found)  # then the data is not lost
    return problems + ([] if moved else _lost_metadata(nodes, engines, options))


def _lost_metadata(nodes: Sequence[Node], engines: Engines, options: str) -> list[str]:
    """A server of several gets lost data from the others. A server alone does not, and brokers then refuse to serve."""
    servers = of_kind(nodes, ZOOKEEPER)
    brokers = [node for node in of_kind(nodes, BROKER) if has_data(node, engines)]
    if len(servers) != 1 or not brokers or has_data(servers[0], engines) or not engines.get(servers[0]["host"]):
        return []
    return [
        f"{brokers[0]['host']}: the volume {brokers[0]['volume']} holds messages of a cluster whose ZooKeeper data, "
        f"the volume {servers[0]['volume']} on {servers[0]['host']}, is gone; a broker refuses to serve them to "
        "another cluster. Restore that volume; or give the messages up, with "
        f"ansible-playbook{options} playbooks/teardown.yml -e teardown_data=true."
    ]


def _normal(address: str) -> str:
    """Return an address as Python writes it: 2001:DB8:0::1 is 2001:db8::1, and ::ffff:127.0.0.1, of Java, 127.0.0.1."""
    found = to_address(address.partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found or address)


def _overlap(one: str, other: str) -> bool:
    return _normal(one) == _normal(other) or bool({one, other} & {"0.0.0.0", "::", "*", ""})

"""Preflight checks of the inventory alone, before any host is contacted.

Every function returns a list of messages: the host, the variable that the user set, and a correct value.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kafka_proof.client.address import is_loopback, to_address
from kafka_proof.client.text import number
from kafka_proof.deploy.derive import size_bytes
from kafka_proof.deploy.listeners import LOOPBACK, PROTOCOLS, Resolve, advertised, resolve
from kafka_proof.deploy.node import BROKER, CONTROLLER, QUORUM_LISTENERS, ZOOKEEPER, Listener, Node, dedicated, of_kind
from kafka_proof.deploy.setting_checks import (
    broker_setting_problems,
    controller_setting_problems,
    server_setting_problems,
)
from kafka_proof.deploy.zookeeper import CLIENT_PORT, chroot, secure_address


def node_problems(nodes: Sequence[Node]) -> list[str]:
    """Return what in the variables of all nodes cannot work."""
    return [
        *server_problems(of_kind(nodes, ZOOKEEPER)),
        *controller_problems(nodes),
        *broker_problems(of_kind(nodes, BROKER)),
        *_connect_problems(nodes),
    ]


def broker_problems(brokers: Sequence[Node], resolve: Resolve = resolve) -> list[str]:
    """Return what in the variables of the brokers cannot work, alone or together."""
    own = []
    for node in brokers:
        kraft = "zookeeper.connect" not in node["computed"]
        settings = broker_setting_problems(node["config"], node["computed"], len(brokers), kraft, node["version"])
        own += [
            f"{node['host']}: {message}"
            for message in (*_broker_problems(node, resolve), *_memory_problems(node, "kafka"), *settings)
        ]
    return own + _shared_ids(brokers, "kafka_broker_id") + _shared_addresses(brokers)


def controller_problems(nodes: Sequence[Node], resolve: Resolve = resolve) -> list[str]:
    """Return what in the variables of controllers cannot work, alone or together. `nodes`: all of the stack."""
    own, controllers = [], dedicated(nodes)
    for node in controllers:
        said = [
            *_memory_problems(node, "kafka_controller"),
            *controller_setting_problems(node["config"], node["computed"], node["version"]),
        ]
        said += [problem for item in node["listeners"] for problem in _listener_problems(item, node, resolve)]
        if node["id"] < 0:
            said.append(f"kafka_controller_id is {node['id']}. Use 0 or more.")
        own += [f"{node['host']}: {message}" for message in said]
    brokers = [(str(node["id"]), node["host"]) for node in of_kind(nodes, BROKER)]
    pairs = [(str(node["id"]), node["host"]) for node in controllers]
    both = [node_id for node_id, _ in pairs if node_id in dict(brokers)]
    own += [
        f"{dict(pairs)[node_id]}: kafka_controller_id is {node_id}, which is the kafka_broker_id of "
        f"{dict(brokers)[node_id]}, and all nodes of a cluster share one range of ids. Give the controller another one."
        for node_id in dict.fromkeys(both)
    ]
    return own + _shared_ids(controllers, "kafka_controller_id") + _shared_addresses(controllers)


def quorum_warnings(nodes: Sequence[Node]) -> list[str]:
    """Return what works, and is not what most people want."""
    controllers = of_kind(nodes, CONTROLLER)
    if len(controllers) % 2 or not controllers:
        return []
    count = len(controllers)
    return [
        f"The inventory has {count} controllers, which survive the loss of no more controllers than {count - 1} do. "
        f"Use {count - 1} or {count + 1}."
    ]


def server_problems(servers: Sequence[Node]) -> list[str]:
    """Return what in the variables of the ZooKeeper servers cannot work, alone or together."""
    own = [
        f"{node['host']}: {message}"
        for node in servers
        for message in (*_server_problems(node), *_memory_problems(node, "zookeeper"))
    ]
    return own + _shared_ids(servers, "zookeeper_id")


def _memory_problems(node: Node, role: str) -> Iterator[str]:
    heap, memory = node["jvm"]["heap"], node["memory"]
    if memory and size_bytes(memory) < size_bytes(heap) + 256 * 1024**2:
        yield (
            f"{role}_memory is {memory} and the heap is {heap}. The JVM needs at least 256m beside its heap, "
            "or the kernel kills it. Raise the one or lower the other."
        )


def _server_problems(node: Node) -> Iterator[str]:
    server = node["peers"]["server"]
    if re.match(r"localhost:|127\.|\[::1\]", server):
        yield (
            f"the other hosts would reach its ZooKeeper server at {server.partition(':')[0]}, which to each of them is "
            "itself. Set stack_address to the address by which they reach this host."
        )
    yield from server_setting_problems(node["config"], node["computed"], node["volume"])
    if not 0 < node["id"] < 256:
        yield (
            f"zookeeper_id is {node['id']}. Use 1 to 255. Where it is not set, it is the kafka_broker_id of the host: "
            "set zookeeper_id, too."
        )
    for port in node["ports"]:
        if not 0 < port["port"] < 65536:
            yield f"{port['variable']} is {port['port']}. Use a port of 1 to 65535."
    for port_number in repeated(port["port"] for port in node["ports"]):
        yield f"two of ZooKeeper's ports are {port_number}. Give each its own."


def _broker_problems(node: Node, resolve: Resolve) -> Iterator[str]:
    most = number(node["config"].get("reserved.broker.max.id")) or 1000
    generated = str(node["config"].get("broker.id.generation.enable", True)).lower() != "false"
    kraft = "zookeeper.connect" not in node["computed"]
    if kraft and node["id"] < 0:
        yield f"kafka_broker_id is {node['id']}. Use 0 or more."
    elif node["id"] < 0 or (generated and not kraft and node["id"] > most):
        yield (f"kafka_broker_id is {node['id']}. Use 0 to {most}; reserved.broker.max.id in kafka_config allows more.")
    listeners = node["listeners"]
    names = [item["name"] for item in listeners]
    of_clients = [name for name in names if name not in QUORUM_LISTENERS]
    reserved = [name.upper() for name in names if name.upper() in QUORUM_LISTENERS]
    if kraft and len(reserved) > (CONTROLLER in node["kinds"]):
        yield (
            f"kafka_listeners has {reserved[0]}, the name of the controllers' listener in KRaft mode, which no "
            "client may use. It is added where it belongs; kafka_controller_port sets its port. Give this one another "
            "name."
        )
        return
    if not of_clients:
        yield "kafka_listeners is empty. Leave it out for the usual two, or give the broker one."
        return
    for name in repeated(name.upper() for name in names):  # Kafka writes names of listeners in capitals
        yield f"kafka_listeners has {name} more than once, in capitals. Give each listener its own name."
    for port in repeated(int(item["port"]) for item in listeners):
        same = [item["name"] for item in listeners if int(item["port"]) == port]
        quorum = next((name for name in same if name in QUORUM_LISTENERS), "")
        yield (
            f"the listeners {' and '.join(same)} have port {port}. Give each its own; kafka_port is that of EXTERNAL "
            "where kafka_listeners does not say otherwise"
            f"{', and kafka_controller_port that of ' + quorum if quorum else ''}."
        )
    for address in repeated(map(advertised, listeners)):
        yield f"two listeners advertise {address}. Give each its own advertised_host or advertised_port."
    for variable, name in (
        ("kafka_client_listener", node["client_listener"]),
        ("kafka_inter_broker_listener", node["inter_broker_listener"]),
    ):
        if name not in of_clients:
            yield f"{variable} is {name}, and kafka_listeners has {', '.join(of_clients)}. Name one of those."
    for item in listeners:
        other = item["protocol"] != node["client_protocol"] and item["protocol"] in PROTOCOLS
        if item["name"] == node["client_listener"] and other:
            yield (
                f"kafka_client_listener is {item['name']} with {item['protocol']}, and by kafka_security clients use "
                f"{node['client_protocol']}. Leave out its protocol, name another listener, or change kafka_security."
            )
        yield from _listener_problems(item, node, resolve)


def _listener_problems(listener: Listener, node: Node, resolve: Resolve) -> Iterator[str]:
    name, host = listener["name"], listener["advertised_host"]
    variable = "kafka_advertised_host" if name == node["client_listener"] else f"advertised_host of {name}"
    if name in QUORUM_LISTENERS:
        variable = "stack_address"
    if listener["protocol"] not in PROTOCOLS:
        yield f"listener {name} has protocol {listener['protocol']}. Kafka knows {', '.join(PROTOCOLS)}."
    for key, port in (("port", listener["port"]), ("advertised_port", listener.get("advertised_port", 1))):
        if not 0 < int(port) < 65536:
            setting = "kafka_controller_port" if name in QUORUM_LISTENERS else key
            yield f"listener {name} has {setting} {port}. Use a port of 1 to 65535."
    if host in ("0.0.0.0", "::", ""):
        yield (
            f"listener {name} advertises '{host}', to which no client can connect. "
            f"Set {variable} to a name or address of this host."
        )
        return
    if not to_address(host) and not re.fullmatch(r"[\w.-]+", host):
        yield (
            f"listener {name} advertises {host!r}, which is no host name and no address. Write the host alone in "
            f"{variable}, an IPv6 address without brackets; the port is advertised_port."
        )
        return
    bind = listener.get("bind_address")
    if not bind:
        return  # only containers on the stack's network use it, and Docker resolves their names
    if is_loopback(host) and not node["is_local"]:
        yield (
            f"listener {name} advertises {host}, which to every client means the client itself. "
            f"Set {variable} to the name or address by which clients reach this host."
        )
    elif not resolve(host) and listener.get("prove", True):
        yield (
            f"listener {name} advertises {host}, which does not resolve here. "
            f"Correct {variable}, or add the name to DNS or /etc/hosts. With prove: false it need not resolve here."
        )
    elif not to_address(bind):
        yield f"listener {name} has bind_address {bind}, and Docker publishes on addresses. Write one, such as 0.0.0.0."
    elif not is_loopback(host) and is_loopback(bind) and bind != LOOPBACK:
        # As Debian has it in /etc/hosts for a machine's own name.
        yield (
            f"listener {name} advertises {host}, which here is {bind}, where no other machine reaches it. "
            f"Set {'kafka_controller' if name in QUORUM_LISTENERS else 'kafka'}_bind_address to the address that "
            "others know, or to 0.0.0.0."
        )


def _connect_problems(nodes: Sequence[Node]) -> list[str]:
    """Return whose kafka_zookeeper_connect leads to the port without TLS, which servers with TLS have inside alone."""
    addresses = [secure_address(server) for server in of_kind(nodes, ZOOKEEPER) if server["client"]]
    open_port = f":{CLIENT_PORT}"
    if not addresses or any(address.endswith(open_port) for address in addresses):
        return []
    return [
        f"{node['host']}: kafka_zookeeper_connect is {given}, and with kafka_security nodes use the port with TLS. Set "
        f"it to {','.join(addresses)}{chroot(node)}{', or leave it out' if not chroot(node) else ''}."
        for node in of_kind(nodes, BROKER)
        if (given := str(node["computed"]["zookeeper.connect"]))
        and any(address.endswith(open_port) for address in given.partition("/")[0].split(","))
    ]


def _shared_ids(nodes: Sequence[Node], variable: str) -> list[str]:
    return [
        f"{hosts}: all have {variable} {node_id}. Give each its own id."
        for node_id, hosts in _shared((str(node["id"]), node["host"]) for node in nodes)
    ]


def _shared_addresses(brokers: Sequence[Node]) -> list[str]:
    pairs = [
        (advertised(item), node["host"])
        for node in brokers
        for item in node["listeners"]
        if item.get("bind_address")  # others are names in the network of one engine
    ]
    return [
        f"{hosts}: all advertise {address}, and clients would reach one of them for another. Give each its own "
        "kafka_advertised_host or kafka_port. With ansible_connection=local all are this machine; for other hosts "
        "begin with examples/hosts.ini."
        for address, hosts in _shared(dict.fromkeys(pairs))
    ]


def _shared(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the keys of (key, host) pairs that several hosts have, each with its hosts as text."""
    hosts: dict[str, list[str]] = {}
    for key, host in pairs:
        hosts.setdefault(key, []).append(host)
    return [(key, ", ".join(found)) for key, found in hosts.items() if len(found) > 1]


def repeated(items: Iterable[Any]) -> list[Any]:
    return [item for item, times in Counter(items).items() if times > 1]

"""Listeners as data: a list of {name, port, protocol, advertised_host, …}. All addresses follow from it."""

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kafka_proof.deploy.node import QUORUM_LISTENERS, Engines, Listener, Node

LOOPBACK = "127.0.0.1"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")

Resolve = Callable[[str], str | None]


def listener_settings(listeners: Sequence[Listener], inter_broker: str = "") -> dict[str, str]:
    """Return the settings that follow from a node's listeners. `inter_broker`: the listener between brokers."""
    own = {
        "listeners": ",".join(f"{item['name']}://0.0.0.0:{item['port']}" for item in listeners),
        "advertised.listeners": ",".join(f"{item['name']}://{advertised(item)}" for item in listeners),
        "listener.security.protocol.map": ",".join(f"{item['name']}:{item['protocol']}" for item in listeners),
    }
    return own | ({"inter.broker.listener.name": inter_broker} if inter_broker else {})


def client_addresses(brokers: Sequence[Node]) -> list[str]:
    """Return the addresses at which clients reach the brokers."""
    return [
        advertised(item) for node in brokers for item in node["listeners"] if item["name"] == node["client_listener"]
    ]


def inter_broker_address(node: Node) -> str:
    """Return the address at which other brokers reach a broker."""
    return next(advertised(item) for item in node["listeners"] if item["name"] == node["inter_broker_listener"])


def client_addresses_now(brokers: Sequence[Node], engines: Engines, running_only: bool = False) -> list[str]:
    """Return the addresses for clients that the brokers' containers advertise now.

    While brokers move to other addresses, some are still at the old ones: with `running_only` the addresses of running
    brokers come first, and those of the inventory after them. Otherwise the inventory's count only where no container
    exists. `engines`: {host: what kafka_proof.deploy.engine.parse returned}.
    """
    wanted, found = client_addresses(brokers), []
    for node in brokers:
        for item in engines.get(node["host"], {}).get("containers", []):
            if item["name"] == node["container"] and (item["state"] == "running" or not running_only):
                found += [address for name, address in item["advertised"] if name == node["client_listener"]]
    return list(dict.fromkeys([*found, *(wanted if running_only or not found else [])]))


def addresses_to_verify(nodes: Iterable[Node], for_clients: bool = False) -> list[list[Any]]:
    """Return [[node id, address, whether to ask which broker answers]] of the addresses beyond each node's engine.

    Only a PLAINTEXT listener of a broker is asked. For clients: without the listeners between nodes, whose network may
    be theirs alone.
    """
    return [
        [node["id"], advertised(item), item["protocol"] == "PLAINTEXT" and item["name"] not in QUORUM_LISTENERS]
        for node in nodes
        for item in node["listeners"]
        if item.get("bind_address")
        and item.get("prove", True)
        and not (for_clients and item["name"] == node["inter_broker_listener"] != node["client_listener"])
        and not (for_clients and item["name"] in QUORUM_LISTENERS)
    ]


def bind_address(advertised_host: str) -> str:
    """Return the address on which a host publishes a port that clients reach at `advertised_host`, never all of them.

    Docker publishes on addresses, so a name is resolved. A name that does not resolve stays, for a check to report.
    """
    host = str(advertised_host)
    return LOOPBACK if host == "localhost" else resolve(host) or host


def advertised(listener: Listener) -> str:
    return f"{bracketed(listener['advertised_host'])}:{listener.get('advertised_port', listener['port'])}"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in str(host) else host


def resolve(host: str) -> str | None:
    """Return the first address of a name, or None when it does not resolve here."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        return None

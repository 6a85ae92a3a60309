"""Decisions about brokers, as functions: they see what is wanted and say what follows, and touch nothing."""

import ipaddress
import re
import socket
from collections import Counter

LOOPBACK = "127.0.0.1"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


def kafka_listener_properties(listeners, inter_broker):
    """Derive all that a broker's configuration says of its listeners.

    `listeners`: list of {name, port, protocol, advertised_host, advertised_port (default: port), bind_address}.
    """
    return {
        "listeners": ",".join(f"{item['name']}://0.0.0.0:{item['port']}" for item in listeners),
        "advertised.listeners": ",".join(f"{item['name']}://{_advertised(item)}" for item in listeners),
        "listener.security.protocol.map": ",".join(f"{item['name']}:{item['protocol']}" for item in listeners),
        "inter.broker.listener.name": inter_broker,
    }


def kafka_published_ports(listeners):
    """The `address:port:port` of each listener that is published on its host."""
    return [
        f"{_bracketed(item['bind_address'])}:{item['port']}:{item['port']}"
        for item in listeners
        if item.get("bind_address")
    ]


def kafka_client(brokers):
    """What a client needs to know, {key of client.properties: value}. `brokers`: as in `kafka_problems`."""
    of_clients = [
        next(item for item in broker["listeners"] if item["name"] == broker["client_listener"]) for broker in brokers
    ]
    return {
        "bootstrap.servers": ",".join(map(_advertised, of_clients)),
        "security.protocol": next((item["protocol"] for item in of_clients), "PLAINTEXT"),
    }


def kafka_client_now(client, brokers, hostvars):
    """As `client`, of `kafka_client`, and with the addresses at which the brokers that run are reached until they are
    made anew with those of the inventory. `brokers`: list of {host, container, client_listener}."""
    servers = dict.fromkeys([*_made_with(brokers, hostvars, ["running"]), *client["bootstrap.servers"].split(",")])
    return client | {"bootstrap.servers": ",".join(servers)}


def kafka_client_there(client, brokers, hostvars):
    """As `client`, but with the addresses that the brokers' containers were made with, if there are any."""
    servers = _made_with(brokers, hostvars)
    return client | {"bootstrap.servers": ",".join(servers)} if servers else client


def _made_with(brokers, hostvars, states=None):
    """What brokers' containers advertise to clients, whichever the inventory says."""
    found = []
    for broker in brokers:
        engine = hostvars[broker["host"]].get("__stack_engine") or {}  # none of a host that is unreachable
        for item in engine.get("containers", []):
            if item["name"] == broker["container"] and item["state"] in (states or [item["state"]]):
                listener = rf"^advertised\.listeners=(?:.*,)?{re.escape(broker['client_listener'])}://([^,\n]+)"
                address = re.search(listener, item["env"].get("PROPERTIES", ""), re.MULTILINE)
                found += [address[1]] if address else []
    return found


def _advertised(listener):
    return f"{_bracketed(listener['advertised_host'])}:{listener.get('advertised_port', listener['port'])}"


def _bracketed(host):
    return f"[{host}]" if ":" in str(host) else host


def kafka_addresses(brokers, for_clients=False):
    """What kafka_reach has to try: each broker's addresses beyond its own engine. `brokers`: as in `kafka_problems`.

    For clients: without the listener that is for the brokers among themselves, whose network may be theirs alone.
    """
    return [
        [int(broker["broker_id"]), _advertised(item), item["protocol"] == "PLAINTEXT"]
        for broker in brokers
        for item in broker["listeners"]
        if item.get("bind_address")
        and item.get("prove", True)
        and not (for_clients and item["name"] == broker["inter_broker_listener"] != broker["client_listener"])
    ]


def kafka_bind_address(advertised_host):
    """The address on which a host publishes a port that clients reach at `advertised_host`: never all interfaces.

    A name is resolved, since Docker publishes on addresses; one that does not resolve stays, and `kafka_problems`
    says so.
    """
    if _is_loopback(advertised_host):
        return LOOPBACK
    return _resolve(advertised_host) or advertised_host


def _resolve(host):
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError):
        return None


def _is_loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def kafka_problems(brokers, resolve=_resolve):
    """What in the inventory cannot work, found before anything is touched.

    `brokers`: list of {host, is_local, broker_id, listeners, client_listener, inter_broker_listener, config, computed}.
    Returns a list of messages, each with what, where, and what to do.
    """
    problems = []
    for broker in brokers:
        problems += [f"{broker['host']}: {message}" for message in _broker_problems(broker, resolve)]
        most = int(broker["config"].get("reserved.broker.max.id") or 1000)
        generated = str(broker["config"].get("broker.id.generation.enable", True)).lower() != "false"
        if int(broker["broker_id"]) < 0 or (generated and int(broker["broker_id"]) > most):
            problems.append(
                f"{broker['host']}: kafka_broker_id is {broker['broker_id']}. Kafka's are 0 to {most}; "
                "reserved.broker.max.id in kafka_config allows more."
            )
    for broker_id, hosts in _shared((str(broker["broker_id"]), broker["host"]) for broker in brokers):
        problems.append(f"{hosts}: all have kafka_broker_id {broker_id}. Give each broker an id of its own.")
    advertised = [
        (_advertised(item), broker["host"])
        for broker in brokers
        for item in broker["listeners"]
        if item.get("bind_address")  # others are names in the network of one engine
    ]
    for address, hosts in _shared(dict.fromkeys(advertised)):
        problems.append(
            f"{hosts}: all advertise {address}, and clients would reach one of them for another. "
            "Give each its own kafka_advertised_host or kafka_port. With ansible_connection=local all are this "
            "machine; for other hosts begin with examples/hosts.ini."
        )
    return problems


def _shared(pairs):
    """Those keys of (key, host) pairs that several hosts have, each with its hosts as text."""
    hosts = {}
    for key, host in pairs:
        hosts.setdefault(key, []).append(host)
    return [(key, ", ".join(found)) for key, found in hosts.items() if len(found) > 1]


def _broker_problems(broker, resolve):
    listeners = broker["listeners"]
    names = [item["name"] for item in listeners]
    if not names:
        yield "kafka_listeners is empty. Leave it out for the usual two, or give the broker one."
        return
    for name in repeated(names):
        yield f"kafka_listeners has {name} more than once. Give each listener a name of its own."
    for port in repeated([int(item["port"]) for item in listeners]):
        yield f"kafka_listeners has port {port} more than once. Give each listener a port of its own."
    for address in repeated([_advertised(item) for item in listeners]):
        yield f"two listeners advertise {address}. Give each its own advertised_host or advertised_port."
    for role in ("client", "inter_broker"):
        if broker[f"{role}_listener"] not in names:
            yield (
                f"kafka_{role}_listener is {broker[f'{role}_listener']}, and kafka_listeners has {', '.join(names)}. "
                "Name one of those."
            )
    for item in listeners:
        if item["name"] == broker["client_listener"] and item["protocol"] in PROTOCOLS[1:]:
            yield (
                f"kafka_client_listener is {item['name']} with {item['protocol']}, and no variable says by what a "
                "client of that proves itself. Name a PLAINTEXT listener; the others may be of any protocol."
            )
        yield from _listener_problems(item, broker["is_local"], resolve)
    for key in sorted(broker["config"].keys() & broker["computed"].keys()):
        yield f"kafka_config sets {key}, which is derived from {_OWNERS.get(key, 'kafka_listeners')}. Set that instead."


_OWNERS = {"broker.id": "kafka_broker_id", "zookeeper.connect": "kafka_zookeeper_connect", "log.dirs": "stack_name"}


def _listener_problems(listener, is_local, resolve):
    name, host = listener["name"], listener["advertised_host"]
    if listener["protocol"] not in PROTOCOLS:
        yield f"listener {name} has protocol {listener['protocol']}. Kafka knows {', '.join(PROTOCOLS)}."
    for key in ("port", "advertised_port"):
        if not 0 < int(listener.get(key, 1)) < 65536:
            yield f"listener {name} has {key} {listener[key]}. Ports are 1 to 65535."
    if host in ("0.0.0.0", "::", ""):
        yield (
            f"listener {name} advertises '{host}', to which no client can connect. "
            "Set kafka_advertised_host to a name or address of this host."
        )
    elif not listener.get("bind_address"):
        return  # only containers on the stack's network use it, and Docker resolves their names
    elif _is_loopback(host) and not is_local:
        yield (
            f"listener {name} advertises {host}, which to every client means the client itself. "
            "Set kafka_advertised_host to the name or address by which clients reach this host."
        )
    elif not resolve(host):
        yield (
            f"listener {name} advertises {host}, which does not resolve here. "
            "Correct kafka_advertised_host, or add the name to DNS or /etc/hosts."
        )
    elif not _is_address(listener["bind_address"]):
        yield (
            f"listener {name} has bind_address {listener['bind_address']}, and Docker publishes on addresses. "
            "Write one, such as 0.0.0.0."
        )
    elif not _is_loopback(host) and _is_loopback(listener["bind_address"]) and listener["bind_address"] != LOOPBACK:
        # As Debian has it in /etc/hosts for a machine's own name.
        yield (
            f"listener {name} advertises {host}, which here is {listener['bind_address']}, where no other machine "
            "reaches it. Set kafka_bind_address to the address that others know, or to 0.0.0.0."
        )


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def repeated(items):
    return [item for item, times in Counter(items).items() if times > 1]


def kafka_to_plan(brokers, hostvars):
    """What kafka_plan has to know of each broker: of each host's variables, `_kafka_change`, of engine_change."""
    return [
        {"host": broker["host"], "id": broker["broker_id"], "config": broker["config"]}
        | {key: hostvars[broker["host"]]["_kafka_change"][key] for key in ("change", "running", "properties")}
        for broker in brokers
    ]

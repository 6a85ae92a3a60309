"""Derive the nodes of a stack from the inventory, once.

`make_nodes` decides everything about a node: its name, its listeners and published ports, its settings, and the files
and labels that it carries. Later code compares, creates, checks or removes nodes, and never asks a variable again.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kafka_proof.client.text import number
from kafka_proof.deploy import directory, kraft, listeners, security, zookeeper
from kafka_proof.deploy.files import to_properties
from kafka_proof.deploy.node import (
    BROKER,
    CONFIG,
    CONTROLLER,
    DATA,
    QUORUM_LISTENERS,
    ZOOKEEPER,
    Common,
    Listener,
    Node,
    Port,
    of_kind,
)
from kafka_proof.deploy.profiles import profile
from kafka_proof.deploy.takeover import name_on_network

PROTOCOL = "inter.broker.protocol.version"

# Two containers that start at once can swap addresses. The JVM keeps an address for 30 s: the controller then connects
# to the wrong broker, which refuses its requests (STALE_BROKER_EPOCH) as long as the connection lasts.
FRESH_ADDRESSES = "-Dsun.net.inetaddr.ttl=0"

# A JVM that ran out of memory loses a thread and continues: it still answers some requests. The engine restarts a JVM
# that exits.
EXIT_WITHOUT_MEMORY = "-XX:+ExitOnOutOfMemoryError"

Hosts = Mapping[str, Mapping[str, Any]]


class _Stack(NamedTuple):
    """Facts that all nodes of a stack share."""

    brokers: int
    servers: int  # of ZooKeeper; 0 in KRaft mode
    combined: bool  # whether brokers are controllers, too
    one_engine: bool
    security: security.Security


def make_nodes(groups: Mapping[str, Sequence[str]], hosts: Hosts, engines: Mapping[str, str]) -> list[Node]:
    """Return the ZooKeeper servers or the controllers, then the brokers, each in the inventory's order.

    groups: {group: hosts}. Hosts in `zookeeper` select ZooKeeper. Without them the cluster runs KRaft: with the
    controllers of the group `kafka_controller`, or with brokers that are controllers, too.
    hosts: {host: its variables, checked and converted}; engines: {host: engine}, see kafka_proof.deploy.engines.
    Containers on one engine reach each other by name, others by their hosts' addresses.
    """
    servers, controllers, brokers = (groups.get(name) or [] for name in ("zookeeper", "kafka_controller", "kafka"))
    one_engine = len(set(engines.values())) == 1
    access = security.security_of(hosts[brokers[0]])
    stack = _Stack(len(brokers), len(servers), not servers and not controllers, one_engine, access)
    nodes = [_server(host, hosts[host], stack) for host in servers]
    nodes += [_controller(host, hosts[host], stack) for host in controllers]
    nodes += [_broker(host, hosts[host], stack) for host in brokers]
    # Hosts can have different certificates.
    given = {host: security.security_of(variables).certificates for host, variables in hosts.items()}
    return [
        with_files({**node, "secrets": security.secrets_of(node, access._replace(certificates=given[node["host"]]))})
        for node in _connected(nodes)
    ]


def _connected(nodes: Sequence[Node]) -> Sequence[Node]:
    """Give each node the addresses of the ZooKeeper servers, or of the controllers."""
    servers, controllers = of_kind(nodes, ZOOKEEPER), of_kind(nodes, CONTROLLER)
    for server in servers:
        server["settings"] |= zookeeper.ensemble_settings(servers)
        server["labels"]["ensemble"] = ",".join(str(other["id"]) for other in servers)
    connect = {
        "zookeeper.connect": ",".join(server["peers"]["client"] for server in servers),
        "controller.quorum.bootstrap.servers": ",".join(node["peers"]["controller"] for node in controllers),
    }
    for node in nodes:
        for key in connect.keys() & node["settings"].keys():
            node["settings"][key] = node["settings"][key] or connect[key]
    return nodes


def with_files(node: Node) -> Node:
    """Return the node with the files and the labels that follow from its settings."""
    labels = {
        "stack": node["stack"],
        "kind": ",".join(node["kinds"]),
        "id": str(node["id"]),
        "version": node["version"],
        "advertised": node["settings"].get("advertised.listeners", ""),
        "protocol": str(node["settings"].get(PROTOCOL) or ""),
    }
    # Of kafka_proof.deploy.transition, which gives nodes other ones while a cluster becomes secure.
    labels |= {key: value for key, value in _of_access(node).items() if key not in node["labels"]}
    heap = node["jvm"]["heap"]
    files = {
        "server.properties": to_properties(node["settings"]),
        "heap.options": f"-Xms{heap} -Xmx{heap}\n",
        "jvm.options": f"{FRESH_ADDRESSES}\n{EXIT_WITHOUT_MEMORY}\n{node['jvm']['options']}\n",
    }
    if node["client"]:
        files[security.NODE_CLIENT] = to_properties(node["client"])
    return {**node, "labels": node["labels"] | labels, "files": files}


def _of_access(node: Node) -> dict[str, str]:
    """Return the labels that say where a container can be reached, and whether by TLS alone (3) or without (0)."""
    use = {node["client_listener"]: "clients", node["inter_broker_listener"]: "brokers"}
    use |= dict.fromkeys(QUORUM_LISTENERS, "quorum")
    found: list[Any] = [{**item, "use": use.get(item["name"], "others")} for item in node["listeners"]]
    if ZOOKEEPER in node["kinds"]:
        port = node["ports"][0]
        secure = port["inside"] == security.SECURE_CLIENT_PORT
        host, _, number = node["peers"]["client"].rpartition(":")
        found = [
            {
                "name": "client-secure" if secure else "client",
                "use": "zookeeper",
                "protocol": "SSL" if secure else "PLAINTEXT",
                "port": port["inside"],
                "published": port["port"],
                "bind_address": port["address"],
                "advertised_host": host.strip("[]"),
                "advertised_port": int(number),
            }
        ]
    return {"level": str(security.target(node)), "listeners": json.dumps(found, sort_keys=True)}


def with_protocol(node: Node, protocol: str) -> Node:
    """Return a broker that speaks `protocol` to the others, such as "3.8"; unchanged if that is "".

    In KRaft mode there is no such setting: the cluster's feature metadata.version decides.
    """
    settings = node["settings"] | ({PROTOCOL: protocol} if protocol else {})
    return with_files({**node, "settings": settings})


def container_name(stack: str, kind: str, node_id: int) -> str:
    """Return the name of a node's container. Users type it, so the first one is plain: kafka, kafka-2, two-kafka."""
    program = {ZOOKEEPER: "zookeeper", CONTROLLER: "kafka-controller"}.get(kind, "kafka")
    return f"{stack}-{program}"[not stack :] + ("" if node_id == 1 else f"-{node_id}")


def _common(host: str, variables: Mapping[str, Any], kinds: list[str], node_id: int) -> Common:
    name = container_name(variables["stack_name"], kinds[0], node_id)
    return Common(
        host=host,
        kinds=kinds,
        id=node_id,
        container=name,
        volume=f"{name}-data",
        adopt_volume=variables["stack_adopt_volumes"],
        takes_over=variables["stack_takes_over"] or {},
        stack=variables["stack_name"],
        version=variables["stack_kafka_version"],
        image=variables["stack_image"],
        network=variables["stack_network"],
        is_local=variables["is_local"],
    )


def _server(host: str, variables: Mapping[str, Any], stack: _Stack) -> Node:
    node_id = variables["zookeeper_id"]
    common = _common(host, variables, [ZOOKEEPER], node_id)
    address = name_on_network(common) if stack.one_engine else listeners.bracketed(variables["stack_address"])
    inside = security.SECURE_CLIENT_PORT if stack.security.on else zookeeper.CLIENT_PORT
    ports = [("zookeeper_port", inside)]
    if stack.servers > 1 and not stack.one_engine:  # between containers of one network nothing has to be published
        ports += [(name, variables[name]) for name in ("zookeeper_quorum_port", "zookeeper_election_port")]
    computed = {"dataDir": DATA, "clientPort": zookeeper.CLIENT_PORT}
    computed |= security.zookeeper_server(stack.security, stack.servers)
    client_port = inside if stack.one_engine else variables["zookeeper_port"]
    return {
        **common,
        "ports": [
            Port(address=variables["zookeeper_bind_address"], port=variables[name], inside=within, variable=name)
            for name, within in ports
        ],
        "listeners": [],
        "client_listener": "",
        "client_protocol": "",
        "client": security.node_client(stack.security),
        "inter_broker_listener": "",
        "config": variables["zookeeper_config"],
        "computed": computed,
        "settings": zookeeper.settings(stack.servers) | variables["zookeeper_config"] | computed,
        "jvm": {"heap": variables["zookeeper_heap"], "options": variables["zookeeper_jvm_options"]},
        "memory": variables["zookeeper_memory"] or _more(variables["zookeeper_heap"], 512),
        "files": {},
        "secrets": {},
        "format": [],
        "labels": {},
        "command": f"printf %s {node_id} >{DATA}/myid && "
        f"exec /opt/kafka/bin/zookeeper-server-start.sh {CONFIG}/server.properties",
        "health": f"exec 3<>/dev/tcp/127.0.0.1/{zookeeper.CLIENT_PORT} && printf srvr >&3 && grep -q ^Mode <&3",
        "stop_timeout": 30,
        "peers": {
            "client": f"{address}:{client_port}",
            "server": f"{address}:{variables['zookeeper_quorum_port']}:{variables['zookeeper_election_port']}",
        },
    }


def _controller(host: str, variables: Mapping[str, Any], stack: _Stack) -> Node:
    common = _common(host, variables, [CONTROLLER], variables["kafka_controller_id"])
    listener = kraft.listener(common, variables, stack.one_engine, stack.security)
    computed = listeners.listener_settings([listener]) | kraft.settings(common, stack.security)
    computed |= _access(stack, [listener], [listener["name"]], common["version"])
    heap = variables["kafka_controller_heap"]
    # Settings by which a controller decides for brokers follow from their profile.
    config = dict(profile(variables["kafka_profile"], stack.brokers).settings) | variables["kafka_config"]
    own = variables["kafka_controller_config"]
    return {
        **common,
        "ports": ports_of([listener]),
        "listeners": [listener],
        "client_listener": "",
        "client_protocol": "",
        "client": security.node_client(stack.security),
        "inter_broker_listener": "",
        "config": own,
        "computed": computed,
        "settings": _request_limit(heap, kraft.of_controllers(config) | own) | computed,
        "jvm": _jvm(heap, variables["kafka_controller_jvm_options"], common, stack),
        "memory": variables["kafka_controller_memory"] or _more(heap, 512),
        "files": {},
        "secrets": {},
        "format": [],
        "labels": {},
        "command": directory.command(common["version"]),
        "health": probes([listener]),
        "stop_timeout": 30,
        "peers": {"controller": listeners.advertised(listener)},
    }


def _broker(host: str, variables: Mapping[str, Any], stack: _Stack) -> Node:
    common = _common(
        host, variables, [BROKER, CONTROLLER] if stack.combined else [BROKER], variables["kafka_broker_id"]
    )
    inter_broker = variables["kafka_inter_broker_listener"]
    own = [security.secured(item, stack.security, inter_broker) for item in variables["kafka_listeners"]]
    peers = {}
    quorum = kraft.listener(common, variables, stack.one_engine, stack.security)
    if stack.combined:
        own.append(quorum)
        peers["controller"] = listeners.advertised(quorum)
    computed: dict[str, Any] = dict(listeners.listener_settings(own, inter_broker))
    # A broker that is no controller connects to them as a client of their listener.
    with_tls = own if stack.servers or stack.combined else [*own, quorum]
    computed |= _access(stack, with_tls, [inter_broker, quorum["name"]], common["version"])
    if stack.servers:
        computed |= {
            "broker.id": common["id"],
            "zookeeper.connect": variables["kafka_zookeeper_connect"],
            "log.dirs": DATA,
        } | security.zookeeper_client(stack.security)
    else:
        computed |= kraft.settings(common, stack.security, computed["listener.security.protocol.map"])
    chosen = profile(variables["kafka_profile"], stack.brokers, with_zookeeper=bool(stack.servers))
    heap = variables["kafka_heap"] or chosen.heap
    config, jvm_options = variables["kafka_config"], variables["kafka_jvm_options"]
    return {
        **common,
        "ports": ports_of(own),
        "listeners": own,
        "client_listener": variables["kafka_client_listener"],
        "client_protocol": security.client_protocol(stack.security),
        "client": security.node_client(stack.security),
        "inter_broker_listener": inter_broker,
        "is_local": variables["is_local"] and (stack.one_engine or stack.brokers == 1),
        "config": config,
        "computed": computed,
        "settings": dict(chosen.settings)
        | _request_limit(heap, config, variables.get("kafka_topics_present") or [])
        | computed,
        "jvm": _jvm(heap, chosen.jvm_options if jvm_options is None else jvm_options, common, stack),
        "memory": variables["kafka_memory"] or _more(heap, chosen.beside_heap),
        "files": {},
        "secrets": {},
        "format": [],
        "labels": {},
        "command": f"exec /opt/kafka/bin/kafka-server-start.sh {CONFIG}/server.properties"
        if stack.servers
        else directory.command(common["version"]),
        "health": probes(own),
        "stop_timeout": variables["kafka_stop_timeout"],
        "peers": peers,
    }


def _access(stack: _Stack, own: Sequence[Listener], of_nodes: Sequence[str], version: str) -> dict[str, Any]:
    """Return the settings of TLS, logins and rights of a broker or a controller."""
    with_tls = security.listener_settings(own, of_nodes, stack.security, version)
    return with_tls | security.authorisation(stack.security, kraft=not stack.servers)


def _jvm(heap: str, options: str, common: Common, stack: _Stack) -> dict[str, str]:
    return {"heap": heap, "options": f"{security.jvm_options(common['version'], stack.security)}\n{options}"}


def ports_of(own: Sequence[Listener]) -> list[Port]:
    """Return the ports that listeners publish."""
    return [
        Port(
            address=item["bind_address"],
            port=int(item["port"]),
            inside=int(item["port"]),
            variable="kafka_controller_port" if item["name"] in QUORUM_LISTENERS else "kafka_port",
        )
        for item in own
        if item.get("bind_address")
    ]


def probes(own: Sequence[Listener]) -> str:
    """Return the shell command that asks each listener."""
    return " && ".join(_probe(item) for item in own)


def _probe(listener: Listener) -> str:
    """Return the shell command that asks a listener: a request handler answers, which an open port does not prove.

    An ApiVersions request of 10 bytes (key 18, version 0, correlation id 1, no client id), and its correlation id back.
    No JVM for a question. A listener with TLS, or with a login, is only connected to.
    """
    connect = f"exec 3<>/dev/tcp/127.0.0.1/{listener['port']}"
    if listener["protocol"] != "PLAINTEXT":
        return connect
    question = r"printf '\0\0\0\12\0\22\0\0\0\0\0\1\377\377' >&3"
    return f"{connect} && {question} && [ \"$(head -c 8 <&3 | tail -c 4 | od -An -tx1)\" = ' 00 00 00 01' ]"


def size_bytes(size: str) -> int:
    """Return the number of bytes of a size as the JVM takes it, such as 512m; 0 for what is none."""
    found = re.fullmatch(r"(\d+)([kmg])", str(size).lower())
    return int(found[1]) * 1024 ** " kmg".index(found[2]) if found else 0


def _more(heap: str, mebibytes: int) -> str:
    """Return a limit for a container whose JVM has this heap, and needs more for its code, its threads and buffers."""
    return f"{size_bytes(heap) // 1024**2 + mebibytes}m"


def _request_limit(heap: str, config: Mapping[str, Any], topics: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return kafka_config with a limit for the size of a request that fits the heap, unless it sets one.

    A request takes up to 25 times its size of the heap while it is read (CVE-2026-111115), before any login. Kafka's
    own limit is 100 MiB. A batch of messages of each topic has to fit.
    """
    size = size_bytes(heap)
    messages = [config.get("message.max.bytes")]
    messages += [(topic.get("config") or {}).get("max.message.bytes") for topic in topics]
    limit = min(max(size // 64, *(2 * number(each) for each in messages)), 100 * 1024**2)
    return {"socket.request.max.bytes": limit} | dict(config)

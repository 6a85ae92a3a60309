"""A node: one container that runs Kafka or ZooKeeper, as plain data. Checks, roles and playbooks use a list of them."""

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict

BROKER, CONTROLLER, ZOOKEEPER = "broker", "controller", "zookeeper"  # kinds
DATA = "/var/lib/kafka/data"  # where a node's volume is mounted; either image has a directory there that its user owns
LOGS = "/opt/kafka/logs"  # where Apache's image also writes logs
CONFIG = "/etc/kafka-proof"  # a volume of the container; settings are files in it
QUORUM_LISTENER = "CONTROLLER"  # name of the controllers' listener, which only nodes of the cluster use
QUORUM_LISTENERS = (QUORUM_LISTENER, "CONTROLLER_SECURE")  # without TLS, and with it
UNFORMATTED = 78  # exit code of a node of KRaft whose directory is empty: EX_CONFIG of sysexits.h


class Listener(TypedDict):
    """One listener of a broker. Without `bind_address` only containers on the stack's network reach it."""

    name: str
    port: int
    protocol: str  # the variable may leave it out, see kafka_proof.deploy.security.secured
    advertised_host: str
    advertised_port: NotRequired[int]  # default: port
    bind_address: NotRequired[str]
    prove: NotRequired[bool]  # whether site.yml verifies that the address leads to the broker; default: yes


class Port(TypedDict):
    """A published port: `inside` the container, and on the host's `address`. `variable`: the one that sets it."""

    address: str
    port: int
    inside: int
    variable: str


class Common(TypedDict):
    """Keys that each kind of node has. Ids are int."""

    host: str  # of the inventory
    kinds: list[str]
    id: int
    container: str
    volume: str  # of its data
    adopt_volume: bool  # whether a volume of that name without a label is the stack's
    takes_over: dict[str, Any]  # the variable stack_takes_over; {} for most nodes
    stack: str
    version: str
    image: str
    network: str
    is_local: bool  # whether clients on the machine that runs Ansible may use its loopback address


class Node(Common):
    """One container. Settings are {key: value}; files are {name: text}, in the directory CONFIG."""

    ports: list[Port]
    listeners: list[Listener]
    client_listener: str
    client_protocol: str  # of the deployment's own clients
    client: dict[str, str]  # client properties with which a command in the container acts as the node; {} without TLS
    inter_broker_listener: str
    config: dict[str, Any]  # settings that the user chose
    computed: dict[str, Any]  # settings that follow from variables, so that `config` must not contain them
    settings: dict[str, Any]  # all of them
    jvm: dict[str, str]
    memory: str  # limit of the container, such as "1280m"; "" for none
    files: dict[str, str]
    secrets: dict[str, list[str]]  # {further file: paths of its parts on the machine that runs Ansible}
    format: list[str]  # of a node of KRaft: arguments of `kafka-storage.sh format`; [] for other nodes
    labels: dict[str, str]
    command: str  # of its bash
    health: str  # of its bash
    stop_timeout: int  # seconds
    # Of a ZooKeeper server: addresses for clients ("client") and for other servers ("server"). Of a controller: its
    # address for other nodes ("controller").
    peers: dict[str, str]


Engine = Mapping[str, Any]  # what an engine reported: see kafka_proof.deploy.engine.parse
Engines = Mapping[str, Engine]  # {host: what its engine reported}


def of_kind(nodes: Iterable[Node], kind: str) -> list[Node]:
    return [node for node in nodes if kind in node["kinds"]]


def dedicated(nodes: Iterable[Node]) -> list[Node]:
    """Return the controllers that are no brokers."""
    return [node for node in nodes if node["kinds"] == [CONTROLLER]]


def has_data(node: Node, engines: Engines) -> bool:
    """Return whether the volume of the node's data exists, or the container whose data it takes over."""
    engine = engines.get(node["host"], {})
    others = [item["name"] for item in engine.get("others", [])]
    return node["volume"] in engine.get("volumes", []) or node["takes_over"].get("container") in others


def any_data(nodes: Iterable[Node], engines: Engines) -> bool:
    return any(has_data(node, engines) for node in nodes)


def node_on(nodes: Iterable[Node], host: str, kind: str) -> Node:
    """Return the node of this kind on a host, which has one."""
    return next(node for node in of_kind(nodes, kind) if node["host"] == host)

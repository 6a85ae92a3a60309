"""KRaft: the settings of a node, the id of the cluster, and how a node's directory is formatted.

The quorum of controllers is dynamic (KIP-853, kraft.version 1). The first controller of a new cluster is formatted as a
quorum by itself. The others join it, see kafka_proof.operations.quorum. So no list of voters has to agree on several
hosts before any of them runs, and an interrupted first run can continue.
"""

import base64
import shlex
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kafka_proof.deploy.files import to_archive
from kafka_proof.deploy.node import (
    BROKER,
    CONFIG,
    CONTROLLER,
    DATA,
    QUORUM_LISTENER,
    UNFORMATTED,
    Common,
    Engines,
    Listener,
    Node,
    has_data,
    of_kind,
)

# The arguments of the format are in the volume of the data only until they are used. A directory that lost its content
# is not formatted again by itself: a voter that forgot its votes under its old name can lose records.
_FORMAT = ".format"
_VERSION = ".version"  # of Kafka, which last ran on the data

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


def listener(node: Common, variables: Mapping[str, Any], one_engine: bool) -> Listener:
    """Return the listener of a controller. Only the cluster's nodes use it: on one engine nothing is published."""
    return Listener(
        name=QUORUM_LISTENER,
        port=variables["kafka_controller_port"],
        protocol="PLAINTEXT",
        advertised_host=node["container"] if one_engine else variables["stack_address"],
        bind_address="" if one_engine else variables["kafka_controller_bind_address"],
    )


def settings(node: Common, protocols: str = "") -> dict[str, Any]:
    """Return the settings that make a node of its kinds.

    protocols: of its listeners, as in listener.security.protocol.map. A broker that is no controller connects to the
    controllers' listener, and so has to know its protocol.
    """
    own = f"{QUORUM_LISTENER}:PLAINTEXT"
    return {
        "process.roles": ",".join(node["kinds"]),
        "node.id": node["id"],
        "controller.listener.names": QUORUM_LISTENER,
        "controller.quorum.bootstrap.servers": "",  # the addresses of all controllers
        "listener.security.protocol.map": ",".join(dict.fromkeys([*filter(None, protocols.split(",")), own])),
        "log.dirs": DATA,
    }


def command(version: str) -> str:
    """Return the command of the node's bash: format the directory if `site.yml` said how, then run Kafka.

    The image of Apache ships archives of loaded classes, which its scripts do not use by themselves. The image that
    this project builds has its own launcher, and its archive for Kafka 4 has another name.
    """
    return f"""
archived() {{
    local archive=/opt/kafka/$1.jsa quiet="-Xlog:cds=off -Xlog:cds+dynamic=off"
    [ ! -e "$archive" ] ||
        local -x KAFKA_JVM_PERFORMANCE_OPTS="$KAFKA_JVM_PERFORMANCE_OPTS -XX:SharedArchiveFile=$archive $quiet"
    shift && "$@"
}}
if [ ! -e {DATA}/meta.properties ]; then
    arguments=$(cat {DATA}/{_FORMAT}) || {{
        echo "{DATA} is empty: this node lost its data, or was never formatted. Run site.yml again." >&2
        exit {UNFORMATTED}
    }}
    archived storage /opt/kafka/bin/kafka-storage.sh format $arguments --config {CONFIG}/server.properties || exit 1
fi
rm -f {DATA}/{_FORMAT}
echo {version} >{DATA}/{_VERSION}
archived kafka exec /opt/kafka/bin/kafka-server-start.sh {CONFIG}/server.properties
"""


def format_commands(node: Node, recreated: bool, created: Sequence[str] = ()) -> list[str]:
    """Return the shell commands that prepare the directory of a created container, before it starts for the first time.

    An empty directory gets the arguments of its format. It keeps those that it has: the first controller of a cluster
    may have failed before its format, and then only they begin the quorum, which the others wait for. A directory of
    another cluster is refused; so is, for a node that had no container, one on which a newer Kafka ran. The container
    that was created for it is removed then, and so are the volumes `created` for it, which are empty. recreated:
    whether it replaces a container, whose version is known (kafka_proof.deploy.versions).
    """
    if not node["format"]:
        return []
    name, data = shlex.quote(node["container"]), shlex.quote(f"{node['container']}:{DATA}")
    cluster, version, volume = node["labels"]["cluster"], node["version"], node["volume"]
    arguments = base64.b64encode(to_archive({_FORMAT: " ".join(node["format"])})).decode()
    of_another = (
        f"The volume {volume} holds the data of another cluster than {cluster}, the one of this stack. "
        "Restore the right data, or choose a stack_name."
    )
    of_newer = f"on the volume {volume}, and {version} may not read its data. Set stack_kafka_version to that version."
    undo = f"docker rm --volumes {name} >/dev/null"
    undo += "".join(f"; docker volume rm {shlex.quote(volume)} >/dev/null" for volume in created)
    line = "".join(f"{int(part):03}" for part in version.split(".")[:2])
    commands = [
        f"read_file() {{ docker cp {data}/$1 - 2>/dev/null | tar -xOf - 2>/dev/null || true; }}",
        f'refuse() {{ {undo}; echo "$1" >&2; exit 1; }}',
        'case "$(read_file meta.properties)" in',
        f"*cluster.id={cluster}*) ;;",
        f"'') [ -n \"$(read_file {_FORMAT})\" ] || base64 -d <<'END' | docker cp - {data}\n{arguments}\nEND\n;;",
        f"*) refuse {shlex.quote(of_another)} ;;",
        "esac",
    ]
    if not recreated:
        commands += [
            f"ran=$(read_file {_VERSION})",
            "ran_line=$(printf %03d%03d $(echo \"${ran:-0.0}\" | tr . ' ' | cut -d ' ' -f 1,2))",
            f'[ "$ran_line" -le {line} ] || refuse "Kafka $ran ran "{shlex.quote(of_newer)}',
        ]
    return commands


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
    if not is_kraft(nodes):
        return node
    ids = cluster_ids(nodes, engines)
    cluster = next(iter(ids), new_id)
    arguments = ["--cluster-id", cluster]
    if CONTROLLER in node["kinds"]:
        first = first_controller(nodes, engines)
        arguments.append("--standalone" if node["host"] == first else "--no-initial-controllers")
    return {**node, "format": arguments, "labels": {**node["labels"], "cluster": cluster}}


def first_controller(nodes: Sequence[Node], engines: Engines) -> str:
    """Return the host of the controller that begins the quorum of a new cluster; "" for a cluster that has data.

    Its volume may exist, when the first run was interrupted. Then no other node has one yet.
    """
    if not is_kraft(nodes):
        return ""
    first = of_kind(nodes, CONTROLLER)[0]
    return "" if any(has_data(node, engines) for node in nodes if node is not first) else first["host"]


def is_kraft(nodes: Sequence[Node]) -> bool:
    return bool(of_kind(nodes, CONTROLLER))


def wanted_voters(nodes: Sequence[Node]) -> dict[int, dict[str, tuple[str, int]]]:
    """Return {id: {listener: (host, port)}} of the controllers: the voters that the quorum should have."""
    found = {}
    for node in of_kind(nodes, CONTROLLER):
        host, _, port = node["peers"]["controller"].rpartition(":")
        found[node["id"]] = {QUORUM_LISTENER: (host.strip("[]"), int(port))}
    return found


def cluster_problems(nodes: Sequence[Node], engines: Engines, options: str = "") -> list[str]:
    """Return how the data on the engines contradicts the mode that the inventory's groups select."""
    problems = []
    ids = cluster_ids(nodes, engines)
    if not is_kraft(nodes):
        return [
            f"{hosts[0]}: the data of this stack belongs to a cluster with KRaft, {cluster}, and the group zookeeper "
            "of the inventory selects ZooKeeper. Remove the hosts of the group zookeeper; or choose a stack_name."
            for cluster, hosts in ids.items()
        ]
    if len(ids) > 1:
        said = "; ".join(f"{cluster} on {', '.join(hosts)}" for cluster, hosts in ids.items())
        problems.append(
            f"The volumes of this stack belong to {len(ids)} clusters: {said}. A node refuses the data of another "
            "cluster. Remove the hosts that do not belong here from the inventory, or choose a stack_name."
        )
    problems += _zookeeper_left(nodes, engines, options)
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


def _changed_roles(nodes: Sequence[Node], engines: Engines) -> list[str]:
    """A node keeps its roles. A combined one takes its part of the metadata with it, and a voter is not left behind."""
    for node in nodes:
        for volume in engines.get(node["host"], {}).get("own_volumes", []):
            kinds = ",".join(node["kinds"])
            if volume["name"] == node["volume"] and volume.get("cluster") and volume["kind"] != kinds:
                before, remedy = (
                    ("is a controller, too", "Remove the hosts of the group kafka_controller")
                    if CONTROLLER in volume["kind"].split(",")
                    else ("is no controller", "Put the hosts of the group kafka_controller back")
                )
                return [
                    f"{node['host']}: the broker of the volume {volume['name']} {before}, and the group "
                    f"kafka_controller of the inventory makes it a {' and '.join(node['kinds'])}. A running cluster "
                    f"keeps its roles. {remedy}; or choose a stack_name."
                ]
    return []


def _zookeeper_left(nodes: Sequence[Node], engines: Engines, options: str) -> list[str]:
    """A stack with ZooKeeper whose inventory lost the group."""
    for node in nodes:
        engine = engines.get(node["host"], {})
        own = [(item["name"], item["kinds"]) for item in engine.get("containers", [])]
        own += [(item["name"], item["kind"].split(",")) for item in engine.get("own_volumes", [])]
        left = next((name for name, kinds in own if "zookeeper" in kinds), "")
        unnamed = any(
            volume["name"] == node["volume"] and not volume.get("cluster") for volume in engine.get("own_volumes", [])
        )
        if left or (unnamed and has_data(node, engines)):
            what = f"{left} is ZooKeeper's" if left else f"the volume {node['volume']} was written with ZooKeeper"
            return [
                f"{node['host']}: {what}, and the inventory has no host in the group zookeeper, which selects KRaft. "
                "Put the hosts of the group zookeeper back. A new cluster beside this one needs a stack_name; a move "
                "from ZooKeeper to KRaft is a migration: docs/operations.md."
            ]
    return []

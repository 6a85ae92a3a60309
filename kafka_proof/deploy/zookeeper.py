"""ZooKeeper: the settings of a server and of an ensemble, and the order in which servers change."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from kafka_proof.client.text import one_line
from kafka_proof.deploy.containers import occupant
from kafka_proof.deploy.listeners import advertised
from kafka_proof.deploy.node import Node, has_data

CLIENT_PORT = 2181  # inside the container


def settings(servers: int) -> dict[str, Any]:
    """Return the default settings of a server of an ensemble of `servers`."""
    alone = {
        "tickTime": 2000,
        "maxClientCnxns": 0,
        "admin.enableServer": False,
        # The health check asks `srvr`. ZooKeeper always allows it, and this leaves out all other commands.
        "4lw.commands.whitelist": "srvr",
        # Kafka's own advice: without purging, snapshots fill the disk.
        "autopurge.purgeInterval": 24,
        "autopurge.snapRetainCount": 3,
    }
    together = {
        "initLimit": 10,  # ticks that a follower may take to load the leader's data
        "syncLimit": 5,  # ticks that it may be behind
        "quorumListenOnAllIPs": True,  # in a container the host's address is not its own
    }
    return alone | (together if servers > 1 else {})


def ensemble_settings(servers: Sequence[Node]) -> dict[str, str]:
    """Return the `server.N` settings of an ensemble; none for a server alone."""
    return {f"server.{node['id']}": node["peers"]["server"] for node in servers} if len(servers) > 1 else {}


def secure_address(server: Node) -> str:
    """Return the address of a server's port with TLS, which is a name of its certificate."""
    found = [item for item in json.loads(server["labels"]["listeners"]) if item["protocol"] == "SSL"]
    return advertised(found[0])


def chroot(broker: Node) -> str:
    """Return the node of ZooKeeper below which the cluster is, such as "/kafka"; "" for the root."""
    path = str(broker["settings"]["zookeeper.connect"]).partition("/")[2].strip("/")
    return f"/{path}" if path else ""


def zookeeper_mode(container: str, stdout: str, stderr: str, log: str = "") -> dict[str, str]:
    """Return {mode: leader, follower or standalone} from a server's answer to `srvr`.

    The mode of a server that does not serve is "", and `msg` says why. log: the last fault in its log.
    """
    if found := re.search(r"^Mode: (\w+)", stdout, re.MULTILINE):
        return {"mode": found[1]}
    said = (stdout.strip() or stderr.strip() or "nothing").splitlines()[-1]
    last = f". Its log: {one_line(log, 300)}" if log else ""
    return {"mode": "", "msg": f"The ZooKeeper server {container} does not serve. It said: {one_line(said, 300)}{last}"}


class Server(NamedTuple):
    """A server as the inventory wants it and as it is now."""

    host: str
    id: int
    change: str  # see kafka_proof.deploy.containers.Change
    running: bool  # and connected: a server that is cut off does not serve
    data: bool  # whether its volume exists
    ensemble: list[int]  # ids of the ensemble that its container was created for
    mode: str | None  # leader, follower, standalone; "" if it does not serve; None if it was not asked


class Batch(TypedDict):
    """Servers that change together. `others` must serve before; `wait`: whether to wait until `hosts` serve."""

    hosts: list[str]
    others: list[str]
    wait: bool


def servers_now(nodes: Sequence[Node], hostvars: Mapping[str, Mapping[str, Any]]) -> list[Server]:
    """Return the servers. Of each host's variables, `__zookeeper_change` (a Change), `__stack_engine` (the engine's
    report) and `__zookeeper_answer` (of zookeeper_mode) are read."""
    found = []
    for node in nodes:
        variables = hostvars[node["host"]]
        change, engine = variables["__zookeeper_change"], variables["__stack_engine"]
        container = occupant(node, engine)
        # A server alone has no list of servers, and is an ensemble of one.
        ensemble = (container["ensemble"] or [node["id"]]) if container else []
        found.append(
            Server(
                node["host"],
                node["id"],
                change["change"],
                change["running"] and change["change"] != "connect",
                has_data(node, {node["host"]: engine}),
                ensemble,
                (variables.get("__zookeeper_answer") or {}).get("mode"),
            )
        )
    return found


def batches(servers: Sequence[Server]) -> list[Batch]:
    """Return the order in which servers change: batches, each done before the next.

    Servers with data go before servers without: those could form a majority, and the others would forget theirs.
    """
    current = {number for server in servers if server.running for number in server.ensemble}
    changed = [server for server in servers if server.change != "nothing"]
    if not any(server.data for server in servers):
        # A new ensemble. Brokers wait for it by themselves.
        return [Batch(hosts=[server.host for server in changed], others=[], wait=False)] if changed else []

    down = [server for server in changed if not server.running and server.data]
    lost = [server for server in changed if not server.data and server.id in current]
    running = [server for server in changed if server.running and server.data]
    new = [server for server in changed if not server.data and server not in lost]
    running.sort(key=lambda server: server.mode == "leader")

    # A server without a change counts also while it crashes: the others must not continue without its data.
    found: list[Batch] = []
    up = [server.host for server in servers if server.running or server.change == "nothing"]
    for batch in [down, *([server] for server in [*lost, *running, *new])]:
        if batch:
            names = [server.host for server in batch]
            others = [host for host in up if host not in names]
            up = [*others, *names]
            enough = len(up) > len(servers) // 2
            # While most servers are down none of them serves: there is nothing to wait for, nor to lose.
            gated = len(current) > 1 if batch[0] in running else batch != down and len(others) > len(servers) // 2
            found.append(Batch(hosts=names, others=others if gated else [], wait=enough))
    return found


def left_behind(servers: Sequence[Server]) -> list[str]:
    """Return the names, such as server.3, of servers outside the inventory that could continue without the others.

    [] if they cannot. Brokers would be divided among two ensembles, each of which takes messages.
    """
    known = {number for server in servers if server.running for number in server.ensemble}
    gone = known - {server.id for server in servers}
    return [f"server.{number}" for number in sorted(gone)] if len(gone) > len(known) // 2 else []


def stranger_leads(servers: Sequence[Server]) -> list[str]:
    """Return the names, such as server.3, of the servers outside the inventory of which one leads; [] if none does.

    A server with the new list does not follow a leader that is not on it.
    """
    running = [server for server in servers if server.running]
    modes = {server.mode for server in running}
    if "follower" not in modes or not modes <= {"follower", ""}:
        return []  # one of these leads
    known = {number for server in running for number in server.ensemble}
    return [f"server.{number}" for number in sorted(known - {server.id for server in servers})]

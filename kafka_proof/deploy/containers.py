"""Decisions and shell scripts: an engine runs a node as the inventory says, and a stack is removed.

A container carries two checksums as labels, as those of Docker Compose do: of its definition (the arguments of
`docker create`) and of its files (the settings). Where both, its image and its network are right, nothing changes.
Settings are copied as files into a volume of the container, before it starts: neither its environment nor a command
line shows them. The node's data is in the volume NAME-data, which no change touches.
"""

import base64
import hashlib
import itertools
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from kafka_proof.client.redact import MASK, masked
from kafka_proof.deploy import takeover
from kafka_proof.deploy.directory import format_commands
from kafka_proof.deploy.files import to_archive
from kafka_proof.deploy.listeners import bracketed
from kafka_proof.deploy.node import CONFIG, CONTROLLER, DATA, LOGS, UNFORMATTED, Engine, Engines, Node

LABEL = "kafka-proof"
# Open files: one for each segment of a log, and for each connection; Kafka's own advice. An engine may allow fewer.
_LIMIT_FILES = "ulimit -n 100000 2>/dev/null"
# The launcher of Java reads options from files, so that no `ps` shows them. Only the node has them: in the container's
# environment, a port of JMX among them would stop each command of `docker exec`.
_JAVA_OPTIONS = f"export KAFKA_HEAP_OPTS=@{CONFIG}/heap.options KAFKA_JVM_PERFORMANCE_OPTS=@{CONFIG}/jvm.options"
_CONTROLLERS = "controller.quorum.bootstrap.servers="

# The container was created with the time in which it may stop, so this bound only ends a command that hangs.
_PATIENT = "DOCKER_SECONDS=3600"


class Change(TypedDict):
    """A change for the action engine_apply."""

    name: str  # for people
    change: str  # nothing, connect, unpause, start, restart, create, stop or remove
    running: bool  # before
    settings: dict[str, str] | None  # {before, after} as text, where only the settings differ from those in use
    script: str
    diff: dict[str, str]
    notice: NotRequired[str]  # for people, while the script runs; it can take long


def node_change(node: Node, engine: Engine, restart_since: str = "", before: Mapping[str, str] | None = None) -> Change:
    """Return what makes the engine run the node.

    restart_since: restart the container unless it was started since then, such as 2026-01-31T12:00:00Z;
    before: the files that the container has now, where they were read, see `files_differ`.
    """
    found = occupant(node, engine)
    change = decide(node, found, engine.get("image"), restart_since)
    settings = None
    if found and before and change == "create" and only_files_differ(node, found, engine.get("image")):
        other = {name for name in {*before, *node["files"]} if before.get(name) != node["files"].get(name)}
        if other <= {"server.properties"} and not _started_before(found, restart_since):
            settings = {"before": before["server.properties"], "after": node["files"]["server.properties"]}
            if _same_quorum(**settings):
                as_right = {**found, "files": checksum(node["files"])}
                change, settings = decide(node, as_right, engine.get("image"), restart_since), None
    return Change(
        name=f"the container {node['container']}",
        change=change,
        running=found is not None and found["state"] == "running",
        settings=settings,
        script="" if change == "nothing" else script(change, node, found, engine),
        diff=diff(node, found, before),
        notice=takeover.notice(node) if found and found["name"] != node["container"] else "",
    )


def container_of(node: Node, engine: Engine) -> dict[str, Any] | None:
    return next((item for item in engine.get("containers", []) if item["name"] == node["container"]), None)


def container_in(node: Node, engines: Engines) -> dict[str, Any] | None:
    """Return the container of the node. engines: {host: its report}."""
    return container_of(node, engines.get(node["host"]) or {})


def occupant(node: Node, engine: Engine) -> dict[str, Any] | None:
    """Return the container in the place of the node: its own, or that of another image which it takes over."""
    return container_of(node, engine) or takeover.taken_over(node, engine)


def any_runs(nodes: Iterable[Node], engines: Engines) -> bool:
    """Return whether a container of the nodes runs. engines: {host: its report}."""
    found = [occupant(node, engines.get(node["host"]) or {}) for node in nodes]
    return any(item is not None and item["state"] == "running" for item in found)


def files_differ(node: Node, engine: Engine) -> bool:
    """Return whether the files of the node's container have to be read, to compare them with the node's."""
    found = container_of(node, engine)
    return found is not None and found["definition"] is not None and found["files"] != checksum(node["files"])


def decide(node: Node, found: Mapping[str, Any] | None, image: Mapping[str, Any] | None, restart_since: str) -> str:
    """Return what makes a container run as the node says: nothing, connect, unpause, start, restart or create.

    found: the container as kafka_proof.deploy.engine.parse shows it, or None; image: the image it must run, or None.
    """
    if not found or not image or found["image_id"] != image["id"] or _is_unformatted(found) or _is_unfinished(found):
        return "create"
    if (found["definition"], found["files"]) != (definition(node), checksum(node["files"])):
        return "create"
    late = _started_before(found, restart_since)
    if node["network"] not in found["networks"]:
        # A broker that is cut off cannot stop in order: it waits for ZooKeeper. Connected, it continues.
        return "connect" if found["state"] == "running" and not late else "create"
    if found["state"] == "paused":
        return "create" if late else "unpause"
    if found["state"] not in ("running", "restarting"):
        return "start"
    # A container that crashes and is restarted is as it was created; the wait for it reports the reason.
    return "restart" if late else "nothing"


def only_files_differ(node: Node, found: Mapping[str, Any], image: Mapping[str, Any] | None) -> bool:
    return image is not None and found["image_id"] == image["id"] and found["definition"] == definition(node)


def _same_quorum(before: str, after: str) -> bool:
    """Return whether two files differ in nothing but the addresses of controllers, and have one of them in common.

    Through that one a node finds the quorum, which tells it of the others: a new controller restarts no node.
    """
    files = [set(text.splitlines()) for text in (before, after)]
    others = [{line for line in lines if not line.startswith(_CONTROLLERS)} for lines in files]
    quorums = [{word for line in files[i] - others[i] for word in re.split("[=,]", line)[1:]} for i in (0, 1)]
    return before == after or (others[0] == others[1] and bool(quorums[0] & quorums[1]))


def _is_unformatted(found: Mapping[str, Any]) -> bool:
    """Return whether a container ends because its directory is empty."""
    return bool(found["state"] != "running" and found["exit_code"] == UNFORMATTED)


def _is_unfinished(found: Mapping[str, Any]) -> bool:
    """Return whether a container never started: an interrupted run can have created it, and not copied its files."""
    return found["state"] == "created"


def _started_before(found: Mapping[str, Any], restart_since: str) -> bool:
    return bool(found["started"] < restart_since.rstrip("Z"))


def _patient(node: Node) -> str:
    """Return the assignment that gives a docker command the time in which the node may stop; see Action.docker."""
    return f"DOCKER_SECONDS={int(node['stop_timeout']) + 120}"


def create_command(node: Node) -> list[str]:
    """Return the arguments of `docker create`, without the labels of the checksums."""
    published = [f"{bracketed(port['address'])}:{port['port']}:{port['inside']}" for port in node["ports"]]
    health = ["timeout", "4", "bash", "-c", node["health"]]
    return [
        *("--name", node["container"], "--network", node["network"]),
        *(word for name in node["takes_over"].get("names") or () for word in ("--network-alias", name)),
        *("--volume", f"{node['volume']}:{DATA}", "--volume", CONFIG),
        *(word for port in published for word in ("--publish", port)),
        # A node needs no rights beyond those of its user, and cannot gain any. The limit stops a fork bomb.
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "4096"),
        # It writes its data, its settings' volume, and what is lost with the container. Codecs run libraries from /tmp.
        *("--read-only", "--tmpfs", "/tmp:exec,size=256m,mode=1777", "--tmpfs", f"{LOGS}:size=256m,mode=1777"),
        *(("--memory", node["memory"]) if node["memory"] else ()),
        # Back after a crash and after the engine restarts, but not when a person stopped it.
        *("--restart", "unless-stopped", "--stop-timeout", str(node["stop_timeout"])),
        *("--health-cmd", shlex.join(health), "--health-interval", "10s", "--health-timeout", "5s"),
        *("--health-retries", "3", "--health-start-period", "30s"),
        *("--log-driver", "json-file", "--log-opt", "max-size=20m", "--log-opt", "max-file=5"),
        *(word for key, value in sorted(node["labels"].items()) for word in ("--label", f"{LABEL}.{key}={value}")),
        *("--entrypoint", "bash", node["image"], "-c", f"{_LIMIT_FILES}\n{_JAVA_OPTIONS}\n{node['command']}"),
    ]


def definition(node: Node) -> str:
    """Return a checksum of everything that makes the container but its files."""
    return checksum(create_command(node))


def checksum(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def script(change: str, node: Node, found: Mapping[str, Any] | None, engine: Engine) -> str:
    """Return the shell commands of a change. A shell reads them from its standard input: no `ps` shows the settings."""
    name = shlex.quote(node["container"])
    if change == "connect":
        aliases = [word for alias in node["takes_over"].get("names") or () for word in ("--alias", alias)]
        return f"{shlex.join(['docker', 'network', 'connect', *aliases, node['network']])} {name}"
    if change in ("start", "unpause"):
        return f"docker {change} {name}"
    if change == "restart":
        return f"{_patient(node)} docker restart -t {node['stop_timeout']} {name}"
    lines = ["set -e"]
    # A running container stays until its replacement is certain.
    for kind, needed in (("image", node["image"]), ("network", node["network"])):
        advice = f"echo 'Run site.yml without --tags, which provides the {kind} first.' >&2"
        lines += [f"docker {kind} inspect {shlex.quote(needed)} >/dev/null || {{ {advice}; exit 1; }}"]
    lines += (volumes := volume_commands(node, engine))
    marker = _marker(node, engine)
    own = found if found and found["name"] == node["container"] else None
    if own:
        # A paused container does not stop.
        lines += [f"docker unpause {name} >/dev/null"] if own["state"] == "paused" else []
        lines += [f"{_patient(node)} docker stop -t {node['stop_timeout']} {name} >/dev/null"]
        lines += [f"docker rm --volumes {name} >/dev/null"]
    else:
        lines += takeover.commands(node)
    checksums = {"definition": definition(node), "files": checksum(node["files"])}
    labels = [word for key, value in checksums.items() for word in ("--label", f"{LABEL}.{key}={value}")]
    archive = base64.b64encode(to_archive(node["files"])).decode()
    started_before = own is not None and not _is_unfinished(own)
    lines += [
        shlex.join(["docker", "create", "--pull", "never", *labels, *create_command(node)]) + " >/dev/null",
        f"base64 -d <<'END' | docker cp - {shlex.quote(node['container'] + ':' + CONFIG)}\n{archive}\nEND",
        *format_commands(node, started_before, [marker] if any(marker in line for line in volumes) else []),
        f"docker start {name}",
    ]
    return "\n".join(lines)


def volume_commands(node: Node, engine: Engine) -> list[str]:
    """Return the commands that give the node a volume of the stack's.

    Docker does not change the labels of a volume, so a second, empty volume, the marker, can carry them. A volume of
    the previous version needs it, as it has no labels; so does one that was with ZooKeeper or in a migration. The
    labels stay true after a teardown that keeps the data.
    """
    labels = {"stack": node["stack"], "kind": ",".join(node["kinds"]), "id": str(node["id"])}
    # Those of controllers alone tell how far a migration is: a return removes them.
    kept = ("cluster", "migration") if CONTROLLER in node["kinds"] else ("cluster",)
    labels |= {key: value for key, value in node["labels"].items() if key in kept}
    commands = []
    if node["volume"] in engine.get("volumes", []):
        own = next((item for item in engine.get("own_volumes", []) if item["name"] == node["volume"]), None)
        if own and own["labelled"] and _labels_hold(own, node, labels):
            return []
        labels["data"] = node["volume"]
        if own and own["marker"]:
            commands.append(f"docker volume rm {shlex.quote(own['marker'])} >/dev/null")
    else:  # its labels would be taken for those of the new volume
        lost = [item["name"] for item in engine.get("lost_markers", []) if item["data"] == node["volume"]]
        commands += [f"docker volume rm {shlex.quote(name)} >/dev/null" for name in lost]
    name = _marker(node, engine) if "data" in labels else node["volume"]
    options = [word for key, value in labels.items() for word in ("--label", f"{LABEL}.{key}={value}")]
    return [*commands, shlex.join(["docker", "volume", "create", *options, name]) + " >/dev/null"]


def _labels_hold(own: Mapping[str, Any], node: Node, labels: Mapping[str, str]) -> bool:
    """Return whether the labels of a volume are true. Those of controllers alone tell the cluster of the metadata.

    A broker that returned to ZooKeeper is of no cluster with KRaft any more.
    """
    found = (own["kind"], own["cluster"], bool(own["migration"]))
    wanted = (labels["kind"], labels.get("cluster", ""), "migration" in labels)
    return (
        found == wanted if CONTROLLER in node["kinds"] else bool(wanted[1]) or not (own["cluster"] or own["migration"])
    )


def _marker(node: Node, engine: Engine) -> str:
    """Return a name for the volume that carries the label for one that has none. No other volume has that name."""
    own = {item["marker"] for item in engine.get("own_volumes", [])}
    taken = {*engine.get("volumes", [])} - own
    suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (f"{node['volume']}-owner{suffix}" for suffix in suffixes)
    return next(name for name in names if name not in taken)


def own_containers(engine: Engine, kind: str = "", but: str = "") -> list[str]:
    """Return the names of the stack's containers of one kind, or of all but one kind."""
    return [
        item["name"]
        for item in engine.get("containers", [])
        if (not kind or kind in item["kinds"]) and (not but or but not in item["kinds"])
    ]


def foreign(engine: Engine, names: Iterable[str]) -> list[str]:
    """Return which of `names` are containers or volumes that are not the stack's: these always stay."""
    own = {volume["name"] for volume in engine.get("own_volumes", [])}
    others = {item["name"] for item in engine.get("others", [])} | set(engine.get("volumes", [])) - own
    return [name for name in names if name in others]


def stop(engine: Engine, names: Sequence[str]) -> Change:
    """Return what stops those of the stack's containers that run."""
    running = [
        item["name"] for item in engine.get("containers", []) if item["name"] in names and item["state"] != "exited"
    ]
    return Change(
        name=", ".join(running),
        change="stop" if running else "nothing",
        running=bool(running),
        settings=None,
        script=f"{_PATIENT} {shlex.join(['docker', 'stop', *running])}",
        diff={
            "before": "".join(f"container {name}: runs\n" for name in running),
            "after": "".join(f"container {name}: stopped\n" for name in running),
        },
    )


def removal(
    containers: Iterable[str] = (), volumes: Iterable[str] = (), networks: Iterable[str] = (), kill: bool = False
) -> Change:
    """Return what removes these from an engine, which has them and whose label says that they are the stack's.

    A container has the time to stop in order that it was created with, unless `kill`. A network that other containers
    use stays, since they are not the stack's.
    """
    containers, volumes, networks = list(containers), list(volumes), list(networks)
    lines = ["set -e"]
    if containers and not kill:
        # At once: a broker without a majority of controllers, which may be the others, waits until it is killed.
        lines += [f"{_PATIENT} {shlex.join(['docker', 'stop', *containers])} >/dev/null"]
    lines += [f"docker rm --force --volumes {shlex.quote(name)} >/dev/null" for name in containers]
    for name in map(shlex.quote, networks):
        users = f"docker network inspect --format '{{{{range .Containers}}}}{{{{.Name}}}} {{{{end}}}}' {name}"
        kept = f'echo "network {name} stays, because containers use it: $users" >&2'
        lines += [f'users=$({users}); if [ -z "$users" ]; then docker network rm {name} >/dev/null; else {kept}; fi']
    for name in volumes:
        lines += [f"docker volume rm {shlex.quote(name)} >/dev/null"]
        markers = f"docker volume ls --quiet --filter {shlex.quote(f'label={LABEL}.data={name}')}"
        lines += [f'markers=$({markers}); for marker in $markers; do docker volume rm "$marker" >/dev/null; done']
    gone = [
        f"{kind} {name}"
        for kind, names in (("container", containers), ("network", networks), ("volume", volumes))
        for name in names
    ]
    return Change(
        name=", ".join(gone),
        change="remove" if gone else "nothing",
        running=False,
        settings=None,
        script="\n".join(lines),
        diff={"before": "".join(f"{what}\n" for what in gone), "after": ""},
    )


def diff(node: Node, found: Mapping[str, Any] | None, before: Mapping[str, str] | None) -> dict[str, str]:
    """Return what --diff shows, without secrets."""

    def text(state: str, image: str, ports: Iterable[str], files: Mapping[str, str]) -> str:
        lines = [f"state: {state}", f"image: {image}", f"ports: {', '.join(sorted(ports))}"]
        for name in sorted(files):
            shown = f"{MASK} {checksum(files[name])[:8]}" if name in node["secrets"] else masked(files[name])
            lines += [f"{name}:", *(f"  {line}" for line in shown.splitlines())]
        return "\n".join(lines) + "\n"

    ports = [f"{bracketed(port['address'])}:{port['port']}" for port in node["ports"]]
    is_new = not found or found["files"] is None
    shown = {"before": "", "after": text("running", node["image"], ports, node["files"] if before or is_new else {})}
    if found:
        ports = [f"{bracketed(address)}:{port}" for address, port in found["ports"]]
        shown["before"] = text(found["state"], found["image"], ports, before or {})
        if found["name"] != node["container"]:
            paths = " and ".join(node["takes_over"]["data"])
            return shown | {
                "before_header": found["name"],
                "after_header": f"{node['container']}, with a copy of {paths}",
            }
    return shown | {"before_header": node["container"], "after_header": node["container"]}

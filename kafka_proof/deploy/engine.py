"""The report of a Docker engine and its host, and the shell script that asks for it.

The label `kafka-proof.stack` alone decides ownership. Of a container without it only the name, the image, the
published ports, the state and the networks are kept, because they can conflict; its environment and its labels are not
read.
"""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from kafka_proof.deploy import previous_version
from kafka_proof.deploy.node import DATA

SECONDS = 30  # for each answer of the engine
NO_COMMAND = 3  # exit status of the script where the command docker is missing
PODMAN = 4  # its exit status where that command is podman's
NOT_DOCKER = (
    "the command docker is podman's, whose answers differ. Install Docker's own command (docker-cli; before Debian 13 "
    "docker.io), and set DOCKER_HOST to podman's socket, such as unix:///run/podman/podman.sock."
)

# A section for each question, with a line of JSON for each item. An engine that does not answer ends the script: a part
# of the answers would look like containers and volumes that are gone.
_SCRIPT = """
docker() {{ timeout {seconds} docker "$@"; }}
case $(docker --version 2>/dev/null) in podman*) exit {podman} ;; esac
# After a refusal the caller may try as root; with DOCKER_HOST, root would not help.
ids=$(docker ps --all --quiet --no-trunc) || {{
    [ $? -ne 124 ] || echo "the engine did not answer within {seconds} s" >&2
    [ -n "$DOCKER_HOST" ] || id -u
    (unset -f docker; command -v docker) >/dev/null || exit {no_command}
    exit 1
}}
ended() {{ echo "the engine ended in the middle of its answers" >&2; exit 1; }}
answered() {{ [ $? -ne 124 ] && docker version --format '' >/dev/null || ended; }}
echo containers
# A container that disappears between the two questions does not count.
[ -z "$ids" ] || docker inspect --format {container} $ids 2>/dev/null || answered
echo image
docker image inspect --format '{{{{json .}}}}' {image} 2>/dev/null || answered
echo networks
docker network ls --format '{{{{json .Name}}}}' || ended
echo own_networks
docker network ls --filter {label} --format '{{{{json .Name}}}}' || ended
echo volumes
docker volume ls --format '{{{{json .Name}}}}' || ended
echo own_volumes
docker volume ls --filter {label} --format {volume} || ended
echo listening
ss -Hltnp 2>/dev/null
echo addresses
[ -n "$DOCKER_HOST" ] || ip -brief address 2>/dev/null
true
"""
_CONTAINER = (
    '{"name":{{json .Name}},"image":{{json .Config.Image}},"image_id":{{json .Image}},"state":{{json .State}},'
    '"restarts":{{json .RestartCount}},"labels":{{json .Config.Labels}},"ports":{{json .NetworkSettings.Ports}},'
    '"bindings":{{json .HostConfig.PortBindings}},"networks":{{json .NetworkSettings.Networks}},'
    '"mounts":{{json .Mounts}}'
    # Containers of the previous version carried their settings in the environment.
    '{{if index .Config.Labels "kafka-proof.recipe"}},"env":{{json .Config.Env}}{{end}}}'
)
_VOLUME = (
    '{"name":{{json .Name}},"kind":{{json (.Label "kafka-proof.kind")}},"id":{{json (.Label "kafka-proof.id")}},'
    '"data":{{json (.Label "kafka-proof.data")}},"cluster":{{json (.Label "kafka-proof.cluster")}},'
    '"migration":{{json (.Label "kafka-proof.migration")}}}'
)

# LISTEN 0 4096 127.0.0.1:9092 0.0.0.0:* users:(("docker-proxy",pid=12,fd=7))
_SOCKET = re.compile(r'LISTEN +\d+ +\d+ +\[?([^ %\]]+)(?:%\w+)?\]?:(\d+) +\S+(?: +users:\(\("([^"]*)",pid=(\d+))?')
_JSON = ("containers", "image", "networks", "own_networks", "volumes", "own_volumes")


def script(image: str, stack: str) -> str:
    """Return the shell script that asks about an image and a stack, whose answer `parse` understands."""
    return _SCRIPT.format(
        seconds=SECONDS,
        podman=PODMAN,
        no_command=NO_COMMAND,
        image=shlex.quote(image),
        label=shlex.quote(f"label=kafka-proof.stack={stack}"),
        container=shlex.quote(_CONTAINER),
        volume=shlex.quote(_VOLUME),
    )


def no_root(error: str, with_password: bool) -> str:
    """Return the message for a user who may not speak to the engine, and cannot become root."""
    advice = "Correct the password that was given" if with_password else "Add --ask-become-pass"
    return (
        f"this user may not speak to the Docker engine, and cannot become root ({error}). {advice}, "
        "or add the user to the group docker there."
    )


def parse(output: str, stack: str) -> dict[str, Any]:
    """Return what the script printed as a dict:

    containers   [{name, kinds: [str], id, image, image_id, state, health, started, exit_code, restarts, version,
                   protocol, advertised: [[listener, address]], level, listeners, ensemble: [id], definition, files,
                   cluster (an id, with KRaft), migration (bool), ports: [[address, port]], networks: [str],
                   data: the volume of its data, or None}] of this stack. `level`, `listeners`: see
                   kafka_proof.deploy.transition; `migration`: kafka_proof.deploy.migration. `definition` and `files`
                   are checksums, see kafka_proof.deploy.containers; None where the previous version created it.
                   `state` is the engine's, and "restarting" also while a container runs between two crashes
    others       [{name, image, ports, state, networks: [str]}], all other containers
    image        {id, tags, digests}, or None if there is none of that name
    networks     [str], all; own_networks: [str], this stack's
    volumes      [str], all; own_volumes: [{name, kind, id (None if unknown), cluster (an id; "" with ZooKeeper),
                   migration (bool), labelled, marker (the volume that carries its labels, or None)}], this stack's
    lost_markers [{name, data}], volumes that carry labels for a volume that is gone
    listening    [{address, port, name, pid}], the host's TCP sockets, as far as `ss` exists and may tell
    addresses    [str], the host's own, if `ip` exists and the engine is the host's
    """
    sections: dict[str, list[str]] = {name: [] for name in (*_JSON, "listening", "addresses")}
    section: list[str] = []
    for line in filter(None, output.splitlines()):  # for a missing image docker prints an empty line
        if line in sections:
            section = sections[line]
        else:
            section.append(line)
    found = {name: [json.loads(line) for line in sections[name]] for name in _JSON}
    listening = [match.groups() for match in map(_SOCKET.match, sections["listening"]) if match]
    # eth0@if7 UP 172.17.0.2/16 fe80::42/64, and of a tunnel: tun0 UNKNOWN 10.8.0.2 peer 10.8.0.1/32
    words = [word for line in sections["addresses"] for word in re.sub(r" peer \S+", "", line).split()[2:]]
    own = [item for item in found["containers"] if (item["labels"] or {}).get("kafka-proof.stack") == stack]
    containers = [_container(item) for item in own]
    images = [
        {"id": image["Id"], "tags": image["RepoTags"] or [], "digests": image["RepoDigests"] or []}
        for image in found["image"]
    ]
    return {
        "containers": containers,
        "others": [
            {
                "name": _name(item),
                "image": item["image"],
                "ports": _ports(item["ports"]),
                "state": item["state"]["Status"],
                "networks": sorted(item["networks"] or {}),
            }
            for item in found["containers"]
            if item not in own
        ],
        "image": next(iter(images), None),
        "networks": found["networks"],
        "own_networks": found["own_networks"],
        "volumes": found["volumes"],
        "own_volumes": _own_volumes(found["own_volumes"], containers, found["volumes"]),
        "lost_markers": [
            {"name": item["name"], "data": item["data"]}
            for item in found["own_volumes"]
            if item["data"] and item["data"] not in found["volumes"]
        ],
        "listening": [
            {"address": address, "port": int(port), "name": name, "pid": pid and int(pid)}
            for address, port, name, pid in listening
        ],
        "addresses": [word.partition("/")[0] for word in words if "." in word or ":" in word],
    }


def is_unsettled(report: Mapping[str, Any]) -> bool:
    """Return whether a container crashed and runs at this moment, so that its exit code is unknown and shown as 0."""
    return any(item["state"] == "restarting" and item["exit_code"] == 0 for item in report.get("containers", []))


def _container(item: dict[str, Any]) -> dict[str, Any]:
    state = item["state"]
    labels = {key.removeprefix("kafka-proof."): value for key, value in (item["labels"] or {}).items()}
    if "env" in item:
        labels = previous_version.labels(item["env"]) | labels
    health = (state.get("Health") or {}).get("Status")
    # A node that crashes again and again runs for a moment between two crashes, and has its ports then. It never
    # becomes healthy. The engine's count alone does not tell: it stays after a single crash, long ago.
    again = item["restarts"] > 0 and health == "starting"
    crashes = state["Status"] == "restarting" or (state["Status"] == "running" and again)
    pairs = [entry.split("://", 1) for entry in labels.get("advertised", "").split(",") if "://" in entry]
    return {
        "name": _name(item),
        "kinds": labels.get("kind", "").split(","),
        "id": int(labels["id"]) if labels.get("id") else None,
        "image": item["image"],
        "image_id": item["image_id"],
        "state": "restarting" if crashes else state["Status"],
        "health": health,
        "started": state["StartedAt"],
        "exit_code": state["ExitCode"],
        "restarts": item["restarts"],
        "version": labels.get("version"),
        "protocol": labels.get("protocol", ""),
        "advertised": pairs,
        "level": int(labels.get("level") or 0),
        "listeners": json.loads(labels.get("listeners") or "[]"),
        "cluster": labels.get("cluster", ""),
        "migration": bool(labels.get("migration")),
        "ensemble": [int(number) for number in labels.get("ensemble", "").split(",") if number],
        "definition": labels.get("definition"),
        "files": labels.get("files"),
        "ports": _ports(item["bindings"] if crashes else item["ports"]),
        "networks": sorted(item["networks"] or {}),
        "data": next((mount["Name"] for mount in item["mounts"] if mount["Destination"] == DATA), None),
    }


def _own_volumes(
    labelled: list[dict[str, Any]], containers: list[dict[str, Any]], there: list[str]
) -> list[dict[str, Any]]:
    """Return the stack's volumes. Docker cannot label a volume later. So a volume of the previous version, which has no
    label, belongs to the stack by what has one: its container, and the marker that containers.py creates."""
    found = {}
    for item in sorted(labelled, key=lambda each: bool(each["data"])):  # a marker's labels are the newer ones
        name = item["data"] or item["name"]
        found[name] = {
            "name": name,
            "kind": item["kind"],
            "id": int(item["id"]) if item["id"] else None,
            "cluster": item.get("cluster") or "",
            "migration": bool(item.get("migration")),
            "marker": item["name"] if item["data"] else None,
        }
    marked = set(found)
    for item in containers:
        if item["data"]:
            kinds = ",".join(item["kinds"])
            own = {"name": item["data"], "kind": kinds, "id": item["id"], "cluster": "", "migration": False}
            found.setdefault(item["data"], own | {"marker": None})
    return [volume | {"labelled": name in marked} for name, volume in sorted(found.items()) if name in there]


def _name(item: dict[str, Any]) -> str:
    return str(item["name"]).removeprefix("/")


def _ports(bindings: dict[str, list[dict[str, str]] | None] | None) -> list[list[Any]]:
    published = [binding for found in (bindings or {}).values() for binding in found or []]
    return [[binding["HostIp"], int(binding["HostPort"])] for binding in published if binding["HostPort"]]

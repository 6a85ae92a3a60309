"""A node that takes over a container of another image: its data, and its names on the network.

The data is copied to the node's own volume while the container is stopped. The container and its data stay as they
are, so that it can run again. A file in the volume says that the copy is complete: an interrupted one begins anew, and
a complete one is never overwritten. The file holds the time at which the container was last started before the copy:
after another start, both have messages that the other one lacks.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from kafka_proof.deploy.node import DATA, ZOOKEEPER, Common, Engine, Engines, Node

_DONE = f"{DATA}/.taken-over"
_COPY_SECONDS = 86400  # a bound for a copy that hangs
CONFIRMED = "takeover"  # the change for which host_problems lets nodes take containers over


def taken_over(node: Node, engine: Engine) -> dict[str, Any] | None:
    """Return the container that the node takes over, as `container_of` does; None if it does not exist."""
    name = node["takes_over"].get("container")
    found = next((item for item in engine.get("others", []) if item["name"] == name), None)
    # Nothing else is known of it but that it is not the node.
    unknown: dict[str, Any] = {"image_id": None, "version": None, "protocol": "", "definition": None, "files": None}
    unknown |= {"health": None, "started": "", "exit_code": 0, "restarts": 0, "level": 0, "data": None}
    unknown |= {"advertised": [], "listeners": [], "ensemble": [], "kinds": node["kinds"], "id": node["id"]}
    return found and {**unknown, **found}


def name_on_network(node: Common) -> str:
    """Return the name by which nodes on the same engine reach a node: that of a container it took over, or its own."""
    return next(iter(node["takes_over"].get("names") or []), node["container"])


def _copier(node: Node) -> str:
    return f"{node['container']}-copy"


def problems(nodes: Sequence[Node], engines: Engines, changes: str, options: str) -> list[str]:
    """Return why nodes cannot take over containers now. changes: CONFIRMED where they may."""
    found = []
    for node in nodes:
        if not node["takes_over"]:
            continue
        engine, name, host = engines.get(node["host"]) or {}, node["takes_over"]["container"], node["host"]
        foreign = taken_over(node, engine)
        own = next((item for item in engine.get("containers", []) if item["name"] == node["container"]), None)
        has_data = node["volume"] in engine.get("volumes", [])
        if sum(other["host"] == host and bool(other["takes_over"]) for other in nodes) > 1:
            found.append(f"{host}: stack_takes_over is for a host with one node. Add a host for each node.")
        elif own and foreign and foreign["state"] != "exited":
            found.append(
                f"{host}: {name} runs again, and {node['container']} has taken its data over. Two nodes of one id "
                f"harm each other. Stop one of them: docker stop {name}"
            )
        elif own or not engine:
            continue
        elif not foreign and not has_data:
            found.append(f"{host}: stack_takes_over names {name}, and no such container exists. Correct or remove it.")
        # A takeover that was refused, for instance for its space, leaves an empty volume.
        elif foreign and (not has_data or foreign["state"] == "running") and changes != CONFIRMED:
            so = f"runs, and {node['container']} does not" if has_data else "is not taken over yet"
            found.append(
                f"{host}: {name} {so}. Run ansible-playbook{options} playbooks/adopt.yml "
                "-e adopt_confirm=true, which does so one node at a time; or see what it changes: site.yml --check."
            )
        elif foreign and node["network"] not in foreign["networks"]:
            found.append(
                f"{host}: stack_network is {node['network']}, and {name} is on {', '.join(foreign['networks'])}. "
                "Nodes of both kinds have to reach each other. Set stack_network to one of them."
            )
    return found


def notice(node: Node) -> str:
    """Return what takes long, for people, and how they can follow it."""
    return (
        f"{node['host']}: stops {node['takes_over']['container']}, and copies its data. To see how much is copied: "
        f"docker exec {_copier(node)} du -sh {DATA}"
    )


def commands(node: Node) -> list[str]:
    """Return the shell commands that stop the container and copy its data to the node's volume."""
    source: Mapping[str, Any] = node["takes_over"]
    if not source:
        return []
    name = shlex.quote(source["container"])
    mount = shlex.quote(f"{node['volume']}:{DATA}")
    run = f"docker run --rm --pull never --network none --volume {mount} --entrypoint bash"
    # Its user is the node's, who then owns the files.
    extract = f"{run} --name {shlex.quote(_copier(node))} --interactive {shlex.quote(node['image'])}"
    needed = f"{DATA}/version-2" if ZOOKEEPER in node["kinds"] else f"{DATA}/meta.properties"
    paths = [path.rstrip("/") for path in source["data"]]
    from_each = [shlex.quote(f"{source['container']}:{path}/.") for path in paths]
    # Renamed, the container and its data stay.
    again = (
        f"{source['container']} was started again after its data was copied. Choose one of both, and the same one for "
        f"every container of the cluster. Keep the copy, without what {source['container']} wrote since: docker stop "
        f"{name}; docker update --restart no {name}; docker rename {name} {name}-given-up. Or copy again, without what "
        f"the node wrote since: docker volume rm {node['volume']}. Then run this again"
    )
    removed = (
        f"{source['container']} runs with --rm, so Docker removes it, and data inside it, when it stops. Start it "
        "without --rm on the same data, and run this again"
    )
    broken = (
        f"the copy of {source['container']} broke off. Nothing is lost: run this again, and it begins anew. Its disk "
        "may be full: the lines above say so"
    )
    copies = (
        f"an interrupted run still copies {source['container']}, in the container {_copier(node)}. Wait until it ends, "
        f"or end it with docker rm --force {_copier(node)}. Then run this again, and the copy begins anew"
    )
    wrong = f"the copy of {source['container']} has no {needed}. Nothing is lost: start it again with docker start"
    return [
        'refuse() { echo "$1" >&2; exit 1; }',
        f'in_volume() {{ {run} {shlex.quote(node["image"])} -c "$1"; }}',
        f'of_old() {{ docker inspect --format "{{{{.$1}}}}" {name}; }}',
        "state=$(of_old State.Status 2>/dev/null || true)",
        f"done=$(in_volume '[ ! -e {_DONE} ] || echo \"done $(cat {_DONE})\"')",
        'if [ -n "$done" ]; then',
        'if [ -n "$state" ]; then',
        "started=$(of_old State.StartedAt)",
        "before=${done#done }",
        "before=${before:-$started}",  # an earlier version wrote no time
        'case "$state" in running | paused | restarting) before=again ;; esac',
        f'[ "$started" = "$before" ] || refuse {shlex.quote(again)}',
        "fi",
        "else",
        # A run whose connection broke continues at its host. Two copies at once would mix.
        f'[ -z "$(docker ps --all --quiet --filter name=^{_copier(node)}$)" ] || refuse {shlex.quote(copies)}',
        f'[ -n "$state" ] || refuse {shlex.quote(source["container"] + " does not exist any more")}',
        f'[ "$(of_old HostConfig.AutoRemove)" != true ] || refuse {shlex.quote(removed)}',
        'if [ "$state" = running ]; then',
        f"used=0; for size in $(docker exec {name} du -sk {shlex.join(paths)} | tr '\\t' ' ' | cut -d ' ' -f 1)",
        "do used=$((used + size)); done",
        f"free=$(in_volume 'df -Pk {DATA} | tail -n 1 | {{ read -r _ _ _ free _; echo $free; }}')",
        '[ "$used" -lt $((free / 10 * 9)) ] || '
        'refuse "the data takes $((used / 1024)) MiB, and $((free / 1024)) MiB are free. Run this again with more"',
        "fi",
        # The engine must not start it again. It stays, so that there is a way back.
        f"docker update --restart no {name} >/dev/null",
        f"DOCKER_SECONDS={node['stop_timeout'] + 120} docker stop -t {node['stop_timeout']} {name} >/dev/null",
        "started=$(of_old State.StartedAt)",
        f"in_volume 'find {DATA} -mindepth 1 -delete'",
        # The status of a pipe is that of its last command. Descriptor 3 tells that the first one failed.
        *(
            f"broken=$({{ {{ DOCKER_SECONDS={_COPY_SECONDS} docker cp {each} - || echo broken >&3; }} | "
            f"DOCKER_SECONDS={_COPY_SECONDS} {extract} -c 'tar -xf - -C {DATA}' >&2; }} 3>&1)\n"
            f'[ -z "$broken" ] || refuse {shlex.quote(broken)}'
            for each in from_each
        ),
        f"in_volume \"test -e {needed} && sync && echo '$started' >{_DONE}\" || refuse {shlex.quote(wrong)}",
        "fi",
    ]

"""What a Docker engine and its host report, and the shell script that asks them."""

import json
import re

# One line of JSON for each container, then as many sections as there are other questions.
SCRIPT = """
# Who was refused; of an engine that was named by DOCKER_HOST it does not matter.
ids=$(docker ps --all --quiet --no-trunc) || {{ [ -n "$DOCKER_HOST" ] || id -u; exit 1; }}
echo containers
# One that goes away between the two questions is none.
[ -z "$ids" ] || docker inspect --format '{{{{json .}}}}' $ids 2>/dev/null
echo image
docker image inspect --format '{{{{json .}}}}' {image} 2>/dev/null
echo networks
docker network ls --format '{{{{json .Name}}}}'
echo volumes
docker volume ls --format '{{{{json .Name}}}}'
echo listening
ss -Hltnp 2>/dev/null
echo addresses
[ -n "$DOCKER_HOST" ] || ip -brief address 2>/dev/null
true
"""

# LISTEN 0 4096 127.0.0.1:9092 0.0.0.0:* users:(("docker-proxy",pid=12,fd=7))
_SOCKET = re.compile(r'LISTEN +\d+ +\d+ +\[?([^ %\]]+)(?:%\w+)?\]?:(\d+) +\S+(?: +users:\(\("([^"]*)",pid=(\d+))?')


def parse(output):
    """Turn what the script printed into what this action returns."""
    sections = {"containers": [], "image": [], "networks": [], "volumes": [], "listening": [], "addresses": []}
    for line in filter(None, output.splitlines()):  # of what is not there, docker prints an empty line
        if line in sections:
            section = sections[line]
        else:
            section.append(line)
    listening = [match.groups() for match in map(_SOCKET.match, sections.pop("listening")) if match]
    # eth0@if7 UP 172.17.0.2/16 fe80::42/64, and of a tunnel: tun0 UNKNOWN 10.8.0.2 peer 10.8.0.1/32
    words = [word for line in sections.pop("addresses") for word in re.sub(r" peer \S+", "", line).split()[2:]]
    addresses = [word.partition("/")[0] for word in words if "." in word or ":" in word]
    sections = {name: [json.loads(line) for line in lines] for name, lines in sections.items()}
    images = [
        {"id": image["Id"], "tags": image["RepoTags"] or [], "digests": image["RepoDigests"] or []}
        for image in sections["image"]
    ]
    return {
        **sections,
        "containers": [_container(item) for item in sections["containers"]],
        "image": next(iter(images), None),
        "listening": [
            {"address": address, "port": int(port), "name": name, "pid": pid and int(pid)}
            for address, port, name, pid in listening
        ],
        "addresses": addresses,
    }


def _container(inspected):
    config, state, network = inspected["Config"], inspected["State"], inspected["NetworkSettings"]
    labels = config["Labels"] or {}
    # One that crashes and is restarted has its ports now and then: they are its own all the time.
    crashes = state["Status"] == "restarting"
    ports = inspected["HostConfig"]["PortBindings"] if crashes else network["Ports"]
    bindings = [binding for found in (ports or {}).values() for binding in found or []]
    return {
        "name": inspected["Name"].removeprefix("/"),
        "image": config["Image"],
        "image_id": inspected["Image"],
        "state": state["Status"],
        "started": state["StartedAt"],
        "health": (state.get("Health") or {}).get("Status"),
        "exit_code": state["ExitCode"],
        "restarts": inspected["RestartCount"],
        "recipe": labels.get("kafka-proof.recipe"),
        "stack": labels.get("kafka-proof.stack"),
        "version": labels.get("kafka-proof.version"),
        "env": dict(item.partition("=")[::2] for item in config["Env"] or []),
        "ports": [[binding["HostIp"], int(binding["HostPort"])] for binding in bindings],
        "networks": sorted(network["Networks"] or {}),
        "volumes": [mount["Name"] for mount in inspected["Mounts"] if mount.get("Name")],
    }

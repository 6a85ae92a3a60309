"""What has to be done so that a host's Docker engine has just what is wanted, as functions.

A container is data:

    name: kafka
    image: kafka-proof:3.9.2
    network: kafka            # see roles/stack/tasks/network.yml
    ports: ["address:port:port"]
    env: {}
    script: exec …            # what its bash runs
    health: …                 # what its bash asks
    stop_timeout: 120         # seconds
    restart_since: ""         # restart it unless it was started since then, such as 2026-01-31T12:00:00Z
    stack: ""                 # labels: the stack's name,
    version: 3.9.2            # and Kafka's version

It carries a checksum of the command that made it as a label, as those of Docker Compose do; where that, its image and
its network are right, there is nothing to do. Its data is in the volume NAME-data, which no change of it touches.
"""

import hashlib
import json
import shlex

from kafka_proof.client.redact import masked


def engine_change(container, engine):
    """What engine_run has to do so that an engine, as engine_look shows it, runs the container as it is wanted.

    Returns {"name": for people,
             "change": what is to be done: nothing, connect, unpause, start, restart or make,
             "running": whether it runs before,
             "properties": {before, after} if it is to be made anew only because of the variable PROPERTIES, else None,
             "script": the shell's commands that do it,
             "diff": what --diff shows}
    """
    found = next((item for item in engine.get("containers", []) if item["name"] == container["name"]), None)
    change = what_to_do(found, container, engine.get("image"))
    return {
        "name": f"the container {container['name']}",
        "change": change,
        "running": bool(found) and found["state"] == "running",
        "properties": other_properties(found, container, engine.get("image")),
        "script": "" if change == "nothing" else shell_script(change, found, container),
        "diff": diff(found, container),
    }


def engine_stop(engine, containers):
    """What engine_run has to do so that none of these runs; returned as by `engine_change`."""
    running = [
        item["name"]
        for item in engine.get("containers", [])
        if item["name"] in containers and item["state"] != "exited"
    ]
    return {
        "name": ", ".join(running),
        "change": "stop" if running else "nothing",
        "script": shlex.join(["exec", "docker", "stop", *running]),
        "diff": {
            side: "".join(f"container {name}: {state}\n" for name in running)
            for side, state in (("before", "runs"), ("after", "stopped"))
        },
    }


def engine_removal(engine, containers=(), volumes=(), networks=(), kill=False):
    """What engine_run has to do so that an engine has none of these any more; returned as by `engine_change`.

    A container has the time to stop in order that it was made with, unless it is to be killed. Other containers leave
    a network before it goes.
    """
    there = {item["name"] for item in engine.get("containers", [])}
    lines, gone = [], []
    for name in filter(there.__contains__, containers):
        word = shlex.quote(name)
        lines += [] if kill else [f"docker stop {word} >/dev/null"]
        # With the volumes that have no name: Kafka's own image declares two.
        lines += [f"docker rm --force --volumes {word} >/dev/null"]
        gone += [f"container {name}"]
    for name in filter(engine.get("networks", []).__contains__, networks):
        word = shlex.quote(name)
        connected = (
            f"docker network inspect --format '{{{{range .Containers}}}}{{{{println .Name}}}}{{{{end}}}}' {word}"
        )
        lines += [f"{connected} | xargs -r -n 1 docker network disconnect --force {word}"]
        lines += [f"docker network rm {word} >/dev/null"]
        gone += [f"network {name}"]
    for name in filter(engine.get("volumes", []).__contains__, volumes):
        lines += [f"docker volume rm {shlex.quote(name)} >/dev/null"]
        gone += [f"volume {name}"]
    return {
        "name": ", ".join(gone),
        "change": "remove" if gone else "nothing",
        "script": "\n".join(["set -e", *lines]),
        "diff": {"before": "".join(f"{what}\n" for what in gone), "after": ""},
    }


def run_command(container):
    """The arguments of `docker run`, without the label of their checksum. The values of `env` are not among them."""
    return [
        *(
            "--name",
            container["name"],
            "--network",
            container["network"],
            "--volume",
            f"{container['name']}-data:/var/lib/kafka/data",
        ),
        *(word for port in container["ports"] for word in ("--publish", port)),
        *(word for key in container["env"] for word in ("--env", key)),
        # Back after a crash and after the engine restarts, but not when somebody stopped it.
        *("--restart", "unless-stopped", "--stop-timeout", str(container["stop_timeout"])),
        *("--health-cmd", shlex.join(["timeout", "4", "bash", "-c", container["health"]])),
        *(
            "--health-interval",
            "10s",
            "--health-timeout",
            "5s",
            "--health-retries",
            "3",
            "--health-start-period",
            "30s",
        ),
        *("--log-driver", "json-file", "--log-opt", "max-size=20m", "--log-opt", "max-file=5"),
        *(
            "--label",
            f"kafka-proof.stack={container['stack']}",
            "--label",
            f"kafka-proof.version={container['version']}",
        ),
        *("--entrypoint", "bash", container["image"], "-c", container["script"]),
    ]


def recipe(container):
    """A checksum of all that makes a container."""
    made_of = [run_command(container), container["env"]]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()


def what_to_do(found, wanted, image):
    """Decide what makes a container run as it is wanted: "nothing", "connect", "unpause", "start", "restart" or "make".

    found: the container as engine_look shows it, or None; wanted: the container; image: the one that it is to run, as
    engine_look shows it, or None.
    """
    if not found or not image:
        return "make"
    if (found["recipe"], found["image_id"]) != (recipe(wanted), image["id"]):
        return "make"
    since = wanted["restart_since"].rstrip("Z")
    if wanted["network"] not in found["networks"]:
        # A broker that is cut off cannot stop in order: it waits for ZooKeeper. Connected, it goes on.
        return "connect" if found["state"] == "running" and found["started"] >= since else "make"
    if found["state"] == "paused":
        return "unpause" if found["started"] >= since else "make"
    if found["state"] not in ("running", "restarting"):
        return "start"
    # One that crashes, so that the engine restarts it, is as it was made; who waits for it says what is wrong with it.
    return "restart" if found["started"] < since else "nothing"


def other_properties(found, wanted, image):
    """PROPERTIES {before, after} of a container that differs from the wanted one in that variable alone, else None."""
    if not found or not image or found["image_id"] != image["id"]:
        return None
    if found["started"] < wanted["restart_since"].rstrip("Z"):
        return None
    before, after = found["env"].get("PROPERTIES"), wanted["env"]["PROPERTIES"]
    if before == after:
        return None
    alike = found["recipe"] == recipe(wanted | {"env": wanted["env"] | {"PROPERTIES": before}})
    return {"before": before, "after": after} if alike else None


def shell_script(change, found, container):
    """The commands that do it. A shell reads them from its standard input, so that no `ps` shows what is in `env`."""
    name = shlex.quote(container["name"])
    if change == "connect":
        return f"exec docker network connect {shlex.quote(container['network'])} {name}"
    if change in ("start", "unpause"):
        return f"exec docker {change} {name}"
    if change == "restart":
        return f"exec docker restart -t {container['stop_timeout']} {name}"
    # What runs stays until it is sure that there is something to run instead.
    needed = {"image": container["image"], "network": container["network"]}
    lines = ["set -e"]
    for kind, what in needed.items():
        advice = f"echo 'Run site.yml without --tags, which has the {kind} first.' >&2"
        lines += [f"docker {kind} inspect {shlex.quote(what)} >/dev/null || {{ {advice}; exit 1; }}"]
    if found:
        # A container that is paused does not stop.
        lines += [f"docker unpause {name} >/dev/null"] if found["state"] == "paused" else []
        lines += [f"docker stop -t {container['stop_timeout']} {name} >/dev/null"]
        lines += [f"docker rm --volumes {name} >/dev/null"]
    lines += [f"export {key}={shlex.quote(str(value))}" for key, value in container["env"].items()]
    label = f"kafka-proof.recipe={recipe(container)}"
    lines += [shlex.join(["docker", "run", "--detach", "--pull", "never", "--label", label, *run_command(container)])]
    return "\n".join(lines)


def diff(found, container):
    """What --diff shows, before and after."""

    def text(state, image, ports, env):
        env = {key: masked(str(value)) for key, value in env.items()}
        lines = [f"state: {state}", f"image: {image}", f"ports: {', '.join(sorted(ports))}"]
        for key in sorted(env):
            lines += [f"{key}:", *(f"  {line}" for line in env[key].splitlines())]
        return "\n".join(lines) + "\n"

    after = text(
        "running", container["image"], [port.rpartition(":")[0] for port in container["ports"]], container["env"]
    )
    before = ""
    if found:
        ports = [f"{f'[{address}]' if ':' in address else address}:{port}" for address, port in found["ports"]]
        # Others come with the image.
        env = {key: value for key, value in found["env"].items() if key in container["env"]}
        before = text(found["state"], found["image"], ports, env)
    return {"before": before, "after": after, "before_header": container["name"], "after_header": container["name"]}

"""Ask a host's Docker engine what it has, with the `docker` command and over Ansible's own connection.

A module would cost 1 s to start Python and load a client for the engine; this costs 0.2 s, and needs nothing on the
host but the command.

    engine_look:
      image: kafka-proof:3.9.2    # the image to look for

Never fails. Returns `can_talk_to_docker` (bool), and if so

    containers   [{name, image, image_id, state, started, health, exit_code, restarts, recipe, stack, version, env: {},
                   ports: [[address, port]], networks: [str], volumes: [str]}]
    image        {id, tags, digests}, or null if there is none of that name
    networks     [str]
    volumes      [str]
    listening    [{address, port, name, pid}], the host's TCP sockets, as far as `ss` is there and may tell

else `msg`, why not, and `try_as_root`, whether root might fare better. `recipe`, `stack` and `version` are the labels that engine_run gives; null where somebody else made
it.
"""

import json
import re
import shlex

from ansible.plugins.action import ActionBase

# One line of JSON for each container, then as many sections as there are other questions.
_SCRIPT = """
docker version --format '{{{{.Server.Version}}}}' >/dev/null || {{ [ -n "$DOCKER_HOST" ] || id -u; exit 1; }}
echo containers
ids=$(docker ps --all --quiet --no-trunc)
# One that goes away between the two questions is none.
[ -z "$ids" ] || docker inspect --format '{{{{json .}}}}' $ids 2>/dev/null
echo image
docker image inspect --format '{{{{json .}}}}' {image} 2>/dev/null
echo networks
docker network ls --format '{{{{json .Name}}}}'
echo volumes
docker volume ls --format '{{{{json .Name}}}}'
echo listening
ss -Hltnp 2>/dev/null || true
"""

# LISTEN 0 4096 127.0.0.1:9092 0.0.0.0:* users:(("docker-proxy",pid=12,fd=7))
_SOCKET = re.compile(r'LISTEN +\d+ +\d+ +\[?([^ %\]]+)(?:%\w+)?\]?:(\d+) +\S+(?: +users:\(\("([^"]*)",pid=(\d+))?')


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec={"image": {"type": "str", "required": True}})
        script = _SCRIPT.format(image=shlex.quote(args["image"]))
        done = self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script.encode())
        if done["rc"]:
            message = (done["stderr"].strip() or "no answer").splitlines()[-1]
            try_as_root = done["stdout"].strip() not in ("", "0")  # an engine that was named is nobody else's
            return {"changed": False, "can_talk_to_docker": False, "msg": message, "try_as_root": try_as_root}
        return {"changed": False, "can_talk_to_docker": True, **parse(done["stdout"])}


def parse(output):
    """Turn what the script printed into what this action returns."""
    sections = {"containers": [], "image": [], "networks": [], "volumes": [], "listening": []}
    for line in filter(None, output.splitlines()):  # of what is not there, docker prints an empty line
        if line in sections:
            section = sections[line]
        else:
            section.append(line)
    listening = [match.groups() for match in map(_SOCKET.match, sections.pop("listening")) if match]
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

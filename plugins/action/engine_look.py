"""Ask a host's Docker engine what it has, with the `docker` command and over Ansible's own connection.

A module would cost 1 s to start Python and load a client for the engine; this costs 0.2 s, and needs nothing on the
host but the command.

    engine_look:
      image: kafka-proof:3.9.2    # the image to look for

A user who may not speak to the engine becomes root for it, as its socket belongs to root and the group docker. Fails
only if that cannot be. Returns `can_talk_to_docker` (bool), `as_root` (bool, whether root has to do what follows), and,
if it answers,

    containers   [{name, image, image_id, state, started, health, exit_code, restarts, recipe, stack, version, env: {},
                   ports: [[address, port]], networks: [str], volumes: [str]}]
    image        {id, tags, digests}, or null if there is none of that name
    networks     [str]
    volumes      [str]
    listening    [{address, port, name, pid}], the host's TCP sockets, as far as `ss` is there and may tell
    addresses    [str], the host's own, if `ip` is there and the engine is the host's

else `msg`, why not. `recipe`, `stack` and `version` are the labels that engine_run gives; null where somebody else made
it.
"""

import json
import re
import shlex

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import become_loader

# One line of JSON for each container, then as many sections as there are other questions.
_SCRIPT = """
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

_NO_ROOT = (
    "{host}: this user may not speak to the Docker engine, and cannot become root ({error}). Add --ask-become-pass, "
    "or add the user to the group docker there."
)

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
        done, as_root = self._shell(script), self._connection.become is not None
        if done["rc"] and done["stdout"].strip() not in ("", "0"):
            # In this same task, because a second one costs as much as the question.
            self._connection.set_become_plugin(self._root(task_vars))
            try:
                done, as_root = self._shell(script), True
            except AnsibleConnectionFailure:
                raise  # the host is unreachable, as Ansible says it of any task
            except AnsibleError as error:
                return {"failed": True, "msg": _NO_ROOT.format(host=task_vars["inventory_hostname"], error=error)}
        result = {"changed": False, "can_talk_to_docker": done["rc"] == 0, "as_root": as_root}
        if done["rc"]:
            return result | {"msg": (done["stderr"].strip() or "no answer").splitlines()[-1]}
        return result | parse(done["stdout"])

    def _shell(self, script):
        return self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script.encode())

    def _root(self, task_vars):
        """The plugin that makes root, such as sudo, set as Ansible does for a task that says `become`."""
        plugin = become_loader.get(self._templar.template(task_vars.get("ansible_become_method", "sudo")))
        names = C.config.get_plugin_vars("become", plugin._load_name)
        options = self._templar.template({name: task_vars[name] for name in names if name in task_vars})
        plugin.set_options(task_keys={"become_pass": self._play_context.become_pass}, var_options=options)
        return plugin


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

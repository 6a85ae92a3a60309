"""Have a container run on a host's Docker engine just as it is wanted: the one place where containers are made.

By the `docker` command, for the reasons that engine_look gives. A container carries a checksum of the command that made
it as a label, as those of Docker Compose do; where that, its image and its network are right, there is nothing to do.

    engine_run:
      container: {name, ports: ["address:port:port"], env: {}, script, health, stop_timeout (seconds)}
      image: kafka-proof:3.9.2
      network: kafka              # made if it is not there
      stack: ""                   # label, the stack's name
      engine: "{{ __stack_engine }}"

Its data is in the volume NAME-data, which no change of the container touches.
"""

import hashlib
import json
import shlex

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        required = {"required": True}
        _, args = self.validate_argument_spec(
            argument_spec={
                "container": {"type": "dict", **required},
                "image": {"type": "str", **required},
                "network": {"type": "str", **required},
                "stack": {"type": "str", **required},
                "engine": {"type": "dict", **required},
            }
        )
        wanted, engine = args["container"], args["engine"]
        command = run_command(wanted, args["image"], args["network"], args["stack"])
        found = next((item for item in engine.get("containers", []) if item["name"] == wanted["name"]), None)
        change = what_to_do(found, recipe(command, wanted["env"]), engine.get("image"), args["network"])
        result = {"changed": change != "nothing", "diff": diff(found, wanted, args["image"])}
        if change == "nothing" or self._task.check_mode:
            return result
        script = shell_script(change, found, command, wanted, args["network"])
        done = self._low_level_execute_command(f"{self._compute_environment_string()} sh -s", in_data=script.encode())
        if done["rc"]:
            said = (done["stderr"].strip() or done["stdout"].strip()).splitlines()[-1:]
            where = f"{task_vars['inventory_hostname']}: the container {wanted['name']} could not be run."
            return {"failed": True, "msg": " ".join([where, "The engine said:", *said])}
        return result


def run_command(container, image, network, stack):
    """The arguments of `docker run`, without the label of their checksum. The values of `env` are not among them."""
    return [
        *(
            "--name",
            container["name"],
            "--network",
            network,
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
        *("--label", f"kafka-proof.stack={stack}", "--entrypoint", "bash", image, "-c", container["script"]),
    ]


def recipe(command, env):
    """A checksum of all that makes a container."""
    return hashlib.sha256(json.dumps([command, env], sort_keys=True, default=str).encode()).hexdigest()


def what_to_do(found, wanted, image, network):
    """Decide what makes a container run as it is wanted: "nothing", "start" or "make".

    found: the container as engine_look shows it, or None; wanted: its recipe; image: the image that it is to run, as
    engine_look shows it, or None; network: the one that it is to be in.
    """
    if not found or not image:
        return "make"
    if (found["recipe"], found["image_id"]) != (wanted, image["id"]) or network not in found["networks"]:
        return "make"
    # One that crashes, so that the engine restarts it, is as it was made; who waits for it says what is wrong with it.
    return "nothing" if found["state"] in ("running", "restarting") else "start"


def shell_script(change, found, command, container, network):
    """The commands that do it. A shell reads them from its standard input, so that no `ps` shows what is in `env`."""
    name = shlex.quote(container["name"])
    if change == "start":
        return f"exec docker start {name}"
    network = shlex.quote(network)
    lines = [
        "set -e",
        # Two containers of one stack may be started side by side.
        f"docker network inspect {network} >/dev/null 2>&1 || docker network create {network} >/dev/null",
    ]
    if found:
        lines += [f"docker stop -t {container['stop_timeout']} {name} >/dev/null", f"docker rm {name} >/dev/null"]
    lines += [f"export {key}={shlex.quote(str(value))}" for key, value in container["env"].items()]
    label = f"kafka-proof.recipe={recipe(command, container['env'])}"
    lines += [shlex.join(["docker", "run", "--detach", "--pull", "never", "--label", label, *command])]
    return "\n".join(lines)


def diff(found, container, image):
    """What --diff shows, before and after."""

    def text(state, image, ports, env):
        lines = [f"state: {state}", f"image: {image}", f"ports: {', '.join(sorted(ports))}"]
        for key in sorted(env):
            lines += [f"{key}:", *(f"  {line}" for line in str(env[key]).splitlines())]
        return "\n".join(lines) + "\n"

    after = text("running", image, [port.rpartition(":")[0] for port in container["ports"]], container["env"])
    before = ""
    if found:
        ports = [f"{f'[{address}]' if ':' in address else address}:{port}" for address, port in found["ports"]]
        # Others come with the image.
        env = {key: value for key, value in found["env"].items() if key in container["env"]}
        before = text(found["state"], found["image"], ports, env)
    return {"before": before, "after": after, "before_header": container["name"], "after_header": container["name"]}

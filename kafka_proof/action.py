"""The base class of this project's action plugins: options from their documentation, and errors as one message.

An action runs on the controller, in this project's Python environment. A module would cost 0.4 s to 1 s for each host,
only to start Python there.
"""

import ast
import base64
import functools
import gc
import shlex
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible.plugins.action import ActionBase
from kafka.errors import KafkaError

from kafka_proof.advice import explained
from kafka_proof.client.connection import NoKafkaError
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.text import one_line, printable
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.deploy.files import from_archive
from kafka_proof.deploy.node import CONFIG

# Each task runs in a fork of this process. Without this call, which Python's documentation advises before forks, it
# looks for garbage among all objects of Ansible and of the inventory again and again.
gc.freeze()

SECONDS = 300  # for a docker command, unless the script sets DOCKER_SECONDS for it
TIMED_OUT = 124  # exit status of `timeout`
NO_COMMAND = (126, 127)  # exit statuses of a shell for a program that it cannot run, and for one that is not there
_KEYS = ("type", "elements", "required", "default", "choices", "no_log")


class ActionError(Exception):
    """The action failed. The message says where, what, and what to do.

    changed: whether something may have changed before.
    """

    def __init__(self, message: str, changed: bool = False) -> None:
        super().__init__(message)
        self.changed = changed


class Action(ActionBase):
    """An action whose options are those of its documentation in plugins/modules/NAME.py, which ansible-doc shows.

    A subclass implements `act(arguments)` and returns the task's result; `changed` is False unless it says otherwise.
    """

    _supports_async = False
    _supports_check_mode = True
    _supports_diff = True
    SECRET: ClassVar = False  # whether a result must not appear in any output, -v included

    task_vars: dict[str, Any]

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        self.task_vars = task_vars
        self._task.args = untagged(self._task.args)
        _, arguments = self.validate_argument_spec(
            argument_spec=_argument_spec(self._task.resolved_action or self._task.action)
        )
        where = (arguments.get("client") or {}).get("bootstrap.servers", "")
        try:
            result = {"changed": False, **self.act(arguments)}
        except ActionError as error:
            return {"failed": True, "changed": error.changed, "msg": str(error)}
        except (ClientPropertiesError, NoKafkaError, KafkaError, NotReadyError) as error:
            message = explained(error)
            return {"failed": True, "msg": message if message.startswith(where) else f"{where}: {message}"}
        return result | ({"_ansible_no_log": True} if self.SECRET and not result.get("failed") else {})

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def host(self) -> str:
        return self.task_vars["inventory_hostname"]

    @property
    def check_mode(self) -> bool:
        return self._task.check_mode

    def say(self, text: str) -> None:
        """Show text at once, while the task runs. A broker's words in it cannot control the terminal."""
        self._display.display("\n".join(map(printable, text.splitlines())))

    def shell(self, script: str | bytes) -> dict[str, Any]:
        """Run a shell script on the host, over Ansible's own connection, and return {rc, stdout, stderr}.

        The script arrives by standard input, so no `ps` shows it, and `docker` draws no progress bars on a terminal.
        Raises ActionError where the shell in ansible_shell_executable does not run.
        """
        command = f"{self._compute_environment_string()} sh -s"
        done = self._low_level_execute_command(command, in_data=script.encode() if isinstance(script, str) else script)
        executable = str(self.task_vars.get("ansible_shell_executable", ""))
        if executable and done["rc"] in NO_COMMAND and executable in done["stderr"]:
            said = one_line(done["stderr"])
            raise ActionError(f"{self.host}: ansible_shell_executable is {executable}, which does not run: {said}")
        return done

    def docker(self, script: str, what: str, changes: bool = False) -> str:
        """Run a shell script with docker commands and return its output. Raises ActionError: `what`, and the reason.

        changes: whether the script changes something, and can have done so before it failed.
        """
        done = self.shell(f'docker() {{ timeout "${{DOCKER_SECONDS:-{SECONDS}}}" docker "$@"; }}\n{script}')
        if done["rc"]:
            late = "no answer in time. " if done["rc"] == TIMED_OUT else ""
            said = engine_error(done["stdout"], done["stderr"])
            raise ActionError(f"{self.host}: {what}. The engine said: {late}{said}", changes)
        return done["stdout"]

    def files_of(self, container: str) -> dict[str, str]:
        """Return the files of settings in a container, {name: text}. Raises ActionError."""
        source = f"docker cp {shlex.quote(f'{container}:{CONFIG}')} - | base64 -w 0"
        return from_archive(base64.b64decode(self.docker(source, f"the settings of {container} are unreadable")))


def templated(templar: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return values with the results of their templates, and without tags.

    Ansible takes as long for a list of a thousand items without any template as for one with templates.
    """
    templates = {name: value for name, value in values.items() if not _is_final(templar, value)}
    return untagged(values | templar.template(templates))


def _is_final(templar: Any, value: Any) -> bool:
    """Return whether a value has no template in it. Other types than those of JSON can be encrypted."""
    if isinstance(value, dict):
        return all(_is_final(templar, part) for item in value.items() for part in item)
    if isinstance(value, list):
        return all(_is_final(templar, item) for item in value)
    if isinstance(value, str):
        return not templar.is_possibly_template(value)
    return value is None or isinstance(value, bool | int | float)


def untagged(value: Any) -> Any:
    """Return a value without Ansible's tags on its parts. Ansible validates a deep copy, and tags make that slow."""
    if isinstance(value, dict):
        return {untagged(key): untagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if isinstance(value, bool):
        return value
    plain = next((kind for kind in (str, int, float) if isinstance(value, kind)), None)
    return plain(value) if plain else value


def engine_error(stdout: str, stderr: str) -> str:
    """Return what the engine said of a failure, on one line: without the hint that the command line client adds."""
    lines = [line.strip() for line in (stderr.strip() or stdout.strip()).splitlines()]
    said = [line for line in lines if line and not line.startswith(("Run 'docker", "See 'docker"))]
    return one_line(" ".join(said[-4:]) or "nothing", limit=800)


@functools.cache
def _argument_spec(action: str) -> dict[str, Any]:
    path = Path(__file__).parents[1] / "plugins" / "modules" / f"{action.rpartition('.')[2]}.py"
    if not path.exists():  # installed: see [tool.hatch.build] in pyproject.toml
        path = Path(__file__).parent / "project" / "plugins" / "modules" / path.name
    tree = ast.parse(path.read_text(encoding="utf-8"))
    [text] = [
        node.value.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION"
    ]
    return _specification(yaml.load(text, yaml.CSafeLoader).get("options") or {})


def _specification(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: option[key] for key in _KEYS if key in option}
        | ({"options": _specification(option["suboptions"])} if "suboptions" in option else {})
        for name, option in options.items()
    }

"""Which engine each host of the inventory uses, and the commands about this inventory that messages advise."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from kafka_proof.client import redact
from kafka_proof.deploy.variables import PLAYBOOKS

# Variables that say what to do and how to connect, passwords among them, and nothing about the stack.
_OF_THIS_RUN = ("ansible_", *PLAYBOOKS)
_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*'|["'])+""")  # of KEY=VALUE …; values can have quotation marks
# How Ansible connects, but for passwords.
_CONNECTION = re.compile(
    r"ansible_(host|port|user|connection|python_interpreter|remote_tmp|ssh_private_key_file|\w+_(args|executable)"
    r"|control_path(_dir)?|become(_(user|method|exe|flags))?)"
)


def is_local(host: str, hostvars: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether this host of the inventory is the machine that runs Ansible."""
    return hostvars[host].get("ansible_connection", "ssh") == "local" or host in ("localhost", "127.0.0.1", "::1")


def connection(host: str, hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the variables by which Ansible reaches another machine. Passwords stay where the user gave them."""
    return {"ansible_host": host} | {
        name: str(hostvars[host][name]) for name in hostvars[host] if _CONNECTION.fullmatch(name)
    }


def engines(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return which engine each of `hosts` uses, {host: text}: hosts with the same text share one."""
    found = {}
    for host in hosts:
        variables = hostvars[host]
        if is_local(host, hostvars):
            found[host] = "local"
        else:
            port = int(variables.get("ansible_port") or 22)
            found[host] = str(variables.get("ansible_host", host)) + (f" port {port}" if port != 22 else "")
    return found


def sharing(engine_of: Mapping[str, str], host: str) -> list[str]:
    """Return the hosts that share an engine with `host`, itself included. `engine_of`: see `engines`."""
    return [other for other, engine in engine_of.items() if engine == engine_of.get(host)]


def is_first(engine_of: Mapping[str, str], host: str) -> bool:
    """Return whether `host` is the first of its engine: the one that acts where one of them is enough."""
    return sharing(engine_of, host)[0] == host


def stack_options(sources: Sequence[str], usual: Sequence[str], stack_name: str, given: Sequence[str]) -> str:
    """Return the options of a command about this inventory and stack, such as " -i hosts.ini -e stack_name=two".

    sources: Ansible's inventory sources, as absolute paths; usual: those without any option; given: arguments of -e.
    """
    options = [] if list(sources) == list(usual) else [word for source in sources for word in ("-i", _relative(source))]
    kept = [redact.masked(found) for text in given if (found := _of_stack(text))]
    if stack_name and not any("stack_name" in text for text in kept):
        kept = [f"stack_name={stack_name}", *kept]
    options += [word for text in kept for word in ("-e", text)]
    return "".join(f" {shlex.quote(word)}" for word in options)


def _of_stack(given: str) -> str:
    """Return an argument of -e without the variables of this run: KEY=VALUE …, YAML, or a file, which stays whole."""
    if given.startswith("@"):
        return given
    if not given.startswith("{"):
        words = [found[0] for found in _WORD.finditer(given)]
        return " ".join(word for word in words if not word.startswith(_OF_THIS_RUN))
    found = yaml.safe_load(given)
    left = {name: value for name, value in found.items() if not name.startswith(_OF_THIS_RUN)}
    return json.dumps(left, ensure_ascii=False) if left else ""


def smoke_options(stack_name: str, client_properties: str, topics: Sequence[Mapping[str, Any]]) -> str:
    """Return the options with which `tox -e smoke` is about this stack, and expects its first topic."""
    topic = next((":".join(str(item[key]) for key in ("name", "partitions") if item.get(key)) for item in topics), "")
    if not stack_name and topic == "kafka_demo:2":
        return ""  # the defaults
    options = ["--", "--client-properties", _relative(client_properties), *([f"--topic={topic}"] if topic else [])]
    return "".join(f" {shlex.quote(word)}" for word in options)


def _relative(path: str) -> str:
    """Return a path relative to here if it is below."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path

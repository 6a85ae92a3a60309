"""This machine's Docker engine: the image that site.yml deploys, commands in containers, removal of leftovers."""

import fcntl
import functools
import os
import subprocess
import tempfile
from fnmatch import fnmatch
from pathlib import Path

import jinja2
import pytest
import yaml
from docker import from_env
from docker.errors import APIError

ROOT = Path(__file__).resolve().parents[2]
_DEFAULTS = yaml.safe_load((ROOT / "roles" / "stack" / "defaults" / "main.yml").read_text())
_VERSION = jinja2.Template(_DEFAULTS["stack_kafka_version"])
VERSION = _VERSION.render(groups={"zookeeper": ["any"]})
KRAFT_VERSION = _VERSION.render(groups={})
SECONDS = 120  # for each answer of the engine


@functools.cache
def engine():
    """Return the engine's client, a docker.DockerClient."""
    return from_env(timeout=SECONDS)


def image(version=VERSION):
    """Return the name of the image that site.yml deploys for a version of Kafka; skip the test where there is none.

    The newest one counts.
    """
    pattern = f"kafka-proof:{version}-*"
    tags = [tag for each in engine().images.list(pattern) for tag in each.tags if fnmatch(tag, pattern)]
    return tags[0] if tags else pytest.skip(f"no image {pattern}: run site.yml once")


def container(name):
    """Return the container `name`, a docker.models.containers.Container with its attributes of now."""
    return engine().containers.get(name)


def execute(name, *command, check=True):
    """Run a command in the container `name` and return its output, str.

    `check`: assert that it succeeds. Without, the output of a container that does not run is "".
    """
    try:
        status, output = container(name).exec_run(list(command))
    except APIError:
        if check:
            raise
        return ""
    assert not check or status == 0, f"{name}: {' '.join(command)}: exit status {status}: {output.decode()}"
    return output.decode()


def remove(**filters):
    """Remove the containers, volumes and networks that match `filters`, the engine's own: label, or name as a regex."""
    for each in engine().containers.list(all=True, sparse=True, filters=filters):
        each.remove(force=True, v=True)
    for each in [*engine().volumes.list(filters=filters), *engine().networks.list(filters=filters)]:
        each.remove()


def lock(name):
    """Lock `name` on this machine and return an open file; closing it unlocks. Waits while another run has the lock."""
    file = (Path(tempfile.gettempdir()) / f"kafka-proof-tests-{name}-{os.getuid()}.lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def docker(*arguments, check=True):
    """Run the command `docker` and return its output, str.

    tests/deploy does to a stack what an operator types. Other tests use `engine()`: 4 ms a call, and not 20 ms.
    """
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True, timeout=SECONDS)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()

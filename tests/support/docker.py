"""Containers of the project's image, for tests: on this machine's engine, in a network of their own."""

import contextlib
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERSION = yaml.safe_load((ROOT / "roles" / "stack" / "defaults" / "main.yml").read_text())["stack_kafka_version"]
SETTINGS = {  # of a broker that is alone, and is not to wait; as in the role's profile `development`
    "controlled.shutdown.retry.backoff.ms": 200,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 16777216,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "zookeeper.session.timeout.ms": 6000,
}


def docker(*arguments, check=True):
    """Run docker, and return what it printed."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def image():
    """The name of the image that site.yml deploys. Other tests make others, of other versions."""
    name = f"kafka-proof:{VERSION}-*"
    found = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name, check=False).split()
    return found[0] if found else pytest.skip(f"no image {name}: run site.yml once")  # the newest


@contextlib.contextmanager
def zookeeper(prefix):
    """A network `prefix`, with the ZooKeeper PREFIX-zookeeper in it. In the end all goes whose name begins with it."""
    image()
    everything = f"{prefix}(-|$)"
    remove(everything)  # what an earlier run left
    try:
        docker("network", "create", prefix)
        settings = {"dataDir": "/tmp/zookeeper", "clientPort": 2181, "admin.enableServer": "false", "maxClientCnxns": 0}
        run(prefix, f"{prefix}-zookeeper", "exec zookeeper-server-start.sh /tmp/p", settings)
        yield
    finally:
        remove(everything)


def run(network, name, script, properties, *options):
    """Start a container that runs the script, which finds the properties in /tmp/p."""
    docker(
        *("run", "--detach", "--name", name, "--network", network, "--entrypoint", "bash"),
        *("--env", "KAFKA_HEAP_OPTS=-Xms128m -Xmx192m"),
        *("--env", "KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1"),
        *("--env", "PROPERTIES=" + "".join(f"{key}={value}\n" for key, value in properties.items())),
        *(*options, image(), "-c", f'printf %s "$PROPERTIES" >/tmp/p && {script}'),
    )


def remove(names):
    """Remove the containers, volumes and networks whose names begin so: a regular expression."""
    for kind, removal in (("ps -a", "rm --force --volumes"), ("volume ls", "volume rm"), ("network ls", "network rm")):
        if found := docker(*kind.split(), "--quiet", "--filter", f"name=^{names}").split():
            docker(*removal.split(), *found)

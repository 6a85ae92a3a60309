"""A Kafka for test sessions: the first session deploys it, all of them on this machine share it, the last removes it.

The stack is this module's own, with its name and with free ports, so that no other deployment is ever touched. Two
locks count the sessions. The kernel drops them when a process dies. So a killed session leaves nothing but the stack,
which the next one uses and removes:

    turn    exclusive, during a deployment, a look, or a removal
    users   shared by all sessions that use the stack; a session that can get it exclusively is the last
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from kafka_proof.client.address import is_loopback
from kafka_proof.client.connection import connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python, read
from kafka_proof.cluster.ready import NotReadyError, wait_ready

_PACKAGE = Path(__file__).resolve().parents[1]
# The inventory of each mode, below the project.
INVENTORIES = {"zookeeper": "inventory.example", "kraft": "examples/kraft.ini"}
# site.yml and what belongs to it: inside the installed package, or around this one in a checkout.
PROJECT = _PACKAGE / "project" if (_PACKAGE / "project").is_dir() else _PACKAGE.parent


class ClusterError(Exception):
    """There is no Kafka to use. The message is one line: the fault, the place, and a remedy."""


class Cluster(NamedTuple):
    """A Kafka, for any client."""

    bootstrap_servers: str  # HOST:PORT[,HOST:PORT…]
    client_properties: Path  # for Kafka's own tools, kcat -F, and smoke
    kafka_python: dict  # keyword arguments: KafkaProducer(**cluster.kafka_python)
    find: Callable | None = None  # function of `secure`: a Cluster

    def __call__(self, secure=False):
        """Return this Kafka, or one with TLS, logins and ACLs, of which the client is a super user."""
        return self.find(secure) if secure else self


def describe(client_properties):
    """Return the Cluster of a client properties file. Raises ClientPropertiesError."""
    properties = read(client_properties)
    return Cluster(properties["bootstrap.servers"], Path(client_properties), kafka_python(properties))


def given(environment, directory):
    """Return the Cluster that the environment names, or None when it names none.

    KAFKA_CLIENT_PROPERTIES wins over KAFKA_BOOTSTRAP_SERVERS, because it also has the security settings. For an address
    alone the file is written to `directory`. Raises ClientPropertiesError and NoKafkaError.
    """
    path = environment.get("KAFKA_CLIENT_PROPERTIES")
    if not path:
        if not (servers := environment.get("KAFKA_BOOTSTRAP_SERVERS")):
            return None
        path = Path(directory) / "client.properties"
        path.write_text(f"bootstrap.servers={servers}\n", encoding="utf-8")
    cluster = describe(Path(path).absolute())
    connect(cluster.kafka_python).close()
    return cluster


def given_secure(cluster):
    """Return the Cluster that the environment names, if it is secure. Raises ClusterError."""
    protocol = cluster.kafka_python["security_protocol"]
    if not protocol.endswith("SSL"):
        raise ClusterError(
            f"kafka_cluster(secure=True): the given Kafka at {cluster.bootstrap_servers} uses {protocol}. Name one "
            "with TLS in KAFKA_CLIENT_PROPERTIES, or unset KAFKA_CLIENT_PROPERTIES and KAFKA_BOOTSTRAP_SERVERS."
        )
    return cluster


class Shared:
    """One session's hold on the shared stack, from the creation of this object until `leave`.

    mode: zookeeper or kraft; secure: whether it has TLS, logins and ACLs. Sessions with the same name have a stack for
    each of these.
    """

    def __init__(self, name, mode="zookeeper", secure=False):
        self.mode, self.secure = mode, secure
        # "-pytest", so that a user's NAME cannot be the name of another deployment.
        self.stack = f"{name}-pytest" + ("" if mode == "zookeeper" else f"-{mode}") + ("-secure" if secure else "")
        self.directory = _own_directory() / self.stack
        self.directory.mkdir(exist_ok=True)
        self.client_properties = self.directory / "client.properties"
        self._deployed = self.directory / "deployed"  # the ports, from before site.yml until after teardown.yml
        with self._turn():
            self._users = (self.directory / "users").open("w")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def cluster(self, say):
        """Return the Cluster. Deploy it first if it is not ready, and report that by say(text). Raises ClusterError."""
        with self._turn() as turn:
            if not self._ready():
                if not importlib.util.find_spec("ansible"):
                    raise ClusterError(
                        "kafka_cluster: no Kafka is given, and Ansible is not installed to deploy one. "
                        "Run: pip install 'kafka-proof[deploy]', or set KAFKA_BOOTSTRAP_SERVERS to a Kafka that runs."
                    )
                say(f"kafka_cluster: deploying {self.stack}; where the image has to be built, about two minutes")
                try:
                    self._play("site.yml", turn, **self._ports(), **engine())
                except ClusterError:
                    self._forget_ports()
                    raise
        return describe(self.client_properties)

    def leave(self, keep):
        """Give up the hold. The last session removes the stack with its data, unless `keep`. Raises ClusterError."""
        with self._turn() as turn, self._users as users, contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._deployed.exists() and not keep:
                self._play("playbooks/teardown.yml", turn, teardown_data=True)
                self._deployed.unlink()

    @contextlib.contextmanager
    def _turn(self):
        with (self.directory / "turn").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield turn

    def _ports(self):
        """Return the ports of a stack that is deployed: sessions may use it, though it is not ready. Else free ones."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return json.loads(self._deployed.read_text(encoding="utf-8"))
        names = ["kafka_port", *(["zookeeper_port"] if self.mode == "zookeeper" else [])]
        ports = {name: _free_port() for name in names}
        self._deployed.write_text(json.dumps(ports), encoding="utf-8")
        return ports

    def _forget_ports(self):
        """Choose others next time, unless another session uses the stack: another program can have one of them."""
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._deployed.write_text("", encoding="utf-8")
        except BlockingIOError:
            pass
        finally:
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def _ready(self):
        try:
            wait_ready(read(self.client_properties), [1], seconds=1)
        except (ClientPropertiesError, NotReadyError):
            return False
        return True

    def _play(self, playbook, turn, **variables):
        variables |= {"stack_name": self.stack, "stack_client_properties": str(self.client_properties)}
        if self.secure:
            variables |= {"kafka_security": {"clients": "sasl_ssl"}, "stack_secrets": str(self.directory / "secrets")}
        done = subprocess.run(
            ansible_playbook(playbook, variables, self.mode),
            env=ansible_environment() | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            pass_fds=[turn.fileno()],  # if this process is killed, others wait until the playbook has ended
        )
        if done.returncode:
            reason = failure(done.stdout, done.stderr)
            raise ClusterError(f"kafka_cluster: {playbook} failed for {self.stack}: {reason}")


def known_mode(name, variable):
    """Return the name of a mode. Raises ClusterError, which names the variable that holds another name."""
    if name not in INVENTORIES:
        raise ClusterError(f"{variable} is {name!r}. Set it to one of: {', '.join(INVENTORIES)}.")
    return name


def ansible_playbook(playbook, variables, mode="zookeeper"):
    """Return the command that runs a playbook on this machine, in a mode, with `variables` (dict)."""
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(PROJECT / INVENTORIES[mode])]
    return [*command, "-e", json.dumps(variables), str(PROJECT / playbook)]


def ansible_environment():
    """Return the environment for Ansible: without a user's settings for it, and with a locale that it accepts."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    if not inherited.get("DOCKER_HOST"):
        inherited.pop("DOCKER_HOST", None)  # for `docker` an empty value means this host's engine; Ansible fails
    return inherited | {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "LC_ALL": "C.UTF-8"}


def engine(environment=os.environ):
    """Return the variables for an engine on another host: its ports are there, and not on this host's loopback.

    In a GitLab job the engine is a service of the job: DOCKER_HOST=tcp://docker:2375.
    """
    host = urlsplit(environment.get("DOCKER_HOST", ""))
    if host.scheme != "tcp" or not host.hostname or is_loopback(host.hostname):
        return {}
    return {"kafka_advertised_host": host.hostname, "kafka_bind_address": "0.0.0.0"}


def failure(output, errors):
    """Return in one line why a playbook failed: `output` is the JSON callback's, `errors` ansible-playbook's own."""
    try:
        plays = json.loads(output)["plays"]
        results = [host for play in plays for task in play["tasks"] for host in task["hosts"].values()]
        said = [result["msg"] for result in results if result.get("failed") or result.get("unreachable")][-1]
    except (ValueError, LookupError):
        said = errors or output
    return " ".join(str(said).split())


def _own_directory():
    directory = Path(tempfile.gettempdir()) / f"kafka-proof-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.lstat().st_uid != os.getuid():
        raise ClusterError(f"kafka_cluster: {directory} belongs to another user. Remove it, or set TMPDIR.")
    return directory


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

"""Three brokers, and three ZooKeeper servers or controllers, on this machine's engine, deployed by site.yml.

Tests use `brokers` and `servers` (id: container), `variables` (of the inventory), `play()`, and `repair()`, which is
site.yml. A test that changes the first three and runs `repair()` has another cluster.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import yaml
from docker.errors import NotFound
from kafka.errors import KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.controller import active_controller
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.status import collect
from tests.faults.modes import ZooKeeper
from tests.support.engine import container, engine, image, lock, remove

PREFIX = os.environ.get("FAULTS_PREFIX", "kp-faults")  # every container, volume and the network begin with it
PORT = int(os.environ.get("FAULTS_PORT", "29780"))  # of broker 1; ZooKeeper's are 10 more
IDS = (1, 2, 3)
ROOT = Path(__file__).resolve().parents[2]
DATA = "/var/lib/kafka/data"
SECONDS = 120  # to be whole again
PLAY = 600  # seconds that a playbook may take; it may have to build an image

CONFIG = {
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 16777216,
    "offsets.topic.num.partitions": 6,
}


class Cluster:
    """The cluster. `start` makes it anew, `remove` leaves nothing of it."""

    inventories = ()  # paths of others that Ansible reads before

    def __init__(self, mode=ZooKeeper, name=PREFIX, ids=IDS, port=PORT):
        self.mode = mode
        self.name, self.network, self.holder, self.port = name, f"{name}-kafka", f"{name}-holder", port
        self._ids = ids
        self._repaired = None
        self._first()

    def _first(self):
        self.brokers = {each: self.container("kafka", each) for each in self._ids}
        self.servers = dict(self.server(each) for each in self._ids)
        self.variables = {
            "stack_name": self.name,
            "kafka_config": CONFIG | self.mode.config,
            "kafka_heap": "256m",
            "kafka_jvm_options": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "kafka_profile": "production",
            "kafka_topics_present": [],
        }

    def container(self, what, each):
        """The name that the roles give it."""
        return f"{self.name}-{what}" if each == 1 else f"{self.name}-{what}-{each}"

    def server(self, number):
        """The id and the container of the server on host `number`."""
        each = self.mode.first + number - 1
        return each, self.container(self.mode.program, each)

    @property
    def properties(self):
        """Properties of a client."""
        return {"bootstrap.servers": ",".join(f"localhost:{self.port + each - 1}" for each in self.brokers)}

    @property
    def arguments(self):
        """The same for kafka-python."""
        return kafka_python(self.properties)

    @property
    def inventory(self):
        """As Ansible reads it: the host `host-N` has broker N, server N, or both."""
        groups = {"kafka": [*self.brokers], self.mode.group: [each - self.mode.first + 1 for each in self.servers]}
        hosts = {
            f"host-{number}": {"kafka_broker_id": number, "kafka_port": self.port + number - 1}
            | self.mode.variables(self, number)
            for number in sorted({number for numbers in groups.values() for number in numbers})
        }
        here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        members = {group: {"hosts": {f"host-{each}": {} for each in numbers}} for group, numbers in groups.items()}
        return {"all": {"hosts": hosts, "vars": here | self.variables, "children": members}}

    def play(self, playbook, *options, fails=False, **variables):
        """Run a playbook, and return what it said. Raises AssertionError unless it ends well; badly, if it `fails`."""
        with self._started(playbook, *options, **variables) as process:
            said, _ = process.communicate(timeout=PLAY)
        assert (process.returncode != 0) is fails, f"{playbook}: exit status {process.returncode}\n{said}"
        return said

    def interrupt(self, playbook, task, **variables):
        """Kill a playbook when a task has its first result, and with it the workers of the task after it."""
        with self._started(playbook, **variables) as process:
            said = []
            for line in process.stdout:
                said.append(line)
                if task in line:
                    kill_tree(process.pid)
                    break
            assert process.wait(PLAY) == -signal.SIGKILL, f"{playbook} has no task {task}\n{''.join(said)}"

    @contextlib.contextmanager
    def _started(self, playbook, *options, **variables):
        """A process of ansible-playbook, which is killed in the end if it still runs."""
        # Neither the user's settings for Ansible nor a terminal's colours.
        own = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as inventory:
            yaml.safe_dump(self.inventory, inventory)
            inventory.flush()
            hosts = (word for path in (*self.inventories, inventory.name) for word in ("-i", path))
            with subprocess.Popen(
                ["ansible-playbook", *hosts, playbook, "-e", json.dumps(variables), *options],
                cwd=ROOT,
                env=inherited | own,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                try:
                    yield process
                finally:
                    process.kill()

    def start(self):
        """Make it as it is at first, and wait until it is whole."""
        self.remove()
        self._first()
        self.repair()

    def repair(self):
        """Have site.yml make it as it is wanted, and wait until every replica is in sync."""
        self.play("site.yml")
        self.wait_whole()
        self._repaired = self._state()

    def is_repaired(self):
        """Whether it is whole, and no container or variable changed since the last repair."""
        return self._state() == self._repaired and not self.problems() and not self.mode.problems(self)

    def _state(self):
        try:
            return self.inventory, self.lives()
        except NotFound:
            return None

    def wait_whole(self):
        """Wait until all nodes answer, and every replica of every partition is in sync. Raises AssertionError."""
        wait_ready(self.properties, self.brokers, SECONDS)
        wait_until("every replica to be in sync", self.problems, lambda seen: seen == [], SECONDS, 0.3)
        wait_until("every server", lambda: self.mode.problems(self), lambda seen: seen == [], SECONDS, 0.3)

    def problems(self):
        """The problems that `kafka-status` reports: list of str."""
        try:
            with connect(self.arguments) as admin:
                found = collect(admin)
        except (NoKafkaError, KafkaError) as error:
            return [str(error)]
        missing = sorted({*self.brokers} - {broker["id"] for broker in found["brokers"]})
        return found["problems"] + [f"broker {each}: not registered" for each in missing]

    def registered(self):
        """The ids of the brokers that the cluster has, or why it does not tell."""
        found = self._describe()
        return found if isinstance(found, str) else {broker["broker_id"] for broker in found["brokers"]}

    def controller(self, but=None):
        """The id of the node that is the active controller. `but`: one that is it no more."""

        def look():
            try:
                with connect(self.arguments) as admin:
                    return active_controller(admin)
            except (NoKafkaError, KafkaError) as error:
                return str(error)

        known = {*self.mode.controllers(self)} - {but}
        return wait_until("a controller", look, lambda seen: seen in known, SECONDS, 0.1)

    def _describe(self):
        try:
            with connect(self.arguments) as admin:
                return describe_cluster(admin)
        except (NoKafkaError, KafkaError) as error:
            return str(error)

    def leader(self, but=None):
        """The id of the server that leads. `but`: one that does not any more."""

        def look():
            return self.mode.leaders(self) - {but}

        return wait_until("a leader of the servers", look, lambda seen: len(seen) == 1, SECONDS).pop()

    def lives(self):
        """Since when each container runs: {name: text}. A restart makes a difference, and so does a new container."""
        names = [*self.brokers.values(), *self.servers.values()]
        return {each.name: f"{each.id} {each.attrs['State']['StartedAt']}" for each in map(container, names)}

    def copies(self, topic):
        """How many replicas the partitions of a topic have: set of int."""
        with connect(self.arguments) as admin:
            [found] = admin.describe_topics([topic])
        return {len(partition["replica_nodes"]) for partition in found["partitions"]}

    def address(self, broker):
        """Return the address of a broker's container in the stack's network, str."""
        return container(self.brokers[broker]).attrs["NetworkSettings"]["Networks"][self.network]["IPAddress"]

    def cut_off(self, name):
        """Take a container off the network; a program that is connected to it hears nothing of it."""
        engine().networks.get(self.network).disconnect(name)

    def hold(self, volume):
        """Keep a volume in use by a container, `holder`, so that the engine keeps it mounted."""
        options = {"name": self.holder, "entrypoint": "sleep", "detach": True}
        engine().containers.run(image(), "infinity", volumes=[f"{volume}:{DATA}"], **options)

    def forget(self, name):
        """Remove a container and its data."""
        container(name).remove(force=True, v=True)
        engine().volumes.get(f"{name}-data").remove()

    def remove(self):
        """Remove containers, volumes and the network, whatever there is of them."""
        remove(name=f"^{self.name}-(kafka|zookeeper|holder)")


def kill_tree(process):
    """Kill a process, and those that descend from it."""
    os.kill(process, signal.SIGSTOP)  # it starts no more of them
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], check=True, capture_output=True, text=True)
    parents = dict(map(int, line.split()) for line in listed.stdout.splitlines())
    family = {process}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    for each in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


@contextlib.contextmanager
def running(cluster):
    """Start a cluster, and remove it in the end. Yields it."""
    with lock(cluster.name):
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.remove()

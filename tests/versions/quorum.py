"""A KRaft cluster of several nodes as processes on this machine: controllers with a dynamic quorum, and brokers.

    with Cluster("4.4.0") as cluster:
        cluster.add(1, "controller", "--standalone")
        cluster.add(11, "broker")
        cluster.bootstrap                            # HOST:PORT of the brokers, for clients
        cluster.nodes[1].stop()

Controllers bind all addresses and advertise one, as in a container.
"""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from kafka_proof.client.wait import wait_until
from tests.versions.kafka import CLUSTER_ID, SECONDS, SETTINGS, SHARE, Node, free_ports, newer

JOINS = "--no-initial-controllers"  # the format of every node but the first controller


class Cluster:
    """The nodes of one cluster, {id: Member}. `addresses`: of the controllers that each node asks for the quorum."""

    def __init__(self, version, controllers=(1, 2, 3), settings=None):
        self.version, self.settings, self.nodes = version, settings or {}, {}
        self.addresses = dict(zip(controllers, free_ports(len(controllers)), strict=True))

    def __enter__(self):
        self.data = Path(tempfile.mkdtemp(prefix=f"quorum-{self.version}-"))
        return self

    def __exit__(self, *_):
        for node in self.nodes.values():
            node.stop()
        shutil.rmtree(self.data)

    def add(self, number, roles, *flags, version=None):
        """Format, start and return a node. `roles`: process.roles; flags: of `kafka-storage.sh format`."""
        node = self.nodes[number] = Member(self, number, roles, version or self.version)
        node.format(*flags)
        node.start()
        return node

    @property
    def bootstrap(self):
        """Return HOST:PORT of all brokers, for clients."""
        return ",".join(f"127.0.0.1:{node.clients}" for node in self.nodes.values() if node.clients)

    @property
    def client(self):
        """Return client properties."""
        return {"bootstrap.servers": self.bootstrap}

    def endpoint(self, number):
        """Return where a controller listens: {listener name: (host, port)}."""
        return {"CONTROLLER": ("127.0.0.1", self.addresses[number])}


class Member:
    """One node of the cluster, and its process."""

    def __init__(self, cluster, number, roles, version):
        self.number, self.roles, self.data = number, roles, cluster.data / str(number)
        self.data.mkdir()
        self.version, self.process, self.running = version, None, contextlib.ExitStack()
        listeners, advertised = {}, {}
        self.clients, self.controller = 0, 0
        if "broker" in roles:
            [self.clients] = free_ports(1)
            listeners["CLIENTS"] = advertised["CLIENTS"] = self.clients
        if "controller" in roles:
            self.controller = listeners["CONTROLLER"] = advertised["CONTROLLER"] = cluster.addresses[number]
        names = SETTINGS | (SHARE if newer(version, "4.1") else {})
        if "broker" not in roles:
            names = {key: value for key, value in names.items() if key != "inter.broker.listener.name"}
        self.settings = (
            names
            | {
                "process.roles": roles,
                "node.id": number,
                "controller.listener.names": "CONTROLLER",
                "controller.quorum.bootstrap.servers": ",".join(
                    f"127.0.0.1:{port}" for port in cluster.addresses.values()
                ),
                "listeners": ",".join(f"{name}://0.0.0.0:{port}" for name, port in listeners.items()),
                "advertised.listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in advertised.items()),
                "log.dirs": self.data / "log",
            }
            | cluster.settings
        )

    def format(self, *flags):
        main = ("format", "--cluster-id", CLUSTER_ID, *flags, "--config")
        Node(self.version, self.data).run("kafka.tools.StorageTool", self.settings, *main)

    def start(self, version=None):
        """Start the process unless it runs, and wait until its port is open."""
        if self.process and self.process.poll() is None:
            return
        self.version = version or self.version
        node = Node(self.version, self.data)
        self.process = self.running.enter_context(node.process("kafka.Kafka", self.settings))
        port = self.clients or self.controller
        wait_until(f"node {self.number}", lambda: node.answers(port, self.process), bool, SECONDS, 0.1)

    def stop(self, gently=False):
        """Stop the process: kill it, or let it shut down and resign."""
        if gently:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(SECONDS)
        self.running.close()

    def log(self):
        """Return all that the processes wrote."""
        files = [*self.data.glob("*.out"), *self.data.glob("*.log")]
        return "\n".join(path.read_text(errors="replace") for path in files)

    def lose_disk(self):
        """Remove the data of a stopped node."""
        shutil.rmtree(self.data / "log")

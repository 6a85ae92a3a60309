"""Any version of Kafka as processes on this machine, from the jars that Maven brings.

    with running("4.4.0", KRAFT) as address:
        ...

Nothing listens beyond loopback, and the data is in a temporary directory.
"""

import contextlib
import itertools
import socket
import subprocess
import tempfile
from pathlib import Path

from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.ready import wait_ready
from tests.support.maven import jars_of

ROOT = Path(__file__).resolve().parents[2]
POM = ROOT / "roles" / "kafka_image" / "files" / "pom.xml"
ZOOKEEPER, KRAFT = "zookeeper", "kraft"
CLUSTER_ID = "AAAAAAAAQACAAAAAAAAAAA"
SECONDS = 60  # until a node answers
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dsun.net.inetaddr.ttl=0"]
# Kafka 3 has log4j 1, and Kafka 4 Log4j 2. Each ignores the other's option.
LOGS = {
    "log4j.configuration": (
        "log4j.rootLogger=INFO, file\nlog4j.appender.file=org.apache.log4j.FileAppender\n"
        "log4j.appender.file.File={file}\nlog4j.appender.file.layout=org.apache.log4j.PatternLayout\n"
        "log4j.appender.file.layout.ConversionPattern=%p %m%n\n"
    ),
    "log4j2.configurationFile": (
        "rootLogger=INFO, file\nappender.file.type=File\nappender.file.name=file\nappender.file.fileName={file}\n"
        "appender.file.layout.type=PatternLayout\nappender.file.layout.pattern=%p %m%n\n"
    ),
}
# One broker, which does not wait for others.
SETTINGS = {
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 16777216,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "inter.broker.listener.name": "CLIENTS",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
}
SHARE = {"share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1}


def jars(version):
    """Return the directory with the jars of a version. Fetches them the first time."""
    return jars_of(POM, version, *(("-P", "kafka-4") if newer(version, "4.0") else ()))  # or nothing is logged


def log_options(file):
    """Return options of a JVM that writes its log to this file, whose settings are put beside it."""
    options = []
    for name, settings in LOGS.items():
        path = file.with_name(f"{file.name}-{name}.properties")
        path.write_text(settings.format(file=file))
        options.append(f"-D{name}=file:{path}")
    return options


def newer(version, other):
    """Return whether a version, such as "4.1.1", is at least `other`, such as "4.1"."""
    return [int(part) for part in version.split(".")] >= [int(part) for part in other.split(".")]


@contextlib.contextmanager
def running(version, mode, settings=None, more=None, options=()):
    """Run one broker of this version, and a ZooKeeper where the mode needs one. Yields HOST:PORT for clients.

    more: {name: port} of listeners beside CLIENTS, whose protocols are in `settings`; options: of the JVM.
    """
    with tempfile.TemporaryDirectory(prefix=f"kafka-{version}-") as data, contextlib.ExitStack() as processes:
        node = Node(version, Path(data), options)
        ports = free_ports(3)
        own = SETTINGS | (SHARE if newer(version, "4.1") else {}) | {"log.dirs": node.data / "log"}
        listeners = {"CLIENTS": ports[0]}
        if mode == ZOOKEEPER:
            keeper = {"dataDir": node.data / "zookeeper", "clientPort": ports[1], "admin.enableServer": "false"}
            keeper_process = processes.enter_context(
                node.process("org.apache.zookeeper.server.quorum.QuorumPeerMain", keeper)
            )
            wait_until("ZooKeeper", lambda: node.answers(ports[1], keeper_process), bool, SECONDS, 0.1)
            own |= {"broker.id": 1, "zookeeper.connect": f"127.0.0.1:{ports[1]}"}
        else:
            listeners["CONTROLLER"] = ports[1]
            own |= {
                "process.roles": "broker,controller",
                "node.id": 1,
                "controller.quorum.voters": f"1@127.0.0.1:{ports[1]}",
                "controller.listener.names": "CONTROLLER",
            }
        own["listeners"] = ",".join(f"{name}://127.0.0.1:{port}" for name, port in (listeners | (more or {})).items())
        advertised = {"CLIENTS": ports[0]} | (more or {})
        own["advertised.listeners"] = ",".join(f"{name}://127.0.0.1:{port}" for name, port in advertised.items())
        own |= settings or {}
        if mode == KRAFT:
            node.run("kafka.tools.StorageTool", own, "format", "--cluster-id", CLUSTER_ID, "--config")
        broker = processes.enter_context(node.process("kafka.Kafka", own))
        wait_until(f"Kafka {version}", lambda: node.answers(ports[0], broker), bool, SECONDS, 0.1)
        address = f"127.0.0.1:{ports[0]}"
        wait_ready({"bootstrap.servers": address}, [1], SECONDS)
        yield address


class Node:
    """The processes of one node: their files are in `data`."""

    def __init__(self, version, data, options=()):
        self.version, self.data, self.options, self.number = version, data, options, itertools.count()

    def command(self, main, settings, *arguments):
        """Return the command that runs a main class with a file of these settings as its last argument."""
        number = next(self.number)
        file = self.data / f"{number}.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        log = log_options(self.data / f"{number}.log")
        return [*JAVA, *log, *self.options, "-cp", f"{jars(self.version)}/*", main, *arguments, str(file)]

    def run(self, main, settings, *arguments):
        """Run a command to its end."""
        done = subprocess.run(
            self.command(main, settings, *arguments), capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, f"{main}: {done.stdout}{done.stderr}"

    @contextlib.contextmanager
    def process(self, main, settings):
        """Run a server; the end of the context kills it, which is quicker than a shutdown."""
        with open(self.data / f"{main}.out", "w") as output:
            process = subprocess.Popen(self.command(main, settings), stdout=output, stderr=subprocess.STDOUT)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def answers(self, port, process):
        """Return whether a port is open. Raises AssertionError with the end of the logs where the process has ended."""
        if process.poll() is not None:
            logs = [path.read_text()[-3000:] for path in [*self.data.glob("*.out"), *self.data.glob("*.log")]]
            raise AssertionError(f"Kafka {self.version} ended with {process.returncode}:\n" + "\n".join(logs))
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False


def free_ports(number):
    """Return ports on loopback that nothing uses now, list of int."""
    with contextlib.ExitStack() as sockets:
        found = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in found]

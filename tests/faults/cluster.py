"""Three ZooKeepers and three brokers on this machine's engine, to do harm to: plain containers, removed at the end.

The tests know of it: `brokers` and `zookeepers` (id: container), `network`, `properties`, `repair()`. All else is how
it is made.
"""

import os
import re
import subprocess
from pathlib import Path

import yaml
from kafka.errors import KafkaError

from smoke.client import NoKafkaError, connect, kafka_python
from smoke.ready import wait_ready
from smoke.status import collect
from smoke.wait import wait_until

PREFIX = os.environ.get("FAULTS_PREFIX", "kp-faults")  # every container, volume and the network begin with it
PORT = int(os.environ.get("FAULTS_PORT", "29780"))  # of broker 1, that of broker 2 is the next
IDS = (1, 2, 3)
ROOT = Path(__file__).resolve().parents[2]
VERSION = yaml.safe_load((ROOT / "roles" / "stack" / "defaults" / "main.yml").read_text())["stack_kafka_version"]
DATA = "/var/lib/kafka/data"
SECONDS = 120  # to be whole again
SESSION = 6  # seconds after which ZooKeeper gives a broker up

ZOOKEEPER = {
    "4lw.commands.whitelist": "srvr",
    "admin.enableServer": "false",
    "clientPort": 2181,
    "dataDir": DATA,
    "initLimit": 10,
    "maxClientCnxns": 0,
    "quorumListenOnAllIPs": "true",
    "syncLimit": 5,
    "tickTime": 1000,
}
BROKER = {
    "auto.create.topics.enable": "false",
    "controlled.shutdown.retry.backoff.ms": 200,
    "default.replication.factor": 3,
    "group.initial.rebalance.delay.ms": 0,
    "inter.broker.listener.name": "INTERNAL",
    "listener.security.protocol.map": "EXTERNAL:PLAINTEXT,INTERNAL:PLAINTEXT",
    "log.cleaner.dedupe.buffer.size": 16777216,
    "log.dirs": DATA,
    "min.insync.replicas": 2,
    "offsets.topic.num.partitions": 6,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "zookeeper.session.timeout.ms": SESSION * 1000,
}


def docker(*arguments, check=True):
    """Run docker, and return what it printed."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def image():
    """The project's image of the version that it deploys, "" when it is not there. Other tests make others."""
    found = docker("image", "ls", "-q", f"kafka-proof:{VERSION}-*", check=False).split()
    return found[0] if found else ""


class Cluster:
    """The cluster. `start` makes it, `remove` leaves nothing of it."""

    def __init__(self):
        self.network, self.holder = PREFIX, f"{PREFIX}-holder"
        self.brokers = {each: _numbered("kafka", each) for each in IDS}
        self.zookeepers = {each: _numbered("zookeeper", each) for each in IDS}
        self.properties = {"bootstrap.servers": ",".join(f"localhost:{PORT + each - 1}" for each in IDS)}
        self.arguments = kafka_python(self.properties)

    def start(self):
        """Make it, all at once, and wait until it is whole."""
        self.remove()
        docker("network", "create", self.network)
        for each in IDS:
            self.make_zookeeper(each)
        for each in IDS:
            self.make_broker(each)
        self.wait_whole()

    def repair(self):
        """Start what does not run, connect what is cut off, and wait until every replica is in sync."""
        containers = [*self.brokers.values(), *self.zookeepers.values()]
        connected = docker("network", "inspect", self.network, "-f", "{{range .Containers}}{{.Name}} {{end}}").split()
        for name in containers:
            state = docker("inspect", name, "-f", "{{.State.Status}}")
            if state == "running" and name not in connected:
                self.reconnect(name)
            elif state == "paused":
                docker("unpause", name)
            elif state != "running":
                docker("start", name)
        self.wait_whole()

    def wait_whole(self):
        """Wait until all brokers answer, and every replica of every partition is in sync. Raises AssertionError."""
        wait_ready(self.properties, IDS, SECONDS)
        wait_until("every replica to be in sync", self.problems, lambda seen: seen == [], SECONDS, 0.3)

    def problems(self):
        """What `kafka-status` says is wrong: list of str."""
        try:
            with connect(self.arguments) as admin:
                found = collect(admin)
        except (NoKafkaError, KafkaError) as error:
            return [str(error)]
        missing = sorted({*IDS} - {broker["id"] for broker in found["brokers"]})
        return found["problems"] + [f"broker {each}: not registered" for each in missing]

    def registered(self):
        """The ids of the brokers that the cluster has, or why it does not tell."""
        found = self._describe()
        return found if isinstance(found, str) else {broker["broker_id"] for broker in found["brokers"]}

    def controller(self):
        """The id of the broker that is the active controller."""

        def look():
            found = self._describe()
            return found if isinstance(found, str) else found["controller_id"]

        return wait_until("a controller", look, lambda seen: seen in self.brokers, SECONDS, 0.1)

    def _describe(self):
        try:
            with connect(self.arguments) as admin:
                return admin.describe_cluster()
        except (NoKafkaError, KafkaError) as error:
            return str(error)

    def zookeeper_leader(self):
        """The id of the ZooKeeper that leads."""

        def look():
            return [each for each, says in self._ask_zookeepers().items() if "Mode: leader" in says]

        return wait_until("a leader of the ZooKeepers", look, lambda seen: len(seen) == 1, SECONDS)[0]

    def zookeeper_clients(self):
        """How many connections brokers have to ZooKeepers that serve; each broker has one."""
        found = [re.search(r"Connections: (\d+)", says) for says in self._ask_zookeepers().values()]
        return sum(int(match[1]) - 1 for match in found if match)  # one of them asks

    def _ask_zookeepers(self):
        ask = "exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && cat <&3"
        return {each: docker("exec", name, "bash", "-c", ask, check=False) for each, name in self.zookeepers.items()}

    def cut_off(self, name):
        """Take a container off the network; who is connected to it hears nothing of it."""
        docker("network", "disconnect", self.network, name)

    def reconnect(self, name):
        """Bring it back under its name."""
        docker("network", "connect", self.network, name)

    def make_zookeeper(self, each):
        """Make a ZooKeeper, with its data where it has some."""
        servers = {f"server.{other}": f"{name}:2888:3888" for other, name in self.zookeepers.items()}
        myid = ("--env", f"ZOOKEEPER_ID={each}")
        self._run("zookeeper", self.zookeepers[each], ZOOKEEPER | servers, *_heap("64m"), *myid)

    def make_broker(self, each):
        """Make a broker, with its data where it has some."""
        name, port = self.brokers[each], PORT + each - 1
        listeners = {
            "broker.id": each,
            "zookeeper.connect": ",".join(f"{other}:2181" for other in self.zookeepers.values()),
            "listeners": f"EXTERNAL://0.0.0.0:{port},INTERNAL://0.0.0.0:19092",
            "advertised.listeners": f"EXTERNAL://localhost:{port},INTERNAL://{name}:19092",
        }
        publish = ("--publish", f"127.0.0.1:{port}:{port}")
        self._run("kafka", name, BROKER | listeners, *_heap("256m"), *publish)

    def hold(self, volume):
        """Keep a volume in use by a container, `holder`, so that the engine keeps it mounted."""
        options = ("--volume", f"{volume}:{DATA}", "--entrypoint", "sleep")
        docker("run", "--detach", "--name", self.holder, *options, image(), "infinity")

    def forget(self, name):
        """Remove a container and its data."""
        docker("rm", "--force", name)
        docker("volume", "rm", f"{name}-data")

    def _run(self, server, name, properties, *options):
        docker(
            *("run", "--detach", "--name", name, "--network", self.network, "--restart", "unless-stopped"),
            *("--volume", f"{name}-data:{DATA}", "--stop-timeout", "60", "--entrypoint", "bash"),
            *("--env", "KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1"),
            *("--env", "PROPERTIES=" + "".join(f"{key}={value}\n" for key, value in properties.items())),
            *(*options, image(), "-c"),
            'printf %s "$PROPERTIES" >/tmp/p && { [ -z "${ZOOKEEPER_ID-}" ] || '
            f'printf %s "$ZOOKEEPER_ID" >{DATA}/myid; }} && exec /opt/kafka/bin/{server}-server-start.sh /tmp/p',
        )

    def remove(self):
        """Remove containers, volumes and the network."""
        if left := docker("ps", "-aq", "--filter", f"name=^{PREFIX}-", check=False).split():
            docker("rm", "--force", "--volumes", *left)
        if left := docker("volume", "ls", "-q", "--filter", f"name=^{PREFIX}-", check=False).split():
            docker("volume", "rm", *left)
        docker("network", "rm", self.network, check=False)


def _heap(size):
    return "--env", f"KAFKA_HEAP_OPTS=-Xms{size} -Xmx{size}"


def _numbered(what, each):
    return f"{PREFIX}-{what}" if each == 1 else f"{PREFIX}-{what}-{each}"

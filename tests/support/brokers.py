"""Brokers for tests, with a ZooKeeper: containers of the project's image, in a separate network on this machine.

    with Brokers("kp-suite") as brokers:
        brokers.start_zookeeper()
        brokers.start_broker("broker", 1, {"OPEN": Listener(29092)})
        wait_registered("localhost:29092", [1])
        brokers["broker"].pause()

Containers and the network carry the label kafka-proof.tests=NAME. The label alone decides what is removed, also after a
run that was killed. Settings reach a container as a file, before it starts.
"""

import io
import tarfile
from dataclasses import dataclass

from kafka.errors import KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.deploy.derive import FRESH_ADDRESSES
from tests.support import engine

LABEL = "kafka-proof.tests"
READY = 90  # seconds for brokers to be ready
FILE = "/opt/kafka/config/node.properties"  # the settings, in the container
ZOOKEEPER = f"exec zookeeper-server-start.sh {FILE}"
BROKER = f"exec kafka-server-start.sh {FILE}"
KRAFT = f"kafka-storage.sh format --cluster-id AAAAAAAAQACAAAAAAAAAAA --config {FILE} >/dev/null && {BROKER}"
JVM = {
    "KAFKA_HEAP_OPTS": "-Xms128m -Xmx192m",
    "KAFKA_JVM_PERFORMANCE_OPTS": f"{FRESH_ADDRESSES} -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
}
SETTINGS = {  # of a broker that is alone and does not wait for others; as in the role's profile `development`
    "controlled.shutdown.retry.backoff.ms": 200,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 16777216,
    "log.dirs": "/var/lib/kafka/data",
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "zookeeper.session.timeout.ms": 6000,
}


@dataclass(frozen=True)
class Listener:
    """A listener of a broker.

    port: its port on this machine; 0 for any, None for none. advertised: HOST:PORT; by default localhost and the port,
    or the container's name if there is no port.
    """

    port: int | None = None
    protocol: str = "PLAINTEXT"
    advertised: str = ""


class Brokers:
    """The containers of one test folder. A context: entering and leaving it removes whatever there is of NAME.

    Another run on this machine with the same NAME waits.

    `brokers[NAME]` is a container, docker.models.containers.Container: stop it, start it, pause it.
    """

    def __init__(self, name):
        self.name, self.image = name, engine.image()

    def __enter__(self):
        self._lock = engine.lock(self.name)
        self.remove()
        engine.engine().networks.create(self.name, labels=self.labels)
        return self

    def __exit__(self, *_):
        with self._lock:
            self.remove()

    def __getitem__(self, name):
        return engine.container(f"{self.name}-{name}")

    @property
    def labels(self):
        return {LABEL: self.name}

    def remove(self):
        """Remove all containers, volumes and networks with the label."""
        engine.remove(label=f"{LABEL}={self.name}")

    def start(self, name, command, settings, *, ports=None, **options):
        """Start the container NAME-`name`, which runs `command` in bash with `settings` in FILE. Return the container.

        ports: {port of the container: port on this machine, or 0 for any}; options: those of `containers.create`.
        """
        publish = {f"{inside}/tcp": ("127.0.0.1", outside or None) for inside, outside in (ports or {}).items()}
        own = {"name": f"{self.name}-{name}", "network": self.name, "labels": self.labels, "ports": publish}
        container = engine.engine().containers.create(
            self.image, ["-c", command], entrypoint="bash", environment=JVM, **own, **options
        )
        container.put_archive("/", _archive(FILE, settings))
        container.start()
        container.reload()
        return container

    def start_zookeeper(self):
        """Start the ZooKeeper that all brokers share. Return the container."""
        settings = {"dataDir": "/tmp/zookeeper", "clientPort": 2181, "admin.enableServer": "false", "maxClientCnxns": 0}
        return self.start("zookeeper", ZOOKEEPER, settings)

    def start_broker(self, name, broker_id, listeners, settings=None, *, chroot="", **options):
        """Start a broker with `settings` on top of SETTINGS. Return the container; wait_registered waits for it.

        listeners: {name: Listener}, of which the first is for the brokers themselves; chroot: that of its cluster in
        ZooKeeper, such as "/second"; options: as in `start`.
        """
        inside = inside_ports(listeners)
        advertised = {
            each: listener.advertised
            or (f"localhost:{listener.port}" if listener.port else f"{self.name}-{name}:{inside[each]}")
            for each, listener in listeners.items()
        }
        own = {
            "broker.id": broker_id,
            "zookeeper.connect": f"{self.name}-zookeeper:2181{chroot}",
            "listeners": _pairs("://0.0.0.0:", inside),
            "advertised.listeners": _pairs("://", advertised),
            "listener.security.protocol.map": _pairs(":", {each: of.protocol for each, of in listeners.items()}),
            "inter.broker.listener.name": next(iter(listeners)),
        }
        ports = {inside[each]: listener.port for each, listener in listeners.items() if listener.port is not None}
        return self.start(name, BROKER, SETTINGS | own | (settings or {}), ports=ports, **options)


class Cluster(Brokers):
    """One cluster of brokers with a ZooKeeper. Broker n is the container `cluster[n]`, at `port` + n."""

    def __init__(self, name, port):
        super().__init__(name)
        self.port = port

    def properties(self, *brokers):
        """Return properties of a client of these brokers, dict[str, str]."""
        return {"bootstrap.servers": ",".join(f"localhost:{self.port + broker}" for broker in brokers)}

    def admin(self, *brokers):
        """Return a KafkaAdminClient for these brokers, by default broker 1. Raises NoKafkaError."""
        return connect(kafka_python(self.properties(*(brokers or [1]))))

    def start_brokers(self, *brokers, **settings):
        """Start brokers side by side, with `settings` (_ for each dot), and wait until all are ready."""
        settings = {key.replace("_", "."): value for key, value in settings.items()}
        for broker in brokers:
            listeners = {"INSIDE": Listener(), "OUTSIDE": Listener(self.port + broker)}
            self.start_broker(str(broker), broker, listeners, {"offsets.topic.num.partitions": 4} | settings)
        wait_ready(self.properties(*brokers), brokers, READY)


def inside_ports(listeners):
    """Return the port of each listener in its container, {name: int}: its port on this machine where that is fixed."""
    return {name: listener.port or 19092 + index for index, (name, listener) in enumerate(listeners.items())}


def published(container, inside):
    """Return HOST:PORT at which this machine has the port `inside` of a container."""
    return f"localhost:{container.ports[f'{inside}/tcp'][0]['HostPort']}"


def admin(address):
    """Return a KafkaAdminClient for the broker at HOST:PORT. Raises NoKafkaError."""
    return connect({"bootstrap_servers": [address]})


def wait_registered(address, brokers, seconds=READY):
    """Wait until the broker at HOST:PORT knows these brokers (ids) and a controller. Raises WaitedInVainError.

    No topic is made by that, as the offsets topic is by kafka_proof.cluster.ready.
    """

    def look():
        # Each look has a new client: Docker opens the port early, and a client that was cut off there gives up.
        try:
            with admin(address) as client:
                cluster = describe_cluster(client)
        except (NoKafkaError, KafkaError) as error:
            return error
        return {each["broker_id"] for each in cluster["brokers"]} if cluster["controller_id"] >= 0 else set()

    wait_until(
        f"brokers {brokers} at {address}",
        look,
        lambda seen: isinstance(seen, set) and seen.issuperset(brokers),
        seconds,
    )


def _pairs(between, values):
    return ",".join(f"{name}{between}{value}" for name, value in values.items())


def _archive(path, settings):
    """Return a tar archive of one properties file, bytes."""
    text = "".join(f"{key}={value}\n" for key, value in settings.items()).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        file = tarfile.TarInfo(path.lstrip("/"))
        file.size = len(text)
        archive.addfile(file, io.BytesIO(text))
    return packed.getvalue()

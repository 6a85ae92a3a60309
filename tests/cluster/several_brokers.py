"""A cluster of several brokers on this machine's engine: containers of the project's image, on ports of their own."""

import subprocess

from smoke.client import connect, kafka_python
from smoke.ready import wait_ready

SECONDS = 90
SETTINGS = {
    "controlled.shutdown.retry.backoff.ms": 200,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 16777216,
    "offsets.topic.num.partitions": 4,
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


class Cluster:
    """Broker n is at `port` + n. Containers are named as the roles name them: PREFIX-kafka, PREFIX-kafka-2, …"""

    def __init__(self, image, prefix, port):
        self.image, self.prefix, self.port = image, prefix, port
        self.remove()
        docker("network", "create", prefix)
        settings = {"dataDir": "/tmp/zookeeper", "clientPort": 2181, "admin.enableServer": "false", "maxClientCnxns": 0}
        self._run(f"{prefix}-zookeeper", "zookeeper-server-start.sh", settings)

    def properties(self, *brokers):
        return {"bootstrap.servers": ",".join(f"localhost:{self.port + broker}" for broker in brokers)}

    def admin(self, *brokers):
        return connect(kafka_python(self.properties(*(brokers or [1]))))

    def name(self, broker):
        return f"{self.prefix}-kafka" + (f"-{broker}" if broker > 1 else "")

    def start(self, *brokers, **more):
        """Start brokers side by side, with their settings in `more` (_ for each dot), and wait for them."""
        for broker in brokers:
            port = self.port + broker
            settings = SETTINGS | {
                "broker.id": broker,
                "zookeeper.connect": f"{self.prefix}-zookeeper:2181",
                "log.dirs": "/var/lib/kafka/data",
                "listeners": f"OUTSIDE://0.0.0.0:{port},INSIDE://0.0.0.0:19092",
                "advertised.listeners": f"OUTSIDE://localhost:{port},INSIDE://{self.name(broker)}:19092",
                "listener.security.protocol.map": "OUTSIDE:PLAINTEXT,INSIDE:PLAINTEXT",
                "inter.broker.listener.name": "INSIDE",
            }
            settings |= {key.replace("_", "."): value for key, value in more.items()}
            volume = ("--volume", f"{self.name(broker)}-data:/var/lib/kafka/data")
            publish = ("--publish", f"127.0.0.1:{port}:{port}")
            self._run(self.name(broker), "kafka-server-start.sh", settings, *volume, *publish)
        wait_ready(self.properties(*brokers), brokers, SECONDS)

    def remove(self):
        containers = docker("ps", "--all", "--quiet", "--filter", f"name=^{self.prefix}-").split()
        if containers:
            docker("rm", "--force", "--volumes", *containers)
        volumes = docker("volume", "ls", "--quiet", "--filter", f"name=^{self.prefix}-").split()
        if volumes:
            docker("volume", "rm", *volumes)
        docker("network", "rm", self.prefix, check=False)

    def _run(self, name, script, properties, *options):
        docker(
            *("run", "--detach", "--name", name, "--network", self.prefix, "--entrypoint", "bash"),
            *("--env", "KAFKA_HEAP_OPTS=-Xms128m -Xmx192m"),
            *("--env", "KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1"),
            *("--env", "PROPERTIES=" + "".join(f"{key}={value}\n" for key, value in properties.items())),
            *(*options, self.image, "-c"),
            f'printf %s "$PROPERTIES" >/tmp/p && exec /opt/kafka/bin/{script} /tmp/p',
        )

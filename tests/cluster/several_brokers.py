"""A cluster of several brokers on this machine's engine: containers of the project's image, on ports of their own."""

from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python
from kafka_proof.cluster.ready import wait_ready
from tests.support.docker import SETTINGS, run

SECONDS = 90


class Cluster:
    """Brokers with the ZooKeeper of tests.docker. Broker n is at `port` + n.

    Containers are named as the roles name them: PREFIX-kafka, PREFIX-kafka-2, …
    """

    def __init__(self, prefix, port):
        self.prefix, self.port = prefix, port

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
                "offsets.topic.num.partitions": 4,
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
            script = "exec kafka-server-start.sh /tmp/p"
            run(self.prefix, self.name(broker), script, settings, *volume, *publish)
        wait_ready(self.properties(*brokers), brokers, SECONDS)

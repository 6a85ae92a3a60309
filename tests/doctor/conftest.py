"""Brokers that are wrong in one way each: containers of the project's image, removed at the end.

A client gets the addresses of the listener by which it came, so one broker with a listener for each fault is enough for
most of them.
"""

from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kafka_proof.client.wait import wait_until
from tests.support.certificates import Authority, demand_certificate, key_store
from tests.support.docker import SETTINGS, docker, run, zookeeper

PREFIX = "kp-doctor"  # every container and the network begin with it
PORTS = {"good": 29693, "tls": 29694, "sasl": 29695, "lonely": 29696, "kraft": 29697, "second": 29698, "nobody": 29699}
ADMIN = "org.apache.kafka.common.security"
MANY_SECONDS = 60


class Containers:
    """The containers of this run, by name without the prefix."""

    def run(self, name, script, properties, *options):
        run(PREFIX, f"{PREFIX}-{name}", script, properties, *options)

    def broker(self, name, broker_id, listeners, chroot="", **settings):
        """`listeners`: dict[name, (protocol, advertised host:port, port on the host or 0 for any)]."""
        inside = {listener: 19092 + index for index, listener in enumerate(listeners)}
        self.run(
            name,
            "exec kafka-server-start.sh /tmp/p",
            {
                **SETTINGS,
                "broker.id": broker_id,
                "zookeeper.connect": f"{PREFIX}-zookeeper:2181{chroot}",
                "zookeeper.session.timeout.ms": 30000,
                "log.dirs": "/tmp/data",
                "listeners": ",".join(f"{listener}://0.0.0.0:{port}" for listener, port in inside.items()),
                "advertised.listeners": ",".join(
                    f"{listener}://{address}" for listener, (_, address, _) in listeners.items()
                ),
                "listener.security.protocol.map": ",".join(
                    f"{each}:{protocol}" for each, (protocol, _, _) in listeners.items()
                ),
                "inter.broker.listener.name": next(iter(listeners)),
                **settings,
            },
            *(
                option
                for listener, (_, _, outside) in listeners.items()
                if outside is not None
                for option in ("--publish", f"127.0.0.1:{outside or ''}:{inside[listener]}")
            ),
        )
        return inside

    def port(self, name, inside):
        """Where a port of the container is published."""
        return int(docker("port", f"{PREFIX}-{name}", str(inside)).splitlines()[0].rpartition(":")[2])

    def address(self, name):
        """The container's own address, which only this machine reaches."""
        return docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", f"{PREFIX}-{name}")

    def do(self, what, name):
        """docker kill, start, stop, pause or unpause."""
        docker(what, f"{PREFIX}-{name}")


@pytest.fixture(scope="session")
def containers():
    with zookeeper(PREFIX):
        yield Containers()


def admin(address):
    """A KafkaAdminClient."""
    return KafkaAdminClient(bootstrap_servers=[address], bootstrap_timeout_ms=10_000, reconnect_backoff_max_ms=100)


def wait_for_brokers(address, brokers):
    """Wait until the cluster has these brokers and a controller."""

    def look():
        # A client anew for each look: Docker opens the port early, and a client that was cut off there gives up.
        try:
            with admin(address) as client:
                cluster = client.describe_cluster()
        except KafkaError as error:
            return error
        return sorted(broker["broker_id"] for broker in cluster["brokers"]), cluster["controller_id"] >= 0

    wait_until(f"brokers {brokers} at {address}", look, lambda seen: seen == (brokers, True), MANY_SECONDS)


@pytest.fixture(scope="session")
def cluster(containers, authority):
    """Two brokers; the first has a listener for each fault. Returns the options by which a client comes to each."""
    good = [f"localhost:{PORTS[name]}" for name in ("good", "second")]
    wrong = {  # listener: what it advertises
        "NOWHERE": "nowhere.invalid:9092",
        "NOBODY": f"127.0.0.1:{PORTS['nobody']}",
        "OTHER": f"127.0.0.1:{PORTS['second']}",
        "WILDCARD": "[::]:9092",
        "LOOPBACK": "localhost:9092",
        "ENCRYPTED": f"127.0.0.1:{PORTS['tls']}",
    }
    certificates = {
        "TLS": authority.issue("localhost"),
        "EXPIRED": authority.issue("localhost", days=(-20, -10)),
        "HOST": authority.issue("other.example"),
        "CLIENT": authority.issue("localhost"),
    }
    listeners = {
        "INTERNAL": ("PLAINTEXT", f"{PREFIX}-broker1:19092", None),
        "GOOD": ("PLAINTEXT", good[0], PORTS["good"]),
        "SASL": ("SASL_PLAINTEXT", f"localhost:{PORTS['sasl']}", PORTS["sasl"]),
        **{name: ("PLAINTEXT", address, 0) for name, address in wrong.items()},
        **{
            name: ("SSL", f"localhost:{PORTS['tls'] if name == 'TLS' else 9092}", PORTS["tls"] if name == "TLS" else 0)
            for name in certificates
        },
    }
    settings = {
        "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
        "listener.name.sasl.plain.sasl.jaas.config": (
            f'{ADMIN}.plain.PlainLoginModule required username="admin" password="x" user_alice="wonderland";'
        ),
        "listener.name.sasl.scram-sha-256.sasl.jaas.config": f"{ADMIN}.scram.ScramLoginModule required;",
        **demand_certificate("listener.name.client", authority),
    }
    for name, certificate in certificates.items():
        settings |= key_store(f"listener.name.{name.lower()}", *certificate)

    inside = containers.broker("broker1", 1, listeners, **settings)
    wait_for_brokers(good[0], [1])  # so that it is the controller
    second = {
        "INTERNAL": ("PLAINTEXT", f"{PREFIX}-broker2:19092", None),
        "GOOD": ("PLAINTEXT", good[1], PORTS["second"]),
    }
    containers.broker("broker2", 2, second)
    for address in good:  # a broker is in the metadata before it answers
        wait_for_brokers(address, [1, 2])
    with admin(good[0]) as client:  # on the first broker, which all listeners lead to
        client.create_topics(
            {"__consumer_offsets": {"assignments": {0: [1]}, "configs": {"cleanup.policy": "compact"}}},
            wait_for_metadata=True,
        )
        client.create_topics({"kafka_demo": {"assignments": {0: [1], 1: [1]}}}, wait_for_metadata=True)
    return SimpleNamespace(
        good=good[0],
        second=good[1],
        tls=f"localhost:{PORTS['tls']}",
        sasl=f"localhost:{PORTS['sasl']}",
        from_afar=f"{containers.address('broker1')}:{inside['LOOPBACK']}",
        **{
            name.lower(): f"localhost:{containers.port('broker1', inside[name])}"
            for name in [*wrong, "EXPIRED", "HOST", "CLIENT"]
        },
    )


@pytest.fixture(scope="session")
def lonely(containers, cluster):
    """One broker, in a cluster of its own, that wants three replicas of __consumer_offsets. Returns its address."""
    address = f"localhost:{PORTS['lonely']}"
    containers.broker(
        "lonely",
        1,
        {"INTERNAL": ("PLAINTEXT", f"{PREFIX}-lonely:19092", None), "GOOD": ("PLAINTEXT", address, PORTS["lonely"])},
        chroot="/lonely",
        **{"offsets.topic.replication.factor": 3},
    )
    wait_for_brokers(address, [1])
    return address


@pytest.fixture(scope="session")
def kraft(containers):
    """A broker and a controller without ZooKeeper. Returns the broker's address; the controller is `controller`."""
    address = f"localhost:{PORTS['kraft']}"
    common = {
        "controller.quorum.voters": f"100@{PREFIX}-controller:9093",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": "/tmp/data",
        "log.cleaner.dedupe.buffer.size": 16777216,
        "offsets.topic.replication.factor": 1,
    }
    script = (
        "kafka-storage.sh format --cluster-id AAAAAAAAQACAAAAAAAAAAA --config /tmp/p >/dev/null && "
        "exec kafka-server-start.sh /tmp/p"
    )
    listener = {"process.roles": "controller", "node.id": 100, "listeners": "CONTROLLER://0.0.0.0:9093"}
    containers.run("controller", script, common | listener)
    listener = {
        "process.roles": "broker",
        "node.id": 1,
        "listeners": f"PLAINTEXT://0.0.0.0:{PORTS['kraft']}",
        "advertised.listeners": f"PLAINTEXT://{address}",
    }
    containers.run("kraft", script, common | listener, "--publish", f"127.0.0.1:{PORTS['kraft']}:{PORTS['kraft']}")
    wait_for_brokers(address, [1])
    return address


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The authority that signed the brokers' certificates."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority.pem")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """An authority that signed none of them."""
    return Authority(tmp_path_factory.mktemp("tls") / "stranger.pem")

"""Brokers that are wrong in one way each: containers of the project's image, removed at the end.

A client gets the addresses of the listener by which it came. One broker with a listener for each fault is therefore
enough for most of them.
"""

from types import SimpleNamespace

import pytest

from tests.support.brokers import (
    KRAFT,
    Brokers,
    Listener,
    admin,
    inside_ports,
    published,
    wait_registered,
)
from tests.support.certificates import Authority, demand_certificate, key_store

PREFIX = "kp-doctor"  # every container and the network begin with it
PORTS = {"good": 29693, "tls": 29694, "sasl": 29695, "lonely": 29696, "kraft": 29697, "second": 29698, "nobody": 29699}
PORTS |= {"client": 29690, "soon": 29691}
ADMIN = "org.apache.kafka.common.security"
SETTINGS = {
    "zookeeper.session.timeout.ms": 30000,  # a test stops ZooKeeper for a while
    "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
    "super.users": "User:ANONYMOUS",  # the brokers, and every client without login and certificate
}


@pytest.fixture(scope="package")
def containers():
    with Brokers(PREFIX) as brokers:
        brokers.start_zookeeper()
        yield brokers


@pytest.fixture(scope="package")
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
        "TLS": authority.issue("localhost", days=(-1, 400)),
        "SOON": authority.issue("localhost", days=(-1, 12)),
        "EXPIRED": authority.issue("localhost", days=(-20, -10)),
        "HOST": authority.issue("other.example"),
        "CLIENT": authority.issue("localhost"),
    }
    listeners = {
        "INTERNAL": Listener(),
        "GOOD": Listener(PORTS["good"]),
        "SASL": Listener(PORTS["sasl"], "SASL_PLAINTEXT"),
        "TLS": Listener(PORTS["tls"], "SSL"),
        **{name: Listener(0, advertised=address) for name, address in wrong.items()},
        "CLIENT": Listener(PORTS["client"], "SSL"),
        "SOON": Listener(PORTS["soon"], "SSL"),
        **{name: Listener(0, "SSL", "localhost:9092") for name in ("EXPIRED", "HOST")},
    }
    settings = SETTINGS | {
        "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
        "listener.name.sasl.plain.sasl.jaas.config": (
            f'{ADMIN}.plain.PlainLoginModule required username="admin" password="x" user_alice="wonderland";'
        ),
        "listener.name.sasl.scram-sha-256.sasl.jaas.config": f"{ADMIN}.scram.ScramLoginModule required;",
        **demand_certificate("listener.name.client", authority),
    }
    for name, certificate in certificates.items():
        settings |= key_store(f"listener.name.{name.lower()}", *certificate)

    first, inside = containers.start_broker("broker1", 1, listeners, settings), inside_ports(listeners)
    wait_registered(good[0], [1])  # so that it is the controller
    containers.start_broker("broker2", 2, {"INTERNAL": Listener(), "GOOD": Listener(PORTS["second"])}, SETTINGS)
    for address in good:  # a broker is in the metadata before it answers
        wait_registered(address, [1, 2])
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
        from_afar=f"{first.attrs['NetworkSettings']['Networks'][PREFIX]['IPAddress']}:{inside['LOOPBACK']}",
        client=f"localhost:{PORTS['client']}",
        soon=f"localhost:{PORTS['soon']}",
        **{name.lower(): published(first, inside[name]) for name in [*wrong, "EXPIRED", "HOST"]},
    )


@pytest.fixture(scope="package")
def lonely(containers, cluster):
    """One broker, in its own cluster, that wants three replicas of __consumer_offsets. Returns its address."""
    address = f"localhost:{PORTS['lonely']}"
    listeners = {"INTERNAL": Listener(), "GOOD": Listener(PORTS["lonely"])}
    settings = SETTINGS | {"offsets.topic.replication.factor": 3}
    containers.start_broker("lonely", 1, listeners, settings, chroot="/lonely")
    wait_registered(address, [1])
    return address


@pytest.fixture(scope="package")
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
    listener = {"process.roles": "controller", "node.id": 100, "listeners": "CONTROLLER://0.0.0.0:9093"}
    containers.start("controller", KRAFT, common | listener)
    listener = {
        "process.roles": "broker",
        "node.id": 1,
        "listeners": f"PLAINTEXT://0.0.0.0:{PORTS['kraft']}",
        "advertised.listeners": f"PLAINTEXT://{address}",
    }
    containers.start("kraft", KRAFT, common | listener, ports={PORTS["kraft"]: PORTS["kraft"]})
    wait_registered(address, [1])
    return address


@pytest.fixture(scope="package")
def authority(tmp_path_factory):
    """The authority that signed the brokers' certificates."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority.pem")


@pytest.fixture(scope="package")
def stranger(tmp_path_factory):
    """An authority that signed none of them."""
    return Authority(tmp_path_factory.mktemp("tls") / "stranger.pem")

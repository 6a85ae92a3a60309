"""A secured stack refuses, and for the right reason. Next to each refusal stands what is allowed, by the same way."""

import re
import subprocess
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    NewTopic,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.connection import login_fault
from kafka_proof.cluster.settings import set_dynamic
from kafka_proof.deploy.node import CONFIG
from tests.deploy.conftest import LOCALHOST
from tests.support.certificates import Authority
from tests.support.engine import docker, execute
from tests.support.refusals import NO_CERTIFICATE, OF_ZOOKEEPER, SECONDS, handshake, refusal

pytestmark = pytest.mark.xdist_group("deploy/secure")
PASSWORD = "a-password-of-alice"
BROKERS, CONTROLLERS, ZOOKEEPER = 19094, 19095, 2182  # ports of nodes, in the container


@pytest.fixture(scope="module", params=["secure", pytest.param("secure_zookeeper", marks=pytest.mark.long)])
def cluster(request, tmp_path_factory):
    """A stack with the topics of two teams. alice may use her team's, named orders-; bob has no rights."""
    stack = request.getfixturevalue(request.param)
    with KafkaAdminClient(**stack.arguments) as admin:
        admin.create_topics([NewTopic(name, 1, 1) for name in ("orders-new", "billing-new")])
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(name, "SCRAM-SHA-512", PASSWORD) for name in ("alice", "bob")]
        )
        operations = {ResourceType.TOPIC: ("WRITE", "READ"), ResourceType.GROUP: ("READ",)}
        admin.create_acls(
            [
                ACL(
                    "User:alice",
                    "*",
                    ACLOperation[operation],
                    ACLPermissionType.ALLOW,
                    ResourcePattern(kind, "orders-", ACLResourcePatternType.PREFIXED),
                )
                for kind, names in operations.items()
                for operation in names
            ]
        )
    authority = Authority.read(stack.secrets / "ca.pem", stack.secrets / "ca.key")
    directory = tmp_path_factory.mktemp("certificates")
    other = Authority(directory / "other.pem")
    return SimpleNamespace(stack=stack, authority=authority, other=other, directory=directory)


# Ways to come in. Each returns the reason of a refusal, and "" if it is let in.


def login(cluster, **arguments):
    return login_fault(cluster.stack.arguments | arguments, SECONDS)


def user(cluster, name="alice"):
    return cluster.stack.arguments | {"sasl_plain_username": name, "sasl_plain_password": PASSWORD}


def produce(cluster, name, topic):
    def send():
        with KafkaProducer(**user(cluster, name), max_block_ms=SECONDS * 1000) as producer:
            producer.send(topic, b"x").get(timeout=SECONDS)

    return refusal(send)


def commit(cluster, group):
    def store():
        with KafkaConsumer(**user(cluster), group_id=group, enable_auto_commit=False) as consumer:
            consumer.assign([partition := TopicPartition("orders-new", 0)])
            consumer.commit({partition: OffsetAndMetadata(0, "", -1)})

    return refusal(store)


def create(cluster, arguments, topic):
    def ask():
        with KafkaAdminClient(**arguments) as admin:
            admin.create_topics([NewTopic(topic, 1, 1)], validate_only=True)

    return refusal(ask)


def present(cluster, port, certificate=None):
    """Connect to a port of nodes, in the container. certificate: (certificate, key) as PEM."""
    container = cluster.stack.zookeeper if port in OF_ZOOKEEPER else cluster.stack.kafka
    address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container)
    store = cluster.directory / "store.pem" if certificate else None
    if store:
        store.write_text("".join(certificate))
    return handshake(address, port, cluster.authority.path, store)


def of_nodes(port):
    """The answers of a port of nodes to certificates: {name: (function, reason)}."""
    return {
        "no certificate": (lambda c: present(c, port), f".*{NO_CERTIFICATE}"),
        "another authority": (lambda c: present(c, port, c.other.issue("node")), ".*CERTIFICATE_UNKNOWN"),
        # Java names the reason to its log alone. The last one differs in nothing but its days.
        "expired": (lambda c: present(c, port, c.authority.issue("node", days=(-9, -1))), ".*CERTIFICATE_UNKNOWN"),
        "allowed": (lambda c: present(c, port, c.authority.issue("node")), "$"),
    }


def with_module(cluster, module):
    """Run a command in a broker's container, with this class for its login. The options of the JVM are the broker's."""
    stack = cluster.stack
    properties = [
        *("security.protocol=SASL_SSL", "sasl.mechanism=SCRAM-SHA-512"),
        *(f"ssl.truststore.location={CONFIG}/truststore.pem", "ssl.truststore.type=PEM"),
        f'sasl.jaas.config={module} required username="alice" password="{PASSWORD}";',
    ]
    tool = (
        f"/opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:{stack.port} --command-config /tmp/login --list"
    )
    command = ["docker", "exec", "-i", stack.kafka, "sh", "-c", f"cat >/tmp/login && {tool} 2>&1"]
    done = subprocess.run(command, input="\n".join(properties), capture_output=True, text=True, timeout=60, check=False)
    return done.stdout if done.returncode or "orders-new" not in done.stdout else ""


def read_password(cluster):
    """Read what ZooKeeper knows of a user's password, by the port that only the container itself reaches."""
    command = ["/opt/kafka/bin/zookeeper-shell.sh", "-server", "localhost:2181", "get", "/config/users/alice"]
    return execute(cluster.stack.zookeeper, *command, check=False)


ALICE = {"sasl_plain_username": "alice", "sasl_plain_password": PASSWORD}
JNDI = "com.sun.security.auth.module.JndiLoginModule"
SCRAM = "org.apache.kafka.common.security.scram"

ANY = {
    "login: wrong password": (lambda c: login(c, sasl_plain_password="wrong"), "login-refused"),
    "login: unknown user": (lambda c: login(c, **ALICE | {"sasl_plain_username": "mallory"}), "login-refused"),
    "login: allowed": (lambda c: login(c, **ALICE), "$"),
    "login: plaintext to a TLS port": (lambda c: login(c, security_protocol="PLAINTEXT"), "tls-port"),
    "login: a password without TLS": (lambda c: login(c, security_protocol="SASL_PLAINTEXT"), "tls-port"),
    "login: none": (lambda c: login(c, security_protocol="SSL"), "login-needed"),
    "client: another authority": (lambda c: login(c, ssl_cafile=str(c.other.path)), "certificate-untrusted"),
    "client: name mismatch": (
        lambda c: login(c, bootstrap_servers=[f"127.0.0.1:{c.stack.port}"]),
        "certificate-host",
    ),
    "produce: without rights": (lambda c: produce(c, "bob", "orders-new"), "TopicAuthorizationFailedError"),
    "produce: another team's topic": (lambda c: produce(c, "alice", "billing-new"), "TopicAuthorizationFailedError"),
    "produce: allowed": (lambda c: produce(c, "alice", "orders-new"), "$"),
    "group: without rights": (lambda c: commit(c, "billing-x"), "GroupAuthorizationFailedError"),
    "group: allowed": (lambda c: commit(c, "orders-x"), "$"),
    "topic creation: without rights": (
        lambda c: create(c, user(c), "orders-2"),
        "(Topic|Cluster)AuthorizationFailedError",
    ),
    "topic creation: allowed": (lambda c: create(c, c.stack.arguments, "orders-2"), "$"),
    "login module: JNDI": (
        lambda c: with_module(c, JNDI),
        "(?s).*JndiLoginModule is not allowed",
    ),
    "login module: allowed": (lambda c: with_module(c, f"{SCRAM}.ScramLoginModule"), "$"),
} | {f"brokers: {name}": case for name, case in of_nodes(BROKERS).items()}

KRAFT = {f"controllers: {name}": case for name, case in of_nodes(CONTROLLERS).items()}
WITH_ZOOKEEPER = {f"zookeeper: {name}": case for name, case in of_nodes(ZOOKEEPER).items()} | {
    "zookeeper: without TLS": (lambda c: present(c, 2181), "ConnectionRefusedError"),
    "zookeeper: without a certificate's rights": (read_password, "(?s).*(NoAuth|Insufficient permission)"),
}


@pytest.mark.parametrize("name", [*ANY, *KRAFT, *WITH_ZOOKEEPER])
def test_refusals(cluster, name):
    if name in (WITH_ZOOKEEPER if cluster.stack.name.endswith("prf-kraft") else KRAFT):
        pytest.skip("of the other mode")
    attempt, reason = (ANY | KRAFT | WITH_ZOOKEEPER)[name]
    assert re.match(reason, found := attempt(cluster)), found or "it was let in"


def test_published_ports(cluster):
    stack = cluster.stack
    wanted = {stack.kafka: [f"{stack.port}/tcp -> 127.0.0.1:{stack.port}"]}
    if stack.inventory == LOCALHOST:
        wanted[stack.zookeeper] = [f"{ZOOKEEPER}/tcp -> 127.0.0.1:{stack.zookeeper_port}"]
    assert {name: docker("port", name).splitlines() for name in stack.containers()} == wanted


def test_an_administrator_gives_a_listener_no_other_login_module(cluster):
    """With ZooKeeper a broker refuses. With KRaft it keeps the setting, and a listener that exists never uses it."""
    key = "listener.name.external_secure.scram-sha-512.sasl.jaas.config"
    with KafkaAdminClient(**cluster.stack.arguments) as admin:
        refused = set_dynamic(admin, {1: {key: f"{JNDI} required;"}})
        try:
            assert bool(refused) is (cluster.stack.inventory == LOCALHOST)
            assert login(cluster, **ALICE) == ""
        finally:
            set_dynamic(admin, {1: {key: None}})
    assert "JndiLoginModule" not in docker("logs", cluster.stack.kafka)

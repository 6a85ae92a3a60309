"""One broker for these tests, with an authorizer: containers of the project's image, removed at the end.

Who comes without a password may do all; a user may do what a test grants.
"""

import subprocess

import pytest
from kafka.admin import ACL, ACLFilter, ACLOperation, ACLPermissionType, ResourcePattern, ResourcePatternFilter
from kafka.admin import ACLResourcePatternType as Pattern
from kafka.admin import ResourceType as Kind
from suite_run import answers

from smoke.client import connect

PREFIX = "kp-suite"  # every container and the network begin with it
OPEN, SASL = 22682, 22683
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
USERS = ("alice", "slow")


def docker(*arguments, check=True):
    """Run docker, and return what it printed."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


class Broker:
    """The broker: how clients come to it, what may be done to it, and what users may do in it."""

    def __init__(self):
        self.address = f"localhost:{OPEN}"
        self.arguments = {"bootstrap_servers": [self.address]}  # of any kafka-python client

    def do(self, what, *options):
        """docker kill, stop, start, pause or unpause."""
        docker(what, *options, f"{PREFIX}-broker")

    def command(self, name, *arguments):
        """Run one of Kafka's commands."""
        return docker("exec", f"{PREFIX}-broker", name, "--bootstrap-server", self.address, *arguments)

    def grant(self, rights, user="alice"):
        """Let the user do this and no more. `rights`: list of (Kind, name, Pattern, name of the operation)."""
        everything = ResourcePatternFilter(Kind.ANY, None, Pattern.ANY)
        theirs = ACLFilter(f"User:{user}", "*", ACLOperation.ANY, ACLPermissionType.ANY, everything)
        acls = [
            ACL(f"User:{user}", "*", ACLOperation[operation], ACLPermissionType.ALLOW, ResourcePattern(*resource))
            for *resource, operation in ((kind, name, pattern, operation) for kind, name, pattern, operation in rights)
        ]
        with connect(self.arguments) as admin:
            admin.delete_acls([theirs])
            if acls:
                admin.create_acls(acls)


def run(name, command, properties, *options):
    docker(
        *("run", "--detach", "--name", f"{PREFIX}-{name}", "--network", PREFIX, "--entrypoint", "bash"),
        *("--env", "KAFKA_HEAP_OPTS=-Xms128m -Xmx192m"),
        *("--env", "PROPERTIES=" + "".join(f"{key}={value}\n" for key, value in properties.items())),
        *(*options, image(), "-c", f'printf %s "$PROPERTIES" >/tmp/p && exec /opt/kafka/bin/{command} /tmp/p'),
    )


def image():
    found = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "kafka-proof", check=False).split()
    if not found:
        pytest.skip("no image kafka-proof: run site.yml once")
    return max(found)  # the newest version


def remove():
    if left := docker("ps", "-aq", "--filter", f"name=^{PREFIX}-", check=False).split():
        docker("rm", "--force", "--volumes", *left)
    docker("network", "rm", PREFIX, check=False)


@pytest.fixture(scope="session")
def broker():
    image()
    remove()
    docker("network", "create", PREFIX)
    try:
        zookeeper = {"dataDir": "/tmp/zookeeper", "clientPort": 2181, "admin.enableServer": "false"}
        run("zookeeper", "zookeeper-server-start.sh", zookeeper)
        passwords = " ".join(f'user_{user}="secret"' for user in USERS)
        properties = {
            "broker.id": 1,
            "zookeeper.connect": f"{PREFIX}-zookeeper:2181",
            "zookeeper.session.timeout.ms": 6000,
            "log.dirs": "/tmp/data",
            "listeners": f"OPEN://0.0.0.0:{OPEN},SASL://0.0.0.0:{SASL}",
            "advertised.listeners": f"OPEN://localhost:{OPEN},SASL://localhost:{SASL}",
            "listener.security.protocol.map": "OPEN:PLAINTEXT,SASL:SASL_PLAINTEXT",
            "inter.broker.listener.name": "OPEN",
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config": f"{LOGIN} {passwords};",
            "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
            "super.users": "User:ANONYMOUS;User:slow",
            "controlled.shutdown.retry.backoff.ms": 200,
            "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 16777216,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "auto.create.topics.enable": "true",
        }
        published = [option for port in (OPEN, SASL) for option in ("--publish", f"127.0.0.1:{port}:{port}")]
        run("broker", "kafka-server-start.sh", properties, *published)
        broker = Broker()
        answers(broker.arguments)
        yield broker
    finally:
        remove()


@pytest.fixture(scope="session")
def user(broker, tmp_path_factory):
    """user(name): the path of the user's client properties."""

    def user(name):
        path = tmp_path_factory.mktemp(name) / "client.properties"
        path.write_text(
            f"bootstrap.servers=localhost:{SASL}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
            f'sasl.jaas.config={LOGIN} username="{name}" password="secret";\n'
        )
        return path

    return user

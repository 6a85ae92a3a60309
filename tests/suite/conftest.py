"""One broker for these tests, with an authorizer: containers of the project's image, removed at the end.

Who comes without a password may do all, and over TLS too; any other user may do what a test grants.
"""

import pytest
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourcePatternFilter,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.admin import ACLResourcePatternType as Pattern
from kafka.admin import ResourceType as Kind

from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python
from tests.suite.suite_run import answers
from tests.support.brokers import Brokers, Listener
from tests.support.certificates import Authority, demand_certificate, key_store
from tests.support.engine import container, execute

PREFIX = "kp-suite"  # every container and the network begin with it
LISTENERS = {
    "OPEN": Listener(22682),
    "SASL": Listener(22683, "SASL_PLAINTEXT"),
    "TLS": Listener(22684, "SSL"),
    "SASL_TLS": Listener(22685, "SASL_SSL"),
}
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required"
USERS = ("alice", "slow")


class Broker:
    """The broker: how clients come to it, what may be done to it, and what users may do in it."""

    def __init__(self):
        self.address = f"localhost:{LISTENERS['OPEN'].port}"
        self.arguments = {"bootstrap_servers": [self.address]}  # of any kafka-python client

    def do(self, what):
        """Kill, stop, start, pause or unpause its container."""
        getattr(container(f"{PREFIX}-broker"), what)()

    def command(self, name, *arguments):
        """Run one of Kafka's commands."""
        return execute(f"{PREFIX}-broker", name, "--bootstrap-server", self.address, *arguments)

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


@pytest.fixture(scope="package")
def authority(tmp_path_factory):
    """The authority that signed the certificates of the broker and of the client."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority.pem")


@pytest.fixture(scope="package")
def broker(authority):
    passwords = " ".join(f'user_{user}="secret"' for user in USERS)
    certificate = authority.issue("localhost")
    settings = {
        "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config": f"{LOGIN} {passwords};",
        **key_store("listener.name.tls", *certificate),
        **demand_certificate("listener.name.tls", authority),
        **key_store("listener.name.sasl_tls", *certificate),
        "listener.name.sasl_tls.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_tls.scram-sha-512.sasl.jaas.config": f"{SCRAM};",
        "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
        "super.users": "User:ANONYMOUS;User:slow;User:carol;User:CN=client",
        "auto.create.topics.enable": "true",
        "group.max.session.timeout.ms": 30000,  # less than kafka-python's own
    }
    with Brokers(PREFIX) as brokers:
        brokers.start_zookeeper()
        # A killed broker cannot start while ZooKeeper keeps its session. The engine tries again, as in a deployment.
        brokers.start_broker("broker", 1, LISTENERS, settings, restart_policy={"Name": "on-failure"})
        broker = Broker()
        answers(broker.arguments)
        with connect(broker.arguments) as admin:
            admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion("carol", ScramMechanism.SCRAM_SHA_512, "secret")]
            )
        yield broker


@pytest.fixture(scope="package")
def tls(broker, authority, tmp_path_factory):
    """Client properties of who comes with a certificate: dict[str, str]."""
    own = tmp_path_factory.mktemp("tls") / "client.pem"
    own.write_text("".join(authority.issue("client")))
    return {
        "bootstrap.servers": f"localhost:{LISTENERS['TLS'].port}",
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.path),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(own),
    }


@pytest.fixture(scope="package")
def sasl_tls(broker, authority):
    """Client properties of who comes with a password, over TLS: dict[str, str]."""
    properties = {
        "bootstrap.servers": f"localhost:{LISTENERS['SASL_TLS'].port}",
        "security.protocol": "SASL_SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.path),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": f'{SCRAM} username="carol" password="secret";',
    }
    answers(kafka_python(properties))  # the broker learns of a new password a moment after it is set
    return properties


@pytest.fixture(scope="package")
def file(tmp_path_factory):
    """file(properties): the path of a file of these client properties."""

    def file(properties):
        path = tmp_path_factory.mktemp("client") / "client.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return path

    return file


@pytest.fixture(scope="package")
def user(broker, file):
    """user(name): the path of the user's client properties."""

    def user(name):
        return file(
            {
                "bootstrap.servers": f"localhost:{LISTENERS['SASL'].port}",
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.jaas.config": f'{LOGIN} username="{name}" password="secret";',
            }
        )

    return user

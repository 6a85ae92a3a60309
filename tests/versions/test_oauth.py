"""Logins by OAUTHBEARER: the settings that follow from kafka_security, on brokers that trust a small issuer."""

import contextlib
import re
import subprocess
import sys
import time
import uuid

import confluent_kafka
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.protocol.metadata import MetadataRequest

from kafka_proof.client.connection import links
from kafka_proof.client.link import Fault
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.deploy.diagnosis import diagnosis
from kafka_proof.deploy.files import to_properties
from kafka_proof.deploy.node import CONFIG
from kafka_proof.deploy.security import (
    KEY_STORE,
    authorisation,
    jvm_options,
    listener_settings,
    secured,
    security_of,
    security_problems,
)
from kafka_proof.operations.access import acls
from tests.support.certificates import Authority
from tests.support.issuer import CLIENTS, issuer, new_key
from tests.versions.kafka import JAVA, KRAFT, ZOOKEEPER, free_ports, jars, log_options, running
from tests.versions.secured import params

SECONDS = 10
NAME = "EXTERNAL_SECURE"
LOG_FILE = "broker.log"
HANDLER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
MODULE = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"


class Kafka:
    """A broker with the listener for clients of a secure stack, and its issuer."""

    def __init__(self, version, address, secure, authority, issuer, log):
        self.version, self.open, self.secure, self.authority = version, address, secure, authority
        self.issuer, self.log = issuer, log

    def client(self, user="alice", secret="", scope="", **other):
        """Return client properties in the words of Kafka's own documentation."""
        secret = (secret or CLIENTS[user]).replace("\\", "\\\\").replace('"', '\\"')
        return {
            "bootstrap.servers": self.secure,
            "security.protocol": "SASL_SSL",
            "ssl.truststore.location": str(self.authority.path),
            "ssl.truststore.type": "PEM",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.login.callback.handler.class": HANDLER,
            "sasl.oauthbearer.token.endpoint.url": f"{self.issuer.url}/token",
            "sasl.jaas.config": f'{MODULE} required clientId="{user}" clientSecret="{secret}" scope="{scope}";',
        } | other


MODES = [
    pytest.param(("4.4.0", KRAFT), id="kraft", marks=[pytest.mark.sample, pytest.mark.xdist_group("oauth-kraft")]),
    pytest.param(("3.9.2", ZOOKEEPER), id="zookeeper", marks=pytest.mark.xdist_group("oauth-zookeeper")),
]


@pytest.fixture(scope="module", params=MODES)
def kafka(request, tmp_path_factory):
    version, _ = request.param
    directory = tmp_path_factory.mktemp("oauth")
    with issuer() as found, secure_broker(*request.param, directory, found.settings()) as (address, secure, authority):
        kafka = Kafka(version, address, secure, authority, found, directory / LOG_FILE)
        rights = [{"principal": "alice", "role": role, "topic_prefix": "mine"} for role in ("producer", "consumer")]
        rights[1]["group_prefix"] = "mine"
        rights.append({"principal": "alice", "resource": "topic", "name": "mine", "operations": ["create"]})
        made = acls.have(params({"bootstrap.servers": address}, acls=rights), False)
        assert made["changed"], made
        yield kafka


@contextlib.contextmanager
def secure_broker(version, mode, directory, oauth):
    """Run a broker with the settings and JVM options that follow from kafka_security. Its log is in `directory`.

    Yields the address for this harness, that of the listener with logins, and the authority of its certificate.
    """
    [port] = free_ports(1)
    authority = Authority(directory / "authority.pem")
    certificate, key = authority.issue("broker", names=["127.0.0.1"])
    (directory / KEY_STORE).write_text(key + certificate)
    variables = {
        "kafka_security": {"clients": "sasl_ssl", "mechanisms": ["SCRAM-SHA-512", "OAUTHBEARER"], "oauth": oauth}
    }
    assert security_problems({"one": variables}) == []
    security = security_of(variables)
    listener = secured({"name": NAME, "port": port}, security, "CLIENTS")
    settings = listener_settings([listener], [], security, version) | authorisation(security, mode == KRAFT)
    settings["super.users"] += ";User:ANONYMOUS"  # the harness
    settings |= {
        "listener.security.protocol.map": f"CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,{NAME}:{listener['protocol']}",
        "connection.failed.authentication.delay.ms": 10,
    }
    own = {key: str(value).replace(CONFIG, str(directory)) for key, value in settings.items()}
    options = [*jvm_options(version, security).splitlines(), *log_options(directory / LOG_FILE)]
    with running(version, mode, own, {NAME: port}, options) as address:
        yield address, f"127.0.0.1:{port}", authority


@pytest.mark.parametrize("kind", MODES)
def test_a_broker_that_does_not_reach_its_issuer_is_diagnosed(kind, tmp_path):
    oauth = {"jwks_url": "http://127.0.0.1:1/keys", "issuer": "http://127.0.0.1:1", "audience": "kafka"}
    with pytest.raises(AssertionError, match="ended with 1"), secure_broker(*kind, tmp_path, oauth):
        pass
    container = {"name": "kafka", "state": "restarting", "exit_code": 1, "restarts": 1}
    said = diagnosis([container], (tmp_path / LOG_FILE).read_text().splitlines())
    assert (
        "It does not reach the issuer of tokens, or gets no keys there. See kafka_security.oauth.jwks_url." in said[1]
    )


class Given(AbstractTokenProvider):
    """A token, whatever it is."""

    def __init__(self, token):
        self.given = token

    def token(self):
        return self.given

    def user(self):
        return "alice"


def test_a_client_gets_one_token_and_uses_its_rights(kafka):
    before, arguments = kafka.issuer.given, kafka_python(kafka.client(scope="of-this-test"))
    with KafkaProducer(**arguments) as producer:
        producer.send("mine", b"by kafka-python").get(SECONDS)
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send("another", b"").get(SECONDS)
    assert b"by kafka-python" in messages(arguments)
    assert kafka.issuer.given - before == 1
    with pytest.raises(GroupAuthorizationFailedError):
        messages(kafka_python(kafka.client("bob")))


def messages(arguments):
    """Return the messages in the topic `mine`, read from its beginning by a new group."""
    group = {"group_id": f"mine-{uuid.uuid4()}", "auto_offset_reset": "earliest"}
    with KafkaConsumer("mine", **arguments, **group) as consumer:
        return wait_until(
            "messages", lambda: [one.value for found in consumer.poll(500).values() for one in found], bool, SECONDS
        )


def test_confluent_kafka(kafka):
    life = 300
    login = {
        "bootstrap.servers": kafka.secure,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(kafka.authority.path),
        "sasl.mechanism": "OAUTHBEARER",
        "oauth_cb": lambda _: (kafka.issuer.token("alice", life=life), time.time() + life),
    }
    sent = []
    producer = confluent_kafka.Producer(login)
    producer.produce("mine", b"by confluent", on_delivery=lambda error, message: sent.append((error, message.topic())))
    producer.flush(SECONDS)
    assert sent == [(None, "mine")]
    group = {"group.id": f"mine-{uuid.uuid4()}", "auto.offset.reset": "earliest"}
    consumer = confluent_kafka.Consumer(login | group)
    consumer.subscribe(["mine"])
    try:
        found = (lambda: consumer.poll(0.5), lambda one: one and not one.error() and one.value() == b"by confluent")
        wait_until("the message", *found, SECONDS)
    finally:
        consumer.close()


def test_commands_of_kafka_and_of_this_project_share_the_file(kafka, tmp_path):
    file = tmp_path / "client.properties"
    file.write_text(to_properties(kafka.client("admin")))  # kafka_security.principal is a super user
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={kafka.issuer.url}/token"
    theirs = [*JAVA, allowed, "-cp", f"{jars(kafka.version)}/*", "org.apache.kafka.tools.TopicCommand"]
    theirs += ["--bootstrap-server", kafka.secure, "--command-config", file, "--create", "--topic", "by-kafka"]
    assert "Created topic by-kafka" in said(theirs)
    ours = [sys.executable, "-m", "kafka_proof.doctor", "--client-properties", file, "--topic", "by-kafka"]
    assert "'admin' is logged in by OAUTHBEARER" in said(ours)
    assert "user 'admin' has Write and Read" in said(ours)
    suite = [sys.executable, "-m", "kafka_proof.testing.suite", "--client-properties", file, "--topic", "by-kafka:1"]
    assert "37 passed" in said([*suite, "--deadline", "300"])


def said(command):
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=360, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


REFUSED = {
    "another audience": ({"aud": "others"}, r"Audience \(aud\) claim \[others\] doesn't contain an acceptable"),
    "another issuer": ({"iss": "http://others"}, r"Issuer \(iss\) claim value \(http://others\) doesn't match"),
    "expired": ({"life": -60}, "The JWT is no longer valid"),
    "another key": ({"key": new_key()}, "JWT rejected due to invalid signature"),
    "no name": ({"sub": None}, "(?i)sub"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_is_refused(kafka, name):
    claims, reason = REFUSED[name]
    before = len(kafka.log.read_text())
    with pytest.raises(Fault) as refused:
        link_with(kafka, kafka.issuer.token("alice", **claims)).open()
    assert (refused.value.code, str(refused.value)) == (
        "token-refused",
        'the broker refuses the token of user \'alice\' ({"status":"invalid_token"})',
    )
    [warning] = [line for line in kafka.log.read_text()[before:].splitlines() if line.startswith("WARN")]
    assert re.search(reason, warning), warning


def test_a_session_ends_with_its_token(kafka):
    link = link_with(kafka, kafka.issuer.token("alice", life=5))
    link.open()

    def closed():
        try:
            link.ask(MetadataRequest(topics=[]))
        except Fault as fault:
            return fault.code
        return ""

    assert closed() == ""
    wait_until("the end of the session", closed, lambda code: code == "closes", SECONDS, 0.2)


def link_with(kafka, token):
    [link] = links(kafka_python(kafka.client()) | {"sasl_oauth_token_provider": Given(token)}, SECONDS)
    return link


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"secret": "guessed"}, '/token gives client \'alice\' no token: 401 {"error": "invalid_client"}'),
        ({"sasl.oauthbearer.token.endpoint.url": "http://127.0.0.1:1/t"}, "http://127.0.0.1:1/t does not answer"),
    ],
)
def test_a_client_without_a_token_says_why(kafka, other, reason):
    [link] = links(kafka_python(kafka.client(**other)), SECONDS)
    with pytest.raises(Fault) as refused:
        link.open()
    assert (refused.value.code, reason in str(refused.value)) == ("token", True), refused.value

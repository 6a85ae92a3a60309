"""Over TLS the suite proves what it proves without, and says in one line what keeps a client out."""

import subprocess
import sys

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python
from tests.suite.conftest import LISTENERS
from tests.suite.suite_run import ROOT, names, refused, suite
from tests.support.certificates import Authority

PORTS = {name: f"localhost:{listener.port}" for name, listener in LISTENERS.items()}
TRUST, OWN = "ssl.truststore.location", "ssl.keystore.location"


@pytest.fixture(params=["tls", "sasl_tls"])
def secure(request):
    """Client properties of each way to come over TLS."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An authority that no broker trusts."""
    return Authority(tmp_path_factory.mktemp("tls") / "stranger.pem")


@pytest.fixture(scope="module")
def plaintext(broker):
    """A run without TLS."""
    return suite("--bootstrap-server", broker.address)


@pytest.fixture
def run(file):
    """run(properties, *options): a run of the suite with these client properties."""
    return lambda properties, *options: suite("--client-properties", file(properties), *options)


def test_every_property_is_proved(broker, run, secure, plaintext):
    over_tls = run(secure)

    assert plaintext.verdict.startswith("passed: ")
    assert over_tls.verdict == plaintext.verdict, over_tls.output  # and says how many they are
    assert over_tls.status == 0
    assert names(broker.arguments, "smoke-") == []


def test_broker_that_is_not_trusted(run, secure, stranger):
    refused(
        run(secure | {TRUST: stranger.path}),
        "unable to get local issuer certificate; the certificate is for localhost (localhost), from authority",
        f"Put the certificate of the authority that signed the broker's into the file {TRUST}",
    )


def test_broker_by_a_name_that_is_not_in_its_certificate(run, secure):
    by_address = secure | {"bootstrap.servers": secure["bootstrap.servers"].replace("localhost", "127.0.0.1")}

    refused(run(by_address), "certificate is not valid for '127.0.0.1'", "Connect by a name that is in the certificate")

    unchecked = run(by_address | {"ssl.endpoint.identification.algorithm": ""}, "--read-only")
    assert unchecked.status == 0, unchecked.output


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_client_that_is_not_trusted(run, tls, stranger, tmp_path, who):
    own = tmp_path / "own.pem"
    own.write_text("".join(stranger.issue("client")))
    with_another = {key: value for key, value in tls.items() if not key.startswith("ssl.keystore")}
    if who == "stranger":
        with_another = tls | {OWN: own}

    reason = {
        "nobody": "wants a certificate from the client, and this client has none",
        "stranger": "refuses this client's certificate (SSLV3_ALERT_CERTIFICATE_UNKNOWN): the certificate is ",
    }
    refused(run(with_another), reason[who], f"Set {OWN} in the client's properties to a ")


def test_wrong_password(run, sasl_tls):
    login = sasl_tls["sasl.jaas.config"].replace("secret", "guess")

    refused(
        run(sasl_tls | {"sasl.jaas.config": login}),
        "user 'carol' is unknown, or the password is wrong (Authentication failed",
        "Correct username and password in sasl.jaas.config",
    )


@pytest.mark.parametrize("port", ["OPEN", "SASL"])
def test_port_without_tls(run, secure, port):
    refused(
        run(secure | {"bootstrap.servers": PORTS[port]}),
        f"{PORTS[port]} speaks Kafka's protocol without TLS, and this client wants TLS",
        "Set security.protocol=PLAINTEXT (or SASL_PLAINTEXT)",
    )


@pytest.mark.parametrize("port", ["TLS", "SASL_TLS"])
def test_client_without_tls(broker, port):
    refused(
        suite("--bootstrap-server", PORTS[port]),
        f"{PORTS[port]} speaks TLS, and this client does not",
        "Set security.protocol=SSL (or SASL_SSL)",
    )


@pytest.mark.parametrize("store", [TRUST, OWN])
def test_file_that_is_not_pem(run, tls, tmp_path, store):
    (tmp_path / "store.jks").write_bytes(b"\xfe\xed\xfe\xed")

    refused(run(tls | {store: tmp_path / "store.jks"}), f"{TRUST} or {OWN} cannot be used (", "Name PEM files: ")


def test_encrypted_key(run, tls, authority, tmp_path):
    own = tmp_path / "own.pem"
    own.write_text("".join(authority.issue("client", password="secret")))

    refused(run(tls | {OWN: own}), "cannot be used (", "ssl.key.password is for a key that is encrypted")
    assert run(tls | {OWN: own, "ssl.key.password": "secret"}, "--read-only").status == 0


def command(module, path):
    """Run a command with client properties; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", f"kafka_proof.{module}", "--client-properties", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_lag(secure, file):
    arguments, topic = kafka_python(secure), f"lag-{secure['security.protocol']}"
    with connect(arguments) as admin, KafkaConsumer(**arguments, group_id=topic) as consumer:
        admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
        consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(0, "", -1)})

    assert topic in command("lag", file(secure))


def test_doctor(secure, file):
    said = command("doctor", file(secure))

    assert "the certificate is trusted and is for localhost" in said
    assert "\nhealthy: " in said

"""Client properties, good and bad. No broker."""

import contextlib
import socket
import struct
import threading

import pytest
from kafka.errors import NodeNotReadyError

from kafka_proof.advice import explained
from kafka_proof.client.connection import NoKafkaError, connect, links, unreachable
from kafka_proof.client.link import Fault
from kafka_proof.client.properties import ClientPropertiesError, kafka_python, read

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="%s";'
SCRAM = PLAIN.replace("plain.Plain", "scram.Scram")


@pytest.fixture
def file(tmp_path):
    def file(text):
        path = tmp_path / "client.properties"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return file


def secure(**more):
    """Properties of a SASL_SSL listener; keyword __ stands for a dot."""
    properties = {"bootstrap.servers": "kafka:9093", "security.protocol": "SASL_SSL"}
    return properties | {key.replace("__", "."): value for key, value in more.items()}


def test_file_is_returned_as_it_is(file):
    path = file("# written by Ansible\nbootstrap.servers = a:9092,\\\n  b:9093\nrequest.timeout.ms=3000\n")

    assert read(path) == {"bootstrap.servers": "a:9092,b:9093", "request.timeout.ms": "3000"}


def test_plaintext_is_the_default_and_other_keys_are_for_other_tools():
    assert kafka_python({"bootstrap.servers": "a:9092, [::1]:9093", "request.timeout.ms": "3000"}) == {
        "bootstrap_servers": ["a:9092", "[::1]:9093"],
        "security_protocol": "PLAINTEXT",
    }


def test_security_of_a_protocol_that_is_not_in_use_does_not_matter():
    assert "ssl_cafile" not in kafka_python({"bootstrap.servers": "a:1", "ssl.truststore.location": "/no/such.jks"})


def test_tls_and_password(file):
    pem = str(file("certificate"))
    properties = secure(
        ssl__truststore__type="PEM",
        ssl__truststore__location=pem,
        ssl__keystore__type="PEM",
        ssl__keystore__location=pem,
        ssl__key__password="key",
        sasl__mechanism="SCRAM-SHA-512",
        sasl__jaas__config=SCRAM % "secret",
    )
    assert kafka_python(properties) == {
        "bootstrap_servers": ["kafka:9093"],
        "security_protocol": "SASL_SSL",
        "ssl_check_hostname": True,
        "ssl_cafile": pem,
        "ssl_certfile": pem,
        "ssl_password": "key",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "alice",
        "sasl_plain_password": "secret",
    }


@pytest.mark.parametrize(("algorithm", "checked"), [("", False), ("https", True)])
def test_empty_algorithm_means_any_host_name(algorithm, checked):
    properties = {"bootstrap.servers": "a:1", "security.protocol": "SSL"}
    properties["ssl.endpoint.identification.algorithm"] = algorithm

    assert kafka_python(properties)["ssl_check_hostname"] is checked


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ('password="a;b = c"', "a;b = c"),
        (r'password="a\"b\\c"', 'a"b\\c'),
        ("password='single \"'", 'single "'),
        ("password=bare", "bare"),
        ('password=""', ""),
    ],
)
def test_password_in_jaas_config(written, password):
    properties = secure(
        sasl__mechanism="PLAIN", sasl__jaas__config=f'x.PlainLoginModule required username="a" {written};'
    )

    assert kafka_python(properties)["sasl_plain_password"] == password


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bootstrap.servers is missing"),
        ("bootstrap.servers=,", "bootstrap.servers is missing"),
        ("bootstrap.servers=:9092", "':9092', which is not HOST:PORT"),
        ("bootstrap.servers=kafka", "'kafka', which is not HOST:PORT"),
        ("bootstrap.servers=kafka:", "'kafka:', which is not HOST:PORT"),
        ("bootstrap.servers=kafka:0", "'kafka:0', which is not HOST:PORT"),
        ("bootstrap.servers=kafka:65536", "'kafka:65536', which is not HOST:PORT"),
        ("bootstrap.servers=a:1,http://b:2", "'http://b:2', which is not HOST:PORT"),
        ("bootstrap.servers=\\u00zz", "not a properties file"),
        (b"bootstrap.servers=\xff", "which is not HOST:PORT"),
        ("metadata.broker.list=a:1", "metadata.broker.list: these names are librdkafka's. Write"),
        (
            "bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.mechanisms=PLAIN\nsasl.username=u\nsasl.password=p",
            "Write a file with those of Kafka's tools: sasl.mechanism, sasl.jaas.config",
        ),
        ("bootstrap.servers=a:1\nsecurity.protocol=TLS", "security.protocol is 'TLS', which is not supported"),
    ],
)
def test_bad_file_is_refused_in_one_line_that_names_it(file, text, message):
    with pytest.raises(ClientPropertiesError) as refused:
        read(path := file(text))

    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing", "."])
def test_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ClientPropertiesError, match=str(tmp_path)):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"ssl__truststore__location": "ca.jks"}, "ssl.truststore.type is JKS, and Python reads PEM"),
        (
            {"ssl__truststore__location": "/no/such.pem", "ssl__truststore__type": "PEM"},
            "/no/such.pem: no such file",
        ),
        ({"ssl__keystore__location": "key.p12", "ssl__keystore__type": "PKCS12"}, "ssl.keystore.type is PKCS12"),
        ({"ssl__truststore__certificates": "-----BEGIN"}, "ssl.truststore.certificates is not supported here"),
        ({}, "sasl.mechanism is 'GSSAPI', which is not supported"),
        ({"sasl__mechanism": "PLAIN"}, "sasl.jaas.config names no username and password"),
        (
            {"sasl__mechanism": "PLAIN", "sasl__jaas__config": PLAIN % "x", "sasl__login__class": "x"},
            "sasl.login.class is not supported here. Remove it",
        ),
        (
            {"ssl__protocol": "TLSv1.3", "ssl__provider": "x"},
            "ssl.protocol, ssl.provider are not supported here. Remove them",
        ),
        ({"sasl__mechanism": "OAUTHBEARER"}, "sasl.oauthbearer.token.endpoint.url is ''. Write the address"),
        (
            {"sasl__mechanism": "OAUTHBEARER", "sasl__oauthbearer__token__endpoint__url": "file:/token"},
            "sasl.oauthbearer.token.endpoint.url is 'file:/token'. Write the address",
        ),
        (
            {"sasl__mechanism": "OAUTHBEARER", "sasl__oauthbearer__token__endpoint__url": "https://i/token"},
            "sasl.jaas.config names no clientId and clientSecret",
        ),
        (
            {"sasl__mechanism": "OAUTHBEARER", "sasl__login__callback__handler__class": "com.example.Handler"},
            "sasl.login.callback.handler.class is com.example.Handler, which is not supported here",
        ),
        # The reason first, and not what else such a file has.
        (
            {"sasl__mechanism": "AWS_MSK_IAM", "sasl__client__callback__handler__class": "x"},
            "sasl.mechanism is 'AWS_MSK_IAM', which is not supported",
        ),
        (
            {"ssl__truststore__location": "ca.jks", "ssl__truststore__password": "x"},
            "ssl.truststore.type is JKS, and Python reads PEM",
        ),
    ],
)
def test_security_that_would_be_lost_is_refused(more, message):
    with pytest.raises(ClientPropertiesError, match=message):
        kafka_python(secure(**more))


@pytest.mark.parametrize(
    "login",
    [
        {"sasl__jaas__config": r'x.OAuthBearerLoginModule required clientId="a" clientSecret="s\"" scope="of this";'},
        {
            "sasl__oauthbearer__client__credentials__client__id": "a",
            "sasl__oauthbearer__client__credentials__client__secret": 's"',
            "sasl__oauthbearer__scope": "of this",
        },
    ],
)
def test_a_client_of_an_issuer(login):
    own = {"sasl__mechanism": "OAUTHBEARER", "sasl__oauthbearer__token__endpoint__url": "https://i/token"}
    found = [kafka_python(secure(**own, **login))["sasl_oauth_token_provider"] for _ in range(2)]
    assert (found[0].url, found[0].client, found[0].secret, found[0].scope) == ("https://i/token", "a", 's"', "of this")
    assert found[0] is found[1]  # connections share a token


def test_a_store_that_is_no_pem_is_reported(file):
    text = (
        f"bootstrap.servers=a:1\nsecurity.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location={__file__}\n"
    )
    with pytest.raises(ClientPropertiesError, match=r"cannot be used \(.*Name PEM files"):
        read(file(text))


def test_password_is_not_in_the_message():
    with pytest.raises(ClientPropertiesError) as refused:
        kafka_python(secure(sasl__mechanism="PLAIN", sasl__jaas__config='x required password="hidden";'))

    assert "hidden" not in str(refused.value)


def test_nobody_there_is_one_line_with_the_reason():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody else can listen there meanwhile
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        reason = rf"^{address}: no Kafka answered \(127.0.0.1 port \d+ refuses: nothing listens there\)\. Start"
        with pytest.raises(NoKafkaError, match=reason):
            connect(kafka_python({"bootstrap.servers": address}), seconds=60)  # at once, and not after a minute


def test_a_broker_that_does_not_answer_is_named_with_advice():
    error = NodeNotReadyError(3)
    assert explained(error) == "NodeNotReadyError: 3"
    error.silent = "broker 3 at h:9094"
    said = explained(error)
    assert said.startswith("broker 3 at h:9094 does not answer (NodeNotReadyError: 3). Wait some seconds")
    assert "rebalance_drain" in said


def test_a_first_answer_of_many_bytes_is_not_read():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with contextlib.suppress(OSError):  # the test is over
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):  # the client closes it first
                        connection.recv(1000)
                        connection.sendall(struct.pack(">ii", 2 << 20, 1) + bytes(2 << 20))  # answers the request 1

        threading.Thread(target=answer, daemon=True).start()
        [link] = links(kafka_python({"bootstrap.servers": f"127.0.0.1:{server.getsockname()[1]}"}), 0.5)
        with pytest.raises(Fault, match="speaks neither Kafka's protocol nor TLS"):
            link.open()


def test_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert unreachable("127.0.0.1", port, 1) == ""
    assert unreachable("127.0.0.1", port, 1) == f"127.0.0.1:{port}: Connection refused"


def test_a_key_that_is_there_twice_with_the_same_value_is_no_contradiction(file):
    assert read(file("bootstrap.servers=a:1\n# again\nbootstrap.servers=a:1\n")) == {"bootstrap.servers": "a:1"}


def test_a_key_that_is_there_twice_with_two_values_is_refused(file):
    with pytest.raises(ClientPropertiesError, match="is there twice, as a:1 and as b:1"):
        read(file("bootstrap.servers=a:1\nbootstrap.servers=b:1\n"))


def test_a_secret_that_is_there_twice_is_not_shown(file):
    text = (
        "bootstrap.servers=a:1\nsasl.jaas.config=x required password=planted1;\nsasl.jaas.config=x password=planted2;\n"
    )
    with pytest.raises(
        ClientPropertiesError, match=r"sasl.jaas.config is there twice, with two values. Keep one\."
    ) as no:
        read(file(text))
    assert "planted" not in str(no.value)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfbootstrap.servers=a:1\n",
        b"# f\xfcr alle\nbootstrap.servers=a:1\n",
        "# für alle\nbootstrap.servers=a:1\n".encode(),
        b"bootstrap.servers=\\u0061:1\r\n",
        b"bootstrap.servers : a\\\n   :1\n",
    ],
    ids=["byte order mark", "ISO-8859-1", "UTF-8", "CRLF, an escape", "a continued line"],
)
def test_files_in_the_encodings_that_kafka_reads(file, text):
    assert read(file(text)) == {"bootstrap.servers": "a:1"}


def test_login_for_another_mechanism_is_refused():
    properties = secure(sasl__mechanism="PLAIN", sasl__jaas__config=SCRAM % "secret")

    with pytest.raises(ClientPropertiesError, match="is PLAIN, and"):
        kafka_python(properties)

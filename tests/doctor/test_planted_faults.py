"""Each fault is planted, with a real port or a real broker, and the doctor has to name that one."""

import contextlib
import http.server
import json
import socket
import threading
import time

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.protocol.admin import DescribeAclsRequest
from kafka.structs import OffsetAndMetadata

from kafka_proof import status
from kafka_proof.client.command import OK, PROBLEM, UNUSABLE
from kafka_proof.client.raw import send
from kafka_proof.client.wait import wait_until
from kafka_proof.doctor.__main__ import main
from tests.doctor.conftest import PORTS
from tests.support.brokers import admin, published


class Diagnosis:
    """The report that the doctor printed with --json."""

    def __init__(self, status, report):
        self.status, self.verdict, self.findings = status, report["verdict"], report["findings"]
        assert status == report["exit_status"]

    @property
    def failed(self):
        """dict[code, evidence] of what failed, in order."""
        return {item["code"]: item["evidence"] for item in self.findings if item["status"] == "FAIL"}

    @property
    def warned(self):
        return {item["code"]: item["evidence"] for item in self.findings if item["status"] == "warn"}

    def of(self, check):
        return [(item["status"], item["evidence"]) for item in self.findings if item["check"] == check]


@pytest.fixture
def doctor(capsys):
    """doctor(option, …): run the command here, with its clock if given. Returns a Diagnosis."""

    def doctor(*options, clock=time.time, seconds=5):
        capsys.readouterr()
        status = main([*options, "--json", "--timeout", str(seconds)], clock=clock)
        return Diagnosis(status, json.loads(capsys.readouterr().out))

    return doctor


@pytest.fixture
def only(doctor):
    """only(code, option, …): there is one fault, it is this one, and the verdict is about it. Returns the evidence."""

    def only(code, *options, seconds=5):
        diagnosis = doctor(*options, seconds=seconds)
        assert list(diagnosis.failed) == [code], diagnosis.findings
        assert diagnosis.status == PROBLEM
        assert diagnosis.verdict == f"fault: {diagnosis.failed[code]}"
        assert next(item["change"] for item in diagnosis.findings if item["code"] == code)
        return diagnosis.failed[code]

    return only


@pytest.fixture
def properties(tmp_path):
    """properties(key=value with _ for .): the options that name a file with these properties."""

    def properties(**values):
        path = tmp_path / "client.properties"
        path.write_text("".join(f"{key.replace('_', '.')}={value}\n" for key, value in values.items()))
        return "--client-properties", str(path)

    return properties


# Ports without a broker


@pytest.fixture
def port():
    """A port of this machine at which nothing listens, while the test runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def serving(answer):
    """A server that lets `answer(connection)` deal with each connection, and then closes it. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve():
            with contextlib.suppress(OSError):  # the server is closed: the test is over
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection):
            with connection, contextlib.suppress(OSError):
                answer(connection, ended)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)


def test_nothing_listens(only, port):
    assert f"127.0.0.1 port {port} refuses" in only("refused", "--bootstrap-server", f"127.0.0.1:{port}")


def test_host_does_not_resolve(only):
    assert "nowhere.invalid" in only("unresolvable", "--bootstrap-server", "nowhere.invalid:9092")


def test_packets_are_dropped(only):
    # A full queue of connections drops what comes, as a packet filter does.
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            connection = stack.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(server.getsockname())

        evidence = only("timeout", "--bootstrap-server", f"127.0.0.1:{server.getsockname()[1]}", seconds=1)

    assert "does not answer within 1 s" in evidence


def test_silent_port(only):
    with serving(lambda connection, ended: ended.wait()) as port:
        assert "says nothing" in only("silent", "--bootstrap-server", f"127.0.0.1:{port}", seconds=1)


def test_port_that_closes_at_once(only):
    with serving(lambda connection, ended: None) as port:
        assert "closes it at once" in only("closes-at-once", "--bootstrap-server", f"127.0.0.1:{port}")


def test_port_that_closes_when_it_is_asked(only):
    with serving(lambda connection, ended: connection.recv(1)) as port:
        assert "closes the connection when it is asked" in only("closes", "--bootstrap-server", f"127.0.0.1:{port}")


def test_another_protocol(only):
    with serving(lambda connection, ended: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        assert "SSH-2.0" in only("not-kafka", "--bootstrap-server", f"127.0.0.1:{port}")


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
def test_http_server(only, properties, protocol):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"

        evidence = only("http", *properties(bootstrap_servers=address, security_protocol=protocol), seconds=2)
        server.shutdown()

    assert evidence == f"{address} is an HTTP server"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


# Properties that cannot be used: exit status 2


def test_properties_file_is_missing(doctor, tmp_path):
    diagnosis = doctor("--client-properties", str(tmp_path / "absent"))

    assert diagnosis.status == UNUSABLE
    assert "no such file" in diagnosis.failed["properties"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"bootstrap_servers": "localhost"}, "bootstrap.servers has 'localhost', which is not HOST:PORT"),
        ({"security_protocol": "SSL"}, "bootstrap.servers is missing"),
        ({"bootstrap_servers": "h:1", "security_protocol": "TLS"}, "security.protocol is 'TLS'"),
        (
            {
                "bootstrap_servers": "h:1",
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "SCRAM-SHA-256",
                "sasl_jaas_config": 'PlainLoginModule required username="u" password="p";',
            },
            "sasl.jaas.config is not of its ScramLoginModule",
        ),
        (
            {"bootstrap_servers": "h:1", "security_protocol": "SSL", "ssl_truststore_location": "/absent"},
            "ssl.truststore.type is JKS",
        ),
    ],
)
def test_properties_are_unusable(doctor, properties, values, says):
    diagnosis = doctor(*properties(**values))

    assert diagnosis.status == UNUSABLE
    assert says in diagnosis.failed["properties"]


# A cluster that is well


def test_a_healthy_cluster(doctor, cluster):
    diagnosis = doctor("--bootstrap-server", cluster.good)

    assert (diagnosis.status, diagnosis.failed, diagnosis.warned) == (OK, {}, {}), diagnosis.findings
    assert [status for status, _ in diagnosis.of("advertised")] == ["ok", "ok"]
    assert diagnosis.of("coordinator") == [("ok", "broker 1 answers for a group")]
    assert diagnosis.verdict == "healthy: a client here can use this cluster; not looked at: controller, clock"


def test_reading_makes_nothing(doctor, cluster, lonely):
    doctor("--bootstrap-server", lonely)

    with admin(lonely) as client:
        assert client.list_topics() == []


def test_writing_measures_every_broker_and_removes_its_topic(doctor, cluster):
    diagnosis = doctor("--bootstrap-server", cluster.good, "--write")

    assert diagnosis.status == OK, diagnosis.findings
    assert diagnosis.verdict == "healthy: a client here can use this cluster"
    measured = [evidence.split(" is between")[0] for status, evidence in diagnosis.of("clock") if status == "ok"]
    assert measured == ["broker 1", "broker 2"]
    with admin(cluster.good) as client:
        # kafka-doctor saw it gone at one broker; another may hear of that a moment later.
        wait_until("its topic to be gone", client.list_topics, lambda names: "kafka-doctor" not in str(names))


def test_one_bootstrap_server_of_two_is_dead(doctor, properties, cluster, port):
    diagnosis = doctor(*properties(bootstrap_servers=f"127.0.0.1:{port},{cluster.good}"))

    assert diagnosis.status == OK, diagnosis.findings
    assert list(diagnosis.warned) == ["refused"]


# TLS


@pytest.fixture
def tls(properties):
    """tls(address, authority): the options of a client that trusts this authority."""

    def tls(address, authority, **more):
        return properties(
            bootstrap_servers=address,
            security_protocol="SSL",
            ssl_truststore_type="PEM",
            ssl_truststore_location=authority.path,
            **more,
        )

    return tls


def test_tls_client_at_a_tls_port(doctor, tls, cluster, authority):
    diagnosis = doctor(*tls(cluster.tls, authority))

    assert diagnosis.status == OK, diagnosis.findings
    assert "trusted and is for localhost" in diagnosis.of("tls")[0][1]
    [(judged, evidence)] = diagnosis.of("certificate")
    assert (judged, evidence.partition(",")[0]) == ("ok", "broker 1's certificate expires in 399 days")
    assert diagnosis.warned == {}


def test_plaintext_client_at_a_tls_port(only, cluster):
    assert "speaks TLS, and this client does not" in only("tls-port", "--bootstrap-server", cluster.tls)


def test_tls_client_at_a_plaintext_port(only, tls, cluster, authority):
    evidence = only("plaintext-port", *tls(cluster.good, authority))

    assert "without TLS, and this client wants TLS" in evidence


def test_untrusted_certificate(only, tls, cluster, stranger):
    assert "from authority, valid" in only("certificate-untrusted", *tls(cluster.tls, stranger))


def test_expired_certificate(only, tls, cluster, authority):
    assert "certificate has expired" in only("certificate-expired", *tls(cluster.expired, authority))


def test_certificate_for_another_host(only, tls, cluster, authority):
    assert "the certificate is for other.example" in only("certificate-host", *tls(cluster.host, authority))


def test_broker_wants_a_certificate_and_the_client_has_none(only, tls, cluster, authority):
    evidence = only("client-certificate-missing", *tls(cluster.client, authority))

    assert "wants a certificate from the client, and this client has none" in evidence


@pytest.fixture
def own(tmp_path):
    """own(authority, days): the properties of a client with a certificate from this authority."""

    def own(authority, days=(-1, 400)):
        path = tmp_path / "own.pem"
        path.write_text("".join(authority.issue("client", days=days)))
        return {"ssl_keystore_type": "PEM", "ssl_keystore_location": path}

    return own


def test_client_s_certificate_is_from_another_authority(only, tls, cluster, authority, stranger, own):
    evidence = only("client-certificate", *tls(cluster.client, authority, **own(stranger)))

    assert "refuses this client's certificate" in evidence
    assert "the certificate is for client (client), from stranger" in evidence


def test_client_s_certificate_has_expired(only, tls, cluster, authority, own):
    evidence = only("client-certificate-expired", *tls(cluster.client, authority, **own(authority, (-20, -10))))

    assert "refuses this client's certificate: it expired on 20" in evidence


def test_client_s_certificate_expires_soon(doctor, tls, cluster, authority, own):
    soon = own(authority, (-1, 12))
    # The listener's users are principals such as CN=client, to which nothing is granted.
    diagnosis = doctor(*tls(cluster.client, authority, **soon))

    assert diagnosis.failed == {}
    assert diagnosis.warned["client-certificate-expires"].startswith("this client's certificate expires in 11 days")


def test_broker_s_certificate_expires_soon(doctor, tls, cluster, authority):
    diagnosis = doctor(*tls(cluster.soon, authority))

    assert (diagnosis.status, diagnosis.failed) == (OK, {})
    assert diagnosis.warned["certificate-expires"].startswith("broker 1's certificate expires in 11 days, on 20")


def test_status_warns_of_the_certificates_that_expire_soon_alone(tls, cluster, authority, capsys):
    status.main(tls(cluster.soon, authority))
    assert "warning: broker 1's certificate expires in 11 days" in capsys.readouterr().out

    status.main(tls(cluster.tls, authority))
    assert "certificate" not in capsys.readouterr().out


# SASL


@pytest.fixture
def sasl(properties):
    """sasl(address, mechanism, password): the options of a client that logs in as alice."""

    def sasl(address, mechanism="PLAIN", password="wonderland", user="alice"):
        module = "plain.Plain" if mechanism == "PLAIN" else "scram.Scram"
        return properties(
            bootstrap_servers=address,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism=mechanism,
            sasl_jaas_config=f'org.apache.kafka.common.security.{module}LoginModule required username="{user}" '
            f'password="{password}";',
        )

    return sasl


def test_login(doctor, sasl, cluster):
    diagnosis = doctor(*sasl(cluster.sasl))

    assert diagnosis.status == OK, diagnosis.findings
    assert diagnosis.of("login") == [("ok", "'alice' is logged in by PLAIN")]


def test_mechanism_is_not_enabled(only, sasl, cluster):
    evidence = only("mechanism", *sasl(cluster.sasl, "SCRAM-SHA-512"))

    assert evidence == "the broker does not enable SCRAM-SHA-512; it enables PLAIN, SCRAM-SHA-256"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
@pytest.mark.parametrize("user", ["alice", "ghost"])
def test_wrong_password_or_unknown_user(only, sasl, cluster, mechanism, user):
    """The broker gives one answer for both."""
    evidence = only("login-refused", *sasl(cluster.sasl, mechanism, "looking-glass", user))

    assert evidence.startswith(f"user '{user}' is unknown, or the password is wrong (Authentication failed")


def test_login_is_needed_and_the_client_has_none(only, cluster):
    evidence = only("login-needed", "--bootstrap-server", cluster.sasl)

    assert evidence == "the listener wants a login by PLAIN or SCRAM-SHA-256, and security.protocol=PLAINTEXT"


def test_login_is_needed_and_the_protocol_leaves_it_out(doctor, properties, cluster):
    options = properties(
        bootstrap_servers=cluster.sasl,
        sasl_mechanism="PLAIN",
        sasl_jaas_config='PlainLoginModule required username="alice" password="wonderland";',
    )

    diagnosis = doctor(*options)

    assert "makes no use of sasl.jaas.config, sasl.mechanism" in diagnosis.warned["ignored"]
    assert list(diagnosis.failed) == ["login-needed"]


def test_client_logs_in_where_no_login_is_taken(only, sasl, cluster):
    assert "takes no login" in only("login-unexpected", *sasl(cluster.good))


# Rights


def held(client, broker):
    """Return the rights of alice as one broker has them, {(kind, name, operation)}; describe_acls asks any broker."""
    question = DescribeAclsRequest(
        resource_type_filter=ResourceType.ANY,
        resource_name_filter=None,
        pattern_type_filter=ACLResourcePatternType.ANY,
        principal_filter="User:alice",
        host_filter=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
    )
    response = send(client, question, broker)
    return {(each.resource_type, each.resource_name, acl.operation) for each in response.resources for acl in each.acls}


@pytest.fixture
def alice(sasl, cluster):
    """alice((operation, kind of resource, name), …): options of a user with these rights alone."""

    def alice(*rights):
        acls = [
            ACL("User:alice", "*", ACLOperation[operation], ACLPermissionType.ALLOW, ResourcePattern(kind, name))
            for operation, kind, name in rights
        ]
        own = ACLFilter("User:alice", "*", ACLOperation.ANY, ACLPermissionType.ANY, EVERYTHING)
        with admin(cluster.good) as client:
            client.delete_acls([own])
            if acls:
                client.create_acls(acls)
            # A broker has them a moment after the one that was asked.
            wanted = {(kind, name, ACLOperation[operation]) for operation, kind, name in rights}
            for broker in (1, 2):
                wait_until(f"the rights at broker {broker}", lambda at=broker: held(client, at), wanted.__eq__)
        return sasl(cluster.sasl)

    return alice


TOPIC, GROUP, CLUSTER = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.CLUSTER
EVERYTHING = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
ASKS = ("--topic", "kafka_demo", "--group", "orders")


def test_a_user_without_rights_gets_no_false_alarm(doctor, alice):
    diagnosis = doctor(*alice())

    assert (diagnosis.status, diagnosis.failed) == (OK, {}), diagnosis.findings
    assert list(diagnosis.warned) == ["topic-rights"]  # no topic is visible
    left_out = {check: evidence for check in ("coordinator", "partitions") for _, evidence in diagnosis.of(check)}
    assert all("DescribeConfigs on the cluster" in evidence for evidence in left_out.values()), left_out
    assert "no right to compare its id (DescribeConfigs on the cluster)" in diagnosis.of("advertised")[0][1]


def test_a_user_who_may_not_create_topics(doctor, alice):
    diagnosis = doctor(*alice(), "--write")

    assert (diagnosis.status, diagnosis.failed) == (OK, {}), diagnosis.findings
    [(_, evidence)] = diagnosis.of("write")
    assert evidence == "this client has no right to create topics (Create on kafka-doctor-*)"


def test_a_user_who_may_create_topics_and_no_more(doctor, alice, cluster):
    diagnosis = doctor(*alice(("CREATE", CLUSTER, "kafka-cluster"), ("DESCRIBE", TOPIC, "*")), "--write")

    [(_, evidence)] = diagnosis.of("write")
    assert evidence == "this client has no right to use its topic (Write, Read, Delete on kafka-doctor-*)"
    with admin(cluster.good) as client:
        assert "kafka-doctor" not in str(client.list_topics())


def test_a_topic_and_a_group_of_another_team(doctor, alice):
    diagnosis = doctor(*alice(), *ASKS)

    assert list(diagnosis.failed) == ["topic-rights", "group-rights"], diagnosis.findings
    assert diagnosis.status == PROBLEM
    assert "topic kafka_demo: user 'alice' has none of Write, Read and Describe" in diagnosis.failed["topic-rights"]
    assert diagnosis.failed["group-rights"].startswith("group orders: user 'alice' has no Read")


@pytest.mark.parametrize(
    ("rights", "missing", "refused"),
    [
        (["READ"], "no Write", "a producer is refused"),
        (["WRITE"], "no Read", "a consumer is refused"),
        (["READ", "WRITE"], "", ""),
    ],
)
def test_a_topic_of_which_a_user_has_some_rights(doctor, alice, rights, missing, refused):
    granted = [(operation, TOPIC, "kafka_demo") for operation in rights]
    diagnosis = doctor(*alice(*granted, ("READ", GROUP, "orders")), *ASKS)

    assert (diagnosis.status, diagnosis.failed) == (OK, {}), diagnosis.findings
    warned = diagnosis.warned.get("topic-rights", "")
    assert missing in warned
    assert refused in warned
    assert bool(warned) == bool(missing)
    assert ("ok", "group orders: user 'alice' has Read") in diagnosis.of("rights")


def test_a_topic_that_does_not_exist(doctor, alice, cluster):
    diagnosis = doctor(*alice(("DESCRIBE", TOPIC, "*")), "--topic", "none-such")
    assert diagnosis.failed == {"topic-missing": "topic none-such does not exist, and user 'alice' has no Create on it"}

    diagnosis = doctor("--bootstrap-server", cluster.good, "--topic", "none-such", "--group", "none-such")
    assert diagnosis.failed == {"topic-missing": "topic none-such does not exist"}

    diagnosis = doctor("--bootstrap-server", cluster.good, "--topic", "no topic's name")
    assert diagnosis.failed == {"topic-missing": "topic no topic's name does not exist"}
    with admin(cluster.good) as client:  # the questions create nothing
        assert "none-such" not in [*client.list_topics(), *(each["group_id"] for each in client.list_groups())]


# Advertised addresses


def test_advertised_host_does_not_resolve(only, cluster):
    evidence = only("advertised-unresolvable", "--bootstrap-server", cluster.nowhere)

    assert "broker 1 advertises nowhere.invalid:9092: nowhere.invalid does not resolve" in evidence


def test_nothing_listens_at_the_advertised_port(only, cluster):
    evidence = only("advertised-refused", "--bootstrap-server", cluster.nobody)

    assert f"broker 1 advertises 127.0.0.1:{PORTS['nobody']}" in evidence


def test_advertised_address_leads_to_another_broker(only, cluster):
    evidence = only("advertised-other-broker", "--bootstrap-server", cluster.other)

    assert evidence == f"broker 1 advertises 127.0.0.1:{PORTS['second']}: broker 2 answers there"


def test_all_interfaces_are_advertised(only, cluster):
    assert "broker 1 advertises [::]:9092" in only("advertised-wildcard", "--bootstrap-server", cluster.wildcard)


def test_localhost_is_advertised_to_a_client_from_afar(only, cluster):
    evidence = only("advertised-loopback", "--bootstrap-server", cluster.from_afar)

    assert "broker 1 advertises localhost:9092, which is the client's own machine" in evidence


def test_advertised_port_is_of_a_tls_listener(only, cluster):
    evidence = only("tls-port", "--bootstrap-server", cluster.encrypted)

    assert evidence.startswith(f"broker 1 advertises 127.0.0.1:{PORTS['tls']}: ")


# The state of a cluster


def test_docker_opens_the_port_and_no_broker_is_behind_it(only, containers, cluster):
    empty = containers.start("empty", "exec sleep infinity", {}, ports={9092: 0})

    only("closes-at-once", "--bootstrap-server", published(empty, 9092))


def test_offsets_topic_cannot_be_made(only, lonely):
    evidence = only("offsets-topic", "--bootstrap-server", lonely)

    assert evidence.endswith("offsets.topic.replication.factor=3, and there is one broker")


# In the next two, this machine's clock differs by an hour. A comparison gives the same result for either clock.


def test_a_broker_s_clock_is_ahead(doctor, cluster):
    with KafkaConsumer(bootstrap_servers=[cluster.good], group_id="doc-clock", enable_auto_commit=False) as consumer:
        partition = TopicPartition("kafka_demo", 0)
        consumer.assign([partition])
        consumer.commit({partition: OffsetAndMetadata(0, "", -1)})

    diagnosis = doctor("--bootstrap-server", cluster.good, clock=lambda: time.time() - 3600)

    assert list(diagnosis.failed) == ["clock"], diagnosis.findings
    assert "ahead of this machine's clock" in diagnosis.failed["clock"]


def test_a_broker_s_clock_is_behind(doctor, cluster):
    diagnosis = doctor("--bootstrap-server", cluster.good, "--write", clock=lambda: time.time() + 3600)

    failed = [evidence for status, evidence in diagnosis.of("clock") if status == "FAIL"]
    assert len(failed) == 2, diagnosis.findings
    assert all("s behind this machine" in evidence for evidence in failed)


def test_a_broker_is_frozen(only, containers, cluster):
    containers["broker2"].pause()
    try:
        evidence = only("advertised-silent", "--bootstrap-server", cluster.good, seconds=3)
        assert f"broker 2 advertises {cluster.second}" in evidence

        only("silent", "--bootstrap-server", cluster.second, seconds=1)
    finally:
        containers["broker2"].unpause()


def test_zookeeper_is_stopped(doctor, containers, cluster):
    containers["zookeeper"].kill()
    try:
        by_reading = doctor("--bootstrap-server", cluster.good)
        diagnosis = doctor("--bootstrap-server", cluster.good, "--write", seconds=5)
    finally:
        containers["zookeeper"].start()

    assert "not looked at: controller" in by_reading.verdict  # it is not to be seen, and not to be taken for well
    assert list(diagnosis.failed) == ["no-controller"], diagnosis.findings
    assert "the controller does not act" in diagnosis.failed["no-controller"]


def test_the_quorum_has_no_controller(doctor, only, containers, kraft):
    assert doctor("--bootstrap-server", kraft).of("controller") == [("ok", "controller 100 leads the quorum")]

    containers["controller"].kill()

    assert "the quorum has no leader" in only("no-controller", "--bootstrap-server", kraft, seconds=3)


@pytest.fixture(scope="module")
def without_second(containers, cluster):
    """The second broker is stopped, and with it replicas of three topics, each in need of it in its own way."""
    topics = {
        "behind": {"assignments": {0: [1, 2]}},
        "strict": {"assignments": {0: [1, 2]}, "configs": {"min.insync.replicas": "2"}},
        "lost": {"assignments": {0: [2]}},
    }
    with admin(cluster.good) as client:
        client.create_topics(topics, wait_for_metadata=True)
        containers["broker2"].stop(timeout=60)

        def in_sync():
            described = client.describe_topics(list(topics))
            return {topic["name"]: topic["partitions"][0] for topic in described}

        wait_until(
            "the cluster to notice that broker 2 is gone",
            in_sync,
            lambda seen: (
                seen["lost"]["leader_id"] < 0
                and all(seen[name]["isr_nodes"] == [1] for name in topics if name != "lost")
            ),
            seconds=90,
        )
    return cluster


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("offline", "1 partition without a leader, so neither read nor written: lost-0 (replicas: broker 2)"),
        ("min-isr", "below min.insync.replicas, so not written with acks=all: strict-0 (1 of 2 in sync, needs 2)"),
        ("under-replicated", "1 partition under-replicated: behind-0 (not in sync: broker 2)"),
    ],
)
def test_partitions_that_miss_a_broker(doctor, without_second, code, says):
    diagnosis = doctor("--bootstrap-server", without_second.good)

    assert diagnosis.status == PROBLEM
    assert list(diagnosis.failed) == ["offline", "min-isr", "under-replicated"], diagnosis.findings
    assert says in diagnosis.failed[code]


def test_a_broker_is_stopped(only, without_second):
    assert "refuses" in only("refused", "--bootstrap-server", without_second.second)

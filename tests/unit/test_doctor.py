"""Decisions that the doctor makes without looking: tables, and addresses at which there is nothing to look at."""

import re
import time
from pathlib import Path

import pytest
import yaml
from kafka.protocol.broker_version_data import BROKER_API_VERSIONS, BrokerVersionData
from kafka.protocol.metadata import MetadataResponse

from kafka_proof.advice import ADVICE
from kafka_proof.client import certificate
from kafka_proof.client.address import is_loopback, is_wildcard
from kafka_proof.client.link import is_controller, what_is
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.cluster.rights import TopicRights
from kafka_proof.doctor.__main__ import ignored, verdict
from kafka_proof.doctor.checks import (
    Finding,
    judge_certificates,
    judge_clock,
    judge_partitions,
    version,
)
from kafka_proof.doctor.rights import judge_group, judge_topic
from tests.support.certificates import Authority

ROOT = Path(__file__).parents[2]
SASL = {
    "bootstrap.servers": "localhost:9092",
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "PLAIN",
    "sasl.jaas.config": 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";',
}


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        (b"\x15\x03\x03\0\2\2\x50", "tls"),  # an alert
        (b"\x16\x03\x03\0\x7a", "tls"),  # a ServerHello
        (b"HTTP/1.1 400 Bad Request\r\n", "http"),
        (b"\0\0\1\x06\0\0\0\1\0\0", "kafka"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", repr(b"SSH-2.0-OpenSSH_9.2\r\n")),
    ],
)
def test_what_the_first_bytes_are(heard, name):
    assert what_is(heard) == name


@pytest.mark.parametrize(("broker", "status"), [((1, 1), "FAIL"), ((2, 3), "FAIL"), ((2, 4), "ok"), ((4, 0), "ok")])
def test_old_brokers_are_refused_by_the_versions_of_their_protocol(broker, status):
    spoken = BrokerVersionData(api_versions=BROKER_API_VERSIONS[broker])

    finding = version(spoken.broker_version)

    assert finding.status == status
    assert ".".join(map(str, broker)) in finding.evidence


@pytest.mark.parametrize(
    ("host", "loopback", "wildcard"),
    [
        ("localhost", True, False),
        ("127.0.0.1", True, False),
        ("::1", True, False),
        ("0.0.0.0", False, True),
        ("::", False, True),
        ("10.1.2.3", False, False),
        ("kafka.example", False, False),
        ("localhost.example", False, False),
    ],
)
def test_addresses_that_no_remote_client_can_use(host, loopback, wildcard):
    assert (is_loopback(host), is_wildcard(host)) == (loopback, wildcard)


def topic(name, *partitions, error=0):
    """`partitions`: (leader, replicas, in sync), each."""
    described = MetadataResponse.MetadataResponseTopic
    return described(
        name=name,
        partitions=[
            described.MetadataResponsePartition(
                partition_index=index, error_code=error, leader_id=leader, replica_nodes=replicas, isr_nodes=in_sync
            )
            for index, (leader, replicas, in_sync) in enumerate(partitions)
        ],
    )


@pytest.mark.parametrize(
    ("partition", "min_isr", "codes"),
    [
        ((1, [1, 2], [1, 2]), 2, [""]),
        ((1, [1], [1]), 1, [""]),
        ((-1, [2], [2]), 1, ["offline"]),
        ((-1, [1, 2], [2]), 2, ["offline"]),
        ((1, [1, 2], [1]), 1, ["under-replicated"]),
        ((1, [1, 2], [1]), 2, ["min-isr"]),
        ((1, [1], [1]), 2, ["min-isr"]),
    ],
)
def test_partitions(partition, min_isr, codes):
    found = list(judge_partitions([topic("t", partition)], {"t": min_isr}))

    assert [finding.code for finding in found] == codes
    assert all("t-0" in finding.evidence for finding in found if finding.code)


def test_each_kind_of_broken_partition_is_one_line_however_many_there_are():
    many = topic("many", *[(-1, [2], [2])] * 50)

    [finding] = judge_partitions([many], {})

    assert finding.evidence.startswith("50 partitions without a leader")
    assert finding.evidence.endswith("many-4 (replicas: broker 2) and 45 more")


@pytest.mark.parametrize(
    ("before", "appended", "after", "status", "says"),
    [
        (100, 100.5, 101, "ok", "between -0.500 s and +0.500 s"),
        (100, 115, 101, "FAIL", "14.0 s ahead"),
        (100, 85, 101, "FAIL", "15.0 s behind"),
        (100, 111, 101, "ok", ""),  # it took a second to ask: between 10 and 11 s is not surely too much
        (100, 100, 130, "ok", ""),  # slow is not wrong
    ],
)
def test_clocks(before, appended, after, status, says):
    finding = judge_clock(1, before, appended, after)

    assert finding.status == status
    assert says in finding.evidence


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        (SASL | {"sasl.mechanism": "SCRAM-SHA-256"}, "not of its ScramLoginModule"),
        ({"bootstrap.servers": "h"}, "not HOST:PORT"),
        ({}, "bootstrap.servers is missing"),
    ],
)
def test_contradictory_properties(properties, says):
    with pytest.raises(ClientPropertiesError, match=re.escape(says)):
        kafka_python(properties)


def test_security_without_effect_is_seen():
    assert ignored(SASL) == []
    assert ignored(SASL | {"security.protocol": "PLAINTEXT"}) == ["sasl.jaas.config", "sasl.mechanism"]
    assert ignored(SASL | {"ssl.truststore.location": "/f"}) == ["ssl.truststore.location"]


def test_the_verdict_is_the_first_fault():
    findings = [Finding("a", "warn", "odd", "x"), Finding("b", "FAIL", "broken", "y"), Finding("c", "FAIL", "too", "z")]

    assert verdict(findings) == "fault: broken (and 1 more, above)"
    assert verdict(findings[:1]) == "healthy: a client here can use this cluster; see the 1 warning(s) above"


def test_a_certificate_is_told_by_its_names_and_dates():
    described = {
        "subject": ((("commonName", "a"),),),
        "issuer": ((("commonName", "ca"),),),
        "subjectAltName": (("DNS", "a.example"), ("IP Address", "10.0.0.1")),
        "notBefore": "Jan  1 00:00:00 2020 GMT",
        "notAfter": "Jan  1 00:00:00 2021 GMT",
    }

    text = certificate.describe(described)

    assert "for a.example, 10.0.0.1 (a), from ca" in text
    assert "to Jan  1 00:00:00 2021 GMT" in text


@pytest.mark.parametrize(
    ("seconds", "text", "soon"),
    [
        (-1, "expired on 2030-01-31", True),
        (0, "expires in 0 days, on 2030-01-31", True),
        (86400, "expires in 1 day, on 2030-01-31", True),
        (30 * 86400 - 1, "expires in 29 days, on 2030-01-31", True),
        (30 * 86400, "expires in 30 days, on 2030-01-31", False),
        (400 * 86400, "expires in 400 days, on 2030-01-31", False),
    ],
)
def test_when_a_certificate_expires(seconds, text, soon):
    own = {"notAfter": "Jan 31 12:00:00 2030 GMT"}
    now = 1896091200 - seconds  # that time

    assert (certificate.expiry(own, now), certificate.expires_soon(own, now)) == (text, soon)


def test_certificates_that_expire_soon_are_a_line_each_and_others_one_in_all():
    ends = {"a": "Jan 31 12:00:00 2030 GMT", "b": "Mar 31 12:00:00 2030 GMT", "c": "Apr 30 12:00:00 2030 GMT"}
    found = [(name, {"notBefore": "", "notAfter": end}, f"code-{name}") for name, end in ends.items()]

    assert [(each.status, each.code) for each in judge_certificates(found, 1896091200 - 86400)] == [("warn", "code-a")]
    [only] = judge_certificates(found, 1896091200 - 40 * 86400)
    assert (only.status, only.evidence) == ("ok", "a expires in 40 days, on 2030-01-31")
    assert list(judge_certificates([], 0)) == []


@pytest.mark.parametrize("password", ["", "secret"])
def test_the_client_s_own_certificate_is_read(tmp_path, password):
    path = tmp_path / "own.pem"
    path.write_text("".join(reversed(Authority(tmp_path / "ca.pem").issue("me", (-20, -10), password))))

    own = certificate.own({"ssl_certfile": str(path), "ssl_password": password})

    assert "the certificate is for me (me), from ca, valid" in certificate.describe(own)
    assert certificate.expiry(own, time.time()).startswith("expired on 20")


def test_no_certificate_of_the_client(tmp_path):
    assert certificate.own({}) == {}
    assert certificate.own({"ssl_certfile": str(tmp_path / "absent.pem")}) == {}
    assert certificate.describe({}) == "its certificate cannot be read"


@pytest.mark.parametrize(
    ("found", "status", "code", "says"),
    [
        (TopicRights(True, {"WRITE", "READ", "DESCRIBE"}), "ok", "", "user 'u' has Write and Read"),
        (TopicRights(True, None), "ok", "", "user 'u' has Write and Read"),  # a broker that does not tell
        (TopicRights(True, {"READ"}), "warn", "topic-rights", "has no Write, so a producer is refused"),
        (TopicRights(True, {"WRITE"}), "warn", "topic-rights", "has no Read, so a consumer is refused"),
        (TopicRights(True, {"DESCRIBE"}), "FAIL", "topic-rights", "has no Write and no Read, so producers and"),
        (TopicRights(None, ()), "FAIL", "topic-rights", "the broker does not show whether it exists"),
        (TopicRights(False, {"CREATE"}), "FAIL", "topic-missing", "topic t does not exist"),
        (TopicRights(False, {"DESCRIBE"}), "FAIL", "topic-missing", "and user 'u' has no Create on it"),
    ],
)
def test_rights_of_a_topic(found, status, code, says):
    finding = judge_topic("t", found, "user 'u'")

    assert (finding.status, finding.code) == (status, code)
    assert says in finding.evidence


def test_rights_of_a_group():
    assert judge_group("g", True, "user 'u'") == Finding("rights", "ok", "group g: user 'u' has Read")
    assert judge_group("g", False, "user 'u'").code == "group-rights"


def test_advice_names_variables_that_there_are():
    defaults = (yaml.safe_load(path.read_text()) for path in ROOT.glob("roles/*/defaults/main.yml"))
    variables = {name for role in defaults for name in role}

    for code, advice in ADVICE.items():
        named = set(re.findall(r"\b(?:kafka|zookeeper|stack)_[a-z_]+", advice))
        assert named <= variables, f"{code} names {sorted(named - variables)}"


def test_every_diagnosis_has_advice():
    others = [ROOT / "kafka_proof/client/link.py", ROOT / "kafka_proof/cluster/health.py"]
    files = [*(ROOT / "kafka_proof/doctor").glob("*.py"), *others]
    sources = "".join(path.read_text() for path in files)
    unused = [code for code in ADVICE if f'"{code}"' not in sources and not code.startswith("advertised-")]

    assert not unused


def test_a_broker_without_the_client_s_listener_is_not_an_offline_partition():
    [finding] = judge_partitions([topic("t", (-1, [2], [2]), error=72)], {})

    assert finding.code == "listener"


@pytest.mark.parametrize(
    ("versions", "controller"),
    [({3, 18, 55}, False), ({18, 52, 55, 62}, True), ({18}, False), ({3, 18, 52}, False)],
)
def test_a_controller_votes_and_has_no_metadata(versions, controller):
    assert is_controller(versions) is controller

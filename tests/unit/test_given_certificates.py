"""Certificates that the user gives: their subjects become super users, and each fault is refused by its variable."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from kafka_proof.deploy.given_certificates import GivenError, given_expiries, given_problems, principal, with_principals
from kafka_proof.deploy.security import security_of
from tests.support.certificates import Authority
from tests.unit.stack import kraft_nodes, nodes, says
from tests.unit.test_security import LOGIN, TLS, secure

NAMES = ["localhost", "kafka", "zookeeper"]


class Files:
    """Certificates of the user, and a host whose variables name them."""

    def __init__(self, directory, name="broker"):
        self.directory, self.name = directory, name
        self.authority = Authority(directory / "ca.pem")
        self.issue()

    def issue(self, authority=None, names=NAMES, **other):
        certificate, key = (authority or self.authority).issue(self.name, names=names, **other)
        self.path("pem").write_text(certificate)
        self.path("key").write_text(key)

    def path(self, ending):
        return self.directory / f"{self.name}.{ending}"

    def host(self, security=LOGIN, **other):
        given = {"ca": str(self.authority.path), "certificate": str(self.path("pem")), "key": str(self.path("key"))}
        own = {**security, "certificates": given | {"clients_ca": None} | other}
        return secure(own, stack_secrets=str(self.directory))


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def problems(host, **other):
    hosts = with_principals({"one": host})
    return given_problems(kraft_nodes(hosts), hosts, **other)


def test_certificates_that_work(files):
    assert problems(files.host()) == []
    [node] = kraft_nodes(with_principals({"one": files.host()}))
    assert node["settings"]["super.users"] == "User:CN=broker;User:admin"
    assert node["secrets"]["keystore.pem"] == [str(files.path("key")), str(files.path("pem"))]


@pytest.mark.parametrize("security", [LOGIN, TLS])
def test_when_they_expire(files, security):
    files.issue(days=(-1, 20))
    host = files.host(security, clients_ca=str(files.authority.path))
    clients = files.directory / "clients"
    clients.mkdir()
    for name, days in (("admin", 9), ("alice", 8)):
        (clients / f"{name}.pem").write_text(files.authority.issue(name, days=(-1, days))[0])
    now = datetime.datetime.now(datetime.UTC)
    [given] = with_principals({"one": host}).values()
    found = given_expiries(kraft_nodes({"one": given}), security_of(given), str(files.directory), ["alice"], now)
    of_clients = [("admin.pem", 8), ("alice.pem", 7)] if security == TLS else []
    assert [(Path(path).name, days) for _, path, days in found] == [("broker.pem", 19), ("ca.pem", 29), *of_clients]
    assert given_expiries(kraft_nodes(), security_of(secure()), "", [], now) == []


def test_each_host_has_its_own(tmp_path):
    hosts = {}
    for number in (1, 2):
        directory = tmp_path / str(number)
        directory.mkdir()
        hosts[f"h{number}"] = Files(directory, f"broker{number}").host() | {"kafka_broker_id": number}
    found = with_principals(hosts)
    assert [node["secrets"]["keystore.pem"][1] for node in kraft_nodes(found)] == [
        str(tmp_path / str(number) / f"broker{number}.pem") for number in (1, 2)
    ]
    assert {node["settings"]["super.users"] for node in kraft_nodes(found)} == {
        "User:CN=broker1;User:CN=broker2;User:admin"
    }
    with_zookeeper = [line for line in given_problems(nodes(found), found) if "subjects" in line]
    says(with_zookeeper, "CN=broker1 of h1", "CN=broker2 of h2")


def test_without_given_certificates_nothing_is_read():
    hosts = {"one": secure()}
    assert with_principals(hosts) == hosts
    assert given_problems(kraft_nodes(hosts), hosts) == []


def expired(files):
    files.issue(days=(-9, -1))


def not_yet(files):
    files.issue(days=(1, 9))


def other_names(files):
    files.issue(names=["kafka", "*.example.org"])


def other_key(files):
    files.path("key").write_text(files.authority.issue("x")[1])


def with_password(files):
    files.issue(password="secret")


def old_format(files):
    key = load_pem_private_key(files.path("key").read_bytes(), None)
    form = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    files.path("key").write_bytes(key.private_bytes(*form))


def no_key(files):
    files.path("key").unlink()


def no_certificate(files):
    files.path("pem").write_text("nothing")


def other_authority(files):
    files.issue(authority=Authority(files.directory / "other.pem"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (expired, ["certificate: ", "expired on"]),
        (not_yet, ["certificate: ", "is valid from", "clock"]),
        (other_names, ["certificate: ", "has not the name DNS:localhost, by"]),
        (other_key, ["kafka_security.certificates.key is not the key of"]),
        (with_password, ["kafka_security.certificates.key: ", "PKCS 8"]),
        (old_format, ["kafka_security.certificates.key: ", "PKCS 8"]),
        (no_key, ["kafka_security.certificates.key: ", "No such file"]),
        (no_certificate, ["kafka_security.certificates.certificate: ", "no certificate in PEM"]),
        (other_authority, ["certificate: ", "not signed by kafka_security.certificates.ca"]),
    ],
)
def test_faults(files, fault, words):
    fault(files)
    says(problems(files.host()), "one: kafka_security.certificates", *words)


def test_a_relative_path(files):
    says(problems(files.host(ca="ca.pem")), "certificates.ca: ca.pem", "inventory_dir")


def test_a_wildcard_stands_for_one_label(files):
    files.issue(names=["localhost", "*.example.org"])
    host = files.host()
    host["kafka_listeners"][1]["advertised_host"] = "a.example.org"
    host["kafka_controller_port"] = 19093
    found = [line for line in problems(host) if "example.org" in line]
    assert found == []


def test_clients_with_certificates(files):
    says(problems(files.host(TLS)), "clients_ca is missing")
    host = files.host(TLS, clients_ca=str(files.authority.path))
    [certificate, key] = problems(host)
    assert "clients/admin.pem does not exist" in certificate
    assert "clients/admin.key does not exist" in key


def test_intermediate_authorities_are_in_the_file(files, tmp_path):
    between = Authority(tmp_path / "between.pem")
    certificate = files.authority._sign(
        between.name, between.key, (-1, 30), x509.BasicConstraints(ca=True, path_length=0)
    )
    files.issue(authority=between)
    assert "not signed" in problems(files.host())[0]
    text = files.path("pem").read_text() + certificate.public_bytes(Encoding.PEM).decode()
    files.path("pem").write_text(text)
    assert problems(files.host()) == []


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ([("COMMON_NAME", "a"), ("ORGANIZATION_NAME", "b c")], "O=b c,CN=a"),
        ([("COMMON_NAME", "a,b")], None),
        ([("COMMON_NAME", "a"), ("EMAIL_ADDRESS", "a@b")], None),
        ([], None),
    ],
)
def test_subjects(subject, name):
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(getattr(NameOID, oid), value) for oid, value in subject])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = x509.CertificateBuilder(own, own, key.public_key(), 1, start, start).sign(key, SHA256())
    if name:
        assert principal(certificate) == name
    else:
        with pytest.raises(GivenError, match="Use a subject of CN"):
            principal(certificate)

"""The effects of kafka_security: listeners, settings, certificates, and the properties of clients."""

import datetime
import os

import javaproperties
import pytest

from kafka_proof.client.properties import kafka_python
from kafka_proof.client.secret_files import path_of, read_or_make, user_file, write
from kafka_proof.deploy.certificates import alternative_names, expiries, generated, missing, wanted
from kafka_proof.deploy.clients import access, key_store, login_properties, password_of, to_text, user_script
from kafka_proof.deploy.files import read_secrets
from kafka_proof.deploy.inventory_checks import broker_problems
from kafka_proof.deploy.kraft import wanted_voters
from kafka_proof.deploy.security import Security, secrets_of, security_of, security_problems
from tests.support.certificates import Authority
from tests.unit.stack import kraft_nodes, listener, nodes, variables

LOGIN, TLS = {"clients": "sasl_ssl"}, {"clients": "ssl"}
OAUTH = {"jwks_url": "https://i/jwks", "issuer": "https://i", "audience": "kafka"}


def open_listener(*arguments, **other):
    """A listener whose protocol the variable leaves out."""
    found = listener(*arguments, **other)
    del found["protocol"]
    return found


def secure(security=LOGIN, **other):
    own = [
        open_listener("EXTERNAL_SECURE"),
        open_listener("INTERNAL_SECURE", 19094, advertised_host="kafka", bind_address=""),
    ]
    return variables(
        kafka_security=security,
        kafka_listeners=own,
        kafka_client_listener="EXTERNAL_SECURE",
        kafka_inter_broker_listener="INTERNAL_SECURE",
        **other,
    )


def settings(security=LOGIN, **other):
    [node] = kraft_nodes({"one": secure(security, stack_kafka_version="4.4.0", **other)})
    return node["settings"]


def test_a_node_reads_the_password_that_was_written_for_a_user(tmp_path):
    security = {"clients": "sasl_ssl", "mechanisms": ["PLAIN"]}
    user = {"name": ".alice", "mechanism": "PLAIN"}
    found = security_of({"kafka_security": security, "kafka_users": [user]})
    [path] = secrets_of(nodes({"one": variables()})[1], found)[f"plain.{user['name']}"]
    assert tmp_path / path == user_file(tmp_path, user["name"])


def test_without_security_everything_is_plaintext():
    found = variables(kafka_listeners=[open_listener(), open_listener("INTERNAL", 19092, bind_address="")])
    [node] = kraft_nodes({"one": found})
    assert node["settings"]["listener.security.protocol.map"] == (
        "EXTERNAL:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
    )
    assert not {"authorizer.class.name", "super.users"} & node["settings"].keys()
    assert (node["secrets"], "node.properties" in node["files"]) == ({}, False)


def test_protocols():
    assert settings()["listener.security.protocol.map"] == (
        "EXTERNAL_SECURE:SASL_SSL,INTERNAL_SECURE:SSL,CONTROLLER_SECURE:SSL"
    )
    assert settings(TLS)["listener.security.protocol.map"].startswith("EXTERNAL_SECURE:SSL,")
    assert settings()["controller.listener.names"] == "CONTROLLER_SECURE"


@pytest.mark.parametrize("name", ["internal_secure", "controller_secure"])
def test_between_nodes_tls_is_mutual(name):
    found = settings()
    assert found[f"listener.name.{name}.ssl.client.auth"] == "required"
    assert found[f"listener.name.{name}.ssl.truststore.location"].endswith("/truststore.pem")


def test_clients_with_certificates_have_an_authority_of_their_own():
    found = settings(TLS)
    assert found["listener.name.external_secure.ssl.client.auth"] == "required"
    assert found["listener.name.external_secure.ssl.truststore.location"].endswith("/clients.pem")
    assert "RULE:" in found["listener.name.external_secure.ssl.principal.mapping.rules"]
    # The whole name of a certificate is the principal of a node, which no client can have.
    assert "listener.name.internal_secure.ssl.principal.mapping.rules" not in found
    assert found["super.users"] == "User:CN=node;User:admin"


def test_logins():
    found = settings({**LOGIN, "mechanisms": ["SCRAM-SHA-256", "OAUTHBEARER"], "oauth": OAUTH})
    assert found["listener.name.external_secure.sasl.enabled.mechanisms"] == "SCRAM-SHA-256,OAUTHBEARER"
    assert "ScramLoginModule" in found["listener.name.external_secure.scram-sha-256.sasl.jaas.config"]
    oauth = "listener.name.external_secure.oauthbearer.sasl.oauthbearer"
    assert found[f"{oauth}.jwks.endpoint.url"] == "https://i/jwks"
    assert (found[f"{oauth}.expected.issuer"], found[f"{oauth}.expected.audience"]) == ("https://i", "kafka")
    assert "listener.name.external_secure.ssl.client.auth" not in found


def test_nobody_may_do_what_no_acl_allows():
    assert settings()["authorizer.class.name"].endswith(".StandardAuthorizer")
    assert settings()["allow.everyone.if.no.acl.found"] is False
    server, broker = nodes({"one": secure()})
    assert broker["settings"]["authorizer.class.name"].endswith(".AclAuthorizer")
    assert broker["settings"]["zookeeper.set.acl"] is True
    assert server["settings"]["ssl.clientAuth"] == "need"


def test_zookeeper_is_open_to_its_own_container_alone():
    server, broker = nodes({"one": secure()})
    assert server["settings"]["clientPortAddress"] == "127.0.0.1"
    assert [port["inside"] for port in server["ports"]] == [2182]
    assert broker["settings"]["zookeeper.connect"] == "zookeeper:2182"


def test_a_broker_that_is_no_controller_is_a_client_of_their_listener():
    hosts = {f"h{number}": secure(kafka_broker_id=number, kafka_controller_id=100 + number) for number in (1, 2, 3)}
    found = kraft_nodes(hosts, controllers=hosts)
    broker = next(node for node in found if node["kinds"] == ["broker"])
    assert broker["settings"]["listener.name.controller_secure.ssl.keystore.location"]
    assert {name for voter in wanted_voters(found).values() for name in voter} == {"CONTROLLER_SECURE"}


def test_which_classes_a_setting_may_name():
    [node] = kraft_nodes({"one": secure(stack_kafka_version="4.4.0")})
    assert "allowed.login.modules=" in node["files"]["jvm.options"]
    [node] = kraft_nodes({"one": secure(stack_kafka_version="3.9.2")})
    assert "disallowed.login.modules=com.sun.security.auth.module.JndiLoginModule" in node["files"]["jvm.options"]


@pytest.mark.parametrize(
    ("security", "words"),
    [
        ({**LOGIN, "mechanisms": []}, "mechanisms is empty"),
        ({**LOGIN, "mechanisms": ["OAUTHBEARER"], "oauth": OAUTH}, "OAUTHBEARER alone"),
        ({**LOGIN, "mechanisms": ["SCRAM-SHA-512", "OAUTHBEARER"]}, "kafka_security.oauth"),
        (
            {**LOGIN, "mechanisms": ["SCRAM-SHA-512", "OAUTHBEARER"], "oauth": OAUTH | {"audience": ""}},
            "kafka_security.oauth: {jwks_url: …, issuer: …, audience: …}, all of them",
        ),
        ({**LOGIN, "days": 0}, "days is 0"),
        ({**LOGIN, "principal": "CN=node"}, "principal is 'CN=node'"),
        ({**LOGIN, "password": "from a block\n"}, "kafka_security.password has a control character, or a space at"),
        ({**TLS, "principal": "team+a"}, "The user 'team+a' has a certificate"),
    ],
)
def test_what_cannot_work(security, words):
    [problem] = security_problems({"one": secure(security)})
    assert words in problem


def test_names_that_a_certificate_escapes():
    users = [{"name": name} for name in ("alice", "a,b", "#c")]
    problems = security_problems({"one": secure(TLS, kafka_users=users)})
    assert [problem.split("'")[1] for problem in problems] == ["a,b", "#c"]


def test_hosts_agree():
    [problem] = security_problems({"one": secure(), "two": secure(TLS)})
    assert problem.startswith("two: kafka_security differs from that of one")


def test_settings_that_follow_have_one_owner():
    chosen = {"super.users": "User:me", "listener.name.internal_secure.ssl.client.auth": "none"}
    [node] = kraft_nodes({"one": secure(kafka_config=chosen)})
    found = broker_problems([node], lambda host: "127.0.0.1")
    assert len(found) == 2
    assert all("kafka_security" in problem for problem in found), found


# Certificates


def test_a_certificate_has_the_advertised_names():
    own = [open_listener("EXTERNAL_SECURE", advertised_host="::1"), open_listener("INTERNAL_SECURE", 19094)]
    [node] = kraft_nodes({"one": secure() | {"kafka_listeners": own}})
    assert alternative_names(node) == ["IP:::1", "DNS:localhost", "DNS:kafka"]


def test_certificates(tmp_path):
    found = wanted(nodes({"one": secure(TLS)}), security_of(secure(TLS)), str(tmp_path), ["alice"])
    assert [item["subject"] for item in found] == [
        "ca of the Kafka stack kafka",
        "node",
        "node",
        "clients-ca of the Kafka stack kafka",
        "admin",
        "alice",
    ]
    assert [item["authority"].rpartition("/")[2] for item in found] == ["", "ca", "ca", "", "clients-ca", "clients-ca"]
    given = {**TLS, "certificates": {"ca": "a", "certificate": "b", "key": "c", "clients_ca": "d"}}
    assert wanted(nodes({"one": secure(given)}), security_of(secure(given)), str(tmp_path)) == []


def test_missing_certificates(tmp_path):
    authority = Authority(tmp_path / "ca.pem")
    certificate, key = authority.issue("kafka", days=(-1, 30))
    for ending, text in ((".pem", certificate), (".key", key)):
        (tmp_path / f"node{ending}").write_text(text)
    item = {"path": str(tmp_path / "node"), "subject": "", "names": ["DNS:kafka"], "authority": "", "days": 1}
    assert missing([item]) == []
    assert missing([item | {"names": ["DNS:other"]}])
    assert missing([item | {"path": str(tmp_path / "none")}])

    signed = item | {"authority": str(tmp_path / "ca")}
    assert missing([signed]) == []
    # As of a host that was away while the authority was replaced.
    Authority(tmp_path / "ca.pem")
    assert missing([signed])
    (tmp_path / "ca-next.pem").write_text(authority.pem)  # a rotation that has begun: both are trusted
    assert missing([signed]) == []
    [expiry] = expiries([item], datetime.datetime.now(datetime.UTC))
    assert (expiry.name, expiry.days) == ("node", 29)


def test_parts_of_a_file(tmp_path):
    (tmp_path / "a").write_text("1\n")
    assert read_secrets({"x": ["a", "a"]}, str(tmp_path), missing_ok=False) == {"x": "1\n1\n"}
    assert read_secrets({"x": ["none"]}, str(tmp_path), missing_ok=True) == {"x": ""}
    (tmp_path / "p").write_text(r'x\sy"z' + "\n")  # as an editor ends a line
    assert read_secrets({"plain.x": ["p"]}, str(tmp_path), missing_ok=True) == {"plain.x": r"x\\sy\"z"}
    with pytest.raises(FileNotFoundError):
        read_secrets({"x": ["none"]}, str(tmp_path), missing_ok=False)


def test_a_teardown_with_the_data_removes_what_was_created(tmp_path):
    created = ["ca.key", "ca.trust.pem", "ca-next.pem", "clients-ca.csr", "users/admin", "nodes/kafka@one.key"]
    given = ["mine.pem", "vault.txt", "ca.pem.orig", "clients/admin.pem"]
    for name in [*created, *given, "clients/admin.keystore.pem"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def names():
        return {str(path.relative_to(tmp_path)) for path in generated(tmp_path)}

    own = {name.partition("/")[0] for name in created}
    assert names() == own | {"clients/admin.keystore.pem"}
    (tmp_path / "clients-ca.key").touch()
    assert names() == own | {"clients", "clients-ca.key"}
    assert generated(tmp_path)[0].name == "clients"  # or an interrupted removal leaves them, as if they were given
    assert generated(tmp_path / "none") == []


# Clients


def properties(tmp_path, password='a"b\\c', security=LOGIN):
    users = user_file(tmp_path, "admin")
    users.parent.mkdir(exist_ok=True)
    users.write_text(password)
    found = access(security_of(secure(security)), str(tmp_path))
    return {"bootstrap.servers": "a:1,b:2"} | login_properties(found)


def test_the_file_is_read_by_java_and_by_kcat(tmp_path):
    Authority(tmp_path / "ca.trust.pem")
    found = properties(tmp_path)
    text = to_text(found)
    read = javaproperties.loads(text)
    assert found.items() <= read.items()
    # kcat ends lines at \n alone, takes what begins with # for a comment, and refuses unknown names.
    seen = dict(line.split("=", 1) for line in text.split("\n") if line and not line.startswith("#"))
    assert seen.keys() == {
        *("bootstrap.servers", "sasl.mechanism", "sasl.password", "sasl.username"),
        *("security.protocol", "ssl.ca.location"),
    }
    assert seen["sasl.password"] == 'a"b\\c' == password_of(found)
    assert kafka_python(read)["sasl_plain_password"] == 'a"b\\c'


def test_a_client_with_a_certificate(tmp_path):
    found = properties(tmp_path, security=TLS)
    assert found["ssl.keystore.location"] == str(key_store(str(tmp_path), "admin"))
    assert "ssl.certificate.location" in to_text(found)
    assert "sasl.mechanism" not in found


def test_a_file_without_security_is_plain(tmp_path):
    found = properties(tmp_path, security={})
    assert to_text(found) == "bootstrap.servers=a:1,b:2\nsecurity.protocol=PLAINTEXT\n"


def test_a_password_is_on_no_command_line():
    script = user_script("kafka", "kafka:1", "o'neil", "SCRAM-SHA-512", "secret")
    command, line, end = script.split("\n")
    assert "secret" not in command
    assert line == "SCRAM-SHA-512=iterations=4096,password=secret"
    assert end == "END"
    assert "--entity-name 'o'\"'\"'neil'" in command


def test_secrets_in_files(tmp_path):
    directory = tmp_path / "users"
    secret = read_or_make(user_file(tmp_path, "../../x/ü"))
    assert len(secret) == 32
    assert read_or_make(user_file(tmp_path, "../../x/ü")) == secret
    [path] = directory.iterdir()
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert oct(directory.stat().st_mode)[-3:] == "700"
    assert path_of(directory, "..").parent == directory
    assert path_of(directory, "a") != path_of(directory, "A")


def test_directories_of_secrets_are_their_owners_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write(tmp_path / "stack" / "users" / "admin", "x")
    finally:
        os.umask(before)
    modes = [oct(path.stat().st_mode)[-3:] for path in sorted(tmp_path.rglob("*"))]
    assert modes == ["700", "700", "600"]


def test_defaults():
    assert security_of({}) == Security()
    assert security_of({"kafka_security": {"clients": "sasl_ssl", "days": None}}).days == 365

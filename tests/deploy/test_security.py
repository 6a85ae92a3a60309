"""A stack with access control: it repeats, continues, changes passwords and certificates, and keeps its messages."""

import os
import shutil
import signal
import ssl
import stat

import pytest

from kafka_proof.client.connection import login_fault
from tests.deploy.conftest import LOGIN
from tests.support.certificates import Authority
from tests.support.engine import docker

pytestmark = pytest.mark.xdist_group("deploy/secure")
SECONDS = 5  # for each step of a login


def started(container):
    return docker("inspect", "-f", "{{.State.StartedAt}}", container)


def modes(directory):
    """The modes of files and of directories below a directory."""
    paths = [directory, *directory.rglob("*")]
    return [
        {oct(stat.S_IMODE(path.stat().st_mode)) for path in paths if path.is_dir() == kind} for kind in (False, True)
    ]


def presented(stack, port=None):
    """The certificate that a broker shows to clients."""
    return ssl.get_server_certificate(("localhost", port or stack.port))


def trusting(stack, authorities):
    """The deployment's login, with another file of authorities."""
    return stack.arguments | {"ssl_cafile": str(authorities)}


@pytest.mark.parametrize("fixture", ["secure", pytest.param("secure_zookeeper", marks=pytest.mark.long)])
def test_a_second_run_and_check_mode_change_nothing(fixture, request):
    stack = request.getfixturevalue(fixture)
    assert stack.site().changed == 0
    assert stack.site("--check", "--diff").changed == 0


@pytest.mark.parametrize("fixture", ["secure", pytest.param("secure_zookeeper", marks=pytest.mark.long)])
def test_messages_outlive_the_containers(fixture, request):
    stack = request.getfixturevalue(fixture)
    stack.produce("one", "two")
    docker("rm", "--force", *docker("ps", "-q", "--filter", f"name=^{stack.name}-").split())
    stack.site()
    assert stack.messages() == ["one", "two"]


def test_an_interrupted_first_run_continues(secure_spare):
    stack = secure_spare
    play = stack.site("--check", "--diff")
    assert play.changed > 0
    assert (stack.state()["containers"], stack.secrets.exists()) == ([], False)

    assert stack.interrupt("Wait for the brokers", signal.SIGTERM)
    assert stack.state()["containers"] != []
    assert login_fault(stack_login(stack), SECONDS) != ""  # the user does not exist yet
    before = os.umask(0)
    try:
        stack.site(kafka_topics_present=[{"name": "later"}])
    finally:
        os.umask(before)
    assert oct(stack.client_properties.stat().st_mode)[-3:] == "600"
    assert modes(stack.secrets) == [{"0o600"}, {"0o700"}]
    assert "later" in stack.topics()
    assert stack.site(kafka_topics_present=[{"name": "later"}]).changed == 0


def stack_login(stack):
    """The login of the deployment before client.properties exists."""
    password = (stack.secrets / "users" / "admin").read_text()
    return {
        "bootstrap_servers": [f"localhost:{stack.port}"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "admin",
        "sasl_plain_password": password,
        "ssl_cafile": str(stack.secrets / "ca.trust.pem"),
        "ssl_check_hostname": True,
    }


def test_a_changed_password_is_set(secure):
    old, since = secure.arguments, started(secure.kafka)
    new = {"kafka_security": LOGIN | {"password": "another 'one\" with \\ in it"}}
    state = secure.state()
    check = secure.site("--check", "--diff", **new)
    assert (check.changed > 0, secure.state()) == (True, state)
    secure.site(**new)
    assert login_fault(secure.arguments, SECONDS) == ""
    assert login_fault(old, SECONDS) == "login-refused"
    assert started(secure.kafka) == since
    assert secure.site().changed == 0  # the file keeps it
    secure.site(kafka_security=LOGIN | {"password": old["sasl_plain_password"]})  # of the other tests


def test_certificates_are_renewed_without_a_restart(secure):
    since, before, authority = started(secure.kafka), presented(secure), (secure.secrets / "ca.pem").read_text()
    play = secure.play("playbooks/rotate.yml")
    assert play.ok, play.message
    assert presented(secure) != before
    assert (secure.secrets / "ca.pem").read_text() == authority
    assert started(secure.kafka) == since
    assert secure.site().changed == 0


def trusted(stack, directory):
    """Run the first step of a new authority. Returns the files of authorities before and after it."""
    old, both = directory / "old.pem", directory / "both.pem"
    shutil.copy(stack.secrets / "ca.trust.pem", old)
    before = presented(stack)
    play = stack.play("playbooks/rotate.yml", rotate_authority=True, rotate_until="trust")
    assert play.ok, play.message
    shutil.copy(stack.secrets / "ca.trust.pem", both)
    assert presented(stack) == before
    return old, both


def replaced(stack, old, both):
    """Run the other steps: only the new authority is left."""
    before = presented(stack)
    play = stack.play("playbooks/rotate.yml", rotate_authority=True)
    assert play.ok, play.message
    assert login_fault(trusting(stack, old), SECONDS) == "certificate-untrusted"
    for path in (both, stack.secrets / "ca.trust.pem"):
        assert login_fault(trusting(stack, path), SECONDS) == ""
    assert not list(stack.secrets.glob("*-next*"))
    return presented(stack) != before


def test_the_authority_is_replaced_without_a_restart(secure, tmp_path):
    since = started(secure.kafka)
    old, both = trusted(secure, tmp_path)
    refused = secure.play("playbooks/rotate.yml")  # as a job that renews certificates
    assert "rotation of the authority has begun, and is not complete" in refused.message
    assert replaced(secure, old, both)
    assert started(secure.kafka) == since


@pytest.mark.long
def test_an_interrupted_replacement_of_the_authority_continues(secure, tmp_path):
    since, before = started(secure.kafka), presented(secure)
    shutil.copytree(secure.secrets / "nodes", tmp_path / "nodes")
    old, both = trusted(secure, tmp_path)

    # In the second step, when the node has its new certificate on this machine, and has not loaded it.
    assert secure.interrupt("Load the files of", signal.SIGTERM, "playbooks/rotate.yml", 2, rotate_authority=True)
    assert login_fault(trusting(secure, old), SECONDS) in ("", "certificate-untrusted")
    assert login_fault(trusting(secure, both), SECONDS) == ""

    # In the last step: the next run continues with the authority that clients trust, and begins no other rotation.
    assert secure.interrupt("Load the files of", signal.SIGTERM, "playbooks/rotate.yml", 3, rotate_authority=True)
    replaced(secure, old, both)
    assert presented(secure) != before
    assert started(secure.kafka) == since
    assert secure.site().changed == 0

    # As of a host that was away meanwhile.
    shutil.copytree(tmp_path / "nodes", secure.secrets / "nodes", dirs_exist_ok=True)
    assert "Create signed certificates" in secure.site().changed_tasks
    assert login_fault(trusting(secure, secure.secrets / "ca.trust.pem"), SECONDS) == ""
    assert secure.site().changed == 0


def test_an_interrupted_change_of_access_control_continues(secure):
    """The run was killed when each container was as the inventory says, and the last one was not proved yet."""
    note = secure.client_properties.with_name("client.properties.securing")
    note.write_text("# as of a run that was killed")
    assert "playbooks/secure.yml" in secure.play("site.yml").message
    play = secure.play("playbooks/secure.yml")
    assert play.ok, play.message
    assert play.result("Report the steps")["msg"] == "Steps: secure"
    assert not note.exists()
    assert secure.site().changed == 0


@pytest.mark.long
def test_a_node_starts_with_files_that_it_did_not_load(secure, tmp_path):
    """The rotation was killed after it had written them into the container."""
    play = secure.play("playbooks/rotate.yml")
    assert play.ok, play.message
    since, mark = started(secure.kafka), tmp_path / "reload"
    mark.write_text("keystore.pem")
    docker("cp", str(mark), f"{secure.kafka}:/etc/kafka-proof/reload")
    secure.site()
    assert started(secure.kafka) != since
    assert secure.site().changed == 0


@pytest.mark.long
def test_with_zookeeper_a_rotation_restarts_no_broker(secure_zookeeper):
    stack = secure_zookeeper
    since, before = started(stack.kafka), presented(stack)
    play = stack.play("playbooks/rotate.yml", rotate_authority=True)
    assert play.ok, play.message
    assert (presented(stack) != before, started(stack.kafka)) == (True, since)
    stack.produce("after")
    assert stack.site("--diff").changed_tasks == []


@pytest.mark.long
@pytest.mark.parametrize(
    "security",
    [
        {"clients": "ssl"},
        LOGIN | {"mechanisms": ["PLAIN", "SCRAM-SHA-256"], "password": r'\s and "marks" and \\'},
    ],
)
def test_other_proofs_of_clients(secure_spare, security):
    stack = secure_spare
    stack.variables["kafka_security"] = security
    stack.site()
    stack.produce("one")
    assert stack.messages() == ["one"]
    assert modes(stack.secrets) == [{"0o600"}, {"0o700"}]
    assert stack.site().changed == 0


def given(directory, names, subject="broker"):
    """Certificates of the user's own authority, as in kafka_security.certificates."""
    authority = Authority(directory / "own.pem")
    certificate, key = authority.issue(subject, names=names)
    for name, text in (("broker.pem", certificate), ("broker.key", key)):
        (directory / name).write_text(text)
    return {
        key: str(directory / name)
        for key, name in (("ca", "own.pem"), ("certificate", "broker.pem"), ("key", "broker.key"))
    }


@pytest.mark.long
def test_given_certificates(secure_spare, tmp_path):
    stack = secure_spare
    refused = stack.play("site.yml", kafka_security=LOGIN | {"certificates": given(tmp_path, ["localhost"])})
    assert f"kafka_security.certificates.certificate: {tmp_path}/broker.pem" in refused.message
    assert f"has not the name DNS:{stack.kafka}" in refused.message

    stack.variables["kafka_security"] = LOGIN | {"certificates": given(tmp_path, ["localhost", stack.kafka])}
    stack.site()
    stack.produce("one")
    assert presented(stack).strip() == (tmp_path / "broker.pem").read_text().strip()
    assert stack.site().changed == 0

    # The user replaces the certificate, and running brokers load it.
    since = started(stack.kafka)
    certificate, key = Authority(tmp_path / "next.pem").issue("broker", names=["localhost", stack.kafka])
    text = (tmp_path / "own.pem").read_text() + (tmp_path / "next.pem").read_text()
    for files in ({"own.pem": text}, {"broker.pem": certificate, "broker.key": key}):
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        play = stack.play("playbooks/rotate.yml")
        assert play.ok, play.message
    assert (presented(stack).strip(), started(stack.kafka)) == (certificate.strip(), since)
    assert sorted(path.name for path in stack.secrets.iterdir()) == ["users"]


@pytest.mark.long
def test_a_teardown_with_the_data_removes_the_secrets(secure_spare):
    stack = secure_spare
    stack.site()
    (stack.secrets / "mine.txt").write_text("stays")
    (clients := stack.client_properties.parent / "clients").mkdir()
    (clients / "alice.properties").touch()
    stack.teardown(data=False)
    kept = {path.name for path in stack.secrets.iterdir()}
    assert {"users", "nodes", "ca.key", "mine.txt"} <= kept
    check = stack.play("playbooks/teardown.yml", "--check", "--diff", teardown_data=True)
    assert {path.name for path in stack.secrets.iterdir()} == kept
    assert any(str(stack.secrets / "ca.key") in item["before"] for item in check.diffs())
    stack.teardown(data=True)
    assert [path.name for path in stack.secrets.iterdir()] == ["mine.txt"]
    assert not clients.exists()

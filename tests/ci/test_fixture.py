"""The fixture kafka_cluster in sessions of pytest's own: alone, parallel, killed, and with a Kafka that is given."""

import signal
import subprocess
import sys

import pytest

from kafka_proof.client.wait import wait_until
from tests.ci.conftest import ROOT, STACK, left
from tests.ci.jobs import environment
from tests.support.engine import container

BROKER = f"{STACK}-pytest-kafka"

# Each test notes who used which Kafka.
NOTE = """
import os, pathlib, pytest
from kafka import KafkaAdminClient

@pytest.mark.parametrize("number", range(6))
def test_note(kafka_cluster, number):
    with KafkaAdminClient(**kafka_cluster.kafka_python) as admin:
        cluster = admin.describe_cluster()["cluster_id"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    with open("notes", "a") as notes:
        notes.write(f"{worker} {cluster} {kafka_cluster.bootstrap_servers}\\n")
"""
# One that uses its Kafka until it is told to stop.
HOLD = (
    NOTE
    + """
def test_hold(kafka_cluster):
    from kafka_proof.client.wait import wait_until

    pathlib.Path("holding").touch()
    wait_until("the word to stop", pathlib.Path("stop").exists, seconds=300)
"""
)
KEEP = {"KAFKA_CLUSTER_KEEP": "1"}


class Session:
    """A directory with tests, and pytest run on them."""

    def __init__(self, directory, tests, **env):
        self.directory = directory
        self.directory.mkdir()
        (directory / "test_it.py").write_text(tests)
        # Of this test's own, so that it does not meet the machine's other sessions.
        self.env = environment(**{"TMPDIR": str(directory.parent), "KAFKA_CLUSTER_STACK": STACK} | env)

    def start(self, *options):
        command = [sys.executable, "-m", "pytest", "--rootdir=.", *options]
        return subprocess.Popen(
            command, cwd=self.directory, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *options):
        """Run pytest. Returns (exit status, output)."""
        with self.start(*options) as process:
            output = process.communicate()[0]
        return process.returncode, output

    def wait_until_held(self):
        wait_until("the session to hold its Kafka", (self.directory / "holding").exists, seconds=300)

    def notes(self):
        """[worker, cluster id, address] of each test."""
        return [line.split() for line in (self.directory / "notes").read_text().splitlines()]


@pytest.fixture
def session(tmp_path):
    """session(name, tests, **env): a Session in its own directory."""

    def session(name, tests=NOTE, **env):
        return Session(tmp_path / name, tests, **env)

    return session


def identity():
    return container(BROKER).id


def test_parallel_workers_and_other_sessions_share_one_and_the_last_removes_it(session):
    holder, parallel = session("holder", HOLD), session("parallel")
    with holder.start() as process:
        holder.wait_until_held()
        status, output = parallel.run("-n", "3")
        assert status == 0, output
        assert container(BROKER).status == "running", "gone, though somebody uses it"
        (holder.directory / "stop").touch()
        output = process.communicate()[0]

    assert process.returncode == 0, output
    assert {worker for worker, _, _ in parallel.notes()} == {"gw0", "gw1", "gw2"}
    assert len({tuple(where) for _, *where in holder.notes() + parallel.notes()}) == 1, "not one Kafka"
    assert not left()


def test_a_session_with_kraft_and_a_mode_that_is_none(session):
    with_kraft = session("kraft", KAFKA_CLUSTER_MODE="kraft", **KEEP)
    status, output = with_kraft.run("-k", "0")
    assert status == 0, output
    assert f"{STACK}-pytest-kraft-kafka" in left()
    assert not [name for name in left() if "zookeeper" in name]

    status, output = session("again", KAFKA_CLUSTER_MODE="kraft").run("-k", "0")
    assert status == 0, output
    status, output = session("wrong", KAFKA_CLUSTER_MODE="raft").run()
    assert status == 1
    assert "KAFKA_CLUSTER_MODE is 'raft'. Set it to one of: zookeeper, kraft." in output


SECURE = """
import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

def test_secure(kafka_cluster):
    secure = kafka_cluster(secure=True)
    assert secure.kafka_python["security_protocol"] == "SASL_SSL"
    assert kafka_cluster(secure=True) == secure != kafka_cluster
    assert kafka_cluster() == kafka_cluster
    with KafkaAdminClient(**secure.kafka_python) as admin:
        assert admin.describe_cluster()["cluster_id"]
    wrong = secure.kafka_python | {"sasl_plain_password": "wrong"}
    with pytest.raises(KafkaError):
        KafkaAdminClient(**wrong, bootstrap_timeout_ms=5000)
"""


def test_a_secure_one_beside_it(session):
    status, output = session("secure", SECURE, KAFKA_CLUSTER_MODE="kraft").run()
    assert status == 0, output
    assert not left()


def test_parallel_workers_alone_deploy_one_and_remove_it(session):
    parallel = session("parallel")

    status, output = parallel.run("-n", "3")

    assert status == 0, output
    assert len({tuple(where) for _, *where in parallel.notes()}) == 1, "not one Kafka"
    assert not left()


def test_kept_for_the_next_session_which_removes_it(session):
    assert session("first", **KEEP).run()[0] == 0
    kept = identity()

    status, output = session("second", **KEEP).run()
    assert (status, identity()) == (0, kept), output

    assert session("third").run()[0] == 0
    assert not left()


def test_left_by_a_killed_session_it_is_used_and_removed_by_the_next(session):
    killed, next_one = session("killed", HOLD), session("next")
    with killed.start() as process:
        killed.wait_until_held()
        process.send_signal(signal.SIGKILL)
    container(BROKER).remove(force=True)  # and not even whole

    status, output = next_one.run()

    assert status == 0, output
    assert len(next_one.notes()) == 6
    assert not left()


def test_given_by_its_address_or_its_properties_nothing_is_deployed_or_removed(session, tmp_path):
    assert session("first", **KEEP).run()[0] == 0
    kept = identity()
    [properties] = tmp_path.glob("kafka-proof-*/*/client.properties")
    address = properties.read_text().split("bootstrap.servers=")[1].split()[0]

    for name, value in (("KAFKA_BOOTSTRAP_SERVERS", address), ("KAFKA_CLIENT_PROPERTIES", str(properties))):
        given = session(name, **{name: value, "KAFKA_CLUSTER_STACK": f"{STACK}-other"})
        status, output = given.run()
        assert status == 0, output
        assert f"kafka_cluster: {value} ({name})" in output
        assert given.notes()[0][2] == address
        assert identity() == kept

    assert session("last").run()[0] == 0
    assert not left()


@pytest.mark.parametrize(
    ("env", "options", "words"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "localhost:1"}, [], "localhost:1: no Kafka answered"),
        ({"KAFKA_CLIENT_PROPERTIES": "nowhere"}, [], "nowhere: no such file"),
        ({"DOCKER_HOST": "unix:///nonexistent.sock"}, [], "no engine answers there"),
        ({}, ["-p", "no_ansible"], "pip install 'kafka-proof[deploy]'"),
    ],
    ids=["no Kafka there", "no file there", "no engine", "no Ansible"],
)
def test_without_a_kafka_each_test_says_why_in_one_line(session, env, options, words):
    one = session("one", PYTHONPATH=".", **env)
    (one.directory / "no_ansible.py").write_text("import sys; sys.modules['ansible'] = None\n")

    status, output = one.run(*options)

    assert status == 1
    said = [line for line in output.splitlines() if words in line]
    assert len([line for line in said if not line.startswith("ERROR")]) == 6, output  # and once more in the summary
    assert "Traceback" not in output
    assert "6 errors" in output
    assert not left()


def test_sessions_that_ask_for_no_kafka_have_nothing_to_do_with_it(session):
    one = session("one", "import sys\ndef test(): assert 'kafka' not in sys.modules\n", DOCKER_HOST="unix:///none")
    assert one.run()[0] == 0
    assert one.run("-n", "1")[0] == 0
    assert not left()


def test_installed_anywhere_it_deploys_without_a_checkout(session, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "build", "--quiet", "--wheel", "--out-dir", str(tmp_path / "dist"), str(ROOT)], check=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    subprocess.run([*uv, "venv", "--quiet", str(tmp_path / "venv")], check=True)
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", str(python), f"kafka-proof[deploy] @ {wheel.as_uri()}"],
        check=True,
    )
    one = session("one")
    one.env["VIRTUAL_ENV"] = str(tmp_path / "venv")
    done = subprocess.run(
        [str(python), "-m", "pytest", "--rootdir=."],
        check=False,
        cwd=one.directory,
        env=one.env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(one.notes()) == 6
    assert not left()

"""The file of a client on a secured stack works unchanged with every program; with few rights, each names the right."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from kafka_proof.client.command import OK, UNUSABLE
from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python, read
from tests.deploy.conftest import KRAFT, ROOT, TOPIC, deployed, docker
from tests.support.wait import wait_for

pytestmark = pytest.mark.xdist_group("deploy/secure")
SECONDS = 360  # for a program
PASSWORD = "few rights"


@pytest.fixture(scope="module")
def certificate(directory):
    """A stack whose clients have certificates."""
    variables = {"kafka_security": {"clients": "ssl"}, "stack_secrets": str(directory / "kp-certificate-secrets")}
    with deployed("kp-certificate", 28294, directory, KRAFT, **variables) as stack:
        yield stack


@pytest.fixture(params=["secure", pytest.param("certificate", marks=pytest.mark.long)])
def secured(request):
    """A stack whose clients log in, and one whose clients have certificates."""
    return request.getfixturevalue(request.param)


def run(*command, **options):
    """Run a program with a file of client properties; return what came of it, with standard error in its output."""
    return subprocess.run(
        [str(word) for word in command],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
        **options,
    )


# The deployment's own file


def test_the_summary_says_when_the_first_certificate_expires(secured):
    said = secured.site().result("Report the cluster")["msg"]

    assert re.search(rf"first expires on \d{{4}}-\d\d-\d\d, in 36\d days \({secured.kafka}@localhost\)", said), said


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["kafka-smoke", "--quiet"], marks=pytest.mark.long),
        ["kafka-status"],
        ["kafka-lag", "--time"],
        ["kafka-doctor", "--write", "--topic", TOPIC, "--group", "any"],
        ["kafka-workload", "--seconds", "2"],
    ],
    ids=lambda command: command[0],
)
def test_commands(secured, command):
    done = run(*command, "--client-properties", secured.client_properties)

    assert done.returncode == OK, done.stdout
    assert "warning" not in done.stdout.lower()


def test_examples(secured):
    options = "--client-properties", str(secured.client_properties)
    sent = run(sys.executable, ROOT / "examples/producer.py", *options)
    assert sent.returncode == 0, sent.stdout

    # A shell's background job ignores SIGINT, and so would its children.
    consumer = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-u",
        str(ROOT / "examples/consumer.py"),
        *options,
        "--group",
        "clients",
    ]
    with subprocess.Popen(consumer, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        seen = []
        for line in process.stdout:
            seen.append(line.strip())
            if line.endswith("value: 2\n"):
                process.send_signal(signal.SIGINT)
    assert "receive, key: count_num, value: 0" in seen
    assert (process.returncode, seen[-1]) == (0, "kafka left: 0"), seen


def test_kafka_s_own_command(secured):
    """A container of the image has the files at the same paths, and the network of this machine."""
    properties = read(secured.client_properties)
    files = [secured.client_properties, *(value for key, value in properties.items() if key.endswith(".location"))]
    mounts = [word for file in dict.fromkeys(map(str, files)) for word in ("--volume", f"{file}:{file}:ro")]
    image = docker("inspect", "-f", "{{.Config.Image}}", secured.kafka)
    command = [*("--network", "host", "--user", "0", *mounts), "--entrypoint", "/opt/kafka/bin/kafka-topics.sh", image]
    servers = properties["bootstrap.servers"]

    listed = docker(
        *("run", "--rm", *command, "--bootstrap-server", servers),
        *("--command-config", str(secured.client_properties), "--list"),
    )

    assert TOPIC in listed.split()


def test_kafka_s_own_command_in_the_container_of_a_node(secured):
    """As docs/security.md has it."""
    command = ("/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", f"{secured.kafka}:19094")
    as_node = ("--command-config", "/etc/kafka-proof/node.properties", "--list")
    assert TOPIC in docker("exec", secured.kafka, *command, *as_node).split()


def test_kcat(secured):
    """A SCRAM login to Kafka 4 needs librdkafka 2.6.1, and Debian's kcat has 2.0.2: lend it that of confluent-kafka."""
    if not shutil.which("kcat"):
        pytest.skip("kcat is not installed: apt install kcat")
    [newer] = Path(sys.prefix).glob("lib/python3*/site-packages/confluent_kafka.libs/librdkafka-*.so*")
    kcat = ["kcat", "-F", secured.client_properties, "-q", "-t", TOPIC, "-p", "0"]
    environment = os.environ | {"LD_PRELOAD": str(newer)}

    sent = run(*kcat, "-P", input=f"{secured.name} by kcat\n", env=environment)
    assert sent.returncode == 0, sent.stdout
    received = run(*kcat, "-C", "-e", env=environment)
    assert (received.returncode, f"{secured.name} by kcat" in received.stdout) == (0, True), received.stdout


# A user with few rights


@pytest.fixture(scope="module")
def few(secure, tmp_path_factory):
    """The file of a user who may use the topic `few` in the group `few`, may see the group `watched`, and no more."""
    topic, group, watched = (
        ResourcePattern(ResourceType[kind], name, ACLResourcePatternType.LITERAL)
        for kind, name in (("TOPIC", "few"), ("GROUP", "few"), ("GROUP", "watched"))
    )
    rights = [(topic, "READ"), (topic, "WRITE"), (group, "READ"), (watched, "DESCRIBE")]
    secure.commit("watched", 0)  # in a topic that this user may not see
    with connect(secure.arguments) as admin:
        admin.create_topics({"few": {"num_partitions": 2}}, wait_for_metadata=True)
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("few", ScramMechanism.SCRAM_SHA_512, PASSWORD, iterations=4096)]
        )
        admin.create_acls(
            [
                ACL("User:few", "*", ACLOperation[operation], ACLPermissionType.ALLOW, resource)
                for resource, operation in rights
            ]
        )
    login_of_admin = secure.arguments["sasl_plain_password"]
    text = secure.client_properties.read_bytes().decode()
    path = tmp_path_factory.mktemp("few") / "few.properties"
    path.write_bytes(text.replace(login_of_admin, PASSWORD).replace('"admin"', '"few"').encode())
    wait_for(lambda: _answers(path), "the broker to know the new user")
    return path


def _answers(path):
    try:
        connect(kafka_python(read(path))).close()
    except ConnectionError:
        return False
    return True


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        (
            ["kafka-status"],
            OK,
            "the controllers are not shown: this client has no right to ask about them (Describe",
        ),
        (["kafka-status"], OK, "this client sees only those topics and groups on which it has Describe"),
        (["kafka-lag", "--group", "other"], UNUSABLE, "Groups that this client may see (Describe): watched."),
        (
            ["kafka-lag", "--group", "watched", "--max-lag", "9"],
            1,
            "left: unknown, this client sees only topics on",
        ),
        (
            ["kafka-lag", "--group", "watched", "--max-lag", "9"],
            1,
            "--max-lag 9: not known of group watched: this",
        ),
        (["kafka-workload"], UNUSABLE, "this client may not: Create on topic workload-*, Write on topic workload-*, "),
        (["kafka-workload", "--topic", TOPIC], UNUSABLE, f"may not: Write on topic {TOPIC}, Read on topic {TOPIC}, "),
        (["kafka-workload", "--topic", "few"], UNUSABLE, "may not: Read on group workload-*, Delete on group workload"),
        (["kafka-smoke"], UNUSABLE, "This client may not: DescribeConfigs on the cluster, Describe on topic smoke-*. "),
        (["kafka-doctor"], OK, "this client has no right to ask about the quorum (Describe on the cluster)"),
        (["kafka-doctor", "--topic", TOPIC], 1, f"topic {TOPIC}: user 'few' has none of Write, Read and Describe"),
        (["kafka-doctor", "--topic", "few", "--group", "few"], OK, "topic few: user 'few' has Write and Read"),
        (["kafka-doctor", "--write"], OK, "this client has no right to create topics (Create on kafka-doctor-*)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_user_with_few_rights(few, command, status, says):
    done = run(*command, "--client-properties", few)

    assert says in done.stdout
    assert done.returncode == status, done.stdout
    assert "Traceback" not in done.stdout

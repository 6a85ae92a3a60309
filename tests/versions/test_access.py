"""Users, ACLs and quotas as code, on brokers with Kafka's two authorizers."""

import json
import os
import subprocess

import pytest
import yaml

from kafka_proof.client.connection import admin_client
from kafka_proof.operations.access import acls, quotas, users
from tests.versions.kafka import KRAFT, ROOT, ZOOKEEPER
from tests.versions.secured import ADMIN, params, secured

ALICE, BOB = {"name": "alice", "password": "secret-of-alice"}, {"name": "b,o=b", "password": "secret-of-bob"}
ACLS = [
    {"principal": "alice", "role": "producer", "topic_prefix": "orders"},
    {"principal": "alice", "resource": "cluster", "operations": ["describe"]},
    {"principal": "b,o=b", "role": "streams", "application_id": "app", "inputs": ["*"], "outputs": ["out*"]},
]
QUOTAS = [
    {"user": "alice", "producer_byte_rate": 1024, "request_percentage": 12.5},
    {"user": "<default>", "client_id": "<default>", "consumer_byte_rate": 2048},
    {"ip": "127.0.0.9", "connection_creation_rate": 5},
]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("4.4.0", KRAFT), marks=[pytest.mark.sample, pytest.mark.xdist_group("access-kraft")]),
        pytest.param(("3.9.2", ZOOKEEPER), marks=pytest.mark.xdist_group("access-zookeeper")),
    ],
    ids=["kraft", "zookeeper"],
)
def kafka(request):
    with secured(*request.param) as found:
        yield found


@pytest.fixture
def said():
    return []


def done(have, kafka, check=False, say=lambda line: None, **own):
    """Return the lines of the changes. A second run changes nothing, unless the first one only checks."""
    result = have(params(kafka.client(), **own), check, say)
    assert not result.get("failed"), result["msg"]
    assert result["changed"] is bool(result["changes"])
    if not check:
        again = have(params(kafka.client(), **own), False, say)
        assert (again.get("msg", ""), again["changes"], again["diff"]) == ("", [], {"before": "", "after": ""})
    return result["changes"]


def can_log_in(kafka, user):
    given = {users.key(user): user["password"]}
    return users.logins(kafka.client(), given, 10) == dict.fromkeys(given, "")


def test_users(kafka):
    listed = [ALICE, BOB, BOB | {"mechanism": "SCRAM-SHA-256", "iterations": 8192}]
    assert len(done(users.have, kafka, check=True, users=listed)) == 3
    assert not can_log_in(kafka, ALICE)
    assert done(users.have, kafka, users=listed) == [
        "+ user alice, SCRAM-SHA-512",
        "+ user b,o=b, SCRAM-SHA-512",
        "+ user b,o=b, SCRAM-SHA-256, 8192 iterations",
    ]
    assert all(can_log_in(kafka, user) for user in listed)
    assert done(users.have, kafka, absent=["b,o=b"], users=[]) == [
        "- user b,o=b, SCRAM-SHA-256, 8192 iterations",
        "- user b,o=b, SCRAM-SHA-512, 4096 iterations",
    ]


def test_a_changed_password_is_detected(kafka):
    done(users.have, kafka, users=[ALICE, BOB])
    new = ALICE | {"password": "new-secret-of-alice"}
    for check in (True, False):
        assert done(users.have, kafka, check, users=[new, BOB]) == [
            "~ user alice, SCRAM-SHA-512, 4096 iterations, another password"
        ]
    assert (can_log_in(kafka, new), can_log_in(kafka, ALICE)) == (True, False)


def test_a_password_is_made(kafka, tmp_path):
    [line] = done(users.have, kafka, check=True, users=[{"name": "carol"}], secrets=tmp_path)
    assert (line, list(tmp_path.iterdir())) == ("+ user carol, SCRAM-SHA-512", [])
    done(users.have, kafka, users=[{"name": "carol"}], secrets=tmp_path)
    assert can_log_in(kafka, {"name": "carol", "password": (tmp_path / "carol").read_text()})


def test_without_logins_existing_users_stay(kafka):
    done(users.have, kafka, users=[ALICE])
    plain = params({"bootstrap.servers": kafka.open}, users=[ALICE | {"password": "other"}, {**BOB, "name": "dave"}])
    result = users.have(plain, check=False)
    assert result["changes"] == ["+ user dave, SCRAM-SHA-512"]
    [warning] = result["warnings"]
    assert "passwords of 1 existing users cannot be verified (no-login)" in warning
    assert can_log_in(kafka, ALICE)


def test_acls(kafka):
    count = len(acls.wanted(ACLS))
    assert len(done(acls.have, kafka, check=True, acls=ACLS)) == count
    assert len(done(acls.have, kafka, acls=ACLS)) == count
    absent = [{"principal": "alice", "resource": "cluster", "operations": ["describe"]}]
    assert done(acls.have, kafka, acls=[], absent=absent) == ["- ACL of User:alice: allow describe on cluster"]
    assert done(acls.have, kafka, acls=ACLS) == ["+ ACL of User:alice: allow describe on cluster"]


def test_quotas(kafka):
    assert len(done(quotas.have, kafka, check=True, quotas=QUOTAS)) == 3
    assert len(done(quotas.have, kafka, quotas=QUOTAS)) == 3
    less = [{"user": "alice", "producer_byte_rate": 2048}]
    assert done(quotas.have, kafka, quotas=less) == [
        "~ quota of user alice: producer_byte_rate 1024, request_percentage 12.5, "
        "wanted: quota of user alice: producer_byte_rate 2048"
    ]
    result = quotas.have(params(kafka.client(), quotas=[{"user": "alice", "connection_creation_rate": 1}]), False)
    assert (result["failed"], result["changed"]) == (True, False)
    assert "quota of user alice: Invalid configuration key connection_creation_rate" in result["msg"]


def test_pruning_is_shown_first_and_keeps_what_the_cluster_needs(kafka, said):
    done(users.have, kafka, users=[ALICE, BOB])
    kept = {"principal": ADMIN, "resource": "topic", "name": "x", "operations": ["read"]}
    done(acls.have, kafka, acls=[*ACLS, kept])
    done(quotas.have, kafka, quotas=QUOTAS)
    for have, own, removed in (
        (users.have, {"users": [ALICE]}, "user b,o=b, SCRAM-SHA-512, 4096 iterations"),
        (acls.have, {"acls": ACLS[1:]}, "ACL of User:alice: allow write on topic prefixed orders"),
        (quotas.have, {"quotas": QUOTAS[:2]}, "quota of ip 127.0.0.9: connection_creation_rate 5"),
    ):
        for check in (True, False):
            said.clear()
            assert f"- {removed}" in done(have, kafka, check, said.append, prune=True, **own)
            assert f"prune: {removed}" in said
    with admin_client(kafka.client(), 5) as admin:
        assert {name for name, _ in users.KIND.read(admin, None)} == {"alice", ADMIN}
        assert [acl for acl in acls.KIND.read(admin, None) if acl.principal == f"User:{ADMIN}"]


def test_a_missing_right_is_named(kafka):
    done(users.have, kafka, users=[ALICE])
    done(acls.have, kafka, acls=[], prune=True)
    client = kafka.client("alice", ALICE["password"])
    for have, own, read, alter in (
        (users.have, {"users": [BOB | {"name": "erin"}]}, "Describe", "Alter"),
        (acls.have, {"acls": ACLS}, "Describe", "Alter"),
        (quotas.have, {"quotas": QUOTAS}, "DescribeConfigs", "AlterConfigs"),
    ):
        refused = have(params(client, **own), False)
        assert f"no right {read} on the cluster" in refused["msg"]
        rights = [{"principal": "alice", "resource": "cluster", "operations": ["describe", "describe_configs"]}]
        done(acls.have, kafka, acls=rights)
        assert have(params(client, **own), True)["changed"] is True
        refused = have(params(client, **own), False)
        assert (refused["changed"], f"no right {alter} on the cluster" in refused["msg"]) == (False, True), refused
        done(acls.have, kafka, acls=[], prune=True)


# The role


def play(kafka, directory, *options, play=None, **variables):
    """Run the role kafka_access against the broker, without an inventory. Return (exit status, output)."""
    play = play or {"roles": ["kafka_access"]}
    (directory / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, **play}]))
    variables = {
        "_stack_client": kafka.client(),
        "_stack_brokers": [{"settings": {"super.users": f"User:ANONYMOUS;User:{ADMIN}"}}],
        "stack_secrets": str(directory / "secrets"),
        **variables,
    }
    (directory / "variables.json").write_text(json.dumps(variables))
    done = subprocess.run(
        [
            "ansible-playbook",
            "-i",
            "localhost,",
            "-e",
            f"@{directory / 'variables.json'}",
            *options,
            directory / "play.yml",
        ],
        cwd=ROOT,
        env=os.environ | {"ANSIBLE_ROLES_PATH": str(ROOT / "roles")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_role(kafka, tmp_path):
    variables = {
        "kafka_users": [{"name": "alice"}, BOB],
        "kafka_users_absent": ["eve"],
        "kafka_acls": ACLS,
        "kafka_acls_absent": [{"principal": "eve", "resource": "topic", "name": "t", "operations": ["read"]}],
        "kafka_quotas": QUOTAS,
        "kafka_access_prune": ["users", "acls", "quotas"],
        "kafka_access_keep": ["carol"],
        "kafka_access_timeout": 30,
    }
    done(users.have, kafka, users=[{"name": name, "password": "some-secret"} for name in ("carol", "dave")])
    mine = tmp_path / "secrets" / "users" / "alice"
    status, output = play(kafka, tmp_path, "--check", "--diff", **variables)
    assert (status, mine.exists(), "prune: user dave" in output, "prune: user carol" in output) == (
        0,
        False,
        True,
        False,
    )
    changed = []
    for options in (["--diff", "-vvv"], ["--diff"]):
        status, output = play(kafka, tmp_path, *options, **variables)
        assert status == 0, output
        changed.append("changed=0" not in output)
        shown = [word for word in (mine.read_text(), BOB["password"]) if word in output]
        assert shown == []
    assert changed == [True, False], output
    assert (mine.stat().st_mode & 0o777, mine.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert can_log_in(kafka, {"name": "alice", "password": mine.read_text()})
    with admin_client(kafka.client(), 5) as admin:
        assert {name for name, _ in users.KIND.read(admin, None)} == {"alice", BOB["name"], "carol", ADMIN}

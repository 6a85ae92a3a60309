"""Users, ACLs and quotas as code, on brokers with Kafka's two authorizers."""

import json
import os
import subprocess
import sys

import pytest
import yaml
from kafka.admin import ConfigResourceType

from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.settings import alter
from kafka_proof.deploy.files import to_properties
from kafka_proof.operations import topics
from kafka_proof.operations.access import acls, quotas, users
from tests.versions.kafka import KRAFT, ROOT, ZOOKEEPER
from tests.versions.secured import ADMIN, PASSWORD, params, secured

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
    assert can_log_in(kafka, {"name": "carol", "password": (tmp_path / "users" / "carol").read_text()})


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
    for have, own, read, write in (
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
        assert (refused["changed"], f"no right {write} on the cluster" in refused["msg"]) == (False, True), refused
        done(acls.have, kafka, acls=[], prune=True)


def test_a_client_that_may_not_see_all_groups_is_told(kafka, tmp_path):
    done(users.have, kafka, users=[ALICE])
    done(acls.have, kafka, acls=[], prune=True)
    hint = " that this client may see (Describe)"
    for client, said in ((kafka.client(), ""), (kafka.client("alice", ALICE["password"]), hint)):
        file = tmp_path / "client.properties"
        file.write_text(to_properties(client))
        command = [sys.executable, "-m", "kafka_proof.lag", "--client-properties", file]
        lag = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (lag.returncode, lag.stdout) == (0, f"groups: none{said}\n"), lag.stderr


# Playbooks


def play(kafka, directory, playbook, *options, **variables):
    """Run a playbook against the broker. Return (exit status, output)."""
    inventory = {"kafka": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
    variables = {
        "_stack_client": kafka.client(),
        "_stack_access": {"mechanism": users.USUAL},
        "kafka_access_keep": [ADMIN],
        "stack_secrets": str(directory / "secrets"),
        **variables,
    }
    for name, content in (("inventory.yml", inventory), ("variables.yml", variables)):
        (directory / name).write_text(yaml.safe_dump(content))
    command = ["ansible-playbook", "-i", directory / "inventory.yml", "-e", f"@{directory / 'variables.yml'}"]
    done = subprocess.run(
        [*command, *options, playbook],
        cwd=ROOT,
        env=os.environ | {"ANSIBLE_ROLES_PATH": str(ROOT / "roles")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def of_role(name, directory):
    """Write a playbook with one role, and return its path."""
    path = directory / "role.yml"
    path.write_text(yaml.safe_dump([{"hosts": "kafka", "gather_facts": False, "roles": [name]}]))
    return path


def test_role_of_topics(kafka, tmp_path):
    role = of_role("kafka_topics", tmp_path)
    listed = [topic("kept"), topic("stale")]
    assert not topics.have(params(kafka.client(), topics=listed), False).get("failed")
    variables = {"kafka_topics_present": [{"name": "kept", "replication_factor": 1}], "kafka_topics_reassign": True}
    variables["kafka_access_prune"] = ["topics"]
    for options, there in ((["--check"], True), ([], False)):
        status, output = play(kafka, tmp_path, role, *options, **variables)
        assert (status, "prune: topic stale" in output, "changed=1" in output) == (0, True, True), output
        with admin_client(kafka.client(), 5) as admin:
            assert ("stale" in admin.list_topics()) is there


def test_role(kafka, tmp_path):
    role = of_role("kafka_access", tmp_path)
    variables = {
        "_stack_brokers": [{"settings": {"super.users": f"User:ANONYMOUS;User:{ADMIN}"}}],
        "kafka_users": [{"name": "alice"}, BOB],
        "kafka_users_absent": ["eve"],
        "kafka_acls": ACLS,
        "kafka_acls_absent": [{"principal": "eve", "resource": "topic", "name": "t", "operations": ["read"]}],
        "kafka_quotas": QUOTAS,
        "kafka_access_prune": ["users", "acls", "quotas"],
        "kafka_access_keep": ["carol"],
        "kafka_access_timeout": 30,
    }
    names = ("carol", "dave")
    done(users.have, kafka, users=[{"name": name, "password": "some-secret"} for name in names], absent=["alice"])
    mine = tmp_path / "secrets" / "users" / "alice"
    status, output = play(kafka, tmp_path, role, "--check", "--diff", **variables)
    assert (status, mine.exists()) == (0, False), output
    assert ("prune: user dave" in output, "prune: user carol" in output) == (True, False)
    changed = []
    for options in (["--diff", "-vvv"], ["--diff"]):
        status, output = play(kafka, tmp_path, role, *options, **variables)
        assert status == 0, output
        changed.append("changed=0" not in output)
        assert [word for word in (mine.read_text(), BOB["password"], PASSWORD) if word in output] == []
    assert changed == [True, False], output
    assert (mine.stat().st_mode & 0o777, mine.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert can_log_in(kafka, {"name": "alice", "password": mine.read_text()})
    with admin_client(kafka.client(), 5) as admin:
        assert {name for name, _ in users.KIND.read(admin, None)} == {"alice", BOB["name"], "carol", ADMIN}


ODD = ["é\u2028", "{{ lookup('env', 'HOME') }}", "yes", "1e3", "a: b # c", "{% raw %}"]


@pytest.fixture
def described(kafka, tmp_path):
    """A cluster with items of all kinds, some with odd names, and the options with which export.yml describes it."""
    done(users.have, kafka, users=[ALICE, *({"name": name, "password": "some-secret"} for name in ODD[1:])], prune=True)
    odd = [{"principal": f"User:{name}", "resource": "group", "name": name, "operations": ["read"]} for name in ODD]
    done(acls.have, kafka, acls=[*ACLS, *odd], prune=True)
    done(quotas.have, kafka, quotas=[*QUOTAS, *({"user": name, "producer_byte_rate": 7} for name in ODD)], prune=True)
    names = [topic("kept", 2, {"retention.ms": "60000"}), topic("other", 1), topic("app-x-changelog", 1)]
    result = topics.have(params(kafka.client(), topics=names, absent=["gone"]), False)
    assert not result.get("failed"), result
    path = tmp_path / "export.yml"
    status, output = play(kafka, tmp_path, "playbooks/export.yml", export_path=str(path))
    assert (status, "changed=1" in output) == (0, True), output
    assert not [name for name in (ALICE["password"], ADMIN, "changelog") if name in path.read_text()]
    return ["-e", f"@{path}"]


def topic(name, partitions=None, config=None):
    return {"name": name, "partitions": partitions, "replication_factor": None, "config": config}


def test_export_then_plan(kafka, tmp_path, described):
    status, output = play(kafka, tmp_path, "playbooks/plan.yml", *described)
    assert (status, "No difference in topics, users, acls, quotas." in output) == (0, True), output
    path = described[1].removeprefix("@")
    status, output = play(kafka, tmp_path, "playbooks/export.yml", export_path=path)
    assert (status, "changed=0" in output) == (0, True), output


def test_plan_finds_each_drift_and_nothing_else(kafka, tmp_path, described):
    mine = acls.items(dict.fromkeys(list(acls.wanted(ACLS[:1]))[:1]))[0]
    with admin_client(kafka.client(), 5) as admin:
        alter(admin, {(ConfigResourceType.TOPIC, "kept"): {"retention.ms": "1", "segment.ms": "60000"}})
        admin.create_partitions({"other": 3})
        admin.create_topics({"unknown": {"num_partitions": 1}}, wait_for_metadata=True)
    done(acls.have, kafka, acls=[{**mine, "name": "planted"}], absent=[mine])
    done(users.have, kafka, users=[{"name": "planted", "password": "some-secret"}], absent=["alice"])
    done(
        quotas.have,
        kafka,
        quotas=[QUOTAS[0] | {"producer_byte_rate": 4096}, {"user": "planted", "request_percentage": 9}],
    )
    options = [*described, "-e", json.dumps({"stack_secrets": str(tmp_path / "none")})]
    status, output = play(kafka, tmp_path, "playbooks/plan.yml", *options)
    assert status == 2, output
    right = mine["operations"][0]
    expected = {
        "~ topic kept: retention.ms 1, wanted: 60000",
        "~ topic kept: segment.ms 60000, wanted: of the broker",
        "~ topic other: partitions 3, wanted: 1",
        "- topic unknown",
        "+ user alice, SCRAM-SHA-512, 4096 iterations",
        "- user planted, SCRAM-SHA-512, 4096 iterations",
        f"+ ACL of User:alice: allow {right} on topic prefixed orders",
        f"- ACL of User:alice: allow {right} on topic prefixed planted",
        "~ quota of user alice: producer_byte_rate 4096, request_percentage 12.5, "
        "wanted: quota of user alice: producer_byte_rate 1024, request_percentage 12.5",
        "- quota of user planted: request_percentage 9",
    }
    found = {line.strip() for line in output.splitlines() if line.strip()[:2] in ("~ ", "+ ", "- ")}
    assert found == expected
    assert f"{len(expected)} differences; + is in the files alone" in output


def test_a_principal_with_rights_on_topics_manages_topics_alone(kafka, tmp_path):
    rights = ["alter", "alter_configs", "create", "delete", "describe", "describe_configs"]
    done(users.have, kafka, users=[ALICE])
    done(
        acls.have,
        kafka,
        acls=[{"principal": "alice", "resource": "topic", "name": "*", "operations": rights}],
        prune=True,
    )
    client = kafka.client("alice", ALICE["password"])
    own = {"client": client, "timeout": 30, "absent": []}
    listed = [topic("kept", 2, {"retention.ms": 5}), topic("mine", 1)]
    assert not topics.have(own | {"topics": listed}, False).get("failed")
    shown = []
    for check in (True, False):
        result = topics.have(own | {"topics": listed[:1], "prune": True}, check, shown.append)
        assert "mine" in result["deleted"]
        assert "prune: topic mine" in shown
    assert not [name for name in result["deleted"] if name.startswith("_") or name.endswith("-changelog")]
    assert topics.have(own | {"topics": [], "prune": True}, False)["failed"]
    variables = {"_stack_client": client, "kafka_topics_present": listed[:1]}
    status, output = play(kafka, tmp_path, "playbooks/plan.yml", **variables, plan_kinds=["topics"])
    assert (status, "No difference in topics." in output) == (0, True), output
    status, output = play(kafka, tmp_path, "playbooks/export.yml", **variables, export_kinds=["acls"])
    assert (status, "no right Describe on the cluster" in output) == (2, True), output

"""Access as code without a broker: which users, ACLs and quotas a list means, and what changes."""

import pytest

from kafka_proof.operations.access import acls, quotas, roles, shared, users
from kafka_proof.operations.access.acls import line
from kafka_proof.operations.access.check import problems
from kafka_proof.operations.access.roles import Acl

USER = {"name": "alice", "password": "secret-of-alice"}


def short(item):
    """Return the ACLs of an item as text: resource name*: operations."""
    found = {}
    for acl in acls.wanted([item]):
        assert (acl.principal, acl.permission, acl.host) == ("User:alice", "allow", item.get("host", "*"))
        name = acl.name + ("*" if acl.pattern == "prefixed" else "")
        found.setdefault(f"{acl.resource} {name}", []).append(acl.operation)
    return {key: " ".join(sorted(operations)) for key, operations in found.items()}


@pytest.mark.parametrize(
    ("item", "rights"),
    [
        pytest.param({"role": "producer", "topic": "t"}, {"topic t": "describe write"}, id="producer"),
        pytest.param(
            {"role": "producer", "topic_prefix": "t-", "transactional_id": "x", "host": "10.0.0.1"},
            {"topic t-*": "describe write", "transactional_id x": "describe write"},
            id="producer with transactions",
        ),
        pytest.param(
            {"role": "consumer", "topic": "t", "group_prefix": "g-"},
            {"topic t": "describe read", "group g-*": "describe read"},
            id="consumer",
        ),
        pytest.param(
            {"role": "streams", "application_id": "app", "inputs": ["in", "many*", "*"], "outputs": ["out"]},
            {
                "group app": "describe read",
                "topic app-*": "create delete describe describe_configs read write",
                "transactional_id app-*": "describe write",
                "topic in": "describe read",
                "topic many*": "describe read",
                "topic *": "describe read",
                "topic out": "describe write",
            },
            id="streams",
        ),
        pytest.param(
            {"role": "connect", "group": "c", "storage": ["s"]},
            {"group c": "describe read", "topic s": "create describe describe_configs read write"},
            id="connect, workers alone",
        ),
        pytest.param(
            {"role": "connect", "group": "c", "inputs": ["in"], "outputs": ["out"]},
            {
                "group c": "describe read",
                **{f"topic {name}": "create describe describe_configs read write" for name in roles.CONNECT_STORAGE},
                "group connect-*": "describe read",
                "transactional_id connect-cluster-c": "describe write",
                "transactional_id c-*": "describe write",
                "topic in": "describe read",
                "topic out": "describe write",
            },
            id="connect",
        ),
        pytest.param(
            {"resource": "topic", "name": "t", "operations": ["READ", "describe-configs"], "pattern": "prefixed"},
            {"topic t*": "describe_configs read"},
            id="plain",
        ),
        pytest.param(
            {"resource": "cluster", "operations": ["alter"]}, {"cluster kafka-cluster": "alter"}, id="cluster"
        ),
    ],
)
def test_rights(item, rights):
    item = {"principal": "alice", **item}
    assert acls.problems([item]) == []
    assert short(item) == rights


@pytest.mark.parametrize(
    ("name", "principal"),
    [
        ("alice", "User:alice"),
        ("User:alice", "User:alice"),
        ("User:*", "User:*"),
        ("Group:dev", "Group:dev"),
        ("CN=a:b", "User:CN=a:b"),
        ("a.b:c", "User:a.b:c"),
    ],
)
def test_principals(name, principal):
    assert roles.principal(name) == principal


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"role": "producer"}, ["needs topic or topic_prefix"]),
        ({"role": "producer", "topic": "t", "topic_prefix": "t"}, ["topic and topic_prefix exclude each other"]),
        ({"role": "producer", "topic": "t", "group": "g"}, ["producer has no group"]),
        ({"role": "consumer", "topic": "t"}, ["needs group or group_prefix"]),
        ({"role": "streams"}, ["needs application_id"]),
        ({"role": "reader"}, ["no role reader", "producer, consumer, streams, connect"]),
        ({"topic": "t"}, ["topic without a role"]),
        ({"operations": ["read"]}, ["no role and no resource"]),
        ({"resource": "topic", "operations": ["read"]}, ["no name", "* is all"]),
        ({"resource": "topic", "name": "t"}, ["no operations"]),
        ({"resource": "topic", "name": "t", "operations": ["fly"]}, ["no operation fly", "read, write"]),
        ({"resource": "cluster", "name": "c", "operations": ["alter"]}, ["cluster has no name"]),
    ],
)
def test_an_item_that_is_no_acl(item, words):
    found = "\n".join(acls.problems([{"principal": "alice", **item}]))
    assert found.startswith("kafka_acls has {'principal': 'alice'")
    assert not [word for word in words if word not in found], found


def test_acls_that_are_absent():
    plain = {"principal": "a", "resource": "topic", "name": "t", "operations": ["read"]}
    assert acls.problems([], [plain]) == []
    assert "Keep one" in acls.problems([{"principal": "a", "role": "consumer", "topic": "t", "group": "g"}], [plain])[0]
    assert "kafka_acls_absent has" in acls.problems([], [{"principal": "a", "role": "producer", "topic": "t"}])[0]


def test_acls_as_a_list_and_back():
    listed = [
        {"principal": "User:a", "resource": "cluster", "operations": ["alter", "describe"]},
        {"principal": "User:a", "resource": "topic", "name": "{{ x }}", "pattern": "prefixed", "operations": ["read"]},
        {"principal": "User:b", "resource": "group", "name": "*", "operations": ["all", "16"], "permission": "deny"},
        {"principal": "User:b", "resource": "group", "name": "g", "operations": ["read"], "host": "::1"},
    ]
    for item in listed:
        item["operations"].sort()
    back = acls.items(acls.wanted(listed))
    assert sorted(back, key=repr) == sorted(listed, key=repr)


def test_an_acl_is_one_line():
    assert line(Acl("User:a\n", "deny", "read", "topic", "t", "prefixed", "h")) == (
        "ACL of User:a: deny read on topic prefixed t from h"
    )
    assert line(Acl("User:a", "allow", "alter", "cluster", "kafka-cluster", "literal", "*")) == (
        "ACL of User:a: allow alter on cluster"
    )


QUOTAS = [
    ({"user": "a", "producer_byte_rate": 5}, (("user", "a"),), {"producer_byte_rate": 5.0}),
    (
        {"client_id": "<default>", "user": "<default>", "request_percentage": 12.5},
        (("user", None), ("client-id", None)),
        {"request_percentage": 12.5},
    ),
    ({"ip": "::1", "connection_creation_rate": 3}, (("ip", "::1"),), {"connection_creation_rate": 3.0}),
]


@pytest.mark.parametrize(("item", "entity", "limits"), QUOTAS)
def test_quotas(item, entity, limits):
    assert quotas.problems([item]) == []
    assert quotas.wanted([item]) == {entity: limits}
    [back] = quotas.items({entity: limits})
    assert back == item


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"producer_byte_rate": 1}], "no entity"),
        ([{"user": "a"}], "no limit"),
        ([{"user": "a", "ip": "h", "connection_creation_rate": 1}], "an ip has its own quotas"),
        ([{"user": "a", "producer_byte_rate": 1}, {"user": "a", "consumer_byte_rate": 1}], "a second time"),
    ],
)
def test_an_item_that_is_no_quota(items, words):
    [problem] = quotas.problems(items)
    assert problem.startswith("kafka_quotas has {'")
    assert words in problem


@pytest.mark.parametrize(
    ("listed", "absent", "words"),
    [
        ([USER, USER], [], "alice with SCRAM-SHA-512 more than once"),
        ([USER], ["alice"], "kafka_users and kafka_users_absent both have alice"),
        ([USER | {"iterations": 100}], [], "100 iterations. Give 4096 to 16384"),
        ([USER | {"name": ""}], [], "the name ''"),
        ([USER | {"name": "é"}], [], "the name 'é'. Give it ASCII characters"),
        ([USER | {"password": ""}], [], "an empty password"),
        ([USER | {"password": "x "}], [], "the password of alice has a control character, or a space at an end"),
        ([{"name": "alice"}], [], "without a password"),
    ],
)
def test_users_that_kafka_would_refuse(listed, absent, words):
    [problem] = users.problems(listed, absent)
    assert words in problem
    assert USER["password"] not in problem


def test_a_user_with_two_mechanisms_and_one_file(tmp_path):
    listed = [{"name": "../a"}, {"name": "../a", "mechanism": "SCRAM-SHA-256", "iterations": 8192}]
    assert users.problems(listed, [], "directory") == []
    assert users.wanted(listed) == {("../a", "SCRAM-SHA-512"): None, ("../a", "SCRAM-SHA-256"): 8192}
    directory = tmp_path / "secrets"
    assert users._passwords(listed, directory, []) == {}
    assert not directory.exists()
    made = users._passwords(listed, directory, [("../a", "SCRAM-SHA-512")])
    [file] = (directory / "users").iterdir()
    assert {len(file.read_text()), *made.values()} == {32, file.read_text()}
    assert users._passwords(listed, directory, []) == made


@pytest.mark.parametrize(
    ("usual", "found"),
    [
        ("SCRAM-SHA-512", [("a", "SCRAM-SHA-512"), ("b", "SCRAM-SHA-256")]),
        ("SCRAM-SHA-256", [("a", "SCRAM-SHA-256"), ("b", "SCRAM-SHA-256")]),
        ("PLAIN", [("b", "SCRAM-SHA-256")]),
        ("", [("b", "SCRAM-SHA-256")]),
    ],
)
def test_users_with_a_certificate_or_plain_are_left_out(usual, found):
    listed = [{"name": "a"}, {"name": "b", "mechanism": "SCRAM-SHA-256"}, {"name": "c", "mechanism": "PLAIN"}]
    assert list(users.wanted(users.of_scram(listed, usual))) == found


def test_users_as_a_list():
    table = {("b", "SCRAM-SHA-512"): 4096, ("a", "SCRAM-SHA-256"): 8192}
    listed = users.items(table)
    assert listed == [
        {"name": "a", "mechanism": "SCRAM-SHA-256", "iterations": 8192},
        {"name": "b", "mechanism": "SCRAM-SHA-512", "iterations": 4096},
    ]
    assert users.wanted(listed) == table


def test_all_variables_are_checked_at_once():
    values = {"kafka_users": [USER, USER], "kafka_acls": [{"principal": "a"}], "kafka_quotas": [{"user": "a"}]}
    assert [problem.partition(" ")[0] for problem in problems(values)] == [
        "kafka_users",
        "kafka_acls",
        "kafka_acls",
        "kafka_quotas",
    ]
    assert problems({}) == []


@pytest.mark.parametrize(
    ("wanted", "absent", "prune", "plan"),
    [
        pytest.param({}, [], None, shared.Plan(), id="nothing is said"),
        pytest.param({"a": 1, "b": None}, [], None, shared.Plan(), id="all is as it is wanted"),
        pytest.param({"a": 2, "c": 3}, [], None, shared.Plan({"c": 3}, {"a": (1, 2)}), id="new, different"),
        pytest.param({}, ["a", "x"], None, shared.Plan(remove={"a": 1}), id="absent"),
        pytest.param({"a": 1}, [], lambda key: True, shared.Plan(remove={"b": 2}), id="pruned"),
        pytest.param({}, [], lambda key: key != "b", shared.Plan(remove={"a": 1}), id="kept"),
    ],
)
def test_plans(wanted, absent, prune, plan):
    assert shared.make_plan(wanted, absent, {"a": 1, "b": 2}, prune) == plan


def test_a_result_shows_all_and_no_password():
    key = ("alice", "SCRAM-SHA-512")
    plan = shared.Plan({("bob", "SCRAM-SHA-256"): None}, {key: (4096, 4096)}, {("eve", "SCRAM-SHA-512"): 8192})
    result = shared.result(users.KIND, plan)
    assert result["changes"] == [
        "+ user bob, SCRAM-SHA-256",
        "~ user alice, SCRAM-SHA-512, 4096 iterations, another password",
        "- user eve, SCRAM-SHA-512, 8192 iterations",
    ]
    assert "another password" in result["diff"]["before"]
    assert shared.result(users.KIND, shared.Plan())["changed"] is False


@pytest.mark.parametrize(
    ("module", "key", "kept"),
    [
        (acls, Acl("User:admin", "allow", "all", "topic", "t", "literal", "*"), True),
        (acls, Acl("User:alice", "allow", "all", "topic", "t", "literal", "*"), False),
        (quotas, (("user", "admin"), ("client-id", None)), True),
        (quotas, (("user", None),), False),
        (quotas, (("ip", "admin"),), False),
    ],
)
def test_what_the_cluster_needs_stays(module, key, kept):
    client = {"bootstrap.servers": "h:1"}
    names = shared.kept({"client": client, "keep": ["User:admin", "CN=node"]})
    assert names == {"admin", "CN=node"}
    assert module.prunable(names, key) is not kept


def test_without_items_nothing_is_asked():
    params = {"client": {"bootstrap.servers": "localhost:1"}, "prune": False, "keep": [], "timeout": 1}
    for result in (
        users.have(params | {"users": [], "absent": [], "mechanism": "", "secrets": ""}, check=False),
        acls.have(params | {"acls": [], "absent": []}, check=False),
        quotas.have(params | {"quotas": []}, check=False),
    ):
        assert result["changed"] is False

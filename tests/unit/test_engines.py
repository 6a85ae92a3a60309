"""Which hosts share an engine, and which options the commands in messages carry."""

import pytest

from kafka_proof.deploy.engines import connection, engines, is_local, sharing, smoke_options, stack_options


def test_engines():
    hostvars = {
        "localhost": {},
        "a": {"ansible_connection": "local"},
        "b": {"ansible_host": "10.0.0.2"},
        "c": {"ansible_host": "10.0.0.2"},
        "d": {},
    }
    found = engines(hostvars, hostvars)
    assert [sharing(found, host) for host in ("a", "b", "d")] == [["localhost", "a"], ["b", "c"], ["d"]]
    assert [host for host in hostvars if is_local(host, hostvars)] == ["localhost", "a"]


@pytest.mark.parametrize(
    ("sources", "name", "given", "options"),
    [
        (["/p/inventory.example"], "", [], ""),
        (["/p/inventory.example"], "two", [], " -e stack_name=two"),  # set in the inventory
        (["/else where/hosts"], "", [], " -i '/else where/hosts'"),
        (
            ["a,b,"],
            "two",
            ["stack_name=two", "kafka_port=9093", "ansible_become_pass=x"],
            " -i a,b, -e stack_name=two -e kafka_port=9093",
        ),
        (["/p/inventory.example"], "", ["a_password=x"], " -e 'a_password=***'"),
        (["/p/inventory.example"], "", ["migrate_until=both  kafka_port=1"], " -e kafka_port=1"),
        (["/p/inventory.example"], "", ["kafka_port=1 teardown_data='a b'"], " -e kafka_port=1"),
        (
            ["/p/inventory.example"],
            "",
            ["kafka_advertised_host='a  b' x"],
            """ -e 'kafka_advertised_host='"'"'a  b'"'"' x'""",
        ),
        (["/p/inventory.example"], "", ["@a  migrate.yml"], " -e '@a  migrate.yml'"),
        (["/p/inventory.example"], "", ["{kafka_port: 1, migrate_until: both}"], """ -e '{"kafka_port": 1}'"""),
        (["/p/inventory.example"], "", ['{"migrate_until": "x", "kafka_port": 1}'], """ -e '{"kafka_port": 1}'"""),
        (["/p/inventory.example"], "", ['{"kafka_port": 1}', "teardown_data=true"], """ -e '{"kafka_port": 1}'"""),
    ],
)
def test_stack_options(sources, name, given, options):
    assert stack_options(sources, ["/p/inventory.example"], name, given) == options


@pytest.mark.parametrize(
    ("name", "topics", "options"),
    [
        ("", [{"name": "kafka_demo", "partitions": 2}], ""),
        ("two", [{"name": "kafka_demo", "partitions": 2}], " -- --client-properties /p --topic=kafka_demo:2"),
        ("", [{"name": "orders"}], " -- --client-properties /p --topic=orders"),
        ("", [], " -- --client-properties /p"),
    ],
)
def test_smoke_options(name, topics, options):
    assert smoke_options(name, "/p", topics) == options


def test_the_connection_of_a_host_has_no_password():
    given = {
        "ansible_user": "admin",
        "ansible_ssh_common_args": "-o ProxyJump=gate",
        "ansible_become": True,
        "ansible_password": "secret",
        "ansible_become_password": "secret",
        "ansible_ssh_pass": "secret",
        "ansible_facts": {},
        "kafka_port": 9092,
    }
    assert connection("one", {"one": given}) == {
        "ansible_host": "one",
        "ansible_user": "admin",
        "ansible_ssh_common_args": "-o ProxyJump=gate",
        "ansible_become": "True",
    }

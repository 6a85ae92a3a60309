"""Stacks come and go: side by side, taken down with and without their data, and in the way of others."""

import pytest

from tests.deploy.conftest import TOPIC
from tests.support.engine import docker


def test_two_stacks_side_by_side(stack, spare):
    stack.produce("of the first")
    kept = stack.messages()
    before = stack.state()
    spare.site(kafka_topics_present=[{"name": "of_the_second", "partitions": 1}])
    spare.produce("of the second", topic="of_the_second")
    assert "of_the_second" not in stack.topics()
    assert spare.topics() == {"of_the_second": 1}
    spare.teardown(data=True)
    assert not any(spare.state().values())
    assert stack.state() == before
    assert stack.messages() == kept


def test_teardown_keeps_the_data_and_site_brings_it_back(spare):
    spare.site()
    spare.produce("one", "two")
    spare.commit("keeper", 1)
    play = spare.teardown(data=False)
    assert play.changed > 0
    assert spare.state() == {
        "containers": [],
        "volumes": [f"{spare.kafka}-data", f"{spare.zookeeper}-data"],
        "networks": [],
        "client.properties": None,
    }
    assert f"messages are kept in {spare.kafka}-data and {spare.zookeeper}-data" in play.output
    spare.site()
    assert spare.messages() == ["one", "two"]
    assert spare.committed("keeper") == 1

    # Of a secure cluster with the same stack_name, on other hosts.
    (spare.secrets / "users").mkdir(parents=True)
    (other := spare.secrets / "users" / "admin").write_text("theirs")
    assert spare.teardown(data=True).changed > 0
    assert not any(spare.state().values())
    assert other.read_text() == "theirs"
    again = spare.teardown(data=True)
    assert again.changed == 0
    assert f"There was nothing of a stack {spare.name} here." in again.output


def test_teardown_in_check_mode_removes_nothing(stack):
    before = stack.state()
    play = stack.play("playbooks/teardown.yml", "--check", teardown_data=True)
    assert play.ok, play.message
    assert play.changed > 0
    assert stack.state() == before


@pytest.mark.parametrize("container", ["kafka", pytest.param("zookeeper", marks=pytest.mark.long)])
def test_a_container_of_the_same_name_is_neither_replaced_nor_removed(spare, intruder, container):
    name = f"{spare.name}-{container}"
    identity = intruder(name, "--network", "none")
    before = spare.state()
    play = spare.play("site.yml")
    assert not play.ok
    for word in ("localhost", f"a container named {name}", "docker rename", "stack_name"):
        assert word in play.message
    assert spare.state() == before
    assert spare.teardown(data=True).changed == 0
    assert docker("inspect", "-f", "{{.Id}}", name) == identity


def test_zookeeper_volume_gone_or_new(spare):
    spare.site()
    spare.teardown(data=False)
    docker("volume", "rm", f"{spare.zookeeper}-data")
    before = spare.state()
    play = spare.play("site.yml")
    assert not play.ok
    for word in ("localhost", f"{spare.kafka}-data", f"{spare.zookeeper}-data", "is gone", "teardown_data=true"):
        assert word in play.message
    assert spare.state() == before

    docker("volume", "create", "--label", f"kafka-proof.stack={spare.name}", f"{spare.zookeeper}-data")
    play = spare.play("site.yml", kafka_start_timeout=25)
    assert not play.ok
    for word in (
        "localhost",
        spare.kafka,
        "belongs to another cluster",
        "teardown_data=true",
        "Last lines of its log:",
    ):
        assert word in play.message, play.message
    # The advice is followed.
    spare.teardown(data=True)
    spare.site()
    assert spare.topics()[TOPIC] == 2


def test_broker_that_refuses_its_configuration_is_diagnosed_and_corrected(spare):
    play = spare.play("site.yml", kafka_start_timeout=20, kafka_config={"log.retention.hours": "many"})
    assert not play.ok
    for word in ("localhost", spare.kafka, "log.retention.hours", "Correct kafka_config", "Last lines of its log:"):
        assert word in play.message, play.message
    spare.site()
    assert spare.topics()[TOPIC] == 2

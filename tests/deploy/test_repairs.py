"""Whatever was done to a stack, the next site.yml puts it right, with its messages; the one after changes nothing."""

import os
import signal
import subprocess
import uuid

import pytest

from tests.support.engine import docker
from tests.support.wait import wait_for

LONG = pytest.mark.long


@pytest.fixture
def repaired(stack):
    """Message in, damage done by the test, then repaired(): site.yml changes something, and all messages are there."""
    message = f"kept {uuid.uuid4()}"
    stack.produce(message)
    kept, done = stack.messages(), []

    def run():
        play = stack.site()
        assert play.changed > 0
        assert stack.messages() == kept
        stack.produce("written after the repair")
        again = stack.site()
        assert (again.changed, again.changed_tasks) == (0, [])
        done.append(play)

    yield run
    if not done:
        stack.site()  # for the next test, when this one failed half way


@pytest.mark.parametrize("how", ["stop", pytest.param("kill", marks=LONG), "pause"])
def test_broker_stopped(stack, repaired, how):
    docker(how, stack.kafka)
    repaired()


def test_without_the_image_what_runs_is_let_be(stack):
    before = stack.state()
    play = stack.play("site.yml", "--tags", "zookeeper,kafka", stack_image="kafka-proof:none")
    assert not play.ok
    assert "No such image" in play.message
    assert "Run site.yml without --tags" in play.message
    assert stack.state() == before


def test_both_containers_removed(stack, repaired):
    docker("rm", "-f", stack.kafka, stack.zookeeper)
    repaired()


@LONG
def test_zookeeper_removed(stack, repaired):
    docker("rm", "-f", stack.zookeeper)
    repaired()


def test_a_foreign_container_with_the_brokers_volume_is_not_replaced(stack, image, repaired):
    docker("stop", stack.kafka)
    docker("rm", stack.kafka)
    volume = ("-v", f"{stack.kafka}-data:/var/lib/kafka/data")
    docker("run", "-d", "--name", stack.kafka, *volume, "--network", "none", "--entrypoint", "sleep", image, "infinity")
    before = stack.state()
    play = stack.play("site.yml")
    assert not play.ok
    assert f"a container named {stack.kafka}" in play.message
    assert stack.state() == before
    docker("rm", "-f", "-v", stack.kafka)
    repaired()


@LONG
def test_disconnected_from_its_network(stack, repaired):
    docker("network", "disconnect", f"{stack.name}-kafka", stack.zookeeper)
    repaired()


def test_network_removed(stack, repaired):
    network = f"{stack.name}-kafka"
    docker("stop", stack.kafka)
    for container in (stack.kafka, stack.zookeeper):
        docker("network", "disconnect", "-f", network, container)
    docker("network", "rm", network)
    repaired()


@pytest.mark.parametrize("damage", [pytest.param("deleted", marks=LONG), "edited"])
def test_client_properties(stack, damage):
    good = stack.client_properties.read_text()
    if damage == "deleted":
        stack.client_properties.unlink()
    else:
        stack.client_properties.write_text(good.replace("localhost", "elsewhere"))
    assert stack.site().changed_tasks == ["Write client.properties"]
    assert stack.client_properties.read_text() == good
    assert stack.site().changed == 0


def test_killed_broker_comes_back_by_itself(stack):
    stack.produce("before the crash")
    kept, started = stack.messages(), restarts(stack)
    # Not by `docker kill`: what that ends was ended by a person, and the engine lets it be.
    os.kill(int(docker("inspect", "-f", "{{.State.Pid}}", stack.kafka)), signal.SIGKILL)
    wait_for(lambda: restarts(stack) > started, "the engine restarts the broker")
    stack.wait_ready()
    assert stack.messages() == kept
    assert stack.site().changed == 0


def restarts(stack):
    return int(docker("inspect", "-f", "{{.RestartCount}}", stack.kafka))


@pytest.mark.parametrize(
    ("task", "signal_number"),
    [
        pytest.param("Change the server", signal.SIGKILL, id="as ZooKeeper's container is made", marks=LONG),
        pytest.param("Start the broker", signal.SIGINT, id="as the broker's container is made"),
        pytest.param("Wait until every broker answers", signal.SIGKILL, id="while the broker starts", marks=LONG),
        pytest.param("Apply the topics", signal.SIGINT, id="before the topics", marks=LONG),
    ],
)
def test_interrupted(stack, repaired, task, signal_number):
    def interrupted():
        stack.teardown(data=False)
        return stack.interrupt(task, signal_number)

    assert any(interrupted() for _ in range(5))
    stack.client_properties.unlink(missing_ok=True)  # so that there is always something left to do
    repaired()


@pytest.mark.engine_restart
def test_engine_restarted(stack):
    stack.produce("before the engine restarts")
    kept = stack.messages()
    subprocess.run(["service", "docker", "restart"], check=True, capture_output=True, timeout=120)
    wait_for(lambda: docker("info", check=False), "the engine answers", 60)
    stack.wait_ready(90)
    assert stack.messages() == kept
    assert stack.site().changed == 0

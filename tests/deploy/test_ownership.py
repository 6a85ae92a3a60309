"""The label alone decides which resources belong to a stack. Others stay, and orphans are reported."""

import pytest

from tests.deploy.conftest import docker, own_name

PROPERTIES = """advertised.listeners=EXTERNAL://localhost:{port},INTERNAL://{kafka}:19092
broker.id=1
group.initial.rebalance.delay.ms=0
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=EXTERNAL:PLAINTEXT,INTERNAL:PLAINTEXT
listeners=EXTERNAL://0.0.0.0:{port},INTERNAL://0.0.0.0:19092
log.dirs=/var/lib/kafka/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
zookeeper.connect={zookeeper}:2181
"""

INTRUDER = own_name("kp-intruder")


@pytest.fixture
def previous(spare, image):
    """A stack as the previous version deployed it: settings in the environment, no labels on volumes and network."""
    docker("network", "create", f"{spare.name}-kafka")
    for name, port, inside, properties, script in (
        (
            spare.zookeeper,
            spare.zookeeper_port,
            2181,
            "admin.enableServer=false\nclientPort=2181\ndataDir=/var/lib/kafka/data\n",
            'printf %s "$PROPERTIES" >/opt/kafka/config/z; printf 1 >/var/lib/kafka/data/myid; '
            "exec /opt/kafka/bin/zookeeper-server-start.sh /opt/kafka/config/z",
        ),
        (
            spare.kafka,
            spare.port,
            spare.port,
            PROPERTIES.format(port=spare.port, kafka=spare.kafka, zookeeper=spare.zookeeper),
            'printf %s "$PROPERTIES" >/opt/kafka/config/k; '
            "exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/k",
        ),
    ):
        labels = {"stack": spare.name, "version": "3.9.2", "recipe": "x"}
        docker(
            *("run", "--detach", "--name", name, "--network", f"{spare.name}-kafka", "--restart", "unless-stopped"),
            *("--volume", f"{name}-data:/var/lib/kafka/data", "--publish", f"127.0.0.1:{port}:{inside}"),
            *("--env", "KAFKA_HEAP_OPTS=-Xmx256m", "--env", f"PROPERTIES={properties}"),
            *(word for key, value in labels.items() for word in ("--label", f"kafka-proof.{key}={value}")),
            *("--entrypoint", "bash", image, "-c", script),
        )
    spare.client_properties.parent.mkdir()
    spare.client_properties.write_text(f"bootstrap.servers=localhost:{spare.port}\n")
    spare.wait_ready()
    return spare


def test_a_stack_of_the_previous_version_is_adopted(previous):
    previous.produce("one", "two", topic="of_before")
    previous.commit("keeper", 1, topic="of_before")
    play = previous.site()
    assert {"Change the server", "Start the broker"} <= set(play.changed_tasks)
    assert previous.site().changed == 0
    assert previous.messages("of_before") == ["one", "two"]
    assert previous.committed("keeper", topic="of_before") == 1
    assert "PROPERTIES" not in docker("inspect", "-f", "{{.Config.Env}}", previous.kafka)

    # Without its containers, the data still belongs to the stack: a label says so, and not a name.
    theirs = f"{previous.zookeeper}-data-owner"
    docker("volume", "rm", theirs)
    docker("volume", "create", theirs)
    previous.teardown(data=False)
    assert f"a volume named {previous.zookeeper}-data exists" in previous.play("site.yml").message
    previous.site(stack_adopt_volumes=True)
    previous.teardown(data=False)
    previous.site()
    assert previous.messages("of_before") == ["one", "two"]
    previous.teardown(data=True)
    assert previous.volumes() == [theirs]
    docker("volume", "rm", theirs)


@pytest.mark.long
def test_data_of_the_previous_version_is_adopted_on_request(previous):
    previous.produce("kept", topic="of_before")
    docker("stop", previous.kafka, previous.zookeeper)
    docker("rm", previous.kafka, previous.zookeeper)
    play = previous.play("site.yml")
    assert not play.ok
    assert f"a volume named {previous.kafka}-data" in play.message
    assert "stack_adopt_volumes=true" in play.message
    previous.site(stack_adopt_volumes=True)
    assert previous.messages("of_before") == ["kept"]
    assert previous.site().changed == 0


def test_teardown_removes_a_stack_whatever_its_ids(spare):
    spare.site(kafka_broker_id=0, zookeeper_id=3)
    assert docker("inspect", "-f", "{{.State.Status}}", f"{spare.kafka}-0", f"{spare.zookeeper}-3").split() == [
        "running",
        "running",
    ]
    play = spare.play("site.yml")
    assert not play.ok
    assert f"the broker {spare.kafka}-0 exists" in play.message
    assert f"{spare.kafka}-0" in spare.play("playbooks/status.yml").output

    said = spare.teardown(data=True).output
    assert f"{spare.kafka}-0" in said
    assert not any(spare.state().values())


@pytest.mark.long
def test_a_changed_zookeeper_id_is_refused_and_nothing_is_lost(spare):
    spare.site()
    before = spare.state()
    play = spare.play("site.yml", zookeeper_id=5)
    assert not play.ok
    assert "Set zookeeper_id back" in play.message
    assert "teardown" not in play.message
    assert spare.state() == before

    # Its network is an orphan after a change of that.
    spare.site(stack_network=f"{spare.name}-other")
    said = spare.site(stack_network=f"{spare.name}-other").output
    assert f"network {spare.name}-kafka" in said
    spare.teardown(data=True)
    assert not any(spare.state().values())


@pytest.mark.long
def test_zookeeper_data_gone_with_other_ids(spare):
    ids = {"kafka_broker_id": 3, "zookeeper_id": 3}
    spare.site(**ids)
    docker("rm", "-f", "-v", f"{spare.zookeeper}-3")
    docker("volume", "rm", f"{spare.zookeeper}-3-data")
    play = spare.play("site.yml", **ids)
    assert not play.ok
    assert f"{spare.zookeeper}-3-data" in play.message
    assert (
        not spare.play("playbooks/status.yml", **ids).ok
        or "problems" in spare.play("playbooks/status.yml", **ids).output
    )


def test_what_is_not_the_stacks_stays(spare, intruder):
    network = f"{spare.name}-kafka"
    docker("network", "create", network)
    docker("volume", "create", f"{spare.kafka}-data")
    intruder(INTRUDER, "--network", network)
    identity = intruder(f"{spare.name}-zookeeper", "-v", f"{spare.zookeeper}-data:/x")
    before = spare.state()
    play = spare.teardown(data=True)
    assert play.changed == 0
    assert spare.state() == before
    assert f"{spare.kafka}-data is not this stack's, and stays" in play.output
    assert docker("inspect", "-f", "{{.Id}}", f"{spare.name}-zookeeper") == identity
    assert network in docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", INTRUDER)


def test_the_network_of_another_project_can_be_used_and_stays(spare, intruder):
    network = f"{spare.name}-theirs"
    docker("network", "create", network)
    intruder(INTRUDER, "--network", network)
    spare.site(stack_network=network)
    spare.teardown(data=True)
    assert network in docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", INTRUDER)


def test_no_output_shows_secrets(stack, intruder):
    intruder(INTRUDER, "--env", "DB_PASSWORD=planted-1", "--label", "token=planted-2")
    secrets = {"ssl.key.password": "planted-3", "my.plugin.password": "planted-4"}
    more = {"kafka_config": secrets, "kafka_jvm_options": "-Dkey=planted-5"}
    for playbook in ("site.yml", "playbooks/status.yml", "playbooks/teardown.yml"):
        play = stack.play(playbook, "--check", "-vvv", env={"ANSIBLE_STDOUT_CALLBACK": "default"}, **more)
        shown = [line for line in play.output.splitlines() if "planted" in line]
        # The command line of the test itself is not the project's.
        assert not [line for line in shown if "-e {" not in line and "ansible-playbook" not in line], shown
        assert INTRUDER not in play.output

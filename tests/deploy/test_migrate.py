"""A single broker moves from ZooKeeper to KRaft, back, to KRaft for good, and to one container.

tests/faults has a cluster under load.
"""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from kafka_proof.deploy.node import DATA
from tests.deploy.conftest import KRAFT, LOCALHOST, SEPARATE
from tests.support.engine import docker
from tests.support.wait import wait_for

MIGRATE, ROLLBACK = "playbooks/migrate.yml", "playbooks/migrate_rollback.yml"
COMBINE = "playbooks/combine.yml"
HYPHENATED = "-Kafka3chooses-such-ids"  # for one cluster of 64
STRANGER = (
    '{"version":5,"features":{},"listener_security_protocol_map":{"INTERNAL":"PLAINTEXT"},"timestamp":"1",'
    '"endpoints":["INTERNAL://nowhere:19092"],"host":"nowhere","port":19092,"jmx_port":-1,"rack":null}'
)


@pytest.fixture
def old(spare):
    """A stack with ZooKeeper, messages, and a committed offset."""
    spare.site(kafka_topics_present=[{"name": "kafka_demo", "partitions": 2, "config": {"retention.ms": 86400000}}])
    rename_cluster(spare, HYPHENATED)
    spare.produce("one", "two")
    spare.commit("readers", 1)
    return spare


def run(stack, playbook, *options, **variables):
    play = stack.play(playbook, *options, **variables)
    assert play.ok, play.message
    return play


def test_a_single_broker(old):
    before = old.state()
    described = run(old, MIGRATE, "--check")
    assert "Next: controllers" in described.result("Report the next step")["msg"]
    assert (described.changed, old.state()) == (0, before)

    run(old, MIGRATE, migrate_until="dual-write")
    refused = old.play("site.yml")
    assert not refused.ok
    assert "is under way" in refused.message
    run(old, ROLLBACK)
    assert old.site().changed_tasks == []
    keeps_all(old)

    last = run(old, MIGRATE, migrate_finalise=True)
    assert "rename zookeeper" in last.result("Report the next step")["msg"]
    assert "there is no way back" in old.play(ROLLBACK).message
    assert "belongs to a cluster with KRaft" in old.play("site.yml").message

    old.inventory = SEPARATE
    del old.variables["zookeeper_port"]
    upgrade = run(old, "playbooks/upgrade.yml", upgrade_finalise=True)
    assert "There is no way back" in upgrade.result("Report the features")["msg"]
    run(old, COMBINE)
    old.inventory = KRAFT
    assert old.site().changed_tasks == []
    assert old.containers() == [old.kafka]
    keeps_all(old)


@pytest.mark.long
def test_a_single_broker_is_lost_on_the_way(old):
    # Set while the broker runs; later it is in the broker's file, and no loss.
    old.variables["kafka_config"] = {"log.retention.ms": 86400000}
    run(old, "site.yml")
    run(old, MIGRATE, migrate_until="controllers")
    docker("stop", old.kafka)  # as a run that is killed in the next phase
    run(old, MIGRATE, migrate_until="dual-write")
    lose_the_broker(old)
    run(old, MIGRATE, migrate_timeout=200)
    assert run(old, MIGRATE).changed_tasks == []
    assert "is under way" in old.play("playbooks/upgrade.yml").message

    shell(old, f"create /brokers/ids/9 '{STRANGER}'")
    assert "would be cut off" in old.play(MIGRATE, migrate_finalise=True).message
    shell(old, "delete /brokers/ids/9")

    # The controllers go only when brokers have returned: perhaps they ran with KRaft.
    lose_the_broker(old)
    copied = "Wait until all metadata is copied to the controllers"
    assert old.interrupt(copied, signal.SIGKILL, ROLLBACK)
    assert f"{old.kafka}-controller-101" in old.containers()
    run(old, ROLLBACK)
    assert run(old, ROLLBACK).changed_tasks == []
    assert old.site().changed_tasks == []
    keeps_all(old)

    run(old, MIGRATE, migrate_finalise=True)
    assert run(old, MIGRATE, migrate_finalise=True).changed_tasks == []

    # Kafka 3.9 keeps the registration of a controller that left, so it stays until 4.4 is finalised.
    old.inventory = SEPARATE
    del old.variables["zookeeper_port"]
    assert old.site(stack_kafka_version="3.9.2").changed == 0
    keeps_all(old)
    assert "KAFKA-20295" in old.play(COMBINE, stack_kafka_version="3.9.2").message
    run(old, "playbooks/upgrade.yml")
    run(old, "playbooks/upgrade.yml", upgrade_finalise=True)
    assert old.interrupt("Write client.properties", signal.SIGKILL, COMBINE)  # the broker has changed
    lose_the_broker(old)
    assert "combine.yml again" in old.play("site.yml").message
    run(old, COMBINE)
    assert run(old, COMBINE).changed_tasks == []


def lose_the_broker(stack):
    """As a run that is killed between two containers: no broker answers."""
    docker("rm", "--force", stack.kafka)


def keeps_all(stack):
    assert stack.messages() == ["one", "two"]
    assert stack.committed("readers") == 1
    assert stack.topic_config("kafka_demo")["retention.ms"] == "86400000"


def rename_cluster(stack, cluster_id):
    """Give the cluster this id, as if the broker had chosen it at its first start."""
    shell(stack, f"""set /cluster/id '{{"version":"1","id":"{cluster_id}"}}'""")
    docker("exec", stack.kafka, "rm", f"{DATA}/meta.properties")
    docker("restart", stack.kafka)
    stack.wait_ready()


def shell(stack, command):
    own = f"/opt/kafka/bin/zookeeper-shell.sh localhost:2181 {command}"
    docker("exec", stack.zookeeper, "bash", "-c", own)


@pytest.mark.long
def test_a_record_without_controllers_is_refused(old):
    """As after a return by hand: new controllers would empty the cluster."""
    record = '{"version":0,"kraft_metadata_offset":5,"kraft_controller_id":101,"kraft_metadata_epoch":1}'
    shell(old, f"create /migration '{record}'")
    refused = old.play(MIGRATE)
    assert "would empty the cluster" in refused.message
    assert docker("ps", "-aq", "--filter", f"name=^{old.name}-kafka-controller").split() == []
    run(old, ROLLBACK)
    run(old, MIGRATE, migrate_until="controllers", kafka_controller_heap="200m")
    both = LOCALHOST.replace("[zookeeper]", "[kafka_controller]\nlocalhost\n[zookeeper]")
    run(old, "playbooks/status.yml", inventory=both, kafka_controller_heap="200m")
    keeps_all(old)


@pytest.mark.long
def test_a_broker_outside_the_inventory_is_named(old):
    """The controllers would wait for it (strimzi-kafka-operator#12929)."""
    shell(old, f"create /brokers/ids/9 '{STRANGER}'")
    refused = old.play(MIGRATE)
    assert "Brokers 9 are registered in ZooKeeper" in refused.message


@pytest.mark.long
def test_metadata_that_is_never_copied(old):
    """A broker appears after the preflight checks, and never restarts: the controllers wait for it."""
    with ThreadPoolExecutor(1) as pool:
        run_of_it = pool.submit(old.play, MIGRATE, migrate_timeout=30)
        controller = f"name=^{old.name}-kafka-controller-"
        wait_for(lambda: docker("ps", "--quiet", "--filter", controller), "a controller", 120)
        shell(old, f"create /brokers/ids/9 '{STRANGER}'")
    message = run_of_it.result().message
    assert "After 30 s (migrate_timeout) the metadata is not copied" in message
    assert "Registered in ZooKeeper: brokers 1, 9." in message
    assert "KRaftMigrationDriver" in message
    assert "playbooks/migrate_rollback.yml" in message
    assert "Brokers 9 are registered in ZooKeeper" in old.play(MIGRATE).message
    shell(old, "delete /brokers/ids/9")
    run(old, MIGRATE)
    keeps_all(old)


def test_without_zookeeper_there_is_nothing_to_migrate(no_stack):
    assert "nothing to migrate" in no_stack.play(MIGRATE, inventory=SEPARATE).message
    assert "stack_kafka_version" in no_stack.play(MIGRATE, inventory=LOCALHOST, stack_kafka_version="4.4.0").message

"""One node of KRaft: it keeps its messages and its cluster id, and refuses data and inventories that are not its."""

import os
import shutil
import subprocess

import pytest
from kafka import KafkaAdminClient

from kafka_proof.deploy import engine
from kafka_proof.deploy.node import UNFORMATTED
from tests.deploy.conftest import KRAFT, LOCALHOST, docker, in_volume
from tests.support.wait import wait_for

pytestmark = pytest.mark.xdist_group("deploy/kraft")


def identity(stack):
    """The id of the cluster."""
    return stack.wait_ready()["cluster_id"]


@pytest.mark.long
def test_a_second_run_and_check_mode_change_nothing(kraft):
    assert kraft.site().changed == 0
    assert kraft.site("--check", "--diff").changed == 0


def test_messages_and_the_cluster_outlive_the_container(kraft):
    kraft.produce("one", "two")
    kraft.commit("keeper", 1)
    before = identity(kraft), docker("inspect", "-f", "{{.Id}}", kraft.kafka)
    docker("rm", "--force", kraft.kafka)
    kraft.site(kafka_config={"log.segment.bytes": 20000000})
    assert (identity(kraft), kraft.messages(), kraft.committed("keeper")) == (before[0], ["one", "two"], 1)
    assert docker("inspect", "-f", "{{.Id}}", kraft.kafka) != before[1]


@pytest.mark.long
def test_a_setting_of_all_brokers_changes_without_a_restart(kraft):
    """With eligible leader replicas, min.insync.replicas is one of them, and no broker accepts its own value."""
    kraft.site(kafka_config={"log.retention.hours": 71})
    started = docker("inspect", "-f", "{{.State.StartedAt}}", kraft.kafka)
    play = kraft.site(kafka_config={"log.retention.hours": 70, "min.insync.replicas": 1})
    assert play.ok
    assert kraft.broker_config("log.retention.hours") == "70"
    assert kraft.broker_config("min.insync.replicas") == "1"
    assert docker("inspect", "-f", "{{.State.StartedAt}}", kraft.kafka) >= started
    kraft.site()


def test_a_setting_of_controllers_changes_without_a_restart(separate):
    before, task = separate.state(), ["Change settings of running controllers"]
    unclean = {"kafka_config": {"unclean.leader.election.enable": True}}
    assert separate.site("--check", "--diff", **unclean).changed_tasks == task
    assert separate.broker_config("unclean.leader.election.enable") == "false"
    play = separate.site("--diff", **unclean)
    assert play.changed_tasks == task
    assert "unclean.leader.election.enable=true" in str(play.diffs())
    assert separate.broker_config("unclean.leader.election.enable") == "true"
    assert separate.site(**unclean).changed == 0

    for options in ([], ["--check"]):
        play = separate.play("site.yml", *options, kafka_config={"unclean.leader.election.enable": "perhaps"})
        assert "Correct kafka_config" in play.message
        assert "Invalid value perhaps for configuration unclean.leader.election.enable" in play.message
        assert play.changed == 0
    assert separate.broker_config("unclean.leader.election.enable") == "true"

    assert separate.site().changed_tasks == task
    assert separate.broker_config("unclean.leader.election.enable") == "false"
    assert separate.state() == before


def test_a_voter_that_is_given_up(separate):
    """tests/versions/test_quorum.py gives one up that was a voter."""
    before = separate.state()
    play = separate.play("playbooks/decommission.yml", decommission_voter=101)
    assert "controller 101 is one of the wanted controllers, [101]. Nothing was changed." in play.message
    assert play.changed == 0
    play = separate.play("playbooks/decommission.yml", decommission_voter=199)
    assert (play.ok, play.changed, separate.state()) == (True, 0, before)


def test_an_inventory_of_the_other_mode(kraft, stack):
    for deployed, inventory, words in (
        (stack, KRAFT, ["zookeeper is ZooKeeper's", "Put the hosts of the group zookeeper back", "docs/migration.md"]),
        (kraft, LOCALHOST, ["belongs to a cluster with KRaft", "Remove the group"]),
    ):
        before, variables = deployed.state(), dict(deployed.variables)
        deployed.variables.pop("zookeeper_port", None)
        play = deployed.play("site.yml", inventory=inventory)
        deployed.variables = variables
        assert not play.ok
        assert not [word for word in words if word not in play.message], play.message
        assert deployed.state() == before


def test_variables_of_the_other_mode(kraft, stack):
    before = kraft.state(), stack.state()
    play = kraft.play("site.yml", zookeeper_heap="64m", kafka_zookeeper_connect="elsewhere:2181")
    assert not play.ok
    assert "zookeeper_heap is a variable for ZooKeeper" in play.message
    assert "kafka_zookeeper_connect is a variable for ZooKeeper" in play.message
    play = stack.play("site.yml", kafka_controller_port=19094)
    assert "kafka_controller_port is a variable for KRaft" in play.message
    assert (kraft.state(), stack.state()) == before


def test_a_setting_that_kafka_removed(kraft):
    before = kraft.state()
    play = kraft.play("site.yml", kafka_config={"delegation.token.master.key": "x", "zookeeper.session.timeout.ms": 1})
    assert not play.ok
    assert "delegation.token.master.key, which Kafka 4.0 removed" in play.message
    assert "zookeeper.session.timeout.ms, a setting of ZooKeeper mode" in play.message
    assert kraft.state() == before


def test_a_container_whose_files_were_not_copied_is_recreated(kraft, tmp_path):
    """A play that is killed between `docker create` and `docker cp` leaves such a container."""
    kraft.produce("kept")
    docker("rm", "--force", "--volumes", kraft.kafka)
    real, fake = shutil.which("docker"), tmp_path / "docker"
    fake.write_text(f'#!/bin/sh\n[ "$1" != cp ] || exit 137\nexec {real} "$@"\n')
    fake.chmod(0o755)
    assert not kraft.play("site.yml", env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}).ok
    assert docker("inspect", "-f", "{{.State.Status}}", kraft.kafka) == "created"
    kraft.site()
    assert "kept" in kraft.messages()
    assert kraft.site().changed == 0


@pytest.mark.long
def test_a_node_that_crashes_again_and_again_does_not_run(kraft):
    docker("stop", kraft.kafka)
    in_volume(kraft, "cp -a meta.properties .kept && sed -i s/node.id=1/node.id=7/ meta.properties")
    docker("start", kraft.kafka)
    crashes, ask = "{{.RestartCount}} {{.State.Status}}", engine.script("none", kraft.name)
    seen, last = set(), 0
    wait_for(lambda: not docker("inspect", "-f", crashes, kraft.kafka).startswith("0 "), "the first crash")
    while last < 3:
        was = docker("inspect", "-f", crashes, kraft.kafka).split()[1]
        said = subprocess.run(["sh", "-s"], input=ask, capture_output=True, text=True, check=True, timeout=60).stdout
        [found] = engine.parse(said, kraft.name)["containers"]
        seen.add((was, found["state"]))
        last = found["restarts"]
    assert {"running"} <= {was for was, _ in seen}
    assert {state for _, state in seen} == {"restarting"}
    docker("stop", kraft.kafka)
    in_volume(kraft, "mv .kept meta.properties")
    kraft.site()


def test_a_directory_that_lost_its_content_waits_for_the_play(kraft):
    docker("stop", kraft.kafka)
    in_volume(kraft, "find . -mindepth 1 -delete")
    docker("start", kraft.kafka)
    ended = "{{.State.Status}} {{.State.ExitCode}}"
    wait_for(lambda: docker("inspect", "-f", ended, kraft.kafka) == f"restarting {UNFORMATTED}", "the refusal to start")
    kraft.site()
    with KafkaAdminClient(**kraft.arguments) as admin:
        [voter] = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]["current_voters"]
    assert voter["replica_id"] == 1
    assert kraft.topics() == {"kafka_demo": 2}

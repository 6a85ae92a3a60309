"""The quorum of controllers, with real ones: who joins, leaves, and may stop. Three controllers and a broker."""

import pytest

from kafka_proof.client.connection import admin_client
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import REMOVE, caught_up, describe_quorum, is_caught_up
from kafka_proof.operations.quorum import plan, reconcile, remove_voter, unregister
from kafka_proof.operations.rolling import wait_back, wait_can_stop
from tests.versions.quorum import JOINS, Cluster

SECONDS = 60
SHORT = 5  # seconds for a wait that cannot succeed
CONTROLLER = ("controller",)
SETTINGS = {"broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 1000}


def _version(version, *marks):
    return pytest.param(version, id=version, marks=[pytest.mark.xdist_group(f"quorum-{version}"), *marks])


@pytest.fixture(scope="module", params=[_version("3.9.2"), _version("4.4.0", pytest.mark.sample)])
def running(request):
    with Cluster(request.param, settings=SETTINGS) as cluster:
        cluster.add(1, "controller", "--standalone")
        cluster.add(11, "broker", JOINS)
        for number in (2, 3):
            cluster.add(number, "controller", JOINS)
        made = reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
        assert [step.id for step in made] == [2, 3]
        yield cluster


@pytest.fixture
def cluster(running):
    """The cluster, with three voters that run."""
    said.clear()
    for number in (1, 2, 3):
        running.nodes[number].start()
    reconcile(running.client, wanted(running), SECONDS, said.append)
    said.clear()
    return running


said = []


def wanted(cluster):
    return {number: cluster.endpoint(number) for number in (1, 2, 3)}


def look(cluster):
    with admin_client(cluster.client, SECONDS) as admin:
        return describe_quorum(admin)


def is_late(cluster, controller):
    """Wait until the leader misses a controller that was stopped."""

    def missed():
        found = look(cluster)
        replicas = [each for each in [*found.voters, *found.observers] if each.id == controller]
        return not any(is_caught_up(found, each) for each in replicas)

    wait_until("a dead controller that is behind", missed, pause=0.2)


def test_three_voters_need_no_change(cluster):
    assert reconcile(cluster.client, wanted(cluster), SECONDS, said.append) == []
    assert plan(cluster.client, wanted(cluster)) == ([], [], [])
    assert plan(cluster.client, {1: cluster.endpoint(1)}) == ([], [], [2, 3])
    found = look(cluster)
    assert (found.voter_ids, caught_up(found)) == ([1, 2, 3], {1, 2, 3})
    assert found.endpoints == wanted(cluster)
    assert [each.id for each in found.observers if each.last_fetch == found.now] in ([], [11])


def test_the_leader_leaves_and_joins_again(cluster):
    leader = look(cluster).leader
    assert remove_voter(cluster.client, leader, SECONDS, said.append) is True
    found = look(cluster)
    assert found.voter_ids == sorted({1, 2, 3} - {leader})
    assert found.leader in found.voter_ids
    assert remove_voter(cluster.client, leader, SECONDS, said.append) is False

    [step] = reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
    assert (step.action, step.id) == ("add", leader)
    assert caught_up(look(cluster)) == {1, 2, 3}


def test_a_dead_voter_leaves(cluster):
    cluster.nodes[3].stop()
    assert remove_voter(cluster.client, 3, SECONDS, said.append) is True
    assert look(cluster).voter_ids == [1, 2]


def test_a_controller_that_does_not_run_is_waited_for(cluster):
    assert remove_voter(cluster.client, 3, SECONDS, said.append)
    cluster.nodes[3].stop()
    is_late(cluster, 3)
    with pytest.raises(NotReadyError, match=r"controller 3 is an observer and not caught up; changes made: none"):
        reconcile(cluster.client, wanted(cluster), SHORT, said.append)


def test_a_controller_that_lost_its_disk_is_replaced(cluster):
    before = {each.id: each.directory for each in look(cluster).voters}
    node = cluster.nodes[3]
    node.stop()
    node.lose_disk()
    node.format(JOINS)
    node.start()
    made = reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
    after = {each.id: each.directory for each in look(cluster).voters}
    assert [(step.action, step.id, step.directory) for step in made] == [
        (REMOVE, 3, before[3]),
        ("add", 3, after[3]),
    ]
    assert after == before | {3: after[3]}
    assert reconcile(cluster.client, wanted(cluster), SECONDS, said.append) == []


def test_two_of_three_may_not_stop(cluster):
    client = cluster.client
    wait_can_stop(client, 2, SHORT, said.append, kinds=CONTROLLER)
    cluster.nodes[3].stop()
    is_late(cluster, 3)
    with pytest.raises(
        NotReadyError, match=r"controller 2 may not stop: of 3 voters only \[1, 2\] are caught up, and 2"
    ):
        wait_can_stop(client, 2, SHORT, said.append, kinds=CONTROLLER)
    wait_can_stop(client, 3, SHORT, said.append, kinds=CONTROLLER)
    cluster.nodes[3].start()
    wait_back(client, 3, SECONDS, SECONDS, said.append, kinds=CONTROLLER)
    wait_can_stop(client, 2, SHORT, said.append, kinds=CONTROLLER)


def test_a_controller_is_not_back_by_its_last_fetch_before_the_stop(cluster):
    cluster.nodes[3].stop()
    assert 3 in caught_up(look(cluster))
    with pytest.raises(NotReadyError, match="controller 3 does not fetch from leader"):
        wait_back(cluster.client, 3, 1, SECONDS, said.append, kinds=CONTROLLER)


def test_all_three_roll(cluster):
    leader = look(cluster).leader
    for number in sorted((1, 2, 3), key=lambda number: number == leader):
        wait_can_stop(cluster.client, number, SECONDS, said.append, kinds=CONTROLLER)
        cluster.nodes[number].stop(gently=True)
        cluster.nodes[number].start()
        wait_back(cluster.client, number, SECONDS, SECONDS, said.append, kinds=CONTROLLER)
    assert caught_up(look(cluster)) == {1, 2, 3}


def test_a_stopped_broker_is_unregistered(cluster):
    broker = cluster.add(12, "broker", JOINS)
    wait_back(cluster.client, 12, SECONDS, SECONDS, said.append)
    with pytest.raises(NotReadyError, match="broker 12 runs"):
        unregister(cluster.client, 12, 1, said.append)
    broker.stop()
    assert unregister(cluster.client, 12, SECONDS, said.append) is True
    assert unregister(cluster.client, 12, SECONDS, said.append) is False
    del cluster.nodes[12]

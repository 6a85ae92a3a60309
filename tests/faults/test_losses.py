"""The workload finds what is lost: on topics that are set up to lose messages, and with a careless producer."""

import pytest

from kafka_proof.client.connection import connect
from kafka_proof.client.wait import wait_until
from kafka_proof.workload.run import PARTITIONS, Load
from tests.faults.steps import NOTICED, gone, kill
from tests.faults.verify import verified
from tests.support.engine import container

ANY_REPLICA = 1  # type of an election: the replica need not be in sync


def topic(*replicas, **configs):
    """A topic with all partitions on these brokers."""
    return {"assignments": {each: list(replicas) for each in range(PARTITIONS)}, "configs": configs}


def wait_for_more(cluster, what):
    """Wait for a second's worth more of `what`, a method of the workload."""
    count = getattr(cluster.workload, what)
    enough = count() + cluster.workload.load.rate
    wait_until(f"{enough} {what}", count, lambda seen: seen >= enough, NOTICED)


def wipe(cluster):
    """The only broker that has the messages loses its disk."""
    kill(cluster, 3)
    cluster.forget(cluster.brokers[3])
    cluster.play("site.yml")
    wait_until("a leader of every partition", lambda: without_leader(cluster), lambda seen: seen == [], NOTICED)
    cluster.repair()


def without_leader(cluster):
    """Ask for unclean elections, and return the partitions that have no leader yet.

    With KRaft, a broker can be back before the controller knows its new directory. Then it elects none.
    """
    with connect(cluster.arguments) as admin:
        admin.elect_leaders(ANY_REPLICA, {cluster.topic: list(range(PARTITIONS))}, raise_errors=False)
        [found] = admin.describe_topics([cluster.topic])
    return [each["partition_index"] for each in found["partitions"] if each["leader_id"] < 0]


def elect_uncleanly(cluster):
    """Broker 2 alone has the last messages; it goes, and broker 3, which was away, leads."""
    kill(cluster, 3)
    wait_for_more(cluster, "acknowledged")
    container(cluster.brokers[2]).kill()
    gone(cluster, 2, 3)
    container(cluster.brokers[3]).start()
    wait_for_more(cluster, "acknowledged")
    cluster.repair()


def kill_leader_before_others_copy(cluster):
    """The leader of partition 0 continues for a second while the others stand still, and is killed."""
    with connect(cluster.arguments) as admin:
        [found] = admin.describe_topics([cluster.topic])
    leader = next(each["leader_id"] for each in found["partitions"] if each["partition_index"] == 0)
    others = [container(name) for each, name in cluster.brokers.items() if each != leader]
    for other in others:
        other.pause()
    wait_for_more(cluster, "offered")
    container(cluster.brokers[leader]).kill()
    for other in others:
        other.unpause()
    gone(cluster, leader)
    cluster.repair()


ONE_REPLICA = topic(3, **{"min.insync.replicas": "1"})
UNCLEAN = topic(2, 3, **{"min.insync.replicas": "1", "unclean.leader.election.enable": "true"})
CARELESS = Load(producer={"acks": 1, "enable_idempotence": False})


@pytest.mark.parametrize(
    ("do", "load", "on"),
    [
        pytest.param(wipe, Load(), ONE_REPLICA, id="one_replica"),
        pytest.param(elect_uncleanly, Load(), UNCLEAN, id="unclean_leader_election"),
        pytest.param(kill_leader_before_others_copy, CARELESS, None, id="acks_1"),
    ],
)
def test_a_loss_is_found(cluster, do, load, on):
    result = verified(cluster, do, load, on)

    assert result["lost"] > 0, result
    assert "acknowledged and not in the log any more" in result["problems"][0]


def test_nothing_is_lost_where_the_producer_waits_for_all(cluster):
    """The fault that loses messages with acks=1 loses none with acks=all: the producer makes the difference."""
    assert verified(cluster, kill_leader_before_others_copy, Load())["problems"] == []

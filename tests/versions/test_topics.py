"""A topic gets another replication factor by the list of topics, and other topics stay where they are."""

import pytest
from kafka import TopicPartition

from kafka_proof.client.connection import admin_client
from kafka_proof.client.raw import send
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.cluster.rights import topic_question, topic_rights
from kafka_proof.operations import topics
from kafka_proof.operations.reassign import throttles
from kafka_proof.operations.reassign.throttle import Throttle
from tests.versions.quorum import JOINS, Cluster

SECONDS = 60


def replicas(cluster):
    """Return the brokers of each partition: {topic: [brokers, sorted]}."""
    with admin_client(cluster.client, SECONDS) as admin:
        return {
            topic["name"]: [sorted(partition["replica_nodes"]) for partition in topic["partitions"]]
            for topic in admin.describe_topics(["moved", "other"])
        }


def shown(admin, name):
    """Return whether both brokers show a topic: any of them answers the next question."""
    return all(topic_rights(send(admin, topic_question(name), broker)).exists for broker in (1, 2))


def leave_throttle(cluster):
    """Leave what a run leaves that was killed after its last move."""
    with admin_client(cluster.client, SECONDS) as admin:
        Throttle(admin).set(1000, {TopicPartition("moved", 0): [2]})
        wait_until("the throttle", lambda: throttles(admin), lambda found: len(found) == 3)


@pytest.mark.sample
@pytest.mark.xdist_group("topics")
def test_a_changed_replication_factor_is_applied_when_allowed():
    said = []
    with Cluster("4.4.0", controllers=(1,)) as cluster:
        cluster.add(1, "broker,controller", "--standalone")
        cluster.add(2, "broker", JOINS)
        wait_ready(cluster.client, (1, 2), SECONDS)
        own = {"client": cluster.client, "absent": [], "timeout": SECONDS}
        one = {"partitions": 1, "replication_factor": 1, "config": None}
        listed = [{"name": "moved", **one}, {"name": "other", **one, "partitions": 3}]
        assert topics.have(own | {"topics": listed}, False)["created"] == ["moved", "other"]
        with admin_client(cluster.client, SECONDS) as admin:
            for name in ("moved", "other"):
                wait_until(f"topic {name} at both brokers", lambda name=name: shown(admin, name))
        before = replicas(cluster)

        listed[0]["replication_factor"] = 2
        refused = topics.have(own | {"topics": listed}, False)
        assert (refused["failed"], refused["changed"], refused["replication"]) == (True, False, {"moved": 2})
        for check in (True, False):
            moved = topics.have(own | {"topics": listed, "reassign": True}, check, said.append)
            assert moved.get("msg", "") == ""
            assert moved["changes"] == ["~ topic moved: replication_factor 1, wanted: 2"]
            assert (replicas(cluster)["moved"] == [[1, 2]]) is not check
        assert any("1 replicas are copied, 50 MB/s" in line for line in said), said
        assert replicas(cluster)["other"] == before["other"]
        assert topics.have(own | {"topics": listed, "reassign": True}, False)["changed"] is False

        # A throttle of a move is no setting of the list: without it, the copying takes all bandwidth.
        leave_throttle(cluster)
        listed[0]["config"] = {}
        assert topics.have(own | {"topics": listed}, False)["changed"] is False
        for check in (True, False):
            finished = topics.have(own | {"topics": listed, "reassign": True}, check, said.append)
            assert finished["changes"] == ["~ replicas that move, or a throttle that is left"]
            with admin_client(cluster.client, SECONDS) as admin:
                assert bool(throttles(admin)) is check
        assert topics.have(own | {"topics": listed, "reassign": True}, False)["changed"] is False

        listed[0]["replication_factor"] = 3
        refused = topics.have(own | {"topics": listed, "reassign": True}, False)
        assert (refused["changed"], "moved" in refused["msg"]) == (False, True), refused

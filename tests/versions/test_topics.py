"""A topic gets another replication factor by the list of topics, and other topics stay where they are."""

import pytest

from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.operations import topics
from tests.versions.quorum import JOINS, Cluster

SECONDS = 60


def replicas(cluster):
    """Return the brokers of each partition: {topic: [brokers, sorted]}."""
    with admin_client(cluster.client, SECONDS) as admin:
        return {
            topic["name"]: [sorted(partition["replica_nodes"]) for partition in topic["partitions"]]
            for topic in admin.describe_topics(["moved", "other"])
        }


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

        listed[0]["replication_factor"] = 3
        refused = topics.have(own | {"topics": listed, "reassign": True}, False)
        assert (refused["changed"], "moved" in refused["msg"]) == (False, True), refused

"""What an operator does to a cluster that serves: what stops, what changes nothing, and how one that is small grows."""

import re

import cluster as clusters
from cluster import PORT, PREFIX
from fault_table import gone
from verify import verified

from smoke.workload import Load


def started_anew(before, after):
    return {name for name in after if after[name] != before.get(name)}


def test_a_change_that_breaks_a_broker_stops_there_and_goes_on_when_it_is_mended(cluster):
    config = cluster.variables["kafka_config"]

    def break_and_mend(cluster):
        before, controller = cluster.lives(), cluster.controller()
        config["queued.max.requests"] = 0
        said = cluster.play("site.yml", fails=True, kafka_start_timeout=30)

        [broken] = started_anew(before, cluster.lives())
        assert broken in {*cluster.brokers.values()} - {cluster.brokers[controller]}
        assert "is not registered" in said
        assert f"The container {broken} is" in said
        assert "its last exit code" in said
        assert "Kafka refuses its configuration" in said
        assert "Invalid value 0 for configuration queued.max.requests" in said
        gone(cluster, *(each for each, name in cluster.brokers.items() if name == broken))

        config["queued.max.requests"] = 401
        cluster.repair()
        assert started_anew(before, cluster.lives()) == {*cluster.brokers.values()}

    try:
        assert verified(cluster, break_and_mend, Load())["problems"] == []
    finally:
        config["queued.max.requests"] = 401


def test_a_look_at_what_would_be_done_changes_nothing(cluster):
    before = cluster.lives()

    said = cluster.play("site.yml", "--check", "--diff")
    assert {*re.findall(r"changed=(\d+)", said)} == {"0"}

    said = cluster.play("site.yml", "--check", "--diff", kafka_heap="300m")
    assert "-Xmx300m" in said
    assert cluster.lives() == before


def test_from_one_to_three():
    """From one ZooKeeper and one broker to three of each, with all that was written, while it is written to."""

    def grow(cluster):
        for each in (2, 3):
            cluster.brokers[each] = cluster.container("kafka", each)
            cluster.zookeepers[each] = cluster.container("zookeeper", each)
        cluster.repair()
        wanted = {cluster.topic: 3, "__consumer_offsets": 3}
        cluster.play("playbooks/rebalance.yml", rebalance_replication=wanted)
        cluster.wait_whole()
        assert cluster.copies(cluster.topic) == {3}
        assert cluster.copies("__consumer_offsets") == {3}

    with clusters.running(f"{PREFIX}-one", (1,), PORT + 5) as cluster:
        assert verified(cluster, grow, Load())["problems"] == []

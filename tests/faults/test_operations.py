"""What an operator does to a cluster that serves: what stops, what changes nothing, and how one that is small grows."""

import re

from kafka_proof.workload.run import Load
from tests.faults import cluster as clusters
from tests.faults.cluster import PORT, PREFIX, ROOT
from tests.faults.fault_table import gone
from tests.faults.verify import verified
from tests.support.engine import container


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


def test_a_broker_that_runs_and_does_not_answer_is_mended_in_its_turn(cluster):
    """Its address leads nowhere, and that the others are changed too makes them wait for it."""
    second = cluster.brokers[2]

    def mislead_and_mend(cluster):
        cluster.variables["kafka_advertised_host"] = "{{ '127.0.0.9' if kafka_broker_id == 2 else 'localhost' }}"
        said = cluster.play("site.yml", fails=True, kafka_start_timeout=15)
        assert f"broker 2 does not answer at its advertised address 127.0.0.9:{cluster.port + 1}" in said

        del cluster.variables["kafka_advertised_host"]
        cluster.variables["kafka_heap"] = "260m"
        said = cluster.play("site.yml")
        assert re.findall(r"Wait until the others can do without (\S+)\]", said)[0] == "host-2"
        cluster.wait_whole()

    try:
        before = cluster.lives()
        assert verified(cluster, mislead_and_mend, Load())["problems"] == []
        assert started_anew(before, cluster.lives()) == {*cluster.brokers.values()} >= {second}
    finally:
        cluster.variables["kafka_heap"] = "256m"
        cluster.variables.pop("kafka_advertised_host", None)


def test_a_protocol_that_has_not_risen_stays_until_upgrade_raises_it(cluster):
    def speak(name):
        return "inter.broker.protocol.version=3.8" in str(container(name).attrs["Config"]["Env"])

    # As upgrade.yml -e upgrade_protocol=false leaves them.
    cluster.play("site.yml", _kafka_protocol="3.8")
    before = cluster.lives()
    cluster.play("site.yml")
    cluster.play("playbooks/upgrade.yml", upgrade_protocol="false")
    assert cluster.lives() == before
    assert all(map(speak, cluster.brokers.values()))

    cluster.play("playbooks/upgrade.yml")
    assert not any(map(speak, cluster.brokers.values()))
    cluster.wait_whole()


def test_all_brokers_move_to_other_ports_and_back(cluster):
    """Nobody answers at the new ones when it begins."""
    said = cluster.play("site.yml", kafka_port=f"{{{{ {cluster.port + 20} + kafka_broker_id }}}}")
    assert len(re.findall(r"Wait until the others can do without (\S+)\]", said)) == len(cluster.brokers)
    cluster.repair()


def test_zookeepers_that_could_go_on_by_themselves_are_not_left_behind(cluster):
    all_of_them, before = cluster.zookeepers, cluster.lives()
    cluster.zookeepers = dict([*all_of_them.items()][:1])
    try:
        assert "as a second ensemble" in cluster.play("site.yml", fails=True)
    finally:
        cluster.zookeepers = all_of_them
    assert cluster.lives() == before


def test_what_a_run_has_not_proved_the_next_one_proves(cluster):
    unproved = ROOT / "build" / cluster.name / "client.properties.unproved"
    unproved.write_text("")
    assert "Give the partitions back" not in cluster.play("site.yml", "--check")
    assert "Give the partitions back" in cluster.play("site.yml")
    assert not unproved.exists()
    assert "Give the partitions back" not in cluster.play("site.yml")


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

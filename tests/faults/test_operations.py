"""An operator's work on a cluster that serves: runs that stop or change nothing, and the growth of a small cluster."""

import os
import re
import signal

import pytest

from kafka_proof.client.connection import connect
from kafka_proof.workload.run import Load
from tests.faults import cluster as clusters
from tests.faults.cluster import PORT, PREFIX, ROOT
from tests.faults.modes import MODES
from tests.faults.steps import changed, gone
from tests.faults.verify import verified
from tests.support.engine import container, image


def test_a_change_that_breaks_a_broker_stops_there_and_goes_on_when_it_is_mended(cluster):
    config = cluster.variables["kafka_config"]

    def break_and_mend(cluster):
        before, controller = cluster.lives(), cluster.controller()
        config["queued.max.requests"] = 0
        said = cluster.play("site.yml", fails=True, kafka_start_timeout=30)

        [broken] = changed(before, cluster.lives())
        assert broken in {*cluster.brokers.values()} - {cluster.brokers.get(controller)}
        assert "is not registered" in said
        assert f"The container {broken} is" in said
        assert "its last exit code" in said
        assert "Kafka refuses its configuration" in said
        assert "Invalid value 0 for configuration queued.max.requests" in said
        gone(cluster, *(each for each, name in cluster.brokers.items() if name == broken))

        config["queued.max.requests"] = 401
        cluster.repair()
        assert changed(before, cluster.lives()) == {*cluster.brokers.values()}

    try:
        assert verified(cluster, break_and_mend, Load())["problems"] == []
    finally:
        config["queued.max.requests"] = 401


def test_a_broker_that_runs_and_does_not_answer_is_mended_in_its_turn(cluster):
    """Its address leads nowhere, and that the others are changed too makes them wait for it."""
    second = cluster.brokers[2]

    def mislead_and_mend(cluster):
        cluster.variables["kafka_advertised_host"] = "{{ '127.0.0.9' if kafka_broker_id == 2 else 'localhost' }}"
        cluster.variables["kafka_bind_address"] = "127.0.0.1"
        said = cluster.play("site.yml", fails=True, kafka_start_timeout=15)
        assert f"broker 2 does not answer at its advertised address 127.0.0.9:{cluster.port + 1}" in said

        del cluster.variables["kafka_advertised_host"], cluster.variables["kafka_bind_address"]
        cluster.variables["kafka_heap"] = "260m"
        said = cluster.play("site.yml")
        assert re.findall(r"Wait until the cluster can do without (\S+)\]", said)[0] == "host-2"
        cluster.wait_whole()

    try:
        before = cluster.lives()
        assert verified(cluster, mislead_and_mend, Load())["problems"] == []
        assert changed(before, cluster.lives()) == {*cluster.brokers.values()} >= {second}
    finally:
        cluster.variables["kafka_heap"] = "256m"
        cluster.variables.pop("kafka_advertised_host", None)
        cluster.variables.pop("kafka_bind_address", None)


def test_all_brokers_move_to_other_ports_and_back(cluster):
    """No broker answers at the new ports when the run begins."""
    said = cluster.play("site.yml", kafka_port=f"{{{{ {cluster.port + 20} + kafka_broker_id }}}}")
    assert len(re.findall(r"Wait until the cluster can do without (\S+)\]", said)) == len(cluster.brokers)
    cluster.repair()


def test_what_a_run_has_not_proved_the_next_one_proves(cluster):
    unproved = ROOT / "build" / cluster.name / "client.properties.unproved"
    unproved.write_text("")
    assert "Elect preferred leaders" not in cluster.play("site.yml", "--check")
    assert "Elect preferred leaders" in cluster.play("site.yml")
    assert not unproved.exists()
    assert "Elect preferred leaders" not in cluster.play("site.yml")


def test_a_look_at_what_would_be_done_changes_nothing(cluster):
    before = cluster.lives()

    said = cluster.play("site.yml", "--check", "--diff")
    assert {*re.findall(r"changed=(\d+)", said)} == {"0"}

    said = cluster.play("site.yml", "--check", "--diff", kafka_heap="300m")
    assert "-Xmx300m" in said
    assert cluster.lives() == before


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_from_one_to_three(mode):
    """From one server and one broker to three of each, with all that was written, while it is written to."""

    def grow(cluster):
        for each in (2, 3):
            cluster.brokers[each] = cluster.container("kafka", each)
            cluster.servers |= [cluster.server(each)]
        cluster.repair()
        wanted = {cluster.topic: 3, "__consumer_offsets": 3}
        limits = {"rebalance_throttle": 20_000_000, "rebalance_timeout": 120}
        assert "20 MB/s to or from a broker" in cluster.play(
            "playbooks/rebalance.yml", rebalance_replication=wanted, **limits
        )
        cluster.wait_whole()
        assert cluster.copies(cluster.topic) == {3}
        assert cluster.copies("__consumer_offsets") == {3}

    image(mode.version)
    with clusters.running(clusters.Cluster(mode, f"{PREFIX}-one", (1,), PORT + 5)) as cluster:
        assert verified(cluster, grow, Load())["problems"] == []

        # A broker that is gone for good, and out of the inventory.
        cluster.forget(cluster.brokers.pop(3))
        fewer = {"__consumer_offsets": 2, "__transaction_state": 2}
        gone(cluster, 3)
        with connect(cluster.arguments) as admin:
            fewer = {name: count for name, count in fewer.items() if name in admin.list_topics()}
        cluster.play("playbooks/rebalance.yml", rebalance_replication=fewer, rebalance_drain=[3])
        assert cluster.copies("__consumer_offsets") == {2}


def test_a_gate_that_stays_closed_stops_the_run(cluster):
    """A broker is frozen, though its container runs, so that partitions are not in sync."""
    frozen = container(cluster.brokers[2]).attrs["State"]["Pid"]
    heap = "{{ '260m' if kafka_broker_id == 1 else '256m' }}"
    before = cluster.lives()
    os.kill(frozen, signal.SIGSTOP)
    try:
        gone(cluster, 2)
        # A client that asks the frozen broker first gives it 10 s.
        said = cluster.play("site.yml", fails=True, kafka_heap=heap, kafka_restart_timeout=60)
        assert "broker 1 may not stop yet" in said
        assert "waited 60 s" in said
        assert "kafka_restart_gate=false" in said
        said = cluster.play("site.yml", "--check", kafka_heap=heap, kafka_restart_gate=False)
        assert "Start the broker" in said
        assert "Wait until the cluster can do without" not in said
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert cluster.lives() == before
    cluster.wait_whole()

"""Checks before and after a restart of a broker, and the broker that answers at each address: on two real brokers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.health import look, obstacles
from kafka_proof.cluster.ready import NotReadyError
from kafka_proof.cluster.settings import set_dynamic, settings_of
from kafka_proof.operations.leaders import elect_preferred_leaders
from kafka_proof.operations.rolling import wait_back, wait_can_stop
from kafka_proof.workload.run import Workload, topic_of_its_own
from tests.support.brokers import Cluster

PREFIX, PORT = "kp-rolling", 29900
REACH = Path(__file__).resolve().parents[2] / "plugins" / "remote" / "kafka_reach.py"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(PREFIX, PORT) as cluster:
        cluster.start_zookeeper()
        cluster.start_brokers(1, 2)
        with cluster.admin() as admin:
            topics = {"both": {"num_partitions": 4, "replication_factor": 2}}
            admin.create_topics(topics | {"one": {"num_partitions": 4, "replication_factor": 1}})
            wait_until(
                "both in sync", lambda: seen_by(admin), lambda seen: len(seen) >= 8 and not obstacles(seen, 0), 30
            )
        yield cluster


def seen_by(admin, broker=1):
    return look(admin)[broker].partitions


def ask(*addresses):
    done = subprocess.run(
        [sys.executable, REACH, json.dumps([addresses, 3])], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_each_address_is_answered_by_its_broker(cluster):
    assert ask([1, f"localhost:{PORT + 1}", True], [2, f"localhost:{PORT + 2}", True]) == []
    [other] = ask([2, f"localhost:{PORT + 1}", True])
    assert f"broker 2 advertises localhost:{PORT + 1}: another broker answers there" in other
    [closed] = ask([3, f"localhost:{PORT + 3}", False])
    assert f"broker 3 advertises localhost:{PORT + 3}: Connection refused" in closed


def test_a_setting_is_changed_and_reset_while_it_runs(cluster):
    def retention(admin):
        return settings_of(admin, [1])[1]["log.retention.ms"]

    with cluster.admin() as admin:
        assert set_dynamic(admin, {1: {"log.retention.ms": "7000000"}}) == {}
        seen = wait_until("the setting", lambda: retention(admin), lambda seen: seen["value"] == "7000000", 10)
        assert (seen["config_source"], seen["read_only"]) == ("DYNAMIC_BROKER_CONFIG", False)
        assert set_dynamic(admin, {1: {"log.retention.ms": None}}) == {}
        wait_until("the old value", lambda: retention(admin), lambda seen: seen["value"] != "7000000", 10)
        assert settings_of(admin, [1])[1]["broker.id"]["read_only"] is True
        assert "num.io.threads" in set_dynamic(admin, {1: {"num.io.threads": "1000"}}, validate_only=True)[1]


def test_gate_and_return(cluster):
    client, said = cluster.properties(1, 2), []
    wait_can_stop(client, 1, 30, said.append)
    wait_back(client, 2, 30, 30, said.append)
    assert said == []

    cluster[2].stop()
    with pytest.raises(NotReadyError, match=r"waited 3 s; last seen: broker 1 may not stop yet; .*not in sync: \[2\]"):
        wait_can_stop(client, 1, 3, said.append)
    assert any("both-" in text for text in said)
    # A fault that the broker itself explains is no reason: its own replicas that are not in sync, its own partitions
    # that are offline.
    wait_can_stop(client, 2, 30, said.append)
    with pytest.raises(NotReadyError, match="broker 2 is not registered"):
        wait_back(client, 2, 3, 30, said.append)

    cluster[2].start()
    wait_back(client, 2, 60, 60, said.append)
    with cluster.admin() as admin:
        assert not all(item.leader == item.replicas[0] for item in seen_by(admin))
    assert elect_preferred_leaders(client) > 0
    with cluster.admin() as admin:
        wait_until(
            "the preferred leaders", lambda: seen_by(admin), lambda seen: all(p.leader == p.replicas[0] for p in seen)
        )
    assert elect_preferred_leaders(client) == 0


def test_one_that_has_lost_zookeeper_and_still_answers_is_not_believed(cluster):
    client, rule = cluster.properties(1, 2), ("OUTPUT", "--protocol", "tcp", "--dport", "2181", "--jump", "DROP")
    inside = ("nsenter", "--net", "--target", str(cluster[2].attrs["State"]["Pid"]), "iptables")
    subprocess.run([*inside, "--insert", *rule], check=True)
    try:
        with cluster.admin(1) as admin:
            wait_until("its session to end", lambda: seen_by(admin), lambda seen: obstacles(seen, 1) != [], 60)
        with cluster.admin(2) as admin:
            assert list(look(admin)) == [1]  # it does not even say what it is asked
        said = []
        with pytest.raises(NotReadyError):
            wait_can_stop(client, 1, 15, said.append)
        assert any("broker 1 may not stop yet" in text and "not in sync: [2]" in text for text in said)
        with pytest.raises(NotReadyError):
            wait_back(client, 2, 5, 5, said.append)
        assert any("broker 2 is not registered" in text for text in said)
    finally:
        subprocess.run([*inside, "--delete", *rule], check=True)
    wait_back(client, 2, 60, 60, lambda said: None)


def test_leaders_that_move_while_a_workload_is_read_again(cluster, monkeypatch):
    """As the controller moves them by itself, some time after a broker came back."""
    client, stop = cluster.properties(1, 2), Workload._stop

    def stop_and_move(workload):
        stop(workload)
        assert elect_preferred_leaders(client) > 0

    monkeypatch.setattr(Workload, "_stop", stop_and_move)
    topic = {"num_partitions": 4, "replication_factor": 2}
    with topic_of_its_own(kafka_python(client), "kp-moved-", topic) as name:
        cluster[2].restart()
        wait_back(client, 2, 60, 60, lambda said: None)
        with Workload(kafka_python(client), name, "kp-moved-group") as workload:
            pass
    assert workload.result["problems"] == []
    assert workload.result["acked"] == workload.result["consumed"] > 0

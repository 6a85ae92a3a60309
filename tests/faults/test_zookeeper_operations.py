"""Operations that ZooKeeper alone has."""

import os
import signal

from tests.faults.cluster import ROOT
from tests.faults.modes import ZooKeeper, of_mode
from tests.support.engine import container, execute


@of_mode(ZooKeeper)
def test_a_protocol_that_has_not_risen_stays_until_upgrade_raises_it(cluster):
    def speak(name):
        return "inter.broker.protocol.version=3.8" in execute(name, "cat", "/etc/kafka-proof/server.properties")

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


@of_mode(ZooKeeper)
def test_a_server_that_an_interrupted_run_changed_has_to_serve(cluster):
    """The run was killed before the server served; brokers do without it."""
    name = cluster.servers[max(cluster.servers)]
    (ROOT / "build" / cluster.name / "client.properties.unproved").write_text("")
    program = container(name).attrs["State"]["Pid"]
    os.kill(program, signal.SIGSTOP)
    try:
        said = cluster.play("site.yml", fails=True, zookeeper_start_timeout=3)
    finally:
        os.kill(program, signal.SIGCONT)
    assert f"The ZooKeeper server {name} does not serve" in " ".join(said.split())
    cluster.repair()


@of_mode(ZooKeeper)
def test_zookeepers_that_could_go_on_by_themselves_are_not_left_behind(cluster):
    all_of_them, before = cluster.servers, cluster.lives()
    cluster.servers = dict([*all_of_them.items()][:1])
    try:
        assert "as a second ensemble" in cluster.play("site.yml", fails=True)
    finally:
        cluster.servers = all_of_them
    assert cluster.lives() == before

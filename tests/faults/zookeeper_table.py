"""Rows of the table that ZooKeeper alone has."""

import functools

from tests.faults.fault_table import fault
from tests.faults.modes import ZooKeeper
from tests.faults.steps import images, old_version, setting, settle
from tests.support.engine import VERSION, container

fault = functools.partial(fault, modes=(ZooKeeper,))
OLD = "3.8.1"  # of the line before, whose image the role can build too


@fault()
def kill_zookeeper_leader(cluster):
    """`docker kill -s KILL` of the ZooKeeper that leads"""
    old = cluster.leader()
    container(cluster.servers[old]).kill()
    cluster.leader(but=old)
    settle(cluster)
    cluster.repair()


@fault()
def replace_zookeeper(cluster):
    """The ZooKeeper that leads replaced by a new one: `docker stop`, `site.yml`"""
    old, number = cluster.leader(), max(cluster.servers) + 1
    name = cluster.servers.pop(old)
    cluster.servers |= [cluster.server(number)]
    assert "The server that leads is not in the group zookeeper" in cluster.play("site.yml", fails=True)
    container(name).stop()
    cluster.repair()
    cluster.forget(name)
    settle(cluster)


@fault(around=functools.partial(old_version, old=OLD))
def rolling_upgrade(cluster):
    """Rolling upgrade from 3.8.1, the protocol between brokers last: `playbooks/upgrade.yml`"""

    def protocols():
        return {value.split("-")[0] for value in setting(cluster, "inter.broker.protocol.version")}

    assert protocols() == {OLD[:3]}
    del cluster.variables["stack_kafka_version"]
    cluster.play("playbooks/upgrade.yml")
    cluster.wait_whole()
    assert images(cluster) == {VERSION}
    assert protocols() == {VERSION[:3]}

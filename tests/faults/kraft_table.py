"""Rows of the table that KRaft alone has."""

import contextlib
import functools

from kafka_proof.client.connection import connect
from kafka_proof.cluster.features import METADATA, features
from kafka_proof.cluster.versions import level_of
from tests.faults.fault_table import fault, full
from tests.faults.modes import KRaft
from tests.faults.steps import changed, empty, fill, images, old_version, settle, small_disk
from tests.support.engine import KRAFT_VERSION, container

fault = functools.partial(fault, modes=(KRaft,))
TRIES = 20  # elections until a certain one of three controllers leads


@contextlib.contextmanager
def small_disk_of_leader(cluster):
    """Controller 103 is the active one, and has a disk of 128 MB."""
    with small_disk(cluster, cluster.servers[103]):
        for _ in range(TRIES):
            if (leads := cluster.leader()) == 103:
                break
            container(cluster.servers[leads]).restart()
            cluster.leader(but=leads)
            cluster.wait_whole()
        yield


@fault(around=small_disk_of_leader)
def full_controller_disk(cluster):
    """A full disk on the active controller; then there is space again"""
    assert cluster.controller() == 103
    fill(cluster)
    cluster.controller(but=103)
    full(cluster, cluster.servers[103])
    settle(cluster)
    empty(cluster)
    cluster.repair()


@contextlib.contextmanager
def until_it_leaves(cluster):
    """Controller 104 leaves in the end."""
    try:
        yield
    finally:
        if 104 in cluster.servers:
            leave(cluster, 104)


def join(cluster):
    """Controller 104 joins. No other node restarts for it."""
    before = cluster.lives()
    cluster.servers |= [cluster.server(4)]
    cluster.repair()
    assert changed(before, cluster.lives()) == {cluster.servers[104]}


def leave(cluster, controller):
    """A controller leaves; the broker of its host stays, if it has one."""
    cluster.play("playbooks/decommission.yml", decommission=f"host-{controller - 100}", decommission_data=True)
    del cluster.servers[controller]
    cluster.repair()


@fault(around=until_it_leaves)
def add_controller(cluster):
    """A fourth controller added: `site.yml`"""
    join(cluster)
    settle(cluster)


@contextlib.contextmanager
def with_controller_4(cluster):
    with until_it_leaves(cluster):
        join(cluster)
        yield


@fault(around=with_controller_4)
def decommission_controller(cluster):
    """A controller of four removed: `playbooks/decommission.yml`, `site.yml`"""
    leave(cluster, 104)
    settle(cluster)


def upgrade(cluster, old):
    """All nodes run the new version; then its features are finalised."""

    def finalised():
        with connect(cluster.arguments) as admin:
            return features(admin)[METADATA][0]

    assert finalised() == level_of(old)
    del cluster.variables["stack_kafka_version"]
    cluster.play("playbooks/upgrade.yml")
    cluster.wait_whole()
    assert images(cluster) == {KRAFT_VERSION}
    assert finalised() == level_of(old)
    cluster.play("playbooks/upgrade.yml", upgrade_finalise=True)
    assert finalised() == level_of(KRAFT_VERSION)


@fault(around=functools.partial(old_version, old="4.3.1"))
def rolling_upgrade_from_4_3(cluster):
    """Rolling upgrade from 4.3.1, then the features finalised: `playbooks/upgrade.yml`, twice"""
    upgrade(cluster, "4.3.1")


@fault(around=functools.partial(old_version, old="3.9.2"))
def rolling_upgrade_from_3_9(cluster):
    """Rolling upgrade from 3.9.2, then the features finalised: `playbooks/upgrade.yml`, twice"""
    upgrade(cluster, "3.9.2")

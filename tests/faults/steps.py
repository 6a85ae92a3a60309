"""Steps of faults and operations, for both modes. Each waits until its effect is visible."""

import contextlib

from kafka_proof.client.connection import connect
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.settings import settings_of
from tests.faults.cluster import DATA
from tests.faults.modes import SESSION
from tests.support.engine import container, engine, execute

NOTICED = 60  # seconds for the cluster to notice


def gone(cluster, *ids):
    """Wait until the cluster knows that these brokers are gone, and no others."""
    left = {*cluster.brokers} - {*ids}
    wait_until(f"brokers {left} to be the only ones", cluster.registered, lambda seen: seen == left, NOTICED, 0.1)


def other_than_controller(cluster):
    """The id of a broker that is not the active controller."""
    return max({*cluster.brokers} - {cluster.controller()})


def follower(cluster):
    """The id of a server that does not lead."""
    return max({*cluster.servers} - {cluster.leader()})


def kill(cluster, each):
    """Kill a broker."""
    container(cluster.brokers[each]).kill()
    gone(cluster, each)


def settle(cluster):
    """Let every broker find a server, and continue for longer than a session."""

    def connected():
        return cluster.mode.connected(cluster)

    wait_until("every broker to have a server", connected, lambda seen: seen >= len(cluster.brokers), NOTICED, 0.1)
    serve(cluster, 2 * SESSION)


def serve(cluster, seconds):
    """Wait for as many acknowledgements as `seconds` without a fault bring."""
    workload = cluster.workload
    enough = workload.acknowledged() + int(seconds * workload.load.rate)
    wait_until(f"{enough} acknowledgements", workload.acknowledged, lambda seen: seen >= enough, NOTICED, 0.1)


def copies(cluster):
    """The brokers that have replicas of the workload's topic."""
    with connect(cluster.arguments) as admin:
        [found] = admin.describe_topics([cluster.topic])
    return {each for partition in found["partitions"] for each in partition["replica_nodes"]}


def setting(cluster, key):
    """The values of a setting that the brokers report: set of str."""
    with connect(cluster.arguments) as admin:
        return {settings[key]["value"] for settings in settings_of(admin, cluster.brokers).values()}


def changed(before, after):
    """The containers that were started again: those that differ in two results of `lives`."""
    return {name for name in after if after[name] != before.get(name)}


def images(cluster):
    """The versions in the names of the images that the nodes run: set of str."""
    names = [*cluster.brokers.values(), *cluster.servers.values()]
    return {container(name).attrs["Config"]["Image"].split(":")[1].split("-")[0] for name in names}


@contextlib.contextmanager
def small_disk(cluster, name):
    """Give a node, the container `name`, a disk of 128 MB, and its own again in the end."""
    labels = engine().volumes.get(f"{name}-data").attrs["Labels"]
    cluster.forget(name)
    small = {"type": "tmpfs", "device": "tmpfs", "o": "size=128m,uid=1000"}
    engine().volumes.create(f"{name}-data", driver_opts=small, labels=labels)
    cluster.hold(f"{name}-data")  # memory, which the engine gives back when no container uses it
    cluster.repair()
    try:
        yield
    finally:
        container(cluster.holder).remove(force=True)
        cluster.forget(name)


def fill(cluster):
    """Fill the disk that `small_disk` gave."""
    command = f"dd if=/dev/zero of={DATA}/filler bs=64k; dd if=/dev/zero of={DATA}/rest bs=1k"
    execute(cluster.holder, "bash", "-c", command, check=False)


def empty(cluster):
    """Remove what `fill` wrote."""
    execute(cluster.holder, "bash", "-c", f"rm {DATA}/filler {DATA}/rest")


@contextlib.contextmanager
def old_version(cluster, old):
    """A recreated cluster, which runs the old version."""
    cluster.remove()
    cluster.variables["stack_kafka_version"] = old
    try:
        cluster.repair()
        assert images(cluster) == {old}
        yield
    finally:
        cluster.variables.pop("stack_kafka_version", None)

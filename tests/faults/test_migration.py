"""A cluster moves from ZooKeeper to KRaft 3.9 and 4.4 under a workload: no acknowledged message is lost.

Each phase is killed halfway and continues; each phase with a way back is returned from; a second migration follows.
build/migration/migration.md has the table of docs/migration.md.
"""

import subprocess
from pathlib import Path

import pytest

from kafka_proof.workload.run import Load
from tests.faults import migration_table
from tests.faults.cluster import ROOT, Cluster, running
from tests.faults.modes import KRaft, ZooKeeper
from tests.faults.verify import verified
from tests.support.engine import KRAFT_VERSION, VERSION, engine, execute
from tests.support.maven import jar

MIGRATE, ROLLBACK = "playbooks/migrate.yml", "playbooks/migrate_rollback.yml"
TABLE = ROOT / "build" / "migration"
BYTEMAN = ("org.jboss.byteman", "byteman", "4.0.23")  # runs what a rule says at a place in a program
RULES = Path(__file__).with_name("lost_request.btm")
# Where a run of the phase is killed. Each of these tasks runs when the first node has changed.
KILLED = {
    "controllers": "Start controllers that are not running",
    "dual-write": "Wait until the broker is in sync",
    "brokers": "Wait until the broker is in sync",
    "finalise": "Wait until the controller follows the quorum",
    "remove": "Remove ZooKeeper]",
}


@pytest.fixture(scope="module")
def cluster():
    with running(Cluster(ZooKeeper, name="kp-migrate", port=29740)) as cluster:
        yield cluster


def test_each_phase_is_interrupted_and_undone(cluster):
    rows = {}
    for phase in ("controllers", "dual-write", "brokers"):
        rows[phase] = killed(cluster, phase, migrate_until=phase)
        assert "changed=0" in cluster.play(MIGRATE, migrate_until=phase)
    for phase in ("brokers", "dual-write", "controllers"):
        if phase != "brokers":
            cluster.play(MIGRATE, migrate_until=phase)
        back = under_load(cluster, lambda phase=phase: returned(cluster, phase))
        assert "migration" not in nodes_of_zookeeper(cluster)
        assert "changed=0" in cluster.play("site.yml")
        migration_table.save(TABLE, migration_table.row(phase, rows[phase], back))


def test_leaders_that_wait_for_ever_are_restarted(cluster):
    cluster.play(MIGRATE, migrate_until="controllers")
    last = cluster.controller()
    said = []

    def do():
        cluster.interrupt(MIGRATE, f"do without host-{last}", migrate_until="dual-write")
        leaders = [container for broker, container in cluster.brokers.items() if broker != last]
        for container in [*leaders, *(cluster.container("kafka-controller", 100 + each) for each in cluster.servers)]:
            lose_requests(container)
        said.append(cluster.play(MIGRATE, migrate_until="dual-write"))

    result = under_load(cluster, do)
    assert "Restart the broker that waits for ever" in said[0]
    assert cluster.problems() == []
    back = under_load(cluster, lambda: cluster.play(ROLLBACK))
    migration_table.save(TABLE, migration_table.row("dual-write, requests lost", result, back))


def test_the_migration_is_finalised_and_kafka_upgraded(cluster):
    refused(cluster, "playbooks/upgrade.yml", "Kafka 4 has no ZooKeeper", stack_kafka_version=KRAFT_VERSION)
    cluster.play(MIGRATE)
    refused(cluster, "site.yml", "is under way")
    refused(cluster, "playbooks/upgrade.yml", "is under way")
    result = killed(cluster, "finalise", "remove", migrate_finalise=True)
    migration_table.save(TABLE, migration_table.row("finalise, remove", result))
    refused(cluster, ROLLBACK, "there is no way back")
    refused(cluster, "site.yml", "belongs to a cluster with KRaft")

    with_kraft(cluster)
    cluster.variables["stack_kafka_version"] = VERSION
    assert "changed=0" in cluster.play("site.yml")
    cluster.variables["stack_kafka_version"] = KRAFT_VERSION
    result = under_load(cluster, lambda: upgraded(cluster))
    migration_table.save(TABLE, migration_table.row(f"upgrade to {KRAFT_VERSION}", result, interrupted=False))
    cluster.variables["stack_kafka_version"] = VERSION
    refused(cluster, "playbooks/upgrade.yml", "metadata.version")


def killed(cluster, *phases, **variables):
    """Kill a run in each of these phases, and run it again, under a workload. Returns its result."""

    def do():
        for phase in phases:
            cluster.interrupt(MIGRATE, KILLED[phase], **variables)
        cluster.play(MIGRATE, **variables)

    return under_load(cluster, do)


def returned(cluster, phase):
    if phase != "controllers":
        cluster.interrupt(ROLLBACK, "Remove the records of the migration")
    cluster.play(ROLLBACK)


def upgraded(cluster):
    assert "There is no way back" in cluster.play("playbooks/upgrade.yml")
    cluster.play("playbooks/upgrade.yml", upgrade_finalise=True)


def under_load(cluster, do):
    result = verified(cluster, lambda _: do(), Load())
    assert result["problems"] == []
    return result


def refused(cluster, playbook, reason, **variables):
    """Run a playbook that is refused, and leaves every container as it is."""
    before = lives(cluster)
    assert reason in " ".join(cluster.play(playbook, fails=True, **variables).split())
    assert lives(cluster) == before


def lose_requests(container):
    """Load rules into the JVM of a container, which lose its requests to the controller; see RULES."""
    for path in (jar(*BYTEMAN), RULES):
        copy = ["docker", "exec", "-i", container, "cp", "/dev/stdin", f"/tmp/{path.name}"]
        with path.open("rb") as file:
            subprocess.run(copy, stdin=file, check=True)
    load = ("1", "JVMTI.agent_load", f"/tmp/{jar(*BYTEMAN).name}", f"script:/tmp/{RULES.name}")
    assert "return code: 0" in execute(container, "java", "-m", "jdk.jcmd/sun.tools.jcmd.JCmd", *load)


def lives(cluster):
    """Since when each container of the stack runs."""
    found = engine().containers.list(all=True, filters={"name": f"^{cluster.name}-"})
    return {each.name: f"{each.id} {each.attrs['State']['StartedAt']}" for each in found}


def nodes_of_zookeeper(cluster):
    script = "/opt/kafka/bin/zookeeper-shell.sh -server localhost:2181 ls / 2>&1"
    return execute(cluster.servers[1], "bash", "-c", script)


def with_kraft(cluster):
    """Describe the cluster as it is now: controllers run where ZooKeeper ran."""
    cluster.mode = KRaft
    cluster.servers = dict(cluster.server(each) for each in (1, 2, 3))
    for key in ZooKeeper.config:
        del cluster.variables["kafka_config"][key]

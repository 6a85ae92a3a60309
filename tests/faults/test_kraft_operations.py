"""An operator's work on the controllers of KRaft: a change that breaks one, and runs that are interrupted."""

from docker.errors import NotFound

from kafka_proof.workload.run import Load
from tests.faults.kraft_table import until_it_leaves
from tests.faults.modes import KRaft, of_mode
from tests.faults.steps import changed
from tests.faults.verify import verified
from tests.support.engine import container


def exists(name):
    try:
        return bool(container(name))
    except NotFound:
        return False


@of_mode(KRaft)
def test_a_change_that_breaks_a_controller_stops_there_and_continues_after_the_repair(cluster):
    def break_and_mend(cluster):
        before, leads = cluster.lives(), cluster.leader()
        cluster.variables["kafka_controller_config"] = {"queued.max.requests": 0}
        said = cluster.play("site.yml", fails=True, kafka_controller_start_timeout=20)

        [broken] = changed(before, cluster.lives())
        assert broken in {*cluster.servers.values()} - {cluster.servers[leads]}
        assert f"The container {broken} is" in said
        assert "Invalid value 0 for configuration queued.max.requests" in said

        cluster.variables["kafka_controller_config"] = {"queued.max.requests": 401}
        cluster.repair()
        assert changed(before, cluster.lives()) == {*cluster.servers.values()}

    try:
        assert verified(cluster, break_and_mend, Load())["problems"] == []
    finally:
        del cluster.variables["kafka_controller_config"]


@of_mode(KRaft)
def test_a_first_run_that_was_killed_after_one_controller_continues(cluster):
    cluster.remove()
    cluster.interrupt("site.yml", "Start the first controller")
    first, *others = cluster.servers.values()
    assert exists(first)
    assert not all(map(exists, others))
    cluster.repair()


@of_mode(KRaft)
def test_a_run_that_was_killed_before_a_controller_joined_continues(cluster):
    with until_it_leaves(cluster):
        cluster.servers |= [cluster.server(4)]
        cluster.interrupt("site.yml", "Compare the broker with the inventory")
        assert cluster.mode.problems(cluster) == ["controller 104: no voter, or not caught up"]
        before = cluster.lives()
        cluster.repair()
        assert cluster.lives() == before

"""The quorum of controllers, with real ones: who joins, leaves, and may stop. Three controllers and a broker."""

import json

import pytest
from kafka.protocol.admin import CreateTopicsRequest

from kafka_proof.client.connection import admin_client
from kafka_proof.client.raw import send
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import REMOVE, caught_up, describe_quorum, is_caught_up
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.cluster.settings import set_shared
from kafka_proof.operations.quorum import (
    NotLostError,
    QuorumError,
    give_up_voter,
    plan,
    reconcile,
    remove_voter,
    unregister,
)
from kafka_proof.operations.rolling import wait_back, wait_can_stop
from kafka_proof.operations.rolling_plan import decide_controllers
from tests.versions.quorum import JOINS, Cluster
from tests.versions.test_versions import command

SECONDS = 60
SHORT = 5  # seconds for a wait that cannot succeed
CONTROLLER = ("controller",)
SETTINGS = {"broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 1000}


def _version(version, *marks):
    return pytest.param(version, id=version, marks=[pytest.mark.xdist_group(f"quorum-{version}"), *marks])


@pytest.fixture(scope="module", params=[_version("3.9.2"), _version("4.4.0", pytest.mark.sample)])
def running(request):
    with Cluster(request.param, settings=SETTINGS) as cluster:
        cluster.add(1, "controller", "--standalone")
        cluster.add(11, "broker", JOINS)
        for number in (2, 3):
            cluster.add(number, "controller", JOINS)
        made = reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
        assert [step.id for step in made] == [2, 3]
        yield cluster


@pytest.fixture
def cluster(running):
    """The cluster, with three voters that run."""
    said.clear()
    for number in (1, 2, 3):
        running.nodes[number].start()
    reconcile(running.client, wanted(running), SECONDS, said.append)
    said.clear()
    return running


said = []


def wanted(cluster):
    return {number: cluster.endpoint(number) for number in (1, 2, 3)}


def changed(before=None, after=None, **wanted):
    """The controllers as `plan_controllers` gets them, which all change; `wanted`: settings of the new file."""
    settings = {"before": before, "after": after} if before else None
    node = {"change": "create", "running": True, "settings": settings, "wanted": wanted}
    return [node | {"host": number, "id": number} for number in (1, 2, 3)]


def look(cluster):
    with admin_client(cluster.client, SECONDS) as admin:
        return describe_quorum(admin)


def is_late(cluster, controller):
    """Wait until the leader misses a controller that was stopped."""

    def missed():
        found = look(cluster)
        replicas = [each for each in [*found.voters, *found.observers] if each.id == controller]
        return not any(is_caught_up(found, each) for each in replicas)

    wait_until("a dead controller that is behind", missed, pause=0.2)


def test_three_voters_need_no_change(cluster):
    assert reconcile(cluster.client, wanted(cluster), SECONDS, said.append) == []
    assert plan(cluster.client, wanted(cluster)) == ([], [], [])
    assert plan(cluster.client, {1: cluster.endpoint(1)}) == ([], [], [2, 3])
    found = look(cluster)
    assert (found.voter_ids, caught_up(found)) == ([1, 2, 3], {1, 2, 3})
    assert found.endpoints == wanted(cluster)
    assert [each.id for each in found.observers if each.last_fetch == found.now] in ([], [11])


def test_the_leader_leaves_and_joins_again(cluster):
    leader = look(cluster).leader
    assert remove_voter(cluster.client, leader, SECONDS, said.append) is True
    found = look(cluster)
    assert found.voter_ids == sorted({1, 2, 3} - {leader})
    assert found.leader in found.voter_ids
    assert remove_voter(cluster.client, leader, SECONDS, said.append) is False

    [step] = reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
    assert (step.action, step.id) == ("add", leader)
    assert caught_up(look(cluster)) == {1, 2, 3}


def test_a_dead_voter_leaves(cluster):
    cluster.nodes[3].stop()
    assert remove_voter(cluster.client, 3, SECONDS, said.append) is True
    assert look(cluster).voter_ids == [1, 2]


def test_a_controller_that_does_not_run_is_waited_for(cluster):
    assert remove_voter(cluster.client, 3, SECONDS, said.append)
    cluster.nodes[3].stop()
    is_late(cluster, 3)
    with pytest.raises(NotReadyError, match=r"controller 3 is an observer and not caught up; changes made: none"):
        reconcile(cluster.client, wanted(cluster), SHORT, said.append)


def test_a_controller_that_lost_its_disk_is_replaced(cluster):
    before = {each.id: each.directory for each in look(cluster).voters}
    node = cluster.nodes[3]
    node.stop()
    node.lose_disk()
    node.format(JOINS)
    node.start()
    made = reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
    after = {each.id: each.directory for each in look(cluster).voters}
    assert [(step.action, step.id, step.directory) for step in made] == [
        (REMOVE, 3, before[3]),
        ("add", 3, after[3]),
    ]
    assert after == before | {3: after[3]}
    assert reconcile(cluster.client, wanted(cluster), SECONDS, said.append) == []


def test_two_of_three_may_not_stop(cluster):
    client = cluster.client
    wait_can_stop(client, 2, SHORT, said.append, kinds=CONTROLLER)
    cluster.nodes[3].stop()
    is_late(cluster, 3)
    with pytest.raises(
        NotReadyError, match=r"controller 2 may not stop: of 3 voters only \[1, 2\] are caught up, and 2"
    ):
        wait_can_stop(client, 2, SHORT, said.append, kinds=CONTROLLER)
    wait_can_stop(client, 3, SHORT, said.append, kinds=CONTROLLER)
    cluster.nodes[3].start()
    wait_back(client, 3, SECONDS, SECONDS, said.append, kinds=CONTROLLER)
    wait_can_stop(client, 2, SHORT, said.append, kinds=CONTROLLER)


def test_a_controller_is_not_back_by_its_last_fetch_before_the_stop(cluster):
    cluster.nodes[3].stop()
    with pytest.raises(NotReadyError, match="controller 3 does not fetch from leader"):
        wait_back(cluster.client, 3, 1, SECONDS, said.append, kinds=CONTROLLER)


def test_all_three_roll(cluster):
    leader = look(cluster).leader
    decided = decide_controllers(cluster.client, changed(), gate=True)
    assert (decided["at_once"], decided["one_by_one"][-1]) == ([], leader)
    for number in decided["one_by_one"]:
        wait_can_stop(cluster.client, number, SECONDS, said.append, kinds=CONTROLLER)
        cluster.nodes[number].stop(gently=True)
        cluster.nodes[number].start()
        wait_back(cluster.client, number, SECONDS, SECONDS, said.append, kinds=CONTROLLER)
    assert caught_up(look(cluster)) == {1, 2, 3}


def test_a_controller_that_does_not_run_changes_first(cluster):
    leader = look(cluster).leader
    dead = min({1, 2, 3} - {leader})
    cluster.nodes[dead].stop()
    is_late(cluster, dead)
    [first, *_, last] = decide_controllers(cluster.client, changed(), gate=True)["one_by_one"]
    assert (first, last) == (dead, leader)


def test_a_setting_of_all_nodes_reaches_the_controllers(cluster):
    """The answer to a check of a new topic shows the settings by which the active controller decides."""
    key = "unclean.leader.election.enable"

    def decides():
        topic = CreateTopicsRequest.CreatableTopic(name="checked", num_partitions=1, replication_factor=1)
        with admin_client(cluster.client, SECONDS) as admin:
            request = CreateTopicsRequest(topics=[topic], timeout_ms=SECONDS * 1000, validate_only=True)
            [answer] = send(admin, request).topics
        return next(setting.value for setting in answer.configs if setting.name == key)

    def decided(before, after, **wanted):
        found = decide_controllers(cluster.client, changed(before, after, **wanted), gate=True)
        assert (found["at_once"], found["one_by_one"]) == ([], [])
        return found["configure_all"]

    assert decides() == "false"
    assert decided("a=b\n", f"a=b\n{key}=true\n", **{key: "true"}) == {key: "true"}
    for value, shown in (("true", "true"), (None, "false")):
        with admin_client(cluster.client, SECONDS) as admin:
            assert "Invalid value maybe" in set_shared(admin, {key: "maybe"})
            assert set_shared(admin, {key: "false"}, validate_only=True) == ""
            assert set_shared(admin, {key: value}) == ""
        wait_until("the controller's new value", decides, lambda seen, shown=shown: seen == shown)


def test_a_voter_that_is_lost_for_good_is_given_up(cluster):
    with pytest.raises(NotLostError, match="controller 3 runs"):
        give_up_voter(cluster.client, 3, [1, 2], SECONDS, said.append)
    cluster.nodes[3].stop()
    with pytest.raises(NotLostError, match="is one of the wanted controllers"):
        give_up_voter(cluster.client, 3, [1, 2, 3], SECONDS, said.append)

    def given_up(dry_run):
        try:
            return give_up_voter(cluster.client, 3, [1, 2], SECONDS, said.append, dry_run)
        except NotLostError as error:
            return str(error)

    # Until its last fetch is long ago.
    [step] = wait_until("a lost voter", lambda: given_up(True), lambda seen: isinstance(seen, list), pause=0.5)
    assert (step.action, step.id, look(cluster).voter_ids) == (REMOVE, 3, [1, 2, 3])
    assert given_up(False) == [step]
    assert look(cluster).voter_ids == [1, 2]
    assert given_up(False) == []


def test_a_stopped_broker_is_unregistered(cluster):
    broker = cluster.add(12, "broker", JOINS)
    wait_back(cluster.client, 12, SECONDS, SECONDS, said.append)
    with pytest.raises(NotReadyError, match="broker 12 runs"):
        unregister(cluster.client, 12, 1, said.append)
    broker.stop()
    assert unregister(cluster.client, 12, SECONDS, said.append) is True
    assert unregister(cluster.client, 12, SECONDS, said.append) is False
    del cluster.nodes[12]


# The commands


def test_commands_name_the_listener_of_a_controller(cluster):
    address = f"127.0.0.1:{cluster.addresses[1]}"
    status, text = command("kafka_proof.doctor", address)
    assert status == 1
    assert f"fault: {address} is a listener for controllers, which answers no client\nchange (controller-list" in text
    for module in ("kafka_proof.status", "kafka_proof.lag"):
        status, text = command(module, address)
        assert (status, text.count("\n")) == (2, 1)
        assert "That is the listener of a controller: name the port of kafka_client_listener" in text


def test_commands_name_a_dead_voter(cluster):
    status, text = command("kafka_proof.status", cluster.bootstrap)
    assert (status, "problems" in text.splitlines()[-1]) == (0, True), text
    assert [line.split()[0] for line in text.splitlines()[4:7]] == ["1", "2", "3"]
    cluster.nodes[3].stop()
    is_late(cluster, 3)
    said = "controller 3 is not caught up, its last fetch was "
    status, text = command("kafka_proof.status", cluster.bootstrap, "--json")
    assert status == 1
    found = json.loads(text)
    assert [bool(voter["problem"]) for voter in found["quorum"]["voters"]] == [False, False, True]
    assert [said in found["problems"][0], "none can be lost" in found["problems"][1]] == [True, True]
    status, text = command("kafka_proof.doctor", cluster.bootstrap)
    assert (status, f"leads the quorum; {said}" in text, "change (voter)" in text) == (0, True, True), text


def test_commands_name_a_lost_quorum(cluster):
    for number in (2, 3):
        cluster.nodes[number].stop()
    doctor = ("kafka_proof.doctor", cluster.bootstrap)
    wait_until("a quorum without a leader", lambda: command(*doctor)[0], seconds=SECONDS)
    _, text = command(*doctor)
    assert "fault: the quorum has no leader" in text
    assert "start a majority of the quorum's controllers" in text
    status, text = command("kafka_proof.status", cluster.bootstrap)
    assert status == 1
    assert text.endswith("problems: 1\n  no controller: topics cannot be created, and leaders cannot move\n")


# Other clusters


@pytest.mark.parametrize("version", [_version("3.9.2"), _version("4.4.0", pytest.mark.sample)])
def test_a_controller_joins_only_where_the_leader_reaches_it(version):
    """The leader connects to a controller that it does not know. Where it knows one, it uses the connection it has."""
    with Cluster(version, controllers=(1, 2)) as cluster:
        cluster.add(1, "broker,controller", "--standalone")
        cluster.add(2, "controller", JOINS)
        right = {number: cluster.endpoint(number) for number in (1, 2)}
        with pytest.raises(NotReadyError, match=r"add controller 2 at 127.0.0.1:9 .*: RequestTimedOutError"):
            reconcile(cluster.client, right | {2: {"CONTROLLER": ("127.0.0.1", 9)}}, SHORT, said.append)
        with pytest.raises(QuorumError, match="InvalidRequestError: Add voter request didn't include the endpoint"):
            reconcile(cluster.client, right | {2: {"OTHER": right[2]["CONTROLLER"]}}, SECONDS, said.append)
        assert look(cluster).voter_ids == [1]
        [step] = reconcile(cluster.client, right, SECONDS, said.append)
        assert step.id == 2


@pytest.mark.parametrize("version", [_version("3.9.2"), _version("4.4.0")])
def test_combined_nodes_roll(version):
    """A combined node needs both: its partitions and the quorum."""
    both = ("broker", "controller")
    copies = {"offsets.topic.replication.factor": 3, "min.insync.replicas": 2, "default.replication.factor": 3}
    with Cluster(version, settings=SETTINGS | copies) as cluster:
        for number in (1, 2, 3):
            cluster.add(number, "broker,controller", "--standalone" if number == 1 else JOINS)
        reconcile(cluster.client, wanted(cluster), SECONDS, said.append)
        wait_ready(cluster.client, (1, 2, 3), SECONDS)
        leader = look(cluster).leader
        order = sorted((1, 2, 3), key=lambda number: number == leader)
        for number in order[:2]:
            wait_can_stop(cluster.client, number, SECONDS, said.append, kinds=both)
            cluster.nodes[number].stop()
            cluster.nodes[number].start()
            wait_back(cluster.client, number, SECONDS, SECONDS, said.append, kinds=both)
        cluster.nodes[order[0]].stop()
        is_late(cluster, order[0])
        with pytest.raises(NotReadyError, match=f"(broker|controller) {leader} may not stop"):
            wait_can_stop(cluster.client, leader, SHORT, said.append, kinds=both)
        with pytest.raises(NotReadyError, match=f"controller {leader} may not stop"):
            wait_can_stop(cluster.client, leader, SHORT, said.append, kinds=("controller",))

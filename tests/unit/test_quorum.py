"""Decisions on the quorum, without a cluster: voters that are caught up, that may stop, that join and that leave."""

from types import SimpleNamespace
from uuid import UUID

import pytest
from kafka.errors import NotControllerError, NotLeaderForPartitionError

from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import (
    Quorum,
    Replica,
    Step,
    as_quorum,
    caught_up,
    directory_id,
    directory_text,
    loss_obstacles,
    obstacles,
    problems,
    removal_obstacles,
    voters_to_change,
    warnings,
)
from kafka_proof.operations import quorum as changes
from kafka_proof.operations import rolling
from kafka_proof.operations.quorum import QuorumError
from kafka_proof.operations.rolling_plan import Cluster, plan_controllers

NOW = 1_000_000  # ms
OLD = NOW - 60_000


def replica(number, time=NOW, directory="own"):
    return Replica(number, f"{directory}-{number}", 7, time, time)


def quorum(voters, observers=(), leader=1):
    """A quorum. voters, observers: {id: time when it was caught up}, or list of ids or Replicas, which are."""

    def replicas(items):
        times = items.items() if isinstance(items, dict) else [(each, NOW) for each in items]
        return [each if isinstance(each, Replica) else replica(each, time) for each, time in times]

    return Quorum(leader, 3, 7, replicas(voters), replicas(observers), {})


# The response


def response(*leaders, code=0, inner=0):
    states = [SimpleNamespace(replica_id=2, replica_directory_id=None, log_end_offset=7) for _ in range(1)]
    for state in states:
        state.last_fetch_timestamp = state.last_caught_up_timestamp = -1
    partitions = [
        SimpleNamespace(
            leader_id=leader,
            leader_epoch=1,
            high_watermark=7,
            current_voters=states,
            observers=[],
            error_code=inner,
        )
        for leader in leaders
    ]
    topics = [SimpleNamespace(partitions=partitions)]
    listener = SimpleNamespace(name="CONTROLLER", host="a", port=9093)
    nodes = [SimpleNamespace(node_id=2, listeners=[listener])]
    return SimpleNamespace(error_code=code, topics=topics, nodes=nodes)


def test_as_quorum():
    found = as_quorum(response(100))
    assert (found.leader, found.epoch, found.high_watermark, found.voter_ids) == (100, 1, 7, [2])
    assert found.voters == [Replica(2, "AAAAAAAAAAAAAAAAAAAAAA", 7, -1, -1)]
    assert found.endpoints == {2: {"CONTROLLER": ("a", 9093)}}


@pytest.mark.parametrize("leaders", [(-1,), ()])
def test_no_leader(leaders):
    assert as_quorum(response(*leaders)).leader is None


def test_refusals():
    with pytest.raises(NotControllerError):
        as_quorum(response(100, code=41))
    with pytest.raises(NotLeaderForPartitionError):
        as_quorum(response(0, inner=6))


def test_directories_are_written_as_kafka_prints_them():
    directory = UUID("3638737a-bf0e-8ef8-6e87-30c65fe234ec")
    assert directory_text(directory) == "Njhzer8OjvhuhzDGX-I07A"
    assert directory_id("Njhzer8OjvhuhzDGX-I07A") == directory


# Voters that are caught up, and voters that may stop


@pytest.mark.parametrize(
    ("found", "current"),
    [
        pytest.param(quorum([1, 2, 3]), {1, 2, 3}, id="all"),
        pytest.param(quorum({1: NOW, 2: NOW - 2000, 3: NOW - 2001}), {1, 2}, id="2 s at most"),
        pytest.param(quorum({1: NOW, 2: -1, 3: -1}), {1}, id="a new leader has heard of none"),
        pytest.param(quorum({1: -1, 2: -1}), {1}, id="without times, the leader alone"),
        pytest.param(quorum({1: NOW - 1, 2: OLD}, {9: NOW}), {1}, id="observers do not count"),
        pytest.param(quorum([], [1], leader=1), set(), id="the leader has left"),
    ],
)
def test_caught_up(found, current):
    assert caught_up(found) == current


@pytest.mark.parametrize(
    ("found", "stopping", "words"),
    [
        pytest.param(quorum([1, 2, 3]), 2, None, id="two of three stay"),
        pytest.param(quorum([1, 2, 3]), 1, None, id="the leader, too"),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD}),
            2,
            "controller 2 may not stop: of 3 voters only [1, 2] are caught up, and 2 are needed without it",
            id="one is down",
        ),
        pytest.param(quorum({1: NOW, 2: NOW, 3: OLD}), 3, None, id="the one that is down"),
        pytest.param(quorum({1: NOW, 2: NOW, 3: NOW, 4: NOW, 5: OLD}), 2, None, id="three of five stay"),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: NOW, 4: OLD, 5: OLD}), 2, "of 5 voters only [1, 2, 3]", id="two of five are down"
        ),
        pytest.param(quorum([1, 2, 3, 4]), 2, None, id="three of four stay"),
        pytest.param(quorum({1: NOW, 2: NOW, 3: NOW, 4: OLD}), 2, "and 3 are needed", id="of four, one is down"),
        pytest.param(quorum([1]), 1, None, id="a single voter"),
        pytest.param(quorum([1, 2]), 2, None, id="one of two: it can never do better"),
        pytest.param(quorum({1: NOW, 2: OLD}), 1, "of 2 voters only [1]", id="the other of two is down"),
        pytest.param(quorum([1, 2, 3], [4]), 4, None, id="no voter"),
        pytest.param(quorum([1, 2, 3], leader=None), 2, "the quorum has no leader", id="no leader"),
    ],
)
def test_obstacles(found, stopping, words):
    said = obstacles(found, stopping)
    assert len(said) == (words is not None)
    assert words is None or words in said[0]


@pytest.mark.parametrize(
    ("found", "leaving", "words"),
    [
        pytest.param(quorum([1, 2, 3]), 1, None, id="the leader"),
        pytest.param(quorum({1: NOW, 2: NOW, 3: OLD}), 3, None, id="a dead one"),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD}),
            2,
            "controller 2 may not leave: of the other 2 voters only [1] are caught up, and 2 are needed",
            id="a live one of two",
        ),
        pytest.param(quorum([1, 2]), 2, None, id="one of two"),
        pytest.param(quorum([1]), 1, "controller 1 is the last voter", id="the last"),
    ],
)
def test_removal_obstacles(found, leaving, words):
    said = removal_obstacles(found, leaving)
    assert len(said) == (words is not None)
    assert words is None or words in said[0]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(quorum([1, 2, 3]), [], id="all"),
        pytest.param(quorum([1]), [], id="a single voter"),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD}),
            [
                "controller 3 is not caught up, its last fetch was 60.0 s ago",
                "of 3 voters 2 are caught up, and 2 are needed: none can be lost",
            ],
            id="one of three is down",
        ),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: NOW, 4: NOW, 5: -1}),
            ["controller 5 is not caught up, its last fetch was an unknown time ago"],
            id="one of five is down",
        ),
    ],
)
def test_problems(found, said):
    assert problems(found) == said


@pytest.mark.parametrize(("voters", "count"), [([1], 0), ([1, 2], 1), ([1, 2, 3], 0), ([1, 2, 3, 4], 1), ([], 0)])
def test_warnings(voters, count):
    assert len(warnings(quorum(voters))) == count


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(quorum({1: NOW, 2: NOW, 9: OLD}), None, id="it does not fetch"),
        pytest.param(quorum({1: NOW, 2: NOW, 9: -1}), None, id="it never fetched from this leader"),
        pytest.param(quorum([1, 2]), None, id="no voter"),
        pytest.param(quorum({1: NOW, 2: NOW, 9: NOW - 5000}), "controller 9 runs", id="it is late"),
        pytest.param(quorum({1: NOW, 9: -1}, leader=9), "controller 9 runs", id="it leads"),
        pytest.param(
            quorum({1: NOW, 2: OLD}, leader=1), "controller 2 is one of the wanted controllers, [1, 2]", id="wanted"
        ),
    ],
)
def test_a_voter_that_is_lost_for_good(found, words):
    said = loss_obstacles(found, 2 if words and "wanted" in words else 9, [1, 2])
    assert len(said) == (words is not None)
    assert words is None or words in said[0]


# Controllers that join

AT = {"CONTROLLER": ("a", 9093)}


def steps(found, *wanted):
    plan = voters_to_change(found, dict.fromkeys(wanted, AT))
    return [(step.action, step.id, step.directory) for step in plan.steps], plan.waits, plan.strangers


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        pytest.param(quorum([1, 2, 3], [11]), (1, 2, 3), ([], [], []), id="nothing"),
        pytest.param(
            quorum([1], [2, 3, 11]),
            (1, 2, 3),
            ([("add", 2, "own-2"), ("add", 3, "own-3")], [], []),
            id="two join, and the broker does not",
        ),
        pytest.param(
            quorum([1], {2: OLD}), (1, 2), ([], ["controller 2 is an observer and not caught up"], []), id="one is late"
        ),
        pytest.param(
            quorum([1]),
            (1, 2),
            ([], ["controller 2 is neither voter nor observer: it does not run, or not in this cluster"], []),
            id="one is absent",
        ),
        pytest.param(
            quorum({1: NOW, 2: OLD}), (1, 2), ([], ["controller 2 is a voter and not caught up"], []), id="one is down"
        ),
        pytest.param(quorum([1, 2, 9]), (1, 2), ([], [], [9]), id="a stranger stays"),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD}, [replica(3, directory="new")]),
            (1, 2, 3),
            ([("remove", 3, "own-3"), ("add", 3, "new-3")], [], []),
            id="a lost disk",
        ),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD}, [4, replica(3, directory="new")]),
            (1, 2, 3, 4),
            ([("remove", 3, "own-3"), ("add", 3, "new-3"), ("add", 4, "own-4")], [], []),
            id="a lost disk first",
        ),
        pytest.param(
            quorum([1, 2, 3], {replica(3, OLD, "old"): OLD}),
            (1, 2, 3),
            ([], [], []),
            id="the leader remembers the directory that was removed",
        ),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD}, [replica(3, OLD + 1, "new")]),
            (1, 2, 3),
            ([], ["controller 3 is an observer and not caught up"], []),
            id="a lost disk that is not read yet",
        ),
        pytest.param(
            quorum({1: NOW, 2: NOW, 3: OLD, 4: OLD}, [5]),
            (1, 2, 5),
            ([("add", 5, "own-5")], [], [3, 4]),
            id="with the new one, three of five",
        ),
        pytest.param(
            quorum({1: NOW, 2: OLD, 3: OLD}, [4]),
            (1, 4),
            ([], ["controller 4 joins when more voters than [1] are caught up"], [2, 3]),
            id="no majority",
        ),
    ],
)
def test_voters_to_change(found, wanted, expected):
    assert steps(found, *wanted) == expected


def test_a_step_reads_as_a_sentence():
    [remove, add] = voters_to_change(
        quorum({1: NOW, 2: NOW, 3: OLD}, [replica(3, directory="new")]), dict.fromkeys((1, 2, 3), AT)
    ).steps
    assert str(remove) == "remove controller 3 (directory own-3) from the voters"
    assert str(add) == "add controller 3 at a:9093 (directory new-3) to the voters"
    assert (remove.endpoints, add.endpoints) == ({}, AT)


# The order of a rolling change


def controller(number, change="create", running=True, before=None, after=None, wanted=()):
    settings = {"before": before, "after": after} if before else None
    node = {"host": f"c{number}", "id": number, "change": change, "running": running}
    return node | {"settings": settings, "wanted": dict(wanted)}


THREE = [controller(1), controller(2), controller(3)]


@pytest.mark.parametrize(
    ("controllers", "options", "decision"),
    [
        pytest.param([controller(1, "nothing"), controller(2, "nothing")], {}, ([], []), id="nothing"),
        pytest.param(THREE, {"controller": 2}, ([], ["c1", "c3", "c2"]), id="the leader last"),
        pytest.param(THREE, {"controller": 1, "silent": {3}}, ([], ["c3", "c2", "c1"]), id="the silent one first"),
        pytest.param([*THREE[:2], controller(3, running=False)], {}, (["c3"], ["c1", "c2"]), id="repair, then roll"),
        pytest.param([*THREE[:2], controller(3, "connect")], {}, (["c3"], ["c1", "c2"]), id="one is cut off"),
        pytest.param(THREE, {"gate": False}, (["c1", "c2", "c3"], []), id="no gate"),
        pytest.param([controller(1)], {}, (["c1"], []), id="a single one has none to wait for"),
        pytest.param([controller(1), controller(2, "nothing")], {}, ([], ["c1"]), id="only one changes"),
    ],
)
def test_plan_controllers(controllers, options, decision):
    gate = options.get("gate", True)
    found = plan_controllers(controllers, Cluster(options.get("controller"), options.get("silent", ()), {}), gate)
    assert (found["at_once"], found["one_by_one"], found["configure_all"]) == (*decision, {})


UNCLEAN, MINIMUM, PARTITIONS = "unclean.leader.election.enable", "min.insync.replicas", "num.partitions"


def reports(*shared):
    """The settings of a broker; `shared`: pairs of those that are set for all nodes."""
    file = {UNCLEAN: ("false", "BOOLEAN"), MINIMUM: ("1", "INT"), PARTITIONS: ("1", "INT")}
    found = {
        key: {"value": value, "config_type": kind, "read_only": key == PARTITIONS, "config_source": "DEFAULT_CONFIG"}
        for key, (value, kind) in file.items()
    }
    for key, value in shared:
        found[key] |= {"value": value, "config_source": "DYNAMIC_DEFAULT_BROKER_CONFIG"}
    return found


def text(settings):
    return "".join(f"{key}={value}\n" for key, value in settings.items())


BASE = {"node.id": "101"}
YES, NO = {UNCLEAN: "true"}, {UNCLEAN: "false"}


@pytest.mark.parametrize(
    ("before", "after", "shared", "rolls", "configure_all"),
    [
        pytest.param({}, YES, (), False, YES, id="a new line"),
        pytest.param(NO, YES, (), False, YES, id="another value"),
        pytest.param({}, YES, [(UNCLEAN, "true")], False, {}, id="the second run"),
        pytest.param({}, NO, [(UNCLEAN, "true")], False, NO, id="and another value"),
        pytest.param(YES, YES, [(UNCLEAN, "false")], False, YES, id="what somebody else changed"),
        pytest.param({}, {}, [(UNCLEAN, "true")], False, {UNCLEAN: None}, id="no more a line"),
        pytest.param(YES, {}, (), True, {}, id="no setting removes a line of the file"),
        pytest.param({}, {PARTITIONS: "2"}, (), True, {}, id="a restart"),
        pytest.param({}, YES | {PARTITIONS: "2"}, (), True, YES, id="a restart, and brokers keep running"),
        pytest.param({}, YES | {PARTITIONS: "2"}, [(UNCLEAN, "false")], True, YES, id="a restart, and it goes before"),
        pytest.param({}, {MINIMUM: "2"}, (), True, {}, id="the minimum without eligible leader replicas"),
        pytest.param({}, {MINIMUM: "2"}, [(MINIMUM, "1")], False, {}, id="the minimum, by the plan of the brokers"),
    ],
)
def test_plan_controllers_without_a_restart(before, after, shared, rolls, configure_all):
    change = "nothing" if before == after else "create"
    files = (text(BASE | before), text(BASE | after)) if change == "create" else ()
    nodes = [controller(number, change, True, *files, wanted=BASE | after) for number in (101, 102)]
    found = plan_controllers(nodes, Cluster(101, set(), {1: reports(*shared)}))
    assert (found["at_once"], found["one_by_one"]) == ([], ["c102", "c101"] if rolls else [])
    assert found["configure_all"] == configure_all
    # Without an answer of any broker all of that needs a restart.
    assert plan_controllers(nodes, Cluster(None, set(), {}))["one_by_one"] == ["c101", "c102"] * (change == "create")


# Is a restarted controller back?


@pytest.mark.parametrize(
    ("looks", "back"),
    [
        pytest.param([quorum([1, 2])], False, id="its last fetch can be of the process that was stopped"),
        pytest.param([quorum([1, 2]), quorum({1: NOW + 500, 2: NOW + 500})], False, id="or be held by the leader"),
        pytest.param([quorum([1, 2]), quorum({1: NOW + 600, 2: NOW + 501})], True, id="it fetches anew"),
        pytest.param([quorum([1, 2]), quorum({1: NOW + 600, 2: OLD})], False, id="another fetches"),
        pytest.param([quorum([2, 1], leader=2)], True, id="it leads"),
        pytest.param([quorum([1]), quorum({1: NOW + 600}, {2: NOW + 600})], True, id="it is an observer, as before"),
        pytest.param([quorum([1])], False, id="it is not in the quorum"),
        pytest.param(
            [quorum([1, 2, 3]), quorum({1: OLD, 2: NOW + 600, 3: NOW + 600}, leader=3)._replace(epoch=4)],
            False,
            id="the clock of a new leader is another clock",
        ),
    ],
)
def test_a_controller_is_back_when_it_fetches_anew(looks, back, monkeypatch):
    check = rolling._controller_fetches(2)
    for found in looks:
        monkeypatch.setattr(rolling.quorum, "describe_quorum", lambda _, found=found: found)
        try:
            seen = check(None)
        except NotReadyError:
            seen = None
    assert bool(seen) is back
    assert seen is None or seen[1].id == 2


# The requests


@pytest.mark.parametrize(
    ("code", "result"),
    [(0, True), (126, False), (127, False), (102, False), (7, NotReadyError), (35, QuorumError), (31, QuorumError)],
)
def test_answers(code, result, monkeypatch):
    monkeypatch.setattr(changes, "send", lambda *_, **__: SimpleNamespace(error_code=code, error_message="why"))
    if isinstance(result, bool):
        assert changes._ask(None, None, "add it") is result
        return
    with pytest.raises(result, match=r"add it: .*: why"):
        changes._ask(None, None, "add it")


def test_voters_of_a_static_quorum_are_fixed():
    step = Step("remove", 2, "AAAAAAAAAAAAAAAAAAAAAA", {})
    with pytest.raises(QuorumError, match=r"remove controller 2 .*: the quorum is static"):
        changes._take(None, step)

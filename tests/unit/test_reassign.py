"""Plans for the placement of replicas, and their messages, without a broker."""

import random
from collections import Counter
from types import SimpleNamespace

import pytest
from kafka import TopicPartition

from kafka_proof.operations.placement import ImpossibleError, make_plan
from kafka_proof.operations.reassign import render, room_problems, run
from kafka_proof.operations.reassign.observe import size_text, target
from kafka_proof.operations.reassign.run import _is_done, _missing


def brokers(*ids, racks=""):
    return dict(zip(ids, racks or [None] * len(ids), strict=True))


@pytest.mark.parametrize(
    ("partitions", "ids", "drain", "replication", "plan"),
    [
        pytest.param({}, brokers(1), (), {}, {}, id="nothing is there"),
        pytest.param({("t", 0): [1], ("t", 1): [2]}, brokers(1, 2), (), {}, {}, id="all is even"),
        pytest.param({("t", 0): [1, 2], ("t", 1): [2, 1]}, brokers(1, 2), (), {}, {}, id="all is even with replicas"),
        pytest.param(
            {("t", 0): [1], ("t", 1): [1]}, brokers(1, 2), (), {}, {("t", 0): [2]}, id="a new broker gets one"
        ),
        pytest.param({("t", 0): [1]}, brokers(1, 2, 3), (), {}, {}, id="one cannot be more even"),
        pytest.param(
            {("t", 0): [1, 2], ("t", 1): [1, 2]}, brokers(1, 2), (), {}, {("t", 0): [2, 1]}, id="only the order changes"
        ),
        pytest.param({("t", 0): [1], ("t", 1): [2]}, brokers(1, 2), [2], {}, {("t", 1): [1]}, id="a broker is drained"),
        pytest.param(
            {("t", 0): [1, 9]}, brokers(1, 2), [9], {}, {("t", 0): [1, 2]}, id="a broker that is gone is drained"
        ),
        pytest.param({("t", 0): [1]}, brokers(1, 2, 9), [9], {}, {}, id="what is drained holds nothing"),
        pytest.param(
            {("t", 0): [1]}, brokers(1, 2, 3), (), {"t": 3}, {("t", 0): [1, 2, 3]}, id="more replicas, the leader stays"
        ),
        pytest.param({("t", 0): [3, 1]}, brokers(1, 2, 3), (), {"t": 1}, {("t", 0): [1]}, id="fewer replicas"),
        pytest.param(
            {("hot", 0): [1], ("hot", 1): [1], ("cold", 0): [1], ("cold", 1): [1]},
            brokers(1, 2),
            (),
            {},
            {("cold", 0): [2], ("hot", 0): [2]},
            id="of each topic some",
        ),
        pytest.param(
            {("t", 0): [1, 2], ("t", 1): [3, 4]},
            brokers(1, 2, 3, 4, racks="aabb"),
            (),
            {},
            {("t", 0): [1, 3], ("t", 1): [4, 2]},
            id="on two racks",
        ),
        pytest.param(
            {("t", 0): [1, 2], ("t", 1): [3, 4]},
            {1: "a", 2: "a", 3: "b", 4: None},
            (),
            {},
            {},
            id="one has no rack, so racks do not count",
        ),
    ],
)
def test_plan(partitions, ids, drain, replication, plan):
    assert make_plan(partitions, ids, drain, replication) == plan


@pytest.mark.parametrize(
    ("ids", "drain", "replication", "words"),
    [
        (brokers(1, 2), [2], {}, ["1 brokers remain", "pair (2)", "Add a broker"]),
        (brokers(1, 2), (), {"pair": 3, "one": 4}, ["2 brokers remain", "one (4), pair (3)"]),
        (brokers(1, 2), [1, 2], {}, ["0 brokers remain", "one (1), pair (2)"]),
        (brokers(1, 2), [7], {}, ["broker 7", "registered: 1, 2", "Correct the id"]),
        (brokers(1, 3), (), {}, ["broker 2 holds replicas and is not registered", "Start it"]),
        (brokers(1, 2), (), {"nine": 1}, ["topic nine", "Correct the name"]),
        (brokers(1, 2), (), {"one": 0}, ["topic one cannot have 0 replicas", "Set 1 or more"]),
    ],
)
def test_plan_refuses(ids, drain, replication, words):
    with pytest.raises(ImpossibleError) as refusal:
        make_plan({("pair", 0): [1, 2], ("one", 0): [1]}, ids, drain, replication)
    for word in words:
        assert word in str(refusal.value)


def some_cluster(seed, *, racks):
    """Up to 8 brokers, of which some are new and some must leave, and up to 5 topics placed at random."""
    dice = random.Random(seed)
    count = dice.randint(1, 8)
    kinds = dice.choice([kinds for kinds in range(1, count + 1) if count % kinds == 0])
    ids = {broker: str(broker % kinds) if racks else None for broker in range(count)}
    old = dice.sample(range(count), dice.randint(1, count))
    drain = [] if racks else dice.sample(range(count), dice.randint(0, count - 1))
    most = min(3, len(old), count - len(drain))
    partitions = {
        (topic, partition): dice.sample(old, replicas)
        for topic, replicas in [(f"t{n}", dice.randint(1, most)) for n in range(dice.randint(1, 5))]
        for partition in range(dice.randint(1, 12))
    }
    topics = sorted({topic for topic, _ in partitions})
    replication = {topic: dice.randint(1, min(3, count - len(drain))) for topic in topics if dice.random() < 0.2}
    return partitions, ids, drain, replication


def spread(broker_of, ids):
    counts = Counter(broker_of)
    return max(counts[broker] for broker in ids) - min(counts[broker] for broker in ids)


@pytest.mark.parametrize("racks", [False, True])
def test_properties_of_plans_for_many_clusters(racks):
    for seed in range(400):
        partitions, ids, drain, replication = some_cluster(seed, racks=racks)
        plan = make_plan(partitions, ids, drain, replication)
        after, remaining = partitions | plan, sorted(ids.keys() - set(drain))
        assert all(partitions[key] != replicas for key, replicas in plan.items()), seed
        for (topic, partition), replicas in after.items():
            wanted = replication.get(topic, len(partitions[topic, partition]))
            assert len(replicas) == len(set(replicas)) == wanted, seed
            assert set(replicas) <= set(remaining), seed
            on = Counter(ids[broker] for broker in replicas)
            assert not racks or len(on) == min(wanted, len(set(ids.values()))), seed
        assert spread((broker for replicas in after.values() for broker in replicas), remaining) <= 1, seed
        assert spread((replicas[0] for replicas in after.values()), remaining) <= 1, seed
        assert make_plan(partitions, ids, drain, replication) == plan, seed
        assert make_plan(after, {broker: ids[broker] for broker in remaining}) == {}, seed


def test_least_is_moved():
    for seed in range(400):
        partitions, ids, _, _ = some_cluster(seed, racks=False)
        # With one number of replicas for all; where they differ, leaders may need some more.
        partitions = {key: replicas[:1] for key, replicas in partitions.items()}
        load = Counter(broker for replicas in partitions.values() for broker in replicas)
        low, above = divmod(sum(load.values()), len(ids))
        keeps = sorted((load[broker] for broker in ids), reverse=True)
        least = sum(max(0, has - low - (place < above)) for place, has in enumerate(keeps))
        assert len(make_plan(partitions, ids)) == least, seed


def test_a_grown_cluster_of_ten_thousand_partitions():
    partitions = {
        (f"t{number // 50}", number % 50): [(number + step + number // 10) % 10 for step in range(3)]
        for number in range(10_000)
    }
    plan = make_plan(partitions, dict.fromkeys(range(11)))
    assert sum(len(set(now) - set(partitions[key])) for key, now in plan.items()) == 30_000 // 11


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (None, [1, 2]),
        ({"replicas": [3, 2, 1], "adding_replicas": [3], "removing_replicas": [1]}, [3, 2]),
        ({"replicas": [1, 2, 3], "adding_replicas": [3], "removing_replicas": []}, [1, 2, 3]),
    ],
)
def test_target_of_a_move(move, expected):
    assert target([1, 2], move) == expected


def described(replicas, in_sync):
    return {"leader_id": 1, "replica_nodes": replicas, "isr_nodes": in_sync}


@pytest.mark.parametrize(
    ("replicas", "in_sync", "done"),
    [([1, 3], [3, 1], True), ([3, 1], [1, 3], False), ([1, 3], [1], False), ([1, 2, 3], [1, 2, 3], False)],
)
def test_done_is_in_place_and_in_sync(replicas, in_sync, done):
    assert _is_done(described(replicas, in_sync), [1, 3]) is done


@pytest.mark.parametrize(
    ("sizes", "missing"),
    [({}, 0), ({1: 100}, 200), ({1: 100, 3: 40}, 160), ({1: 100, 3: 120, 4: 100}, 0), ({2: 100}, 0)],
)
def test_bytes_that_new_replicas_miss(sizes, missing):
    tp = TopicPartition("t", 0)
    sizes = {(tp, broker): size for broker, size in sizes.items()}
    assert _missing(described([1, 2, 3, 4], [1, 2]), [1, 3, 4], tp, sizes) == missing


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (50_000_000, "50 MB"), (2e15, "2e+03 TB")]
)
def test_bytes_for_people(count, text):
    assert size_text(count) == text


def test_plan_for_people():
    changes = {TopicPartition("b", 0): ([1], [2]), TopicPartition("a", 1): ([1, 2], [3, 2])}
    assert render(changes) == {
        "before": "a partition 1: 1, 2\nb partition 0: 1\n",
        "after": "a partition 1: 3, 2\nb partition 0: 2\n",
    }


def test_who_has_no_room():
    coming = {1: 100, 2: 100, 3: 100}
    disks = {1: (112, 1000), 2: (110, 1000)}  # of the third nobody knows; a tenth of what is free stays so
    [problem] = room_problems(coming, disks)
    assert "broker 2 needs room for 100 B, and of its disk of 1 kB it can use 110 B" in problem
    assert room_problems({}, {1: (0, 1000)}) == []


def test_moves_that_were_called_off_are_reported_after_further_attempts(monkeypatch):
    """A broker can report a throttle for a moment after its removal."""
    moves, left, said = [{"a": 1, "b": 2}, {}], [{"throttle"}, {}], []
    admin = SimpleNamespace(
        list_partition_reassignments=lambda: moves.pop(0), alter_partition_reassignments=lambda wanted: {}
    )
    monkeypatch.setattr(run, "throttles", lambda admin: left.pop(0))
    monkeypatch.setattr(run.observe, "registered", lambda admin: {})
    work = run._Run(admin, 1, 30, said.append, lambda: True)
    work.limits = SimpleNamespace(remove=lambda: None, brokers=set())
    work._clean_up(call_off=True)
    assert (said, left) == (["called off 2 moves that were under way"], [])

"""Decisions of the module kafka_topics, without a broker."""

from unittest.mock import MagicMock

import pytest
from kafka.errors import KafkaTimeoutError

from kafka_proof.client.raw import batches
from kafka_proof.operations import topics as operations
from kafka_proof.operations.topics import BATCH, Plan, make_plan, preview, result, settings


def wanted(name, partitions=None, replication_factor=None, config=None):
    return {"name": name, "partitions": partitions, "replication_factor": replication_factor, "config": config}


def actual(partitions=2, replication_factor=1, **config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    return {"partitions": partitions, "replication_factor": replication_factor, "config": config}


@pytest.mark.parametrize(
    ("topic", "now", "plan"),
    [
        pytest.param(wanted("t"), actual(), Plan(), id="nothing is said"),
        pytest.param(wanted("t", 2, 1, {}), actual(), Plan(), id="all is as it is wanted"),
        pytest.param(wanted("t", 3), actual(), Plan(grow={"t": 3}), id="more partitions"),
        pytest.param(
            wanted("t", config={"retention.ms": 5}),
            actual(retention_ms="5"),
            Plan(),
            id="a number is compared as Kafka's text",
        ),
        pytest.param(
            wanted("t", config={"preallocate": True}),
            actual(preallocate="true"),
            Plan(),
            id="a truth is compared as Kafka's text",
        ),
        pytest.param(
            wanted("t", config={"retention.ms": 6}),
            actual(retention_ms="5"),
            Plan(configure={"t": {"retention.ms": "6"}}),
            id="another value",
        ),
        pytest.param(
            wanted("t", config={"retention.ms": 5}),
            actual(retention_ms="5", cleanup_policy="compact"),
            Plan(configure={"t": {"cleanup.policy": None}}),
            id="a key that is no longer named is reset",
        ),
        pytest.param(
            wanted("t", config={"retention.ms": None}),
            actual(retention_ms="5"),
            Plan(configure={"t": {"retention.ms": None}}),
            id="a key that is null is reset",
        ),
        pytest.param(wanted("t"), actual(retention_ms="5"), Plan(), id="without config none is touched"),
        pytest.param(
            wanted("t", config={}),
            actual(retention_ms="5"),
            Plan(configure={"t": {"retention.ms": None}}),
            id="an empty config resets all",
        ),
    ],
)
def test_plan_for_a_topic_that_is_there(topic, now, plan):
    assert make_plan([topic], [], {"t": now}) == plan


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        pytest.param(wanted("t", 1), ["topic t", "2 partitions", "1 are wanted", "Set partitions: 2"], id="fewer"),
        pytest.param(
            wanted("t", None, 3),
            [
                "topic t",
                "replication factor 1",
                "3 is wanted",
                "move its replicas first",
            ],
            id="other replication",
        ),
    ],
)
def test_plan_refuses(topic, words):
    plan = make_plan([topic], [], {"t": actual()})
    assert len(plan.refused) == 1
    for word in words:
        assert word in plan.refused[0]
    assert plan.replication == ({"t": 3} if "move its replicas first" in words else {})


def test_plan_for_several():
    topics = [wanted("new", 1), wanted("kept", 2), wanted("small", 9)]
    plan = make_plan(topics, ["old", "never"], {"kept": actual(), "small": actual(), "old": actual()})
    assert plan == Plan(create=[wanted("new", 1)], grow={"small": 9}, delete=["old"])


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (None, {}),
        ({}, {}),
        ({"a": 1, "b": "x", "c": 1.5}, {"a": "1", "b": "x", "c": "1.5"}),
        ({"a": True, "b": False}, {"a": "true", "b": "false"}),
        ({"a": None, "b": 0, "c": ""}, {"b": "0", "c": ""}),
    ],
)
def test_settings(config, text):
    assert settings(config) == text


def test_preview_shows_what_changes_and_nothing_else():
    now = {"grown": actual(), "set": actual(retention_ms="5", x="1"), "old": actual(), "same": actual()}
    plan = Plan(
        create=[wanted("new", 3, None, {"retention.ms": 7, "x": None})],
        grow={"grown": 4},
        configure={"set": {"retention.ms": "6", "x": None}},
        delete=["old"],
    )
    assert preview(plan, now) == {
        "before": {"grown": actual(), "set": actual(retention_ms="5", x="1"), "old": actual()},
        "after": {
            "grown": actual(4),
            "set": actual(retention_ms="6"),
            "new": {"partitions": 3, "config": {"retention.ms": "7"}},
        },
    }
    assert now["grown"] == actual()
    assert now["set"] == actual(retention_ms="5", x="1")


def test_result_says_changed_only_if_something_is_done():
    assert result([], Plan(), {})["changed"] is False
    for plan in (Plan(create=[wanted("t")]), Plan(grow={"t": 3}), Plan(configure={"t": {}}), Plan(delete=["t"])):
        assert result([], plan, {"t": actual()})["changed"] is True


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (BATCH, [BATCH]), (BATCH + 1, [BATCH, 1])])
def test_batches(count, sizes):
    cut = batches(list(range(count)), BATCH)
    assert [len(batch) for batch in cut] == sizes
    assert [item for batch in cut for item in batch] == list(range(count))


@pytest.mark.parametrize(
    ("answers", "changed", "words"),
    [
        ([["topic a: no"]], False, "1 refused, nothing was changed"),
        ([[], ["topic a: no"]], True, "1 refused, the rest was done"),
        ([[], KafkaTimeoutError("late")], True, "and some of it can have been done"),
    ],
)
def test_a_failed_task_says_whether_something_changed(monkeypatch, answers, changed, words):
    def apply(*_, validate_only):
        answer = answers[0 if validate_only else 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(operations, "apply", apply)
    monkeypatch.setattr(operations, "admin_client", lambda *_: MagicMock())
    monkeypatch.setattr(operations, "describe", lambda *_: {})
    topic = {"name": "a", "partitions": 1, "replication_factor": 1, "config": None}
    client = {"bootstrap.servers": "localhost:1"}
    result = operations.have({"client": client, "topics": [topic], "absent": [], "timeout": 1}, check=False)
    assert (result["failed"], result.get("changed", False)) == (True, changed)
    assert words in result["msg"]

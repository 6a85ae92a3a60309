"""The answers about a cluster that all commands share, as decisions without a broker."""

from types import SimpleNamespace

import pytest
from kafka.errors import AuthorizationError, KafkaTimeoutError
from kafka.protocol.api_key import ApiKey

from kafka_proof.cluster import controller
from kafka_proof.cluster.controller import KRAFT, ZOOKEEPER, is_present, mode_of, require_acting
from kafka_proof.cluster.health import BELOW_MINIMUM, OFFLINE, UNDER_REPLICATED, as_partition, partitions_of
from kafka_proof.cluster.identity import NotReadyError, another


def answer(code=0, message=None, **settings):
    configs = [SimpleNamespace(name=name, value=value) for name, value in settings.items()]
    return SimpleNamespace(results=[SimpleNamespace(error_code=code, error_message=message, configs=configs)])


@pytest.mark.parametrize(
    ("response", "other"),
    [
        (answer(broker_id="2"), ""),
        (answer(broker_id="-1", node_id="2"), ""),
        (answer(broker_id="-1"), ""),
        (answer(broker_id="-1", node_id="3"), "another broker"),
        (answer(broker_id="1"), "another broker"),
        (answer(42, "Unexpected broker id, expected 7 or empty string, but received 2"), "broker 7"),
        (answer(42, "no"), "another broker"),
        (answer(-1, "broken", broker_id="2"), "another broker"),
        (answer(), "another broker"),
    ],
)
def test_is_it_broker_2(response, other):
    assert another(2, response) == other


def test_a_broker_that_may_not_be_asked_is_no_other_broker():
    with pytest.raises(AuthorizationError, match="broker 2"):
        another(2, answer(31))


def test_only_kraft_knows_describe_quorum():
    assert mode_of({int(ApiKey.DescribeQuorum): (0, 1), 3: (0, 12)}) == KRAFT
    assert mode_of({3: (0, 12)}) == ZOOKEEPER


@pytest.mark.parametrize(
    ("leader", "kind", "present"),
    [(1, ZOOKEEPER, True), (9, ZOOKEEPER, False), (None, ZOOKEEPER, False), (9, KRAFT, True), (None, KRAFT, False)],
)
def test_a_controller_that_is_gone_is_none_with_zookeeper(leader, kind, present):
    assert is_present(leader, kind, {1: "a", 2: "b"}) is present


@pytest.fixture
def probe(monkeypatch):
    """probe(answer, kind): ask whether controller 9 acts. `answer`: an error code or an exception. Returns nodes."""

    def probe(answer, kind=ZOOKEEPER):
        asked = []

        def send(admin, request, node, seconds):
            asked.append(node)
            assert request.validate_only
            if isinstance(answer, Exception):
                raise answer
            return SimpleNamespace(topics=[SimpleNamespace(error_code=answer)])

        monkeypatch.setattr(controller, "send", send)
        monkeypatch.setattr(controller, "mode", lambda admin: kind)
        require_acting(None, 9, {2, 1}, 3)
        return asked

    return probe


@pytest.mark.parametrize("code", [0, 29, 31, 36, 38, 44])  # done; no right (topic, cluster); exists; replicas; policy
def test_a_controller_that_answers_acts_whatever_it_answers(probe, code):
    assert probe(code) == [9]


@pytest.mark.parametrize(("answer", "words"), [(41, "NotController"), (7, "RequestTimedOut"), (-1, "UnknownError")])
def test_a_controller_that_cannot_say_does_not_act(probe, answer, words):
    with pytest.raises(NotReadyError, match=f"controller 9 does not act.*: {words}"):
        probe(answer)


def test_a_controller_that_does_not_answer_does_not_act(probe):
    with pytest.raises(NotReadyError, match=r"controller 9 does not act.*no answer within 3\.0 s \(KafkaTimeoutError"):
        probe(KafkaTimeoutError())


def test_in_kraft_mode_each_broker_is_asked_as_each_forwards_the_request(probe):
    assert probe(0, KRAFT) == [1, 2]


def described(leader, replicas, in_sync):
    return {"partition_index": 3, "leader_id": leader, "replica_nodes": replicas, "isr_nodes": in_sync}


@pytest.mark.parametrize(
    ("partition", "minimum", "problem", "missing"),
    [
        (described(1, [1, 2], [2, 1]), 1, "", []),
        (described(1, [1, 2], [2, 1]), 2, "", []),
        (described(1, [2, 1], [1]), 1, UNDER_REPLICATED, [2]),
        (described(1, [2, 1], [1]), 2, BELOW_MINIMUM, [2]),
        (described(1, [1], [1]), 2, BELOW_MINIMUM, []),
        (described(-1, [1, 2], [1]), 2, OFFLINE, [2]),
    ],
)
def test_the_worst_problem_of_a_partition(partition, minimum, problem, missing):
    found = as_partition("t", partition, minimum)

    assert (str(found), found.problem, found.missing) == ("t-3", problem, missing)


def test_partitions_of_described_topics():
    topics = [{"name": "a", "partitions": [described(1, [1], [1])]}, {"name": "b", "partitions": []}]

    assert partitions_of(topics) == [as_partition("a", described(1, [1], [1]))]

"""Members of groups and their partitions, from what a broker answers; without a broker."""

from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.errors import CoordinatorNotAvailableError, NotCoordinatorError
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

from kafka_proof.cluster import groups
from kafka_proof.cluster.groups import Listed, _classic_shares, _owners, _shares

SHARE = ConsumerProtocolAssignment.TopicPartition(topic="orders", partitions=[0, 1])
ENCODED = ConsumerProtocolAssignment(assigned_partitions=[SHARE], user_data=b"", version=0).encode()
OWNED = dict.fromkeys([TopicPartition("orders", 0), TopicPartition("orders", 1)], "app/10.0.0.7")


def member(assignment):
    return SimpleNamespace(client_id="app", client_host="/10.0.0.7", member_assignment=assignment)


@pytest.mark.parametrize(
    ("protocol", "state", "assignments", "owners", "reason"),
    [
        ("consumer", "Stable", [ENCODED], OWNED, ""),
        ("consumer", "Stable", [ENCODED, b""], OWNED, ""),  # one is idle
        ("consumer", "Empty", [], {}, ""),
        ("consumer", "PreparingRebalance", [b""], None, ""),
        ("consumer", "Stable", [ENCODED, b"\xff\xfe\xfd"], None, "the assignment of app cannot be decoded"),
        ("consumer", "Stable", [ENCODED[:-3]], None, "the assignment of app cannot be decoded"),
        ("consumer", "Stable", [b'{"a": 1}'], None, "the assignment of app cannot be decoded"),
        ("", "Empty", [], None, ""),  # a program that assigns partitions to itself
        ("connect", "Stable", [b"x"], None, "members of connect share no partitions"),
    ],
)
def test_owners_of_a_classic_group(protocol, state, assignments, owners, reason):
    described = SimpleNamespace(protocol_type=protocol, members=[member(each) for each in assignments])
    found, why = _owners(described, state, _classic_shares)
    assert found == owners
    assert why.startswith(reason)
    assert bool(why) == bool(reason)


def test_owners_of_a_group_of_kip_848():
    share = SimpleNamespace(topic_name="orders", partitions=[0, 1])
    one = SimpleNamespace(
        client_id="app", client_host="/10.0.0.7", assignment=SimpleNamespace(topic_partitions=[share])
    )
    assert _owners(SimpleNamespace(members=[one]), "Stable", _shares) == (OWNED, "")


def test_a_type_that_is_not_known_yet():
    [group] = groups.describe(None, [Listed("g", "later", "later", "Stable", 1)]).values()
    assert (group.state, group.members, group.owners) == ("Stable", None, None)
    assert group.reason == "the members of a later group cannot be described yet"


def tasks(*names):
    return SimpleNamespace(active_tasks=[SimpleNamespace(subtopology_id=name, partitions=[0, 1]) for name in names])


def streams(subtopologies, *assignments):
    members = [
        SimpleNamespace(client_id="app", client_host="/10.0.0.7", assignment=assignment) for assignment in assignments
    ]
    found = {"group_id": "g", "error_code": 0, "group_state": "Stable", "members": members}
    return SimpleNamespace(**found, topology=subtopologies and SimpleNamespace(subtopologies=subtopologies))


SUBTOPOLOGY = SimpleNamespace(
    subtopology_id="0", source_topics=["orders"], repartition_source_topics=[SimpleNamespace(name="again")]
)
AGAIN = dict.fromkeys([TopicPartition("again", 0), TopicPartition("again", 1)], "app/10.0.0.7")


@pytest.mark.parametrize(
    ("found", "owners", "reason"),
    [
        (streams([SUBTOPOLOGY], tasks("0")), OWNED | AGAIN, ""),
        (streams([SUBTOPOLOGY], tasks()), {}, ""),
        (streams(None, tasks()), {}, ""),  # a source topic is missing
        (streams([SUBTOPOLOGY], tasks("1")), None, "the assignment of app cannot be decoded (KeyError)"),
    ],
)
def test_owners_of_a_streams_group(monkeypatch, found, owners, reason):
    Broker(monkeypatch, SimpleNamespace(groups=[found]))
    [group] = groups.describe(None, [Listed("g", "streams", "streams", "Stable", 1)]).values()
    assert (group.members, group.owners, group.reason) == (1, owners, reason)


@pytest.mark.parametrize(
    ("type", "protocol", "kind"),
    [
        ("classic", "consumer", "classic"),
        ("classic", "", "classic"),
        ("classic", "connect", "connect"),
        ("consumer", "consumer", "consumer"),
        ("share", "share", "share"),
        ("streams", "streams", "streams"),
    ],
)
def test_kind(type, protocol, kind):
    assert Listed("g", type, protocol, "Stable", 1).kind == kind


class Broker:
    """A coordinator that answers each request with the next answer."""

    def __init__(self, monkeypatch, *answers):
        remaining = list(answers)
        monkeypatch.setattr(groups, "send", lambda *_: remaining.pop(0))


def test_the_state_is_of_the_moment_of_the_members(monkeypatch):
    """A group that began to rebalance after it was listed has members without partitions."""
    found = {"group_id": "g", "error_code": 0, "group_state": "PreparingRebalance", "protocol_type": "consumer"}
    described = SimpleNamespace(**found, members=[member(b"")])
    Broker(monkeypatch, SimpleNamespace(groups=[described]))
    [group] = groups.describe(None, [Listed("g", "classic", "consumer", "Stable", 1)]).values()
    assert (group.state, group.owners) == ("PreparingRebalance", None)


@pytest.mark.parametrize(("code", "error"), [(15, CoordinatorNotAvailableError), (16, NotCoordinatorError)])
def test_a_coordinator_that_moves_is_asked_again(monkeypatch, code, error):
    answer = SimpleNamespace(groups=[SimpleNamespace(group_id="g", error_code=code, topics=[])])
    listed = Listed("g", "share", "share", "Stable", 1)
    Broker(monkeypatch, answer, answer)
    with pytest.raises(error):
        groups.share_offsets(None, listed)
    with pytest.raises(error):
        groups.describe(None, [listed])


def test_a_group_that_may_not_be_described_hides_no_other(monkeypatch):
    refused = SimpleNamespace(group_id="a", error_code=30)
    found = {"group_id": "b", "error_code": 0, "group_state": "Empty", "protocol_type": "consumer"}
    Broker(monkeypatch, SimpleNamespace(groups=[refused, SimpleNamespace(**found, members=[])]))
    both = groups.describe(None, [Listed(name, "classic", "consumer", "Empty", 1) for name in "ab"])
    assert (both["a"].reason, both["a"].members) == ("GroupAuthorizationFailedError", None)
    assert (both["b"].reason, both["b"].members) == ("", 0)

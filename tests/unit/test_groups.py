"""Members of groups and their partitions, from what a broker answers; without a broker."""

from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

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

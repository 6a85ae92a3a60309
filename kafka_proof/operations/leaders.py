"""Preferred leaders: the first replica of each partition."""

from typing import NamedTuple

from kafka.errors import ElectionNotNeededError, NoError, for_code

from kafka_proof.client.connection import LOOK, admin_client
from kafka_proof.client.wait import settled
from kafka_proof.cluster.health import partitions_of

_SECONDS = 30  # of attempts, and for the controller to begin the elections
_PREFERRED = 0  # election of the first replica; 1 also accepts a replica that is not in sync


class Election(NamedTuple):
    """The result of `elect_preferred`."""

    left: int  # partitions that another replica led before it
    asked: int  # partitions of these whose first replica is in sync: the controller was asked to elect it
    refusals: list  # names of the errors in the answer, sorted


def elect_preferred(admin):
    """Ask the controller to elect the first replica of each partition. Returns an Election.

    The elections follow a moment later: call it again until `left` is 0. Raises KafkaError; RuntimeError where no
    controller is found.
    """
    wrong = [item for item in partitions_of(admin.describe_topics()) if item.leader != item.replicas[0]]
    topics = {}
    for item in wrong:
        if item.replicas[0] in item.in_sync:
            topics.setdefault(item.topic, []).append(item.number)
    if not topics:
        return Election(len(wrong), 0, [])
    # A topic can be deleted meanwhile, so errors are no exceptions.
    answer = admin.elect_leaders(_PREFERRED, topics, timeout_ms=_SECONDS * 1000, raise_errors=False)
    errors = {
        for_code(partition.error_code)
        for topic in answer.replica_election_results
        for partition in topic.partition_result
    }
    refusals = sorted(error.__name__ for error in errors - {NoError, ElectionNotNeededError})
    return Election(len(wrong), sum(map(len, topics.values())), refusals)


def elect_preferred_leaders(client):
    """Give each partition back to its first replica. Returns how many moved. Raises KafkaError."""

    def elect():
        with admin_client(client, LOOK) as admin:
            return elect_preferred(admin).asked

    return settled(elect, _SECONDS)  # a broker that has just started can be too busy to answer

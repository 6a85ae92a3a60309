"""The plan: which partitions change, or why they cannot. Nothing moves before it."""

from collections import defaultdict
from dataclasses import dataclass, field

from kafka.admin import ConfigResourceType

from kafka_proof.client.workarounds import log_dirs
from kafka_proof.cluster.settings import value_of
from kafka_proof.operations.placement import ImpossibleError, make_plan
from kafka_proof.operations.reassign import observe
from kafka_proof.operations.reassign.observe import ids_text, partition_name, size_text

_INTERNAL = {
    "__consumer_offsets": "offsets.topic.replication.factor",
    "__transaction_state": "transaction.state.log.replication.factor",
}


class MismatchError(ImpossibleError):
    """The registered brokers are not the expected ones."""


@dataclass
class Wanted:
    """The goal for the cluster.

    brokers      ids that must be registered; apart from `drain`, no others
    drain        ids of brokers that will hold nothing
    replication  {topic: replicas}. An internal topic that is not named, and has fewer replicas than the brokers' own
                 configuration, as in a cluster that grew from one broker, gets that many
    only         names of the topics that may change; None for all
    """

    brokers: list
    drain: list = field(default_factory=list)
    replication: dict = field(default_factory=dict)
    only: set | None = None


def plan(admin, wanted):
    """Return the partitions that change: {TopicPartition: (brokers now, brokers then)}.

    Raises ImpossibleError, also when brokers are missing or unexpected.
    """
    brokers = observe.registered(admin)
    _refuse_brokers(brokers, wanted)
    moving = admin.list_partition_reassignments()
    described = observe.topics(admin)
    now = {tp: observe.target(partition["replica_nodes"], moving.get(tp)) for tp, partition in described.items()}
    drain = [broker for broker in wanted.drain if broker in brokers or any(broker in each for each in now.values())]
    replication = _replication(admin, brokers, now, wanted)
    changes = {tp: (now[tp], then) for tp, then in make_plan(now, brokers, drain, replication).items()}
    if wanted.only is not None:
        changes = {tp: change for tp, change in changes.items() if tp.topic in wanted.only}
    if offline := sorted(tp for tp in described if described[tp]["leader_id"] < 0):
        raise ImpossibleError(
            f"{len(offline)} partitions have no leader, the first {partition_name(offline[0])}: nothing can be copied "
            "from them. Start the broker that holds them."
        )
    coming = _coming(admin, changes, described)
    if problems := room_problems(coming, _disks(admin, coming)):
        raise ImpossibleError(" ".join(problems))
    return changes


def room_problems(coming, disks):
    """Return a message for each broker without room for the new replicas. A tenth of the free space stays free.

    A full disk ends its broker. coming: {broker: bytes}; disks: {broker: (usable bytes, all bytes)}, of the brokers
    that report them. Each broker counts by itself, also where several share a disk.
    """
    return [
        f"broker {broker} needs room for {size_text(coming[broker])}, and of its disk of {size_text(whole)} it can "
        f"use {size_text(usable)}, of which a tenth must stay free. Make room, add a broker, or let topics keep less."
        for broker, (usable, whole) in sorted(disks.items())
        if coming.get(broker, 0) > 0.9 * usable
    ]


def _coming(admin, changes, described):
    """Return {broker: bytes that it gets and does not have}, of the brokers that get replicas."""
    takers = {tp: set(after) - set(before) for tp, (before, after) in changes.items()}
    leaders = {tp: described[tp]["leader_id"] for tp in changes}
    sizes = observe.sizes(admin, set().union(leaders.values(), *takers.values()), changes)
    coming = defaultdict(int)
    for tp, brokers in takers.items():
        for broker in brokers:
            coming[broker] += observe.missing(sizes, tp, leaders[tp], broker)
    return coming


def _disks(admin, brokers):
    """Return {broker: (usable bytes, all bytes)}. Kafka reports it since 3.3."""
    disks = {}
    for broker in sorted(brokers):
        directories = log_dirs(admin, broker, [])
        if all(directory["total_bytes"] >= 0 for directory in directories):
            disks[broker] = tuple(sum(item[key] for item in directories) for key in ("usable_bytes", "total_bytes"))
    return disks


def _refuse_brokers(registered, wanted):
    expected = set(wanted.brokers) - set(wanted.drain)
    if missing := sorted(expected - registered.keys()):
        raise MismatchError(
            f"broker {ids_text(missing)} is not registered. Start it, or leave it out of the expected brokers."
        )
    if unexpected := sorted(registered.keys() - expected - set(wanted.drain)):
        raise MismatchError(f"broker {ids_text(unexpected)} is registered and not expected. Expect it, or drain it.")


def _replication(admin, brokers, now, wanted):
    """Return {topic: replicas} of the topics whose replication changes."""
    counts = {tp.topic: len(replicas) for tp, replicas in now.items()}
    asked = dict(wanted.replication)
    for topic in [topic for topic in _INTERNAL if topic in counts]:
        configured = int(value_of(admin, (ConfigResourceType.BROKER, str(min(brokers))), _INTERNAL[topic]))
        if counts[topic] < configured:
            asked.setdefault(topic, configured)
    for topic, count in asked.items():
        if count >= counts.get(topic, 0):
            continue
        least = int(value_of(admin, (ConfigResourceType.TOPIC, topic), "min.insync.replicas"))
        if count < least:
            raise ImpossibleError(
                f"topic {topic} cannot have {count} replicas, because its min.insync.replicas is {least}: no "
                "producer could write to it. Lower that first, or give it more replicas."
            )
    return asked


def render(changes):
    """Return the result of `plan` as text, before and after, for --diff."""
    return {
        side: "".join(f"{partition_name(tp)}: {ids_text(changes[tp][index])}\n" for tp in sorted(changes))
        for index, side in enumerate(("before", "after"))
    }

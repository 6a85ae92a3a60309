"""The outcome of a workload's messages: set arithmetic over the evidence. Pure: no broker and no clock.

A message is (key, sequence): its key, and the number of messages of that key that were sent before it. It goes to one
partition. Times are in seconds, of a monotonic clock.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

EXAMPLES = 3  # how many of a kind a problem names


class Acked(NamedTuple):
    """The broker acknowledged a message. `offset` is -1 where the acknowledgement has no offset."""

    key: str
    sequence: int
    partition: int
    offset: int
    at: float


class Refused(NamedTuple):
    """The application received an error for a message: the name of its class."""

    key: str
    sequence: int
    error: str
    at: float


class Logged(NamedTuple):
    """A message in the log, read again at the end."""

    partition: int
    offset: int
    key: str
    sequence: int


class Delivered(NamedTuple):
    """A message as a member of the group received it."""

    member: str
    partition: int
    offset: int
    key: str
    sequence: int
    at: float


class Committed(NamedTuple):
    """The group's offset in a partition: `who` wrote it, or read it, between `begun` and `ended`."""

    who: str
    partition: int
    offset: int
    begun: float
    ended: float


@dataclass
class Evidence:
    """The observations, in the order of events. `started`: the time at which all parts ran, for the stalls."""

    sent: list = field(default_factory=list)  # of (key, sequence)
    acked: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    delivered: list = field(default_factory=list)
    committed: list = field(default_factory=list)
    log: list = field(default_factory=list)
    broken: list = field(default_factory=list)  # of str: how a producer lost its idempotence
    unfinished: list = field(default_factory=list)  # of str: parts that did not end in time
    started: float = 0.0
    troubles: dict = field(default_factory=dict)  # errors that clients survived, and how often: {"WHO: WHAT": number}

    def trouble(self, who, what):
        """Count an error, or a phrase, that `who` survived."""
        key = f"{who}: {what if isinstance(what, str) else type(what).__name__}"
        self.troubles[key] = self.troubles.get(key, 0) + 1


def audit(evidence):
    """Return a dict of plain values, ready for JSON. Numbers of messages, except where noted:

    sent, acked, refused         refused: the application was given an error
    unresolved                   neither acked nor refused when the run was over
    refused_but_written          refused, and in the log all the same, which Kafka allows
    consumed                     acked, and delivered to the group
    lost                         acked, and not delivered to the group or not in the log any more
    duplicated                   copies in the log beyond the first
    redelivered                  deliveries beyond the first of each copy
    out_of_order                 behind a later one of their key, in the log or at the group
    vanished                     delivered to the group, and not in the log at that offset any more
    misplaced                    acked at an offset at which another message is in the log
    unknown                      in the log, and never sent
    commits_moved_back           how often a committed offset was lower than one committed before
    produce_stall, consume_stall the longest time in which a key had no acknowledgement, or no delivery, in s
    errors                       {class of error: number of messages refused with it}
    problems                     [str], one for each property that does not hold; [] for a good run
    """
    sent, acked = set(evidence.sent), {_message(each) for each in evidence.acked}
    refused, delivered = {_message(each) for each in evidence.refused}, {_message(each) for each in evidence.delivered}
    at = {(each.partition, each.offset): _message(each) for each in evidence.log}
    logged = Counter(at.values())
    log = sorted(evidence.log, key=lambda each: (each.partition, each.offset))

    unresolved = sent - acked - refused
    gone, unseen = acked - logged.keys(), acked - delivered
    duplicated = [message for message, copies in sorted(logged.items()) if copies > 1]
    disorder = {"the log": out_of_order(log), "what the group received": out_of_order(evidence.delivered)}
    vanished = [each for each in evidence.delivered if at.get((each.partition, each.offset)) != _message(each)]
    misplaced = [
        each for each in evidence.acked if each.offset >= 0 and at.get((each.partition, each.offset)) != _message(each)
    ]
    unknown = logged.keys() - sent
    back = moved_back(evidence.committed)

    found = [
        ("acknowledged and not in the log any more", sorted(gone)),
        ("acknowledged and never delivered to the group", sorted(unseen)),
        ("in the log more than once", duplicated),
        *((f"out of order in {where}", messages) for where, messages in disorder.items()),
        ("delivered to the group from an offset that now holds something else, or nothing", vanished),
        ("acknowledged at an offset that now holds something else, or nothing", misplaced),
        ("in the log and never sent", sorted(unknown)),
        ("committed offsets that moved back", back),
        ("neither acknowledged nor refused", sorted(unresolved)),
        ("times the producer lost its idempotence", evidence.broken),
        ("not finished in time", evidence.unfinished),
    ]
    return {
        "sent": len(sent),
        "acked": len(acked),
        "refused": len(refused),
        "unresolved": len(unresolved),
        "refused_but_written": len((refused - acked) & logged.keys()),
        "consumed": len(acked & delivered),
        "lost": len(gone | unseen),
        "duplicated": sum(logged.values()) - len(logged),
        "redelivered": len(evidence.delivered) - len({each[1:5] for each in evidence.delivered}),
        "out_of_order": sum(map(len, disorder.values())),
        "vanished": len(vanished),
        "misplaced": len(misplaced),
        "unknown": len(unknown),
        "commits_moved_back": len(back),
        "produce_stall": stall(evidence.acked, evidence.refused, evidence.started),
        "consume_stall": stall(evidence.delivered, [], evidence.started),
        "errors": dict(sorted(Counter(each.error for each in evidence.refused).items())),
        "problems": [_problem(what, examples) for what, examples in found if examples],
    }


def out_of_order(records):
    """Return [(key, sequence)] of messages that come for the first time after a later one of their key."""
    highest, seen, late = {}, set(), []
    for record in records:
        message = key, sequence = _message(record)
        if message in seen:
            continue
        seen.add(message)
        if sequence < highest.get(key, -1):
            late.append(message)
        else:
            highest[key] = sequence
    return late


def moved_back(commits):
    """Return list[str]: commits and observations with a lower offset than a commit that ended before they began.

    `commits`: list[Committed]. Two that overlap in time prove nothing about each other.
    """
    found = []
    for partition in sorted({each.partition for each in commits}):
        mine = [each for each in commits if each.partition == partition]
        ended = iter(sorted(mine, key=lambda each: each.ended))
        before, highest = next(ended), None
        for each in sorted(mine, key=lambda each: each.begun):
            while before is not None and before.ended <= each.begun:
                highest = max(before, highest or before, key=lambda commit: commit.offset)
                before = next(ended, None)
            if highest is not None and each.offset < highest.offset:
                later = f"{each.begun - highest.ended:.2f} s later"
                found.append(
                    f"partition {partition}: {highest.offset} ({highest.who}), {each.offset} ({each.who}) {later}"
                )
    return found


def stall(good, refused, started):
    """Return the longest time in which a key had nothing `good`, in seconds. Other partitions can have continued."""
    times = {}
    for each in good:
        times.setdefault(each.key, []).append(each.at)
    for key, last in {each.key: each.at for each in refused}.items():
        # Where the last answer is a refusal, nothing was acknowledged until then. One before does not end the wait.
        if last > max(times.get(key, [started])):
            times.setdefault(key, []).append(last)
    return max((longest_gap(each, started) for each in times.values()), default=0.0)


def longest_gap(times, started):
    """Return the longest time between two of `times`, in seconds; the first one counts from `started`."""
    points = [started, *sorted(time for time in times if time > started)]
    return round(max((after - before for before, after in pairwise(points)), default=0.0), 3)


def _message(record):
    return record.key, record.sequence


def _problem(what, examples):
    shown = [each if isinstance(each, str) else _shown(each) for each in examples[:EXAMPLES]]
    return f"{len(examples)} {what}: {'; '.join(shown)}{'; …' if len(examples) > EXAMPLES else ''}"


def _shown(record):
    if isinstance(record, Delivered | Acked):
        return f"{record.key} {record.sequence} at {record.partition}:{record.offset}"
    return "{} {}".format(*record)

"""The quorum of controllers in KRaft mode: its members, and whether one of them can stop, join or leave.

Every broker forwards the question to the leader, so an answer is the leader's view, with times of its clock alone.
Without a leader there is no answer. Voters decide by majority. Observers only read: brokers, and controllers that have
not joined. Source: KIP-595, KIP-853; DescribeQuorum, AddRaftVoter in Kafka's protocol.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from kafka import KafkaAdminClient
from kafka.errors import for_code
from kafka.protocol.admin import DescribeQuorumRequest

from kafka_proof.client.raw import send

# Milliseconds since a replica had all that the leader had. Healthy replicas fetch every 0.5 s. After 2 s without an
# answer a voter calls an election (controller.quorum.fetch.timeout.ms), so an older entry proves nothing.
CAUGHT_UP_MS = 2000

_LIVE_MS = 10_000  # since its last fetch; a pause of its JVM or of the network is shorter

NO_DIRECTORY = "AAAAAAAAAAAAAAAAAAAAAA"  # of a voter in a quorum of kraft.version 0, which has fixed voters

Endpoints = Mapping[str, tuple[str, int]]  # {name of a listener: (host, port)}


class Replica(NamedTuple):
    """One replica of the metadata log. The times are milliseconds of the leader's clock; -1: unknown."""

    id: int
    directory: str  # id of its directory, base64 as Kafka prints it
    end_offset: int
    last_fetch: int
    last_caught_up: int


class Quorum(NamedTuple):
    """The leader's view of the quorum. `leader`: an id, or None; `endpoints`: {id of a voter: Endpoints}."""

    leader: int | None
    epoch: int
    high_watermark: int
    voters: list[Replica]
    observers: list[Replica]
    endpoints: dict[int, dict[str, tuple[str, int]]]

    @property
    def now(self) -> int:
        """The leader's clock at its answer, in milliseconds: the newest time in it; -1 where it has none."""
        times = [time for each in [*self.voters, *self.observers] for time in (each.last_fetch, each.last_caught_up)]
        return max(times, default=-1)

    @property
    def voter_ids(self) -> list[int]:
        """The ids of the voters, sorted."""
        return sorted(each.id for each in self.voters)


class Step(NamedTuple):
    """One change of the voters. `endpoints`: those of a voter that is added; {} for one that is removed."""

    action: str  # ADD or REMOVE
    id: int
    directory: str
    endpoints: Endpoints

    def __str__(self) -> str:
        if self.action == REMOVE:
            return f"remove controller {self.id} (directory {self.directory}) from the voters"
        at = ", ".join(f"{host}:{port}" for host, port in self.endpoints.values())
        return f"add controller {self.id} at {at} (directory {self.directory}) to the voters"


ADD, REMOVE = "add", "remove"


class Plan(NamedTuple):
    """The way to the voters that the inventory defines.

    steps: the changes that are possible now, in order;
    waits: the reasons why the quorum is not yet as wanted, beside these steps: list of messages;
    strangers: ids of voters that are not wanted, which only an operator removes.
    """

    steps: list[Step]
    waits: list[str]
    strangers: list[int]


# Decisions


def quorum_question() -> DescribeQuorumRequest:
    """Return the request for the quorum, for `as_quorum`."""
    return DescribeQuorumRequest(topics=[("__cluster_metadata", [(0,)])])


def as_quorum(response: Any) -> Quorum:
    """Return the Quorum in a response to `quorum_question`. Raises KafkaError for a refusal."""
    partitions = [partition for topic in response.topics for partition in topic.partitions]
    for part in [response, *partitions]:
        if part.error_code:
            raise for_code(part.error_code)(getattr(part, "error_message", None) or "DescribeQuorum")
    if not partitions:
        return Quorum(None, -1, -1, [], [], {})
    [found] = partitions
    return Quorum(
        found.leader_id if found.leader_id >= 0 else None,
        found.leader_epoch,
        found.high_watermark,
        _replicas(found.current_voters),
        _replicas(found.observers),
        {node.node_id: {each.name: (each.host, each.port) for each in node.listeners} for node in response.nodes or ()},
    )


def caught_up(quorum: Quorum) -> set[int]:
    """Return the ids of the voters that run and have the whole log, as far as the leader knows."""
    return {each.id for each in quorum.voters if is_caught_up(quorum, each)}


def is_caught_up(quorum: Quorum, replica: Replica) -> bool:
    """Return whether a replica has the log, up to CAUGHT_UP_MS before the leader's answer. The leader always has."""
    return replica.id == quorum.leader or 0 <= quorum.now - CAUGHT_UP_MS <= replica.last_caught_up


def obstacles(quorum: Quorum, stopping: int) -> list[str]:
    """Return the reasons why this controller cannot stop now: a list of messages, empty if it can.

    Without it, a majority of the voters must be caught up. Of one or two voters none can ever be spared. Then the
    others must be caught up: the quorum pauses, and continues when the controller is back.
    """
    if stopping not in quorum.voter_ids:
        return []
    if quorum.leader is None:
        return [f"controller {stopping} may not stop: the quorum has no leader"]
    count, current = len(quorum.voters), caught_up(quorum)
    needed = min(_majority(count), count - 1)
    if len(current - {stopping}) >= needed:
        return []
    return [
        f"controller {stopping} may not stop: of {_voters(count)} only {sorted(current)} are caught up, "
        f"and {needed} are needed without it"
    ]


def problems(quorum: Quorum) -> list[str]:
    """Return what is wrong with the quorum now: a list of messages."""
    late = [each for each in quorum.voters if not is_caught_up(quorum, each)]
    found = [f"controller {each.id} is not caught up, its last fetch was {since(quorum, each)} ago" for each in late]
    count, current = len(quorum.voters), len(quorum.voters) - len(late)
    if late and current <= _majority(count):
        found.append(
            f"of {_voters(count)} {current} are caught up, and {_majority(count)} are needed: none can be lost"
        )
    return found


def warnings(quorum: Quorum) -> list[str]:
    """Return what is unwise in the quorum, and works: a list of messages."""
    count = len(quorum.voters)
    if count % 2 or not count:
        return []
    return [f"{count} voters bear the loss of {(count - 1) // 2}, as {count - 1} do: use an odd number of controllers"]


def since(quorum: Quorum, replica: Replica) -> str:
    """Return the time since a replica's last fetch, by the leader's clock, as text: "12.3 s"."""
    return f"{(quorum.now - replica.last_fetch) / 1000:.1f} s" if replica.last_fetch >= 0 else "an unknown time"


def removal_obstacles(quorum: Quorum, leaving: int) -> list[str]:
    """Return the reasons why this voter cannot leave the quorum now: a list of messages, empty if it can.

    The voters that stay must have a majority that is caught up: they commit the change.
    """
    rest = [voter for voter in quorum.voter_ids if voter != leaving]
    if not rest:
        return [f"controller {leaving} is the last voter"]
    current = sorted(caught_up(quorum) - {leaving})
    if len(current) >= _majority(len(rest)):
        return []
    return [
        f"controller {leaving} may not leave: of the other {_voters(len(rest))} only {current} are caught up, "
        f"and {_majority(len(rest))} are needed"
    ]


def loss_obstacles(quorum: Quorum, lost: int, wanted: Iterable[int]) -> list[str]:
    """Return the reasons why this voter does not count as lost for good: a list of messages, empty if it does.

    wanted: ids of the controllers that should be voters. A leader that is new does not know the last fetch of a voter,
    which then counts as lost: observe the quorum for some time.
    """
    if lost in wanted:
        return [f"controller {lost} is one of the wanted controllers, {sorted(wanted)}"]
    last = max((each.last_fetch for each in quorum.voters if each.id == lost), default=-1)
    if lost == quorum.leader or 0 <= quorum.now - _LIVE_MS <= last:
        return [f"controller {lost} runs: it leads the quorum, or fetched in the last {_LIVE_MS // 1000} s"]
    return []


def voters_to_change(quorum: Quorum, wanted: Mapping[int, Endpoints]) -> Plan:
    """Return the Plan by which the controllers in `wanted`, {id: Endpoints}, become the voters.

    1. A wanted voter with an observer of the same id lost its disk, if the observer fetched later: it has another
       directory. Remove the old directory, and add the new one. The leader remembers a directory that was removed as
       an observer for five minutes, so the later fetch decides.
    2. A wanted controller that is only an observer joins when it is caught up, and a majority is too.
    3. A voter that is not wanted stays. It can be a controller that an inventory forgot.
    """
    steps, waits = [], []
    newest = {each.id: each for each in sorted(quorum.observers, key=lambda each: each.last_fetch)}
    voters = {each.id: each for each in quorum.voters}
    for number, endpoints in sorted(wanted.items()):
        voter, observer = voters.get(number), newest.get(number)
        if voter and observer and observer.last_fetch <= voter.last_fetch:
            observer = None
        if voter and not observer:
            if not is_caught_up(quorum, voter):
                waits.append(f"controller {number} is a voter and not caught up")
        elif not observer:
            waits.append(f"controller {number} is neither voter nor observer: it does not run, or not in this cluster")
        elif not is_caught_up(quorum, observer):
            waits.append(f"controller {number} is an observer and not caught up")
        elif voter:
            steps.append(Step(REMOVE, number, voter.directory, {}))
            steps.append(Step(ADD, number, observer.directory, endpoints))
        elif len(caught_up(quorum)) + 1 < _majority(len(voters) + 1):
            waits.append(f"controller {number} joins when more voters than {sorted(caught_up(quorum))} are caught up")
        else:
            steps.append(Step(ADD, number, observer.directory, endpoints))
    steps.sort(key=lambda step: step.id not in voters)
    return Plan(steps, waits, sorted(voters.keys() - wanted.keys()))


def _majority(count: int) -> int:
    return count // 2 + 1


def _voters(count: int) -> str:
    return f"{count} voter" if count == 1 else f"{count} voters"


def _replicas(states: Iterable[Any]) -> list[Replica]:
    """Return Replicas, sorted by id. Responses before version 2 have no directory."""
    found = [
        Replica(
            each.replica_id,
            directory_text(each.replica_directory_id or UUID(int=0)),
            each.log_end_offset,
            each.last_fetch_timestamp,
            each.last_caught_up_timestamp,
        )
        for each in states
    ]
    return sorted(found)


def directory_text(directory: UUID) -> str:
    """Return the id of a directory as Kafka prints it: base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(directory.bytes).decode().rstrip("=")


def directory_id(text: str) -> UUID:
    """Return the id of a directory for a request. `text`: as Kafka prints it."""
    return UUID(bytes=base64.urlsafe_b64decode(f"{text}=="))


# Questions


def describe_quorum(admin: KafkaAdminClient, seconds: float | None = None) -> Quorum:
    """Return the Quorum. Raises kafka.errors.KafkaError, also where no leader answers.

    `seconds`: the time for the answer; without it, the client's own.
    """
    return as_quorum(send(admin, quorum_question(), seconds=seconds))

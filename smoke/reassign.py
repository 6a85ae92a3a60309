"""Move replicas between brokers, under a throttle, while clients go on. No JVM.

    with connect(kafka_python(properties)) as admin:
        rebalance(admin, Wanted(brokers=[1, 2, 3, 4]), say=print)             # onto the broker that is new
        rebalance(admin, Wanted(brokers=[1, 2, 3], drain=[4]), say=print)     # from the one that is to go
        assert not holds(admin, 4)

What is found half done is finished first: moves that run are waited for, and throttles that were left are removed. So
whatever ended the last run, the next one goes on. `smoke.placement` decides what goes where.
"""

import contextlib
import signal
import time
from collections import defaultdict
from dataclasses import dataclass, field

from kafka import TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType
from kafka.errors import ElectionNotNeededError, KafkaError, NoError, UnknownTopicOrPartitionError, for_code

from smoke.placement import ImpossibleError, make_plan

__all__ = [
    "ImpossibleError",
    "Interrupted",
    "StalledError",
    "Wanted",
    "holds",
    "make_plan",
    "plan",
    "prove_empty",
    "rebalance",
]

THROTTLE = 50_000_000  # bytes/s: half of what a link of 1 Gbit/s carries, so that clients keep the other
IN_FLIGHT = (
    50  # partitions that move at a time; the controller and the fetchers of a broker carry more, but not thousands
)
ROUNDS = 5  # plans made one after the other, for partitions that are made meanwhile
_PAUSE = 0.25  # seconds between two looks
_SAY = 5  # seconds between two lines of progress

_RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")
_LISTS = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")
_INTERNAL = {
    "__consumer_offsets": "offsets.topic.replication.factor",
    "__transaction_state": "transaction.state.log.replication.factor",
}


class StalledError(Exception):
    """Nothing moves any more. The message says what was last seen, and what to do."""


class Interrupted(KeyboardInterrupt):
    """Somebody asked to stop; what was under way was called off and cleaned up."""


@dataclass
class Wanted:
    """What the cluster is to be.

    brokers      ids that must be registered, and beside those in `drain` all that are
    drain        ids that are to hold nothing
    replication  {topic: replicas}. Of the internal topics not named, those that have fewer replicas than the brokers'
                 own configuration says, as in a cluster that grew from one broker, get as many as that
    """

    brokers: list
    drain: list = field(default_factory=list)
    replication: dict = field(default_factory=dict)


# What is there


def _topics(admin):
    """{TopicPartition: what describe_topics says of it}."""
    return {
        TopicPartition(topic["name"], partition["partition_index"]): partition
        for topic in admin.describe_topics()
        for partition in topic["partitions"]
    }


def _log_dirs(admin, broker, topics=None):
    """A broker's log directories, and what is in them of `topics`, pairs of a name and partitions; all if None.

    kafka-python's describe_log_dirs without topics asks for those of the metadata, and not for all that are there.
    """
    return admin._manager.run(admin._async_describe_log_dirs, topics, [broker])[0]["log_dirs"]


def _sizes(admin, brokers, topics):
    """{(TopicPartition, broker): bytes on its disk}, of those brokers that answer."""
    sizes = {}
    for broker in sorted(brokers):
        with contextlib.suppress(KafkaError):  # it went away meanwhile; who needs it will say so
            for directory in _log_dirs(admin, broker, topics.items()):
                for topic in directory["topics"]:
                    for partition in topic["partitions"]:
                        tp = TopicPartition(topic["name"], partition["partition_index"])
                        sizes[tp, broker] = partition["partition_size"]
    return sizes


def holds(admin, broker):
    """Return what the broker holds, as a sorted list of str; empty when it holds nothing.

    Both sides are asked: the cluster's metadata, in which a replica may be promised that is not made yet, and the
    broker's own log directories, in which one may be that no metadata knows. Of a broker that is not registered only
    the metadata can tell.

    Raises kafka.errors.KafkaError when one of them does not answer.
    """
    found = {(*tp, "replica") for tp, partition in _topics(admin).items() if broker in partition["replica_nodes"]}
    found |= {
        (*tp, "replica, moving")
        for tp, move in admin.list_partition_reassignments().items()
        if broker in move["replicas"]
    }
    if broker in _registered(admin):
        for directory in _log_dirs(admin, broker):
            if directory["error_code"]:
                raise for_code(directory["error_code"])(f"broker {broker}, log directory {directory['log_dir']}")
            found |= {
                (topic["name"], partition["partition_index"], f"in {directory['log_dir']}")
                for topic in directory["topics"]
                for partition in topic["partitions"]
            }
    return [f"{topic} partition {partition}: {where}" for topic, partition, where in sorted(found)]


def _registered(admin):
    """{broker id: rack or None}."""
    registered = {broker["broker_id"]: broker["rack"] for broker in admin.describe_cluster()["brokers"]}
    if registered.keys() - {broker.node_id for broker in admin._manager.cluster.brokers()}:
        # kafka-python speaks only to brokers of its last metadata, which may be older than one that has joined.
        admin._manager.run(admin._manager.cluster.refresh_metadata)
    return registered


# Kafka says no, or nobody answers: a broker may be restarting. kafka-python 3.0.12 remembers the controller until that
# says that it is none, and after asking twice raises a RuntimeError.
_NO_ANSWER = (KafkaError, RuntimeError)


def _look_again(admin):
    """Forget who the controller was: if it died, kafka-python would ask it for ever."""
    admin._controller_id = None


def plan(admin, wanted):
    """Return what is to be done: {TopicPartition: (brokers now, brokers then)}, of partitions that change.

    Raises ImpossibleError, also when brokers are missing or unexpected.
    """
    brokers = _registered(admin)
    _refuse_brokers(brokers, wanted)
    moving = admin.list_partition_reassignments()
    described = _topics(admin)
    now = {tp: _target(partition["replica_nodes"], moving.get(tp)) for tp, partition in described.items()}
    drain = [broker for broker in wanted.drain if broker in brokers or any(broker in each for each in now.values())]
    replication = _replication(admin, brokers, now, wanted)
    changes = make_plan({tuple(tp): replicas for tp, replicas in now.items()}, brokers, drain, replication)
    if offline := sorted(tp for tp in described if described[tp]["leader_id"] < 0):
        raise ImpossibleError(
            f"{len(offline)} partitions have no leader, the first {_name(offline[0])}: nothing can be copied from "
            "them. Start the broker that holds them."
        )
    changes = {TopicPartition(*key): (now[TopicPartition(*key)], then) for key, then in changes.items()}
    if problems := room_problems(_coming(admin, changes, described), _disks(admin, changes)):
        raise ImpossibleError(" ".join(problems))
    return changes


def room_problems(coming, disks):
    """Which brokers have no room for what is to come. A full disk ends its broker, so of what is free a tenth stays.

    coming: {broker: bytes}; disks: {broker: (bytes that can be used, bytes in all)}, of those that tell. Each is looked
    at by itself, also where several share a disk.
    """
    return [
        f"broker {broker} is to get {_bytes(coming[broker])}, and of its disk of {_bytes(whole)} it can use "
        f"{_bytes(usable)}, of which a tenth is to stay free. Make room there, add a broker, or let topics keep less."
        for broker, (usable, whole) in sorted(disks.items())
        if coming.get(broker, 0) > 0.9 * usable
    ]


def _coming(admin, changes, described):
    """{broker: bytes that it gets and does not have}."""
    topics = defaultdict(list)
    for tp in changes:
        topics[tp.topic].append(tp.partition)
    leaders = {described[tp]["leader_id"] for tp in changes}
    sizes = _sizes(admin, leaders | _takers(changes), dict(topics)) if changes else {}
    coming = defaultdict(int)
    for tp, (before, after) in changes.items():
        for broker in set(after) - set(before):
            whole = sizes.get((tp, described[tp]["leader_id"]), 0)
            coming[broker] += max(0, whole - sizes.get((tp, broker), 0))
    return coming


def _disks(admin, changes):
    """{broker: (bytes that can be used, bytes in all)} of those that get something; before Kafka 3.3 none tells."""
    disks = {}
    for broker in sorted(_takers(changes)):
        directories = _log_dirs(admin, broker, [])
        if all(directory["total_bytes"] >= 0 for directory in directories):
            disks[broker] = tuple(sum(item[key] for item in directories) for key in ("usable_bytes", "total_bytes"))
    return disks


def _takers(changes):
    return {broker for before, after in changes.values() for broker in set(after) - set(before)}


def _refuse_brokers(registered, wanted):
    expected = set(wanted.brokers) - set(wanted.drain)
    if missing := sorted(expected - registered.keys()):
        raise ImpossibleError(
            f"broker {_ids(missing)} is not registered. Start it, or take its host out of the inventory."
        )
    if unexpected := sorted(registered.keys() - expected - set(wanted.drain)):
        raise ImpossibleError(
            f"broker {_ids(unexpected)} is registered and not in the inventory. Add its host, or decommission it."
        )


def _target(replicas, move):
    """What a partition's replicas will be when the move (or None) that runs has ended."""
    return [broker for broker in move["replicas"] if broker not in move["removing_replicas"]] if move else replicas


def _replication(admin, brokers, now, wanted):
    """{topic: replicas} where it is to change."""
    counts = {tp.topic: len(replicas) for tp, replicas in now.items()}
    asked = dict(wanted.replication)
    broker = min(brokers)
    resource = ConfigResource(ConfigResourceType.BROKER, str(broker), [*_INTERNAL.values()])
    settings = admin.describe_configs([resource], config_filter="all")["broker"][str(broker)]
    for topic, key in _INTERNAL.items():
        if topic in counts and counts[topic] < int(settings[key]["value"]):
            asked.setdefault(topic, int(settings[key]["value"]))
    fewer = [topic for topic, count in asked.items() if count < counts.get(topic, 0)]
    for topic, least in _min_in_sync(admin, fewer).items():
        if asked[topic] < least:
            raise ImpossibleError(
                f"topic {topic} is to have {asked[topic]} replicas, and its min.insync.replicas is {least}: nobody "
                "could write to it. Lower that first, or give it more replicas."
            )
    return asked


def _min_in_sync(admin, topics):
    if not topics:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic, ["min.insync.replicas"]) for topic in topics]
    answer = admin.describe_configs(resources, config_filter="all")["topic"]
    return {topic: int(settings["min.insync.replicas"]["value"]) for topic, settings in answer.items()}


def _name(tp):
    return f"{tp.topic} partition {tp.partition}"


def _ids(brokers):
    return ", ".join(map(str, brokers))


def render(changes):
    """Lay out what `plan` returned, before and after, for --diff."""
    return {
        side: "".join(f"{_name(tp)}: {_ids(changes[tp][index])}\n" for tp in sorted(changes))
        for index, side in enumerate(("before", "after"))
    }


# What is done


@contextlib.contextmanager
def stop_signals():
    """Yield a function that says whether somebody asked to stop, by SIGINT or SIGTERM, which no longer do it at once.

    An exception in the middle of a request would leave a connection that cannot clean up.
    """
    asked = []
    before = {number: signal.signal(number, lambda number, _: asked.append(number)) for number in _STOPS}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_STOPS = (signal.SIGINT, signal.SIGTERM)


def rebalance(admin, wanted, *, throttle=THROTTLE, timeout=300, say=print, stop=lambda: False):  # noqa: PLR0913
    """Make the placement even, or what is left of it when brokers are drained. Returns how many partitions changed.

    wanted    Wanted
    throttle  bytes/s that a broker may send, and as many that it may receive, for what moves; 0 for no limit
    timeout   seconds without any progress after which to give up; the whole may take much longer
    say       called with lines of text: what it waits for, and how far it is
    stop      called in between; to end early when it returns True, as that of `stop_signals`

    However it ends, no throttle stays, and moves that were under way are called off, for without a throttle they would
    take all bandwidth: what they had copied is copied again by the next run, and what had moved before stays.

    Raises ImpossibleError, StalledError, Interrupted, kafka.errors.KafkaError.
    """
    run = _Run(admin, throttle, timeout, say, stop)
    plan(admin, wanted)  # refuses before anything is touched
    run.finish_what_runs()
    run.wait_in_sync(set(wanted.drain))
    changed = 0
    for _ in range(ROUNDS):
        changes = plan(admin, wanted)
        if not changes:
            break
        run.move(changes)
        changed += len(changes)
    else:
        raise StalledError(
            f"{len(changes)} partitions are still not where they are to be: topics are being made. Run it again."
        )
    run.elect_preferred()
    return changed


def prove_empty(admin, brokers, *, timeout=300, say=print, stop=lambda: False):
    """Wait until the brokers hold nothing, as `holds` sees it: they delete what they gave away a little later.

    Raises StalledError with what they hold if for `timeout` seconds it has not become less, Interrupted, KafkaError.
    """

    def look():
        held = {broker: found for broker in brokers if (found := holds(admin, broker))}
        counts = tuple(len(held.get(broker, [])) for broker in brokers)
        return counts, "; ".join(
            f"broker {broker} still holds {len(found)}: {', '.join(found[:3])}" for broker, found in held.items()
        )

    advice = "Run it again; what is on its disk and in no topic, see its log for, and delete the directory."
    _Run(admin, 0, timeout, say, stop)._wait(look, advice)


class _Run:
    def __init__(self, admin, throttle, timeout, say, stop):
        self.admin = admin
        self.throttle = throttle
        self.timeout = timeout
        self.say = say
        self.stop = stop
        self.slowed = set()  # brokers that have a throttle from this run
        self.throttled = {}  # what was set by this run, {(kind, name): [keys]}

    def _wait(self, look, failed):
        """Call `look()`, which returns what is left, a tuple of numbers and a line of text, until no number is left.

        Raises StalledError with `failed(line)` when for `timeout` seconds no number has become less than ever before.
        """
        best, since, said, line = None, time.monotonic(), 0, "no answer"
        while True:
            now = time.monotonic()
            try:
                left, line = look()
                if not any(left):
                    return
                if best is None or any(here < there for here, there in zip(left, best, strict=True)):
                    since = now
                    best = left if best is None else tuple(map(min, left, best))
                if now - said >= _SAY:
                    said = now
                    self.say(line)
            except _NO_ANSWER as error:  # also those that are not called retriable
                _look_again(self.admin)
                line = f"{type(error).__name__}: {error}"
            if self.stop():
                raise Interrupted(f"stopped; last seen: {line}")
            if now - since >= self.timeout:
                raise StalledError(f"no progress in {self.timeout} s; last seen: {line}. {failed}")
            time.sleep(_PAUSE)

    # Before

    def finish_what_runs(self):
        """Wait for moves that another run, or somebody else, began, and remove the throttles that were left."""
        if running := self.admin.list_partition_reassignments():
            self.say(f"{len(running)} partitions move already; waiting for them before anything else")
            targets = {tp: _target([], move) for tp, move in running.items()}
            with self._throttled({tp: move["adding_replicas"] for tp, move in running.items()}):
                self._wait(lambda: self._left(targets), _STALLED)
        self._remove_throttles()

    def wait_in_sync(self, drain):
        """Refuse to move what is not in sync: a copy may be the last one. What only brokers in `drain` lack is fine."""

        def look():
            lacking = {
                tp: missing
                for tp, partition in _topics(self.admin).items()
                if (missing := set(partition["replica_nodes"]) - set(partition["isr_nodes"]) - drain)
            }
            line = ""
            if lacking:
                tp = min(lacking)
                line = (
                    f"waiting for {len(lacking)} partitions to be in sync, such as {_name(tp)} on {_ids(lacking[tp])}"
                )
            return (len(lacking),), line

        self._wait(look, "Nothing was moved. Have all brokers healthy first: playbooks/status.yml shows what is not.")

    # The move

    def move(self, changes):
        """Carry out what `plan` returned, a bounded number at a time."""
        then = {tp: after for tp, (_, after) in changes.items()}
        adding = {tp: [broker for broker in after if broker not in before] for tp, (before, after) in changes.items()}
        copied = sum(map(len, adding.values()))
        rate = f"{_bytes(self.throttle)}/s to or from a broker" if self.throttle else "no throttle"
        self.say(f"{len(then)} partitions change, {copied} replicas are copied, {rate}")
        waiting = sorted(then)

        def look():
            batch = waiting[: max(0, IN_FLIGHT - len(self.admin.list_partition_reassignments()))]
            self._submit(batch, then)
            del waiting[: len(batch)]
            return self._left(then)

        with self._throttled(adding):
            self._wait(look, _STALLED)
        self.say(f"{len(then)} partitions are where they are to be, and in sync")

    def _submit(self, batch, then):
        """Begin moves. Of topics that are deleted meanwhile nothing is left to do."""
        if not batch:
            return
        answer = self.admin.alter_partition_reassignments({tp: then[tp] for tp in batch})
        for tp, error in sorted(answer.items()):
            if error not in (None, UnknownTopicOrPartitionError):
                raise error(f"{_name(tp)} to brokers {_ids(then[tp])}: {error.description}")

    def _left(self, then):
        """How far it is: ((partitions left, bytes left), a line that says it)."""
        described = _topics(self.admin)
        moving = self.admin.list_partition_reassignments()
        left = {
            tp: after
            for tp, after in then.items()
            if tp in described and (tp in moving or not _is_done(described[tp], after))
        }
        if not left:
            return (0, 0), ""
        topics = defaultdict(list)
        for tp in left:
            topics[tp.topic].append(tp.partition)
        holders = {
            broker for tp, after in left.items() for broker in [*after, described[tp]["leader_id"]] if broker >= 0
        }
        sizes = _sizes(self.admin, holders, dict(topics))
        missing = sum(_missing(described[tp], after, tp, sizes) for tp, after in left.items())
        late = min(left, key=lambda tp: (tp not in moving, tp))
        behind = sorted(set(left[late]) - set(described[late]["isr_nodes"]))
        line = f"{len(left)} partitions left, {_bytes(missing)} left; {len(moving)} moving, such as {_name(late)}"
        return (len(left), missing), line + (f" to broker {_ids(behind)}" if behind else "")

    # Throttles

    @contextlib.contextmanager
    def _throttled(self, adding):
        """Throttle what is copied, {TopicPartition: [brokers that get it]}.

        At the end, however it comes, there is no throttle, and nothing moves any more.
        """
        try:
            if self.throttle and any(adding.values()):
                self._set_throttle({tp: brokers for tp, brokers in adding.items() if brokers})
            yield
        except BaseException:
            self._clean_up(call_off=True)
            raise
        self._clean_up(call_off=False)

    def _set_throttle(self, adding):
        described = _topics(self.admin)
        lists = defaultdict(lambda: ([], []))
        for tp, brokers in adding.items():
            old = [broker for broker in described[tp]["replica_nodes"] if broker not in brokers]
            # Any of those that have it may lead while it moves.
            for names, those in zip(lists[tp.topic], (old, brokers), strict=True):
                names += [f"{tp.partition}:{broker}" for broker in those]
        rates = dict.fromkeys(_RATES, str(self.throttle))
        self.slowed = set(_registered(self.admin))
        brokers = {(ConfigResourceType.BROKER, str(broker)): dict(rates) for broker in sorted(self.slowed)}
        topics = {
            (ConfigResourceType.TOPIC, topic): dict(zip(_LISTS, map(",".join, both), strict=True))
            for topic, both in lists.items()
        }
        self.throttled = {resource: list(settings) for resource, settings in (brokers | topics).items()}
        self._alter([ConfigResource(*resource, settings) for resource, settings in (brokers | topics).items()])

    def _remove_throttles(self):
        """Remove every throttle of replication there is: who runs this means it to be the only one that moves."""
        # A broker tells of a setting a moment after it was made, so what was set here is removed also if none does yet.
        there = {(ConfigResourceType.BROKER, str(broker)) for broker in _registered(self.admin)}
        own = {
            resource: keys
            for resource, keys in self.throttled.items()
            if resource in there or resource[0] is ConfigResourceType.TOPIC
        }
        if left := throttles(self.admin) | own:
            self._alter(
                [
                    ConfigResource(kind, name, dict.fromkeys(keys, (AlterConfigOp.DELETE, None)))
                    for (kind, name), keys in left.items()
                ]
            )

    def _alter(self, resources):
        answers = self.admin.alter_configs(resources, raise_on_unknown=False)
        problems = [
            f"{kind} {name}: {said}"
            for kind, answer in answers.items()
            for name, said in sorted(answer.items())
            if said != "OK" and "UnknownTopicOrPartition" not in said
        ]
        if problems:
            raise KafkaError("; ".join(problems))

    def _clean_up(self, call_off):
        """Several tries, for what ended the run may be a broker that restarts."""
        deadline = time.monotonic() + min(self.timeout, 30)
        while True:
            try:
                running = self.admin.list_partition_reassignments() if call_off else {}
                if running:
                    self.admin.alter_partition_reassignments(dict.fromkeys(running))
                self._remove_throttles()
                if not throttles(self.admin):
                    break
                if time.monotonic() >= deadline:
                    self.say("brokers still tell of throttles, though they were removed. Run it again.")
                    return
            except _NO_ANSWER as error:
                _look_again(self.admin)
                if time.monotonic() >= deadline:
                    self.say(f"throttles are left, because the cluster does not answer ({error}). Run it again.")
                    if not call_off:
                        raise
                    return
            time.sleep(_PAUSE)
        if running:
            self.say(f"called off {len(running)} moves that were under way")
        if gone := sorted(self.slowed - _registered(self.admin).keys()):
            self.say(f"broker {_ids(gone)} is down, and keeps its throttle until the next run")

    # After

    def elect_preferred(self):
        """Have each partition led by the first of its replicas, and wait until it is."""

        def look():
            described = _topics(self.admin)
            wrong = [
                tp for tp, partition in described.items() if partition["leader_id"] != partition["replica_nodes"][0]
            ]
            if wrong:
                topics = defaultdict(list)
                for tp in wrong:
                    topics[tp.topic].append(tp.partition)
                answer = self.admin.elect_leaders(0, dict(topics), raise_errors=False)
                codes = {
                    for_code(partition.error_code)
                    for topic in answer.replica_election_results
                    for partition in topic.partition_result
                }
                said = ", ".join(sorted(error.__name__ for error in codes - {NoError, ElectionNotNeededError}))
                return (len(wrong),), f"{len(wrong)} partitions not led by their preferred leaders yet {said}".strip()
            return (0,), ""

        self._wait(
            look, "All replicas are in place. Run it again, or see playbooks/status.yml for what is not in sync."
        )


_STALLED = (
    "Moves under way are called off. See with playbooks/status.yml whether a broker is down, or its disk full; "
    "if clients write faster than the throttle, raise it. Then run it again: it goes on."
)


def _is_done(partition, after):
    return partition["replica_nodes"] == after and set(partition["isr_nodes"]) == set(after)


def _missing(partition, after, tp, sizes):
    """Bytes that its new replicas do not have yet."""
    whole = sizes.get((tp, partition["leader_id"]), 0)
    behind = [broker for broker in after if broker not in partition["isr_nodes"]]
    return sum(max(0, whole - sizes.get((tp, broker), 0)) for broker in behind)


def _bytes(count):
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.3g} {_UNITS[unit]}"


_UNITS = ("B", "kB", "MB", "GB", "TB")


def throttles(admin):
    """{(ConfigResourceType, name): [keys]} of all brokers and topics that have a throttle of replication set."""
    kinds = {ConfigResourceType.BROKER: _RATES, ConfigResourceType.TOPIC: _LISTS}
    names = {
        ConfigResourceType.BROKER: map(str, sorted(_registered(admin))),
        ConfigResourceType.TOPIC: sorted({topic["name"] for topic in admin.describe_topics()}),
    }
    resources = [ConfigResource(kind, name, list(kinds[kind])) for kind in kinds for name in names[kind]]
    found = {}
    for kind, answer in admin.describe_configs(resources).items():
        for name, settings in answer.items():
            keys = [key for key, setting in settings.items() if setting["config_source"].startswith("DYNAMIC_")]
            if keys:
                found[ConfigResourceType[kind.upper()], name] = keys
    return found

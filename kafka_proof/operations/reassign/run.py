"""Carry out a plan: throttle, move a bounded number at a time, report progress, clean up however it ends."""

import contextlib
import signal
import time
from collections import defaultdict

from kafka.errors import ElectionNotNeededError, KafkaError, NoError, UnknownTopicOrPartitionError, for_code

from kafka_proof.operations.reassign import observe
from kafka_proof.operations.reassign.observe import holds, ids_text, partition_name, size_text
from kafka_proof.operations.reassign.plan import plan
from kafka_proof.operations.reassign.throttle import Throttle, throttles

THROTTLE = 50_000_000  # bytes/s: half of what a link of 1 Gbit/s carries, so that clients keep the other
IN_FLIGHT = (
    50  # partitions that move at a time; the controller and the fetchers of a broker carry more, but not thousands
)
ROUNDS = 5  # plans made one after the other, for partitions that are made meanwhile
_PAUSE = 0.25  # seconds between two looks
_SAY = 5  # seconds between two lines of progress


class StalledError(Exception):
    """Nothing moves any more. The message says what was last seen, and what to do."""


class Interrupted(KeyboardInterrupt):
    """Somebody asked to stop; what was under way was called off and cleaned up."""


# Kafka says no, or nobody answers: a broker may be restarting. kafka-python 3.0.12 remembers the controller until that
# says that it is none, and after asking twice raises a RuntimeError.
_NO_ANSWER = (KafkaError, RuntimeError)


def _look_again(admin):
    """Forget who the controller was: if it died, kafka-python would ask it for ever."""
    admin._controller_id = None


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
        self.limits = Throttle(admin)

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
            targets = {tp: observe.target([], move) for tp, move in running.items()}
            with self._throttled({tp: move["adding_replicas"] for tp, move in running.items()}):
                self._wait(lambda: self._left(targets), _STALLED)
        self.limits.remove()

    def wait_in_sync(self, drain):
        """Refuse to move what is not in sync: a copy may be the last one. What only brokers in `drain` lack is fine."""

        def look():
            lacking = {
                tp: missing
                for tp, partition in observe.topics(self.admin).items()
                if (missing := set(partition["replica_nodes"]) - set(partition["isr_nodes"]) - drain)
            }
            line = ""
            if lacking:
                tp = min(lacking)
                which = f"such as {partition_name(tp)} on {ids_text(lacking[tp])}"
                line = f"waiting for {len(lacking)} partitions to be in sync, {which}"
            return (len(lacking),), line

        self._wait(look, "Nothing was moved. Have all brokers healthy first: playbooks/status.yml shows what is not.")

    # The move

    def move(self, changes):
        """Carry out what `plan` returned, a bounded number at a time."""
        then = {tp: after for tp, (_, after) in changes.items()}
        adding = {tp: [broker for broker in after if broker not in before] for tp, (before, after) in changes.items()}
        copied = sum(map(len, adding.values()))
        rate = f"{size_text(self.throttle)}/s to or from a broker" if self.throttle else "no throttle"
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
                raise error(f"{partition_name(tp)} to brokers {ids_text(then[tp])}: {error.description}")

    def _left(self, then):
        """How far it is: ((partitions left, bytes left), a line that says it)."""
        described = observe.topics(self.admin)
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
        sizes = observe.sizes(self.admin, holders, dict(topics))
        missing = sum(_missing(described[tp], after, tp, sizes) for tp, after in left.items())
        late = min(left, key=lambda tp: (tp not in moving, tp))
        behind = sorted(set(left[late]) - set(described[late]["isr_nodes"]))
        line = f"{len(left)} partitions left, {size_text(missing)} left; {len(moving)} moving, "
        line += f"such as {partition_name(late)}"
        return (len(left), missing), line + (f" to broker {ids_text(behind)}" if behind else "")

    # Throttles

    @contextlib.contextmanager
    def _throttled(self, adding):
        """Throttle what is copied, {TopicPartition: [brokers that get it]}.

        At the end, however it comes, there is no throttle, and nothing moves any more.
        """
        try:
            if self.throttle and any(adding.values()):
                self.limits.set(self.throttle, {tp: brokers for tp, brokers in adding.items() if brokers})
            yield
        except BaseException:
            self._clean_up(call_off=True)
            raise
        self._clean_up(call_off=False)

    def _clean_up(self, call_off):
        """Several tries, for what ended the run may be a broker that restarts."""
        deadline = time.monotonic() + min(self.timeout, 30)
        while True:
            try:
                running = self.admin.list_partition_reassignments() if call_off else {}
                if running:
                    self.admin.alter_partition_reassignments(dict.fromkeys(running))
                self.limits.remove()
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
        if gone := sorted(self.limits.brokers - observe.registered(self.admin).keys()):
            self.say(f"broker {ids_text(gone)} is down, and keeps its throttle until the next run")

    # After

    def elect_preferred(self):
        """Have each partition led by the first of its replicas, and wait until it is."""

        def look():
            described = observe.topics(self.admin)
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

"""Carry out a plan: throttle, move a bounded number at a time, report progress, and always clean up."""

import contextlib
import math
import signal
import time

from kafka.errors import UnknownTopicOrPartitionError

from kafka_proof.client.wait import attempts
from kafka_proof.client.workarounds import NO_ANSWER, forget_controller, reason
from kafka_proof.operations.leaders import elect_preferred
from kafka_proof.operations.reassign import observe
from kafka_proof.operations.reassign.observe import holds, ids_text, partition_name, size_text
from kafka_proof.operations.reassign.plan import plan
from kafka_proof.operations.reassign.throttle import Throttle, throttles

THROTTLE = 50_000_000  # bytes/s: half of a link of 1 Gbit/s, so that clients keep the other half
IN_FLIGHT = 50  # partitions that move at a time; a controller and the fetchers of a broker carry more, not thousands
ROUNDS = 5  # plans, one after the other, for partitions that are created meanwhile
_PAUSE = 0.25  # seconds between two looks
_SAY = 5  # seconds between two lines of progress


class StalledError(Exception):
    """Nothing moves any more. The message has the last observation and a remedy."""


class Interrupted(KeyboardInterrupt):
    """A signal asked for the end. Moves under way were called off and cleaned up."""


@contextlib.contextmanager
def stop_signals():
    """Hold back SIGINT and SIGTERM, and yield a function that returns whether one came.

    An exception in the middle of a request would leave a connection that cannot clean up.
    """
    asked = []
    stops = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: asked.append(number)) for number in stops}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def rebalance(admin, wanted, *, throttle=THROTTLE, timeout=300, say=print, stop=lambda: False):  # noqa: PLR0913
    """Spread the replicas evenly over the brokers that are not drained. Returns how many partitions changed.

    wanted    Wanted
    throttle  bytes/s that a broker can send, and as many that it can receive, for the moves; 0 for no limit
    timeout   seconds without any progress after which to give up; the whole can take much longer
    say       called with lines of text: the current wait, and the progress
    stop      called in between; ends the run early when it returns True, like that of `stop_signals`

    At every end all throttles are removed, and moves under way are called off: without a throttle they would take all
    bandwidth. Partitions that have moved stay. The next run repeats the copying of the others.

    Raises ImpossibleError, StalledError, Interrupted, kafka.errors.KafkaError.
    """
    run = _Run(admin, throttle, timeout, say, stop)
    plan(admin, wanted)  # refuses before any change
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
            f"{len(changes)} partitions are still not in their places, because topics are being created. Run it again."
        )
    run.elect_preferred()
    return changed


def prove_empty(admin, brokers, *, timeout=300, say=print, stop=lambda: False):
    """Wait until the brokers hold nothing, by `holds`: they delete moved replicas a little later.

    Raises StalledError with their replicas if these have not become fewer for `timeout` seconds, Interrupted,
    KafkaError.
    """

    def look():
        held = {broker: holds(admin, broker) for broker in brokers}
        said = [f"broker {broker} still holds {len(has)}: {', '.join(has[:3])}" for broker, has in held.items() if has]
        return tuple(map(len, held.values())), "; ".join(said)

    advice = "Run it again. If a directory on its disk belongs to no topic, read the broker's log and delete it."
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
        """Call `look()`, which returns the rest as a tuple of numbers and a line of text, until all numbers are 0.

        Raises StalledError with `failed` when for `timeout` seconds no number has reached a new minimum.
        """
        best, since, said, line = None, time.monotonic(), 0, "no answer"
        for _ in attempts(math.inf, _PAUSE):
            now = time.monotonic()
            try:
                left, line = look()
                if not any(left):
                    return
                least = tuple(map(min, left, best or left))
                if least != best:
                    since, best = now, least
                if now - said >= _SAY:
                    said = now
                    self.say(line)
            except NO_ANSWER as error:  # a broker can be restarting, so errors that are not retriable count, too
                forget_controller(self.admin)
                line = reason(error)
            if self.stop():
                raise Interrupted(f"stopped; last seen: {line}")
            if now - since >= self.timeout:
                raise StalledError(f"no progress in {self.timeout} s; last seen: {line}. {failed}")

    # Before

    def finish_what_runs(self):
        """Wait for moves of another run or another program, and remove the throttles that were left."""
        if running := self.admin.list_partition_reassignments():
            self.say(f"{len(running)} partitions move already; waiting for them before anything else")
            targets = {tp: observe.target([], move) for tp, move in running.items()}
            with self._throttled({tp: move["adding_replicas"] for tp, move in running.items()}):
                self._wait(lambda: self._left(targets), _STALLED)
        self.limits.remove()

    def wait_in_sync(self, drain):
        """Wait until all replicas are in sync, but those on brokers in `drain`: a copy can be the last one."""

        def look():
            lacking = {
                tp: missing
                for tp, partition in observe.topics(self.admin).items()
                if (missing := set(partition["replica_nodes"]) - set(partition["isr_nodes"]) - drain)
            }
            if not lacking:
                return (0,), ""
            which = f"{partition_name(min(lacking))} on {ids_text(lacking[min(lacking)])}"
            return (len(lacking),), f"waiting for {len(lacking)} partitions to be in sync, such as {which}"

        self._wait(look, "Nothing was moved. All brokers must be healthy before a move.")

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
        self.say(f"{len(then)} partitions are in their places, and in sync")

    def _submit(self, batch, then):
        """Begin moves. A topic that was deleted meanwhile needs none."""
        if not batch:
            return
        answer = self.admin.alter_partition_reassignments({tp: then[tp] for tp in batch})
        for tp, error in sorted(answer.items()):
            if error not in (None, UnknownTopicOrPartitionError):
                raise error(f"{partition_name(tp)} to brokers {ids_text(then[tp])}: {error.description}")

    def _left(self, then):
        """Return the progress: ((partitions left, bytes left), the same as a line of text)."""
        described = observe.topics(self.admin)
        moving = self.admin.list_partition_reassignments()
        left = {
            tp: after
            for tp, after in then.items()
            if tp in described and (tp in moving or not _is_done(described[tp], after))
        }
        if not left:
            return (0, 0), ""
        holders = {
            broker for tp, after in left.items() for broker in [*after, described[tp]["leader_id"]] if broker >= 0
        }
        sizes = observe.sizes(self.admin, holders, left)
        missing = sum(_missing(described[tp], after, tp, sizes) for tp, after in left.items())
        late = min(left, key=lambda tp: (tp not in moving, tp))
        behind = sorted(set(left[late]) - set(described[late]["isr_nodes"]))
        line = f"{len(left)} partitions left, {size_text(missing)} left; {len(moving)} moving, "
        line += f"such as {partition_name(late)}"
        return (len(left), missing), line + (f" to broker {ids_text(behind)}" if behind else "")

    # Throttles

    @contextlib.contextmanager
    def _throttled(self, adding):
        """Throttle the copying of {TopicPartition: [brokers that get it]}.

        At every end there is no throttle, and nothing moves any more.
        """
        done = False
        try:
            if self.throttle and any(adding.values()):
                self.limits.set(self.throttle, {tp: brokers for tp, brokers in adding.items() if brokers})
            yield
            done = True
        finally:
            self._clean_up(call_off=not done)

    def _clean_up(self, call_off):
        """Try several times: the run can have ended because a broker restarts."""
        called_off = set()
        for _ in attempts(min(self.timeout, 30), _PAUSE):
            try:
                if running := self.admin.list_partition_reassignments() if call_off else {}:
                    self.admin.alter_partition_reassignments(dict.fromkeys(running))
                    called_off |= running.keys()
                self.limits.remove()
                if not throttles(self.admin):
                    break
                failure, problem = None, "brokers still report throttles, though they were removed"
            except NO_ANSWER as error:
                forget_controller(self.admin)
                failure, problem = error, f"throttles are left, because the cluster does not answer ({reason(error)})"
        else:
            self.say(f"{problem}. Run it again.")
            if failure and not call_off:
                raise failure
            return
        if called_off:
            self.say(f"called off {len(called_off)} moves that were under way")
        if gone := sorted(self.limits.brokers - observe.registered(self.admin).keys()):
            self.say(f"broker {ids_text(gone)} is down, and keeps its throttle until the next run")

    # After

    def elect_preferred(self):
        """Make the first replica of each partition its leader, and wait until it is."""

        def look():
            election = elect_preferred(self.admin)
            said = ", ".join(election.refusals)
            return (election.left,), f"{election.left} partitions not led by their preferred leaders yet {said}".strip()

        self._wait(look, "All replicas are in place, and some are not in sync. Run it again.")


_STALLED = (
    "Moves under way are called off. A broker can be down, or its disk full; if clients write faster than the "
    "throttle, raise it. Then run it again: it continues."
)


def _is_done(partition, after):
    return partition["replica_nodes"] == after and set(partition["isr_nodes"]) == set(after)


def _missing(partition, after, tp, sizes):
    """Return the bytes that its new replicas do not have yet."""
    behind = [broker for broker in after if broker not in partition["isr_nodes"]]
    return sum(observe.missing(sizes, tp, partition["leader_id"], broker) for broker in behind)

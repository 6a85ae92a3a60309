"""Consumers of one group, polled together, and the evidence: owners of partitions and receivers of messages."""

import threading
from concurrent.futures import ThreadPoolExecutor

from kafka.structs import MemberState

from kafka_proof.client.wait import wait_until


class Group:
    """Members of one consumer group, by name: Group({"a": KafkaConsumer, "b": KafkaConsumer}).

    A wait polls every member in a separate thread, because none can join before the others, until all of them show
    the expected state. Between two waits no thread runs, and a test can use the consumers.

    One thread cannot poll them in turn. kafka-python 3.0.12 drops a join that completes between two polls of its
    member, and begins another. Then the other members join again, and so on: 198 generations in 30 s.

    `received` is dict[name, list[record]] in the order of arrival. A wait never drops a record: the poll that completes
    a join can already return some.
    """

    def __init__(self, consumers, mine=lambda record: True):
        """`mine`: returns whether a record is the test's own; in a topic that others use, the rest is left out."""
        self.consumers = consumers
        self.mine = mine
        self.received = {name: [] for name in consumers}
        self.history = {}  # dict[generation, dict[name, list of partitions]], by each member after it was stable

    def wait_for_owners(self, partitions):
        """Poll until all members are in one generation in which each partition has exactly one owner.

        `partitions`: list of int. Returns dict[name, sorted list of partitions].
        """

        def settled(members):
            generations = {generation for generation, _, _ in members.values()}
            states = {state for _, state, _ in members.values()}
            owned = sorted(partition for _, _, share in members.values() for partition in share)
            return len(generations) == 1 and states == {MemberState.STABLE} and owned == sorted(partitions)

        members = self._poll_until(f"one owner for each of partitions {partitions}", _membership, settled)
        return {name: share for name, (_, _, share) in members.items()}

    def read_to(self, ends):
        """Poll until every member has read each of its partitions to its end, so that nothing more can arrive.

        `ends`: dict[TopicPartition, the offset after its last message].
        """

        def at_the_end(members):
            # Beyond it, where others write to the topic too.
            return all(offset >= ends[tp] for positions in members.values() for tp, offset in positions.items())

        expected = {f"{tp.topic}-{tp.partition}": offset for tp, offset in ends.items()}
        self._poll_until(f"every member to reach the end, {expected}", positions, at_the_end)

    def leave(self, name):
        """Close a member, which leaves the group."""
        self.consumers.pop(name).close(autocommit=False)

    def shared_ownership(self):
        """Return list[(generation, partition, names)]: partitions that had two owners in one generation."""
        found = []
        for generation, shares in self.history.items():
            for partition in sorted({partition for share in shares.values() for partition in share}):
                owners = sorted(name for name, share in shares.items() if partition in share)
                if len(owners) > 1:
                    found.append((generation, partition, owners))
        return found

    def evidence(self):
        """Return [(name, table)] for `record_property`: owners in each generation, and receivers of messages."""
        names = sorted(self.received)
        owners = [
            [generation, *("-" if name not in shares else _listed(shares[name]) for name in names)]
            for generation, shares in sorted(self.history.items())
        ]
        matrix = self.matrix()
        partitions = sorted({partition for row in matrix.values() for partition in row})
        delivered = [[name, *(_listed(matrix[name].get(partition, [])) for partition in partitions)] for name in names]
        return [
            ("owner of each partition in each generation", {"columns": ["generation", *names], "rows": owners}),
            ("who received what", {"columns": ["member", *map("partition {}".format, partitions)], "rows": delivered}),
        ]

    def matrix(self):
        """Return dict[name, dict[partition, list of values]] of received messages, in the order of arrival."""
        table = {name: {} for name in self.received}
        for name, records in self.received.items():
            for record in records:
                table[name].setdefault(record.partition, []).append(record.value)
        return table

    def _poll_until(self, what, show, good):
        """Poll until `good({name: show(consumer)})`; each member shows itself after each poll. Returns that dict."""
        __tracebackhide__ = True
        shown = dict.fromkeys(self.consumers)
        enough = threading.Event()

        def poll(name, consumer):
            while not enough.is_set():
                for records in consumer.poll(timeout_ms=50).values():
                    self.received[name] += filter(self.mine, records)
                shown[name] = show(consumer)
                generation, state, share = _membership(consumer)
                if state is MemberState.STABLE:
                    self.history.setdefault(generation, {})[name] = share

        def look():
            for thread in threads:
                if thread.done():
                    thread.result()  # a thread that ended early failed, and raises its error here
            return dict(shown)

        with ThreadPoolExecutor(len(self.consumers)) as pool:
            threads = [pool.submit(poll, name, consumer) for name, consumer in self.consumers.items()]
            try:
                return wait_until(what, look, lambda seen: None not in seen.values() and good(seen), pause=0.005)
            finally:
                enough.set()


def positions(consumer):
    """Return dict[TopicPartition, next offset]. The question makes a consumer decide where it begins."""
    return {tp: consumer.position(tp, timeout_ms=10_000) for tp in sorted(consumer.assignment())}


def _membership(consumer):
    member = consumer.group_metadata()
    return member.generation_id, member.state, sorted(tp.partition for tp in consumer.assignment())


def _listed(values):
    shown = ", ".join(map(str, values[:6]))
    return f"{shown}, … ({len(values)})" if len(values) > 6 else shown or "nothing"

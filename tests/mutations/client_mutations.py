"""A plugin for pytest that breaks kafka-python in the process of the suite: `-p client_mutations`, KAFKA_MUTATION=name.

Each function below is one way to break it, and its docstring says what a user would see. A broker that breaks the same
promise looks the same from here: whether it reorders messages, or the client does, the program gets them out of order.
"""

import functools
import itertools
import os
import re
import time
import types

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.consumer.subscription_state import SubscriptionState
from kafka.coordinator.base import BaseCoordinator
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.errors import KafkaError
from kafka.net.manager import KafkaConnectionManager
from kafka.producer.sender import Sender
from kafka.protocol.metadata import MetadataRequest

import kafka_proof.lag.offsets
from kafka_proof.client.wait import wait_until

PATIENCE = 10  # seconds that the suite waits here: a mutation that leads nowhere is not worth the suite's own 30
MUTATIONS = {}


def mutation(function):
    MUTATIONS[function.__name__] = function
    return function


def instead(owner, name):
    """Decorate a function that is called instead of owner.name, with what that was before its arguments."""
    original = getattr(owner, name)

    def decorate(function):
        @functools.wraps(original)
        def method(*args, **kwargs):
            return function(original, *args, **kwargs)

        setattr(owner, name, method)
        return method

    return decorate


def configure(kind, change):
    """Let the named arguments of a class go through `change`, a function that takes a dict and changes it."""

    @instead(kind, "__init__")
    def init(original, self, *args, **settings):
        change(settings)
        original(self, *args, **settings)


def pytest_configure():
    wait_until.__defaults__ = (bool, PATIENCE, *wait_until.__defaults__[2:])
    if name := os.environ.get("KAFKA_MUTATION"):
        MUTATIONS[name]()


# Where messages go


@mutation
def key_ignored():
    """The partitioner takes the partitions in turn, whatever the key"""
    turn = itertools.count()

    @instead(KafkaProducer, "_partition")
    def partition(original, self, topic, partition, *rest):
        if partition is None:
            partition = next(turn) % len(self._metadata.partitions_for_topic(topic))
        return original(self, topic, partition, *rest)


@mutation
def one_partition_for_all_keys():
    """The partitioner takes partition 0, whatever the key"""

    @instead(KafkaProducer, "_partition")
    def partition(original, self, topic, partition, *rest):
        return original(self, topic, 0 if partition is None else partition, *rest)


@mutation
def explicit_partition_ignored():
    """The message goes to partition 0, whichever was named"""

    @instead(KafkaProducer, "send")
    def send(original, self, *args, **message):
        return original(self, *args, **message | {"partition": 0})


@mutation
def unknown_partition_accepted():
    """A message for a partition that is not there goes to one that is"""

    @instead(KafkaProducer, "_partition")
    def partition(original, self, topic, partition, *rest):
        if partition is not None:
            partition %= len(self._metadata.partitions_for_topic(topic))
        return original(self, topic, partition, *rest)


# The fate of messages


@mutation
def message_acknowledged_and_lost():
    """Every third message is acknowledged and never written"""
    count, acknowledged = itertools.count(), {}

    @instead(KafkaProducer, "send")
    def send(original, self, topic, *args, **message):
        where = topic, message.get("partition")
        if next(count) % 3 < 2 or where not in acknowledged:
            acknowledged[where] = original(self, topic, *args, **message)
        return acknowledged[where]


@mutation
def message_not_delivered():
    """The consumer skips the second message of each fetch"""

    @instead(KafkaConsumer, "poll")
    def poll(original, self, *args, **kwargs):
        return {tp: records[:1] + records[2:] for tp, records in original(self, *args, **kwargs).items()}


@mutation
def messages_written_twice():
    """Every message is written twice"""

    @instead(KafkaProducer, "send")
    def send(original, self, *args, **message):
        original(self, *args, **message)
        return original(self, *args, **message)


@mutation
def messages_delivered_twice():
    """The consumer gets the last message of each fetch twice"""

    @instead(KafkaConsumer, "poll")
    def poll(original, self, *args, **kwargs):
        return {tp: records + records[-1:] for tp, records in original(self, *args, **kwargs).items()}


@mutation
def messages_reordered():
    """Two neighbours change places, as with a broker that reorders"""

    @instead(KafkaConsumer, "poll")
    def poll(original, self, *args, **kwargs):
        return {tp: records[:2][::-1] + records[2:] for tp, records in original(self, *args, **kwargs).items()}


def _acknowledgements_lost():
    retried = set()

    @instead(Sender, "_complete_batch")
    def complete_batch(original, self, batch, response):
        # Not of the one message that the suite sends without a retry, before its tests.
        if response.error_code == 0 and self.config["retries"] and id(batch) not in retried:
            retried.add(id(batch))
            response = types.SimpleNamespace(error_code=7, error_message=None, log_start_offset=-1)  # timed out
        original(self, batch, response)


@mutation
def acknowledgements_lost():
    """The first acknowledgement of each batch is lost, so that the producer sends it again; idempotence saves it"""
    _acknowledgements_lost()


@mutation
def acknowledgements_lost_without_idempotence():
    """The first acknowledgement of each batch is lost, and the producer, which sends it again, is not idempotent"""
    _acknowledgements_lost()
    configure(KafkaProducer, lambda settings: settings.update(enable_idempotence=False))


@mutation
def key_dropped():
    """The message arrives without its key"""

    @instead(KafkaProducer, "send")
    def send(original, self, topic, value=None, **message):
        return original(self, topic, value, **message | {"key": None if value is not None else message["key"]})


@mutation
def headers_dropped():
    """Only the first header arrives"""

    @instead(KafkaProducer, "send")
    def send(original, self, *args, headers=None, **message):
        return original(self, *args, headers=headers and headers[:1], **message)


@mutation
def headers_as_a_dictionary():
    """Of two headers with one name, one arrives"""

    @instead(KafkaProducer, "send")
    def send(original, self, *args, headers=None, **message):
        return original(self, *args, headers=headers and list(dict(headers).items()), **message)


@mutation
def timestamps_dropped():
    """The message is stamped when it is sent, and not as the program said"""

    @instead(KafkaProducer, "send")
    def send(original, self, *args, timestamp_ms=None, **message):
        return original(self, *args, **message)


@mutation
def compression_ignored():
    """The producer sends without compression, whatever it was told"""
    configure(KafkaProducer, lambda settings: settings.pop("compression_type", None))


@mutation
def size_limit_ignored():
    """The producer sends what is larger than its own max_request_size"""

    @instead(KafkaProducer, "_ensure_valid_record_size")
    def ensure(original, self, size):
        pass


@mutation
def topic_made_without_its_settings():
    """A new topic has the broker's settings and not its own, so its max.message.bytes does not hold"""

    @instead(KafkaAdminClient, "create_topics")
    def create(original, self, topics, *args, **kwargs):
        plain = {name: {key: topic[key] for key in topic if key != "configs"} for name, topic in topics.items()}
        return original(self, plain, *args, **kwargs)


# Transactions


@mutation
def abort_commits():
    """An aborted transaction is committed"""

    @instead(KafkaProducer, "abort_transaction")
    def abort(original, self):
        self.commit_transaction()


@mutation
def commit_aborts():
    """A committed transaction is aborted"""

    @instead(KafkaProducer, "commit_transaction")
    def commit(original, self):
        self.abort_transaction()


@mutation
def isolation_ignored():
    """A consumer with read_committed reads everything"""
    configure(KafkaConsumer, lambda settings: settings.update(isolation_level="read_uncommitted"))


# Where a consumer begins, and where it goes


def _reset(wanted, instead_of_it):
    def change(settings):
        if settings.get("auto_offset_reset") == wanted:
            settings["auto_offset_reset"] = instead_of_it

    configure(KafkaConsumer, change)


@mutation
def earliest_is_latest():
    """A group that should begin with the first message begins after the last"""
    _reset("earliest", "latest")


@mutation
def latest_is_earliest():
    """A group that should begin after the last message begins with the first"""
    _reset("latest", "earliest")


@mutation
def none_is_earliest():
    """A group that should refuse begins with the first message"""
    _reset("none", "earliest")


@mutation
def seek_ignored():
    """A consumer stays where it was"""

    @instead(KafkaConsumer, "seek")
    def seek(original, self, *args):
        pass


@mutation
def pause_ignored():
    """A consumer gets messages from a partition that it paused"""

    @instead(KafkaConsumer, "pause")
    def pause(original, self, *args):
        pass


@mutation
def resume_ignored():
    """A consumer gets no messages from a partition that it resumed"""

    @instead(KafkaConsumer, "resume")
    def resume(original, self, *args):
        pass


@mutation
def time_ignored():
    """Asked for the first message at or after a time, the broker gives the first of all"""

    @instead(KafkaConsumer, "offsets_for_times")
    def offsets(original, self, times, *args):
        return original(self, dict.fromkeys(times, 0), *args)


@mutation
def offsets_for_times_off_by_one():
    """Asked for the first message at or after a time, the broker gives the one after it"""

    @instead(KafkaConsumer, "offsets_for_times")
    def offsets(original, self, *args):
        found = original(self, *args)
        return {tp: at and at._replace(offset=at.offset + 1) for tp, at in found.items()}


# Commits


@mutation
def automatic_commit_on():
    """Automatic commit is on, where the program commits by hand; its interval of 5 s is never over here"""
    configure(KafkaConsumer, lambda settings: settings.update(enable_auto_commit=True))


@mutation
def automatic_commit_off():
    """Nothing is committed automatically, where that was asked for"""
    configure(KafkaConsumer, lambda settings: settings.update(enable_auto_commit=False))


@mutation
def automatic_commit_at_once():
    """Automatic commit commits in each poll, and not after its interval"""
    configure(KafkaConsumer, lambda settings: settings.update(auto_commit_interval_ms=0))


@mutation
def last_read_is_committed():
    """The offset of the last message is committed, and not the one after it"""

    @instead(SubscriptionState, "all_consumed_offsets")
    def consumed(original, self):
        offsets = original(self)
        return {tp: OffsetAndMetadata(max(0, at.offset - 1), "", -1) for tp, at in offsets.items()}


@mutation
def commit_swallowed():
    """commit() does nothing and says nothing"""

    @instead(KafkaConsumer, "commit")
    def commit(original, self, *args, **kwargs):
        pass


@mutation
def explicit_offsets_ignored():
    """commit(offsets) commits what was read, and not what it was told"""

    @instead(KafkaConsumer, "commit")
    def commit(original, self, offsets=None, **kwargs):
        original(self, None, **kwargs)


@mutation
def explicit_offsets_off_by_one():
    """commit(offsets) commits one more, as if it were told the last message and not the next"""

    @instead(KafkaConsumer, "commit")
    def commit(original, self, offsets=None, **kwargs):
        more = offsets and {tp: at._replace(offset=at.offset + 1) for tp, at in offsets.items()}
        original(self, more, **kwargs)


@mutation
def asynchronous_commit_pretended():
    """An asynchronous commit is confirmed and never sent"""

    @instead(KafkaConsumer, "commit_async")
    def commit(original, self, offsets=None, callback=None):
        callback(offsets, None)


@mutation
def asynchronous_commit_unconfirmed():
    """An asynchronous commit is sent, and its callback is never called"""

    @instead(KafkaConsumer, "commit_async")
    def commit(original, self, offsets=None, callback=None):
        original(self, offsets)


@mutation
def commits_forgotten():
    """A member that joins does not learn what its group committed"""

    @instead(ConsumerCoordinator, "fetch_committed_offsets_async")
    async def fetch(original, self, *args, **kwargs):
        return {}


@mutation
def commits_of_another_group():
    """Asked what a group committed, the broker tells of another"""
    first = []

    @instead(KafkaAdminClient, "list_group_offsets")
    def offsets(original, self, groups):
        [(group, partitions)] = groups.items()
        if partitions:
            first.append(group)
        asked = first[0] if partitions else group
        return {group: original(self, {asked: partitions})[asked]}


# Lag


@mutation
def lag_as_in_the_article():
    """Lag is the end less what was committed, and nothing committed counts as 0"""

    @instead(kafka_proof.lag.offsets, "lag")
    def lag(original, committed, start, end, reset):
        return end - (committed or 0), original(committed, start, end, reset)[1]


@mutation
def lag_without_commit_is_nothing():
    """A group that committed nothing has nothing left"""

    @instead(kafka_proof.lag.offsets, "lag")
    def lag(original, committed, *rest):
        return original(committed, *rest) if committed is not None else (0, "nothing committed")


# Groups


@mutation
def every_member_a_group_of_its_own():
    """Members that should share a group each have a separate one"""
    number = itertools.count()

    def change(settings):
        if settings.get("group_id"):
            settings["group_id"] += f"-{next(number)}"

    configure(KafkaConsumer, change)


@mutation
def two_groups_are_one():
    """Groups that should be independent are one"""

    def change(settings):
        if settings.get("group_id"):
            settings["group_id"] = re.sub(r"-\d$", "", settings["group_id"])

    configure(KafkaConsumer, change)


@mutation
def every_member_owns_everything():
    """A member takes all partitions, whatever it was assigned"""

    @instead(SubscriptionState, "assign_from_subscribed")
    def assign(original, self, assigned):
        return original(self, [TopicPartition(topic, number) for topic in self.subscription for number in (0, 1)])


@mutation
def every_member_gets_everything():
    """A member owns what it was assigned, and gets the messages of the others too"""
    inbox = {}  # a consumer: what the others got and it did not yet

    @instead(KafkaConsumer, "poll")
    def poll(original, self, *args, **kwargs):
        inbox.setdefault(self, [])
        found = original(self, *args, **kwargs)
        for other, waiting in inbox.items():
            if other is not self:
                waiting.append(found)
        everything = dict(found)
        while inbox[self]:
            everything |= inbox[self].pop()
        return everything


@mutation
def member_leaves_without_a_word():
    """A member that is closed does not tell its group"""

    @instead(BaseCoordinator, "maybe_leave_group_async")
    async def leave(original, self, *args, **kwargs):
        pass


@mutation
def group_never_stable():
    """A group is listed as empty, even with members"""

    @instead(KafkaAdminClient, "list_groups")
    def groups(original, self, *args, **kwargs):
        return [group | {"group_state": "Empty"} for group in original(self, *args, **kwargs)]


@mutation
def assignments_not_described():
    """A group is described without what its members own"""

    @instead(KafkaAdminClient, "describe_groups")
    def describe(original, self, *args, **kwargs):
        found = original(self, *args, **kwargs)
        for group in found.values():
            for member in group["members"]:
                member["member_assignment"] = {"assigned_partitions": []}
        return found


# The cluster


@mutation
def topic_settings_swallowed():
    """Settings of a topic are accepted and not kept"""

    @instead(KafkaAdminClient, "alter_configs")
    def alter(original, self, *args, **kwargs):
        pass


@mutation
def asking_makes_topics():
    """A topic that is only asked for is made"""
    configure(MetadataRequest, lambda fields: fields.update(allow_auto_topic_creation=True))


@mutation
def clock_in_the_past():
    """The broker's clock is an hour behind that of the client"""
    now = time.time
    time.time = lambda: now() + 3600


@mutation
def connecting_never_fails():
    """A client is made where no broker is, as if that could wait until it is used"""

    @instead(KafkaConnectionManager, "bootstrap")
    def bootstrap(original, self, *args, **kwargs):
        try:
            return original(self, *args, **kwargs)
        except KafkaError:
            return None


@mutation
def connecting_never_ends():
    """A client looks for a broker for ten minutes, whatever it was told"""

    @instead(KafkaConnectionManager, "bootstrap")
    def bootstrap(original, self, *args, **kwargs):
        return original(self, 600_000)

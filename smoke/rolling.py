"""May this broker stop, and is it back? What an operator asks before and after each broker, one at a time."""

import contextlib
import difflib
import time
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType
from kafka.errors import KafkaError
from kafka.protocol.admin import DescribeConfigsRequest
from kafka.protocol.metadata import MetadataRequest

from smoke.client import kafka_python
from smoke.ready import NotReadyError, identify

_PAUSE = 0.2  # seconds between two looks
_SAY_EVERY = 10  # seconds; what changes is said at once
_SILENT = 30  # seconds without any answer; less may be a broker that has much to do
_PREFERRED = 0  # election of the first replica; 1 would let one lead that is not in sync
_MINIMUM = "min.insync.replicas"
_BATCH = 200  # topics whose settings one request asks for

# Set by who moves partitions, for as long as that takes, and not by the inventory.
THROTTLES = {
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
}


class Partition(NamedTuple):
    """One partition as a broker sees it. `leader` is None where there is none."""

    topic: str
    number: int
    leader: int | None
    replicas: list
    in_sync: list
    min_in_sync: int

    def __str__(self):
        return f"{self.topic}-{self.number}"


def obstacles(partitions, broker, silent=False):
    """Why the cluster cannot do without this broker now: a list of messages, empty if it may stop.

    What the broker itself explains is none, nor is a partition that can never spare a replica (as many replicas as
    must be in sync): nobody can do better. If it is `silent`, which is that it does not answer, it also explains what
    waits for it alone: a partition of which no other replica is in sync.
    """
    found = []
    for item in partitions:
        if silent and set(item.in_sync) <= {broker} <= set(item.replicas):
            continue
        missing = sorted(set(item.replicas) - set(item.in_sync) - {broker})
        if item.leader is None and set(item.replicas) != {broker}:
            found.append(f"{item} is offline, its replicas are on {sorted(item.replicas)}")
        elif missing:
            found.append(f"{item} is under-replicated, not in sync: {missing}")
        elif (
            broker in item.in_sync
            and len(item.replicas) > item.min_in_sync
            and len(item.in_sync) - 1 < item.min_in_sync
        ):
            found.append(f"{item} has {len(item.in_sync)} in-sync replicas, and min.insync.replicas {item.min_in_sync}")
    return found


def behind(partitions, broker):
    """Partitions that have a replica on this broker which is not in sync."""
    return [item for item in partitions if broker in item.replicas and broker not in item.in_sync]


def dynamic_changes(wanted, now):
    """What makes a broker's dynamic settings the wanted ones: {key: value, or None to reset it}.

    wanted: {key: text}; now: {key: text} of those that are set for this broker alone. Throttles are let be.
    """
    changes = {key: value for key, value in wanted.items() if now.get(key) != value}
    return changes | dict.fromkeys(sorted(now.keys() - wanted.keys() - THROTTLES))


@contextlib.contextmanager
def admin_client(client, seconds):
    """Connect as `client` (properties) says. Raises KafkaError, or smoke.client.ClientPropertiesError."""
    with KafkaAdminClient(
        **kafka_python(client),
        bootstrap_timeout_ms=max(1, int(seconds * 1000)),
        reconnect_backoff_max_ms=200,
        request_timeout_ms=5000,
    ) as admin:
        yield admin


class View(NamedTuple):
    """What one broker says of the cluster: {id: address} of those that are registered, and the list of Partitions."""

    registered: dict
    partitions: list


def look(admin):
    """Return what each broker that answers says, {id: View}. Raises KafkaError if none does.

    All are asked, because one that has lost ZooKeeper and still answers goes on saying that all is well.
    """
    views, reasons = {}, []
    for broker in sorted(node.node_id for node in admin._manager.cluster.brokers()):
        try:
            views[broker] = _view(*admin._manager.run(_ask, admin, broker))
        except KafkaError as error:
            reasons.append(error)
    if not views:
        raise reasons[0] if reasons else KafkaError("no broker is registered")
    return views


async def _ask(admin, broker):
    """A broker's metadata, and {topic: min.insync.replicas}. KafkaAdminClient itself asks whichever broker it likes."""
    request = MetadataRequest(topics=None, allow_auto_topic_creation=False)
    metadata = (await admin._manager.send(request, node_id=broker)).to_dict()
    names, minimum = [topic["name"] for topic in metadata["topics"]], {}
    for start in range(0, len(names), _BATCH):
        resources = [(ConfigResourceType.TOPIC, name, [_MINIMUM]) for name in names[start : start + _BATCH]]
        answer = await admin._manager.send(DescribeConfigsRequest(resources=resources), node_id=broker)
        minimum |= {topic.resource_name: int(topic.configs[0].value) for topic in answer.results if topic.configs}
    return metadata, minimum


def _view(metadata, minimum):
    partitions = [
        Partition(
            topic["name"],
            partition["partition_index"],
            partition["leader_id"] if partition["leader_id"] >= 0 else None,
            partition["replica_nodes"],
            partition["isr_nodes"],
            # A topic that is just made or deleted does not tell: then no more than one of its replicas is to be missed.
            minimum.get(topic["name"]) or max(1, len(partition["replica_nodes"]) - 1),
        )
        for topic in metadata["topics"]
        for partition in topic["partitions"]
    ]
    return View({item["node_id"]: f"{item['host']}:{item['port']}" for item in metadata["brokers"]}, partitions)


def _all(views, what):
    """What holds of the partitions in any view: what(partitions) is a list."""
    return list({str(item): item for view in views.values() for item in what(view.partitions)}.values())


def settings_of(admin, brokers):
    """What each broker says of its settings: {id: {key: {"value", "read_only", "config_source", …}}}."""
    resources = [ConfigResource(ConfigResourceType.BROKER, str(broker)) for broker in brokers]
    found = admin.describe_configs(resources, config_filter="all")["broker"] if resources else {}
    return {int(broker): settings for broker, settings in found.items()}


def misspelt(names, settings):
    """Which of `names` are settings of brokers with a slip: a list of messages. Kafka takes any name, and says nothing.

    settings: {key: {"config_type", …}}, what a broker says of its own. A name that is like none of Kafka's is let be:
    it may be a plug-in's.
    """
    known = [key for key, setting in settings.items() if setting["config_type"] != "UNKNOWN"]
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.85) for name in sorted(set(names) - set(known))}
    return [
        f"Kafka has no setting {name}, and ignores it. Did you mean {like[0]}?" for name, like in near.items() if like
    ]


def set_dynamic(admin, changes, validate_only=False):
    """Change brokers' dynamic settings: {id: {key: value or None}}. Returns what the brokers refuse, {id: message}."""
    refused = {}
    for broker, wanted in changes.items():
        operations = {
            key: (AlterConfigOp.DELETE if value is None else AlterConfigOp.SET, value) for key, value in wanted.items()
        }
        resource = ConfigResource(ConfigResourceType.BROKER, str(broker), operations)
        answer = admin.alter_configs([resource], validate_only=validate_only, raise_on_unknown=False)
        said = answer["broker"][str(broker)]
        if said != "OK":
            refused[broker] = said
    return refused


def answers(admin, broker, address):
    """Whether this broker answers as itself at `address`, at which it is registered; None if it is not."""
    if address is None:
        return False
    try:
        identify(admin, broker, address)
    except NotReadyError:
        return False
    return True


def wait_can_stop(client, broker, seconds, say):
    """Wait until the cluster can do without this broker. Raises NotReadyError after `seconds`, with what was last seen.

    say(text) is told what is waited for, whenever that changes.
    """

    spoke = time.monotonic()

    def check(admin):
        nonlocal spoke
        views = look(admin)
        address = next((view.registered[broker] for view in views.values() if broker in view.registered), None)
        if broker in views or answers(admin, broker, address):
            spoke = time.monotonic()
        silent = time.monotonic() - spoke > _SILENT
        if found := _all(views, lambda partitions: obstacles(partitions, broker, silent)):
            raise NotReadyError(f"broker {broker} may not stop yet; {_few(found)}")

    _wait(client, seconds, say, check)


def wait_back(client, broker, start_seconds, seconds, say):
    """Wait until this broker is registered, answers at its advertised address, and is in sync everywhere.

    The first two have to be so after `start_seconds`, all after `seconds`. Else as `wait_can_stop`.
    """

    def is_there(admin):
        views = look(admin)
        for view in views.values():
            if broker not in view.registered:
                raise NotReadyError(f"broker {broker} is not registered, of those there are {sorted(view.registered)}")
        identify(admin, broker, view.registered[broker])
        return views

    def in_sync(admin):
        if late := _all(is_there(admin), lambda partitions: behind(partitions, broker)):
            raise NotReadyError(f"broker {broker} catches up, partitions left: {len(late)}; {_few(late)}")

    _wait(client, start_seconds, say, is_there)
    _wait(client, seconds, say, in_sync)


def elect_preferred_leaders(client, seconds=30):
    """Give each partition back to its first replica. Returns how many moved. Raises KafkaError."""
    with admin_client(client, seconds) as admin:
        moved = {
            (item.topic, item.number)
            for item in _all(look(admin), list)
            if item.leader != item.replicas[0] and item.replicas[0] in item.in_sync
        }
        if not moved:
            return 0
        topics = {}
        for topic, number in sorted(moved):
            topics.setdefault(topic, []).append(number)
        # A topic that was deleted meanwhile has no leader to give back.
        admin.elect_leaders(_PREFERRED, topics, timeout_ms=int(seconds * 1000), raise_errors=False)
        return len(moved)


def _wait(client, seconds, say, check):
    deadline, seen, said_at = time.monotonic() + seconds, "", 0
    while True:
        try:
            # A new connection for each look: an old one goes on with the brokers that it knew.
            with admin_client(client, max(2, deadline - time.monotonic())) as admin:
                return check(admin)
        except NotReadyError as error:
            now = str(error)
        except KafkaError as error:
            now = f"the cluster does not answer: {error}"
        quiet = time.monotonic() - said_at
        if quiet >= _SAY_EVERY or (now != seen and quiet >= 1):
            say(now)
            said_at = time.monotonic()
        seen = now
        if time.monotonic() >= deadline:
            raise NotReadyError(f"waited {seconds} s; last seen: {seen}")
        time.sleep(_PAUSE)


def _few(items, most=3):
    shown = ", ".join(map(str, items[:most]))
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown

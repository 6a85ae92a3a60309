"""The throttle of replication: a limit for the copying, so that clients keep their share of the network."""

from collections import defaultdict

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from kafka_proof.cluster.settings import alter
from kafka_proof.operations.reassign import observe

_RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")
LISTS = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")


class Throttle:
    """The throttle of one run: set it, and remove it with every other throttle of replication."""

    def __init__(self, admin):
        self.admin = admin
        self.brokers = set()  # ids of brokers that this run slowed down
        self.resources = {}  # settings of this run, {(ConfigResourceType, name): {key: value}}

    def set(self, rate, adding):
        """Limit the copying to `rate` bytes/s for each broker; `adding`: {TopicPartition: [brokers that get it]}."""
        described = observe.topics(self.admin)
        lists = defaultdict(lambda: ([], []))
        for tp, brokers in adding.items():
            leaders, followers = lists[tp.topic]
            # Each of the old replicas can lead during the move.
            old = [broker for broker in described[tp]["replica_nodes"] if broker not in brokers]
            leaders += [f"{tp.partition}:{broker}" for broker in old]
            followers += [f"{tp.partition}:{broker}" for broker in brokers]
        rates = dict.fromkeys(_RATES, str(rate))
        self.brokers = set(observe.registered(self.admin))
        self.resources = {(ConfigResourceType.BROKER, str(broker)): rates for broker in sorted(self.brokers)}
        for topic, both in lists.items():
            self.resources[ConfigResourceType.TOPIC, topic] = dict(zip(LISTS, map(",".join, both), strict=True))
        self._alter(self.resources)

    def remove(self):
        """Remove every throttle of replication: no other move runs beside this one."""
        # A broker reports a setting a moment later, so remove this run's own also where no broker reports them yet.
        gone = self.brokers - observe.registered(self.admin).keys()
        silent = {(ConfigResourceType.BROKER, str(broker)) for broker in gone}
        own = {resource: keys for resource, keys in self.resources.items() if resource not in silent}
        if left := throttles(self.admin) | own:
            self._alter({resource: dict.fromkeys(keys) for resource, keys in left.items()})

    def _alter(self, changes):
        problems = [
            f"{kind} {name}: {said}"
            for (kind, name), said in sorted(alter(self.admin, changes).items())
            if "UnknownTopicOrPartition" not in said
        ]
        if problems:
            raise KafkaError("; ".join(problems))


def is_unfinished(admin, names=None):
    """Return whether replicas of these topics move, or a throttle of theirs is left. Without names, of any topic."""
    moving = {tp.topic for tp in admin.list_partition_reassignments()}
    slowed = {name for kind, name in throttles(admin) if kind is ConfigResourceType.TOPIC or names is None}
    return bool(moving | slowed if names is None else (moving | slowed).intersection(names))


def throttles(admin):
    """Return {(ConfigResourceType, name): [keys]} of all brokers and topics with a throttle of replication."""
    topics = sorted({topic["name"] for topic in admin.describe_topics()})
    resources = [
        *(
            ConfigResource(ConfigResourceType.BROKER, str(broker), _RATES)
            for broker in sorted(observe.registered(admin))
        ),
        *(ConfigResource(ConfigResourceType.TOPIC, topic, LISTS) for topic in topics),
    ]
    found = {}
    for kind, answer in admin.describe_configs(resources).items():
        for name, settings in answer.items():
            if keys := [key for key, item in settings.items() if item["config_source"].startswith("DYNAMIC_")]:
                found[ConfigResourceType[kind.upper()], name] = keys
    return found

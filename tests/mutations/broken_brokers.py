"""Brokers that are deployed wrongly, one way each: containers of the project's image, on separate ports.

Each function below the class deploys one, returns the address for the suite, and says in its docstring what is wrong.
"""

import uuid

from kafka_proof.client.wait import wait_until
from tests.support import engine
from tests.support.brokers import Listener, admin, wait_registered

PREFIX = "kp-mutations"  # every container and the network begin with it
HEALTHY, FIRST, SECOND = 29493, 29494, 29495  # ports on this machine
DEMO = (("kafka_demo", 2),)  # the topic of site.yml: its name and the number of its partitions
DEPLOYMENTS = {}


def deployment(function):
    DEPLOYMENTS[function.__name__] = function
    return function


class Clusters:
    """Clusters of one broker or two, of `containers` (tests.support.brokers.Brokers), which share its ZooKeeper.

    Broker and container are named after the port of the broker on this machine.
    """

    def __init__(self, containers):
        self.containers = containers

    def start(self, port=FIRST, *, broker=1, cluster="", advertised="", topics=DEMO, tmpfs=None, **settings):  # noqa: PLR0913
        """Start a broker, with its settings in `settings` (_ for each dot), and make its topics; return its address.

        `cluster`: a name that the brokers of one cluster share; `topics`: pairs of a name and the number of partitions;
        `tmpfs`: as in Docker's SDK.
        """
        listeners = {
            "INSIDE": Listener(),
            "OUTSIDE": Listener(port, advertised=advertised),
            # The listener TRUTH is for this file: it leads to the broker whatever the broker tells the suite.
            "TRUTH": Listener(port + 100),
        }
        settings = {key.replace("_", "."): value for key, value in settings.items()}
        chroot = f"/{cluster or uuid.uuid4().hex}"
        self.containers.start_broker(str(port), broker, listeners, settings, chroot=chroot, tmpfs=tmpfs)
        self.wait_for(broker, port)
        for topic, partitions in topics:
            self.make_topic(port, topic, {"num_partitions": partitions})
        return f"localhost:{port}"

    def wait_for(self, broker, port):
        """Wait until the broker is in the metadata of the one at `port`."""
        wait_registered(_truth(port), [broker])

    def make_topic(self, port, topic, settings):
        with admin(_truth(port)) as client:
            client.create_topics({topic: settings}, wait_for_metadata=True)

    def wait_for_in_sync(self, port, topic, brokers):
        """Wait until exactly these brokers are in sync in each partition."""

        def look():
            with admin(_truth(port)) as client:
                [found] = client.describe_topics([topic])
            return [sorted(partition["isr_nodes"]) for partition in found["partitions"]]

        wait_until(
            f"{topic} in sync on {brokers}", look, lambda seen: seen and set(map(tuple, seen)) == {tuple(brokers)}
        )

    def stop(self, name):
        self.containers[name].stop()

    def pause(self, name):
        self.containers[name].pause()

    def put_right(self):
        """Remove all brokers but the healthy one, and let ZooKeeper continue."""
        zookeeper = self.containers["zookeeper"]
        if zookeeper.status == "paused":
            zookeeper.unpause()
        engine.remove(name=f"^{PREFIX}-({FIRST}|{SECOND})$")


def _truth(port):
    return f"localhost:{port + 100}"


# Faults of the topic


@deployment
def one_partition(brokers):
    """kafka_demo was made with one partition"""
    return brokers.start(topics=[("kafka_demo", 1)])


@deployment
def no_volume(brokers):
    """The broker and ZooKeeper were recreated without their volumes, and kafka_demo is gone"""
    brokers.start()
    brokers.put_right()
    return brokers.start(topics=())


@deployment
def leader_lost(brokers):
    """The broker that leads a partition of kafka_demo is gone, and another has no replica"""
    address = brokers.start(cluster="lost", topics=())
    brokers.start(SECOND, broker=2, cluster="lost", topics=())
    brokers.wait_for(2, FIRST)
    brokers.make_topic(FIRST, "kafka_demo", {"assignments": {0: [1], 1: [2]}})
    brokers.stop(SECOND)
    return address


@deployment
def replica_lost(brokers):
    """One of the two brokers is gone, and no message is on more than one"""
    address = brokers.start(cluster="halved", topics=())
    brokers.start(SECOND, broker=2, cluster="halved", topics=())
    brokers.wait_for(2, FIRST)
    brokers.make_topic(FIRST, "kafka_demo", {"assignments": {0: [1, 2], 1: [1, 2]}})
    brokers.wait_for_in_sync(FIRST, "kafka_demo", [1, 2])
    brokers.stop(SECOND)
    brokers.wait_for_in_sync(FIRST, "kafka_demo", [1])
    return address


# Addresses that clients are told


@deployment
def another_broker_advertised(brokers):
    """The address that the broker advertises is that of another cluster's broker"""
    brokers.start(SECOND, broker=2)
    return brokers.start(advertised=f"localhost:{SECOND}")


@deployment
def one_wrong_address(brokers):
    """One of two brokers advertises an address where no broker is"""
    address = brokers.start(cluster="wrong", topics=())
    brokers.start(SECOND, broker=2, cluster="wrong", advertised="localhost:1", topics=())
    brokers.wait_for(2, FIRST)
    return address


@deployment
def wrong_address(brokers):
    """The only broker advertises an address where no broker is"""
    return brokers.start(advertised="localhost:1")


# Requests that the broker refuses


@deployment
def no_offsets_topic(brokers):
    """__consumer_offsets must have three replicas, and there is one broker"""
    return brokers.start(offsets_topic_replication_factor=3)


@deployment
def no_transaction_log(brokers):
    """__transaction_state must have three replicas, and there is one broker"""
    return brokers.start(transaction_state_log_replication_factor=3)


@deployment
def groups_of_two(brokers):
    """The broker allows two members in a group"""
    return brokers.start(group_max_size=2)


@deployment
def groups_of_one(brokers):
    """The broker allows one member in a group"""
    return brokers.start(group_max_size=1)


@deployment
def long_sessions(brokers):
    """The broker does not replace a member that died in less than 30 s"""
    return brokers.start(group_min_session_timeout_ms=30_000)


@deployment
def small_messages(brokers):
    """The broker takes no message of more than 100 bytes"""
    return brokers.start(message_max_bytes=100)


@deployment
def no_native_codecs(brokers):
    """/tmp is mounted noexec, so that the broker cannot load its libraries for snappy and zstd"""
    return brokers.start(tmpfs={"/tmp": "noexec,mode=1777"})


@deployment
def short_retention(brokers):
    """Messages are deleted after a millisecond"""
    return brokers.start(
        log_retention_ms=1,
        log_retention_check_interval_ms=1,
        log_initial_task_delay_ms=0,
        log_segment_delete_delay_ms=0,
    )


# Servers that do not answer


@deployment
def frozen_broker(brokers):
    """The broker's process is stopped, while its port is open"""
    address = brokers.start()
    brokers.pause(FIRST)
    return address


@deployment
def frozen_zookeeper(brokers):
    """ZooKeeper's process is stopped, so that topics cannot be made"""
    address = brokers.start()
    brokers.pause("zookeeper")
    return address


# Deployments that are unusual and right


@deployment
def too_many_replicas_needed(brokers):
    """min.insync.replicas is 2, and there is one broker"""
    return brokers.start(min_insync_replicas=2)


@deployment
def stamped_by_the_broker(brokers):
    """The broker stamps messages itself"""
    return brokers.start(log_message_timestamp_type="LogAppendTime")


@deployment
def as_kafka_has_it(brokers):
    """A broker with Kafka's own settings, which waits for members, and makes no topic by itself"""
    return brokers.start(
        auto_create_topics_enable="false", group_initial_rebalance_delay_ms=3000, offsets_topic_num_partitions=50
    )

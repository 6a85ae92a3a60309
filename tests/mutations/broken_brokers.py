"""Brokers that are deployed wrongly, one way each: containers of the project's image, on ports of their own.

Each function below the class deploys one, returns the address for the suite, and says in its docstring what is wrong.
"""

import uuid

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kafka_proof.client.wait import wait_until
from tests.support.docker import SETTINGS, docker, run

PREFIX = "kp-mutations"  # every container and the network begin with it
HEALTHY, FIRST, SECOND = 29593, 29594, 29595  # ports on this machine
SECONDS = 60
DEMO = (("kafka_demo", 2),)  # the topic of site.yml: its name and the number of its partitions
DEPLOYMENTS = {}


def deployment(function):
    DEPLOYMENTS[function.__name__] = function
    return function


class Brokers:
    """Clusters of one broker or two, which share the ZooKeeper of tests.docker."""

    def start(self, port=FIRST, *, broker=1, cluster="", advertised=None, options=(), topics=DEMO, **more):  # noqa: PLR0913
        """Start a broker, with its settings in `more` (_ for each dot), and make its topics; return its address.

        `cluster`: a name that the brokers of one cluster share; `topics`: pairs of a name and the number of partitions.
        """
        address = f"localhost:{port}"
        settings = SETTINGS | {
            "broker.id": broker,
            "zookeeper.connect": f"{PREFIX}-zookeeper:2181/{cluster or uuid.uuid4().hex}",
            "log.dirs": "/tmp/data",
            "listeners": f"OUTSIDE://0.0.0.0:{port},INSIDE://0.0.0.0:19092,TRUTH://0.0.0.0:19093",
            # The listener TRUTH is for this file: it leads to the broker whatever the broker tells the suite.
            "advertised.listeners": f"OUTSIDE://{advertised or address},INSIDE://{PREFIX}-{port}:19092,"
            f"TRUTH://localhost:{port + 100}",
            "listener.security.protocol.map": "OUTSIDE:PLAINTEXT,INSIDE:PLAINTEXT,TRUTH:PLAINTEXT",
            "inter.broker.listener.name": "INSIDE",
        }
        settings |= {key.replace("_", "."): value for key, value in more.items()}
        publish = ("--publish", f"127.0.0.1:{port}:{port}", "--publish", f"127.0.0.1:{port + 100}:19093")
        run(PREFIX, f"{PREFIX}-{port}", "exec kafka-server-start.sh /tmp/p", settings, *publish, *options)
        self.wait_for(broker, port)
        for topic, partitions in topics:
            self.make_topic(port, topic, {"num_partitions": partitions})
        return address

    def wait_for(self, broker, port):
        """Wait until the broker is in the metadata of the one at `port`."""

        def look():
            # A client anew for each look: Docker opens the port early, and a client that was cut off there gives up.
            try:
                with self._admin(port) as admin:
                    return [each["broker_id"] for each in admin.describe_cluster()["brokers"]]
            except KafkaError as error:
                return [error]

        wait_until(f"broker {broker} at {port}", look, lambda seen: broker in seen, SECONDS)

    def make_topic(self, port, topic, settings):
        with self._admin(port) as admin:
            admin.create_topics({topic: settings}, wait_for_metadata=True)

    def wait_for_in_sync(self, port, topic, brokers):
        """Wait until exactly these brokers are in sync in each partition."""

        def look():
            with self._admin(port) as admin:
                [found] = admin.describe_topics([topic])
            return [sorted(partition["isr_nodes"]) for partition in found["partitions"]]

        wait_until(
            f"{topic} in sync on {brokers}", look, lambda seen: seen and set(map(tuple, seen)) == {tuple(brokers)}
        )

    def stop(self, port):
        docker("stop", f"{PREFIX}-{port}")

    def pause(self, name):
        docker("pause", f"{PREFIX}-{name}")

    def put_right(self):
        """Remove all brokers but the healthy one, and let ZooKeeper go on."""
        docker("unpause", f"{PREFIX}-zookeeper", check=False)
        docker("rm", "--force", "--volumes", f"{PREFIX}-{FIRST}", f"{PREFIX}-{SECOND}", check=False)

    def _admin(self, port):
        address = f"localhost:{port + 100}"
        return KafkaAdminClient(bootstrap_servers=[address], bootstrap_timeout_ms=10_000, reconnect_backoff_max_ms=100)


# What is wrong with the topic


@deployment
def one_partition(brokers):
    """kafka_demo was made with one partition"""
    return brokers.start(topics=[("kafka_demo", 1)])


@deployment
def no_volume(brokers):
    """The broker and ZooKeeper were made anew without their volumes, and kafka_demo is gone"""
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


# What clients are told


@deployment
def another_broker_advertised(brokers):
    """The address that the broker advertises is that of another cluster's broker"""
    brokers.start(SECOND, broker=2)
    return brokers.start(advertised=f"localhost:{SECOND}")


@deployment
def one_wrong_address(brokers):
    """One of two brokers advertises an address where nobody is"""
    address = brokers.start(cluster="wrong", topics=())
    brokers.start(SECOND, broker=2, cluster="wrong", advertised="localhost:1", topics=())
    brokers.wait_for(2, FIRST)
    return address


@deployment
def wrong_address(brokers):
    """The only broker advertises an address where nobody is"""
    return brokers.start(advertised="localhost:1")


# What the broker refuses


@deployment
def no_offsets_topic(brokers):
    """__consumer_offsets is to have three replicas, and there is one broker"""
    return brokers.start(offsets_topic_replication_factor=3)


@deployment
def no_transaction_log(brokers):
    """__transaction_state is to have three replicas, and there is one broker"""
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
    return brokers.start(options=["--tmpfs", "/tmp:noexec,mode=1777"])


@deployment
def short_retention(brokers):
    """Messages are deleted after a millisecond"""
    return brokers.start(
        log_retention_ms=1,
        log_retention_check_interval_ms=1,
        log_initial_task_delay_ms=0,
        log_segment_delete_delay_ms=0,
    )


# What does not answer


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


# What is unusual and right


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

"""Profiles: settings and JVM options for a purpose. `kafka_profile` selects one; `kafka_config` overrides it."""

from collections.abc import Mapping
from typing import NamedTuple

# The collector and the compiler of a small JVM that has to start fast.
SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class Profile(NamedTuple):
    heap: str
    jvm_options: str
    settings: Mapping[str, object]
    beside_heap: int  # MiB of the container's memory for code, threads, buffers, and the page cache of the data


# {whether with ZooKeeper: settings}. A killed broker returns after its session: Kafka's own last 18000 ms and 9000 ms.
_OF_MODE = {
    True: {
        "controlled.shutdown.retry.backoff.ms": 200,  # 5000: stop of a broker just started, 5.3 s against 0.5 s
        "zookeeper.session.timeout.ms": 6000,
    },
    False: {"broker.session.timeout.ms": 6000},
}


def profile(name: str, brokers: int, with_zookeeper: bool = False) -> Profile:
    """Return the profile `development` or `production` for a cluster of `brokers`.

    Development: one broker cannot keep two replicas, and a laptop should not wait for a group of one.
    """
    replicas = 1 if name == "development" else min(brokers, 3)
    in_sync = max(replicas - 1, 1)
    share = {
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
    }
    if name == "development":
        return Profile(
            heap="256m",
            jvm_options=SMALL_JVM,
            settings={
                "group.initial.rebalance.delay.ms": 0,  # 3000: first message of a group after 3.5 s against 0.6 s
                "log.cleaner.dedupe.buffer.size": 16777216,  # 128 MiB of a heap of 256
                "offsets.topic.num.partitions": 1,  # 50: the first group waits until all of them exist
                "offsets.topic.replication.factor": 1,
                "transaction.state.log.min.isr": 1,
                "transaction.state.log.num.partitions": 1,
                "transaction.state.log.replication.factor": 1,
                **_OF_MODE[with_zookeeper],
                **({} if with_zookeeper else share | {"share.coordinator.state.topic.num.partitions": 1}),
            },
            beside_heap=1024,
        )
    return Profile(
        heap="1g",
        jvm_options="-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
        "-XX:+ExplicitGCInvokesConcurrent",
        settings={
            "auto.create.topics.enable": False,
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.replication.factor": replicas,
            **({} if with_zookeeper else share),
        },
        beside_heap=4096,
    )

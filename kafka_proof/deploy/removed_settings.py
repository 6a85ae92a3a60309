"""Settings that Kafka removed, and what replaces them.

A broker ignores an unknown setting in silence, because it may be that of a plugin. It refuses an unknown setting of a
topic. tests/versions/test_removed_settings.py compares the tables with the jars of each line.
"""

import re
from collections.abc import Mapping

from kafka_proof.deploy.lines import numbers

_REMOVE = "Remove it."

# {setting of a broker: (first line of Kafka without it, what to do)}
BROKER = {
    "advertised.host.name": ("3.0", "Set kafka_advertised_host instead."),
    "advertised.port": ("3.0", "Set kafka_advertised_port instead."),
    "host.name": ("3.0", "Set kafka_bind_address instead."),
    "port": ("3.0", "Set kafka_port instead."),
    "quota.consumer.default": ("3.0", "Set a default quota with kafka-configs.sh instead."),
    "quota.producer.default": ("3.0", "Set a default quota with kafka-configs.sh instead."),
    "zookeeper.sync.time.ms": ("3.0", _REMOVE),
    "unstable.metadata.versions.enable": ("3.8", "Set unstable.feature.versions.enable instead."),
    "alter.config.policy.kraft.compatibility.enable": ("4.0", _REMOVE),
    "auto.include.jmx.reporter": ("4.0", "Set metric.reporters instead."),
    "delegation.token.master.key": ("4.0", "Set delegation.token.secret.key instead."),
    "eligible.leader.replicas.enable": ("4.0", "The feature eligible.leader.replicas.version replaces it: remove it."),
    "log.message.downconversion.enable": ("4.0", _REMOVE),
    "log.message.format.version": ("4.0", _REMOVE),
    "log.message.timestamp.difference.max.ms": (
        "4.0",
        "Set log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms instead.",
    ),
    "offsets.commit.required.acks": ("4.0", _REMOVE),
    "group.coordinator.new.enable": ("4.1", _REMOVE),
    "group.share.max.groups": ("4.1", _REMOVE),
    "metadata.log.segment.min.bytes": ("4.1", _REMOVE),
    "share.fetch.max.fetch.records": ("4.1", _REMOVE),
    "group.share.enable": ("4.3", "The feature share.version replaces it: remove it."),
    "internal.metadata.max.fetch.size.in.bytes": ("4.3", _REMOVE),
}
TOPIC = {
    "message.downconversion.enable": ("4.0", _REMOVE),
    "message.format.version": ("4.0", _REMOVE),
    "message.timestamp.difference.max.ms": (
        "4.0",
        "Set message.timestamp.before.max.ms and message.timestamp.after.max.ms instead.",
    ),
}
# Settings that only a broker with ZooKeeper reads, in every version. Kafka 4.0 removed all of them.
ZOOKEEPER_MODE = re.compile(
    r"zookeeper\..*|password\.encoder\..*|broker\.id\.generation\.enable|control\.plane\.listener\.name"
    r"|controlled\.shutdown\.(max\.retries|retry\.backoff\.ms)|inter\.broker\.protocol\.version"
    r"|leader\.imbalance\.per\.broker\.percentage|reserved\.broker\.max\.id"
)


def removal(name: str, version: str, removed: Mapping[str, tuple[str, str]]) -> str:
    """Return the end of a message on a setting that Kafka `version`, such as "4.1.1", has no more; else "".

    removed: BROKER or TOPIC.
    """
    line, advice = removed.get(name, ("", ""))
    return f"which Kafka {line} removed. {advice}" if line and numbers(version) >= numbers(line) else ""

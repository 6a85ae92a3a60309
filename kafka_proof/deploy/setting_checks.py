"""Preflight checks of kafka_config and zookeeper_config: settings that Kafka would ignore, refuse or never satisfy.

Every function returns messages without the host. A value that only Kafka can judge is left to the broker, see
kafka_proof.operations.rolling_plan.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kafka_proof.client.text import number
from kafka_proof.deploy.removed_settings import BROKER, ZOOKEEPER_MODE, removal

# Settings that the role derives, and the variable to set instead.
_OWNERS = {
    "broker.id": "kafka_broker_id",
    "zookeeper.connect": "kafka_zookeeper_connect",
    "log.dir": "stack_name, from which the name of the data's volume follows",
    "log.dirs": "stack_name, from which the name of the data's volume follows",
    "node.id": "kafka_broker_id",
    **dict.fromkeys(("process.roles", "controller.quorum.voters"), "the groups of the inventory"),
    **dict.fromkeys(
        ("controller.listener.names", "controller.quorum.bootstrap.servers"), "the groups and kafka_controller_port"
    ),
}
_OWNERS_OF_CONTROLLERS = _OWNERS | {
    "node.id": "kafka_controller_id",
    **dict.fromkeys(("listeners", "advertised.listeners"), "kafka_controller_port and stack_address"),
    "listener.security.protocol.map": "kafka_security",
}
_JOINS = "controller.quorum.auto.join.enable"
_KRAFT = ("process.roles", "node.id", "controller.listener.names", "controller.quorum.")
_OF_SECURITY = re.compile(r"listener\.name\.|authorizer\.|super\.users|allow\.everyone|zookeeper\.(ssl|set|clientCnxn)")
_COPIES = re.compile(r".*\.replication\.factor|.*\.min\.isr|min\.insync\.replicas")
_ENVIRONMENT = re.compile(r"KAFKA_(?:CFG_)?([A-Z0-9_]+)")


def broker_setting_problems(
    config: Mapping[str, Any], computed: Mapping[str, Any], brokers: int, kraft: bool, version: str
) -> Iterator[str]:
    """Yield what in kafka_config cannot work.

    computed: settings that the role derives; brokers: how many the inventory has; kraft: whether the broker runs
    without ZooKeeper; version: its Kafka, such as "3.9.2".
    """
    yield from _values(config, "kafka_config")
    for key in sorted(config):
        if unknown := _unknown(key, version):
            yield f"kafka_config sets {key}, {unknown}"
        elif kraft and ZOOKEEPER_MODE.fullmatch(key):
            yield f"kafka_config sets {key}, a setting of ZooKeeper mode, and the stack runs KRaft. Remove it."
        elif key.startswith(_KRAFT) and not kraft:
            yield (
                f"kafka_config sets {key}, a setting of KRaft, and the group zookeeper of the inventory selects "
                "ZooKeeper. Remove it."
            )
        elif key in computed or key in _OWNERS:
            owner = _OWNERS.get(key) or ("kafka_security" if _OF_SECURITY.match(key) else "kafka_listeners")
            yield f"kafka_config sets {key}, which is derived from {owner}. Set that instead."
        elif key == _JOINS:
            yield _joins("kafka_config")
        elif _COPIES.fullmatch(key) and (copies := number(config[key])) > brokers:
            yield (
                f"kafka_config sets {key} to {copies}, and the inventory has {brokers} broker(s). "
                "Lower it, or add hosts to the group kafka."
            )


def controller_setting_problems(config: Mapping[str, Any], computed: Mapping[str, Any], version: str) -> Iterator[str]:
    """Yield what in kafka_controller_config cannot work. The arguments are those of `broker_setting_problems`."""
    yield from _values(config, "kafka_controller_config")
    for key in sorted(config):
        if unknown := _unknown(key, version):
            yield f"kafka_controller_config sets {key}, {unknown}"
        elif ZOOKEEPER_MODE.fullmatch(key):
            yield f"kafka_controller_config sets {key}, a setting of ZooKeeper mode. Remove it."
        elif key in computed or key in _OWNERS_OF_CONTROLLERS:
            owner = "kafka_security" if _OF_SECURITY.match(key) else "kafka_controller_port"
            owner = _OWNERS_OF_CONTROLLERS.get(key, owner)
            yield f"kafka_controller_config sets {key}, which is derived from {owner}. Set that instead."
        elif key == _JOINS:
            yield _joins("kafka_controller_config")


def server_setting_problems(config: Mapping[str, Any], computed: Mapping[str, Any], volume: str) -> Iterator[str]:
    """Yield what in zookeeper_config cannot work. `volume`: where the data is."""
    yield from _values(config, "zookeeper_config")
    if own := sorted(key for key in config if key in computed or key.startswith("server.")):
        yield (
            f"zookeeper_config sets {', '.join(own)}, which this role derives. Set zookeeper_port for the port of "
            f"clients. The data is in the volume {volume}; the servers are the hosts of the group zookeeper."
        )


def _unknown(key: str, version: str) -> str:
    """Return the end of a message on a name that Kafka ignores; "" for others."""
    if found := _ENVIRONMENT.fullmatch(key):
        setting = found[1].lower().replace("_", ".")
        return f"a name of the environment variables of other images, which Kafka ignores. Write {setting}."
    return removal(key, version, BROKER)


def _joins(variable: str) -> str:
    """A controller that joins by itself would be a voter again between its removal and its stop, and then be missed."""
    return (
        f"{variable} sets {_JOINS}: a controller that playbooks/decommission.yml removes would join again before it "
        "stops. Remove it; site.yml adds controllers."
    )


def _values(config: Mapping[str, Any], variable: str) -> Iterator[str]:
    """Lists are joined by commas, as Kafka writes them; a mapping has no such form."""
    for key, value in sorted(config.items()):
        if isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(each, dict | list) for each in value)
        ):
            yield f"{variable} sets {key} to a mapping. Write a text, a number, true, false, or a list of those."

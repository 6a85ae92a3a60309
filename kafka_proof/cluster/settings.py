"""Settings of brokers: current values, unknown names, and changes without a restart."""

import contextlib
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, for_code
from kafka.protocol.admin import IncrementalAlterConfigsRequest

from kafka_proof.client.raw import send
from kafka_proof.client.workarounds import describe_cluster

Resource = tuple[ConfigResourceType, str]  # the type, and the id of a broker or the name of a topic

# A move of replicas sets these while it runs. They are not part of a broker's own settings.
THROTTLES = {
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
}


def is_same(kind: str, one: str, other: str | None) -> bool:
    """Return whether Kafka takes two texts for the same value. `kind`: the type that a broker reports, such as LIST.

    Brokers write values anew: "1" of a DOUBLE comes back as "1.0", and "a, b" of a LIST as "a,b".
    """
    if one == other or other is None:
        return one == other
    if kind in ("INT", "SHORT", "LONG", "DOUBLE"):
        try:
            return float(one) == float(other) if kind == "DOUBLE" else int(one) == int(other)
        except ValueError:
            return False
    if kind == "LIST":
        return [part.strip() for part in one.split(",")] == [part.strip() for part in other.split(",")]
    return kind == "BOOLEAN" and one.strip().lower() == other.strip().lower()


def wrong_type(kind: str, value: str) -> str:
    """Return why a broker refuses a value of this type, which it reports; "" where it may accept it."""
    if "${" in value:
        return ""  # a configuration provider gives the value
    if kind in ("INT", "SHORT", "LONG") and not re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return "not a whole number"
    if kind == "DOUBLE" and not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value):
        return "not a number"
    if kind == "BOOLEAN" and value.strip().lower() not in ("true", "false"):
        return "neither true nor false"
    return ""


def dynamic_changes(
    wanted: Mapping[str, str], now: Mapping[str, str], kinds: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """Return the changes from a broker's dynamic settings to the wanted ones: {key: value, or None to reset it}.

    now: the settings of this broker alone; kinds: {key: type}. Throttles stay as they are.
    """
    changes: dict[str, str | None] = {
        key: value for key, value in wanted.items() if not is_same((kinds or {}).get(key, ""), value, now.get(key))
    }
    return changes | dict.fromkeys(sorted(now.keys() - wanted.keys() - THROTTLES))


def dynamic_settings(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the settings that are set for this broker alone, while it runs: {key: value}. `settings`: all of it."""
    return {
        key: item["value"]
        for key, item in settings.items()
        if item["config_source"] == "DYNAMIC_BROKER_CONFIG" and not item["is_sensitive"]
    }


def shared_settings(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the settings that are set for all brokers, while they run: {key: value}. They go before a broker's file.

    With eligible leader replicas (KIP-966) the controllers keep min.insync.replicas there, and never remove it.
    """
    return {
        key: item["value"] for key, item in settings.items() if item["config_source"] == "DYNAMIC_DEFAULT_BROKER_CONFIG"
    }


def set_shared(admin: KafkaAdminClient, changes: Mapping[str, str | None], validate_only: bool = False) -> str:
    """Set settings for all nodes: {key: value, or None to reset it}. Returns the refusal, or "".

    kafka-python's alter_configs takes no empty name, which means all brokers.
    """
    of_all = IncrementalAlterConfigsRequest.AlterConfigsResource
    operations = {key: AlterConfigOp.DELETE if value is None else AlterConfigOp.SET for key, value in changes.items()}
    configs = [
        of_all.AlterableConfig(name=key, config_operation=operations[key].value, value=value)
        for key, value in changes.items()
    ]
    request = IncrementalAlterConfigsRequest(
        resources=[of_all(resource_type=ConfigResourceType.BROKER, resource_name="", configs=configs)],
        validate_only=validate_only,
    )
    [result] = send(admin, request).responses
    return f"{for_code(result.error_code).__name__}: {result.error_message}" if result.error_code else ""


def settings_of(admin: KafkaAdminClient, brokers: Iterable[int]) -> dict[int, dict[str, dict[str, Any]]]:
    """Return each broker's settings as it reports them: {id: {key: {"value", "read_only", "config_source", …}}}."""
    resources = [ConfigResource(ConfigResourceType.BROKER, str(broker)) for broker in brokers]
    found = admin.describe_configs(resources, config_filter="all")["broker"] if resources else {}
    return {int(broker): settings for broker, settings in found.items()}


def settings_of_any(admin: KafkaAdminClient) -> dict[int, dict[str, dict[str, Any]]]:
    """Return {id: settings} of one broker that answers; {} without one. A broker can be registered and not answer."""
    for broker in sorted(item["broker_id"] for item in describe_cluster(admin)["brokers"]):
        with contextlib.suppress(KafkaError):
            return settings_of(admin, [broker])
    return {}


def value_of(admin: KafkaAdminClient, resource: Resource, key: str) -> str | None:
    """Return the value of one setting, which may be Kafka's own default; None where the broker does not show it."""
    [settings] = admin.describe_configs([ConfigResource(*resource, [key])], config_filter="all").values()
    return settings[resource[1]].get(key, {}).get("value")


def misspelt(names: Iterable[str], settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a message for each of `names` that resembles a broker setting and is none. Kafka accepts any name.

    settings: {key: {"config_type", …}}, as a broker reports its own. A name that resembles none of Kafka's is accepted:
    it can belong to a plug-in.
    """
    known = [key for key, setting in settings.items() if setting["config_type"] != "UNKNOWN"]
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.85) for name in sorted(set(names) - set(known))}
    return [
        f"Kafka has no setting {name}, and ignores it. Did you mean {like[0]}?" for name, like in near.items() if like
    ]


def set_dynamic(
    admin: KafkaAdminClient, changes: Mapping[int, Mapping[str, str | None]], validate_only: bool = False
) -> dict[int, str]:
    """Change brokers' dynamic settings: {id: {key: value or None}}. Returns the refusals, {id: message}."""
    resources = {(ConfigResourceType.BROKER, str(broker)): wanted for broker, wanted in changes.items()}
    return {int(name): said for (_, name), said in alter(admin, resources, validate_only).items()}


def alter(
    admin: KafkaAdminClient, changes: Mapping[Resource, Mapping[str, str | None]], validate_only: bool = False
) -> dict[tuple[str, str], str]:
    """Change settings: {(type, name): {key: value, or None to reset it}}. Returns the refusals.

    The refusals are {("broker" or "topic", name): message}.
    """
    resources = [
        ConfigResource(
            *resource,
            {
                key: (AlterConfigOp.DELETE if value is None else AlterConfigOp.SET, value)
                for key, value in wanted.items()
            },
        )
        for resource, wanted in changes.items()
    ]
    answer = admin.alter_configs(resources, validate_only=validate_only, raise_on_unknown=False)
    return {(kind, name): said for kind, names in answer.items() for name, said in names.items() if said != "OK"}

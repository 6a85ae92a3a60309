"""Settings of brokers: what a broker reports, which names it does not know, and changes without a restart."""

import difflib

from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType

# Set by who moves partitions, for as long as that takes, and not by the inventory.
THROTTLES = {
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
}


def dynamic_changes(wanted, now):
    """What makes a broker's dynamic settings the wanted ones: {key: value, or None to reset it}.

    wanted: {key: text}; now: {key: text} of those that are set for this broker alone. Throttles are let be.
    """
    changes = {key: value for key, value in wanted.items() if now.get(key) != value}
    return changes | dict.fromkeys(sorted(now.keys() - wanted.keys() - THROTTLES))


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

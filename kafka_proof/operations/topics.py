"""Topics as data: make a cluster's topics match a list, over one connection and without a JVM."""

import re
from dataclasses import dataclass, field

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError, for_code

from kafka_proof.client.connection import admin_client
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.raw import batches
from kafka_proof.client.text import one_line, setting_text
from kafka_proof.client.workarounds import reason
from kafka_proof.cluster.settings import alter, is_same
from kafka_proof.cluster.temporary import nobody_deletes
from kafka_proof.operations import reassign
from kafka_proof.operations.refused import NO_BROKER, REST_DONE, UNCERTAIN, Refused

# Topics that Kafka's own programs make for themselves: brokers and registries, Connect, Streams, MirrorMaker.
_OF_PROGRAMS = re.compile(
    r"_.*|connect-(configs|offsets|status)|.*-(changelog|repartition|subscription-(registration|response)-topic)"
    r"|(.*\.)?heartbeats|(mm2-.*|.*\.checkpoints)\.internal"
)
BATCH = 200  # topics in one request: in ZooKeeper mode a broker makes about 50 in a second


@dataclass
class Plan:
    """The changes, and the reasons for a refusal. `create`: topics as data; the others by name."""

    create: list = field(default_factory=list)
    grow: dict = field(default_factory=dict)  # name: partitions
    configure: dict = field(default_factory=dict)  # name: {key: value, or None to reset it}
    delete: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    replication: dict = field(default_factory=dict)  # name: replicas, of topics whose data moves
    unfinished: bool = False  # whether an earlier move of replicas still runs, or left its throttle


def is_of_a_program(name):
    """Return whether a topic belongs to a program of Kafka, so that no pruning deletes it."""
    return bool(_OF_PROGRAMS.fullmatch(name))


def make_plan(topics, absent, actual, may_move=False):
    """Return the Plan that makes the actual topics the wanted ones. may_move: whether replicas may be copied.

    topics: list of {name, partitions, replication_factor, config}, the last three may be None;
    actual: {name: {partitions: int, replication_factor: int, config: {key: value}}}, existing topics only.
    """
    plan = Plan(delete=[name for name in absent if name in actual])
    for topic in topics:
        name = topic["name"]
        if name not in actual:
            plan.create.append(topic)
            continue
        now = actual[name]
        partitions, replicas = topic["partitions"] or now["partitions"], topic["replication_factor"]
        if partitions > now["partitions"]:
            plan.grow[name] = partitions
        elif partitions < now["partitions"]:
            plan.refused.append(
                f"topic {name} has {now['partitions']} partitions and {partitions} are wanted; Kafka removes none. "
                f"Set partitions: {now['partitions']}, or name it as absent once, which deletes its messages."
            )
        if replicas not in (None, now["replication_factor"]):
            plan.replication[name] = replicas
            if not may_move:
                plan.refused.append(
                    f"topic {name} has replication factor {now['replication_factor']} and {replicas} is wanted; that "
                    f"moves data. Set replication_factor: {now['replication_factor']}, or move its replicas first."
                )
        if topic["config"] is not None:
            wanted = settings(topic["config"])
            kinds = now.get("kinds", {})
            changes = {
                key: value
                for key, value in wanted.items()
                if not is_same(kinds.get(key, ""), value, now["config"].get(key))
            }
            changes |= dict.fromkeys(now["config"].keys() - wanted.keys() - set(reassign.LISTS))
            if changes:
                plan.configure[name] = changes
    return plan


def settings(config):
    """Return a topic's settings as Kafka's text. A setting that is None is left to the broker."""
    return {key: setting_text(value) for key, value in (config or {}).items() if value is not None}


def preview(plan, actual):
    """Return the topics that change, before and after, for --diff."""
    shown = ("partitions", "replication_factor", "config")
    names = sorted({*plan.grow, *plan.configure, *plan.replication, *plan.delete})
    before = {name: {key: actual[name][key] for key in shown} for name in names}
    after = {name: dict(topic) for name, topic in before.items() if name not in plan.delete}
    for name, partitions in plan.grow.items():
        after[name]["partitions"] = partitions
    for name, replicas in plan.replication.items():
        after[name]["replication_factor"] = replicas
    for name, changes in plan.configure.items():
        after[name]["config"] = settings(after[name]["config"] | changes)
    for topic in plan.create:
        shown = {key: topic[key] for key in ("partitions", "replication_factor") if topic[key] is not None}
        after[topic["name"]] = shown | {"config": settings(topic["config"])}
    return {"before": before, "after": after}


def lines(topics, plan, actual):
    """Return the differences as lines: + is in the list alone, - is in the cluster alone, ~ differs."""
    found = [f"+ topic {topic['name']}" for topic in plan.create]
    for topic in [topic for topic in topics if topic["name"] in actual]:
        name, now = topic["name"], actual[topic["name"]]
        different = [
            f"{key} {now[key]}, wanted: {topic[key]}"
            for key in ("partitions", "replication_factor")
            if topic[key] not in (None, now[key])
        ]
        different += [
            f"{key} {now['config'].get(key, 'of the broker')}, wanted: {'of the broker' if value is None else value}"
            for key, value in sorted(plan.configure.get(name, {}).items())
        ]
        found += [f"~ topic {name}: {one_line(each)}" for each in different]
    return found + [f"- topic {one_line(name)}" for name in plan.delete]


def describe(admin, names, with_config):
    """Return {name: {partitions, replication_factor, config}} of existing topics; config if in `with_config`."""
    found = {}
    for topic in admin.describe_topics(sorted(names)):
        error = for_code(topic["error_code"])
        if error is UnknownTopicOrPartitionError:
            continue
        if topic["error_code"]:
            raise Refused([f"topic {topic['name']}: {error.description} ({error.__name__})"])
        found[topic["name"]] = {
            "partitions": len(topic["partitions"]),
            "replication_factor": min(len(partition["replica_nodes"]) for partition in topic["partitions"]),
            "config": {},
        }
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in found if name in with_config]
    if resources:
        for name, config in admin.describe_configs(resources)["topic"].items():
            # The topic's own settings, not the broker's.
            own = {key: each for key, each in config.items() if each["config_source"] == "DYNAMIC_TOPIC_CONFIG"}
            found[name]["config"] = {key: each["value"] for key, each in own.items()}
            found[name]["kinds"] = {key: each["config_type"] for key, each in own.items()}
    return found


def apply(admin, plan, timeout_ms, validate_only):
    """Carry out the plan, or ask the broker whether it accepts it. Return what it refuses, list[str]."""
    problems, how = [], {"timeout_ms": timeout_ms, "raise_errors": False}
    for batch in batches(plan.create, BATCH):
        wanted = {
            topic["name"]: {
                "num_partitions": topic["partitions"] or -1,
                "replication_factor": topic["replication_factor"] or -1,
                "configs": settings(topic["config"]),
            }
            for topic in batch
        }
        problems += _problems(admin.create_topics(wanted, validate_only=validate_only, **how)["topics"])
    if plan.grow:
        answer = admin.create_partitions(plan.grow, validate_only=validate_only, **how)
        problems += _problems(item.to_dict() for item in answer.results)
    for batch in batches(list(plan.configure.items()), BATCH):
        refused = alter(admin, {(ConfigResourceType.TOPIC, name): changes for name, changes in batch}, validate_only)
        problems += [f"topic {name}: {said}" for (_, name), said in refused.items()]
    if plan.delete and validate_only:
        if nobody_deletes(admin, "kafka-proof-no-such-topic"):
            problems.append("topics are not deleted in this cluster: delete.topic.enable is false. Set it to true.")
    elif plan.delete:
        problems += _problems(admin.delete_topics(plan.delete, **how)["topics"])
    return problems


def _problems(answers):
    errors = [(item, for_code(item["error_code"])) for item in answers if item["error_code"]]
    return [
        f"topic {item['name']}: {item.get('error_message') or error.description} ({error.__name__})"
        for item, error in errors
    ]


class Moves(Refused):
    """The plan is refused, and replicas would move. `replication`: {name: replicas}."""

    def __init__(self, problems, replication):
        super().__init__(problems)
        self.replication = replication

    def result(self, client):
        return super().result(client) | {"replication": self.replication}


def have(params, check, say=print):
    """Make a cluster's topics match a list. Return the result of an Ansible task, which may have failed.

    params: {client, topics, absent, timeout, prune, reassign, throttle}, as the module kafka_topics documents them, the
    last three with defaults; check: only report the changes; say: called with lines of text, such as the progress.
    A result that failed because data would move has `replication`, {name: replicas}.
    """
    try:
        return _have(params, check, say)
    except Refused as refusal:
        return refusal.result(params["client"])


def _have(params, check, say):
    topics, seconds = params["topics"], params["timeout"]
    try:
        admin = admin_client(params["client"], 1 if check else seconds, seconds)
    except (KafkaTimeoutError, ClientPropertiesError):
        if not check:
            raise
        return result(topics, make_plan(topics, params["absent"], {}), {}) | {"warnings": [NO_BROKER]}
    with admin:
        absent = [*params["absent"], *(_pruned(admin, topics, params["absent"]) if params.get("prune") else [])]
        actual = _actual(admin, topics, absent)
        plan = make_plan(topics, absent, actual, params.get("reassign", False))
        plan.unfinished = params.get("reassign", False) and reassign.is_unfinished(admin, actual)
        if problems := plan.refused or _refusals(admin, plan, seconds * 1000):
            raise Moves(problems, plan.replication)
        for name in plan.delete:
            if name not in params["absent"]:
                say(f"prune: topic {one_line(name)}")
        if not check:
            _carry_out(admin, plan, params, say)
        return result(topics, plan, actual)


def differences(params):
    """Return the differences between the list and the cluster in both directions, as `lines`. Changes nothing.

    params: {client, topics, timeout}. Raises Refused, KafkaError.
    """
    topics = params["topics"]
    with admin_client(params["client"], params["timeout"], params["timeout"]) as admin:
        unlisted = _unlisted(admin, topics)
        actual = _actual(admin, topics, unlisted)
        return lines(topics, make_plan(topics, unlisted, actual), actual)


def items(admin):
    """Return the list that describes the topics of a cluster. Raises Refused."""
    found = _actual(admin, [], _unlisted(admin, []))
    shown = ("partitions", "replication_factor", "config")
    return [{"name": name} | {key: found[name][key] for key in shown} for name in sorted(found)]


def _actual(admin, topics, absent):
    with_config = {topic["name"] for topic in topics if topic["config"] is not None} | set(absent)
    return describe(admin, {topic["name"] for topic in topics} | set(absent), with_config)


def _unlisted(admin, topics):
    listed = {topic["name"] for topic in topics}
    return [name for name in sorted(admin.list_topics()) if name not in listed and not is_of_a_program(name)]


def _pruned(admin, topics, absent):
    """Return the topics to delete because the list does not name them. Raises Refused for an empty list."""
    if not topics:
        said = "the list of topics is empty, and pruning would delete all topics with their messages. List one."
        raise Refused([said])
    return [name for name in _unlisted(admin, topics) if name not in absent]


def _refusals(admin, plan, timeout_ms):
    """Return what the cluster refuses of a plan, list of str. Nothing changes."""
    problems = apply(admin, plan, timeout_ms, validate_only=True)
    if plan.replication:
        try:
            reassign.plan(admin, _goal(admin, plan))
        except reassign.ImpossibleError as error:
            problems.append(str(error))
    return problems


def _goal(admin, plan):
    """Return what the move of replicas wants: other topics stay where they are."""
    brokers = sorted(reassign.registered(admin))
    return reassign.Wanted(brokers, replication=plan.replication, only=set(plan.replication))


def _carry_out(admin, plan, params, say):
    """Raises Refused."""
    timeout_ms = params["timeout"] * 1000
    try:
        problems = apply(admin, plan, timeout_ms, validate_only=False)
        if not problems:
            admin.wait_for_topics([topic["name"] for topic in plan.create], timeout_ms)
        if (plan.replication or plan.unfinished) and not problems:
            throttle = params.get("throttle", reassign.THROTTLE)
            with reassign.stop_signals() as stop:
                live = {"throttle": throttle, "timeout": params["timeout"], "say": say, "stop": stop}
                reassign.rebalance(admin, _goal(admin, plan), **live)
    except (KafkaError, reassign.ImpossibleError, reassign.StalledError, reassign.Interrupted) as error:
        raise Refused([reason(error)], UNCERTAIN) from error
    if problems:
        raise Refused(problems, REST_DONE)


def result(topics, plan, actual):
    """Return the result of the module."""
    done = {
        "created": [topic["name"] for topic in plan.create],
        "grown": list(plan.grow),
        "configured": list(plan.configure),
        "moved": list(plan.replication),
        "deleted": plan.delete,
    }
    changes = lines(topics, plan, actual) + ["~ replicas that move, or a throttle that is left"] * plan.unfinished
    return {"changed": any(done.values()) or plan.unfinished, "diff": preview(plan, actual), "changes": changes, **done}

"""kafka-status: the controllers, brokers, topics and groups of a cluster, and its problems, in one page.

Exit status: 0, no problems; 1, the page ends with the problems; 2, the cluster did not answer, and one line says why.
It asks in batches, a fixed number of requests for each broker, so that a thousand topics do not make it slow.
"""

import json
import sys
import time

from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from kafka_proof.advice import explained
from kafka_proof.client import certificate
from kafka_proof.client.command import (
    OK,
    PROBLEM,
    Parser,
    add_connection_options,
    entry,
    fail,
    properties_of,
    quiet,
)
from kafka_proof.client.connection import NoKafkaError, certificate_of, connect, no_answer
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.client.table import table
from kafka_proof.client.text import one_line, printable
from kafka_proof.client.wait import settled
from kafka_proof.client.workarounds import describe_cluster, reason
from kafka_proof.cluster.controller import KRAFT, MODES, ZOOKEEPER, active_controller, mode, require_acting
from kafka_proof.cluster.features import METADATA, features
from kafka_proof.cluster.groups import SHARE, describe, list_groups
from kafka_proof.cluster.health import OFFLINE, as_partition
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import describe_quorum, is_caught_up, problems, since, warnings
from kafka_proof.cluster.rights import refusal, sees_all_topics
from kafka_proof.cluster.versions import broker_version, line_of
from kafka_proof.lag.look import committed_of
from kafka_proof.lag.offsets import left, log_bounds, rows

UNASKED = "the controllers are not shown: this client has no right to ask about them (Describe on the cluster)"
_ACTS = 5  # seconds for the controller to check a topic
_SECURE = 2  # seconds for each step to a broker's certificate
_MOVES = 3  # seconds of further attempts while leaders and coordinators move


def collect(admin):
    """Ask the cluster for everything on the page. Returns a dict of plain values, ready for JSON:

    cluster_id   str
    mode         "zookeeper" or "kraft"
    controller   int, a broker's id; with KRaft the id of the active controller, which can be a node without a broker
    brokers      [{id, host, port, rack, kafka ("3.9": the version that its protocol tells), problem}]
    topics       [{topic, internal, partitions: [{partition, leader, replicas, in_sync, start, end, problem}]}]
    groups       [{group, type, state, members (how many), note, left, partitions: [PartitionLag as a dict]}]
    quorum       with KRaft {leader, epoch, voters: [{id, address, end, behind, problem}], observers: [id, no brokers],
                 metadata_version: [finalised level, level that all brokers support] or None}; None without a leader,
                 or without the right to ask
    problems     [str]
    warnings     [str], which do not change the exit status

    Ids and offsets are int. An unknown value is None; `problem` is "" where there is none. For a partition without a
    committed offset, a group's lag counts from the earliest message.

    `admin` is what `kafka_proof.client.connection.connect` returns. Raises kafka.errors.KafkaError.
    """
    return settled(lambda: _collect(admin), _MOVES)


def _collect(admin):
    cluster = describe_cluster(admin)
    brokers, listed = _brokers(admin, cluster["brokers"])
    answering = {broker["id"] for broker in brokers if not broker["problem"]}
    described = sorted(admin.describe_topics(), key=lambda topic: topic["name"])

    readable = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in described
        for partition in topic["partitions"]
        if partition["leader_id"] in answering
    ]
    committed = committed_of(admin, listed.values())
    bounds = log_bounds(admin, readable)
    groups = describe(admin, listed.values())

    kind = mode(admin)
    quorum, hidden = _quorum(admin) if kind == KRAFT else (None, [])
    if not sees_all_topics(admin):
        hidden.append("this client sees only those topics and groups on which it has Describe")
    leader = active_controller(admin) if kind == ZOOKEEPER else quorum and quorum.leader
    topics = [_topic(topic, answering, *bounds) for topic in described]
    partitions_of = {topic["topic"]: [each["partition"] for each in topic["partitions"]] for topic in topics}
    return {
        "cluster_id": cluster["cluster_id"],
        "mode": kind,
        "controller": leader,
        "brokers": brokers,
        "topics": topics,
        "groups": [
            _group(group, committed.get(name, {}), partitions_of, bounds) for name, group in sorted(groups.items())
        ],
        "quorum": quorum and _members(quorum, brokers, features(admin, answering)),
        "problems": [
            *_problems(brokers, topics),
            *([] if UNASKED in hidden else _controller_problems(admin, kind, leader, answering)),
            *(problems(quorum) if quorum else []),
        ],
        "warnings": hidden + (warnings(quorum) if quorum else []),
    }


def _quorum(admin):
    """Return (the Quorum, why it is unknown: list of str). Without a leader the brokers wait in vain for an answer."""
    try:
        return describe_quorum(admin, _ACTS), []
    except AuthorizationError:
        return None, [UNASKED]
    except KafkaError as error:
        if not error.retriable:
            raise
        return None, []


def expiring(arguments, brokers, now):
    """Return a warning for each of the page's brokers whose certificate expires soon. `now`: seconds since 1970."""
    found = {
        each["id"]: certificate_of(arguments, f"{each['host']}:{each['port']}", _SECURE)
        for each in brokers
        if arguments["security_protocol"].endswith("SSL") and not each["problem"]
    }
    return [
        f"broker {broker}'s certificate {certificate.expiry(own, now)}"
        for broker, own in found.items()
        if own and certificate.expires_soon(own, now)
    ]


def _members(quorum, brokers, found):
    """Return what the page has of the quorum. brokers: the page's brokers; found: the result of `features`."""
    end = max((each.end_offset for each in quorum.voters), default=0)
    current = {each.id for each in quorum.observers if is_caught_up(quorum, each)}
    return {
        "leader": quorum.leader,
        "epoch": quorum.epoch,
        "voters": [
            {
                "id": each.id,
                "address": ", ".join(f"{host}:{port}" for host, port in quorum.endpoints.get(each.id, {}).values()),
                "end": each.end_offset,
                "behind": end - each.end_offset,
                "problem": "" if is_caught_up(quorum, each) else f"last fetch {since(quorum, each)} ago",
            }
            for each in quorum.voters
        ],
        "observers": sorted(current - {broker["id"] for broker in brokers}),
        "metadata_version": list(found[METADATA]) if METADATA in found else None,
    }


def _controller_problems(admin, kind, controller, answering):
    """Return why there is no controller that acts.

    In ZooKeeper mode, a controller without ZooKeeper keeps a thread for the question until ZooKeeper is back. A status
    that is asked for again and again would stop the broker, so it does not ask; `kafka-doctor --write` does.
    """
    if controller is None:
        return ["no controller: topics cannot be created, and leaders cannot move"]
    if kind == ZOOKEEPER:
        answers = controller in answering
        return [] if answers else [f"the controller is broker {controller}, which does not answer"]
    try:
        require_acting(admin, controller, answering, _ACTS)
    except NotReadyError as error:
        return [str(error)]
    return []


def _problems(brokers, topics):
    of_brokers = [f"broker {broker['id']}: {broker['problem']}" for broker in brokers if broker["problem"]]
    of_partitions = [
        f"{topic['topic']} partition {partition['partition']}: {partition['problem']}"
        for topic in topics
        for partition in topic["partitions"]
        if partition["problem"]
    ]
    return of_brokers + of_partitions


def _brokers(admin, registered):
    """Return the brokers, and dict[name, Listed] of the groups that the answering brokers coordinate."""
    brokers, groups = [], {}
    for broker in sorted(registered, key=lambda broker: broker["broker_id"]):
        node, host, port = broker["broker_id"], broker["host"], broker["port"]
        version, problem = None, no_answer(admin, node, host, port)  # further requests to a dead broker each wait long
        if not problem:
            try:
                version = broker_version(admin, node)
                groups |= list_groups(admin, [node])
            except KafkaError as error:
                problem = f"{host}:{port}: {error}"
        brokers.append(
            {"id": node, "host": host, "port": port, "rack": broker["rack"], "kafka": version, "problem": problem}
        )
    return brokers, groups


def _topic(topic, answering, starts, ends):
    partitions = []
    for described in sorted(topic["partitions"], key=lambda each: each["partition_index"]):
        partition = as_partition(topic["name"], described)
        tp = TopicPartition(partition.topic, partition.number)
        partitions.append(
            {
                "partition": partition.number,
                "leader": partition.leader,
                "replicas": partition.replicas,
                "in_sync": partition.in_sync,
                "start": starts.get(tp),
                "end": ends.get(tp),
                "problem": _problem(partition, answering),
            }
        )
    return {"topic": topic["name"], "internal": topic["is_internal"], "partitions": partitions}


def _problem(partition, answering):
    if partition.problem == OFFLINE:
        return "OFFLINE, no leader"
    if partition.problem:
        return f"UNDER-REPLICATED, not in sync: {partition.missing}"
    return "" if partition.leader in answering else f"its leader, broker {partition.leader}, does not answer"


def _group(group, offsets, partitions_of, bounds):
    names = {tp.topic for tp in [*offsets, *(group.owners or {})]}
    read = [TopicPartition(name, partition) for name in names for partition in partitions_of.get(name, [])]
    reset = "none" if group.listed.type == SHARE else "earliest"
    partitions = rows({tp: offsets.get(tp, -1) for tp in read}, *bounds, reset)
    return {
        "group": group.listed.name,
        "type": group.listed.kind,
        "state": group.state,
        "members": group.members,
        "note": group.reason,
        "left": None if group.reason and not partitions else left(partitions),
        "partitions": [partition._asdict() for partition in partitions],
    }


def render(status):
    """Return the result of `collect` as a page of text."""
    versions = sorted({broker["kafka"] for broker in status["brokers"] if broker["kafka"]})
    page = [
        f"cluster {status['cluster_id']}: Kafka {', '.join(versions)}, {MODES[status['mode']]}, "
        f"controller {'unknown' if status['controller'] is None else status['controller']}",
        "",
    ]

    if status["quorum"]:
        page += [*_quorum_lines(status["quorum"]), ""]
    page += table(
        ["broker", "address", "rack", "kafka", ""],
        [
            [each["id"], f"{each['host']}:{each['port']}", each["rack"], each["kafka"], _mark(each)]
            for each in status["brokers"]
        ],
    )

    page += ["", "topics"]
    page += table(
        ["topic", "partition", "leader", "replicas", "in sync", "start", "end", ""],
        [
            [
                *[topic["topic"], each["partition"], each["leader"], _ids(each["replicas"]), _ids(each["in_sync"])],
                *[each["start"], each["end"], _mark(each)],
            ]
            for topic in status["topics"]
            if not topic["internal"]
            for each in topic["partitions"]
        ],
    )
    internal = [f"{each['topic']} ({len(each['partitions'])})" for each in status["topics"] if each["internal"]]
    page += [f"  internal (partitions): {', '.join(internal) or 'none'}"]

    page += ["", "groups" if status["groups"] else "groups: none"]
    for group in status["groups"]:
        members, remaining = ("unknown" if group[key] is None else group[key] for key in ("members", "left"))
        kind = "" if group["type"] == "classic" else f"{group['type']}, "
        note = f", {group['note']}" if group["note"] else ""
        page += [f"  {group['group']}: {kind}{group['state']}, members: {members}, kafka left: {remaining}{note}"]
        page += table(
            ["  topic", "partition", "committed", "end", "lag", ""],
            [
                [f"  {each['topic']}", each["partition"], each["committed"], each["end"], each["lag"], each["note"]]
                for each in group["partitions"]
            ],
        )

    count = sum(len(topic["partitions"]) for topic in status["topics"])
    found = status["problems"]
    page += ["", f"problems: {len(found)}" if found else f"no problems: all {count} partitions are in sync"]
    page += [f"  {problem}" for problem in found]
    page += [f"warning: {warning}" for warning in status["warnings"]]
    return "\n".join(map(printable, page))


def _quorum_lines(quorum):
    line = f"quorum: leader {quorum['leader']}, epoch {quorum['epoch']}"
    if quorum["metadata_version"]:
        level, supported = quorum["metadata_version"]
        line += f", metadata.version {level} ({line_of(level)})"
        line += f"; the brokers support {supported} ({line_of(supported)})" if level < supported else ""
    rows = [[*[each[key] for key in ("id", "address", "end", "behind")], _mark(each)] for each in quorum["voters"]]
    observers = _ids(quorum["observers"])
    return [
        line,
        *table(["voter", "address", "end", "behind", ""], rows),
        *([f"  observers that are no brokers: {observers}"] if observers else []),
    ]


def _mark(thing):
    return f"<-- {thing['problem']}" if thing["problem"] else ""


def _ids(ids):
    return ",".join(map(str, ids))


@entry
def main(argv=None):
    """Print the page, or JSON. Returns the exit status."""
    parser = Parser("kafka-status", __doc__)
    add_connection_options(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(argv)
    quiet()
    try:
        properties = properties_of(options)
        arguments = kafka_python(properties)
        with connect(arguments, options.timeout) as admin:
            status = collect(admin)
        status["warnings"] += expiring(arguments, status["brokers"], time.time())
    except NoKafkaError as error:
        return fail(one_line(explained(error), limit=1000))
    except ClientPropertiesError as error:
        return fail(error)
    except AuthorizationError as error:
        return fail(f"{properties['bootstrap.servers']}: {refusal(error)}")
    except KafkaError as error:
        return fail(
            f"{properties['bootstrap.servers']}: the cluster stopped answering ({one_line(reason(error))}). Try again."
        )
    print(json.dumps(status, indent=2) if options.json else render(status))
    return PROBLEM if status["problems"] else OK


if __name__ == "__main__":
    sys.exit(main())

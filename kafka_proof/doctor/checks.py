"""What the doctor looks at, in order: from this machine to the first broker, to all brokers, to what they keep.

Nothing here changes anything. `examine` yields Findings; the functions below it are in the order in which it uses them.
"""

import ipaddress
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from kafka.admin import ConfigResourceType
from kafka.errors import for_code
from kafka.protocol.admin import DescribeConfigsRequest, DescribeGroupsRequest, DescribeQuorumRequest
from kafka.protocol.api_key import ApiKey
from kafka.protocol.consumer import ListOffsetsRequest, OffsetSpec
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest

from kafka_proof.advice import ADVICE
from kafka_proof.client.connection import OLDEST, links, version_text
from kafka_proof.client.link import Fault, Link

SKEW = 10  # seconds by which clocks may differ
OFFSETS_TOPIC = "__consumer_offsets"
_GROUP = "kafka-doctor"  # asked about, never made
_SHOWN = 5  # partitions in one line
_COORDINATOR_LOADING, _COORDINATOR_NOT_AVAILABLE, _NOT_COORDINATOR, _INVALID_REQUEST = 14, 15, 16, 42
_LISTENER_NOT_FOUND = 72
_REFUSED = (29, 30, 31)  # topic, group and cluster authorization failed
_STEPS = {"resolve": "resolve", "connect": "connect", "encrypt": "tls", "greet": "protocol", "login": "login"}


class Finding(NamedTuple):
    """One line of the list."""

    check: str
    status: str  # "ok", "FAIL", "warn" or "skip"
    evidence: str
    code: str = ""  # the diagnosis of a FAIL or warn: a key of ADVICE, or "properties", whose evidence has the advice


class Cluster(NamedTuple):
    """What the first broker says of all of them."""

    id: str
    controller: int
    brokers: dict  # id: MetadataResponse's broker
    topics: list  # MetadataResponse's topics
    links: dict  # id: open Link, of those that answer as themselves


def examine(arguments, seconds, clock=time.time):
    """Look at everything that can be looked at by reading.

    arguments: those of `kafka_python`; seconds: for each answer; clock: this machine's, for tests.
    Yields Findings. It ends early when there is nobody to ask.
    """
    links = {}
    first = yield from reach(arguments, seconds)
    if not first:
        yield Finding(
            "cluster", "skip", "nobody to ask about metadata, advertised addresses, controller, coordinator, partitions"
        )
        return
    try:
        yield version(first.versions.broker_version)
        cluster = yield from metadata(first, links)
        if not cluster:
            return
        yield from advertised(cluster, first, arguments, seconds)
        yield from controller(cluster, first)
        yield from coordinator(cluster, first)
        yield from partitions(cluster, first)
        yield newest_stamp(cluster, clock)
    except Fault as fault:  # the first broker went away meanwhile
        yield Finding("cluster", "FAIL", fault.evidence, fault.code)
    finally:
        for link in [first, *links.values()]:
            link.close()


def reach(arguments, seconds):
    """Connect to the bootstrap servers. Yields Findings; returns the first Link that can be used, or None.

    Clients need only one of them, so where one works the others' faults are warnings.
    """
    tried = [_walk(link) for link in links(arguments, seconds)]
    usable = [link for link, findings in tried if findings[-1].status == "ok"]
    for _, findings in tried:
        for finding in findings:
            yield finding._replace(status="warn") if usable and finding.status == "FAIL" else finding
    for link in usable[1:]:
        link.close()
    return usable[0] if usable else None


def _walk(link):
    findings = []
    for step in link.STEPS:
        try:
            findings.append(Finding(_STEPS[step], "ok", getattr(link, step)()))
        except Fault as fault:
            link.close()
            findings.append(Finding(_STEPS[step], "FAIL", fault.evidence, fault.code))
            break
        if step == "connect" and link.refusals:
            evidence = f"{'; '.join(link.refusals)}; {findings[-1].evidence}"
            findings[-1] = Finding(_STEPS[step], "warn", evidence, "first-address")
    return link, findings


def version(broker_version):
    """A Finding on the broker's version, a tuple of int as its protocol tells it."""
    text = version_text(broker_version)
    if broker_version < OLDEST:
        evidence = f"Kafka {text}, which is older than {version_text(OLDEST)}, the oldest that is supported"
        return Finding("version", "FAIL", evidence, "version")
    return Finding("version", "ok", f"Kafka {text}, by the versions of its protocol")


def metadata(first, links):
    """Yields a Finding; returns a Cluster, or None where there are no brokers in it."""
    answer = first.ask(MetadataRequest(topics=MetadataRequest.ALL_TOPICS, allow_auto_topic_creation=False))
    brokers = {broker.node_id: broker for broker in sorted(answer.brokers, key=lambda broker: broker.node_id)}
    if not brokers:
        yield Finding(
            "metadata", "FAIL", f"{first.where} answers, and knows of no broker, itself included", "no-brokers"
        )
        return None
    yield Finding(
        "metadata",
        "ok",
        f"cluster {answer.cluster_id}: {_plural(len(brokers), 'broker')} ({_list(brokers)}), "
        f"{_plural(len(answer.topics), 'topic')} that this client may see",
    )
    return Cluster(answer.cluster_id, answer.controller_id, brokers, answer.topics, links)


def advertised(cluster, first, arguments, seconds):
    """Go to each address that the cluster tells its clients, from here. Yields Findings, and fills cluster.links."""
    from_afar = not is_loopback(first.address)

    def visit(broker):
        link = Link(broker.host, broker.port, arguments, seconds)
        return link, visit_one(cluster.id, broker.node_id, link, from_afar)

    with ThreadPoolExecutor(8) as pool:
        for broker_id, (link, finding) in zip(cluster.brokers, pool.map(visit, cluster.brokers.values()), strict=True):
            if finding.status == "FAIL":
                link.close()
            else:
                cluster.links[broker_id] = link
            yield finding


def visit_one(cluster_id, broker_id, link, from_afar):
    """A Finding: does `link`, to the address that the broker advertises, lead to it? The link is left open.

    from_afar: the client reached the cluster by an address that is not this machine's own.
    """
    says = f"broker {broker_id} advertises {link.where}"
    if is_wildcard(link.host):
        return Finding(
            "advertised", "FAIL", f"{says}, which is no address but all of a machine's", "advertised-wildcard"
        )
    trap = from_afar and is_loopback(link.host)
    try:
        link.open()
        if other := _not_itself(cluster_id, broker_id, link):
            raise other
    except Fault as fault:
        if trap:
            evidence = f"{says}, which is whatever machine the client runs on: {fault.evidence}"
            return Finding("advertised", "FAIL", evidence, "advertised-loopback")
        code = f"advertised-{fault.code}"
        return Finding("advertised", "FAIL", f"{says}: {fault.evidence}", code if code in ADVICE else fault.code)
    if trap:
        evidence = f"{says}: it answers here, and on no other machine"
        return Finding("advertised", "warn", evidence, "advertised-loopback")
    if link.refusals:
        return Finding(
            "advertised", "warn", f"{says}: {'; '.join(link.refusals)}; {link.address} does", "first-address"
        )
    return Finding("advertised", "ok", f"{says}, and answers there")


def _not_itself(cluster_id, broker_id, link):
    """The Fault of an address that leads to another broker or cluster; None where it leads to the right one."""
    if (other := link.ask(MetadataRequest(topics=[])).cluster_id) != cluster_id:
        return Fault("other-cluster", f"a broker of another cluster answers there ({other})")
    # A broker describes its own configuration only: one that is asked for another's refuses, and names itself.
    error, message, settings = broker_settings(link, broker_id, ["broker.id", "node.id"])
    if error in _REFUSED:  # no right to ask; that the cluster is the right one must do
        return None
    if error == _INVALID_REQUEST or str(broker_id) not in settings.values():
        itself = re.search(r"expected (\d+)", message or "")  # Unexpected broker id, expected 2 or …, but received 1
        return Fault("other-broker", f"broker {itself[1] if itself else '?'} answers there")
    return None


def broker_settings(link, broker_id, keys):
    """Returns (error code, message, dict[str, str]): settings of the broker that the link leads to."""
    resource = (ConfigResourceType.BROKER, str(broker_id), keys)
    [result] = link.ask(DescribeConfigsRequest(resources=[resource])).results
    return result.error_code, result.error_message, {item.name: item.value for item in result.configs}


def controller(cluster, first):
    """Is there one? With KRaft the quorum says so; with ZooKeeper only what the brokers remember can be read."""
    if ApiKey.DescribeQuorum in first.versions.api_versions:
        yield _quorum(first)
    elif cluster.controller not in cluster.brokers:
        yield Finding("controller", "FAIL", "the brokers know of no controller", "no-controller")
    elif cluster.controller not in cluster.links:
        yield Finding("controller", "skip", f"it is broker {cluster.controller}, and that cannot be asked, see above")
    else:
        # It goes on naming the last one when ZooKeeper is gone. What would show that holds a thread of the broker until
        # ZooKeeper is back, so that is not for a look.
        evidence = f"broker {cluster.controller}, as the brokers remember it; whether it acts, --write shows"
        yield Finding("controller", "skip", evidence)


def _quorum(first):
    try:
        answer = first.ask(DescribeQuorumRequest(topics=[("__cluster_metadata", [(0,)])]))
    except Fault as fault:
        return Finding("controller", "FAIL", f"the quorum has no leader: {fault.evidence}", "no-controller")
    if answer.error_code in _REFUSED:
        return Finding(
            "controller", "skip", "this client has no right to ask about the quorum (Describe on the cluster)"
        )
    leaders = [partition.leader_id for topic in answer.topics for partition in topic.partitions]
    if answer.error_code or not leaders or leaders[0] < 0:
        why = for_code(answer.error_code).__name__ if answer.error_code else "leader -1"
        return Finding("controller", "FAIL", f"the quorum has no leader ({why})", "no-controller")
    return Finding("controller", "ok", f"controller {leaders[0]} leads the quorum")


def coordinator(cluster, first):
    """Can groups be coordinated? To ask makes __consumer_offsets where it is missing, so first see whether it is."""
    alive = len(cluster.brokers)
    there = any(topic.name == OFFSETS_TOPIC for topic in cluster.topics)
    factor = _replication_factor(cluster)
    if not there and factor is None:
        yield Finding("coordinator", "skip", f"{OFFSETS_TOPIC} is not to be seen, and asking further could make it")
        return
    if not there and factor <= alive:
        evidence = f"{OFFSETS_TOPIC} is not there yet; the first group makes it, with {_plural(factor, 'replica')}"
        yield Finding("coordinator", "ok", evidence)
        return

    # Without enough brokers asking makes nothing; and the topic may be there, and not to be seen for want of rights.
    answer = first.ask(FindCoordinatorRequest(key=_GROUP, key_type=0, max_version=3))
    if answer.error_code in _REFUSED:
        yield Finding("coordinator", "skip", "this client has no right to ask about groups (Describe on the group)")
    elif answer.error_code and not there:
        evidence = (
            f"{OFFSETS_TOPIC} is missing and cannot be made: offsets.topic.replication.factor={factor}, and "
            f"{'brokers: ' if alive > 1 else 'there is '}{alive if alive > 1 else 'one broker'}"
        )
        yield Finding("coordinator", "FAIL", evidence, "offsets-topic")
    elif answer.error_code:
        why = for_code(answer.error_code).__name__
        yield Finding("coordinator", "FAIL", f"no broker coordinates groups ({why})", "no-coordinator")
    elif link := cluster.links.get(answer.node_id):
        [group] = link.ask(DescribeGroupsRequest(groups=[_GROUP])).groups
        if group.error_code in (_COORDINATOR_LOADING, _COORDINATOR_NOT_AVAILABLE, _NOT_COORDINATOR):
            evidence = f"broker {answer.node_id} is to coordinate, and does not ({for_code(group.error_code).__name__})"
            yield Finding("coordinator", "FAIL", evidence, "no-coordinator")
        else:
            yield Finding("coordinator", "ok", f"broker {answer.node_id} answers for a group")
    else:
        yield Finding("coordinator", "skip", f"it is broker {answer.node_id}, and that cannot be asked, see above")


def _replication_factor(cluster):
    """The largest offsets.topic.replication.factor of the brokers; None where no broker tells."""
    key = "offsets.topic.replication.factor"
    factors = [broker_settings(link, broker, [key])[2].get(key) for broker, link in cluster.links.items()]
    return max((int(factor) for factor in factors if factor), default=None)


def partitions(cluster, first):
    """Are all partitions led, in sync, and writable? Yields Findings."""
    yield from judge_partitions(cluster.topics, _min_isr(cluster, first))


def _min_isr(cluster, first):
    """dict[topic, min.insync.replicas] of the topics that could be below it.

    Only those are asked for: with ZooKeeper the broker goes there for each topic's configuration.
    """
    key, default = "min.insync.replicas", 1
    for broker, link in cluster.links.items():
        default = max(default, int(broker_settings(link, broker, [key])[2].get(key) or 1))
    suspects = [
        topic.name
        for topic in cluster.topics
        if any(len(each.isr_nodes) < max(default, len(each.replica_nodes)) for each in topic.partitions)
    ]
    if not suspects:
        return {}
    resources = [(ConfigResourceType.TOPIC, name, [key]) for name in suspects]
    results = first.ask(DescribeConfigsRequest(resources=resources)).results
    return {result.resource_name: int(item.value) for result in results for item in result.configs if item.value}


def judge_partitions(topics, min_isr):
    """Yield Findings on MetadataResponse's topics; min_isr: dict[topic, int], 1 for those that are missing."""
    offline, elsewhere, refused, behind, count = [], [], [], [], 0
    for topic in sorted(topics, key=lambda topic: topic.name):
        for each in sorted(topic.partitions, key=lambda each: each.partition_index):
            name, needed = f"{topic.name}-{each.partition_index}", min_isr.get(topic.name, 1)
            missing = _list(sorted(set(each.replica_nodes) - set(each.isr_nodes)))
            count += 1
            if each.error_code == _LISTENER_NOT_FOUND:
                elsewhere.append(f"{name} (replicas: broker {_list(each.replica_nodes)})")
            elif each.leader_id < 0:
                offline.append(f"{name} (replicas: broker {_list(each.replica_nodes)})")
            elif len(each.isr_nodes) < needed:
                refused.append(f"{name} ({len(each.isr_nodes)} of {len(each.replica_nodes)} in sync, needs {needed})")
            elif missing:
                behind.append(f"{name} (not in sync: broker {missing})")
    for code, what, found in (
        ("listener", "led by a broker that lacks this listener, so neither read nor written here", elsewhere),
        ("offline", "without a leader, so neither read nor written", offline),
        ("min-isr", "below min.insync.replicas, so not written with acks=all", refused),
        ("under-replicated", "under-replicated", behind),
    ):
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            evidence = f"{_plural(len(found), 'partition')} {what}: {', '.join(found[:_SHOWN])}{more}"
            yield Finding("partitions", "FAIL", evidence, code)
    if not (elsewhere or offline or refused or behind):
        yield Finding("partitions", "ok", f"{_plural(count, 'partition')}, all led, in sync and writable")


def newest_stamp(cluster, clock):
    """A Finding on the clocks, from the newest time that a broker wrote into __consumer_offsets.

    The brokers' clocks are at least there. That shows a clock that is ahead, by reading; how far behind they can be
    follows only from how new the stamp is.
    """
    unknown = "cannot be told by reading; --write measures it"
    stamps = []
    for broker, link in cluster.links.items():
        led = [
            (each.partition_index, -1, OffsetSpec.MAX_TIMESTAMP)
            for topic in cluster.topics
            if topic.name == OFFSETS_TOPIC
            for each in topic.partitions
            if each.leader_id == broker
        ]
        if led and link.versions.api_versions[ApiKey.ListOffsets][1] >= 7:  # KIP-734
            topics = [(OFFSETS_TOPIC, led)]
            answer = link.ask(ListOffsetsRequest(replica_id=-1, isolation_level=0, topics=topics, min_version=7))
            stamps += [each.timestamp for topic in answer.topics for each in topic.partitions if not each.error_code]
    newest = max(stamps, default=-1) / 1000
    if newest < 0:
        return Finding("clock", "skip", unknown)
    ahead = newest - clock()
    if ahead > SKEW:
        evidence = f"a broker wrote a time that is {ahead:.0f} s ahead of this machine's clock"
        return Finding("clock", "FAIL", evidence, "clock")
    return Finding(
        "clock", "skip", f"a broker's newest stamp is {-ahead:.0f} s old, so none is known to be ahead; {unknown}"
    )


def judge_clock(broker, before, appended, after):
    """A Finding on a broker that wrote the time `appended` (s) between `before` and `after` on this machine's clock."""
    least, most = appended - after, appended - before
    if least > SKEW:
        return Finding("clock", "FAIL", f"broker {broker} is {least:.1f} s ahead of this machine, or more", "clock")
    if most < -SKEW:
        return Finding("clock", "FAIL", f"broker {broker} is {-most:.1f} s behind this machine, or more", "clock")
    return Finding("clock", "ok", f"broker {broker} is between {least:+.3f} s and {most:+.3f} s of this machine")


def is_loopback(host):
    """Does the name or address mean the machine on which it is used?"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _is(host, "is_loopback")


def is_wildcard(host):
    """Is it 0.0.0.0 or ::, all addresses of a machine?"""
    return _is(host, "is_unspecified")


def _is(host, what):
    try:
        return getattr(ipaddress.ip_address(host), what)
    except ValueError:
        return False


def _plural(count, what):
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _list(ids):
    return ", ".join(map(str, ids))

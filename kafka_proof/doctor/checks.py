"""The doctor's checks, in order: from this machine to the first broker, to all brokers, to their partitions.

They change nothing. `examine` yields Findings; the functions below it are in the order in which it uses them.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from kafka.admin import ConfigResourceType
from kafka.errors import AuthorizationError, KafkaError, for_code
from kafka.protocol.admin import DescribeConfigsRequest, DescribeGroupsRequest
from kafka.protocol.api_key import ApiKey
from kafka.protocol.consumer import ListOffsetsRequest, OffsetSpec
from kafka.protocol.metadata import ApiVersionsRequest, FindCoordinatorRequest, MetadataRequest

from kafka_proof.advice import ADVICE
from kafka_proof.client import certificate
from kafka_proof.client.address import is_loopback, is_wildcard
from kafka_proof.client.connection import OLDEST, links, version_text
from kafka_proof.client.link import Fault, Link
from kafka_proof.cluster.controller import KRAFT, is_present, mode_of
from kafka_proof.cluster.health import BELOW_MINIMUM, OFFLINE, UNDER_REPLICATED, as_partition
from kafka_proof.cluster.identity import another, question
from kafka_proof.cluster.quorum import as_quorum, problems, quorum_question
from kafka_proof.cluster.rights import NOWHERE, topic_question, topic_rights
from kafka_proof.cluster.versions import release

SKEW = 10  # seconds by which clocks can differ
OFFSETS_TOPIC = "__consumer_offsets"
MIN_ISR = "min.insync.replicas"
OF_CONFIGS = "DescribeConfigs on the cluster"  # the right to read the settings of brokers
_GROUP = "kafka-doctor"  # a name to ask for; no such group is created
_SHOWN = 5  # partitions in one line
_COORDINATOR_LOADING, _COORDINATOR_NOT_AVAILABLE, _NOT_COORDINATOR = 14, 15, 16
_LISTENER_NOT_FOUND = 72
_REFUSED = (29, 30, 31)  # topic, group and cluster authorization failed
_STEPS = {"resolve": "resolve", "connect": "connect", "encrypt": "tls", "greet": "protocol", "login": "login"}


class Finding(NamedTuple):
    """One line of the report."""

    check: str
    status: str  # "ok", "FAIL", "warn" or "skip"
    evidence: str
    code: str = ""  # the diagnosis of a FAIL or warn: a key of ADVICE; or "properties", with the advice in the evidence


class Cluster(NamedTuple):
    """The cluster in the first broker's metadata."""

    id: str
    controller: int
    brokers: dict  # id: MetadataResponse's broker
    topics: list  # MetadataResponse's topics
    links: dict  # id: open Link, of the brokers that answer as themselves


def examine(arguments, seconds, clock=time.time, more=lambda first: ()):
    """Check everything that reading alone can check.

    arguments: those of `kafka_python`; seconds: for each answer; clock: this machine's, for tests; more(link): yields
    further Findings from a Link to a broker.
    Yields Findings. It ends early when no broker can be asked.
    """
    links = {}
    first = yield from reach(arguments, seconds)
    if not first:
        unasked = "metadata, advertised addresses, controller, coordinator, partitions"
        yield Finding("cluster", "skip", f"no broker to ask for {unasked}")
        return
    try:
        software = {"client_software_name": "kafka-doctor", "client_software_version": "1"}
        features = first.ask(ApiVersionsRequest(**software)).supported_features
        yield version(first.versions.broker_version, features or ())
        cluster = yield from metadata(first, links)
        if not cluster:
            return
        yield from advertised(cluster, first, arguments, seconds)
        yield from judge_certificates(certificates(cluster, arguments), clock())
        yield from controller(cluster, first)
        yield from coordinator(cluster, first)
        yield from partitions(cluster, first)
        yield newest_stamp(cluster, clock)
        yield from more(first)
    except Fault as fault:  # the first broker stopped meanwhile
        yield Finding("cluster", "FAIL", fault.evidence, fault.code)
    finally:
        for link in [first, *links.values()]:
            link.close()


def reach(arguments, seconds):
    """Connect to the bootstrap servers. Yields Findings; returns the first usable Link, or None.

    Clients need only one of them, so where one works the faults of the others are warnings.
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


def version(inferred, features=()):
    """Return a Finding on the broker's version, by its protocol. The arguments are those of `release`."""
    text = release(features, inferred)
    if inferred < OLDEST:
        evidence = f"Kafka {text}, which is older than {version_text(OLDEST)}, the oldest that is supported"
        return Finding("version", "FAIL", evidence, "version")
    return Finding("version", "ok", f"Kafka {text}, by the versions of its protocol")


def metadata(first, links):
    """Yield a Finding; return a Cluster, or None where its metadata has no brokers."""
    answer = first.ask(MetadataRequest(topics=MetadataRequest.ALL_TOPICS, allow_auto_topic_creation=False))
    brokers = {broker.node_id: broker for broker in sorted(answer.brokers, key=lambda broker: broker.node_id)}
    if not brokers:
        yield Finding(
            "metadata", "FAIL", f"{first.where} answers, and knows of no broker, itself included", "no-brokers"
        )
        return None
    seen = f"cluster {answer.cluster_id}: {_plural(len(brokers), 'broker')} ({_list(brokers)})"
    topics = f"{_plural(len(answer.topics), 'topic')} visible to this client"
    if topic_rights(first.ask(topic_question(NOWHERE))).exists is not None:  # it may see every topic
        yield Finding("metadata", "ok", f"{seen}, {topics}")
    elif answer.topics:
        yield Finding("metadata", "ok", f"{seen}, {topics}; those without Describe are hidden from it")
    else:
        yield Finding("metadata", "warn", f"{seen}, no topic visible to this client (Describe)", "topic-rights")
    return Cluster(answer.cluster_id, answer.controller_id, brokers, answer.topics, links)


def advertised(cluster, first, arguments, seconds):
    """Connect to each advertised address from here. Yields Findings, and fills cluster.links."""
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
    """Return a Finding: does `link`, to the address that the broker advertises, lead to it? The link stays open.

    from_afar: the client reached the cluster by an address that is not this machine's own.
    """
    says = f"broker {broker_id} advertises {link.where}"
    if is_wildcard(link.host):
        return Finding(
            "advertised", "FAIL", f"{says}, which means all addresses and leads to none", "advertised-wildcard"
        )
    trap = from_afar and is_loopback(link.host)
    try:
        link.open()
        note = _verify(cluster_id, broker_id, link)
    except Fault as fault:
        if trap:
            evidence = f"{says}, which is the client's own machine: {fault.evidence}"
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
    return Finding("advertised", "ok", f"{says}, and answers there{note}")


def _verify(cluster_id, broker_id, link):
    """Raise the Fault of an address that leads to another broker or cluster. Return what could not be verified."""
    if (other := link.ask(MetadataRequest(topics=[])).cluster_id) != cluster_id:
        raise Fault("other-cluster", f"a broker of another cluster answers there ({other})")
    try:
        other = another(broker_id, link.ask(question(broker_id)))
    except AuthorizationError:
        return f"; this client has no right to compare its id ({OF_CONFIGS})"
    if other:
        raise Fault("other-broker", f"{other} answers there")
    return ""


def certificates(cluster, arguments):
    """Return (who, certificate, code of its advice) for each broker that answers with TLS, and for the client."""
    found = [
        (f"broker {broker}'s certificate", link.certificate, "certificate-expires")
        for broker, link in cluster.links.items()
        if link.certificate
    ]
    own = certificate.own(arguments)
    return [*found, ("this client's certificate", own, "client-certificate-expires")] if own else found


def judge_certificates(found, now):
    """Yield a Finding for each certificate that expires soon; else one for the first to expire.

    found: the result of `certificates`; now: seconds since 1970.
    """
    soon = [each for each in found if certificate.expires_soon(each[1], now)]
    for who, each, code in soon:
        evidence = f"{who} {certificate.expiry(each, now)}; {certificate.describe(each)}"
        yield Finding("certificate", "warn", evidence, code)
    if found and not soon:
        who, first, _ = min(found, key=lambda each: certificate.days_left(each[1], now))
        yield Finding("certificate", "ok", f"{who} {certificate.expiry(first, now)}")


def broker_settings(link, broker_id, keys):
    """Return settings of the broker at the other end of the link, dict[str, str]; {} where it refuses."""
    resource = (ConfigResourceType.BROKER, str(broker_id), keys)
    [result] = link.ask(DescribeConfigsRequest(resources=[resource])).results
    return {item.name: item.value for item in result.configs}


def controller(cluster, first):
    """Is there a controller? In KRaft mode ask the quorum; in ZooKeeper mode only the brokers' memory can be read."""
    kind = mode_of(first.versions.api_versions)
    if kind == KRAFT:
        yield _quorum(first)
    elif not is_present(cluster.controller, kind, cluster.brokers):
        yield Finding("controller", "FAIL", "the brokers know of no controller", "no-controller")
    elif cluster.controller not in cluster.links:
        yield Finding("controller", "skip", f"it is broker {cluster.controller}, and that cannot be asked, see above")
    else:
        # Without ZooKeeper a broker still names the last controller. A request that shows it holds a thread of the
        # broker until ZooKeeper is back, so reading alone does not send one: cluster/controller.py, require_acting.
        evidence = f"broker {cluster.controller}, as the brokers remember it; whether it acts, --write shows"
        yield Finding("controller", "skip", evidence)


def _quorum(first):
    try:
        quorum = as_quorum(first.ask(quorum_question()))
    except Fault as fault:
        return Finding("controller", "FAIL", f"the quorum has no leader: {fault.evidence}", "no-controller")
    except AuthorizationError:
        return Finding(
            "controller", "skip", "this client has no right to ask about the quorum (Describe on the cluster)"
        )
    except KafkaError as error:
        return Finding("controller", "FAIL", f"the quorum has no leader ({type(error).__name__})", "no-controller")
    if quorum.leader is None:
        return Finding("controller", "FAIL", "the quorum has no leader (leader -1)", "no-controller")
    evidence = f"controller {quorum.leader} leads the quorum"
    if found := problems(quorum):
        return Finding("controller", "warn", f"{evidence}; {'; '.join(found)}", "voter")
    return Finding("controller", "ok", evidence)


def coordinator(cluster, first):
    """Can groups be coordinated? The question creates __consumer_offsets where it is missing, so look for it first."""
    alive = len(cluster.brokers)
    there = any(topic.name == OFFSETS_TOPIC for topic in cluster.topics)
    factor = _largest(cluster, "offsets.topic.replication.factor")
    if not there and factor is None:
        evidence = (
            f"{OFFSETS_TOPIC} is not visible to this client (Describe on it, or {OF_CONFIGS}), and asking further "
            "could create it"
        )
        yield Finding("coordinator", "skip", evidence)
        return
    if not there and factor <= alive:
        evidence = f"{OFFSETS_TOPIC} is not there yet; the first group creates it, with {_plural(factor, 'replica')}"
        yield Finding("coordinator", "ok", evidence)
        return

    # Without enough brokers the question creates nothing. Without rights the topic can exist and not be visible.
    answer = first.ask(FindCoordinatorRequest(key=_GROUP, key_type=0, max_version=3))
    if answer.error_code in _REFUSED:
        yield Finding("coordinator", "skip", "this client has no right to ask about groups (Describe on the group)")
    elif answer.error_code and not there:
        evidence = (
            f"{OFFSETS_TOPIC} is missing and cannot be created: offsets.topic.replication.factor={factor}, and "
            f"{'brokers: ' if alive > 1 else 'there is '}{alive if alive > 1 else 'one broker'}"
        )
        yield Finding("coordinator", "FAIL", evidence, "offsets-topic")
    elif answer.error_code:
        why = for_code(answer.error_code).__name__
        yield Finding("coordinator", "FAIL", f"no broker coordinates groups ({why})", "no-coordinator")
    elif link := cluster.links.get(answer.node_id):
        [group] = link.ask(DescribeGroupsRequest(groups=[_GROUP])).groups
        if group.error_code in (_COORDINATOR_LOADING, _COORDINATOR_NOT_AVAILABLE, _NOT_COORDINATOR):
            why = for_code(group.error_code).__name__
            evidence = f"broker {answer.node_id} is the coordinator, and does not act as one ({why})"
            yield Finding("coordinator", "FAIL", evidence, "no-coordinator")
        else:
            yield Finding("coordinator", "ok", f"broker {answer.node_id} answers for a group")
    else:
        yield Finding("coordinator", "skip", f"it is broker {answer.node_id}, and that cannot be asked, see above")


def partitions(cluster, first):
    """Are all partitions led, in sync, and writable? Yields Findings."""
    default = _largest(cluster, MIN_ISR)
    yield from judge_partitions(cluster.topics, _min_isr(cluster, first, default or 1))
    if default is None and cluster.links:
        evidence = f"this client has no right to compare replicas with min.insync.replicas ({OF_CONFIGS})"
        yield Finding("partitions", "skip", evidence)


def _largest(cluster, key):
    """Return the largest value of a setting of the brokers, int; None where no broker shows it."""
    shown = [broker_settings(link, broker, [key]).get(key) for broker, link in cluster.links.items()]
    return max((int(value) for value in shown if value), default=None)


def _min_isr(cluster, first, default):
    """Return {topic: min.insync.replicas} of the topics that could be below it.

    Ask for those alone: in ZooKeeper mode the broker reads each topic's configuration there.
    """
    suspects = [
        topic.name
        for topic in cluster.topics
        if any(len(each.isr_nodes) < max(default, len(each.replica_nodes)) for each in topic.partitions)
    ]
    if not suspects:
        return {}
    resources = [(ConfigResourceType.TOPIC, name, [MIN_ISR]) for name in suspects]
    results = first.ask(DescribeConfigsRequest(resources=resources)).results
    return {result.resource_name: int(item.value) for result in results for item in result.configs if item.value}


def judge_partitions(topics, min_isr):
    """Yield Findings on MetadataResponse's topics; min_isr: dict[topic, int], 1 for those that are missing."""
    offline, elsewhere, refused, behind, count = [], [], [], [], 0
    for topic in sorted(topics, key=lambda topic: topic.name):
        for each in sorted(topic.partitions, key=lambda each: each.partition_index):
            item = as_partition(topic.name, each.to_dict(), min_isr.get(topic.name, 1))
            count += 1
            if each.error_code == _LISTENER_NOT_FOUND:
                elsewhere.append(f"{item} (replicas: broker {_list(item.replicas)})")
            elif item.problem == OFFLINE:
                offline.append(f"{item} (replicas: broker {_list(item.replicas)})")
            elif item.problem == BELOW_MINIMUM:
                in_sync, needed = f"{len(item.in_sync)} of {len(item.replicas)} in sync", item.min_in_sync
                refused.append(f"{item} ({in_sync}, needs {needed})")
            elif item.problem == UNDER_REPLICATED:
                behind.append(f"{item} (not in sync: broker {_list(item.missing)})")
    for code, what, found in (
        ("listener", "led by a broker that lacks this listener, so neither read nor written here", elsewhere),
        (OFFLINE, "without a leader, so neither read nor written", offline),
        (BELOW_MINIMUM, "below min.insync.replicas, so not written with acks=all", refused),
        (UNDER_REPLICATED, "under-replicated", behind),
    ):
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            evidence = f"{_plural(len(found), 'partition')} {what}: {', '.join(found[:_SHOWN])}{more}"
            yield Finding("partitions", "FAIL", evidence, code)
    if not (elsewhere or offline or refused or behind):
        yield Finding("partitions", "ok", f"{_plural(count, 'partition')}, all led, in sync and writable")


def newest_stamp(cluster, clock):
    """Return a Finding on the clocks, from the newest time that a broker wrote into __consumer_offsets.

    A broker's clock has passed that time, so reading alone shows a clock that is ahead. A clock that is behind shows
    only as an old stamp.
    """
    unknown = "reading alone does not show a clock that is behind; --write measures it"
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
    """Return a Finding on a broker that wrote the time `appended` (s) between `before` and `after` of this machine."""
    least, most = appended - after, appended - before
    if least > SKEW:
        return Finding("clock", "FAIL", f"broker {broker} is {least:.1f} s ahead of this machine, or more", "clock")
    if most < -SKEW:
        return Finding("clock", "FAIL", f"broker {broker} is {-most:.1f} s behind this machine, or more", "clock")
    return Finding("clock", "ok", f"broker {broker} is between {least:+.3f} s and {most:+.3f} s of this machine")


def _plural(count, what):
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _list(ids):
    return ", ".join(map(str, ids))

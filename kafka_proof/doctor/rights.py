"""May this client use a topic and a group? It reads alone: kafka_proof/cluster/rights.py."""

from kafka_proof.client.text import one_line
from kafka_proof.cluster.rights import group_question, may_use_group, spelt, topic_question, topic_rights
from kafka_proof.doctor.checks import Finding


def rights(link, user, topic=None, group=None):
    """Ask a broker about a topic and a group, by name. Yields Findings.

    link: an open Link; user: the name in its login, or "" for none.
    """
    who = f"user {user!r}" if user else "this client"
    if topic is not None:
        yield judge_topic(topic, topic_rights(link.ask(topic_question(topic))), who)
    if group is not None:
        yield judge_group(group, may_use_group(link.ask(group_question(group))), who)


def judge_topic(topic, found, who):
    """Return a Finding on the TopicRights of a topic. A producer needs Write, and a consumer Read."""
    name = f"topic {one_line(topic)}"
    lacking = [spelt(operation) for operation in found.missing(("WRITE", "READ"))]
    if found.exists is None:
        evidence = f"{name}: {who} has none of Write, Read and Describe, so the broker does not show whether it exists"
        return Finding("rights", "FAIL", evidence, "topic-rights")
    if not found.exists:
        creates = "" if not found.missing(["CREATE"]) else f", and {who} has no Create on it"
        return Finding("rights", "FAIL", f"{name} does not exist{creates}", "topic-missing")
    if not lacking:
        return Finding("rights", "ok", f"{name}: {who} has Write and Read")
    refused = "a producer is refused" if lacking == ["Write"] else "a consumer is refused"
    if len(lacking) > 1:
        refused = "producers and consumers are refused"
    status = "FAIL" if len(lacking) > 1 else "warn"
    return Finding("rights", status, f"{name}: {who} has no {' and no '.join(lacking)}, so {refused}", "topic-rights")


def judge_group(group, may, who):
    """Return a Finding on a group. Each member needs Read, also a member that only commits."""
    name = f"group {one_line(group)}"
    if may:
        return Finding("rights", "ok", f"{name}: {who} has Read")
    return Finding("rights", "FAIL", f"{name}: {who} has no Read, so a consumer in it is refused", "group-rights")

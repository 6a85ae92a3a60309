"""Everything in an inventory that cannot work, before any host is contacted."""

from collections.abc import Mapping, Sequence
from typing import Any

from kafka_proof.deploy.given_certificates import given_problems
from kafka_proof.deploy.group_checks import mode_problems
from kafka_proof.deploy.inventory_checks import node_problems
from kafka_proof.deploy.node import Node
from kafka_proof.deploy.security import security_problems
from kafka_proof.deploy.topics import topic_problems


def inventory_problems(
    groups: Mapping[str, Sequence[str]],
    values: Mapping[str, Mapping[str, Any]],
    nodes: Sequence[Node],
    of_images: Sequence[str] = (),
) -> list[str]:
    """Return what in the inventory cannot work.

    groups: {group: hosts}; values: {host: its variables, checked}; of_images: what is wrong with images.
    """
    first = values[groups["kafka"][0]]
    versions = {host: own["stack_kafka_version"] for host, own in values.items()}
    # With a version that lacks the mode, all other messages would mislead.
    return mode_problems(groups, versions) or [
        *of_images,
        *security_problems(values),
        *given_problems(nodes, values),
        *node_problems(nodes),
        *topic_problems(
            first["kafka_topics_present"],
            first["kafka_topics_absent"],
            len(groups["kafka"]),
            first["stack_kafka_version"],
        ),
    ]

"""Which version and which protocol the brokers run, and which they may change to.

Brokers speak the protocol of their version, or that of `inter.broker.protocol.version`. While an upgrade keeps the
old protocol, the old version can come back; after the protocol has risen, it cannot read the data any more.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kafka_proof.deploy.containers import container_in
from kafka_proof.deploy.lines import line, numbers
from kafka_proof.deploy.node import Engines, Node


def running_version(found: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return (version, protocol) of a broker's container, such as ("3.9.2", "3.8"); None if it does not exist."""
    if not found or not found["version"]:
        return None
    kept = re.match(r"\d+\.\d+", found["protocol"])  # 3.8 of 3.8-IV0
    return found["version"], kept[0] if kept else line(found["version"])


def runs_newer(nodes: Sequence[Node], engines: Engines, wanted: str) -> bool:
    """Return whether a container of the nodes runs a newer line of Kafka than `wanted`."""
    found = [version for node in nodes if (version := _running(node, engines))]
    return any(numbers(version) > numbers(wanted) for version, _ in found)


def protocol_to_keep(brokers: Sequence[Node], engines: Engines, wanted: str) -> str:
    """Return the protocol that brokers keep until all of them run `wanted`; "" if all do, so that it may rise.

    A container that is not healthy has not shown yet that it can run the new version.
    """
    found = [container for node in brokers if (container := container_in(node, engines))]
    versions = [version for container in found if (version := running_version(container))]
    proved = all(container["health"] == "healthy" for container in found)
    risen = any(protocol == line(version) for version, protocol in versions)
    if all(line(version) == line(wanted) for version, _ in versions) and (proved or risen):
        return ""
    return min((protocol for _, protocol in versions), key=numbers, default="")


def protocol_kept(host: str, brokers: Sequence[Node], engines: Engines) -> str:
    """Return the protocol that an upgrade has not raised yet on a host; "" if its broker speaks that of its version.

    A new broker speaks like the slowest of the others.
    """
    found = {node["host"]: _running(node, engines) for node in brokers}
    kept = {name: item[1] for name, item in found.items() if item and item[1] != line(item[0])}
    return kept.get(host, "") if found.get(host) else min(kept.values(), key=numbers, default="")


def version_problems(node: Node, found: Mapping[str, Any] | None, upgrading: bool, options: str = "") -> list[str]:
    """Return why a broker's container must not be recreated with the node's version."""
    if not (running := running_version(found)):
        return []
    (version, protocol), wanted = running, node["version"]
    # In KRaft mode the cluster itself knows which versions can read its data: kafka_proof.operations.features.
    if "process.roles" not in node["settings"] and numbers(wanted) < numbers(protocol):
        return [
            f"{node['container']} runs Kafka {version} and speaks protocol {protocol} to the others. Kafka {wanted} "
            "cannot read what it wrote since: the way back ended when the protocol was raised. "
            f"Set stack_kafka_version to {version}."
        ]
    if line(wanted) != line(version) and not upgrading:
        return [
            f"{node['container']} runs Kafka {version}, and stack_kafka_version is {wanted}. "
            f"Run: ansible-playbook{options} playbooks/upgrade.yml, which changes the version one broker at a time."
        ]
    return []


def _running(node: Node, engines: Engines) -> tuple[str, str] | None:
    return running_version(container_in(node, engines))

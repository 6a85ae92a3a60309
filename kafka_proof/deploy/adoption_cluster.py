"""The containers of other images as one cluster: whether all of it was found, its network, and the version to run."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka_proof.client.text import one_line
from kafka_proof.deploy.foreign import Found, items, running_version
from kafka_proof.deploy.lines import CHANGES_CONTROLLERS, WITHOUT_ZOOKEEPER, numbers
from kafka_proof.deploy.node import CONTROLLER

SELECT = "name the other containers in adopt_containers"
COMPLETE = "Start it, or add its host to the inventory given by -i. If adopt_containers is set, name it there"


def cluster_problems(kafka: Sequence[Found]) -> list[str]:
    """Return the problem of containers of several clusters."""
    of_each: dict[str, list[str]] = {}
    for each in kafka:
        if cluster := each.meta.get("cluster.id"):
            of_each.setdefault(cluster, []).append(each.name)
    if len(of_each) < 2:
        return []
    said = "; ".join(f"{one_line(cluster)} of {', '.join(names)}" for cluster, names in sorted(of_each.items()))
    return [f"The containers are of {len(of_each)} clusters: {said}. Name those of one in adopt_containers."]


def quorum_problems(kafka: Sequence[Found], reach: Mapping[str, Any]) -> list[str]:
    """Return which controllers of the quorum were not found."""
    controllers = [each for each in kafka if CONTROLLER in each.roles]
    ids = {str(each.node_id) for each in controllers}
    problems = []
    for each in kafka:
        voters = items(each.settings.get("controller.quorum.voters"))
        if missing := [voter for voter in voters if voter.partition("@")[0] not in ids]:
            problems.append(
                f"{each.name}: controller.quorum.voters names {one_line(', '.join(missing))}, and no such controller "
                f"is found. {COMPLETE}."
            )
    return problems + _strangers(kafka, "controller.quorum.bootstrap.servers", controllers, reach)


def ensemble_problems(servers: Sequence[Found], kafka: Sequence[Found], reach: Mapping[str, Any]) -> list[str]:
    """Return why the servers are not all servers of the brokers' ensemble. A part beside the rest is a split brain."""
    problems, ids = [], {each.server_id for each in servers}
    for each in servers:
        of_settings = (re.fullmatch(r"server\.(\d+)", key) for key in each.settings)
        members = {int(match[1]) for match in of_settings if match} or {each.server_id}
        missing = ", ".join(f"server.{number}" for number in sorted(members - ids))
        others = [other.name for other in servers if other.server_id not in members]
        if missing:
            problems.append(f"{each.name}: its settings name {missing}, and no such server is found. {COMPLETE}.")
        if others:
            problems.append(
                f"{each.name}: {', '.join(others)} is in no server.N of its settings. Name the containers of one "
                "cluster in adopt_containers."
            )
    return problems + (_strangers(kafka, "zookeeper.connect", servers, reach) if servers else [])


def _strangers(kafka: Sequence[Found], setting: str, servers: Sequence[Found], reach: Mapping[str, Any]) -> list[str]:
    """Return which servers a setting of the nodes names that were not found."""
    known = {name.lower() for each in servers for name in _reached_by(each, reach)}
    problems = []
    for each in kafka:
        addresses = re.sub(r"\w+://", "", each.settings.get(setting, "")).partition("/")[0]  # without a chroot
        hosts = [re.sub(r"^\[|\]?(:\d+)?$", "", item) for item in items(addresses)]
        if unknown := [host for host in hosts if host.lower() not in known]:
            problems.append(
                f"{each.name}: {setting} names {one_line(', '.join(unknown))}, and no container that is found has "
                f"this name or address. {COMPLETE}. A host can have this name in the inventory, too. If it is gone for "
                "good, remove it from the setting."
            )
    return problems


def _reached_by(each: Found, reach: Mapping[str, Any]) -> list[str]:
    """Return the names and addresses of a server: of its container, and of its host, which may publish its port."""
    names = ["localhost", "127.0.0.1", "::1", "host.docker.internal", each.host, *each.host_names]
    names += [str(reach[each.host].get("ansible_host", "")), each.name, each.inspected["Config"].get("Hostname") or ""]
    shown = each.inspected["NetworkSettings"]
    for network, joined in (shown.get("Networks") or {}).items():
        names += [f"{each.name}.{network}", *(joined.get("Aliases") or [])]
        names += [joined.get("IPAddress") or "", joined.get("GlobalIPv6Address") or ""]
    names += [item.get("HostIp", "") for bound in (shown.get("Ports") or {}).values() for item in bound or []]
    return [name for name in names if name not in ("", "0.0.0.0", "::")]


def common_network(found: Sequence[Found]) -> tuple[str, list[str]]:
    """Return the network that all containers share."""
    of_each = [set(each.inspected["NetworkSettings"].get("Networks") or {}) for each in found]
    if shared := sorted(set.intersection(*of_each) - {"bridge", "host", "none"}):
        return shared[0], []
    return "", [
        "The containers share no network on which they have names. Connect them to one while they run: docker network "
        "connect NETWORK CONTAINER. Or name those of one cluster in adopt_containers."
    ]


def names_of_container(each: Found, network: str, found: Iterable[Found]) -> list[str]:
    """Return the names by which others reach the container. Those that settings use come first."""
    joined = (each.inspected["NetworkSettings"].get("Networks") or {}).get(network) or {}
    names = [each.name, *(joined.get("Aliases") or []), str(each.inspected["Config"].get("Hostname", ""))]
    names = [name for name in dict.fromkeys(names) if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)]
    said = " ".join(value for other in found for value in other.settings.values())
    used = [name for name in names if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", said)]
    short_id = str(each.inspected.get("Id", ""))[:12]
    return list(dict.fromkeys([*used, *(name for name in names if name != short_id)]))


def version_for(kafka: Sequence[Found], versions: Sequence[str], kraft: bool) -> tuple[str, list[str]]:
    """Return the version to run: of the same line, or of the next one that this project has."""
    running = [running_version(each) for each in kafka]
    if not all(running):
        unknown = [each.name for each, version in zip(kafka, running, strict=True) if not version]
        return "", [
            f"{', '.join(unknown)}: no jar tells the version of Kafka. If it runs no node of Kafka, {SELECT}. "
            "Otherwise start it first from an image that has jars."
        ]
    least = max([CHANGES_CONTROLLERS, *map(numbers, running)])
    fit = [each for each in versions if numbers(each) >= least and (kraft or numbers(each) < WITHOUT_ZOOKEEPER)]
    if not fit:
        return "", [
            f"The containers run Kafka {max(running, key=numbers)}, and this project has no such version. "
            "Update this project first."
        ]
    return min(fit, key=numbers), []

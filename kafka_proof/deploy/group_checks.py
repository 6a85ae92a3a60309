"""Preflight checks of the groups of the inventory, which select the mode: ZooKeeper or KRaft."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kafka_proof.deploy.lines import BETWEEN, CHANGES_CONTROLLERS, WITHOUT_ZOOKEEPER, line, numbers

GROUPS = ("zookeeper", "kafka_controller", "kafka")
_NEAR = 0.85  # of 1: names that differ in a letter or two
_MIGRATION = "A move of a running cluster from ZooKeeper to KRaft is a migration: docs/migration.md."
# Names that people give to these groups, beside misspelt ones.
_MEANT = {
    "zookeeper": r"(zk|zoo).*|.*zookeep.*",
    "kafka_controller": r"(kraft|controller|quorum).*|kafka.*(kraft|controller|quorum).*",
}


def group_problems(
    groups: Mapping[str, Sequence[str]], in_play: Iterable[str] | None = None, migrates: bool = False
) -> list[str]:
    """Return why no play can work with these groups, {group: hosts}.

    in_play: the hosts that --limit leaves; None for a play that changes nothing, which may leave out hosts.
    migrates: whether the play moves the cluster from ZooKeeper to KRaft, and so needs hosts of both.
    """
    problems = list(_misspelt_groups(groups))
    if not groups.get("kafka"):
        problems.append("The inventory needs a host in the group kafka; see inventory.example and examples/kraft.ini.")
    if migrates and not groups.get("zookeeper"):
        problems.append(
            "The inventory has no host in the group zookeeper, so there is nothing to migrate. While a migration is "
            "under way, keep the group."
        )
    # A play that changes nothing also shows a cluster whose migration is under way.
    if groups.get("zookeeper") and groups.get("kafka_controller") and not migrates and in_play is not None:
        problems.append(
            "The inventory has hosts in the group zookeeper, which selects ZooKeeper, and in kafka_controller, which "
            f"selects KRaft. Remove the hosts of one of them; both together are for a migration. {_MIGRATION}"
        )
    hosts = {host for name in GROUPS for host in groups.get(name, [])}
    if left_out := sorted(hosts - set(hosts if in_play is None else in_play)):
        problems.append(
            f"--limit leaves out {', '.join(left_out)}, and changes are decided for all hosts together. Run it without "
            "--limit: hosts without a change are not touched. playbooks/decommission.yml removes one broker."
        )
    return problems


def _misspelt_groups(groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Without hosts in `zookeeper` a cluster runs KRaft, so a misspelt name must not decide that."""
    for name in GROUPS:
        if groups.get(name):
            continue
        for other, hosts in groups.items():
            said = other.lower()
            near = difflib.SequenceMatcher(None, said, name).ratio() > _NEAR
            if hosts and other not in GROUPS and (near or re.fullmatch(_MEANT.get(name, "(?!)"), said)):
                yield (
                    f"The inventory has hosts in the group {other}, and none in {name}. Was {name} meant? "
                    "Rename the group; or, if it is meant for something else, give it another name."
                )


def mode_problems(groups: Mapping[str, Sequence[str]], versions: Mapping[str, str]) -> list[str]:
    """Return why the versions, {host: version}, lack the mode that the groups select."""
    found = []
    with_zookeeper = bool(groups.get("zookeeper"))
    for version in sorted(set(versions.values())):
        hosts = ", ".join(host for host, other in versions.items() if other == version)
        if with_zookeeper and numbers(version) >= WITHOUT_ZOOKEEPER:
            found.append(
                f"{hosts}: stack_kafka_version is {version}, and Kafka 4 has no ZooKeeper. Set {BETWEEN}, or remove "
                f"the hosts of the group zookeeper, which selects KRaft. {_MIGRATION}"
            )
        if not with_zookeeper and numbers(version) < CHANGES_CONTROLLERS:
            found.append(
                f"{hosts}: stack_kafka_version is {version}, and a quorum that changes its controllers needs "
                f"Kafka {line(BETWEEN)}. Set {BETWEEN} or newer, or give the inventory a group zookeeper."
            )
    return found

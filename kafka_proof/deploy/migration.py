"""Move a running cluster from ZooKeeper to KRaft, in phases. Until `finalise` each of them can be undone.

    controllers  controllers run, and wait for brokers; brokers use ZooKeeper as before
    dual-write   brokers know the controllers; metadata is copied to these, and each change is written to both
    brokers      brokers run with KRaft; controllers still write to ZooKeeper, too
    finalise     controllers forget ZooKeeper: there is no way back
    remove       ZooKeeper is removed

Nodes change one at a time, and neighbouring phases understand each other. No combined node takes part: Kafka refuses
that. So controllers run on the hosts of the group kafka_controller or, without it, on those of ZooKeeper. Labels tell
what a container is, and ZooKeeper whether all metadata was copied: so an interrupted run continues.
Source: KIP-866, and "ZooKeeper to KRaft Migration" in Kafka's documentation of 3.9.
"""

import shlex
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from kafka_proof.deploy.containers import container_in
from kafka_proof.deploy.derive import Hosts, make_nodes, with_files
from kafka_proof.deploy.lines import BETWEEN, line
from kafka_proof.deploy.node import (
    BROKER,
    CONTROLLER,
    DATA,
    ZOOKEEPER,
    Engines,
    Node,
    dedicated,
    has_data,
    node_on,
    of_kind,
)
from kafka_proof.deploy.removed_settings import ZOOKEEPER_MODE
from kafka_proof.deploy.versions import running_version

CONTROLLERS, DUAL_WRITE, BROKERS, FINALISE, REMOVE = PHASES = (
    *("controllers", "dual-write", "brokers"),
    *("finalise", "remove"),
)
ORIGIN = "zookeeper"  # before the first phase, and after a return
REVERSIBLE = PHASES[:3]
MEANING = {
    ORIGIN: "all nodes use ZooKeeper",
    CONTROLLERS: "controllers run and wait for brokers",
    DUAL_WRITE: "metadata is copied to the controllers, and written to both; brokers restart one at a time",
    BROKERS: "brokers run with KRaft; they restart one at a time",
    FINALISE: "controllers forget ZooKeeper, one at a time; there is no way back",
    REMOVE: "ZooKeeper is removed",
}
_LINE = line(BETWEEN)

_ENABLE = "zookeeper.metadata.migration.enable"
_BOOTSTRAP = "controller.quorum.bootstrap.servers"
_UNDER_WAY = {"migration": "on"}  # label of containers and volumes
_METADATA = f"{DATA}/__cluster_metadata-0"

Groups = Mapping[str, Sequence[str]]  # {group: hosts}


class Progress(NamedTuple):
    """How far a cluster is.

    now: the phase that is complete; left: those that follow; run: those of this run;
    way_back: whether no controller forgot ZooKeeper; controllers: {host: id}.
    """

    now: str
    left: list[str]
    run: list[str]
    way_back: bool
    controllers: dict[str, int]


def phase_nodes(
    groups: Mapping[str, Sequence[str]], hosts: Hosts, engines: Mapping[str, str], phase: str
) -> list[Node]:
    """Return the nodes of a phase, or of ORIGIN. The arguments are those of make_nodes, with hosts in zookeeper."""
    brokers = groups["kafka"]
    origin = make_nodes({"zookeeper": groups["zookeeper"], "kafka": brokers}, hosts, engines)
    if phase == ORIGIN:
        return origin
    kraft = _for_kraft(hosts, set(groups["zookeeper"]).difference(brokers))
    target = make_nodes({"kafka_controller": controller_hosts(groups), "kafka": brokers}, kraft, engines)
    if phase == REMOVE:
        return target
    controllers, found = dedicated(target), of_kind(target, BROKER)
    if phase in REVERSIBLE:
        controllers = [_migrating(controller, of_kind(origin, BROKER)[0]) for controller in controllers]
    if phase == CONTROLLERS:
        found = of_kind(origin, BROKER)
    elif phase == DUAL_WRITE:
        found = [_dual(node, node_on(target, node["host"], BROKER)) for node in of_kind(origin, BROKER)]
    return [*of_kind(origin, ZOOKEEPER), *controllers, *found]


def controller_hosts(groups: Groups) -> Sequence[str]:
    """Return the hosts that get controllers."""
    return groups.get("kafka_controller") or groups["zookeeper"]


def migration_progress(
    nodes: Sequence[Node], engines: Engines, copied: bool, finalise: bool = False, until: str = ""
) -> dict[str, Any]:
    """Return the Progress as a dict.

    nodes: of the phase dual-write, which are all; copied: whether ZooKeeper says that all metadata was copied;
    finalise: whether this run may pass the point of no return; until: the last phase of this run. A run begins with the
    phase that some broker has reached, and so repairs its nodes: no broker goes back to the phase before.
    """
    now = _phase(nodes, engines, copied)
    order = [ORIGIN, *PHASES]
    at = order.index(now)
    first = PHASES.index(now if is_final(nodes, engines) else _begun(nodes, engines, copied))
    run = [] if now == REMOVE else list(PHASES[first:])
    if is_finalising(nodes, engines):
        run = [phase for phase in run if phase not in REVERSIBLE]
    elif at < order.index(FINALISE) and not finalise:
        run = [phase for phase in run if phase in REVERSIBLE]
    if until:
        run = [phase for phase in run if PHASES.index(phase) <= PHASES.index(until)]
    controllers = {node["host"]: node["id"] for node in dedicated(nodes)}
    return Progress(now, order[at + 1 :], run, not is_finalising(nodes, engines), controllers)._asdict()


def _begun(nodes: Sequence[Node], engines: Engines, copied: bool) -> str:
    """Return the phase that began last. Brokers whose containers are gone have written to both if all was copied."""
    if any_uses_kraft(nodes, engines):
        return BROKERS
    return DUAL_WRITE if copied or any(item["migration"] for item in _brokers(nodes, engines)) else CONTROLLERS


def _phase(nodes: Sequence[Node], engines: Engines, copied: bool) -> str:
    found = _brokers(nodes, engines)
    if is_final(nodes, engines):
        return FINALISE if any(container_in(node, engines) for node in of_kind(nodes, ZOOKEEPER)) else REMOVE
    if not all(container_in(node, engines) for node in dedicated(nodes)):
        begun = [ORIGIN, *PHASES].index(_begun(nodes, engines, copied))
        return [ORIGIN, *PHASES][begun - 1]
    if not found or any(not item["migration"] and not item["cluster"] for item in found) or not copied:
        return CONTROLLERS
    return BROKERS if all(item["cluster"] for item in found) else DUAL_WRITE


def is_final(nodes: Sequence[Node], engines: Engines) -> bool:
    """Return whether every controller forgot ZooKeeper."""
    return is_finalising(nodes, engines) and not is_under_way(engines)


def is_finalising(nodes: Sequence[Node], engines: Engines) -> bool:
    """Return whether a controller already forgot ZooKeeper."""
    return bool({node["volume"] for node in dedicated(nodes)}.intersection(_final_volumes(engines)))


def _final_volumes(engines: Engines) -> list[str]:
    return [
        volume["name"]
        for engine in engines.values()
        for volume in engine.get("own_volumes", [])
        if volume["kind"] == CONTROLLER and volume["cluster"] and not volume["migration"]
    ]


def is_under_way(engines: Engines) -> bool:
    """Return whether a migration began, and is not finalised. A volume says so after its container is gone."""
    return any(
        item["migration"]
        for engine in engines.values()
        for item in [*engine.get("containers", []), *engine.get("own_volumes", [])]
    )


def any_uses_kraft(nodes: Sequence[Node], engines: Engines) -> bool:
    """Return whether a broker's container runs with KRaft."""
    return any(item["cluster"] for item in _brokers(nodes, engines))


def compares_before_return(nodes: Sequence[Node], engines: Engines, copied: bool, noted: bool) -> bool:
    """Return whether a return first repeats the phase dual-write, and compares what the cluster has.

    Brokers that ran with KRaft need it; they may be gone, as after a run that was killed between two containers. noted:
    whether an earlier run did not reach its comparison. Until then, controllers have the only other copy.
    """
    if any_uses_kraft(nodes, engines):
        return True
    if not all(container_in(node, engines) for node in dedicated(nodes)):
        return False  # the return is past its comparison
    begun, found = _begun(nodes, engines, copied), _brokers(nodes, engines)
    return begun == DUAL_WRITE and (not found or (noted and _phase(nodes, engines, copied) == DUAL_WRITE))


def migration_problems(nodes: Sequence[Node], engines: Engines, options: str) -> list[str]:
    """Return why no migration can begin. One that began continues. nodes: of the phase dual-write."""
    if is_under_way(engines) or is_finalising(nodes, engines):
        return []
    problems = []
    for node in of_kind(nodes, BROKER):
        running = running_version(container_in(node, engines))
        if line(node["version"]) != _LINE:
            problems.append(
                f"{node['host']}: stack_kafka_version is {node['version']}, and a migration needs Kafka {_LINE}. "
                f"Set {BETWEEN}, and upgrade first: ansible-playbook{options} playbooks/upgrade.yml."
            )
        elif running and (line(running[0]), running[1]) != (_LINE, _LINE):
            problems.append(
                f"{node['host']}: {node['container']} runs Kafka {running[0]} with protocol {running[1]}, and a "
                f"migration needs {_LINE} with protocol {_LINE}. Upgrade first: ansible-playbook{options} "
                "playbooks/upgrade.yml."
            )
        elif not running and not has_data(node, engines):
            problems.append(
                f"{node['host']}: there is no broker {node['container']}. Correct stack_name, or run site.yml first; "
                "for a new cluster, remove the group zookeeper of the inventory, and site.yml begins with KRaft."
            )
    return problems


def under_way_problems(engines: Engines, options: str) -> list[str]:
    """Return why a playbook other than that of the migration changes nothing while one is under way."""
    if not is_under_way(engines):
        return []
    said = (
        "A migration from ZooKeeper to KRaft is under way, and nodes are between the two. Continue it with "
        f"ansible-playbook{options} playbooks/migrate.yml"
    )
    if _final_volumes(engines):
        return [f"{said} -e migrate_finalise=true. The inventory needs its group zookeeper for it."]
    return [
        f"{said}, or return to ZooKeeper with ansible-playbook{options} playbooks/migrate_rollback.yml. The inventory "
        "needs its group zookeeper for both."
    ]


def left_over_problems(nodes: Sequence[Node], engines: Engines, found: Mapping[str, Any], options: str) -> list[str]:
    """Return why no migration can begin: the controllers of an earlier one are gone, and something of it is left.

    found: the records in ZooKeeper, see kafka_proof.deploy.zookeeper_records. With a record, new controllers would
    believe that they have all metadata, and empty the cluster (strimzi-kafka-operator#11262).
    """
    if any(has_data(node, engines) for node in dedicated(nodes)):
        return []
    if not found["migration"]:
        left = [item["name"] for item in _brokers(nodes, engines) if item["migration"] or item["cluster"]]
        return [
            f"{', '.join(left)}: of an earlier migration, whose controllers are gone. A return was interrupted. "
            f"Finish it first: ansible-playbook{options} playbooks/migrate_rollback.yml."
        ][: len(left)]
    return [
        "ZooKeeper has the record of an earlier migration, /migration, and the data of its controllers is gone. A "
        "migration that begins now would empty the cluster. Remove the record first: "
        f"ansible-playbook{options} playbooks/migrate_rollback.yml."
    ]


def next_phase(progress: Mapping[str, Any], check: bool, options: str) -> str:
    """Return what happens next, for people. check: whether the run only described it."""
    migrate = f"ansible-playbook{options} playbooks/migrate.yml"
    done = [phase for phase in progress["run"] if phase in progress["left"]]
    left = progress["left"] if check else [phase for phase in progress["left"] if phase not in done]
    now = progress["now"] if check or not done else done[-1]
    lines = [f"Now: {now} ({MEANING[now]})."]
    if left:
        lines.append(f"Next: {left[0]} ({MEANING[left[0]]}).")
        lines.append(f"  {migrate}{' -e migrate_finalise=true' if left[0] == FINALISE else ''}")
    else:
        lines.append(
            "The migration is complete. In the inventory, remove the group zookeeper; if it has no group "
            "kafka_controller, rename zookeeper to that. Remove the variables zookeeper_… and, of these hosts, "
            "stack_takes_over. Set these, and run site.yml:"
        )
        lines += [f"  {host}: kafka_controller_id={number}" for host, number in progress["controllers"].items()]
        lines.append(
            "Controllers keep their own containers. Where all nodes are on one engine, playbooks/combine.yml makes the "
            "brokers controllers instead, after the upgrade to 4.4 is finalised."
        )
        lines.append("The data of ZooKeeper is kept; teardown.yml -e teardown_data=true removes it with the stack.")
    if now in REVERSIBLE and progress["way_back"]:
        lines.append(f"Return to ZooKeeper: ansible-playbook{options} playbooks/migrate_rollback.yml")
    return "\n".join(lines)


def zookeeper_containers(nodes: Sequence[Node], engines: Engines, host: str) -> list[str]:
    """Return the containers of ZooKeeper on a host."""
    wanted = [node for node in of_kind(nodes, ZOOKEEPER) if node["host"] == host]
    return [node["container"] for node in wanted if container_in(node, engines)]


def forget_metadata(broker: Node) -> str:
    """Return the shell command that removes the broker's copy of the controllers' records, and says `removed` if so."""
    script = f"if [ -e {_METADATA} ]; then rm -r {_METADATA} && echo removed; fi"
    return shlex.join(["timeout", "60", "docker", "exec", broker["container"], "bash", "-c", script])


def _brokers(nodes: Sequence[Node], engines: Engines) -> list[dict[str, Any]]:
    """Return the containers of brokers, those of them that exist."""
    return [item for node in of_kind(nodes, BROKER) if (item := container_in(node, engines))]


def _for_kraft(hosts: Hosts, servers: Container[str]) -> Hosts:
    """Return the variables without settings that only brokers with ZooKeeper read; site.yml refuses them later.

    servers: hosts of ZooKeeper. A container that one of them took over was ZooKeeper's, and is no controller's.
    """
    return {
        host: {
            **own,
            "kafka_config": {k: v for k, v in own["kafka_config"].items() if not ZOOKEEPER_MODE.fullmatch(k)},
            "stack_takes_over": None if host in servers else own["stack_takes_over"],
        }
        for host, own in hosts.items()
    }


def _migrating(controller: Node, broker: Node) -> Node:
    """Return a controller that copies metadata from ZooKeeper, and sends it to brokers that still use it."""
    # Values that brokers encrypted in ZooKeeper are read with their password.encoder.secret.
    read = ("zookeeper.", "password.encoder.")
    own: dict[str, Any] = {key: value for key, value in broker["settings"].items() if key.startswith(read)}
    name = broker["inter_broker_listener"]
    of_brokers = {
        key: value
        for key, value in broker["settings"].items()
        if key.startswith(f"listener.name.{name.lower()}.") and ".ssl." in key
    }
    protocols = {
        item.partition(":")[0]: item
        for node in (broker, controller)
        for item in node["settings"]["listener.security.protocol.map"].split(",")
        if item.partition(":")[0] == name or node is controller
    }
    settings = {
        **controller["settings"],
        **own,
        **of_brokers,
        _ENABLE: True,
        "inter.broker.listener.name": name,
        "listener.security.protocol.map": ",".join(protocols.values()),
    }
    return with_files({**controller, "settings": settings, "labels": controller["labels"] | _UNDER_WAY})


def _dual(broker: Node, target: Node) -> Node:
    """Return a broker that uses ZooKeeper, and knows the controllers of the same broker with KRaft."""
    name = target["settings"]["controller.listener.names"]
    kept = ("controller.listener.names", _BOOTSTRAP, "listener.security.protocol.map")
    known = {
        key: value
        for key, value in target["settings"].items()
        if key in kept or key.startswith(f"listener.name.{name.lower()}.")
    }
    return with_files(
        {
            **broker,
            "settings": {**broker["settings"], **known, _ENABLE: True},
            # Of an earlier migration that was rolled back: its records would be taken for those of this one.
            "command": f"rm -rf {_METADATA}\n{broker['command']}",
            "labels": broker["labels"] | _UNDER_WAY,
        }
    )

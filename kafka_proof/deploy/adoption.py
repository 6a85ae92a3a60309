"""The inventory whose nodes take the place of containers of other images, with the same settings and addresses.

All text of a container is data. Without a translation the inventory is not written: a node that starts with other
addresses, or beside its data, would harm the cluster.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from kafka_proof.client.redact import is_secret
from kafka_proof.client.text import one_line
from kafka_proof.deploy.adoption_cluster import (
    COMPLETE,
    SELECT,
    cluster_problems,
    common_network,
    ensemble_problems,
    names_of_container,
    quorum_problems,
    version_for,
)
from kafka_proof.deploy.foreign import KAFKA, Found, items, running_version
from kafka_proof.deploy.lines import line, numbers
from kafka_proof.deploy.node import CONTROLLER, ZOOKEEPER
from kafka_proof.deploy.profiles import profile
from kafka_proof.deploy.removed_settings import BROKER as REMOVED
from kafka_proof.deploy.removed_settings import ZOOKEEPER_MODE, removal

# Settings that other variables than kafka_config decide, and those that scripts of images write and Kafka ignores.
_DERIVED = re.compile(
    r"broker\.id|node\.id|port|host\.name|(advertised\.)?listeners|advertised\.(host\.name|port)|log\.dirs?"
    r"|listener\.security\.protocol\.map|inter\.broker\.listener\.name|security\.inter\.broker\.protocol"
    r"|zookeeper\.connect|process\.roles|controller\.(listener\.names|quorum\.(voters|bootstrap\.servers))"
    r"|confluent\..*|cluster\.id|home|version|create\.topics.*"
)
_DERIVED_OF_ZOOKEEPER = re.compile(
    r"dataDir|dataLogDir|clientPort|clientPortAddress|server\.\d+|admin\..*|4lw\..*|metricsProvider\..*"
)
_ACCESS = re.compile(r"authProvider.*|.*sasl.*|.*jaas.*|secureClientPort|ssl\..*|sslQuorum|.*\.acl", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NO_ACCESS = "access control is not taken over. Remove it there first; docs/security.md sets it up afterwards"
_PLAINTEXT = "PLAINTEXT"
_LIMIT = ("socket.request.max.bytes", "104857600")  # of Kafka's sample file; this project derives a safe one


class Adopted(NamedTuple):
    """The inventory as data; notes for people; reasons why these containers cannot be taken over."""

    inventory: dict[str, Any]
    notes: list[str]
    problems: list[str]


class _Host(NamedTuple):
    """A host of the inventory: one node."""

    found: Found
    group: str
    name: str
    variables: dict[str, Any]
    notes: list[str]
    problems: list[str]


def adopt(
    found: Sequence[Found], stack: str, versions: Sequence[str], reach: Mapping[str, Any], selected: Sequence[str] = ()
) -> Adopted:
    """Return the inventory of these containers.

    versions: those of Kafka that this project runs; reach: {host: variables with which Ansible reaches it}; selected:
    names of containers that have to be among them.
    """
    if absent := sorted(set(selected).difference(each.name for each in found)):
        problem = (
            f"adopt_containers names {one_line(', '.join(absent))}, and no host of the inventory runs such a "
            "container. Start it, correct the name, or add its host to the inventory given by -i."
        )
        return Adopted({}, [], [problem])
    kafka = [each for each in found if each.layout.kind == KAFKA]
    kraft = not any("zookeeper.connect" in each.settings for each in kafka)
    servers = [] if kraft else [each for each in found if each.layout.kind == ZOOKEEPER]
    if not kafka:
        advice = "Start one, or give the inventory of its hosts by -i. docs/adopt.md lists the layouts."
        return Adopted({}, [], [f"No running container has a known layout of Kafka. {advice}"])
    if several := cluster_problems(kafka):
        return Adopted({}, [], several)
    network, problems = common_network([*servers, *kafka])
    version, said = version_for(kafka, versions, kraft)
    problems += said
    if not kraft and not servers:
        problems.append(f"The brokers use ZooKeeper, and no running container has a known layout of it. {COMPLETE}.")
    problems += quorum_problems(kafka, reach) if kraft else ensemble_problems(servers, kafka, reach)
    brokers = sum(each.roles != [CONTROLLER] for each in kafka)
    hosts = [_server(each, 2181 + index) for index, each in enumerate(servers)]
    hosts += [_kafka(each, brokers, kraft, version) for each in kafka]
    names = [host.name for host in hosts]
    problems += [
        f"{name} is the name of two nodes: their ids are equal. Name the containers of one cluster in adopt_containers."
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    groups: dict[str, Any] = {}
    for host in hosts:
        host.variables["stack_takes_over"]["names"] = names_of_container(host.found, network, found)
        groups.setdefault(host.group, {"hosts": {}})["hosts"][host.name] = reach[host.found.host] | host.variables
    common = {"stack_name": stack, "stack_network": network, "stack_kafka_version": version, "kafka_topics_present": []}
    return Adopted(
        {"all": {"vars": common, "children": groups}},
        [f"{host.found.name}: {note}" for host in hosts for note in host.notes],
        problems + [f"{host.found.name}: {problem}." for host in hosts for problem in host.problems],
    )


def summary(found: Sequence[Found], result: Adopted) -> list[str]:
    """Return lines for people: the containers, and what the inventory leaves out."""
    lines = [
        f"{each.host}: {each.name}, layout {each.layout.name}, {each.layout.kind} {running_version(each)}, "
        f"{each.kilobytes / 1024:.1f} MiB in {' and '.join(each.data)}"
        for each in found
    ]
    return [one_line(each, 500) for each in lines + result.notes]


# Nodes


def _server(each: Found, usual_port: int) -> _Host:
    settings, problems = each.settings, _data_problems(each)
    if (inside := settings.get("clientPort", "2181")) != "2181":
        problems.append(
            f"clientPort is {one_line(inside)}, and servers of this project listen on 2181 in their container. Set it "
            "to 2181, and zookeeper.connect of the brokers with it, and start them again"
        )
    problems += [f"{one_line(key)} is set, and {_NO_ACCESS}" for key in settings if _ACCESS.fullmatch(key)]
    if "dynamicConfigFile" in settings:
        problems.append("dynamicConfigFile is set, and its servers are not read. Move them to the file of settings")
    number = each.server_id
    config = {
        key: value
        for key, value in sorted(settings.items())
        if _KEY.fullmatch(key) and not _DERIVED_OF_ZOOKEEPER.fullmatch(key)
    }
    if "log." in each.version_2 and "snapshot." not in each.version_2:
        # A young server of ZooKeeper 3.4 wrote none, and later versions refuse its logs.
        config["snapshot.trust.empty"] = "true"
    published = _published(each, 2181)
    variables: dict[str, Any] = {"zookeeper_id": number, "zookeeper_port": published[1] if published else usual_port}
    variables |= {"zookeeper_bind_address": published[0]} if published else {}
    if ports := re.search(r":(\d+):(\d+)", settings.get(f"server.{number}", "")):
        variables |= {"zookeeper_quorum_port": int(ports[1]), "zookeeper_election_port": int(ports[2])}
    variables |= {"zookeeper_config": config, "stack_takes_over": _source(each)}
    return _Host(each, ZOOKEEPER, f"zookeeper-{number}", variables, _notes(each), problems)


def _kafka(each: Found, brokers: int, kraft: bool, version: str) -> _Host:
    settings, source = each.settings, _source(each)
    config, notes = _config(each, kraft, version)
    listeners, problems = _listeners(each)
    problems += _data_problems(each)
    if (number := each.node_id) is None:
        problems.append(f"no setting and no meta.properties says its id. If it runs no broker, {SELECT}")
    of_quorum = items(settings.get("controller.listener.names"))
    quorum = [item for item in listeners if item["name"] in of_quorum]
    notes += [
        f"port {at[1]} of the host is left out: the listener {item['name']} neither listens on it nor advertises it"
        for item in listeners
        if "bind_address" not in item and (at := _published(each, item["port"]))
    ]
    variables: dict[str, Any] = {"kafka_controller_port": quorum[0]["port"]} if kraft and quorum else {}
    if kraft:
        source["cluster"] = each.meta.get("cluster.id", "")
        source |= {"voters": voters} if (voters := settings.get("controller.quorum.voters")) else {}
        if not source["cluster"]:
            problems.append(
                f"its data has no meta.properties with a cluster.id. If it runs no node of Kafka, {SELECT}. Otherwise "
                "correct its log.dirs"
            )
    heap = re.search(r"-Xmx(\d+[kmgKMG])\b", each.environment.get("KAFKA_HEAP_OPTS", ""))
    size = heap[1].lower() if heap else "1g"  # Kafka's own
    if each.roles == [CONTROLLER]:
        variables |= {"kafka_controller_id": number, "kafka_controller_heap": size, "kafka_controller_config": config}
        variables["stack_takes_over"] = source
        return _Host(each, "kafka_controller", f"controller-{number}", variables, notes, problems)
    listeners = [item for item in listeners if item not in quorum]
    inter_broker, clients, said = _uses(settings, listeners)
    problems += said
    variables |= {"kafka_broker_id": number, "kafka_heap": size, "kafka_listeners": listeners}
    variables |= {"kafka_inter_broker_listener": inter_broker, "kafka_client_listener": clients}
    if "/" in settings.get("zookeeper.connect", ""):
        variables["kafka_zookeeper_connect"] = settings["zookeeper.connect"]
    # A takeover changes no setting: null for those that only the profile would set.
    usual = profile("development" if brokers == 1 else "production", brokers, with_zookeeper=not kraft).settings
    variables["kafka_config"] = config | {key: None for key in usual if key not in config}
    variables["stack_takes_over"] = source
    return _Host(each, KAFKA, f"broker-{number}", variables, notes, problems)


def _source(each: Found) -> dict[str, Any]:
    return {"container": each.name, "data": each.data}


def _config(each: Found, kraft: bool, version: str) -> tuple[dict[str, Any], list[str]]:
    """Return kafka_config, and a note for each setting that is left out."""
    config: dict[str, Any] = {}
    notes = _notes(each)
    for key, value in sorted(each.settings.items()):
        if _DERIVED.fullmatch(key) or (key, value) == _LIMIT:
            continue
        if not _KEY.fullmatch(key):
            notes.append(f"{one_line(key)} is left out: no setting has such a name")
        elif is_secret(key):
            notes.append(f"{key} is left out: it may be a secret")
        elif kraft and ZOOKEEPER_MODE.fullmatch(key):
            notes.append(f"{key} is left out: a setting of ZooKeeper mode")
        elif said := removal(key, version, REMOVED):
            notes.append(f"{key} is left out: a setting {said}")
        else:
            config[key] = value
    if kraft:
        return config, notes
    if (number := each.meta.get("broker.id", "")).isdigit() and int(number) > 1000:
        config["broker.id.generation.enable"] = "false"  # Kafka keeps ids above for those that it generates
    running = running_version(each)
    if running and numbers(running) < numbers(version):
        config.setdefault("inter.broker.protocol.version", line(running))
        notes.append(
            f"Kafka {running} becomes {version}, and keeps its protocol. When all brokers are taken over, remove "
            "inter.broker.protocol.version from kafka_config, and run site.yml"
        )
    return config, notes


def _notes(each: Found) -> list[str]:
    reasons = {
        r"KAFKA_CREATE_TOPICS\w*": "the topics exist; kafka_topics_present can name them",
        r"KAFKA_(OPTS|JMX_OPTS|JVM_PERFORMANCE_OPTS)": "kafka_jvm_options is for options of the JVM",
        r"KAFKA_LOG4J\w*": "logs go to docker logs",
    }
    return [
        f"{name} is left out: {reason}"
        for name, value in sorted(each.environment.items())
        for pattern, reason in reasons.items()
        if value and re.fullmatch(pattern, name)
    ]


def _data_problems(each: Found) -> list[str]:
    problems = [
        f"its data is in {one_line(path)}, which is no plain path. Move it to one of letters, digits and ._@:+-"
        for path in each.data
        if not re.fullmatch(r"(/[A-Za-z0-9._@:+-]+)+/?", path) or "/.." in path
    ]
    if each.layout.kind == KAFKA and len(each.data) > 1:
        problems.append(
            "log.dirs names several directories, and a node of this project has one. Move all partitions to one of "
            "them (kafka-reassign-partitions.sh with log_dirs), and name only this one"
        )
    if (each.inspected.get("HostConfig") or {}).get("AutoRemove"):
        problems.append(
            "it runs with --rm, so Docker removes it, and data inside it, when it stops. Start it without --rm on the "
            "same data. Data that is in no named volume and no directory of the host needs a copy first: docker cp"
        )
    problems += [
        f"its data in {one_line(path)} is in memory (tmpfs), and lost when it stops. Copy it to a volume first "
        f"(docker exec {each.name} tar -cf - -C {one_line(path)} .), and start it on this volume"
        for path in each.data
        if _in_memory(each, path)
    ]
    return problems


def _in_memory(each: Found, path: str) -> bool:
    """Return whether a directory is in a file system of the container in memory, or has one in it."""
    of_host = {item["Destination"] for item in each.inspected.get("Mounts") or [] if item["Type"] == "bind"}
    mounts = {}
    for mount in each.mounts.splitlines():  # proc_pid_mountinfo(5); "/" is the root of a separate file system
        place, _, kind = mount.partition(" - ")
        if len(fields := place.split()) > 4:
            own = fields[3] == "/" and fields[4] not in of_host
            mounts[PurePosixPath(fields[4])] = own and kind.startswith(("tmpfs ", "ramfs "))
    data = PurePosixPath(path)
    around = max((at for at in mounts if data.is_relative_to(at)), key=lambda at: len(at.parts), default=None)
    inside = [at for at in mounts if at.is_relative_to(data)]
    return any(mounts[at] for at in [*inside, *([around] if around else [])])


# Listeners


def _listeners(each: Found) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the listeners as kafka_listeners has them, that of controllers included."""
    settings, found, problems = each.settings, [], []
    protocols = dict(item.split(":", 1) for item in items(settings.get("listener.security.protocol.map")))
    listening = _addresses(settings.get("listeners")) or {
        _PLAINTEXT: (settings.get("host.name", ""), _port(settings.get("port"), 9092))
    }
    told = _addresses(settings.get("advertised.listeners"))
    if not told and (alone := settings.get("advertised.host.name")):
        single = settings.get("advertised.port")
        told = {name: (alone, _port(single, inside)) for name, (_, inside) in listening.items()}
    for name, (host, inside) in listening.items():
        if (protocol := protocols.get(name, name)) != _PLAINTEXT:
            problems.append(f"the listener {one_line(name)} uses {one_line(protocol)}, and {_NO_ACCESS}")
        listens = "" if host in ("0.0.0.0", "::") else host
        advertised, port = told.get(name, (listens, inside))
        item: dict[str, Any] = {"name": name, "port": inside, "protocol": protocol}
        # Kafka advertises the name of its host where a listener has none.
        item["advertised_host"] = advertised or listens or str(each.inspected["Config"].get("Hostname", ""))
        published = _published(each, inside)
        if published and published[1] in (inside, port):
            item |= {"port": published[1], "bind_address": published[0]}
        found.append(item if port == item["port"] else item | {"advertised_port": port})
    return found, problems


def _uses(settings: Mapping[str, str], listeners: Sequence[Mapping[str, Any]]) -> tuple[str, str, list[str]]:
    """Return the listener between brokers, that of clients on the host, and what is wrong with them."""
    # Without a name, Kafka takes the listener that has the name of the protocol.
    wanted = settings.get("inter.broker.listener.name") or settings.get("security.inter.broker.protocol") or _PLAINTEXT
    inter_broker = next((item["name"] for item in listeners if item["name"].upper() == wanted.upper()), "")
    problems = []
    if not inter_broker:
        problems.append(
            f"no listener has the name {one_line(wanted)}, and brokers use this one between them. Set "
            "inter.broker.listener.name to one of listeners"
        )
    published = [item["name"] for item in listeners if item.get("bind_address")]
    clients = next((name for name in published if name != inter_broker), next(iter(published), ""))
    if not clients:
        problems.append(
            "no listener is published at the port that it listens on or advertises, and this machine has to reach the "
            "broker. Publish one first, such as EXTERNAL://localhost:9094"
        )
    return inter_broker, clients, problems


def _addresses(text: str | None) -> dict[str, tuple[str, int]]:
    """Return {listener: (host, port)} of a list such as INTERNAL://:9092,EXTERNAL://localhost:9094."""
    found = (re.fullmatch(r"([^:/]+)://\[?(.*?)\]?:(\d+)", item) for item in items(text))
    return {match[1]: (match[2], int(match[3])) for match in found if match}


def _port(text: str | None, usual: int) -> int:
    return int(text) if text and text.isdigit() else usual


def _published(each: Found, inside: int) -> tuple[str, int] | None:
    """Return (address, port) on the host of a port in the container; None where it is not published."""
    bindings = (each.inspected["NetworkSettings"].get("Ports") or {}).get(f"{inside}/tcp") or []
    return next(((item["HostIp"] or "0.0.0.0", int(item["HostPort"])) for item in bindings if item["HostPort"]), None)

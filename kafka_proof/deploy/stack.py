"""Decisions about the stack as a whole and its engines, as functions: they see what there is and say what follows."""

import ipaddress
import re
import shlex
from pathlib import Path

from kafka_proof.client import redact

# Variables that say what to do and how to get there, passwords among them, not what the stack is.
_OF_THIS_RUN = ("ansible_", "decommission", "rebalance_", "restart_", "support_", "teardown_", "upgrade_")


def is_local(host, hostvars):
    """Whether this host of the inventory is the machine that runs Ansible."""
    return hostvars[host].get("ansible_connection", "ssh") == "local" or host in ("localhost", "127.0.0.1", "::1")


def engines(hosts, hostvars):
    """Which engine each of `hosts` uses, {host: text}: hosts with the same one share it."""
    found = {}
    for host in hosts:
        variables = hostvars[host]
        if is_local(host, hostvars):
            found[host] = "local"
        else:
            port = int(variables.get("ansible_port") or 22)
            found[host] = str(variables.get("ansible_host", host)) + (f" port {port}" if port != 22 else "")
    return found


def stack_options(sources, usual, stack_name, given):
    """The options with which a command is about this inventory and stack, such as " -i hosts.ini -e stack_name=two".

    `sources`: Ansible's inventory sources, as absolute paths; `usual`: those that it takes without any option;
    `given`: what came by -e.
    """
    options = [] if list(sources) == list(usual) else [word for source in sources for word in ("-i", _relative(source))]
    given = [redact.masked(text) for text in given if not text.startswith(_OF_THIS_RUN)]
    if stack_name and not any("stack_name" in text for text in given):
        given = [f"stack_name={stack_name}", *given]
    options += [word for text in given for word in ("-e", text)]
    return "".join(f" {shlex.quote(word)}" for word in options)


def smoke_options(stack_name, client_properties, topics):
    """The options with which `tox -e smoke` is about this stack, and expects the first topic that is wanted."""
    topic = next((":".join(str(item[key]) for key in ("name", "partitions") if item.get(key)) for item in topics), "")
    if not stack_name and topic == "kafka_demo:2":
        return ""  # what it expects by itself
    options = ["--", "--client-properties", _relative(client_properties), *(["--topic", topic] if topic else [])]
    return "".join(f" {shlex.quote(word)}" for word in options)


def _relative(path):
    """As it is written from here, if it is below."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else str(path)


def sharing(engine_of, host):
    """The hosts that share an engine with `host`, itself among them; `engine_of`: what `engines` said."""
    return [other for other, engine in engine_of.items() if engine == engine_of.get(host)]


def containers_wanted(containers, hosts):
    """{container: ports to publish} of those of some hosts. `containers`: list of {host, container, ports}."""
    return {item["container"]: item["ports"] for item in containers if item["host"] in hosts}


def broker_version(engine, container):
    """Which Kafka a broker runs, and which protocol it speaks to the others: (version, protocol), such as
    ("3.9.2", "3.8"); None if there is no such container, or one from before versions were noted."""
    found = [item for item in engine.get("containers", []) if item["name"] == container and item["version"]]
    if not found:
        return None
    set_to = re.search(
        r"^inter\.broker\.protocol\.version=(\d+\.\d+)", found[0]["env"].get("PROPERTIES", ""), re.MULTILINE
    )
    return found[0]["version"], set_to[1] if set_to else _line(found[0]["version"])


def protocol_to_keep(brokers, hostvars, wanted):
    """The protocol that brokers speak to each other until all of them run `wanted`; "" if all do: it may rise.

    `brokers`: list of {host, container}.
    """
    found = [broker_version(hostvars[item["host"]]["__stack_engine"], item["container"]) for item in brokers]
    found = [item for item in found if item]
    if all(_line(version) == _line(wanted) for version, _ in found):
        return ""
    return min((protocol for _, protocol in found), key=_number)


def protocol_kept(host, brokers, hostvars):
    """The protocol that an upgrade has not raised yet on a host; "" if its broker speaks that of the version it runs.

    A broker that is new speaks as the slowest of the others. `brokers`: list of {host, container}.
    """
    found = {
        item["host"]: broker_version(hostvars[item["host"]]["__stack_engine"], item["container"]) for item in brokers
    }
    kept = {name: item[1] for name, item in found.items() if item and item[1] != _line(item[0])}
    return kept.get(host, "") if found.get(host) else min(kept.values(), key=_number, default="")


def version_problems(engine, container, wanted, upgrading, options=""):
    """Why a broker's container may not be made with the version that is wanted."""
    if not (found := broker_version(engine, container)):
        return []
    version, protocol = found
    if _number(_line(wanted)) < _number(protocol):
        return [
            f"{container} runs Kafka {version} and speaks protocol {protocol} to the others; what it wrote since, "
            f"Kafka {wanted} cannot read: the way back ended when the protocol was raised. "
            f"Set stack_kafka_version to {version}."
        ]
    if _line(wanted) != _line(version) and not upgrading:
        return [
            f"{container} runs Kafka {version}, and stack_kafka_version is {wanted}. "
            f"Run: ansible-playbook{options} playbooks/upgrade.yml, which changes the version one broker at a time."
        ]
    return []


def _line(version):
    """Of 3.9.2, 3.9: versions of a line speak the same protocol."""
    return ".".join(version.split(".")[:2])


def _number(line):
    return [int(part) for part in line.split(".")]


def stack_problems(groups, in_play):
    """What in the inventory cannot work for any role.

    `groups`: {group: hosts}; `in_play`: the hosts that the play is for.
    """
    problems = []
    if not (groups.get("kafka") and groups.get("zookeeper")):
        problems.append(
            "The inventory needs a host in the group kafka and one in the group zookeeper; see inventory.example."
        )
    if left_out := sorted({*groups.get("kafka", []), *groups.get("zookeeper", [])} - set(in_play)):
        problems.append(
            f"--limit leaves out {', '.join(left_out)}, and what may change is decided for all hosts together. "
            "Run it without: hosts where nothing is to change are not touched, and one broker is taken out by "
            "playbooks/decommission.yml."
        )
    return problems


def own_containers(names, engine):
    """Those of `names` that are there and of this project's making. `engine`: as engine_look shows it."""
    return [item["name"] for item in engine.get("containers", []) if item["name"] in names and _is_own(item)]


def host_problems(engine_of, hostvars, servers, brokers, upgrading, options=""):  # noqa: PLR0913, PLR0917
    """What on each host, and on its engine, is in the way of what is wanted there.

    `engine_of`: what `engines` said; `servers`, `brokers`: lists of {host, container, ports}, brokers with a version.
    Of each host's variables is read `__stack_engine`, as engine_look shows it. `options`: of `stack_options`, for
    commands that the messages advise.
    """
    problems = []
    for host in engine_of:
        engine = hostvars[host]["__stack_engine"]
        neighbours, found = sharing(engine_of, host), []
        if host == neighbours[0]:
            wanted = containers_wanted([*servers, *brokers], neighbours)
            # Of this machine's engine it is not sure that it is this machine: it may be in a machine of its own.
            seen = engine | {"addresses": []} if engine_of[host] == "local" else engine
            found = engine_problems(wanted, seen, len(servers), options)
        for broker in brokers:
            if broker["host"] == host:
                found += version_problems(engine, broker["container"], broker["version"], upgrading, options)
        problems += [f"{host}: {message}" for message in found]
    return problems


def engine_problems(wanted, engine, zookeepers, options=""):
    """What on the engine and its host is in the way of the containers that are wanted on it.

    `wanted`: {name: ["address:port:port"]}; `engine`: as engine_look shows it; `zookeepers`: how many servers the
    ensemble has.
    Returns a list of messages, each with what, where, and what to do.
    """
    problems, earlier = [], []
    for name, ports in wanted.items():
        problems += _container_problems(name, ports, engine, earlier)
        earlier += [(_binding(port), f"wanted for {name} too") for port in ports]
    problems += _forgotten_brokers(wanted, engine)
    # Of several servers one may lose its data: it gets it from the others.
    return problems + (list(_data_problems(wanted, engine, options)) if zookeepers == 1 else [])


def _container_problems(name, ports, engine, holders):
    holders, own_ports = list(holders), set()
    is_zookeeper = re.search(r"zookeeper(-\d+)?$", name)
    for item in engine.get("containers", []):
        ports_now = {tuple(port) for port in item["ports"]}
        if item["name"] != name:
            holders += [(port, f"in use by the container {item['name']}") for port in ports_now]
        elif _is_own(item):
            own_ports = ports_now
        else:
            yield (
                f"a container named {name} (image {item['image']}) is there, and not of this project's making. "
                f"Rename it (docker rename {name} NEWNAME), or choose a stack_name."
            )
    for item in engine.get("listening", []):
        if (item["address"], item["port"]) in own_ports:
            continue  # the engine itself, for the container that is to be changed
        pid = f" (pid {item['pid']})" if item.get("pid") else ""
        process = f"in use by the process {item.get('name') or 'of another user'}{pid}"
        holders.append(((item["address"], item["port"]), process))
    own = [_normal(address) for address in engine.get("addresses", [])]
    for number, (address, port) in enumerate(map(_binding, ports)):
        if (address, port) in own_ports:
            continue
        if own and not ({_normal(address)} & {"0.0.0.0", "::", *own} or address.startswith("127.")):
            yield (
                f"port {port} of {name} is to be published on {address}, and this host has {', '.join(own)}. "
                f"Set {'zookeeper' if is_zookeeper else 'kafka'}_bind_address to one of them, and stack_address to "
                "that by which the other hosts reach it."
            )
        held = [how for (other, taken), how in holders if taken == port and _overlap(address, other)]
        if held:
            variable = _PORTS[number] if is_zookeeper else "kafka_port, or that of the listener in kafka_listeners"
            yield f"port {port} on {address}, which {name} is to publish, is {held[0]}. Free it, or set {variable}."


def _normal(address):
    """As Python writes it: 2001:DB8:0::1 is 2001:db8::1."""
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return address


_PORTS = ("zookeeper_port", "zookeeper_quorum_port", "zookeeper_election_port")  # as zookeeper_ports gives them


def _forgotten_brokers(wanted, engine):
    """Brokers of this stack that no host has any more: left to themselves by a changed inventory."""
    ours = [found[1] for name in wanted if (found := re.fullmatch(r"(.*?)kafka(-\d+)?", name))]
    for item in engine.get("containers", []):
        of_stack = any(re.fullmatch(re.escape(prefix) + r"kafka(-\d+)?", item["name"]) for prefix in ours)
        if of_stack and _is_own(item) and item["name"] not in wanted:
            yield (
                f"the broker {item['name']} is there, and no host of the inventory has its id. If a kafka_broker_id "
                "was changed, set it back; if it is to go, put its host back and run playbooks/decommission.yml."
            )


def _data_problems(wanted, engine, options):
    volumes = engine.get("volumes", [])
    for kafka in wanted:
        zookeeper = f"{kafka.removesuffix('kafka')}zookeeper"
        if zookeeper in wanted and f"{kafka}-data" in volumes and f"{zookeeper}-data" not in volumes:
            yield (
                f"the volume {kafka}-data holds messages of a cluster whose ZooKeeper data, the volume "
                f"{zookeeper}-data, is gone; a broker refuses to serve them to another cluster. Restore that volume; "
                "or give the messages up, with "
                f"ansible-playbook{options} playbooks/teardown.yml -e teardown_data=true."
            )


def _is_own(container):
    """By its label, or because it has our data."""
    return container["stack"] is not None or f"{container['name']}-data" in container["volumes"]


def _binding(published):
    """The address and the port of "address:port:port"."""
    address, port, _ = published.rsplit(":", 2)
    return address.strip("[]"), int(port)


def _overlap(one, other):
    return one == other or {one, other} & {"0.0.0.0", "::", "*", "", None} != set()

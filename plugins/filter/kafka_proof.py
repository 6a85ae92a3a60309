"""Decisions that the roles make, as functions: they see what is wanted and say what follows, and touch nothing."""

import difflib
import ipaddress
import re
import socket
from collections import Counter
from pathlib import Path

import yaml

LOOPBACK = "127.0.0.1"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


def to_properties(settings):
    """Render a dictionary as a .properties file, sorted, so that the same settings give the same text.

    True and False become Kafka's `true` and `false`; a setting that is None is left out. Only what must be is escaped
    (javaproperties would write `localhost\\:9092`), because kcat reads the same files and knows no escapes.
    """
    return "".join(f"{key}={_text(settings[key])}\n" for key in sorted(settings) if settings[key] is not None)


def _text(value):
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip().replace("\\", "\\\\").replace("\n", "\\n")


def kafka_listener_properties(listeners, inter_broker):
    """Derive all that a broker's configuration says of its listeners.

    `listeners`: list of {name, port, protocol, advertised_host, advertised_port (default: port), bind_address}.
    """
    return {
        "listeners": ",".join(f"{item['name']}://0.0.0.0:{item['port']}" for item in listeners),
        "advertised.listeners": ",".join(f"{item['name']}://{_advertised(item)}" for item in listeners),
        "listener.security.protocol.map": ",".join(f"{item['name']}:{item['protocol']}" for item in listeners),
        "inter.broker.listener.name": inter_broker,
    }


def kafka_published_ports(listeners):
    """The `address:port:port` of each listener that is published on its host."""
    return [
        f"{_bracketed(item['bind_address'])}:{item['port']}:{item['port']}"
        for item in listeners
        if item.get("bind_address")
    ]


def kafka_advertised(listeners, name):
    """The `host:port` that the listener `name` advertises; None if there is no such listener."""
    return next((_advertised(item) for item in listeners if item["name"] == name), None)


def _advertised(listener):
    return f"{_bracketed(listener['advertised_host'])}:{listener.get('advertised_port', listener['port'])}"


def _bracketed(host):
    return f"[{host}]" if ":" in str(host) else host


def kafka_bind_address(advertised_host):
    """The address on which a host publishes a port that clients reach at `advertised_host`: never all interfaces.

    A name is resolved, since Docker publishes on addresses; an empty string if it does not resolve, which is for
    `kafka_problems` to say.
    """
    if _is_loopback(advertised_host):
        return LOOPBACK
    return _resolve(advertised_host) or ""


def _resolve(host):
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError):
        return None


def _is_loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def kafka_problems(brokers, resolve=_resolve):
    """What in the inventory cannot work, found before anything is touched.

    `brokers`: list of {host, is_local, broker_id, listeners, client_listener, inter_broker_listener, config, computed}.
    Returns a list of messages, each with what, where, and what to do.
    """
    problems = []
    for broker in brokers:
        problems += [f"{broker['host']}: {message}" for message in _broker_problems(broker, resolve)]
    ids = Counter(str(broker["broker_id"]) for broker in brokers)
    for broker_id, times in ids.items():
        if times > 1:
            hosts = ", ".join(broker["host"] for broker in brokers if str(broker["broker_id"]) == broker_id)
            problems.append(f"{hosts}: all have kafka_broker_id {broker_id}. Give each broker an id of its own.")
    return problems


def _broker_problems(broker, resolve):
    listeners = broker["listeners"]
    names = [item["name"] for item in listeners]
    if not names:
        yield "kafka_listeners is empty. Leave it out for the usual two, or give the broker one."
        return
    for name in _repeated(names):
        yield f"kafka_listeners has {name} more than once. Give each listener a name of its own."
    for port in _repeated([int(item["port"]) for item in listeners]):
        yield f"kafka_listeners has port {port} more than once. Give each listener a port of its own."
    for address in _repeated([_advertised(item) for item in listeners]):
        yield f"two listeners advertise {address}. Give each its own advertised_host or advertised_port."
    for role in ("client", "inter_broker"):
        if broker[f"{role}_listener"] not in names:
            yield (
                f"kafka_{role}_listener is {broker[f'{role}_listener']}, and kafka_listeners has {', '.join(names)}. "
                "Name one of those."
            )
    for item in listeners:
        yield from _listener_problems(item, broker["is_local"], resolve)
    for key in sorted(broker["config"].keys() & broker["computed"].keys()):
        yield f"kafka_config sets {key}, which is derived from {_OWNERS.get(key, 'kafka_listeners')}. Set that instead."


_OWNERS = {"broker.id": "kafka_broker_id", "zookeeper.connect": "kafka_zookeeper_connect", "log.dirs": "stack_name"}


def _listener_problems(listener, is_local, resolve):
    name, host = listener["name"], listener["advertised_host"]
    if listener["protocol"] not in PROTOCOLS:
        yield f"listener {name} has protocol {listener['protocol']}. Kafka knows {', '.join(PROTOCOLS)}."
    for key in ("port", "advertised_port"):
        if not 0 < int(listener.get(key, 1)) < 65536:
            yield f"listener {name} has {key} {listener[key]}. Ports are 1 to 65535."
    if host in ("0.0.0.0", "::", ""):
        yield (
            f"listener {name} advertises '{host}', to which no client can connect. "
            "Set kafka_advertised_host to a name or address of this host."
        )
    elif "bind_address" not in listener:
        return  # only containers on the stack's network use it, and Docker resolves their names
    elif _is_loopback(host) and not is_local:
        yield (
            f"listener {name} advertises {host}, which to every client means the client itself. "
            "Set kafka_advertised_host to the name or address by which clients reach this host."
        )
    elif not resolve(host):
        yield (
            f"listener {name} advertises {host}, which does not resolve here. "
            "Correct kafka_advertised_host, or add the name to DNS or /etc/hosts."
        )
    elif not _is_address(listener["bind_address"]):
        yield (
            f"listener {name} has bind_address {listener['bind_address']}, and Docker publishes on addresses. "
            "Write one, such as 0.0.0.0."
        )


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _repeated(items):
    return [item for item, times in Counter(items).items() if times > 1]


def topic_problems(topics, absent, brokers):
    """What in `kafka_topics_present` and `kafka_topics_absent` Kafka would refuse. `brokers`: how many there are."""
    problems = []
    names = [topic["name"] for topic in topics]
    for name in _repeated(names):
        problems.append(f"kafka_topics_present has {name} more than once. Keep one.")
    for name in sorted({name for name in names if "." in name}):
        if (other := name.replace(".", "_")) in names:
            problems.append(f"kafka_topics_present has {name} and {other}, whose metric names collide. Rename one.")
    for name in sorted(set(names) & set(absent)):
        problems.append(f"{name} is in kafka_topics_present and in kafka_topics_absent. Keep it in one of them.")
    for topic in topics:
        problems += _topic_problems(topic, brokers)
    return problems


def _topic_problems(topic, brokers):
    name = topic["name"]
    if not re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name) or name in (".", ".."):
        yield (
            f"kafka_topics_present has {name!r}, a name that Kafka refuses. "
            "Use 1 to 249 letters, digits, dots, underscores and hyphens."
        )
    if int(topic.get("partitions", 1)) < 1:
        yield f"topic {name} has partitions {topic['partitions']}. Give it 1 or more."
    replicas = int(topic.get("replication_factor", 1))
    if not 1 <= replicas <= brokers:
        yield (
            f"topic {name} has replication_factor {replicas}, and the inventory has {brokers} broker(s). "
            "Lower it, or add hosts to the group kafka."
        )


def stack_problems(groups, host, stack_name, unknown):
    """What in the inventory cannot work for any role.

    `groups`: {group: hosts}; `unknown`: what `unknown_variables` said.
    """
    problems = []
    if not (groups.get("kafka") and groups.get("zookeeper")):
        problems.append(
            "The inventory needs a host in the group kafka and one in the group zookeeper; see inventory.example."
        )
    if unknown:
        advice = "If a variable is meant for something else, name it in stack_ignored_variables."
        problems += [f"{host}:", *unknown, advice]
    if not re.fullmatch(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)?", stack_name):
        problems.append(
            f"{host}: stack_name is '{stack_name}', and Docker names no container so. "
            "Use letters, digits, dots, underscores and hyphens, a letter or digit first."
        )
    return problems


def zookeeper_problems(config, port, computed, container):
    """What in ZooKeeper's variables cannot work. `computed`: the properties that the role derives."""
    problems = []
    if own := sorted(config.keys() & computed.keys()):
        problems.append(
            f"zookeeper_config sets {', '.join(own)}, which this role derives. "
            f"Set zookeeper_port for the port that clients use; the data is in the volume {container}-data."
        )
    if not 0 < int(port) < 65536:
        problems.append(f"zookeeper_port is {port}. Ports are 1 to 65535.")
    return problems


def unknown_variables(names, roles_path):
    """Variables that look like ours and are none: misspelt, or removed.

    `names`: the names of variables that begin as a role's do; `roles_path`: where the roles are.
    """
    known = set()
    for path in Path(roles_path).glob("*/meta/argument_specs.yml"):
        for entry_point in yaml.safe_load(path.read_text())["argument_specs"].values():
            known |= entry_point["options"].keys()
    problems = []
    for name in sorted(set(names) - known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0)
        problems.append(f"{name} is no variable of this project. Did you mean {near[0]}?")
    return problems


def own_containers(names, engine):
    """Those of `names` that are there and of this project's making. `engine`: as engine_look shows it."""
    return [item["name"] for item in engine.get("containers", []) if item["name"] in names and _is_own(item)]


def engine_publishes(wanted, engine):
    """Whether the ports of all that is wanted are published by it now; arguments as in `engine_problems`."""
    now = {(item["name"], tuple(port)) for item in engine.get("containers", []) for port in item["ports"]}
    return now.issuperset((name, _binding(port)) for name, ports in wanted.items() for port in ports)


def free_to_bind(wanted):
    """Whether nobody on this host listens on any of the ports; `wanted` as in `engine_problems`."""
    for address, port in [_binding(port) for ports in wanted.values() for port in ports]:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # a closed connection that lingers is no listener
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def engine_problems(wanted, engine, listening):
    """What on the engine and its host is in the way of the containers that are wanted on it.

    `wanted`: {name: ["address:port:port"]}; `engine`: as engine_look shows it; `listening`: list
    of {address, port, name, pid}, the host's TCP sockets.
    Returns a list of messages, each with what, where, and what to do.
    """
    problems, earlier = [], []
    for name, ports in wanted.items():
        problems += _container_problems(name, ports, engine, listening, earlier)
        earlier += [(_binding(port), f"wanted for {name} too") for port in ports]
    return problems + list(_data_problems(wanted, engine))


def _container_problems(name, ports, engine, listening, holders):
    holders, own_ports = list(holders), set()
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
    for item in listening:
        pid = f" (pid {item['pid']})" if item.get("pid") else ""
        process = f"in use by the process {item.get('name') or 'of another user'}{pid}"
        holders.append(((item["address"], item["port"]), process))
    for address, port in map(_binding, ports):
        if (address, port) in own_ports:
            continue
        held = [how for (other, number), how in holders if number == port and _overlap(address, other)]
        if held:
            variable = "zookeeper_port" if name.endswith("zookeeper") else "kafka_port"
            yield f"port {port} on {address}, which {name} is to publish, is {held[0]}. Free it, or set {variable}."


def _data_problems(wanted, engine):
    volumes = engine.get("volumes", [])
    for kafka in wanted:
        zookeeper = f"{kafka.removesuffix('kafka')}zookeeper"
        if zookeeper in wanted and f"{kafka}-data" in volumes and f"{zookeeper}-data" not in volumes:
            yield (
                f"the volume {kafka}-data holds messages of a cluster whose ZooKeeper data, the volume "
                f"{zookeeper}-data, is gone; a broker refuses to serve them to another cluster. Restore that volume; "
                "or run ansible-playbook playbooks/teardown.yml -e teardown_data=true, to give the messages up."
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


def kafka_diagnosis(containers, log):
    """Say why a broker does not answer: how its containers fare, what is known of such an end, and what it said last.

    `containers`: as engine_look shows them; `log`: the broker's last lines.
    """
    said = [
        f"The container {item['name']} is {item['state']}, its last exit code {item['exit_code']}, "
        f"restarted {item['restarts']} times."
        for item in containers
    ]
    if not containers:
        said.append("There is no container of it.")
    said += dict.fromkeys(advice for sign, advice in _SIGNS.items() if any(sign in line for line in log))
    return [*said, "It said last:", *log[-15:]] if log else said


_OTHER_CLUSTER = (
    "Its data belongs to another cluster: ZooKeeper's data was replaced and the broker's was kept. "
    "Restore ZooKeeper's volume; or, to give the messages up, run: "
    "ansible-playbook playbooks/teardown.yml -e teardown_data=true"
)
_SIGNS = {
    "InconsistentClusterIdException": _OTHER_CLUSTER,
    "Invalid cluster.id": _OTHER_CLUSTER,  # what Kafka says once it has checked its own file first
    "InconsistentBrokerIdException": "Its data was written under another id. Set kafka_broker_id back to that id.",
    "ZooKeeperClientTimeoutException": (
        "It does not reach ZooKeeper. See docker logs of that container, and kafka_zookeeper_connect."
    ),
    "OutOfMemoryError": "Its heap is too small. Raise kafka_heap.",
    "No space left on device": "The disk is full. Make space, or lower log.retention.bytes in kafka_config.",
    "ConfigException": "Kafka refuses its configuration. Correct kafka_config.",
    "Unrecognized VM option": "The JVM refuses an option. Correct kafka_jvm_options.",
    "Invalid maximum heap size": "The JVM refuses the heap. Correct kafka_heap, such as 512m.",
}


class FilterModule:
    """Make the functions available to the roles."""

    def filters(self):
        functions = (
            engine_problems,
            engine_publishes,
            free_to_bind,
            kafka_advertised,
            kafka_bind_address,
            kafka_diagnosis,
            kafka_listener_properties,
            kafka_problems,
            kafka_published_ports,
            own_containers,
            stack_problems,
            to_properties,
            topic_problems,
            unknown_variables,
            zookeeper_problems,
        )
        return {function.__name__: function for function in functions}

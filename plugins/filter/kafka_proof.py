"""Decisions about brokers, as functions: they see what is wanted and say what follows, and touch nothing."""

import ipaddress
import re
import socket
from collections import Counter

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


def kafka_client(brokers):
    """What a client needs to know, {key of client.properties: value}. `brokers`: as in `kafka_problems`."""
    of_clients = [
        next(item for item in broker["listeners"] if item["name"] == broker["client_listener"]) for broker in brokers
    ]
    return {
        "bootstrap.servers": ",".join(map(_advertised, of_clients)),
        "security.protocol": next((item["protocol"] for item in of_clients), "PLAINTEXT"),
    }


def kafka_client_now(client, brokers, hostvars):
    """As `client`, of `kafka_client`, and with the addresses at which the brokers that run are reached until they are
    made anew with those of the inventory. `brokers`: list of {host, container, client_listener}."""
    servers = dict.fromkeys([*_made_with(brokers, hostvars, ["running"]), *client["bootstrap.servers"].split(",")])
    return client | {"bootstrap.servers": ",".join(servers)}


def kafka_client_there(client, brokers, hostvars):
    """As `client`, but with the addresses that the brokers' containers were made with, if there are any."""
    servers = _made_with(brokers, hostvars)
    return client | {"bootstrap.servers": ",".join(servers)} if servers else client


def _made_with(brokers, hostvars, states=None):
    """What brokers' containers advertise to clients, whichever the inventory says."""
    found = []
    for broker in brokers:
        engine = hostvars[broker["host"]].get("__stack_engine") or {}  # none of a host that is unreachable
        for item in engine.get("containers", []):
            if item["name"] == broker["container"] and item["state"] in (states or [item["state"]]):
                listener = rf"^advertised\.listeners=(?:.*,)?{re.escape(broker['client_listener'])}://([^,\n]+)"
                address = re.search(listener, item["env"].get("PROPERTIES", ""), re.MULTILINE)
                found += [address[1]] if address else []
    return found


def _advertised(listener):
    return f"{_bracketed(listener['advertised_host'])}:{listener.get('advertised_port', listener['port'])}"


def _bracketed(host):
    return f"[{host}]" if ":" in str(host) else host


def kafka_addresses(brokers, for_clients=False):
    """What kafka_reach has to try: each broker's addresses beyond its own engine. `brokers`: as in `kafka_problems`.

    For clients: without the listener that is for the brokers among themselves, whose network may be theirs alone.
    """
    return [
        [int(broker["broker_id"]), _advertised(item), item["protocol"] == "PLAINTEXT"]
        for broker in brokers
        for item in broker["listeners"]
        if item.get("bind_address")
        and item.get("prove", True)
        and not (for_clients and item["name"] == broker["inter_broker_listener"] != broker["client_listener"])
    ]


def kafka_bind_address(advertised_host):
    """The address on which a host publishes a port that clients reach at `advertised_host`: never all interfaces.

    A name is resolved, since Docker publishes on addresses; one that does not resolve stays, and `kafka_problems`
    says so.
    """
    if _is_loopback(advertised_host):
        return LOOPBACK
    return _resolve(advertised_host) or advertised_host


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
        most = int(broker["config"].get("reserved.broker.max.id") or 1000)
        generated = str(broker["config"].get("broker.id.generation.enable", True)).lower() != "false"
        if int(broker["broker_id"]) < 0 or (generated and int(broker["broker_id"]) > most):
            problems.append(
                f"{broker['host']}: kafka_broker_id is {broker['broker_id']}. Kafka's are 0 to {most}; "
                "reserved.broker.max.id in kafka_config allows more."
            )
    for broker_id, hosts in _shared((str(broker["broker_id"]), broker["host"]) for broker in brokers):
        problems.append(f"{hosts}: all have kafka_broker_id {broker_id}. Give each broker an id of its own.")
    advertised = [
        (_advertised(item), broker["host"])
        for broker in brokers
        for item in broker["listeners"]
        if item.get("bind_address")  # others are names in the network of one engine
    ]
    for address, hosts in _shared(dict.fromkeys(advertised)):
        problems.append(
            f"{hosts}: all advertise {address}, and clients would reach one of them for another. "
            "Give each its own kafka_advertised_host or kafka_port. With ansible_connection=local all are this "
            "machine; for other hosts begin with examples/hosts.ini."
        )
    return problems


def _shared(pairs):
    """Those keys of (key, host) pairs that several hosts have, each with its hosts as text."""
    hosts = {}
    for key, host in pairs:
        hosts.setdefault(key, []).append(host)
    return [(key, ", ".join(found)) for key, found in hosts.items() if len(found) > 1]


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
        if item["name"] == broker["client_listener"] and item["protocol"] in PROTOCOLS[1:]:
            yield (
                f"kafka_client_listener is {item['name']} with {item['protocol']}, and no variable says by what a "
                "client of that proves itself. Name a PLAINTEXT listener; the others may be of any protocol."
            )
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
    elif not listener.get("bind_address"):
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
    elif not _is_loopback(host) and _is_loopback(listener["bind_address"]) and listener["bind_address"] != LOOPBACK:
        # As Debian has it in /etc/hosts for a machine's own name.
        yield (
            f"listener {name} advertises {host}, which here is {listener['bind_address']}, where no other machine "
            "reaches it. Set kafka_bind_address to the address that others know, or to 0.0.0.0."
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
    if int(_given(topic, "partitions")) < 1:
        yield f"topic {name} has partitions {topic['partitions']}. Give it 1 or more."
    replicas = int(_given(topic, "replication_factor"))
    if not 1 <= replicas <= brokers:
        yield (
            f"topic {name} has replication_factor {replicas}, and the inventory has {brokers} broker(s). "
            "Lower it, or add hosts to the group kafka."
        )


def _given(topic, key):
    """What a topic is to have of it; null is as if it were left out."""
    return 1 if topic.get(key) is None else topic[key]


def kafka_to_plan(brokers, hostvars):
    """What kafka_plan has to know of each broker: of each host's variables, `_kafka_change`, of engine_change."""
    return [
        {"host": broker["host"], "id": broker["broker_id"], "config": broker["config"]}
        | {key: hostvars[broker["host"]]["_kafka_change"][key] for key in ("change", "running", "properties")}
        for broker in brokers
    ]


def kafka_diagnoses(brokers, servers, hostvars, options=""):
    """What is wrong with those brokers whose container is not well; with all, if every one seems well.

    `brokers`, `servers`: lists of {host, container}, of Kafka and ZooKeeper. Read of each host's variables:
    `__kafka_engine` (as engine_look shows it) and `__kafka_log` (of `docker logs`). `options`: of `stack_options`.
    """
    said, well = [], []
    for host in [broker["host"] for broker in brokers]:
        variables = hostvars[host]
        log, containers = variables.get("__kafka_log") or {}, (variables.get("__kafka_engine") or {}).get("containers")
        lines = [*log.get("stdout_lines", []), *log.get("stderr_lines", [])]
        names = [item["container"] for item in [*brokers, *servers] if item["host"] == host]
        found = [item for item in containers or [] if item["name"] in names]
        diagnosis = [f"{host}:", *kafka_diagnosis(found, lines, options)]
        is_well = [item["name"] for item in found if (item["state"], item["health"]) == ("running", "healthy")]
        (well if names[0] in is_well else said).extend(diagnosis)
    return said or well


def kafka_diagnosis(containers, log, options=""):
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
    said += dict.fromkeys(
        advice.format(options=options) for sign, advice in _SIGNS.items() if any(sign in line for line in log)
    )
    return [*said, "It said last:", *log[-15:]] if log else said


_OTHER_CLUSTER = (
    "Its data belongs to another cluster: ZooKeeper's data was replaced and the broker's was kept. "
    "Restore ZooKeeper's volume; or, to give the messages up, run: "
    "ansible-playbook{options} playbooks/teardown.yml -e teardown_data=true"
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
    "Too small maximum heap": "The JVM refuses the heap. Correct kafka_heap, such as 512m.",
}


class FilterModule:
    """Make the functions available to the roles."""

    def filters(self):
        functions = (
            kafka_addresses,
            kafka_bind_address,
            kafka_client,
            kafka_client_now,
            kafka_client_there,
            kafka_diagnoses,
            kafka_diagnosis,
            kafka_listener_properties,
            kafka_problems,
            kafka_published_ports,
            kafka_to_plan,
            to_properties,
            topic_problems,
        )
        return {function.__name__: function for function in functions}

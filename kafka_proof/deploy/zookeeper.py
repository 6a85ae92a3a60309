"""Decisions about ZooKeeper servers, as functions: they see what is wanted and say what follows."""

import re
from collections import Counter


def zookeeper_ports(bind_address, client_port, between_hosts):
    """The `address:port:port` of each port that a server publishes; `between_hosts`: those for the other servers."""
    address = f"[{bind_address}]" if ":" in bind_address else bind_address
    return [f"{address}:{client_port}:2181", *(f"{address}:{port}:{port}" for port in between_hosts)]


def zookeeper_servers(members):
    """The `server.N` properties of an ensemble; none for a server alone. `members`: list of {id, server}."""
    return {f"server.{member['id']}": member["server"] for member in members} if len(members) > 1 else {}


def zookeeper_problems(members):
    """What in the inventory cannot work, found before anything is touched.

    `members`: list of {host, id, container, ports: as `zookeeper_ports` gives them, config: the user's properties,
    computed: those that the role derives}. Returns a list of messages, each with what, where, and what to do.
    """
    own = [f"{member['host']}: {message}" for member in members for message in _member_problems(**member)]
    return own + _ensemble_problems(members)


def _member_problems(container, ports, config, computed, server, **_):
    problems = []
    # It is the container's name where all of the stack is on one engine.
    if re.match(r"localhost:|127\.|\[::1\]", server):
        problems.append(
            f"its ZooKeeper server is to be reached by the other hosts at {server.partition(':')[0]}, which to each of "
            "them is itself. Set stack_address to the address by which they reach this host."
        )
    own = sorted(key for key in config if key in computed or key.startswith("server."))
    if own:
        problems.append(
            f"zookeeper_config sets {', '.join(own)}, which this role derives. "
            f"Set zookeeper_port for the port that clients use; the data is in the volume {container}-data, "
            "and the servers are the hosts of the group zookeeper."
        )
    published = [int(port.rsplit(":", 2)[1]) for port in ports]
    for name, port in zip(
        ("zookeeper_port", "zookeeper_quorum_port", "zookeeper_election_port"), published, strict=False
    ):
        if not 0 < port < 65536:
            problems.append(f"{name} is {port}. Ports are 1 to 65535.")
    for port in sorted(port for port, times in Counter(published).items() if times > 1):
        problems.append(f"two of ZooKeeper's ports are {port}. Give each its own.")
    return problems


def _ensemble_problems(members):
    problems = []
    ids = Counter(str(member["id"]) for member in members)
    for server_id in sorted(ids):
        hosts = ", ".join(member["host"] for member in members if str(member["id"]) == server_id)
        if ids[server_id] > 1:
            problems.append(f"{hosts}: all have zookeeper_id {server_id}. Give each server an id of its own.")
        if not server_id.isdigit() or not 0 < int(server_id) < 256:
            problems.append(f"{hosts}: zookeeper_id is {server_id}. ZooKeeper's ids are 1 to 255.")
    return problems


def zookeeper_batches(members, hostvars):
    """Decide in which order servers are changed: a list of batches, each done before the next.

    members: list of {host, id, container}; hostvars: their variables, of which these are read: `_zookeeper_change` (of
    engine_change), `__stack_engine`, `__zookeeper_answer` (who leads).
    Returns [{hosts: to change, others: that have to serve before, wait: whether to wait until `hosts` serve}].

    Who has data goes before who has none: servers without any could form a majority, and have the others forget theirs.
    """
    servers = [_server(member, hostvars) for member in members]
    current = {key for server in servers if server["running"] for key in server["ensemble"]}
    changed = [server for server in servers if server["change"] != "nothing"]
    if not any(server["data"] for server in servers):
        # A new ensemble. Nobody waits: brokers do, for themselves.
        return [{"hosts": [server["host"] for server in changed], "others": [], "wait": False}] if changed else []

    down = [server for server in changed if not server["running"] and server["data"]]
    lost = [server for server in changed if not server["data"] and f"server.{server['id']}" in current]
    running = [server for server in changed if server["running"] and server["data"]]
    new = [server for server in changed if not server["data"] and server not in lost]
    running.sort(key=lambda server: server["leads"])

    # One that is as it should be counts also while it crashes: the others are not to go on without what it knows.
    batches, up = [], [server["host"] for server in servers if server["running"] or server["change"] == "nothing"]
    for batch in [down, *([server] for server in [*lost, *running, *new])]:
        if batch:
            names = [server["host"] for server in batch]
            others = [host for host in up if host not in names]
            up = [*others, *names]
            enough = len(up) > len(servers) // 2
            # While most are not up none of them serves, so that there is nothing to wait for, nor to lose.
            gated = len(current) > 1 if batch[0] in running else batch != down and len(others) > len(servers) // 2
            batches.append({"hosts": names, "others": others if gated else [], "wait": enough})
    return batches


def zookeeper_left_behind(members, hostvars):
    """Which servers that are not in the inventory any more could go on without the others: names such as server.3.

    Brokers would be divided among two ensembles, each of which takes messages. Arguments as in `zookeeper_batches`.
    """
    servers = [_server(member, hostvars) for member in members]
    known = {key for server in servers if server["running"] for key in server["ensemble"]}
    gone = known - {f"server.{server['id']}" for server in servers}
    return sorted(gone) if len(gone) > len(known) // 2 else []


def zookeeper_stranger_leads(members, hostvars):
    """Which server leads that is not in the inventory any more: names such as server.3 of those that may; else [].

    A server that has the new list does not follow one that is not on it. Arguments as in `zookeeper_batches`.
    """
    servers = [_server(member, hostvars) for member in members]
    running = [server for server in servers if server["running"]]
    modes = {server["mode"] for server in running}
    if "follower" not in modes or not modes <= {"follower", ""}:
        return []  # one of these leads
    known = {key for server in running for key in server["ensemble"]}
    return sorted(known - {f"server.{server['id']}" for server in servers})


def _server(member, hostvars):
    host, name = member["host"], member["container"]
    variables = hostvars[host]
    change, engine = variables["_zookeeper_change"], variables["__stack_engine"]
    found = [item for item in engine.get("containers", []) if item["name"] == name]
    properties = found[0]["env"].get("PROPERTIES", "") if found else ""
    mode = (variables.get("__zookeeper_answer") or {}).get("mode")
    return {
        "host": host,
        "id": member["id"],
        "change": change["change"],
        "running": change["running"] and change["change"] != "connect",  # nor does it serve while it is cut off
        "data": f"{name}-data" in engine.get("volumes", []),
        "ensemble": re.findall(r"^(server\.\d+)=", properties, re.MULTILINE),
        "mode": mode,
        "leads": mode == "leader",
    }


def zookeeper_mode(container, stdout, stderr):
    """Turn what the server said into what this action returns."""
    if found := re.search(r"^Mode: (\w+)", stdout, re.MULTILINE):
        return {"mode": found[1]}
    said = (stdout.strip() or stderr.strip() or "nothing").splitlines()[-1]
    return {"mode": "", "msg": f"The ZooKeeper server {container} does not serve. It said: {said}"}

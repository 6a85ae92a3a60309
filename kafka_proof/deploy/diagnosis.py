"""Why a node does not answer: the state of its containers, known reasons, and the end of its log."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kafka_proof.client.text import printable
from kafka_proof.deploy.node import CONTROLLER, ZOOKEEPER, Node

_OTHER_CLUSTER = (
    "Its data belongs to another cluster: ZooKeeper's data was replaced and the broker's was kept. "
    "Restore ZooKeeper's volume; or, to give the messages up, run: "
    "ansible-playbook{options} playbooks/teardown.yml -e teardown_data=true"
)

# Kafka 3.9, when controllers take over from ZooKeeper: the broker waits for ever for the answer to an earlier request.
_LOST_REQUEST = "rejected the request with OPERATION_NOT_ATTEMPTED"

# Parts of lines in a log, and their meaning.
SIGNS = {
    "InconsistentClusterIdException": _OTHER_CLUSTER,
    "Invalid cluster.id": _OTHER_CLUSTER,  # what Kafka says once it has checked its own file first
    "InconsistentBrokerIdException": "Its data was written under another id. Set kafka_broker_id back to that id.",
    "doesn't match previous node id": "Its data was written under another id. Set kafka_broker_id back to that id.",
    "INCONSISTENT_CLUSTER_ID": (
        "Its data, or that of a controller, belongs to another cluster. Restore the volume of this cluster, or choose "
        "a stack_name."
    ),
    "No MetadataVersion with feature level": (
        "A newer Kafka finalised its features in this data. Set stack_kafka_version to that version."
    ),
    " is empty: this node lost its data": "Its volume lost its content. Run site.yml, which formats it anew.",
    "ZooKeeperClientTimeoutException": (
        "It does not reach ZooKeeper. See docker logs of that container, and kafka_zookeeper_connect."
    ),
    "RefreshingHttpsJwks.init": (
        "It does not reach the issuer of tokens, or gets no keys there. See kafka_security.oauth.jwks_url."
    ),
    _LOST_REQUEST: (
        "It cannot change its in-sync replicas: a request was lost when the controller changed. Restart its container "
        "with docker restart, then run this again."
    ),
    "OutOfMemoryError": "Its heap is too small. Raise kafka_heap.",
    "No space left on device": "The disk is full. Make space, or lower log.retention.bytes in kafka_config.",
    "ConfigException": "Kafka refuses its configuration. Correct kafka_config.",
    "Unrecognized VM option": "The JVM refuses an option. Correct kafka_jvm_options.",
    "Invalid maximum heap size": "The JVM refuses the heap. Correct kafka_heap, such as 512m.",
    "Too small maximum heap": "The JVM refuses the heap. Correct kafka_heap, such as 512m.",
}

# Other names in the advice for a controller that is no broker.
_OF_CONTROLLERS = {
    "kafka_broker_id": "kafka_controller_id",
    "kafka_config": "kafka_config or kafka_controller_config",  # a controller takes settings from both
    "kafka_heap": "kafka_controller_heap",
    "kafka_jvm_options": "kafka_controller_jvm_options",
    "log.retention.bytes": "metadata.max.retention.bytes",
}


def diagnoses(nodes: Sequence[Node], hostvars: Mapping[str, Mapping[str, Any]], options: str = "") -> list[str]:
    """Return the diagnosis of each broker and controller whose container is not well; of all, if every one seems well.

    nodes: all of the stack. Of each host's variables, `__stack_diagnosed` (the engine's report) and `__stack_logs` (the
    results of `docker logs`) are read; a host without them was not asked. options: those of the commands that messages
    advise.
    """
    said: list[str] = []
    well: list[str] = []
    for node in nodes:
        host, variables = node["host"], hostvars[node["host"]]
        if ZOOKEEPER in node["kinds"] or "__stack_diagnosed" not in variables:
            continue
        names = [node["container"], *(other["container"] for other in nodes if other["host"] == host)]
        found = [item for item in variables["__stack_diagnosed"].get("containers", []) if item["name"] in names]
        found.sort(key=lambda item: names.index(item["name"]))
        log = [line for name, line in _lines(variables) if name == node["container"]]
        lines = diagnosis(found, log, options, node["kinds"] == [CONTROLLER])
        is_well = [item["name"] for item in found if (item["state"], item["health"]) == ("running", "healthy")]
        (well if node["container"] in is_well else said).extend([f"{host}:", *lines])
    return said or well


def waits_for_ever(node: Node) -> str:
    """Return a command that prints "for ever" if a broker has refused to change in-sync replicas for 40 s.

    A request that still gets its answer, or is sent again, needs at most 30 s (controller.socket.timeout.ms).
    """
    log = f"timeout 30 docker logs --since $((n + 10))s --until ${{n}}s {shlex.quote(node['container'])} 2>&1"
    look = f"{log} | grep -q -F {shlex.quote(_LOST_REQUEST)} || exit 0"
    return f"for n in 0 10 20 30; do {look}; done; echo for ever"


def _lines(variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each line of the logs of a host's nodes, with the name of the container."""
    for result in (variables.get("__stack_logs") or {}).get("results", []):
        for line in result.get("stdout_lines", []):
            yield result["item"]["container"], line


def diagnosis(
    containers: Iterable[Mapping[str, Any]], log: Sequence[str], options: str = "", is_controller: bool = False
) -> list[str]:
    """Return why a node does not answer: the state of its containers, known reasons, and the end of its log.

    containers: as kafka_proof.deploy.engine.parse shows them; log: the node's last lines; is_controller: whether it is
    a controller and no broker.
    """
    said = [
        f"The container {item['name']} is {item['state']}, its last exit code {item['exit_code']}, "
        f"restarted {item['restarts']} times."
        for item in containers
    ]
    if not said:
        said.append("It has no container.")
    advice = [text.format(options=options) for sign, text in SIGNS.items() if any(sign in line for line in log)]
    if is_controller:
        names = re.compile("|".join(map(re.escape, _OF_CONTROLLERS)))
        advice = [names.sub(lambda found: _OF_CONTROLLERS[found[0]], text) for text in advice]
    said += dict.fromkeys(advice)
    return [*said, "Last lines of its log:", *map(printable, log[-15:])] if log else said

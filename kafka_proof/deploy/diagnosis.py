"""Why a broker does not answer: the state of its containers, known reasons, and the end of its log."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka_proof.client.text import printable
from kafka_proof.deploy.node import BROKER, Node, of_kind

_OTHER_CLUSTER = (
    "Its data belongs to another cluster: ZooKeeper's data was replaced and the broker's was kept. "
    "Restore ZooKeeper's volume; or, to give the messages up, run: "
    "ansible-playbook{options} playbooks/teardown.yml -e teardown_data=true"
)

# What a line of the log contains, and what it means.
SIGNS = {
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


def diagnoses(nodes: Sequence[Node], hostvars: Mapping[str, Mapping[str, Any]], options: str = "") -> list[str]:
    """Return the diagnosis of each broker whose container is not well; of all, if every one seems well.

    nodes: all of the stack. Of each host's variables, `__kafka_engine` (the engine's report) and `__kafka_log` (the
    result of `docker logs`) are read. options: those of the commands that messages advise.
    """
    said: list[str] = []
    well: list[str] = []
    for broker in of_kind(nodes, BROKER):
        host = broker["host"]
        variables = hostvars[host]
        log, engine = variables.get("__kafka_log") or {}, variables.get("__kafka_engine") or {}
        names = [broker["container"], *(node["container"] for node in nodes if node["host"] == host)]
        found = [item for item in engine.get("containers", []) if item["name"] in names]
        found.sort(key=lambda item: names.index(item["name"]))
        lines = diagnosis(found, [*log.get("stdout_lines", []), *log.get("stderr_lines", [])], options)
        is_well = [item["name"] for item in found if (item["state"], item["health"]) == ("running", "healthy")]
        (well if broker["container"] in is_well else said).extend([f"{host}:", *lines])
    return said or well


def diagnosis(containers: Iterable[Mapping[str, Any]], log: Sequence[str], options: str = "") -> list[str]:
    """Return why a broker does not answer: the state of its containers, known reasons, and the end of its log.

    containers: as kafka_proof.deploy.engine.parse shows them; log: the broker's last lines.
    """
    said = [
        f"The container {item['name']} is {item['state']}, its last exit code {item['exit_code']}, "
        f"restarted {item['restarts']} times."
        for item in containers
    ]
    if not said:
        said.append("It has no container.")
    said += dict.fromkeys(
        advice.format(options=options) for sign, advice in SIGNS.items() if any(sign in line for line in log)
    )
    return [*said, "Last lines of its log:", *map(printable, log[-15:])] if log else said

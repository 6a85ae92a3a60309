"""Why a broker does not answer: the state of its containers, known reasons, and the end of its log."""

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

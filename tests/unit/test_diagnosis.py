"""Why a node does not answer, from its containers and its log."""

import subprocess

import pytest

from kafka_proof.deploy.diagnosis import diagnoses, diagnosis, waits_for_ever
from tests.unit.stack import kraft_nodes, nodes, variables


def inspected(status="restarting", code=1, restarts=3):
    return {"name": "kafka", "state": status, "exit_code": code, "restarts": restarts}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kafka.common.InconsistentClusterIdException: The Cluster ID x", "teardown_data=true"),
        ("Invalid cluster.id in: /x/meta.properties. Expected y, but read z", "teardown_data=true"),
        ("kafka.common.InconsistentBrokerIdException: …", "kafka_broker_id"),
        ("kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out", "kafka_zookeeper_connect"),
        ("since the controller rejected the request with OPERATION_NOT_ATTEMPTED. Partition", "docker restart"),
        ("java.lang.OutOfMemoryError: Java heap space", "kafka_heap"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("org.apache.kafka.common.config.ConfigException: Invalid value", "Correct kafka_config"),
        ("Unrecognized VM option 'UseFoo'", "kafka_jvm_options"),
        ("Invalid maximum heap size: -Xmx1q", "kafka_heap"),
    ],
)
def test_diagnosis_knows(line, words):
    said = diagnosis([inspected()], ["before", line])
    assert said[0] == "The container kafka is restarting, its last exit code 1, restarted 3 times."
    assert any(words in text for text in said[1:-3])
    assert said[-3:] == ["Last lines of its log:", "before", line]


@pytest.mark.parametrize(("silent", "said"), [("", "for ever"), ("30s", ""), ("0s", ""), ("0s 10s 20s 30s", "")])
def test_a_broker_waits_for_ever_that_refuses_all_the_time(tmp_path, silent, said):
    """silent: when the stand-in's log has nothing, in seconds ago."""
    stand_in = tmp_path / "docker"
    line = "since the controller rejected the request with OPERATION_NOT_ATTEMPTED. Partition"
    stand_in.write_text(f'#!/bin/sh\ncase " {silent} " in *" $5 "*) ;; *) echo "{line}" >&2 ;; esac\n')
    stand_in.chmod(0o755)
    command = ["sh", "-c", waits_for_ever(nodes()[-1])]
    done = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said


def test_diagnosis_of_what_it_does_not_know():
    said = diagnosis([inspected("running", 0, 0)], [str(number) for number in range(99)])
    assert said[1] == "Last lines of its log:"
    assert said[-1] == "98"
    assert len(said) < 20


def test_a_controller_has_its_own_variables():
    log = ["ConfigException: Invalid value", "Invalid maximum heap size: -Xmx1q"]
    said = " ".join(diagnosis([inspected()], log, is_controller=True))
    assert "Correct kafka_config or kafka_controller_config" in said
    assert "Correct kafka_controller_heap" in said
    assert "kafka_heap" not in said


def host_with(*containers, **logs):
    """A host's variables. logs: {container: one line}."""
    results = [
        {"item": {"container": name.replace("_", "-")}, "stdout_lines": [line], "stderr_lines": []}
        for name, line in logs.items()
    ]
    return {"__stack_diagnosed": {"containers": list(containers)}, "__stack_logs": {"results": results}}


WELL = inspected("running", 0, 0) | {"health": "healthy"}
ILL = inspected() | {"health": "unhealthy"}


def test_diagnoses_name_the_hosts_that_are_not_well():
    ill = host_with(ILL, kafka="No space left on device")
    everything = nodes({host: variables() for host in "abcd"})
    said = diagnoses(everything, {"a": host_with(WELL, kafka="fine"), "b": ill, "c": host_with(), "d": {}})
    assert [line for line in said if line in ("a:", "b:", "c:", "d:")] == ["b:", "c:"]
    assert any("disk is full" in line for line in said)
    alone = nodes({"a": variables()})
    assert diagnoses(alone, {"a": host_with(WELL, kafka="fine")})[0] == "a:"  # if all seem well, any may be it
    assert diagnoses(alone, {"a": host_with()}) == ["a:", "It has no container."]


def test_diagnoses_find_the_controller_that_is_not_well():
    """It has the log of the controller, and not that of the broker on its host."""
    host = host_with(
        WELL,
        ILL | {"name": "kafka-controller-101"},
        kafka="No space left on device",
        kafka_controller_101="ConfigException: Invalid value",
    )
    said = diagnoses(kraft_nodes({"a": variables()}, controllers=["a"]), {"a": host})
    assert said[:3] == [
        "a:",
        "The container kafka-controller-101 is restarting, its last exit code 1, restarted 3 times.",
        "The container kafka is running, its last exit code 0, restarted 0 times.",
    ]
    assert said[-1] == "ConfigException: Invalid value"
    assert not any("disk is full" in line for line in said)


def test_the_log_is_data():
    assert "\\x1b[2J::error::forged" in diagnosis([], ["\x1b[2J::error::forged"])[-1]


def test_diagnosis_without_a_container():
    assert diagnosis([], []) == ["It has no container."]

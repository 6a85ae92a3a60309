"""Why a broker does not answer, from its containers and its log."""

import pytest

from kafka_proof.deploy.diagnosis import diagnoses, diagnosis
from tests.unit.stack import nodes, variables


def inspected(status="restarting", code=1, restarts=3):
    return {"name": "kafka", "state": status, "exit_code": code, "restarts": restarts}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kafka.common.InconsistentClusterIdException: The Cluster ID x", "teardown_data=true"),
        ("Invalid cluster.id in: /x/meta.properties. Expected y, but read z", "teardown_data=true"),
        ("kafka.common.InconsistentBrokerIdException: …", "kafka_broker_id"),
        ("kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out", "kafka_zookeeper_connect"),
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


def test_diagnosis_of_what_it_does_not_know():
    said = diagnosis([inspected("running", 0, 0)], [str(number) for number in range(99)])
    assert said[1] == "Last lines of its log:"
    assert said[-1] == "98"
    assert len(said) < 20


def host_with(container, *log):
    return {
        "__kafka_engine": {"containers": [container] if container else []},
        "__kafka_log": {"stdout_lines": list(log), "stderr_lines": []},
    }


def test_diagnoses_name_the_hosts_that_are_not_well():
    well = host_with(inspected("running", 0, 0) | {"health": "healthy"}, "fine")
    ill = host_with(inspected() | {"health": "unhealthy"}, "No space left on device")
    everything = nodes({host: variables() for host in "abc"})
    said = diagnoses(everything, {"a": well, "b": ill, "c": host_with(None)})
    assert [line for line in said if line in ("a:", "b:", "c:")] == ["b:", "c:"]
    assert any("disk is full" in line for line in said)
    alone = nodes({"a": variables()})
    assert diagnoses(alone, {"a": well})[0] == "a:"  # if all seem well, any may be it
    assert diagnoses(alone, {"a": {}}) == ["a:", "It has no container."]


def test_the_log_is_data():
    assert "\\x1b[2J::error::forged" in diagnosis([], ["\x1b[2J::error::forged"])[-1]


def test_diagnosis_without_a_container():
    assert diagnosis([], []) == ["It has no container."]

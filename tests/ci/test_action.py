"""The GitHub action: its own steps, and the sample project's workflow, which uses it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from kafka import KafkaAdminClient

from kafka_proof.client.properties import kafka_python, read
from tests.ci.conftest import ROOT, STACK, left
from tests.ci.jobs import action, environment, workflow

PORTS = {"port": "29892", "variables": "{zookeeper_port: 22881}"}


@pytest.mark.parametrize("mode", ["zookeeper", "kraft"])
def test_up_exports_where_kafka_is_proves_it_and_down_removes_it(mode, tmp_path):
    (tmp_path / "work").mkdir()
    path = str(tmp_path / "at a place of mine" / "client.properties")
    variables = {"kafka_config": {"num.partitions": 3}} | ({"zookeeper_port": 22881} if mode == "zookeeper" else {})
    up = action(
        *(ROOT, tmp_path / "work", environment()),
        **{"stack-name": STACK, "port": "29892", "client-properties": path, "report-path": "out/report"},
        mode=mode,
        topics="- name: orders\n- {name: bills, partitions: 1}\n",
        variables=json.dumps(variables),
    )
    assert up.status == 0, up.output
    assert left(), "nothing was deployed"
    assert up.outputs == {"bootstrap-servers": "localhost:29892", "client-properties": path}
    assert up.env["KAFKA_BOOTSTRAP_SERVERS"] == "localhost:29892"
    assert up.env["KAFKA_CLIENT_PROPERTIES"] == path
    with KafkaAdminClient(**kafka_python(read(path))) as admin:
        there = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(["orders", "bills"])}
    assert there == {"orders": 3, "bills": 1}

    [(upload, kept)] = up.uses
    assert upload.startswith("actions/upload-artifact@")
    assert kept == {"name": "kafka-proof-test-0", "path": "out/report", "if-no-files-found": "ignore"}
    report = tmp_path / "work" / kept["path"]
    [suite] = ET.parse(report / "smoke.xml").getroot().iter("testsuite")
    assert int(suite.get("tests")) > 10
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert "<html" in (report / "smoke.html").read_text()

    down = action(ROOT / "down", tmp_path / "work", environment(), **{"stack-name": STACK, "client-properties": path})
    assert down.status == 0, down.output
    assert not Path(path).exists()
    assert not left()


def test_a_broken_broker_fails_the_step_and_the_report_is_kept(tmp_path):
    (tmp_path / "work").mkdir()
    broken = {"zookeeper_port": 22881, "kafka_config": {"group.max.size": 1}}
    up = action(
        *(ROOT, tmp_path / "work", environment()),
        **{"stack-name": STACK, "port": "29892", "variables": json.dumps(broken)},
    )
    assert up.status == 1, up.output
    assert up.outputs["bootstrap-servers"] == "localhost:29892"
    assert [path for _, kept in up.uses if (path := kept["path"])] == ["kafka-proof-report"]
    [suite] = ET.parse(tmp_path / "work" / "kafka-proof-report" / "smoke.xml").getroot().iter("testsuite")
    assert int(suite.get("failures")) + int(suite.get("errors")) > 0

    assert action(ROOT / "down", tmp_path / "work", environment(), **{"stack-name": STACK}).status == 0
    assert not left()


@pytest.mark.sample
def test_without_smoke_nothing_is_reported(tmp_path):
    (tmp_path / "work").mkdir()
    up = action(
        *(ROOT, tmp_path / "work", environment()),
        **{"stack-name": STACK, "run-smoke": "false", **PORTS},
    )
    assert up.status == 0, up.output
    assert (up.uses, list((tmp_path / "work").iterdir())) == ([], [])
    assert action(ROOT / "down", tmp_path / "work", environment(), **{"stack-name": STACK}).status == 0


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"topics": "orders"}, "KAFKA_PROOF_TOPICS is 'orders'. Write a YAML list"),
        ({"topics": "[{name: "}, "KAFKA_PROOF_TOPICS is not YAML"),
        ({"variables": "[1]"}, "KAFKA_PROOF_VARIABLES is '[1]'. Write a YAML mapping"),
        ({"variables": "{kafka_prot: 1}"}, "kafka_prot"),
        ({"port": "many"}, "kafka_port"),
    ],
)
def test_inputs_that_cannot_work_are_named_and_nothing_is_deployed(tmp_path, inputs, words):
    (tmp_path / "work").mkdir()
    up = action(ROOT, tmp_path / "work", environment(), **{"stack-name": STACK} | inputs)
    assert up.status != 0
    assert words in up.output
    assert "KAFKA_BOOTSTRAP_SERVERS" not in up.env
    assert up.outputs == {"bootstrap-servers": "", "client-properties": ""}
    assert not left()


def test_the_sample_projects_workflow(sample):
    [job] = yaml.safe_load((sample / ".github" / "workflows" / "test.yml").read_text())["jobs"].values()
    steps = {step.get("name", step.get("uses")): step for step in job["steps"]}
    steps.pop("Install")  # what it would install is this package, which is installed here
    # Its names and ports are a project's own on its runner; here they are not.
    steps["Have Kafka"]["with"] |= {"stack-name": STACK} | PORTS
    steps["Take Kafka down"]["with"] = {"stack-name": STACK}
    actions = {"OWNER/kafka-proof": ROOT, "OWNER/kafka-proof/down": ROOT / "down"}

    job = workflow(steps.values(), sample, environment(), actions)

    assert job.status == 0, job.output
    assert "2/2 workers" in job.output, "the tests did not run in parallel"
    assert "5 passed" in job.output
    assert f"kafka_cluster: {job.env['KAFKA_CLIENT_PROPERTIES']}" in job.output, "not the Kafka that the action gave"
    assert not left()

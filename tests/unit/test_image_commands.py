"""The commands that an image has: roles/kafka_image/files/kafka.sh, with stand-ins for the jars and for Java."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "roles" / "kafka_image" / "files" / "kafka.sh"
KAFKA_3 = ["kafka/Kafka", "kafka/tools/ConsoleProducer", "org/apache/zookeeper/server/quorum/QuorumPeerMain"]
KAFKA_4 = ["kafka/Kafka", "org/apache/kafka/tools/ConsoleProducer", "org/apache/kafka/tools/GroupsCommand"]
LOGGING = {"3": "reload4j-1.2.26", "4": "log4j-core-2.25.5"}
JAVA = """#!/bin/bash
printf '%s\\n' "$@"
"""


@pytest.fixture
def kafka(tmp_path):
    """Make an image's /opt/kafka for a line of Kafka. Returns a function that runs one of its commands."""
    for name in ("bin", "libs", "config"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "kafka.sh").write_text(SCRIPT.read_text().replace("home=/opt/kafka", f"home={tmp_path}"))
    (tmp_path / "bin" / "kafka.sh").chmod(0o755)
    (tmp_path / "bin" / "java").write_text(JAVA)
    (tmp_path / "bin" / "java").chmod(0o755)

    def run(command, *arguments, **env):
        env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"} | env
        done = subprocess.run(
            [tmp_path / "bin" / command, *arguments], env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    def make(line, classes):
        (tmp_path / "libs" / "kafka.jar").write_text("\0".join(f"{name}.class" for name in classes))
        (tmp_path / "libs" / f"{LOGGING[line]}.jar").touch()
        for name in ("kafka.jsa", "kafka.aot"):
            (tmp_path / name).touch()
        run("kafka.sh", "--link")
        return run

    return make


@pytest.mark.parametrize(
    ("line", "classes", "commands"),
    [
        ("3", KAFKA_3, {"kafka-server-start.sh", "kafka-console-producer.sh", "zookeeper-server-start.sh"}),
        ("4", KAFKA_4, {"kafka-server-start.sh", "kafka-console-producer.sh", "kafka-groups.sh"}),
    ],
)
def test_the_image_has_the_commands_whose_classes_the_jars_have(kafka, tmp_path, line, classes, commands):
    kafka(line, classes)
    assert {path.name for path in (tmp_path / "bin").glob("*-*.sh")} == commands


@pytest.mark.parametrize(
    ("line", "classes", "runs", "options"),
    [
        ("3", KAFKA_3, "kafka.tools.ConsoleProducer", {"-XX:SharedArchiveFile={}/kafka.jsa", "-Xshare:auto"}),
        ("4", KAFKA_4, "org.apache.kafka.tools.ConsoleProducer", {"-XX:AOTCache={}/kafka.aot", "-Xlog:aot=off"}),
    ],
)
def test_a_command_runs_the_class_of_the_line_with_its_archive(kafka, tmp_path, line, classes, runs, options):
    run = kafka(line, classes)
    options = {option.format(tmp_path) for option in options}
    arguments = run("kafka-console-producer.sh", "--topic", "a")
    assert arguments[-3:] == [runs, "--topic", "a"]
    assert options <= set(arguments)
    without = run("kafka-console-producer.sh", KAFKA_CDS="off")
    assert not [option for option in without if option.startswith(("-XX:SharedArchiveFile", "-XX:AOTCache"))]


@pytest.mark.parametrize(
    ("line", "classes", "server", "tool"),
    [
        ("3", KAFKA_3, "-Dlog4j.configuration=file:{}/config/log4j.properties", "tools-log4j.properties"),
        ("4", KAFKA_4, "-Dlog4j2.configurationFile=file:{}/config/log4j2.properties", "tools-log4j2.properties"),
    ],
)
def test_servers_and_tools_have_their_logs(kafka, tmp_path, line, classes, server, tool):
    run = kafka(line, classes)
    assert server.format(tmp_path) in run("kafka-server-start.sh", "a.properties")
    assert [option for option in run("kafka-console-producer.sh") if option.endswith(f"/config/{tool}")]
    assert "-Dlog4j2.x" in run("kafka-server-start.sh", "a.properties", KAFKA_LOG4J_OPTS="-Dlog4j2.x")

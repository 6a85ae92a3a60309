"""The report of an engine and its host, and the owner of each object."""

import json
import subprocess

import pytest

from kafka_proof.deploy.engine import NO_COMMAND, PODMAN, parse, script
from kafka_proof.deploy.previous_version import labels

LABELS = {
    "kafka-proof.stack": "",
    "kafka-proof.kind": "broker",
    "kafka-proof.id": "1",
    "kafka-proof.version": "3.9.2",
    "kafka-proof.protocol": "3.8",
    "kafka-proof.advertised": "EXTERNAL://localhost:9092,INTERNAL://kafka:19092",
    "kafka-proof.definition": "d",
    "kafka-proof.files": "f",
}
CONTAINER = {
    "name": "/kafka",
    "image": "image:1",
    "image_id": "sha256:1",
    "state": {"Status": "running", "StartedAt": "2026", "Health": {"Status": "healthy"}, "ExitCode": 0},
    "restarts": 2,
    "labels": LABELS,
    "ports": {"9092/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9092"}], "1/tcp": None},
    "bindings": {"9092/tcp": [{"HostIp": "::1", "HostPort": "9093"}], "2/tcp": [{"HostIp": "", "HostPort": ""}]},
    "networks": {"kafka": {}},
    "mounts": [
        {"Name": "0a1b", "Destination": "/etc/kafka-proof"},
        {"Name": "kafka-data", "Destination": "/var/lib/kafka/data"},
    ],
}


def report(stack="", **sections):
    lines = []
    for name, items in sections.items():
        lines += [name, *(item if isinstance(item, str) else json.dumps(item) for item in items)]
    return parse("\n".join([*lines, ""]), stack)


def test_a_container_of_the_stack():
    assert report(containers=[CONTAINER])["containers"] == [
        {
            "name": "kafka",
            "kinds": ["broker"],
            "id": 1,
            "image": "image:1",
            "image_id": "sha256:1",
            "state": "running",
            "started": "2026",
            "health": "healthy",
            "exit_code": 0,
            "restarts": 2,
            "version": "3.9.2",
            "protocol": "3.8",
            "advertised": [["EXTERNAL", "localhost:9092"], ["INTERNAL", "kafka:19092"]],
            "level": 0,
            "listeners": [],
            "cluster": "",
            "migration": False,
            "ensemble": [],
            "definition": "d",
            "files": "f",
            "ports": [["127.0.0.1", 9092]],
            "networks": ["kafka"],
            "data": "kafka-data",
        }
    ]


@pytest.mark.parametrize(
    ("status", "health", "restarts", "state"),
    [
        pytest.param("restarting", "unhealthy", 3, "restarting", id="between two starts"),
        pytest.param("running", "starting", 3, "restarting", id="between two crashes"),
        pytest.param("running", "starting", 0, "running", id="its first start"),
        pytest.param("running", "healthy", 3, "running", id="back after a crash"),
        pytest.param("running", "unhealthy", 1, "running", id="it runs, and does not answer"),
        pytest.param("running", None, 1, "running", id="without a health check"),
        pytest.param("exited", "starting", 3, "exited", id="stopped after crashes"),
    ],
)
def test_a_container_that_crashes_again_and_again_does_not_run(status, health, restarts, state):
    now = CONTAINER["state"] | {"Status": status, "Health": {"Status": health} if health else None}
    [found] = report(containers=[CONTAINER | {"state": now, "restarts": restarts}])["containers"]
    assert found["state"] == state
    # Its ports are its own all the time.
    assert found["ports"] == ([["::1", 9093]] if state == "restarting" else [["127.0.0.1", 9092]])


@pytest.mark.parametrize("stack", ["", "two"])
def test_only_name_image_and_ports_are_kept_of_other_containers(stack):
    secret = {"name": "/theirs", "labels": {"password": "planted"}, "env": ["DB_PASSWORD=planted"]}
    others = [CONTAINER | secret, CONTAINER | {"name": "/another", "labels": LABELS | {"kafka-proof.stack": "three"}}]
    found = report(stack, containers=[*others, CONTAINER | {"labels": LABELS | {"kafka-proof.stack": stack}}])
    assert [item["name"] for item in found["containers"]] == ["kafka"]
    kept = {"image": "image:1", "ports": [["127.0.0.1", 9092]], "state": "running", "networks": ["kafka"]}
    assert found["others"] == [{**kept, "name": name} for name in ("theirs", "another")]
    assert "planted" not in str(found)


def test_a_container_without_labels():
    [found] = report(containers=[CONTAINER | {"labels": None}])["others"]
    assert found["name"] == "kafka"


def test_a_container_of_the_previous_version():
    environment = [
        "A=b",
        "PROPERTIES=a=1\nbroker.id=3\ninter.broker.protocol.version=3.8\nadvertised.listeners=E://h:1",
    ]
    before = {"kafka-proof.stack": "", "kafka-proof.recipe": "r", "kafka-proof.version": "3.9.2"}
    [found] = report(containers=[CONTAINER | {"labels": before, "env": environment}])["containers"]
    expected = {"kinds": ["broker"], "id": 3, "protocol": "3.8", "advertised": [["E", "h:1"]], "definition": None}
    assert expected.items() <= found.items()


def test_labels_of_the_previous_version():
    assert labels(["PROPERTIES=clientPort=2181\nserver.10=c:1:1\nserver.2=b:1:1\n"]) == {
        "kind": "zookeeper",
        "id": "",
        "advertised": "",
        "protocol": "",
        "ensemble": "2,10",
    }
    assert labels(["X=1"])["kind"] == "broker"


def test_volumes_belong_to_the_stack_by_a_label():
    labelled = {"name": "kafka-2-data", "kind": "broker", "id": "2", "data": ""}
    marker = {"name": "old-data-owner", "kind": "broker", "id": "4", "data": "old-data"}
    there = ["kafka-2-data", "kafka-data", "old-data", "old-data-owner", "zookeeper-data", "theirs"]
    found = report(containers=[CONTAINER], volumes=map(json.dumps, there), own_volumes=[labelled, marker])
    wanted = (
        ("kafka-2-data", 2, True, None),
        ("kafka-data", 1, False, None),  # by its container
        ("old-data", 4, True, "old-data-owner"),
    )
    rest = {"kind": "broker", "cluster": "", "migration": False}
    assert found["own_volumes"] == [
        {"name": name, "id": number, "labelled": labelled, "marker": marker, **rest}
        for name, number, labelled, marker in wanted
    ]
    assert found["volumes"] == there
    assert found["lost_markers"] == []
    found = report(volumes=[json.dumps("old-data-owner")], own_volumes=[marker])
    assert (found["own_volumes"], found["lost_markers"]) == ([], [{"name": "old-data-owner", "data": "old-data"}])


def test_image_sockets_and_addresses():
    sockets = """
LISTEN 0      4096   127.0.0.1:9092  0.0.0.0:* users:(("docker-proxy",pid=10171,fd=4))
LISTEN 0      128         [::]:22       [::]:*
LISTEN 0      5              *:80          *:* users:(("a b",pid=1,fd=3),("a b",pid=2,fd=3))
LISTEN 0      5  127.0.0.53%lo:53    0.0.0.0:*""".strip().splitlines()
    addresses = """
lo               UNKNOWN        127.0.0.1/8 ::1/128
eth0@if7         UP             172.17.0.2/16 fe80::42/64
tun0             UNKNOWN        10.8.0.2 peer 10.8.0.1/32""".strip().splitlines()
    image = {"Id": "sha256:1", "RepoTags": ["image:1"], "RepoDigests": None}
    found = report(image=[image], networks=['"net"'], own_networks=['"net"'], listening=sockets, addresses=addresses)
    assert found["image"] == {"id": "sha256:1", "tags": ["image:1"], "digests": []}
    assert (found["networks"], found["own_networks"]) == (["net"], ["net"])
    assert found["listening"] == [
        {"address": "127.0.0.1", "port": 9092, "name": "docker-proxy", "pid": 10171},
        {"address": "::", "port": 22, "name": None, "pid": None},
        {"address": "*", "port": 80, "name": "a b", "pid": 1},
        {"address": "127.0.0.53", "port": 53, "name": None, "pid": None},
    ]
    assert found["addresses"] == ["127.0.0.1", "::1", "172.17.0.2", "fe80::42", "10.8.0.2"]
    assert report(image=[""])["image"] is None


def test_the_script_quotes_its_words():
    text = script("image; rm -rf /", "a'b")
    assert "'image; rm -rf /'" in text
    assert "'label=kafka-proof.stack=a'\"'\"'b'" in text


VERSION = '[ "$1" != --version ] || { echo "Docker version 26.1.5, build a"; exit; }; '


@pytest.mark.parametrize(
    ("docker", "status"),
    [
        (VERSION, 0),
        (VERSION + "exit 1", 1),
        (VERSION + 'case "$1 $2" in "image inspect") exit 1 ;; "ps --all") echo gone ;; inspect*) exit 1 ;; esac', 0),
        # The engine stops in the middle: what it did not report is not gone.
        (VERSION + '[ "$1" != volume ]', 1),
        (VERSION + '[ "$1" != network ]', 1),
        (VERSION + 'case "$1" in image | version) exit 1 ;; esac', 1),
        (VERSION + 'case "$1" in ps) echo one ;; inspect | version) exit 1 ;; esac', 1),
        (VERSION + '[ "$1" != image ] || exit 124', 1),
        ("echo podman version 4.3.1; exit 125", PODMAN),
        (None, NO_COMMAND),
    ],
)
def test_the_status_of_the_script(tmp_path, docker, status):
    """docker: what the command does; None if there is none."""
    if docker is not None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{docker}\n")
        (tmp_path / "docker").chmod(0o755)
    for name in ("timeout", "id"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["/bin/sh", "-c", script("image:1", "")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == status, done
    # Only after a refusal is the output a user's number, with which the action tries as root.
    assert done.stdout.strip().isdigit() is (status == NO_COMMAND or docker == VERSION + "exit 1")

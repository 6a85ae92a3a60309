"""What is read of an engine, and what makes a container run as it is wanted; without an engine."""

import json
import subprocess

import pytest

from kafka_proof.deploy.containers import (
    diff,
    engine_change,
    engine_removal,
    engine_stop,
    other_properties,
    recipe,
    run_command,
    shell_script,
    what_to_do,
)
from kafka_proof.deploy.engine import parse

WANTED = {
    "name": "kafka",
    "image": "image:1",
    "network": "net",
    "stack": "",
    "version": "3.9.2",
    "restart_since": "",
    "ports": ["127.0.0.1:9092:9092"],
    "env": {"PROPERTIES": "a=1\nb='2'\n", "HEAP": "-Xmx1g"},
    "script": "exec true",
    "health": "true && true",
    "stop_timeout": 120,
}
IMAGE = {"id": "sha256:1", "tags": ["image:1"], "digests": []}
RECIPE = recipe(WANTED)


def found(**other):
    return {
        "name": "kafka",
        "image": "image:1",
        "image_id": "sha256:1",
        "state": "running",
        "started": "2026-01-02T03:04:05.678Z",
        "recipe": RECIPE,
        "networks": ["net"],
        "env": {"PATH": "/bin", "HEAP": "-Xmx2g"},
        "ports": [["127.0.0.1", 9092], ["::1", 1]],
        **other,
    }


@pytest.mark.parametrize(
    ("container", "image", "change"),
    [
        pytest.param(found(), IMAGE, "nothing", id="all is well"),
        pytest.param(found(state="restarting"), IMAGE, "nothing", id="it crashes"),
        pytest.param(found(state="exited"), IMAGE, "start", id="stopped"),
        pytest.param(found(state="paused"), IMAGE, "unpause", id="paused"),
        pytest.param(found(state="created"), IMAGE, "start", id="its port was taken when it was made"),
        pytest.param(found(networks=["net", "other"]), IMAGE, "nothing", id="somebody connected another network"),
        pytest.param(None, IMAGE, "make", id="not there"),
        pytest.param(None, None, "make", id="nothing is there"),
        pytest.param(found(), None, "make", id="the image is gone"),
        pytest.param(found(recipe=None), IMAGE, "make", id="made by hand"),
        pytest.param(found(recipe="other"), IMAGE, "make", id="other settings"),
        pytest.param(found(image_id="sha256:0"), IMAGE, "make", id="the image was built anew"),
        pytest.param(found(networks=[]), IMAGE, "connect", id="disconnected"),
        pytest.param(found(networks=[], state="exited"), IMAGE, "make", id="disconnected, and it does not run"),
        pytest.param(found(networks=[], recipe="other"), IMAGE, "make", id="disconnected, and it is to be another"),
        pytest.param(found(recipe="other", state="exited"), IMAGE, "make", id="stopped, and other settings"),
    ],
)
def test_what_to_do(container, image, change):
    assert what_to_do(container, WANTED, image) == change


@pytest.mark.parametrize(
    ("container", "since", "change"),
    [
        (found(), "2026-01-02T03:04:05Z", "nothing"),
        (found(), "2026-01-02T03:04:06Z", "restart"),
        (found(state="exited"), "2026-01-02T03:04:06Z", "start"),
        (found(networks=[]), "2026-01-02T03:04:05Z", "connect"),
        (found(state="paused"), "2026-01-02T03:04:05Z", "unpause"),
        (found(state="paused"), "2026-01-02T03:04:06Z", "make"),
        (found(networks=[]), "2026-01-02T03:04:06Z", "make"),
        (found(recipe="other"), "2026-01-02T03:04:06Z", "make"),
    ],
)
def test_restart_since(container, since, change):
    assert what_to_do(container, WANTED | {"restart_since": since}, IMAGE) == change


def test_other_properties():
    container = found(env=WANTED["env"])
    other = WANTED | {"env": WANTED["env"] | {"PROPERTIES": "a=2\n"}}
    assert other_properties(container, other, IMAGE) == {"before": "a=1\nb='2'\n", "after": "a=2\n"}
    assert other_properties(container, WANTED, IMAGE) is None
    assert other_properties(None, other, IMAGE) is None
    assert other_properties(container, other | {"ports": []}, IMAGE) is None  # and its ports
    assert other_properties(container, other | {"restart_since": "2027"}, IMAGE) is None  # it is restarted anyway
    assert other_properties(container, other, IMAGE | {"id": "sha256:2"}) is None  # the image was built anew
    assert other_properties(container, other, None) is None


@pytest.mark.parametrize(
    "other",
    [
        {"env": {"HEAP": "-Xmx1g"}},
        {"ports": []},
        {"script": "exec false"},
        {"health": "false"},
        {"stop_timeout": 1},
        {"image": "image:2"},
        {"network": "other"},
        {"stack": "s"},
        {"version": "3.8.1"},
    ],
)
def test_each_setting_makes_another_recipe(other):
    assert recipe(WANTED | other) != RECIPE


def run(script, tmp_path):
    """Run a script with a `docker` that writes down how it was called, and return that."""
    (tmp_path / "docker").write_text(
        "#!/usr/bin/env python3\nimport json, os, sys\n"
        "print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if k in ('PROPERTIES', 'HEAP')}]),"
        " file=open(os.environ['CALLS'], 'a'))\n"
    )
    (tmp_path / "docker").chmod(0o755)
    calls = tmp_path / "calls"
    environment = {"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin", "CALLS": str(calls)}
    subprocess.run(["sh", "-s"], input=script, text=True, check=True, env=environment)
    return [json.loads(line) for line in calls.read_text().splitlines()]


def test_a_container_is_made_anew(tmp_path):
    command = run_command(WANTED)
    script = shell_script("make", found(), WANTED)
    *before, (arguments, environment) = run(script, tmp_path)
    assert [call for call, _ in before] == [
        # Before that which runs is stopped.
        ["image", "inspect", "image:1"],
        ["network", "inspect", "net"],
        ["stop", "-t", "120", "kafka"],
        ["rm", "--volumes", "kafka"],
    ]
    assert arguments[0] == "run"
    assert arguments[arguments.index("--label") + 1] == f"kafka-proof.recipe={RECIPE}"
    assert arguments[-len(command) :] == command
    # Settings may be secrets: the engine gets them, and no list of processes shows them.
    assert environment == WANTED["env"]
    assert not [word for word in arguments if "b='2'" in word]


def test_a_stopped_container_is_started(tmp_path):
    assert run(shell_script("start", found(), WANTED), tmp_path) == [[["start", "kafka"], {}]]


def test_a_container_that_is_cut_off_is_connected(tmp_path):
    assert run(shell_script("connect", found(), WANTED), tmp_path) == [[["network", "connect", "net", "kafka"], {}]]


def test_a_running_container_is_restarted(tmp_path):
    assert run(shell_script("restart", found(), WANTED), tmp_path) == [[["restart", "-t", "120", "kafka"], {}]]


def test_diff():
    shown = diff(found(state="exited"), WANTED | {"image": "image:2"})
    assert shown["before"] == "state: exited\nimage: image:1\nports: 127.0.0.1:9092, [::1]:1\nHEAP:\n  -Xmx2g\n"
    after = "state: running\nimage: image:2\nports: 127.0.0.1:9092\nHEAP:\n  -Xmx1g\nPROPERTIES:\n  a=1\n  b='2'\n"
    assert shown["after"] == after
    assert diff(None, WANTED)["before"] == ""


def test_the_change_says_all_that_is_to_be_done():
    there = found(state="exited")
    change = engine_change(WANTED, {"containers": [found(name="other"), there], "image": IMAGE})
    assert (change["name"], change["change"], change["running"]) == ("the container kafka", "start", False)
    assert change["script"] == shell_script("start", there, WANTED)
    assert change["diff"] == diff(there, WANTED)
    nothing = engine_change(WANTED, {"containers": [found()], "image": IMAGE})
    assert (nothing["change"], nothing["running"], nothing["script"]) == ("nothing", True, "")
    assert engine_change(WANTED, {})["change"] == "make"  # in check mode, of an engine that is not there yet


def test_what_is_there_is_removed(tmp_path):
    engine = {"containers": [found(), found(name="other")], "networks": ["net"], "volumes": ["kafka-data", "v"]}
    everything = {"containers": ["kafka", "none"], "networks": ["net", "none"], "volumes": ["kafka-data", "none"]}
    change = engine_removal(engine, **everything)
    calls = [call for call, _ in run(change["script"], tmp_path)]
    assert calls[0] == ["stop", "kafka"]
    assert [call[:5] if call[0] == "rm" else call[:3] for call in calls[1:]] == [
        ["rm", "--force", "--volumes", "kafka"],
        ["network", "inspect", "--format"],
        ["network", "rm", "net"],
        ["volume", "rm", "kafka-data"],
    ]
    assert (change["change"], change["diff"]["before"]) == (
        "remove",
        "container kafka\nnetwork net\nvolume kafka-data\n",
    )
    assert "docker stop" not in engine_removal(engine, **everything, kill=True)["script"]
    assert engine_removal({}, **everything)["change"] == "nothing"


def test_what_runs_is_stopped(tmp_path):
    engine = {"containers": [found(), found(name="other"), found(name="third", state="exited")]}
    change = engine_stop(engine, ["kafka", "third", "none"])
    assert [call for call, _ in run(change["script"], tmp_path)] == [["stop", "kafka"]]
    assert (change["change"], change["diff"]["after"]) == ("stop", "container kafka: stopped\n")
    assert engine_stop(engine, ["third"])["change"] == "nothing"


def test_secrets_are_not_in_the_diff():
    secret = WANTED | {"env": {"PROPERTIES": "ssl.keystore.password=hunter22\na=1\n"}}
    shown = diff(found(env=secret["env"]), secret)
    assert "hunter22" not in shown["before"] + shown["after"]
    assert "a=1" in shown["after"]


def test_parse():
    ports = {"9092/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9092"}], "1/tcp": None}
    container = {
        "Name": "/kafka",
        "Config": {
            "Image": "image:1",
            "Env": ["A=b=c", "D="],
            "Labels": {"kafka-proof.stack": "", "kafka-proof.version": "3.9.2"},
        },
        "Image": "sha256:1",
        "State": {"Status": "running", "StartedAt": "2026", "Health": {"Status": "healthy"}, "ExitCode": 0},
        "RestartCount": 2,
        "HostConfig": {"PortBindings": {"9092/tcp": [{"HostIp": "::1", "HostPort": "9093"}]}},
        "NetworkSettings": {"Ports": ports, "Networks": {"net": {}}},
        "Mounts": [{"Name": "kafka-data"}, {"Type": "bind"}],
    }
    image = {"Id": "sha256:1", "RepoTags": ["image:1"], "RepoDigests": None}
    lines = ["containers", json.dumps(container), "image", json.dumps(image), "networks", '"net"', "volumes", '"v"']
    sockets = """listening
LISTEN 0      4096   127.0.0.1:9092  0.0.0.0:* users:(("docker-proxy",pid=10171,fd=4))
LISTEN 0      128         [::]:22       [::]:*
LISTEN 0      5              *:80          *:* users:(("a b",pid=1,fd=3),("a b",pid=2,fd=3))
LISTEN 0      5  127.0.0.53%lo:53    0.0.0.0:*
addresses
lo               UNKNOWN        127.0.0.1/8 ::1/128
eth0@if7         UP             172.17.0.2/16 fe80::42/64
tun0             UNKNOWN        10.8.0.2 peer 10.8.0.1/32"""
    assert parse("\n".join([*lines, sockets])) == {
        "containers": [
            {
                "name": "kafka",
                "image": "image:1",
                "image_id": "sha256:1",
                "state": "running",
                "started": "2026",
                "health": "healthy",
                "exit_code": 0,
                "restarts": 2,
                "recipe": None,
                "stack": "",
                "version": "3.9.2",
                "env": {"A": "b=c", "D": ""},
                "ports": [["127.0.0.1", 9092]],
                "networks": ["net"],
                "volumes": ["kafka-data"],
            }
        ],
        "image": IMAGE,
        "networks": ["net"],
        "volumes": ["v"],
        "listening": [
            {"address": "127.0.0.1", "port": 9092, "name": "docker-proxy", "pid": 10171},
            {"address": "::", "port": 22, "name": None, "pid": None},
            {"address": "*", "port": 80, "name": "a b", "pid": 1},
            {"address": "127.0.0.53", "port": 53, "name": None, "pid": None},
        ],
        "addresses": ["127.0.0.1", "::1", "172.17.0.2", "fe80::42", "10.8.0.2"],
    }
    assert parse("containers\nimage\n\nnetworks\nvolumes\n")["image"] is None
    crashing = container | {"State": container["State"] | {"Status": "restarting"}}
    assert parse(f"containers\n{json.dumps(crashing)}\n")["containers"][0]["ports"] == [["::1", 9093]]

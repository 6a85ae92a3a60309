"""Commands that run a container as its node says, or remove a stack; with a `docker` that only takes notes."""

import base64
import json
import subprocess

import pytest

from kafka_proof.deploy.containers import (
    checksum,
    create_command,
    decide,
    definition,
    diff,
    files_differ,
    foreign,
    node_change,
    own_containers,
    removal,
    script,
    stop,
)
from kafka_proof.deploy.derive import with_files
from kafka_proof.deploy.files import from_archive
from tests.unit.stack import IMAGE, STARTED, container, engine, listener, nodes, other, own, variables

NODE = nodes()[1]
LATER = "2026-01-02T03:04:06Z"  # than STARTED


def found(**changes):
    return container(NODE, **changes)


def with_settings(**settings):
    return with_files({**NODE, "settings": NODE["settings"] | settings})


@pytest.mark.parametrize(
    ("container", "image", "change"),
    [
        pytest.param(found(), IMAGE, "nothing", id="all is well"),
        pytest.param(found(state="restarting", exit_code=1), IMAGE, "nothing", id="it crashes"),
        pytest.param(found(state="restarting", exit_code=0), IMAGE, "nothing", id="it runs after a crash"),
        pytest.param(found(state="restarting", exit_code=78), IMAGE, "create", id="its directory is empty"),
        pytest.param(found(state="exited"), IMAGE, "start", id="stopped"),
        pytest.param(found(state="paused"), IMAGE, "unpause", id="paused"),
        pytest.param(found(state="created"), IMAGE, "create", id="never started: its files can be missing"),
        pytest.param(found(networks=["kafka", "other"]), IMAGE, "nothing", id="connected to another network, too"),
        pytest.param(None, IMAGE, "create", id="not there"),
        pytest.param(None, None, "create", id="nothing is there"),
        pytest.param(found(), None, "create", id="the image is gone"),
        pytest.param(found(definition=None, files=None), IMAGE, "create", id="of the previous version"),
        pytest.param(found(definition="other"), IMAGE, "create", id="another definition"),
        pytest.param(found(files="other"), IMAGE, "create", id="other settings"),
        pytest.param(found(image_id="sha256:0"), IMAGE, "create", id="another image of that name"),
        pytest.param(found(networks=[]), IMAGE, "connect", id="disconnected"),
        pytest.param(found(networks=[], state="exited"), IMAGE, "create", id="disconnected, and it does not run"),
        pytest.param(found(networks=[], files="other"), IMAGE, "create", id="disconnected, and other settings"),
        pytest.param(found(files="other", state="exited"), IMAGE, "create", id="stopped, and other settings"),
    ],
)
def test_decide(container, image, change):
    assert decide(NODE, container, image, "") == change


@pytest.mark.parametrize(
    ("container", "since", "change"),
    [
        (found(), "2026-01-02T03:04:05Z", "nothing"),
        (found(), LATER, "restart"),
        (found(state="exited"), LATER, "start"),
        (found(networks=[]), "2026-01-02T03:04:05Z", "connect"),
        (found(state="paused"), "2026-01-02T03:04:05Z", "unpause"),
        (found(state="paused"), LATER, "create"),
        (found(networks=[]), LATER, "create"),
        (found(files="other"), LATER, "create"),
    ],
)
def test_restart_since(container, since, change):
    assert STARTED < LATER
    assert decide(NODE, container, IMAGE, since) == change


def test_settings_that_may_change_without_a_restart():
    wanted, before = with_settings(**{"num.partitions": 3}), NODE["files"]
    here = engine(found())
    assert files_differ(wanted, here)
    assert not files_differ(NODE, here)
    assert not files_differ(wanted, engine(found(definition=None, files=None)))  # the previous version has no files
    assert not files_differ(wanted, {})

    def settings(node=wanted, seen=here, **options):
        return node_change(node, seen, **options, before=before)["settings"]

    assert settings() == {"before": before["server.properties"], "after": wanted["files"]["server.properties"]}
    assert settings(node=NODE) is None
    assert settings(restart_since=LATER) is None  # it restarts anyway
    assert settings(seen=engine(found(image_id="sha256:2"))) is None  # another image
    assert settings(node=wanted | {"ports": []}) is None  # and its ports
    heap = with_files({**wanted, "jvm": {"heap": "2g", "options": ""}})
    assert settings(node=heap) is None  # and its JVM
    assert node_change(wanted, here)["settings"] is None  # nothing was read


def test_files_that_a_rotation_replaced_restart_nothing():
    rotated = {**NODE, "files": NODE["files"] | {"keystore.pem": "new"}, "secrets": {"keystore.pem": ["a"]}}
    here = engine(found())  # its label has the checksum of the old files
    assert node_change(rotated, here, before=rotated["files"])["change"] == "nothing"
    assert node_change(rotated, here, before=NODE["files"])["change"] == "create"


@pytest.mark.parametrize(
    "change",
    [
        {"ports": []},
        {"command": "exec false"},
        {"health": "false"},
        {"stop_timeout": 1},
        {"image": "image:2"},
        {"network": "other"},
        {"volume": "other"},
        {"labels": {"stack": "other"}},
    ],
)
def test_each_part_is_in_the_definition(change):
    assert definition({**NODE, **change}) != definition(NODE)


def test_settings_are_in_files_alone():
    secret = with_settings(**{"ssl.key.password": "hunter2"})
    assert definition(secret) == definition(NODE)
    assert checksum(secret["files"]) != checksum(NODE["files"])
    assert "hunter2" not in str(create_command(secret))


def run(text, tmp_path, answers=""):
    """Run a script with a `docker` that notes its arguments and its standard input, and return the notes."""
    (tmp_path / "docker").write_text(
        "#!/usr/bin/env python3\nimport base64, json, os, select, sys\n"
        "inside = sys.stdin.buffer.read() if sys.argv[1:3] == ['cp', '-'] else b''\n"
        "note = [sys.argv[1:], base64.b64encode(inside).decode()]\n"
        "print(json.dumps(note), file=open(os.environ['CALLS'], 'a'))\n"
        "if sys.argv[1:3] == ['network', 'inspect'] and '--format' in sys.argv: print(os.environ['ANSWERS'])\n"
        "sys.exit(sys.argv[1:3] == ['volume', 'inspect'])\n"
    )
    (tmp_path / "docker").chmod(0o755)
    calls = tmp_path / "calls"
    calls.unlink(missing_ok=True)
    environment = {"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin", "CALLS": str(calls), "ANSWERS": answers}
    subprocess.run(["sh", "-s"], input=text, text=True, check=True, env=environment, stderr=subprocess.DEVNULL)
    return [json.loads(line) for line in calls.read_text().splitlines()]


def test_a_container_is_recreated(tmp_path):
    calls = run(script("create", NODE, found(), engine(found())), tmp_path)
    assert [call for call, _ in calls[:4]] == [
        # Before the running container is stopped.
        ["image", "inspect", "image:1"],
        ["network", "inspect", "kafka"],
        ["stop", "-t", "120", "kafka"],
        ["rm", "--volumes", "kafka"],
    ]
    create, copied = calls[4][0], calls[5]
    assert create[:3] == ["create", "--pull", "never"]
    assert f"kafka-proof.definition={definition(NODE)}" in create
    assert f"kafka-proof.files={checksum(NODE['files'])}" in create
    assert create[-len(create_command(NODE)) :] == create_command(NODE)
    assert copied[0] == ["cp", "-", "kafka:/etc/kafka-proof"]
    assert from_archive(base64.b64decode(copied[1])) == NODE["files"]
    assert calls[6][0] == ["start", "kafka"]


def test_a_paused_container_is_unpaused_before_it_stops(tmp_path):
    calls = [call for call, _ in run(script("create", NODE, found(state="paused"), engine(found())), tmp_path)]
    assert calls.index(["unpause", "kafka"]) < calls.index(["stop", "-t", "120", "kafka"])


def test_a_lost_marker_tells_nothing_of_a_new_volume(tmp_path):
    lost = [{"name": "kafka-data-owner", "data": "kafka-data"}, {"name": "b-owner", "data": "b"}]
    calls = [call for call, _ in run(script("create", NODE, None, engine() | {"lost_markers": lost}), tmp_path)]
    assert calls.index(["volume", "rm", "kafka-data-owner"]) < [call[:2] for call in calls].index(["volume", "create"])
    assert ["volume", "rm", "b-owner"] not in calls


@pytest.mark.parametrize(
    ("seen", "created"),
    [
        pytest.param(engine(), ["kafka-data"], id="none there"),
        pytest.param(engine(found()), [], id="the stack's"),
        pytest.param(
            engine(found()) | {"own_volumes": [{"name": "kafka-data", "labelled": False, "marker": None}]},
            ["kafka-data-owner"],
            id="of the previous version",
        ),
        pytest.param(
            engine(found())
            | {
                "volumes": ["kafka-data", "kafka-data-owner", "kafka-data-owner-2"],
                "own_volumes": [{"name": "kafka-data", "labelled": False, "marker": "kafka-data-owner-2"}],
            },
            ["kafka-data-owner-2"],
            id="of the previous version, beside a volume of somebody else",
        ),
    ],
)
def test_volumes_carry_the_label(seen, created, tmp_path):
    calls = [call for call, _ in run(script("create", NODE, None, seen), tmp_path) if call[:2] == ["volume", "create"]]
    assert [call[-1] for call in calls] == created
    for call in calls:
        assert {"kafka-proof.stack=", "kafka-proof.kind=broker", "kafka-proof.id=1"} <= set(call)
        assert ("kafka-proof.data=kafka-data" in call) is (created != ["kafka-data"])


@pytest.mark.parametrize(
    ("change", "command"),
    [
        ("start", ["start", "kafka"]),
        ("unpause", ["unpause", "kafka"]),
        ("connect", ["network", "connect", "--alias", "zoo 1", "kafka", "kafka"]),
        ("restart", ["restart", "-t", "120", "kafka"]),
    ],
)
def test_smaller_changes(change, command, tmp_path):
    node = NODE | {"takes_over": {"names": ["zoo 1"]}}  # names by which other nodes know it
    assert run(script(change, node, found(), engine(found())), tmp_path) == [[command, ""]]


def test_a_change():
    there = found(state="exited")
    change = node_change(NODE, engine(own("broker", 2), there))
    assert (change["name"], change["change"], change["running"]) == ("the container kafka", "start", False)
    assert change["script"] == script("start", NODE, there, {})
    nothing = node_change(NODE, engine(found()))
    assert (nothing["change"], nothing["running"], nothing["script"]) == ("nothing", True, "")
    assert node_change(NODE, {})["change"] == "create"  # in check mode, of an engine that is not there yet


def test_diff():
    wanted = with_settings(**{"num.partitions": 3}) | {"image": "image:2"}
    shown = diff(wanted, found(state="exited"), NODE["files"])
    assert shown["before"].startswith("state: exited\nimage: image:1\nports: 127.0.0.1:9092\nheap.options:\n  -Xms256m")
    assert shown["after"].startswith("state: running\nimage: image:2\n")
    assert ("\n  num.partitions" in shown["before"], "\n  num.partitions=3\n" in shown["after"]) == (False, True)
    assert diff(NODE, None, None)["before"] == ""
    # Settings that were not read did not change.
    assert "properties" not in str(diff(NODE, found(), None))


def test_secrets_are_not_in_the_diff():
    secret = with_settings(**{"ssl.keystore.password": "hunter22"})
    shown = diff(secret, found(), secret["files"])
    assert "hunter22" not in shown["before"] + shown["after"]
    assert "broker.id=1" in shown["after"]


# Removal

STACK = engine(found(), own("zookeeper", 1), own("broker", 7), others=[other("mine")], networks=["kafka", "old"])


def test_what_belongs_to_the_stack():
    assert own_containers(STACK) == ["kafka", "zookeeper", "kafka-7"]
    assert own_containers(STACK, kind="broker") == ["kafka", "kafka-7"]
    assert own_containers(STACK, but="broker") == ["zookeeper"]
    assert own_containers({}) == []
    assert foreign(STACK | {"volumes": [*STACK["volumes"], "v"]}, ["kafka", "mine", "v", "none"]) == ["mine", "v"]


def test_removal(tmp_path):
    everything = {"containers": ["kafka"], "networks": ["kafka"], "volumes": ["kafka-data"]}
    change = removal(**everything)
    calls = [call for call, _ in run(change["script"], tmp_path)]
    assert [call[:5] if call[0] == "rm" else call[:3] for call in calls] == [
        ["stop", "kafka"],
        ["rm", "--force", "--volumes", "kafka"],
        ["network", "inspect", "--format"],
        ["network", "rm", "kafka"],
        ["volume", "rm", "kafka-data"],
        ["volume", "ls", "--quiet"],  # by the label that names this volume
    ]
    diff = "container kafka\nnetwork kafka\nvolume kafka-data\n"
    assert (change["change"], change["diff"]["before"]) == ("remove", diff)
    assert "docker stop" not in removal(**everything, kill=True)["script"]
    assert removal()["change"] == "nothing"
    # The last of several controllers that are brokers, too, would wait for a majority.
    assert "docker stop kafka kafka-2 kafka-3 " in removal(["kafka", "kafka-2", "kafka-3"])["script"]


def test_a_network_that_others_use_stays(tmp_path):
    calls = [call for call, _ in run(removal(networks=["kafka"])["script"], tmp_path, answers="somebodys")]
    assert [call[:2] for call in calls] == [["network", "inspect"]]


def test_stop(tmp_path):
    seen = engine(found(), own("broker", 7), own("broker", 8, state="exited"))
    change = stop(seen, ["kafka", "kafka-8", "none"])
    assert [call for call, _ in run(change["script"], tmp_path)] == [["stop", "kafka"]]
    assert (change["change"], change["diff"]["after"]) == ("stop", "container kafka: stopped\n")
    assert stop(seen, ["kafka-8"])["change"] == "nothing"


def test_ports_of_ipv6_have_brackets():
    v6 = nodes({"one": variables(kafka_listeners=[listener(bind_address="::1")])})[1]
    assert "[::1]:9092:9092" in create_command(v6)

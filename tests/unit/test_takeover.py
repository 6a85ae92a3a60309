"""A node that takes over a container of another image: when it may, and the shell script that does it."""

import json
import subprocess

import pytest

from kafka_proof.deploy import takeover
from kafka_proof.deploy.cluster_data import first_controller, with_cluster
from kafka_proof.deploy.containers import create_command, node_change, occupant
from kafka_proof.deploy.host_checks import host_problems
from kafka_proof.deploy.node import has_data
from kafka_proof.deploy.zookeeper import batches, servers_now
from tests.unit.stack import container, engine, kraft_nodes, nodes, variables, volume

SOURCE = {"container": "old-kafka", "data": ["/bitnami/kafka/data"], "names": ["old-kafka", "broker"]}
LOCAL = {"one": "local", "two": "local"}


def pair(**of_broker):
    """A ZooKeeper server on the host one, and a broker on the host two that takes over old-kafka."""
    broker = variables(stack_takes_over=SOURCE, kafka_broker_id=2) | of_broker
    found = nodes({"one": variables(), "two": broker}, zookeepers=1)
    return found[0], next(node for node in found if node["host"] == "two")


SERVER, NODE = pair()


def old(name="old-kafka", state="running", networks=("kafka",), ports=(("127.0.0.1", 9092),)):
    return {
        "name": name,
        "image": "bitnami/kafka:3.9",
        "state": state,
        "networks": list(networks),
        "ports": [list(port) for port in ports],
    }


def test_the_container_is_in_the_place_of_the_node():
    here = engine(others=[old()], volumes=[])
    assert occupant(NODE, here)["name"] == "old-kafka"
    assert has_data(NODE, {"two": here})
    change = node_change(NODE, here)
    assert (change["change"], change["running"], change["settings"]) == ("create", True, None)
    assert change["diff"]["before_header"] == "old-kafka"
    assert change["diff"]["after_header"] == "kafka-2, with a copy of /bitnami/kafka/data"
    assert "advertised.listeners" in change["diff"]["after"]
    assert "stops old-kafka, and copies its data" in change["notice"]
    assert not node_change(NODE, engine(others=[old(state="exited")], volumes=[]))["running"]
    # Afterwards the node is there, and the container does not matter.
    ended = node_change(NODE, engine(container(NODE), others=[old(state="exited")]))
    assert (ended["change"], ended["notice"]) == ("nothing", "")
    assert not has_data(NODE, {"two": engine(volumes=[])})


def test_the_node_takes_its_names():
    command = create_command(NODE)
    at = [index for index, word in enumerate(command) if word == "--network-alias"]
    assert [command[index + 1] for index in at] == ["old-kafka", "broker"]
    assert "--network-alias" not in create_command(SERVER)
    server = nodes({"one": variables(stack_takes_over={"container": "zoo", "data": ["/d"], "names": ["zoo"]})})[0]
    assert server["peers"]["client"] == "zoo:2181"


def test_the_other_servers_of_an_ensemble_count_as_running():
    hosts = {
        f"z{number}": variables(
            zookeeper_id=number,
            stack_takes_over={"container": f"zoo{number}", "data": ["/d"], "names": [f"zoo{number}"]},
        )
        for number in (1, 2, 3)
    }
    found = nodes(hosts | {"b": variables()}, zookeepers=3)[:3]
    assert found[0]["settings"]["server.2"] == "zoo2:2888:3888"
    here = engine(others=[old(f"zoo{number}") for number in (1, 2, 3)], volumes=[])
    hostvars = {node["host"]: {"__stack_engine": here, "__zookeeper_change": node_change(node, here)} for node in found}
    for host, mode in (("z1", "leader"), ("z2", "follower"), ("z3", "follower")):
        hostvars[host]["__zookeeper_answer"] = {"mode": mode}
    order = batches(servers_now(found, hostvars))
    assert [batch["hosts"] for batch in order] == [["z2"], ["z3"], ["z1"]]
    assert all(len(batch["others"]) == 2 and batch["wait"] for batch in order)


def test_a_cluster_of_kraft_keeps_its_id_and_its_voters():
    source = SOURCE | {"cluster": "of-before", "voters": "1@old-kafka:9093"}
    found = kraft_nodes({"one": variables(stack_takes_over=source)})
    [node] = found
    assert node["settings"]["controller.quorum.voters"] == "1@old-kafka:9093"
    assert "controller.quorum.bootstrap.servers" not in node["settings"]
    here = {"one": engine(others=[old()], volumes=[])}
    assert with_cluster(node, found, here, "new")["labels"]["cluster"] == "of-before"
    two = kraft_nodes(
        {name: variables(stack_takes_over=source, kafka_broker_id=number) for number, name in enumerate("ab")}
    )
    assert first_controller(two, dict.fromkeys("ab", here["one"])) == ""


def seen(*containers, others=(), volumes=None, **more):
    return {host: engine(*containers, others=others, volumes=volumes, **more) for host in LOCAL}


@pytest.mark.parametrize(
    ("engines", "changes", "said"),
    [
        pytest.param(seen(container(SERVER), others=[old()]), "takeover", None, id="it may be taken over"),
        pytest.param(
            seen(container(SERVER), others=[old()]),
            "",
            "old-kafka is not taken over yet",
            id="without the playbook for it",
        ),
        pytest.param(
            seen(container(SERVER), others=[old()], volumes=[volume(SERVER), volume(NODE)]),
            "",
            "old-kafka runs, and kafka-2 does not",
            id="after a takeover that was refused",
        ),
        pytest.param(
            seen(container(SERVER), others=[old(state="exited")], volumes=[volume(SERVER), volume(NODE)]),
            "",
            None,
            id="it was taken over, and the node's container was removed",
        ),
        pytest.param(
            seen(container(SERVER), others=[old(networks=["theirs"])]),
            "takeover",
            "stack_network is kafka, and old-kafka is on theirs",
            id="on another network",
        ),
        pytest.param(seen(container(SERVER)), "takeover", "no such container exists", id="it is gone"),
        pytest.param(seen(container(SERVER), container(NODE)), "", None, id="it was taken over, and removed"),
        pytest.param(
            seen(container(SERVER), container(NODE), others=[old(state="exited")]), "", None, id="it was taken over"
        ),
        pytest.param(
            seen(container(SERVER), container(NODE), others=[old(ports=())]),
            "",
            "old-kafka runs again",
            id="it runs again",
        ),
    ],
)
def test_problems(engines, changes, said):
    found = host_problems([SERVER, NODE], LOCAL, engines, changes)
    assert [said in problem for problem in found] == ([True] if said else []), found


def test_a_host_has_one_node():
    found = nodes({"one": variables(stack_takes_over=SOURCE)})
    problems = takeover.problems(found, {"one": engine(others=[old()])}, "takeover", "")
    assert "Add a host for each node" in problems[0]


def test_ports_of_the_container_are_free_for_the_node():
    listening = [{"address": "127.0.0.1", "port": 9092, "name": "docker-proxy", "pid": 7}]
    engines = seen(container(SERVER), others=[old()], listening=listening)
    assert host_problems([SERVER, NODE], LOCAL, engines, "takeover") == []
    another = old("another", ports=[("0.0.0.0", 9092)])
    engines = seen(container(SERVER), others=[old(ports=()), another])
    assert "in use by the container another" in host_problems([SERVER, NODE], LOCAL, engines, "takeover")[0]


FAKE = """#!/usr/bin/env python3
import json, os, sys
words = sys.argv[1:]
state = json.load(open(os.environ["STATE"]))
print(json.dumps(words), file=open(os.environ["CALLS"], "a"))
if words[:2] == ["inspect", "--format"]:
    field = {"{{.State.Status}}": "old", "{{.State.StartedAt}}": "started", "{{.HostConfig.AutoRemove}}": "removes"}
    sys.exit(1) if not state["old"] else print(state[field[words[2]]])
elif words[0] == "ps":
    print(state["copier"])
elif words[0] == "cp":
    print("the first of two files", flush=True)
    sys.exit(state["cp"])
elif words[0] == "exec":
    print(state["used"] + "\\t/data")
elif words[0] == "run":
    if 'echo "done' in words[-1]:
        sys.exit(state["broken"]) if state["broken"] else state["done"] is None or print(f"done {state['done']}")
    elif "df " in words[-1]:
        print(state["free"])
    elif "tar " in words[-1]:
        print(sys.stdin.read())
        sys.exit(state["tar"])
    elif "meta.properties" in words[-1] or "version-2" in words[-1]:
        sys.exit(state["incomplete"])
"""


FIRST, LATER = "2026-01-31T12:00:00.000000001Z", "2026-02-01T12:00:00.000000001Z"


def run(tmp_path, node=NODE, **state):
    """Run the script with a `docker` that answers by `state`; return (status, what it said, its calls).

    done: content of the file that says that the copy is complete, None without one.
    """
    (tmp_path / "docker").write_text(FAKE)
    (tmp_path / "docker").chmod(0o755)
    usual = {"old": "running", "started": FIRST, "removes": "false", "done": None, "used": "1000", "free": "100000"}
    usual |= {"cp": 0, "tar": 0, "incomplete": 0, "broken": 0, "copier": ""}
    (tmp_path / "state").write_text(json.dumps(usual | state))
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "STATE": f"{tmp_path}/state", "CALLS": f"{tmp_path}/calls"}
    text = "\n".join(["set -e", *takeover.commands(node), "echo finished"])
    ran = subprocess.run(["sh", "-s"], input=text, text=True, check=False, env=environment, capture_output=True)
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    return ran.returncode, ran.stdout + ran.stderr, calls


def test_the_container_is_stopped_and_its_data_copied(tmp_path):
    status, said, calls = run(tmp_path)
    assert status == 0
    assert {"finished", "the first of two files"} <= set(said.splitlines())
    kinds = [words[0] for words in calls]
    assert kinds.index("update") < kinds.index("stop") < kinds.index("cp")
    assert ["update", "--restart", "no", "old-kafka"] in calls
    assert ["cp", "old-kafka:/bitnami/kafka/data/.", "-"] in calls
    emptied = next(index for index, words in enumerate(calls) if "-delete" in words[-1])
    assert kinds.index("stop") < emptied < kinds.index("cp")
    assert not any("old-kafka" in words and words[0] in ("rm", "start", "kill") for words in calls)
    # When it was started is read after the stop, and kept.
    assert kinds.index("stop") < calls.index(["inspect", "--format", "{{.State.StartedAt}}", "old-kafka"])
    assert calls[-1][-1].endswith(f"meta.properties && sync && echo '{FIRST}' >/var/lib/kafka/data/.taken-over")


def test_both_directories_of_zookeeper_are_copied(tmp_path):
    source = {"container": "zoo", "data": ["/data/", "/log"], "names": []}
    server = nodes({"one": variables(stack_takes_over=source)})[0]
    calls = run(tmp_path, server)[2]
    assert [words[1] for words in calls if words[0] == "cp"] == ["zoo:/data/.", "zoo:/log/."]


def test_a_complete_copy_is_never_overwritten(tmp_path):
    # An earlier version wrote no time.
    for done, state, started in ((FIRST, "exited", FIRST), ("", "exited", LATER), (FIRST, "", ""), ("", "", "")):
        status, _, calls = run(tmp_path, done=done, old=state, started=started)
        assert status == 0
        assert not [words for words in calls if words[0] in ("stop", "cp", "update") or "-delete" in words[-1]]
        (tmp_path / "calls").unlink()


def test_an_interrupted_copy_begins_anew(tmp_path):
    status, _, calls = run(tmp_path, old="exited")
    assert status == 0
    assert any("-delete" in words[-1] for words in calls)
    assert not any(words[0] == "exec" for words in calls)


AGAIN = "old-kafka was started again after its data was copied. Choose one of both, and the same one for every"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        # Which of both has the newer messages, only the user knows.
        ({"done": FIRST, "started": LATER}, AGAIN),
        ({"done": FIRST, "started": LATER, "old": "exited"}, AGAIN),
        ({"done": FIRST, "started": LATER, "old": "paused"}, AGAIN),
        ({"done": ""}, AGAIN),
        ({"done": "", "old": "paused"}, AGAIN),
        ({"removes": "true"}, "old-kafka runs with --rm, so Docker removes it, and data inside it, when it stops"),
        ({"old": ""}, "old-kafka does not exist any more"),
        ({"old": "exited", "copier": "0123456789ab"}, "in the container kafka-2-copy. Wait until it ends"),
        ({"used": "95000"}, "the data takes 92 MiB, and 97 MiB are free"),
        ({"broken": 125}, ""),
    ],
)
def test_it_refuses_before_it_stops_anything(tmp_path, state, said):
    status, text, calls = run(tmp_path, **state)
    assert status != 0
    assert said in text
    assert not [words for words in calls if words[0] in ("stop", "cp", "update") or "-delete" in words[-1]]


@pytest.mark.parametrize("state", [{"tar": 2}, {"incomplete": 1}, {"cp": 1}, {"cp": 1, "tar": 2}])
def test_an_incomplete_copy_starts_no_node(tmp_path, state):
    status, text, _ = run(tmp_path, **state)
    assert status != 0
    assert "finished" not in text


def test_a_copy_that_breaks_off_between_two_files_is_not_complete(tmp_path):
    """The program that reads the copy sees a whole archive."""
    status, text, calls = run(tmp_path, cp=1)
    assert status != 0
    assert "the first of two files" in text
    assert "the copy of old-kafka broke off. Nothing is lost: run this again, and it begins anew" in text
    assert not any(".taken-over" in words[-1] and "sync" in words[-1] for words in calls)


def test_the_choice_after_the_way_back_fits_in_a_message():
    """Of an error of the engine, 800 characters are shown."""
    source = SOURCE | {"container": "compose-project-kafka-broker-1"}
    line = next(line for line in takeover.commands(pair(stack_takes_over=source)[1]) if "started again" in line)
    assert len(line) < 800
    for command in ("docker stop", "docker update --restart no", "docker rename", "docker volume rm kafka-2-data"):
        assert command in line

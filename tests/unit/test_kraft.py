"""KRaft: the mode that groups select, the settings of nodes, how directories are formatted, and refused inventories."""

import subprocess
from pathlib import Path

import pytest
import yaml

from kafka_proof.deploy.cluster_data import cluster_ids, first_controller, new_cluster_id, with_cluster
from kafka_proof.deploy.containers import any_runs, decide, definition, node_change, script, volume_commands
from kafka_proof.deploy.directory import command, format_commands
from kafka_proof.deploy.group_checks import group_problems, mode_problems
from kafka_proof.deploy.host_checks import host_problems
from kafka_proof.deploy.inventory_checks import broker_problems, controller_problems, node_problems, quorum_warnings
from kafka_proof.deploy.kraft import wanted_voters
from kafka_proof.deploy.listeners import addresses_to_verify, client_addresses
from kafka_proof.deploy.node import BROKER, CONFIG, CONTROLLER, DATA, UNFORMATTED, dedicated, of_kind
from kafka_proof.deploy.versions import version_problems
from tests.unit.stack import (
    IMAGE,
    container,
    engine,
    inside,
    kraft_nodes,
    listener,
    nodes,
    own,
    says,
    variables,
    volume,
)

ID, OTHER = "5L6g3nShT-eMCtK--X86sw", "AAAAAAAAQACAAAAAAAAAAA"


def resolve(host):
    return "10.0.0.9"


def broker_host(number, **other):
    names = {"kafka_broker_id": number, "kafka_controller_id": 100 + number, "stack_address": f"10.0.0.{number}"}
    ports = [listener(port=9091 + number), inside(advertised_host=f"kafka-{number}")]
    return variables(**names, kafka_listeners=ports, **other)


def three(**other):
    return {f"h{number}": broker_host(number, **other) for number in (1, 2, 3)}


def hosts_apart():
    return {host: host for host in three()}


# The mode


def test_without_zookeeper_brokers_are_controllers():
    [node] = kraft_nodes()
    assert node["kinds"] == [BROKER, CONTROLLER]
    assert node["container"] == "kafka"
    wanted = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": "kafka:19093",
        "listeners": "EXTERNAL://0.0.0.0:9092,INTERNAL://0.0.0.0:19092,CONTROLLER://0.0.0.0:19093",
        "inter.broker.listener.name": "INTERNAL",
        "broker.session.timeout.ms": 6000,
    }
    assert wanted.items() <= node["settings"].items()
    assert not {"broker.id", "zookeeper.connect", "zookeeper.session.timeout.ms"} & node["settings"].keys()
    assert node["settings"]["advertised.listeners"].endswith("CONTROLLER://kafka:19093")
    assert node["command"] == command("3.9.2")
    assert client_addresses([node]) == ["localhost:9092"]  # never the controllers' listener


def test_controllers_of_their_own_group():
    hosts = three()
    found = kraft_nodes(hosts, controllers=hosts)
    assert [node["kinds"] for node in found] == [[CONTROLLER]] * 3 + [[BROKER]] * 3
    assert [node["container"] for node in dedicated(found)] == [
        f"kafka-controller-{number}" for number in (101, 102, 103)
    ]
    quorum = ",".join(f"{name}:19093" for name in [node["container"] for node in found[:3]])
    for node in found:
        assert node["settings"]["controller.quorum.bootstrap.servers"] == quorum
    controller, broker = found[0], found[3]
    assert controller["settings"]["listeners"] == "CONTROLLER://0.0.0.0:19093"
    assert "inter.broker.listener.name" not in controller["settings"]
    assert "CONTROLLER" not in broker["settings"]["listeners"]
    assert "CONTROLLER:PLAINTEXT" in broker["settings"]["listener.security.protocol.map"]
    assert wanted_voters(found) == {
        number: {"CONTROLLER": (f"kafka-controller-{number}", 19093)} for number in (101, 102, 103)
    }


def test_only_between_hosts_the_controllers_port_is_published():
    assert [port["port"] for port in kraft_nodes()[0]["ports"]] == [9092]
    node = kraft_nodes(three(), hosts_apart())[0]
    assert ("10.0.0.1", 19093) in [(port["address"], port["port"]) for port in node["ports"]]
    assert node["settings"]["advertised.listeners"].endswith("CONTROLLER://10.0.0.1:19093")
    [address] = [item for item in addresses_to_verify([node]) if item[1].endswith(":19093")]
    assert address == [1, "10.0.0.1:19093", False]  # only connected to: it is no broker's


def test_a_controller_takes_the_settings_by_which_it_decides():
    config = {"min.insync.replicas": 2, "log.retention.hours": 1, "num.partitions": 6}
    hosts = three(kafka_config=config, kafka_profile="production", kafka_controller_config={"num.partitions": 7})
    settings = kraft_nodes(hosts, controllers=["h1"])[0]["settings"]
    assert (settings["min.insync.replicas"], settings["num.partitions"]) == (2, 7)
    assert settings["default.replication.factor"] == 3  # of the profile
    assert "log.retention.hours" not in settings  # a change of it restarts no controller


def test_share_groups_need_no_more_replicas_than_brokers():
    name = "share.coordinator.state.topic.replication.factor"
    assert kraft_nodes()[0]["settings"][name] == 1
    hosts = three(kafka_profile="production")
    assert kraft_nodes(dict(list(hosts.items())[:2]))[0]["settings"][name] == 2
    assert name not in nodes()[1]["settings"]


# Formatting


def test_the_first_controller_of_a_new_cluster_begins_the_quorum():
    found = kraft_nodes(three())
    formats = [with_cluster(node, found, {"h1": engine()}, ID)["format"] for node in found]
    assert formats == [
        [f"--cluster-id={ID}", "--standalone"],
        [f"--cluster-id={ID}", "--no-initial-controllers"],
        [f"--cluster-id={ID}", "--no-initial-controllers"],
    ]
    hosts = three()
    found = kraft_nodes(hosts, controllers=["h1"])
    assert with_cluster(found[1], found, {}, ID)["format"] == [f"--cluster-id={ID}"]  # a broker


@pytest.mark.parametrize(
    ("there", "first"),
    [
        pytest.param([], "h1", id="nothing"),
        pytest.param([0], "h1", id="an interrupted first run"),
        pytest.param([0, 1, 2], "", id="a cluster"),
        pytest.param([1, 2], "", id="the first lost its volume: it joins the others"),
        pytest.param([2], "", id="one is left"),
    ],
)
def test_a_cluster_with_data_has_no_first_controller(there, first):
    found = kraft_nodes(three())
    engines = {found[0]["host"]: engine(volumes=[volume(found[number]) for number in there], cluster=ID)}
    engines = dict.fromkeys(three(), engines["h1"])
    assert first_controller(found, engines) == first
    node = with_cluster(found[0], found, engines, OTHER)
    assert node["labels"]["cluster"] == (ID if there else OTHER)
    assert ("--standalone" in node["format"]) == (first == "h1")


def test_the_label_of_the_cluster_is_on_the_volume_and_the_container():
    [found] = kraft_nodes()
    node = with_cluster(found, [found], {}, ID)
    assert f"kafka-proof.cluster={ID}" in volume_commands(node, {})[0]
    assert definition(node) != definition(with_cluster(found, [found], {}, OTHER))
    text = script("create", node, None, {})
    assert f"*cluster.id={ID}*" in text
    assert "another cluster" in text
    assert text.index(".properties") < text.index("docker start")


def test_ids_that_others_chose_are_no_options_and_no_commands():
    """ZooKeeper and Kafka before 4.4 take any text."""
    [found] = kraft_nodes()
    chosen = "-id $(touch here)"
    node = with_cluster(found, [found], {found["host"]: engine(volumes=[volume(found)], cluster=chosen)}, ID)
    assert node["format"][0] == f"--cluster-id={chosen}"
    assert f"*cluster.id='{chosen}'*) ;;" in format_commands(node, recreated=True)


@pytest.fixture
def node_home(tmp_path):
    """run(): the node's command with fakes of Kafka's two scripts, which note their options for the JVM."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "data").mkdir()
    for name, does in (("storage", f"touch {tmp_path}/data/meta.properties"), ("server-start", "true")):
        script = tmp_path / "bin" / f"kafka-{name}.sh"
        script.write_text(f'#!/bin/bash\necho "{name} $* [$KAFKA_JVM_PERFORMANCE_OPTS]" >>{tmp_path}/ran\n{does}\n')
        script.chmod(0o755)

    def run():
        text = command("4.4.0").replace("/opt/kafka", str(tmp_path)).replace(DATA, f"{tmp_path}/data")
        env = {"PATH": "/usr/bin:/bin", "KAFKA_JVM_PERFORMANCE_OPTS": "@jvm"}
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, env=env)
        ran = (tmp_path / "ran").read_text().splitlines() if (tmp_path / "ran").exists() else []
        return done, ran

    run.path = tmp_path
    return run


def test_a_node_formats_its_directory_once_and_never_by_itself(node_home):
    done, ran = node_home()
    assert (done.returncode, ran) == (UNFORMATTED, [])
    assert "Run site.yml again" in done.stderr
    (node_home.path / "data" / ".format").write_text(f"--cluster-id={ID} --standalone")
    done, ran = node_home()
    assert done.returncode == 0, done.stderr
    assert ran == [
        f"storage format --cluster-id={ID} --standalone --config {CONFIG}/server.properties [@jvm]",
        f"server-start {CONFIG}/server.properties [@jvm]",
    ]
    assert (node_home.path / "data" / ".version").read_text() == "4.4.0\n"
    assert not (node_home.path / "data" / ".format").exists()
    assert len(node_home()[1]) == 3  # no second format


def test_archives_that_an_image_ships_are_used(node_home):
    """As Apache's image has them; its scripts leave them alone."""
    for name in ("storage", "kafka"):
        (node_home.path / f"{name}.jsa").touch()
    (node_home.path / "data" / ".format").write_text("--standalone")
    _, (formatted, started) = node_home()
    assert f"[@jvm -XX:SharedArchiveFile={node_home.path}/storage.jsa -Xlog:cds=off" in formatted
    assert f"[@jvm -XX:SharedArchiveFile={node_home.path}/kafka.jsa -Xlog:cds=off" in started


def before_the_first_start(commands, data, files):
    """Run the commands in a shell whose `docker` has only `cp` and `rm`. files: {name: text} of the directory."""
    data.mkdir()
    for name, text in files.items():
        if text:
            (data / name).write_text(f"{text}\n")
    fake = f"""
set -e
docker() {{
    case $1 in
    rm) echo removed >{data.parent}/removed ;;
    cp) if [ "$2" = - ]; then tar -xf - -C {data}; else tar -cf - -C {data} "${{2##*/}}"; fi ;;
    esac
}}
"""
    text = "\n".join([fake, *commands])
    return subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("meta", "version", "found", "said"),
    [
        ("", "", False, "formatted"),
        (f"cluster.id={ID}\n", "", False, "kept"),  # written before the file of the version
        (f"cluster.id={ID}\n", "4.4.0", False, "kept"),
        (f"cluster.id={ID}\n", "4.3.1", False, "kept"),
        (f"cluster.id={OTHER}\n", "4.4.0", False, "another cluster"),
        (f"cluster.id={ID}\n", "4.10.0", False, "Kafka 4.10.0 ran on the volume kafka-data"),
        (f"cluster.id={ID}\n", "5.0.0", False, "Set stack_kafka_version to that version."),
        (f"cluster.id={ID}\n", "5.0.0", True, "kept"),  # its container decides: versions.py
    ],
)
def test_a_directory_before_the_first_start(meta, version, found, said, tmp_path):
    [node] = kraft_nodes({"one": variables(stack_kafka_version="4.4.0")})
    data = tmp_path / "data"
    files = {"meta.properties": meta, ".version": version}
    done = before_the_first_start(format_commands(with_cluster(node, [node], {}, ID), recreated=found), data, files)
    refused = said not in ("formatted", "kept")
    assert (done.returncode, (tmp_path / "removed").exists()) == (int(refused), refused), done.stderr
    assert said in done.stderr or not refused
    assert (data / ".format").exists() == (said == "formatted")


def test_jvm_options_of_a_controller_are_separate():
    of_controller, of_broker = "-XX:TieredStopAtLevel=1", "-XX:+UseZGC"
    hosts = {"h1": variables(kafka_controller_jvm_options=of_controller, kafka_jvm_options=of_broker)}
    found = {node["kinds"][0]: node["jvm"]["options"] for node in kraft_nodes(hosts, controllers=["h1"])}
    assert (of_controller in found["controller"], of_broker in found["controller"]) == (True, False)
    assert (of_controller in found["broker"], of_broker in found["broker"]) == (False, True)


def test_a_refused_volume_stays_without_a_label():
    """Else the stack that it belongs to would be taken for another cluster."""
    [node] = kraft_nodes({"one": variables(stack_adopt_volumes=True)})
    node = with_cluster(node, [node], {}, ID)
    adopted = engine(volumes=[volume(node)])
    adopted["own_volumes"] = []
    assert "docker volume rm kafka-data-owner" in script("create", node, None, adopted)
    assert "docker volume rm" not in script("create", node, None, engine(volumes=[]))
    assert "docker volume rm" not in script("create", node, None, engine(volumes=[volume(node)], cluster=ID))


def test_a_failed_format_is_repeated_as_it_was(tmp_path):
    """With a wrong setting the format of all three fails. By then all have volumes, and one has to begin the quorum."""
    found = kraft_nodes(three())
    engines = dict.fromkeys(three(), engine(volumes=[volume(node) for node in found], cluster=ID))
    again = with_cluster(found[0], found, engines, OTHER)
    assert "--no-initial-controllers" in again["format"]
    first = f"--cluster-id={ID} --standalone"
    done = before_the_first_start(format_commands(again, recreated=True), tmp_path / "data", {".format": first})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / ".format").read_text().strip() == first


def test_ids_are_such_as_kafka_makes():
    ids = {new_cluster_id() for _ in range(200)}
    assert len(ids) == 200
    assert {len(each) for each in ids} == {22}
    assert not [each for each in ids if each.startswith("-")]


def test_a_directory_without_content_is_formatted_anew():
    [node] = kraft_nodes()
    lost = container(node, state="restarting", exit_code=UNFORMATTED)
    assert decide(node, lost, IMAGE, "") == "create"
    assert decide(node, container(node, state="restarting", exit_code=1), IMAGE, "") == "nothing"


def test_a_new_controller_restarts_no_other_node():
    hosts = three()
    now, then = kraft_nodes(dict(list(hosts.items())[:2]))[0], kraft_nodes(hosts)[0]
    found = engine(container(now))
    assert node_change(then, found, before=now["files"])["change"] == "nothing"
    assert node_change(then, found, restart_since="2030-01-01T00:00:00Z", before=now["files"])["change"] == "create"
    lost = engine(container(now, state="restarting", exit_code=UNFORMATTED))
    assert node_change(then, lost, before=now["files"])["change"] == "create"
    # None of the addresses that it knows is left.
    elsewhere = kraft_nodes({"h1": hosts["h1"] | {"kafka_controller_port": 19094}})[0]
    elsewhere["files"]["server.properties"] = now["files"]["server.properties"].replace(":19093", ":19094")
    assert node_change(elsewhere, found, before=now["files"])["change"] == "create"
    other = {**now["files"], "server.properties": now["files"]["server.properties"] + "num.partitions=3\n"}
    assert node_change(then, found, before=other)["change"] == "create"


def test_controllers_wait_for_no_broker_that_does_not_run():
    hosts = three()
    found = kraft_nodes(hosts, hosts_apart(), controllers=hosts)
    engines = {node["host"]: engine(container(node, state="exited")) for node in of_kind(found, BROKER)}
    assert not any_runs(of_kind(found, BROKER), engines)
    assert not any_runs(of_kind(found, BROKER), {"h1": None})
    engines["h3"] = engine(container(found[5]))
    assert any_runs(of_kind(found, BROKER), engines)
    [gate] = [
        task["kafka_rolling_plan"]["gate"]
        for task in yaml.safe_load((Path(__file__).parents[2] / "roles/kafka_controller/tasks/main.yml").read_text())
        if "kafka_rolling_plan" in task
    ]
    assert "_stack_brokers | any_runs(_stack_reports)" in gate


# Refusals


def test_groups_contradict_each_other():
    groups = {"kafka": ["a"], "zookeeper": ["a"], "kafka_controller": ["a"]}
    says(group_problems(groups, ["a"]), "zookeeper", "kafka_controller", "docs/migration.md")
    says(group_problems({"kafka_controller": ["a"]}, ["a"]), "group kafka", "examples/kraft.ini")
    assert group_problems({"kafka": ["a"], "kafka_controller": ["b"]}, ["a", "b"]) == []
    says(group_problems({"kafka": ["a"], "kafka_controller": ["b"]}, ["a"]), "--limit leaves out b")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(
            (name, "zookeeper")
            for name in ("zookeepers", "zookeper", "zookeeper_servers", "zk", "zoo", "zookeeper-nodes")
        ),
        *((name, "zookeeper") for name in ("ZooKeeper", "ZOOKEEPER", "kafka_zookeeper", "kafka-zookeeper")),
        *(
            (name, "kafka_controller")
            for name in ("KafkaController", "kafka_quorum", "kafka-kraft", "Kafka_Controllers")
        ),
        *(
            (name, "kafka_controller")
            for name in ("kafka_controllers", "controllers", "controller", "kraft_controller")
        ),
    ],
)
def test_a_misspelt_group_selects_no_mode(name, meant):
    says(group_problems({"kafka": ["a"], name: ["a"]}, ["a"]), f"the group {name}", f"none in {meant}", "Rename")
    assert group_problems({"kafka": ["a"], "zookeeper": ["a"], name: ["a"]}, ["a"]) == [] or meant != "zookeeper"


@pytest.mark.parametrize("name", ["databases", "kafka_clients", "kafka_connect", "all", "ungrouped", "web", "zurich"])
def test_other_groups_are_no_concern(name):
    assert group_problems({"kafka": ["a"], name: ["a"]}, ["a"]) == []


@pytest.mark.parametrize(
    ("groups", "version", "words"),
    [
        ({"zookeeper": ["a"]}, "4.4.0", ["Kafka 4 has no ZooKeeper", "3.9.2", "docs/migration.md"]),
        ({}, "3.8.1", ["needs Kafka 3.9", "3.9.2 or newer"]),
        ({}, "3.9.2", []),
        ({}, "4.0.0", []),
        ({"zookeeper": ["a"]}, "3.9.2", []),
    ],
)
def test_a_version_without_the_mode(groups, version, words):
    problems = mode_problems(groups, {"a": version})
    if words:
        says(problems, "a: stack_kafka_version", *words)
    else:
        assert problems == []


def test_the_controllers_listener_is_not_for_clients():
    listeners = [listener(), inside(), listener("CONTROLLER", 9095)]
    [node] = kraft_nodes({"one": variables(kafka_listeners=listeners)})
    says(broker_problems([node], resolve), "kafka_listeners has CONTROLLER", "kafka_controller_port", "another name")
    listeners[2]["name"] = "controller"  # Kafka writes names of listeners in capitals
    node = kraft_nodes({"h1": broker_host(1) | {"kafka_listeners": listeners}}, controllers=["h1"])[1]
    says(broker_problems([node], resolve), "kafka_listeners has CONTROLLER", "another name")
    [node] = kraft_nodes({"one": variables(kafka_client_listener="CONTROLLER")})
    says(broker_problems([node], resolve), "kafka_client_listener is CONTROLLER", "EXTERNAL")
    [node] = kraft_nodes({"one": variables(kafka_controller_port=19092)})
    says(broker_problems([node], resolve)[:1], "port 19092", "kafka_controller_port")


def test_an_id_of_two_nodes():
    hosts = three()
    hosts["h3"]["kafka_controller_id"] = 1
    found = kraft_nodes(hosts, controllers=hosts)
    says(controller_problems(found, resolve), "h3: kafka_controller_id is 1", "kafka_broker_id of h1", "another one")
    hosts["h3"]["kafka_controller_id"] = 102
    says(controller_problems(kraft_nodes(hosts, controllers=hosts), resolve), "kafka_controller_id 102", "h2, h3")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_an_even_number_of_controllers_is_a_warning(count):
    hosts = {f"h{number}": broker_host(number) for number in range(1, count + 1)}
    warnings = quorum_warnings(kraft_nodes(hosts))
    assert len(warnings) == (count % 2 == 0)
    assert all(f"Use {count - 1} or {count + 1}" in warning for warning in warnings)
    assert quorum_warnings(nodes()) == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("stack_address", "localhost", ["CONTROLLER advertises localhost", "stack_address"]),
        ("kafka_controller_port", 70000, ["kafka_controller_port", "1 to 65535"]),
        ("kafka_controller_memory", "300m", ["kafka_controller_memory is 300m"]),
        ("kafka_controller_config", {"node.id": 7}, ["kafka_controller_config sets node.id"]),
        ("kafka_controller_config", {"num.partitions": {}}, ["kafka_controller_config sets num.partitions"]),
        ("kafka_controller_id", -1, ["kafka_controller_id is -1"]),
    ],
)
def test_variables_of_a_controller(variable, value, words):
    hosts = three(is_local=False)
    hosts["h1"][variable] = value
    problems = controller_problems(kraft_nodes(hosts, hosts_apart(), controllers=hosts), resolve)
    says([problem for problem in problems if problem.startswith("h1")][:1], *words)


def test_a_stack_of_the_other_mode():
    server, broker = nodes()
    found = kraft_nodes()
    left = {"one": engine(container(server), container(broker))}
    says(
        host_problems(found, {"one": "local"}, left),
        "zookeeper is ZooKeeper's",
        "Put the hosts of the group",
        "migration",
    )
    kept = {"one": engine(volumes=[volume(broker)])}
    says(host_problems(found, {"one": "local"}, kept), "kafka-data was written with ZooKeeper", "stack_name")
    ours = {"one": engine(volumes=[volume(found[0])], cluster=ID)}
    says(host_problems([server, broker], {"one": "local"}, ours), "belongs to a cluster with KRaft", ID)
    assert host_problems(found, {"one": "local"}, ours) == []


def test_a_volume_of_another_cluster():
    found = kraft_nodes(three(), hosts_apart())
    engines = {node["host"]: engine(volumes=[volume(node)], cluster=OTHER if node["id"] == 2 else ID) for node in found}
    says(host_problems(found, hosts_apart(), engines), f"{OTHER} on h2", f"{ID} on h1, h3", "stack_name")
    assert cluster_ids(found, engines) == {ID: ["h1", "h3"], OTHER: ["h2"]}


def test_brokers_whose_metadata_is_gone():
    hosts = three()
    found = kraft_nodes(hosts, hosts_apart(), controllers=["h1"])
    engines = {node["host"]: engine(volumes=[volume(node)], cluster=ID) for node in of_kind(found, BROKER)}
    says(
        host_problems(found, hosts_apart(), engines),
        "whose metadata",
        "kafka-controller-101-data",
        "teardown_data=true",
    )


def test_a_broker_keeps_its_roles():
    hosts = three()
    combined, apart = kraft_nodes(hosts, hosts_apart()), kraft_nodes(hosts, hosts_apart(), controllers=hosts)
    engines = {node["host"]: engine(container(node), cluster=ID) for node in combined}
    problems = host_problems(apart, hosts_apart(), engines)
    says(problems, "h1", "kafka-data is a controller, too", "combine.yml again", "remove the hosts")
    kept = {
        host: engine(volumes=[volume(node) for node in apart if node["host"] == host], cluster=ID) for host in hosts
    }
    says(host_problems(combined, hosts_apart(), kept), "kafka-data is no controller", "kafka_controller back")
    assert host_problems(apart, hosts_apart(), kept) == []


def test_a_controller_that_the_inventory_lost():
    hosts = three()
    found = kraft_nodes(hosts, hosts_apart(), controllers=hosts)
    engines = {host: engine(*(container(node) for node in found if node["host"] == host), cluster=ID) for host in hosts}
    engines["h3"]["containers"].append(own(CONTROLLER, 109))
    says(host_problems(found, hosts_apart(), engines), "the controller kafka-controller-109", "kafka_controller_id")


def test_a_version_changes_only_by_the_upgrade():
    [node] = kraft_nodes({"one": variables(stack_kafka_version="4.4.0")})
    older = container(node, version="4.3.1")
    says(version_problems(node, older, upgrading=False), "stack_kafka_version is 4.4.0", "playbooks/upgrade.yml")
    assert version_problems(node, older, upgrading=True) == []
    # The way back is the cluster's to know.
    newer = {**node, "version": "4.3.1"}
    assert version_problems(newer, container(node, version="4.4.0"), upgrading=True) == []


def test_nothing_is_wrong_with_the_examples():
    assert node_problems(kraft_nodes()) == []

"""A migration from ZooKeeper to KRaft: the nodes of each phase, how far it is, and what is refused."""

import json

import pytest

from kafka_proof.deploy.cluster_data import cluster_problems, with_cluster
from kafka_proof.deploy.containers import volume_commands
from kafka_proof.deploy.derive import make_nodes
from kafka_proof.deploy.group_checks import group_problems
from kafka_proof.deploy.host_checks import host_problems
from kafka_proof.deploy.kraft import directory_id, wanted_voters
from kafka_proof.deploy.migration import (
    ORIGIN,
    PHASES,
    compares_before_return,
    left_over_problems,
    migration_problems,
    migration_progress,
    next_phase,
    phase_nodes,
    under_way_problems,
)
from kafka_proof.deploy.node import dedicated, of_kind
from kafka_proof.deploy.takeover import problems as takeover_problems
from kafka_proof.deploy.zookeeper_records import records, records_script, registered_problems
from kafka_proof.operations.snapshot import lost
from tests.unit.stack import container, engine, inside, listener, says, variables
from tests.unit.test_security import secure

CLUSTER = "S5EpGrv1SL-IIiLqwh-KHA"
GROUPS = {"zookeeper": ["one"], "kafka": ["one"]}
ENABLE = "zookeeper.metadata.migration.enable"


def of(phase, groups=None, hosts=None):
    groups = groups or GROUPS
    hosts = hosts or {"one": variables()}
    return phase_nodes(groups, hosts, dict.fromkeys(hosts, "local"), phase)


def at(phase):
    """An engine on which a phase is complete."""
    found = [with_cluster(node, of(phase), {}, CLUSTER) for node in of(phase)]
    seen = engine(*map(container, found))
    for volume in seen["own_volumes"]:
        if "controller" in volume["kind"]:
            volume |= {"cluster": CLUSTER, "migration": phase in PHASES[:3]}
    return {"one": seen}


def test_controllers_copy_from_zookeeper_until_the_end():
    for phase in PHASES:
        [controller] = dedicated(of(phase))
        settings = controller["settings"]
        migrating = phase in PHASES[:3]
        assert (settings.get(ENABLE), "zookeeper.connect" in settings) == ((True, True) if migrating else (None, False))
        assert ("inter.broker.listener.name" in settings, "migration" in controller["labels"]) == (migrating, migrating)
        protocols = settings["listener.security.protocol.map"]
        assert protocols == ("INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT" if migrating else "CONTROLLER:PLAINTEXT")


def test_brokers_change_twice():
    kinds = {}
    for phase in (ORIGIN, *PHASES):
        [broker] = of_kind(of(phase), "broker")
        settings = broker["settings"]
        kinds[phase] = "broker.id" in settings, ENABLE in settings, settings.get("process.roles")
    plain, dual, kraft = (True, False, None), (True, True, None), (False, False, "broker")
    assert list(kinds.values()) == [plain, plain, dual, kraft, kraft, kraft]


def test_a_broker_that_writes_to_both_knows_the_controllers():
    [broker] = of_kind(of("dual-write"), "broker")
    assert broker["settings"]["controller.quorum.bootstrap.servers"] == "kafka-controller-101:19093"
    assert broker["settings"]["listener.security.protocol.map"].endswith("CONTROLLER:PLAINTEXT")
    assert broker["command"].startswith("rm -rf /var/lib/kafka/data/__cluster_metadata-0\n")
    assert broker["client_listener"] == "EXTERNAL"


def test_with_tls_each_side_trusts_the_other():
    hosts = {"one": secure(stack_kafka_version="3.9.2")}
    [controller] = dedicated(of("dual-write", hosts=hosts))
    [broker] = of_kind(of("dual-write", hosts=hosts), "broker")
    assert controller["settings"]["zookeeper.ssl.client.enable"] is True
    assert controller["settings"]["listener.name.internal_secure.ssl.keystore.type"] == "PEM"
    assert broker["settings"]["listener.name.controller_secure.ssl.keystore.type"] == "PEM"
    assert broker["settings"]["authorizer.class.name"].endswith("AclAuthorizer")
    assert controller["settings"]["authorizer.class.name"].endswith("StandardAuthorizer")


def test_the_last_phase_is_the_inventory_without_zookeeper():
    hosts = {"one": variables()}
    after = make_nodes({"kafka_controller": ["one"], "kafka": ["one"]}, hosts, {"one": "local"})
    assert of("remove") == after
    assert [node for node in of("finalise") if "zookeeper" not in node["kinds"]] == after


def test_controllers_of_their_own_hosts():
    hosts = {"one": variables(), "two": variables(kafka_controller_id=102, kafka_listeners=[])}
    found = dedicated(of("controllers", {**GROUPS, "kafka_controller": ["two"]}, hosts))
    assert [(node["host"], node["id"]) for node in found] == [("two", 102)]


def test_a_quorum_begins_with_all_its_controllers():
    nodes = of("controllers")
    [controller] = dedicated(nodes)
    voter = f"101@kafka-controller-101:19093:{directory_id(CLUSTER, 101)}"
    found = with_cluster(controller, nodes, at(ORIGIN), CLUSTER)
    assert found["format"] == [f"--cluster-id={CLUSTER}", "--initial-controllers", voter]
    # One that lost its disk later has forgotten its votes.
    assert "--no-initial-controllers" in with_cluster(controller, nodes, at("dual-write"), CLUSTER)["format"]
    assert with_cluster(of_kind(nodes, "broker")[0], nodes, {}, CLUSTER)["format"] == []


def test_directory_ids_are_no_options():
    ids = [directory_id(CLUSTER, number) for number in range(500)]
    assert len(set(ids)) == 500
    assert not [each for each in ids if each.startswith("-") or len(each) != 22]


def test_only_brokers_with_kraft_are_asked_about_the_quorum():
    assert {phase: bool(wanted_voters(of(phase))) for phase in PHASES} == {
        "controllers": False,
        "dual-write": False,
        "brokers": True,
        "finalise": True,
        "remove": True,
    }


@pytest.mark.parametrize("phase", [ORIGIN, *PHASES])
def test_the_phase_that_is_complete(phase):
    found = migration_progress(of("dual-write"), at(phase), copied=phase in ("dual-write", "brokers"))
    assert found["now"] == phase
    assert found["left"] == [ORIGIN, *PHASES][[ORIGIN, *PHASES].index(phase) + 1 :]


def test_brokers_wait_for_the_copy():
    assert migration_progress(of("dual-write"), at("dual-write"), copied=False)["now"] == "controllers"


@pytest.mark.parametrize(
    ("phase", "options", "run"),
    [
        (ORIGIN, {}, ["controllers", "dual-write", "brokers"]),
        (ORIGIN, {"until": "dual-write"}, ["controllers", "dual-write"]),
        (ORIGIN, {"finalise": True}, list(PHASES)),
        ("brokers", {}, ["brokers"]),
        ("brokers", {"finalise": True}, ["brokers", "finalise", "remove"]),
        ("finalise", {}, ["finalise", "remove"]),
        ("remove", {"finalise": True}, []),
    ],
)
def test_phases_of_a_run(phase, options, run):
    assert migration_progress(of("dual-write"), at(phase), copied=phase != ORIGIN, **options)["run"] == run


def test_no_broker_goes_back_a_phase():
    hosts = {"one": variables(), "two": variables(kafka_broker_id=2, zookeeper_id=2, kafka_controller_id=102)}
    groups = {"zookeeper": ["one"], "kafka": ["one", "two"]}
    nodes = of("dual-write", groups, hosts)
    for reached, other in (("dual-write", "controllers"), ("brokers", "dual-write")):
        found = {
            phase: [with_cluster(node, of(phase, groups, hosts), {}, CLUSTER) for node in of(phase, groups, hosts)]
            for phase in (reached, other)
        }
        mixed = [*found[reached][:-1], found[other][-1]]
        engines = dict.fromkeys(hosts, engine(*map(container, mixed), migration=["kafka-controller-101-data"]))
        run = migration_progress(nodes, engines, copied=reached == "brokers")["run"]
        assert run == list(PHASES[PHASES.index(reached) : 3])
        # A container that was removed by hand comes back in the phase of the others.
        for report in engines.values():
            report["containers"] = [item for item in report["containers"] if "controller" not in item["kinds"]]
        assert migration_progress(nodes, engines, copied=reached == "brokers")["run"] == run
    gone = dict.fromkeys(hosts, engine(migration=["kafka-controller-101-data"]))
    assert migration_progress(nodes, gone, copied=True)["run"][0] == "dual-write"


def test_what_began_to_be_final_continues():
    """A controller that forgot ZooKeeper refuses to start with the settings of the phase before."""
    hosts = {"one": variables(), "two": variables(kafka_controller_id=102, kafka_listeners=[])}
    nodes = of("dual-write", {**GROUPS, "kafka_controller": ["one", "two"]}, hosts)
    seen = engine(*map(container, nodes), cluster=CLUSTER, migration=["kafka-controller-102-data"])
    for item in seen["containers"]:
        item |= {"cluster": CLUSTER, "migration": item["id"] == 102}
    assert migration_progress(nodes, {"one": seen}, copied=True)["run"] == ["finalise", "remove"]


def test_other_playbooks_wait_for_the_end():
    for phase in (ORIGIN, *PHASES):
        problems = under_way_problems(at(phase), " -i x")
        assert bool(problems) is (phase in PHASES[:3])
        if problems:
            says(problems, "under way", "-i x playbooks/migrate.yml", "migrate_rollback.yml")


def test_after_the_end_the_inventory_has_no_zookeeper():
    seen = at("remove")
    seen["one"]["own_volumes"].append(engine(volumes=[("zookeeper-data", "zookeeper", 1)])["own_volumes"][0])
    assert cluster_problems(of("remove"), seen) == []
    says(cluster_problems(of(ORIGIN), seen), "group zookeeper", "kafka_controller", CLUSTER)


def test_a_container_of_zookeeper_is_left_before_the_end():
    says(cluster_problems(of("remove"), at("finalise")), "zookeeper is ZooKeeper's", "docs/migration.md")


def test_labels_of_volumes_become_true():
    [controller] = dedicated(of("finalise"))
    node = with_cluster(controller, of("finalise"), {}, CLUSTER)
    before = at("brokers")["one"]
    [created] = volume_commands(node, before)
    assert created.endswith("kafka-controller-101-data-owner >/dev/null")
    assert f"kafka-proof.cluster={CLUSTER}" in created
    assert "kafka-proof.migration" not in created
    assert volume_commands(node, at("finalise")["one"]) == []
    # That of a broker does not say that a migration is under way: a return removes volumes that do.
    [dual] = of_kind(of("dual-write"), "broker")
    [made] = volume_commands(dual, engine(volumes=[]))
    assert "kafka-proof.migration" not in made
    # A broker's volume is as it was, so that the way back needs no change of labels.
    [broker] = of_kind(of("brokers"), "broker")
    assert volume_commands(with_cluster(broker, of("brokers"), {}, CLUSTER), at("dual-write")["one"]) == []


def test_a_broker_that_was_added_with_kraft_returns_to_zookeeper():
    made = at("brokers")["one"]
    next(item for item in made["own_volumes"] if item["name"] == "kafka-data")["cluster"] = CLUSTER
    [broker] = of_kind(of(ORIGIN), "broker")
    [created] = volume_commands(broker, made)
    assert created.endswith("kafka-data-owner >/dev/null")
    assert "kafka-proof.cluster" not in created


def test_a_controller_whose_container_is_gone_changes_no_phase():
    seen = at("brokers")
    seen["one"]["containers"] = [item for item in seen["one"]["containers"] if "controller" not in item["kinds"]]
    assert migration_progress(of("dual-write"), seen, copied=True)["now"] == "dual-write"


def test_halfway_through_the_last_phase_there_is_no_way_back():
    seen = at("brokers")
    next(item for item in seen["one"]["own_volumes"] if item["kind"] == "controller")["migration"] = ""
    found = migration_progress(of("dual-write"), seen, copied=True)
    assert "migrate_rollback.yml" not in next_phase(found, True, "")
    says(under_way_problems(at("brokers"), ""), "migrate_rollback.yml")
    says(under_way_problems(seen | {"two": at("brokers")["one"]}, ""), "-e migrate_finalise=true")


def test_controllers_take_no_container_over():
    """Those of an adopted ensemble run on hosts of servers that took one over."""
    over = {"container": "old", "data": ["/data"], "names": ["old"]}
    hosts = {"one": variables(stack_takes_over=over), "two": variables(kafka_broker_id=2)}
    found = of("controllers", {"zookeeper": ["one"], "kafka": ["two"]}, hosts)
    assert {node["kinds"][0]: node["takes_over"] for node in found} == {
        "zookeeper": over,
        "controller": {},
        "broker": {},
    }
    assert takeover_problems(found, {"one": engine(container(of_kind(found, "zookeeper")[0]))}, "migration", "") == []


def test_groups():
    both = {**GROUPS, "kafka_controller": ["one"]}
    assert group_problems(both, migrates=True) == []
    says(group_problems(both, ["one"]), "both together are for a migration", "docs/migration.md")
    assert group_problems(both) == []  # status.yml, while it is under way
    says(group_problems({"kafka": ["one"]}, migrates=True), "nothing to migrate")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"version": "3.8.1"}, "runs Kafka 3.8.1 with protocol 3.8"),
        ({"protocol": "3.6"}, "runs Kafka 3.9.2 with protocol 3.6"),
    ],
)
def test_brokers_run_3_9_first(changes, word):
    seen = at(ORIGIN)
    next(item for item in seen["one"]["containers"] if "broker" in item["kinds"]).update(changes)
    says(migration_problems(of("dual-write"), seen, ""), word, "playbooks/upgrade.yml")
    assert migration_problems(of("dual-write"), at(ORIGIN), "") == []


def test_there_is_a_cluster():
    """A preflight check says so: a mistyped stack_name must not start servers."""
    nothing = {"one": engine()}
    found = host_problems(of("dual-write"), {"one": "local"}, nothing, "migration")
    says(found, "there is no broker kafka", "Correct stack_name", "site.yml")


def test_what_began_continues():
    for phase, seen in [(phase, at(phase)) for phase in PHASES]:
        for item in seen["one"]["containers"]:
            if "broker" in item["kinds"]:
                item["version"] = "4.0.0"
        assert migration_problems(of("dual-write"), seen, "") == [], phase


def test_a_record_of_an_earlier_migration_is_refused():
    nodes = of("dual-write")
    assert left_over_problems(nodes, at("controllers"), {"migration": True}, "") == []
    assert left_over_problems(nodes, at(ORIGIN), {"migration": False}, "") == []
    # As after a return that was killed in its last step.
    left = {"one": engine(*(item for item in at("dual-write")["one"]["containers"] if "broker" in item["kinds"]))}
    says(left_over_problems(nodes, left, {"migration": False}, ""), "kafka: of an earlier", "migrate_rollback.yml")
    says(left_over_problems(nodes, at(ORIGIN), {"migration": True}, ""), "/migration", "migrate_rollback.yml")


OUTPUT = """Connecting to localhost:2181
Welcome to ZooKeeper!
{"version":"1","id":"S5EpGrv1SL-IIiLqwh-KHA"}
{"version":0,"kraft_metadata_offset":%s,"kraft_controller_id":101,"kraft_metadata_epoch":1}
{"version":2,"brokerid":101,"timestamp":"17","kraftControllerEpoch":1}
[3, 1]
"""


def test_records():
    found = records(OUTPUT % 42)
    assert found == {"cluster": CLUSTER, "migration": True, "copied": True, "kraft": True, "brokers": [1, 3]}
    assert records(OUTPUT % -1)["copied"] is False
    plain = records('{"version":"1","id":"x"}\nNode does not exist: /migration\n{"version":2,"brokerid":1}\n[]\n')
    assert plain == {"cluster": "x", "migration": False, "copied": False, "kraft": False, "brokers": []}
    assert records("Exception in thread main\n[1, broken\n")["brokers"] is None


def test_a_broker_with_zookeeper_is_not_cut_off():
    assert registered_problems(records(OUTPUT.replace("[3, 1]", "[]") % 42), "") == []
    says(registered_problems(records(OUTPUT % 42), " -i x"), "Brokers 1, 3 are registered in ZooKeeper", "-i x")


def test_records_below_a_root():
    server, *_ = of(ORIGIN)
    hosts = {"one": variables(kafka_zookeeper_connect="zookeeper:2181/a/b")}
    [broker] = of_kind(of(ORIGIN, hosts=hosts), "broker")
    script = records_script(server, broker, remove=True)
    assert "deleteall /a/b/migration\ndeleteall /a/b/controller\nget /a/b/cluster/id\n" in script
    assert "tls-config" not in script


def test_the_node_reads_the_records_by_tls():
    hosts = {"one": secure(stack_kafka_version="3.9.2")}
    server, broker, *_ = of(ORIGIN, hosts=hosts)
    script = records_script(server, broker)
    assert "zookeeper:2182 -zk-tls-config-file" in script
    assert "zookeeper.set.acl" not in script


@pytest.mark.parametrize(
    ("phase", "broker", "controller", "copied", "noted", "compares"),
    [
        ("brokers", True, True, True, False, True),
        ("dual-write", True, True, True, False, False),
        ("dual-write", True, True, True, True, True),
        ("dual-write", False, True, True, False, True),  # perhaps it ran with KRaft
        ("controllers", True, True, False, True, False),
        ("controllers", False, True, False, True, False),
        ("dual-write", False, False, True, True, False),  # the return is past it
    ],
)
def test_a_return_compares_before_it_removes_controllers(phase, broker, controller, copied, noted, compares):
    found = at(phase)
    gone = {kind for kind, there in (("broker", broker), ("controller", controller)) if not there}
    found["one"]["containers"] = [each for each in found["one"]["containers"] if not gone & set(each["kinds"])]
    assert compares_before_return(of("dual-write"), found, copied, noted) is compares


def test_snapshot():
    before = {"topic a": "2 partitions, 1 replicas", "topic a, retention.ms": "5", "acl x": "there"}
    now = {"topic a": "2 partitions, 1 replicas", "topic a, retention.ms": "6", "topic new": "1"}
    assert lost(before, now) == ["topic a, retention.ms: was 5, and is 6", "acl x: was there, and is missing"]
    assert lost(before, before) == []


def test_next_phase():
    nodes = of("dual-write")

    def said(phase, check=True, **options):
        return next_phase(migration_progress(nodes, at(phase), copied=phase != ORIGIN, **options), check, " -i x")

    assert "Next: controllers" in said(ORIGIN)
    assert "Return to ZooKeeper" not in said(ORIGIN)
    assert "Now: brokers" in said(ORIGIN, check=False)
    assert "playbooks/migrate.yml -e migrate_finalise=true" in said("brokers")
    assert "migrate_rollback.yml" in said("brokers")
    last = said("brokers", check=False, finalise=True)
    assert "rename zookeeper" in last
    assert "one: kafka_controller_id=101" in last
    assert "playbooks/combine.yml" in last
    assert "migrate_rollback.yml" not in said("finalise")


def test_json_of_the_records_is_kafka_s_own():
    """Keys of ZkMigrationLeadershipState and of ControllerZNode in Kafka 3.9."""
    line = OUTPUT.splitlines()[3] % 1
    assert {"kraft_metadata_offset", "kraft_controller_id"} <= json.loads(line).keys()


def test_settings_of_zookeeper_end_with_it():
    config = {"zookeeper.session.timeout.ms": 9000, "inter.broker.protocol.version": "3.9", "num.io.threads": 4}
    hosts = {"one": variables(kafka_config=config | {"password.encoder.secret": "s"})}
    for phase in PHASES:
        [broker] = of_kind(of(phase, hosts=hosts), "broker")
        [controller] = dedicated(of(phase, hosts=hosts))
        assert broker["settings"]["num.io.threads"] == 4
        assert ("inter.broker.protocol.version" in broker["settings"]) is (phase in PHASES[:2])
        assert ("password.encoder.secret" in controller["settings"]) is (phase in PHASES[:3])


def test_listeners_stay():
    hosts = {"one": variables(kafka_listeners=[listener("CLIENT", 9999), inside()], kafka_client_listener="CLIENT")}
    for phase in PHASES:
        [broker] = of_kind(of(phase, hosts=hosts), "broker")
        assert broker["listeners"] == hosts["one"]["kafka_listeners"]

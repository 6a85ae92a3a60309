"""Brokers that may be restarted, their order, and changes that need no restart; without a broker."""

import pytest

from kafka_proof.cluster.health import Partition, View, _view, behind, in_any, obstacles
from kafka_proof.cluster.settings import dynamic_changes, is_same
from kafka_proof.deploy.node import of_kind
from kafka_proof.deploy.zookeeper import Server, batches, left_behind, servers_now, stranger_leads, zookeeper_mode
from kafka_proof.operations.rolling_plan import Cluster, plan
from tests.unit.stack import container, engine, nodes, variables


def partition(leader=1, replicas=(1, 2, 3), in_sync=(1, 2, 3), minimum=2):
    return Partition("t", 0, leader, list(replicas), list(in_sync), minimum)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(partition(), None, id="all in sync"),
        pytest.param(partition(in_sync=(1, 3)), None, id="what this broker explains itself"),
        pytest.param(partition(replicas=(1, 3), in_sync=(1, 3), minimum=1), None, id="not on this broker"),
        pytest.param(partition(in_sync=(1, 2)), "t-0 is under-replicated, not in sync: [3]", id="another is behind"),
        pytest.param(
            partition(in_sync=(2,)), "under-replicated, not in sync: [1, 3]", id="this one has the only replica"
        ),
        pytest.param(partition(leader=None, in_sync=()), "t-0 is offline", id="offline"),
        pytest.param(partition(None, (2,), (), 1), None, id="offline with this broker alone"),
        pytest.param(partition(2, (2,), (2,), 1), None, id="its only replica: nobody can do better"),
        pytest.param(
            partition(2, (2, 3), (2, 3), 2), None, id="as many replicas as must be in sync: nobody can do better"
        ),
        pytest.param(partition(2, (2, 3, 4), (2, 3, 4), 3), None, id="all must be in sync: nobody can do better"),
        pytest.param(Partition("t", 0, 2, [2, 3], [2, 3], 1), None, id="one is enough"),
        pytest.param(partition(1, (1, 2, 3), (1, 2, 3), 3 - 1), None, id="two are left"),
    ],
)
def test_obstacles(found, words):
    said = obstacles([found], 2)
    assert len(said) == (words is not None)
    assert words is None or words in said[0]


def test_obstacle_at_min_in_sync():
    # This occurs only where a replica of this broker counts, and another is away for a separate reason.
    [said] = obstacles([Partition("t", 1, 1, [1, 2, 2], [1, 2], 2)], 2)
    assert "t-1 has 2 in-sync replicas, and min.insync.replicas 2" in said


def test_behind():
    late = partition(in_sync=(1, 3))
    assert behind([partition(), late, partition(replicas=(1, 3), in_sync=(1,))], 2) == [late]


def test_dynamic_changes():
    now = {"a": "1", "b": "2", "leader.replication.throttled.rate": "9"}
    assert dynamic_changes({"a": "1", "c": "3"}, now) == {"b": None, "c": "3"}


# The plan


def broker(number, change="nothing", running=True, before=None, after=None, config=(), has_data=False, wanted=()):
    settings = {"before": before, "after": after} if after else None
    where = {"host": f"k{number}", "id": number, "config": dict(config), "has_data": has_data, "wanted": dict(wanted)}
    return where | {"change": change, "running": running, "settings": settings}


def says(**values):
    """The report of a broker on its settings: value, whether it is read only, and whether it was set while it ran."""
    return {
        key.replace("_", "."): {
            "value": value,
            "read_only": read_only,
            "is_sensitive": False,
            "config_source": "DYNAMIC_BROKER_CONFIG" if dynamic else "STATIC_BROKER_CONFIG",
            "config_type": "INT",
        }
        for key, (value, read_only, dynamic) in values.items()
    }


def decide(*brokers, controller=1, silent=(), settings=None, refused="", gate=True):
    def refuses(changes):
        return dict.fromkeys(changes, refused) if refused else {}

    found = plan(brokers, Cluster(controller, set(silent), settings or {}, refuses), gate)
    assert found["invalid"] == []
    return found["at_once"], found["one_by_one"], found["configure"]


RETENTION = says(log_retention_ms=("5", False, False), broker_id=("1", True, False), listeners=("x", False, False))
MADE = {"change": "create", "before": "log.retention.ms=5\n", "after": "log.retention.ms=6\n"}


@pytest.mark.parametrize(
    ("brokers", "options", "decision"),
    [
        pytest.param([broker(1), broker(2)], {}, ([], [], {}), id="nothing"),
        pytest.param(
            [broker(1, "create", False), broker(2, "create", False)], {}, (["k1", "k2"], [], {}), id="new cluster"
        ),
        pytest.param([broker(1), broker(2, "create", False)], {}, (["k2"], [], {}), id="one joins"),
        pytest.param([broker(1), broker(2, "start", False)], {}, (["k2"], [], {}), id="one was stopped"),
        pytest.param(
            [broker(1), broker(2, "start", False, has_data=True)],
            {"settings": {1: RETENTION}},
            (["k2"], [], {2: {}}),
            id="one was stopped, and can have dynamic settings",
        ),
        pytest.param([broker(1), broker(2, "connect")], {}, (["k2"], [], {}), id="one is cut off"),
        pytest.param(
            [broker(1, "create"), broker(2, "create"), broker(3, "create")],
            {"controller": 2},
            ([], ["k1", "k3", "k2"], {}),
            id="controller last",
        ),
        pytest.param(
            [broker(1, "create"), broker(2, "create", False)], {}, (["k2"], ["k1"], {}), id="repair, then roll"
        ),
        pytest.param(
            [broker(1, "create"), broker(2, "create"), broker(3, "create")],
            {"controller": 2, "silent": [3]},
            ([], ["k3", "k1", "k2"], {}),
            id="one runs and does not answer",
        ),
        pytest.param([broker(1, "restart"), broker(2)], {}, ([], ["k1"], {}), id="restart"),
        pytest.param([broker(1, "create"), broker(2, "create")], {"gate": False}, (["k1", "k2"], [], {}), id="no gate"),
        pytest.param([broker(1, "create")], {}, (["k1"], [], {}), id="a single broker has none to wait for"),
        pytest.param(
            [broker(1, **MADE), broker(2)],
            {"settings": {1: RETENTION}},
            ([], [], {1: {"log.retention.ms": "6"}}),
            id="it takes that while it runs",
        ),
        pytest.param(
            [broker(1, **MADE), broker(2)],
            {"settings": {1: RETENTION}, "refused": "it cannot change while it runs"},
            ([], ["k1"], {}),
            id="it does not",
        ),
        pytest.param([broker(1, **MADE), broker(2)], {}, ([], ["k1"], {}), id="it does not answer"),
        pytest.param(
            [broker(1, **MADE)],
            {"settings": {1: RETENTION}},
            ([], [], {1: {"log.retention.ms": "6"}}),
            id="a single broker takes it too",
        ),
        pytest.param(
            [broker(1, **MADE), broker(2)],
            {"settings": {1: says(log_retention_ms=("6", False, True))}},
            ([], [], {}),
            id="it took that before",
        ),
        pytest.param(
            [broker(1), broker(2)],
            {"settings": {1: says(log_retention_ms=("6", False, True))}},
            ([], [], {1: {"log.retention.ms": None}}),
            id="set before, and wanted no more",
        ),
        pytest.param(
            [broker(1, "create"), broker(2)],
            {"settings": {1: says(log_retention_ms=("6", False, True))}},
            ([], ["k1"], {1: {"log.retention.ms": None}}),
            id="set before, and in its new file",
        ),
        pytest.param(
            [broker(1, "create", True, "broker.id=1\n", "broker.id=2\n"), broker(2)],
            {"settings": {1: RETENTION}},
            ([], ["k1"], {}),
            id="read only",
        ),
        pytest.param(
            [broker(1, "create", True, "listeners=x\n", "listeners=y\n"), broker(2)],
            {"settings": {1: RETENTION}},
            ([], ["k1"], {}),
            id="its container has to publish other ports",
        ),
        pytest.param(
            [broker(1, "create", True, "log.retention.ms=5\nx=1\n", "log.retention.ms=5\n"), broker(2)],
            {"settings": {1: RETENTION}},
            ([], ["k1"], {}),
            id="a line that is gone",
        ),
        pytest.param(
            [broker(1, "create", True, "a=1\n", "unheard.of=1\n"), broker(2)],
            {"settings": {1: RETENTION}},
            ([], ["k1"], {}),
            id="a setting that it does not know",
        ),
    ],
)
def test_plan(brokers, options, decision):
    assert decide(*brokers, **options) == decision


@pytest.mark.parametrize(
    ("config", "refused", "words"),
    [
        ({"log.retention.ms": "7d"}, "", ["k1: kafka_config sets log.retention.ms to '7d'", "not a whole number"]),
        ({"broker.id": "one"}, "", ["broker.id", "'one'", "Correct it."]),  # read only, so nobody asks the broker
        (
            {"log.retention.ms": -9},
            "InvalidRequestError: Invalid value -9 for configuration log.retention.ms: Value must be at least -1",
            ["kafka_config sets log.retention.ms to '-9'. The broker refuses it: Value must be at least -1."],
        ),
    ],
)
def test_an_invalid_value_is_no_reason_for_a_restart(config, refused, words):
    one = broker(1, "create", True, "log.retention.ms=5\n", "log.retention.ms=-9\n", config)
    cluster = Cluster(1, set(), {1: RETENTION}, lambda changes: dict.fromkeys(changes, refused) if refused else {})
    [problem] = plan([one, broker(2)], cluster)["invalid"]
    assert not [word for word in words if word not in problem], problem


def test_a_setting_of_all_brokers_goes_before_the_file():
    """With eligible leader replicas, the controllers keep min.insync.replicas so (KIP-966)."""
    shared = says(min_insync_replicas=("1", False, False), log_retention_ms=("5", False, False))
    shared["min.insync.replicas"]["config_source"] = "DYNAMIC_DEFAULT_BROKER_CONFIG"
    cluster = Cluster(1, set(), {1: shared, 2: shared}, lambda _: {})
    files = ("min.insync.replicas=1\n", "min.insync.replicas=2\n")
    nodes = [broker(number, "create", True, *files, wanted={"min.insync.replicas": "2"}) for number in (1, 2)]
    found = plan(nodes, cluster)
    assert (found["configure_all"], found["one_by_one"], found["configure"]) == ({"min.insync.replicas": "2"}, [], {})
    # A setting that another program changed, and one that is right.
    same = [broker(1, wanted={"min.insync.replicas": value, "log.retention.ms": "7"}) for value in ("2", "1")]
    assert [plan([each], cluster)["configure_all"] for each in same] == [{"min.insync.replicas": "2"}, {}]


@pytest.mark.parametrize(
    ("roles", "found"), [("broker", {}), ("broker,controller", {"unclean.leader.election.enable": "true"})]
)
def test_dedicated_controllers_decide_what_they_decide(roles, found):
    key = "unclean.leader.election.enable"
    settings = says(unclean_leader_election_enable=("false", False, False))
    settings[key] |= {"config_source": "DYNAMIC_DEFAULT_BROKER_CONFIG", "config_type": "BOOLEAN"}
    node = broker(1, wanted={key: "true", "process.roles": roles})
    assert plan([node], Cluster(1, set(), {1: settings}))["configure_all"] == found


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("DOUBLE", "1", "1.0", True),
        ("DOUBLE", "0.0001", "1.0E-4", True),
        ("DOUBLE", "1", "1.5", False),
        ("LIST", "compact, delete", "compact,delete", True),
        ("LIST", "delete,compact", "compact,delete", False),
        ("BOOLEAN", "False", "false", True),
        ("LONG", "007", "7", True),
        ("LONG", "9007199254740993", "9007199254740992", False),
        ("LONG", "x", "7", False),
        ("STRING", "A", "a", False),
        ("", "1", "1.0", False),
        ("STRING", "a", None, False),
    ],
)
def test_values_that_kafka_writes_anew(kind, one, other, same):
    assert is_same(kind, one, other) is same


def test_a_topic_that_does_not_tell_its_settings_is_to_miss_one_replica_at_most():
    # The answer of a broker on a topic that is deleted between two questions.
    found = {"partition_index": 0, "leader_id": 1, "replica_nodes": [1, 2, 3], "isr_nodes": [1, 2, 3]}
    topics = [{"name": name, "partitions": [found]} for name in ("told", "untold")]
    view = _view({"topics": topics, "brokers": [{"node_id": 1, "host": "h", "port": 9}]}, {"told": 1})
    assert [item.min_in_sync for item in view.partitions] == [1, 2]
    assert view.registered == {1: "h:9"}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(partition(2, in_sync=(2,)), None, id="the others wait for it"),
        pytest.param(partition(None, in_sync=(2,)), None, id="it was the last in sync"),
        pytest.param(partition(1, in_sync=(1,)), "not in sync: [3]", id="another is behind"),
        pytest.param(partition(None, (1, 3), (), 1), "is offline", id="it has no part in it"),
    ],
)
def test_obstacles_to_mend_who_does_not_answer(found, words):
    said = obstacles([found], 2, silent=True)
    assert len(said) == (words is not None)
    assert words is None or words in said[0]


def test_what_any_broker_says_counts():
    in_sync, late = partition(), partition(in_sync=(1, 2))
    views = {1: View({}, [late]), 2: View({}, [in_sync]), 3: View({}, [in_sync])}
    assert in_any(views, lambda partitions: behind(partitions, 3)) == [late]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("log.retention.huors", "log.retention.hours"),
        ("retention.ms", "log.retention.ms"),  # as topics have it
        ("log.retention.hours", None),
        ("listener.name.public.max.connections", None),  # Kafka makes such a name itself
        ("my.reporter.url", None),  # a plug-in's
    ],
)
def test_a_setting_that_kafka_does_not_know(name, meant):
    settings = says(log_retention_hours=("168", True, False), log_retention_ms=("1", False, False))
    if name not in settings:  # a broker shows it back
        settings |= {
            key: told | {"config_type": "UNKNOWN"} for key, told in says(**{name: (None, True, False)}).items()
        }
    found = plan(
        [broker(1), broker(2, config={name: None})], Cluster(1, set(), {1: settings, 2: settings}, lambda _: {})
    )
    expected = [f"Kafka has no setting {name}, and ignores it. Did you mean {meant}?"] if meant else []
    assert found["warnings"] == expected
    assert plan([broker(1, config={name: None})], Cluster(None, set(), {}, lambda _: {}))["warnings"] == []


# ZooKeeper


def server(number, change="nothing", running=True, data=True, ensemble=(1, 2, 3), leads=False, mode="follower"):
    mode = "leader" if leads else mode
    return Server(f"z{number}", number, change, running and change != "connect", data, list(ensemble), mode)


def new(number):
    return server(number, "create", running=False, data=False, ensemble=())


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        pytest.param([server(1), server(2), server(3)], [], id="nothing"),
        pytest.param([new(1), new(2), new(3)], [("z1 z2 z3", "", False)], id="a new ensemble"),
        pytest.param([new(1)], [("z1", "", False)], id="a new server alone"),
        pytest.param([server(1, "create", ensemble=())], [("z1", "", True)], id="a server alone"),
        pytest.param(
            [server(1, "start", False), server(2, "start", False), server(3, "start", False)],
            [("z1 z2 z3", "", True)],
            id="all were stopped",
        ),
        pytest.param(
            [server(1, "create", leads=True), server(2, "create"), server(3, "create")],
            [("z2", "z1 z3", True), ("z3", "z1 z2", True), ("z1", "z2 z3", True)],
            id="one at a time, the leader last",
        ),
        pytest.param([server(1), server(2, "start", False), server(3)], [("z2", "", True)], id="one was stopped"),
        pytest.param(
            [server(1, "connect"), server(2, "connect"), server(3)], [("z1 z2", "", True)], id="two are cut off"
        ),
        pytest.param(
            [server(1), new(2), server(3)], [("z2", "z1 z3", True)], id="one lost its data, and gets it from the others"
        ),
        pytest.param(
            [server(1, "create"), new(2), server(3, "create")],
            [("z2", "z1 z3", True), ("z1", "z3 z2", True), ("z3", "z2 z1", True)],
            id="one lost its data: it first, as the others are changed too",
        ),
        pytest.param(
            [server(1, "start", False), new(2), new(3)],
            [("z1", "", False), ("z2", "", True), ("z3", "z1 z2", True)],
            id="two lost their data, and may not forget together what the third knows",
        ),
        pytest.param(
            [server(1, "create", ensemble=()), new(2), new(3)],
            [("z1", "", False), ("z2", "", True), ("z3", "z1 z2", True)],
            id="from one to three: who has data first",
        ),
        pytest.param(
            [server(1, running=False), server(2, ensemble=(1, 2, 3)), new(3)],
            [("z3", "z1 z2", True)],
            id="who has the data crashes: the others may not go on without it",
        ),
        pytest.param(
            [server(1, "create"), server(2, "create", leads=True), new(4)],
            [("z1", "z2", True), ("z2", "z1", True), ("z4", "z1 z2", True)],
            id="the fourth replaces the third",
        ),
    ],
)
def test_batches(servers, expected):
    found = batches(servers)
    assert [(" ".join(item["hosts"]), " ".join(item["others"]), item["wait"]) for item in found] == expected


@pytest.mark.parametrize(
    ("servers", "strangers"),
    [
        pytest.param(
            [server(1, "create"), server(2, "create"), new(4)], ["server.3"], id="the third leads, and is to go"
        ),
        pytest.param([server(1, "create"), server(2, "create", leads=True), new(4)], [], id="the third follows"),
        pytest.param(
            [server(1, "create"), server(2, "create"), server(3, "create", False)], [], id="the third is down"
        ),
        pytest.param([server(1, leads=True), server(2, "create"), new(4)], [], id="one leads that stays as it is"),
        pytest.param(
            [server(1, ensemble=(1, 2, 4), mode=""), server(2, "create"), new(4)],
            ["server.3"],
            id="interrupted: the first has the new list, and follows nobody",
        ),
        pytest.param([server(1, "create", mode=""), server(2, "create", mode=""), new(4)], [], id="none serves"),
        pytest.param([server(1, "create", ensemble=(), mode="standalone"), new(2), new(3)], [], id="from one to three"),
        pytest.param([new(1), new(2), new(3)], [], id="a new ensemble"),
    ],
)
def test_a_stranger_leads(servers, strangers):
    assert stranger_leads(servers) == strangers


@pytest.mark.parametrize(
    ("servers", "names"),
    [
        pytest.param(
            [server(1, "create"), new(4), new(5)], ["server.2", "server.3"], id="two of three replaced at once"
        ),
        pytest.param([server(1, "create")], ["server.2", "server.3"], id="from three to one"),
        pytest.param([server(1, "create"), server(2, "create"), new(4)], [], id="one of three replaced"),
        pytest.param([server(1, "create", ensemble=(1, 2))], [], id="from two to one"),
        pytest.param(
            [server(number, "create", ensemble=(1, 2, 3, 4, 5)) for number in (1, 2, 3)], [], id="from five to three"
        ),
        pytest.param([server(1, "create", ensemble=()), new(2), new(3)], [], id="from one to three"),
        pytest.param([new(1), new(2), new(3)], [], id="a new ensemble"),
    ],
)
def test_who_would_be_left_behind(servers, names):
    assert left_behind(servers) == names


def test_servers_as_they_are_now():
    hosts = {f"h{number}": variables(zookeeper_id=number, kafka_broker_id=number) for number in (1, 2)}
    first, second = of_kind(nodes(hosts), "zookeeper")
    nothing = {"change": "nothing", "running": True}
    hostvars = {
        "h1": {
            "__zookeeper_change": nothing,
            "__stack_engine": engine(container(first)),
            "__zookeeper_answer": {"mode": "standalone"},
        },
        "h2": {"__zookeeper_change": {"change": "create", "running": False}, "__stack_engine": engine()},
    }
    assert servers_now([first, second], hostvars) == [
        Server("h1", 1, "nothing", True, True, [1], "standalone"),  # a server alone is an ensemble of one
        Server("h2", 2, "create", False, False, [], None),
    ]
    hostvars["h1"]["__zookeeper_change"] = nothing | {"change": "connect"}
    assert not servers_now([first], hostvars)[0].running


def test_what_a_server_says():
    assert zookeeper_mode("z", "Zookeeper version: 3.8.4\nMode: follower\nNode count: 5\n", "") == {"mode": "follower"}
    silent = zookeeper_mode("z", "This ZooKeeper instance is not currently serving requests\n", "")
    assert silent["mode"] == ""
    assert silent["msg"].endswith("It said: This ZooKeeper instance is not currently serving requests")
    assert "Its log: PKIX" in zookeeper_mode("z", "not serving", "", "PKIX path")["msg"]
    assert "no such container" in zookeeper_mode("z", "", "Error: no such container: z")["msg"]

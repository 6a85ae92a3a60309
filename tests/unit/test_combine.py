"""Brokers that become controllers, too: what hinders it, and a run that was interrupted."""

from kafka_proof.deploy.combine import combine_problems, combined_nodes, has_begun
from kafka_proof.deploy.host_checks import host_problems
from kafka_proof.deploy.node import BROKER, of_kind
from tests.unit.stack import container, engine, kraft_nodes, says, variables

GROUPS = {"kafka": ["one"], "kafka_controller": ["one"]}
ENGINES = {"one": "local"}


def found(container_state, combined_volume, **other):
    """The nodes, and a report of an engine: the broker's container in a state, or none, and its volume."""
    hosts = {"one": variables(**other)}
    apart, nodes = kraft_nodes(hosts, controllers=["one"]), combined_nodes(GROUPS, hosts, ENGINES, {})
    broker = of_kind(apart, BROKER)[0]
    kept = [container(node, state="running") for node in apart if node != broker]
    if container_state:
        kept.append(container(broker, state=container_state))
    kinds = "broker,controller" if combined_volume else "broker"
    volumes = [(each["data"], each["kinds"][0], each["id"]) for each in kept if each["kinds"] != ["broker"]]
    return nodes, {"one": engine(*kept, volumes=[*volumes, (broker["volume"], kinds, 1)], cluster="id")}


def problems(nodes, engines):
    return combine_problems(GROUPS, nodes, ENGINES, engines)


def test_a_broker_that_does_not_run():
    nodes, engines = found("exited", combined_volume=False)
    says(problems(nodes, engines), "A broker does not run", "Run site.yml first")
    assert not has_begun(nodes, engines)


def test_a_broker_that_an_interrupted_run_stopped_or_removed():
    for state in ("exited", ""):
        nodes, engines = found(state, combined_volume=True)
        assert problems(nodes, engines) == []
        assert has_begun(nodes, engines)


def test_a_fixed_list_of_voters():
    nodes, engines = found("running", combined_volume=False, stack_takes_over={"voters": "101@kafka:19093"})
    says(problems(nodes, engines), "controller.quorum.voters", "Keep separate controllers")


def test_preflight_checks_let_each_state_continue():
    """Before, on the way, and once more when all is done, where the separate controllers are gone."""
    hosts = {"one": variables()}
    [combined] = combined_nodes({"kafka": ["one"]}, hosts, ENGINES, {})
    states = [found("running", False), found("exited", True), found("", True)]
    for nodes, engines in [*states, ([combined], {"one": engine(container(combined))})]:
        assert host_problems(nodes, ENGINES, engines, "combine") == []
    nodes, engines = states[2]
    apart = kraft_nodes(hosts, controllers=["one"])
    says(host_problems(apart, ENGINES, engines), "combine.yml again")

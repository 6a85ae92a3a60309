"""Stacks as data, for unit tests: variables as they leave the check, the nodes that follow, and engines with them."""

import importlib.util
import json
from pathlib import Path

from kafka_proof.deploy.containers import checksum, definition
from kafka_proof.deploy.derive import container_name, make_nodes

_ACTIONS = Path(__file__).parents[2] / "plugins" / "action"
IMAGE = {"id": "sha256:1", "tags": ["image:1"], "digests": []}
STARTED = "2026-01-02T03:04:05.678Z"


def listener(name="EXTERNAL", port=9092, **other):
    host = {"advertised_host": "localhost", "bind_address": "127.0.0.1"}
    return {"name": name, "port": port, "protocol": "PLAINTEXT", **host, **other}


def inside(**other):
    return listener("INTERNAL", 19092, advertised_host="kafka") | other | {"bind_address": ""}


def variables(**other):
    """The variables of one host, with defaults such as those of the roles."""
    return {
        "stack_name": "",
        "stack_network": "kafka",
        "stack_address": "10.0.0.1",
        "stack_image": "image:1",
        "stack_kafka_version": "3.9.2",
        "stack_adopt_volumes": False,
        "stack_takes_over": {},
        "zookeeper_id": 1,
        "zookeeper_port": 2181,
        "zookeeper_quorum_port": 2888,
        "zookeeper_election_port": 3888,
        "zookeeper_bind_address": "127.0.0.1",
        "zookeeper_heap": "64m",
        "zookeeper_memory": None,
        "zookeeper_jvm_options": "-XX:+UseSerialGC",
        "zookeeper_config": {},
        "kafka_broker_id": 1,
        "kafka_zookeeper_connect": "",
        "kafka_listeners": [listener(), inside()],
        "kafka_client_listener": "EXTERNAL",
        "kafka_inter_broker_listener": "INTERNAL",
        "kafka_profile": "development",
        "kafka_config": {},
        "kafka_heap": None,
        "kafka_memory": None,
        "kafka_jvm_options": None,
        "kafka_stop_timeout": 120,
        "kafka_controller_id": 101,
        "kafka_controller_port": 19093,
        "kafka_controller_bind_address": "10.0.0.1",
        "kafka_controller_heap": "256m",
        "kafka_controller_memory": None,
        "kafka_controller_jvm_options": "-XX:+UseSerialGC",
        "kafka_controller_config": {},
        "is_local": True,
    } | other


def nodes(hosts=None, engines=None, zookeepers=None):
    """The nodes of {host: variables}, by default one; engines: {host: engine}, by default one for all."""
    hosts = hosts or {"one": variables()}
    groups = {"kafka": list(hosts), "zookeeper": list(hosts)[:zookeepers]}
    return make_nodes(groups, hosts, engines or dict.fromkeys(hosts, "local"))


def kraft_nodes(hosts=None, engines=None, controllers=()):
    """The nodes of {host: variables} in KRaft mode. `controllers`: hosts of dedicated ones; without them, combined."""
    hosts = hosts or {"one": variables()}
    brokers = [host for host, values in hosts.items() if values.get("kafka_listeners")]
    groups = {"kafka": brokers, "kafka_controller": list(controllers)}
    return make_nodes(groups, hosts, engines or dict.fromkeys(hosts, "local"))


def container(node, **other):
    """The container that runs the node, as kafka_proof.deploy.engine.parse shows it."""
    advertised = node["labels"]["advertised"]
    return {
        "name": node["container"],
        "kinds": node["kinds"],
        "id": node["id"],
        "image": node["image"],
        "image_id": IMAGE["id"],
        "state": "running",
        "health": "healthy",
        "started": STARTED,
        "exit_code": 0,
        "restarts": 0,
        "version": node["version"],
        "protocol": node["labels"]["protocol"],
        "advertised": [item.split("://") for item in advertised.split(",") if item],
        "level": int(node["labels"]["level"]),
        "listeners": json.loads(node["labels"]["listeners"]),
        "cluster": node["labels"].get("cluster", ""),
        "migration": "migration" in node["labels"],
        "ensemble": [],
        "definition": definition(node),
        "files": checksum(node["files"]),
        "ports": [[port["address"], port["port"]] for port in node["ports"]],
        "networks": [node["network"]],
        "data": node["volume"],
    } | other


def own(kind, node_id, stack="", **other):
    """A container of the stack that may be no node's."""
    name = container_name(stack, kind, node_id)
    some = {"name": name, "kinds": [kind], "id": node_id, "ports": [], "state": "running", "data": f"{name}-data"}
    unknown = {"version": None, "protocol": "", "level": 0, "listeners": [], "cluster": "", "migration": False}
    return some | unknown | {"networks": [], "definition": "x", "files": "x"} | other


def engine(*containers, volumes=None, networks=("kafka",), cluster="", migration=(), **other):
    """An engine with these containers of the stack and their volumes, or the `volumes` [(name, kind, id)].

    `cluster`: id on the label of the volumes; `migration`: names of those with its label.
    Other keys: others, listening, addresses.
    """
    data = [(item["data"], ",".join(item["kinds"]), item["id"]) for item in containers] if volumes is None else volumes
    return {
        "containers": list(containers),
        "others": list(other.get("others", ())),
        "image": IMAGE,
        "networks": list(networks),
        "own_networks": list(networks),
        "volumes": [name for name, _, _ in data],
        "own_volumes": [
            {
                "name": name,
                "kind": kind,
                "id": number,
                "cluster": cluster,
                "migration": name in migration,
                "labelled": True,
                "marker": None,
            }
            for name, kind, number in data
        ],
        "listening": list(other.get("listening", ())),
        "addresses": list(other.get("addresses", ())),
    }


def plugin(name):
    """The module of an action plugin. Ansible loads them by their path, too."""
    spec = importlib.util.spec_from_file_location(name, _ACTIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def volume(node):
    """The volume of a node, for `engine`."""
    return (node["volume"], ",".join(node["kinds"]), node["id"])


def other(name, *ports):
    """A container that is not the stack's."""
    return {"name": name, "image": "some:1", "ports": [list(port) for port in ports]}


def says(problems, *words):
    """One problem, with all the words."""
    assert len(problems) == 1, problems
    assert not [word for word in words if word not in problems[0]], problems
    assert problems[0].endswith((".", "?"))

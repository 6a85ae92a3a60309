"""The rolling change: which brokers change, in which order, and which settings need no restart.

1. A broker whose container is right does not change.
2. A broker whose settings alone differ keeps running, if it accepts the new values. Every difference must be a setting
   that Kafka changes while a broker runs. It gets them as dynamic settings.
3. A broker that does not run, or is cut off from its network, changes at once, with all others of that kind. The
   same holds for a new cluster, for a broker without neighbours, and for all brokers without the gate.
4. All others change one at a time, each only when the cluster can do without it (kafka_proof.operations.rolling):
   first those that run and do not answer, because every other one would wait for them; the active controller last.

Where the cluster does not answer, step 2 is left out, and the wait before each broker reports the reason.

A value that the broker calls invalid is no reason to restart it: with such a file it would not start again.

Dedicated controllers of a KRaft quorum have no partitions. They change in the same order, with the leader of the quorum
last: `plan_controllers`. No setting is given to one of them while it runs: Kafka 4.0 refuses its id, and later versions
accept any value for it unchecked, and log that they do not take it. A setting of all nodes reaches controllers, too,
and a broker validates it.
"""

import contextlib
import functools
import re
from collections.abc import Callable
from typing import NamedTuple

import javaproperties
from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.text import setting_text
from kafka_proof.client.wait import attempts
from kafka_proof.client.workarounds import describe_cluster, why_not
from kafka_proof.cluster.controller import active_controller
from kafka_proof.cluster.identity import answers
from kafka_proof.cluster.quorum import caught_up, describe_quorum
from kafka_proof.cluster.settings import (
    dynamic_changes,
    dynamic_settings,
    misspelt,
    set_dynamic,
    settings_of,
    settings_of_any,
    shared_settings,
    wrong_type,
)

_PATIENCE = 5  # seconds for the cluster to answer

_PAUSE = 0.2  # seconds between two tries

# These also decide which ports the container publishes.
_NEEDS_CONTAINER = {"listeners", "advertised.listeners", "listener.security.protocol.map", "inter.broker.listener.name"}

# Dedicated controllers decide by these, and take them as settings of all nodes. They are the only ones of this kind
# that brokers do not report as read-only, beside min.insync.replicas, which the brokers' plan sets for all nodes.
_OF_ALL_NODES = {"unclean.leader.election.enable"}


class Cluster(NamedTuple):
    """The cluster's own report.

    controller: id of the active controller, or None;
    silent: ids of brokers that run and change, and are not registered or do not answer at their address; of controllers
    that are no voters, or not caught up;
    settings: {id: {key: {value, read_only, config_source, config_type}}} of the brokers that answer;
    refuses: function of {id: {key: value or None}}: {id: message} of the brokers that refuse them while they run.
    """

    controller: int | None
    silent: set
    settings: dict
    refuses: Callable = lambda _: {}


def decide(client, brokers, gate):
    """Ask the cluster of `client` (client properties), and return what `plan` returns."""
    return _asked(client, brokers, _look, lambda cluster: plan(brokers, cluster, gate))


def decide_controllers(client, controllers, gate):
    """Ask the brokers of `client` about the quorum, and return what `plan_controllers` returns."""
    return _asked(client, controllers, _look_at_quorum, lambda cluster: plan_controllers(controllers, cluster, gate))


def _asked(client, nodes, look, decide_for):
    """Return decide_for(Cluster), of the Cluster that look(admin, nodes) returns.

    Where no node runs or answers, the Cluster tells nothing. The connection is open until `decide_for` ends.
    """
    # kafka-python may ask the broker that does not answer, so one try is not enough.
    for _ in attempts(_PATIENCE, _PAUSE) if any(node["running"] for node in nodes) else ():
        with (
            contextlib.suppress(KafkaError, ClientPropertiesError),
            why_not(),
            admin_client(client, _PATIENCE) as admin,
        ):
            return decide_for(look(admin, nodes))
    return decide_for(Cluster(None, set(), {}))


def _look_at_quorum(admin, controllers):
    quorum = describe_quorum(admin)
    return Cluster(quorum.leader, {each["id"] for each in controllers} - caught_up(quorum), settings_of_any(admin))


def _look(admin, brokers):
    cluster = describe_cluster(admin)
    registered = {item["broker_id"]: f"{item['host']}:{item['port']}" for item in cluster["brokers"]}
    changed = [item["id"] for item in brokers if item["running"] and item["change"] != "nothing"]
    silent = {broker for broker in changed if not answers(admin, broker, registered.get(broker))}
    asked = [item["id"] for item in brokers if item["id"] in registered.keys() - silent]
    refuses = functools.partial(set_dynamic, admin, validate_only=True)
    return Cluster(active_controller(admin), silent, settings_of(admin, asked), refuses)


def plan(brokers, cluster, gate=True):
    """Return {at_once: [host], one_by_one: [host], configure: {id: {key: value or None}}, configure_all: {key: value},
    invalid, warnings: [str]}.

    brokers: list of {host, id, config, wanted, change, running, has_data, settings: {before, after} or None}, where
    `wanted` are all settings of the broker's file; cluster: a Cluster; gate: whether running brokers change one at a
    time. In `configure`, {} is for a broker whose dynamic settings are not known before it runs: none of them is
    wanted. `configure_all`: new values of settings that are set for all brokers. With `invalid`, nothing may change.
    """
    at_once, one_by_one, configure, configure_all, invalid = [], [], {}, {}, []
    known = next(iter(cluster.settings.values()), {})  # names and types are the same for all
    kinds = {key: item["config_type"] for key, item in known.items()}
    for broker in brokers:
        invalid += [f"{broker['host']}: {problem}" for problem in _wrong_types(broker["config"], kinds)]
        settings = cluster.settings.get(broker["id"])
        now, shared = dynamic_settings(settings or {}), shared_settings(settings or {})
        of_controllers = _OF_ALL_NODES if broker["wanted"].get("process.roles") == "broker" else set()
        wanted = {key: value for key, value in broker["wanted"].items() if key in shared.keys() - of_controllers}
        configure_all |= {key: value for key, value in dynamic_changes(wanted, shared, kinds).items() if value}
        differences = _differences(broker, settings)
        takes = _takes_while_it_runs(broker, differences, functools.partial(_is_dynamic, settings=settings))
        # The value that is set for all brokers goes before that of the file.
        differences = {key: value for key, value in differences.items() if key not in shared.keys() | of_controllers}
        overlay = differences if takes else {}
        changes = dynamic_changes(overlay, _beside_the_file(now, overlay, broker["wanted"]), kinds)
        # A value can be invalid where another difference needs a restart, too.
        asked = changes if overlay else {key: value for key, value in differences.items() if _is_dynamic(key, settings)}
        refused = cluster.refuses({broker["id"]: asked}) if asked else {}
        invalid += [f"{broker['host']}: {said}" for said in _invalid(refused, broker["config"], kinds)]
        stays = broker["change"] == "nothing" or (takes and not refused)
        if not stays:
            changes = dynamic_changes({}, now)  # its new file holds all settings
        if changes or (settings is None and broker["has_data"] and not stays):
            configure[broker["id"]] = changes
        if stays:
            continue
        (one_by_one if _rolls(broker, brokers, gate) else at_once).append(broker)
    one_by_one.sort(key=lambda broker: (broker["id"] not in cluster.silent, broker["id"] == cluster.controller))
    return {
        "at_once": [broker["host"] for broker in at_once],
        "one_by_one": [broker["host"] for broker in one_by_one],
        "configure": configure,
        "configure_all": configure_all,
        "invalid": invalid,
        "warnings": misspelt({name for broker in brokers for name in broker["config"]}, known),
    }


def plan_controllers(controllers, cluster, gate=True):
    """Return {at_once: [host], one_by_one: [host], configure_all: {key: value or None}} for dedicated controllers.

    controllers: list of {host, id, wanted, change, running, settings}, as for `plan`; cluster: a Cluster, with the
    settings of any broker; gate: whether running controllers change one at a time. Without a running broker the quorum
    cannot be asked, so `gate` is false then.
    """
    settings = next(iter(cluster.settings.values()), {})
    shared = shared_settings(settings)
    together = shared.keys() | _OF_ALL_NODES
    changed, wanted = [], {}
    for each in controllers:
        differences = _differences(each, settings)
        stays = _takes_while_it_runs(each, differences, together.__contains__)
        if each["change"] != "nothing" and not stays:
            changed.append(each)
        # The value that is set for all nodes goes before that of the file.
        keys = _OF_ALL_NODES & (shared.keys() | differences.keys()) & each["wanted"].keys()
        wanted |= {key: each["wanted"][key] for key in keys}
    now = {key: value for key, value in shared.items() if key in _OF_ALL_NODES}
    rolls = [each for each in changed if _rolls(each, controllers, gate)]
    rolls.sort(key=lambda each: (each["id"] not in cluster.silent, each["id"] == cluster.controller))
    return {
        "at_once": [each["host"] for each in changed if each not in rolls],
        "one_by_one": [each["host"] for each in rolls],
        "configure_all": dynamic_changes(wanted, now, {key: item["config_type"] for key, item in settings.items()}),
    }


def _rolls(node, nodes, gate):
    """Return whether a node that changes waits for the others. A single node has none, and connecting stops nothing."""
    return node["running"] and node["change"] != "connect" and len(nodes) > 1 and gate


def _wrong_types(config, kinds):
    for key, value in sorted(config.items()):
        if value is not None and (reason := wrong_type(kinds.get(key, ""), setting_text(value))):
            yield f"kafka_config sets {key} to {setting_text(value)!r}, which is {reason}. Correct it."


def _invalid(refused, config, kinds):
    """Yield what the broker calls invalid, beside what `_wrong_types` found. `refused`: {id: message}."""
    for said in refused.values():
        # "Invalid value 7 for configuration cleanup: …"; other refusals are changes that need a restart.
        found = re.search(r"Invalid value (.*?) for configuration (\S+): (.*)", said)
        if found and not list(_wrong_types({found[2]: config.get(found[2])}, kinds)):
            yield f"kafka_config sets {found[2]} to {found[1]!r}. The broker refuses it: {found[3]}. Correct it."


def _differences(broker, settings):
    """Return the settings of a running broker's file that change, {key: new value}; {} where they are not known."""
    if not (broker["change"] == "create" and broker["running"] and broker["settings"] and settings):
        return {}
    before, after = _files(broker)
    return {key: value for key, value in after.items() if before.get(key) != value}


def _beside_the_file(now, overlay, wanted):
    """Return the dynamic settings without those that only repeat the file: a rotation of certificates leaves them."""
    return {key: value for key, value in now.items() if key in overlay or wanted.get(key) != value}


def _takes_while_it_runs(node, differences, is_dynamic):
    """Return whether dynamic settings can make up for the node's old file. None can remove a line of it."""
    if not differences or not all(map(is_dynamic, differences)):
        return False
    before, after = _files(node)
    return before.keys() <= after.keys()


def _files(broker):
    return (javaproperties.loads(broker["settings"][when]) for when in ("before", "after"))


def _is_dynamic(key, settings):
    return key not in _NEEDS_CONTAINER and not settings.get(key, {"read_only": True})["read_only"]

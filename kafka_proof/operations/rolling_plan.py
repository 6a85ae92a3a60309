"""The rolling change: which brokers change, in which order, and which settings need no restart.

1. A broker whose container is right does not change.
2. A broker whose settings alone differ keeps running, if every difference is a setting that Kafka changes while a
   broker runs and the broker accepts the new values. It gets them as dynamic settings.
3. A broker that does not run, or is cut off from its network, changes at once, with all others of that kind. The
   same holds for a new cluster, for a broker without neighbours, and for all brokers without the gate.
4. All others change one at a time, each only when the cluster can do without it (kafka_proof.operations.rolling):
   first those that run and do not answer, because every other one would wait for them; the active controller last.

Where the cluster does not answer, step 2 is left out, and the wait before each broker reports the reason.
"""

import contextlib
import functools
from collections.abc import Callable
from typing import NamedTuple

import javaproperties
from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.wait import attempts
from kafka_proof.client.workarounds import describe_cluster, why_not
from kafka_proof.cluster.controller import active_controller
from kafka_proof.cluster.identity import answers
from kafka_proof.cluster.settings import dynamic_changes, misspelt, set_dynamic, settings_of

_PATIENCE = 5  # seconds for the cluster to answer

_PAUSE = 0.2  # seconds between two tries

# These also decide which ports the container publishes.
_NEEDS_CONTAINER = {"listeners", "advertised.listeners", "listener.security.protocol.map", "inter.broker.listener.name"}


class Cluster(NamedTuple):
    """The cluster's own report.

    controller: id of the active controller, or None;
    silent: ids of brokers that run and change, and are not registered or do not answer at their address;
    settings: {id: {key: {value, read_only, config_source}}} of the brokers that answer;
    refuses: function of {id: {key: value or None}}: the settings that brokers refuse while they run; false if none.
    """

    controller: int | None
    silent: set
    settings: dict
    refuses: Callable


def decide(client, brokers, gate):
    """Ask the cluster of `client` (client properties), and return what `plan` returns."""
    for _ in attempts(_PATIENCE, _PAUSE) if any(broker["running"] for broker in brokers) else ():
        # kafka-python may ask the broker that does not answer, so one try is not enough.
        with (
            contextlib.suppress(KafkaError, ClientPropertiesError),
            why_not(),
            admin_client(client, _PATIENCE) as admin,
        ):
            return plan(brokers, _look(admin, brokers), gate)
    return plan(brokers, Cluster(None, set(), {}, lambda _: False), gate)


def _look(admin, brokers):
    cluster = describe_cluster(admin)
    registered = {item["broker_id"]: f"{item['host']}:{item['port']}" for item in cluster["brokers"]}
    changed = [item["id"] for item in brokers if item["running"] and item["change"] != "nothing"]
    silent = {broker for broker in changed if not answers(admin, broker, registered.get(broker))}
    asked = [item["id"] for item in brokers if item["id"] in registered.keys() - silent]
    refuses = functools.partial(set_dynamic, admin, validate_only=True)
    return Cluster(active_controller(admin), silent, settings_of(admin, asked), refuses)


def plan(brokers, cluster, gate=True):
    """Return {at_once: [host], one_by_one: [host], configure: {id: {key: value or None}}, warnings: [str]}.

    brokers: list of {host, id, config, change, running, settings: {before, after} or None}; cluster: a Cluster; gate:
    whether running brokers change one at a time.
    """
    at_once, one_by_one, configure = [], [], {}
    for broker in brokers:
        now = _dynamic(cluster.settings.get(broker["id"], {}))
        overlay = _overlay(broker, cluster.settings.get(broker["id"])) if broker["change"] == "create" else {}
        changes = dynamic_changes(overlay or {}, now)
        stays = broker["change"] == "nothing" or (overlay and not cluster.refuses({broker["id"]: changes}))
        if not stays:
            changes = dynamic_changes({}, now)  # its new file holds all settings
        if changes:
            configure[broker["id"]] = changes
        if stays:
            continue
        # A single broker has no other to wait for, and connecting one stops nothing.
        rolls = broker["running"] and broker["change"] != "connect" and len(brokers) > 1 and gate
        (one_by_one if rolls else at_once).append(broker)
    one_by_one.sort(key=lambda broker: (broker["id"] not in cluster.silent, broker["id"] == cluster.controller))
    return {
        "at_once": [broker["host"] for broker in at_once],
        "one_by_one": [broker["host"] for broker in one_by_one],
        "configure": configure,
        "warnings": misspelt(
            {name for broker in brokers for name in broker["config"]}, next(iter(cluster.settings.values()), {})
        ),
    }


def _dynamic(settings):
    """Return the settings that are set for this broker alone, while it runs."""
    return {
        key: item["value"]
        for key, item in settings.items()
        if item["config_source"] == "DYNAMIC_BROKER_CONFIG" and not item["is_sensitive"]
    }


def _overlay(broker, settings):
    """Return the dynamic settings that make up for a running broker's old file; None if it needs a restart."""
    if not (broker["running"] and broker["settings"] and settings):
        return None
    before, after = (javaproperties.loads(broker["settings"][when]) for when in ("before", "after"))
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if before.keys() - after.keys():
        return None  # a setting of its file cannot be removed while it runs
    if any(key in _NEEDS_CONTAINER or settings.get(key, {"read_only": True})["read_only"] for key in changed):
        return None
    return changed

"""Which brokers change, in which order, and what needs no restart."""

import contextlib
import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import javaproperties
from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.controller import active_controller
from kafka_proof.cluster.identity import answers
from kafka_proof.cluster.settings import dynamic_changes, misspelt, set_dynamic, settings_of

_PATIENCE = 5  # seconds for the cluster to answer

_PAUSE = 0.2  # seconds between two tries

# Where a listener is also says which ports its container publishes.
_NEEDS_CONTAINER = {"listeners", "advertised.listeners", "listener.security.protocol.map", "inter.broker.listener.name"}


class Cluster(NamedTuple):
    """What the cluster says of itself.

    controller: id of the active one, or None;
    silent: ids of brokers that run, are to be changed, and are not registered or do not answer at their address;
    settings: {id: {key: {value, read_only, config_source}}}, what brokers say of their settings, of those that answer;
    refuses: function of {id: {key: value or None}}, what brokers would not take while they run, false if nothing.
    """

    controller: int | None
    silent: set
    settings: dict
    refuses: Callable


def decide(client, brokers, gate):
    deadline = time.monotonic() + _PATIENCE
    while any(broker["running"] for broker in brokers) and time.monotonic() < deadline:
        # kafka-python asks whichever broker it likes, which may be the one that does not answer.
        with (
            contextlib.suppress(KafkaError, ClientPropertiesError),
            why_not(),
            admin_client(client, _PATIENCE) as admin,
        ):
            return plan(brokers, _look(admin, brokers), gate)
        time.sleep(_PAUSE)
    return plan(brokers, Cluster(None, set(), {}, lambda _: False), gate)


def _look(admin, brokers):
    cluster = admin.describe_cluster()
    registered = {item["broker_id"]: f"{item['host']}:{item['port']}" for item in cluster["brokers"]}
    changed = [item["id"] for item in brokers if item["running"] and item["change"] != "nothing"]
    silent = {broker for broker in changed if not answers(admin, broker, registered.get(broker))}
    asked = [item["id"] for item in brokers if item["id"] in registered.keys() - silent]
    refuses = functools.partial(set_dynamic, admin, validate_only=True)
    return Cluster(active_controller(admin), silent, settings_of(admin, asked), refuses)


def plan(brokers, cluster, gate=True):
    """Decide.

    brokers: list of {host, id, config, change, running, settings: {before, after} or None};
    cluster: a Cluster;
    gate: whether those that run are to be changed one at a time.
    """
    at_once, one_by_one, configure = [], [], {}
    for broker in brokers:
        now = _dynamic(cluster.settings.get(broker["id"], {}))
        overlay = _overlay(broker, cluster.settings.get(broker["id"])) if broker["change"] == "create" else {}
        if overlay:
            overlay = {broker["id"]: dynamic_changes(overlay, now)}
        if broker["change"] == "nothing" or (overlay and not cluster.refuses(overlay)):
            changes = (overlay or {broker["id"]: dynamic_changes({}, now)})[broker["id"]]
            if changes:
                configure[broker["id"]] = changes
            continue
        if changes := dynamic_changes({}, now):  # its file will say it all
            configure[broker["id"]] = changes
        # A single broker has no other to wait for; to connect one that is cut off stops nothing.
        rolls = broker["running"] and broker["change"] != "connect" and len(brokers) > 1 and gate
        (one_by_one if rolls else at_once).append(broker)
    # The gate of any other would wait for who does not answer.
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
    """Settings that are set for this broker alone, while it runs."""
    return {
        key: item["value"]
        for key, item in settings.items()
        if item["config_source"] == "DYNAMIC_BROKER_CONFIG" and not item["is_sensitive"]
    }


def _overlay(broker, settings):
    """The settings that make a running broker's other properties the wanted ones; None if it needs a restart."""
    if not (broker["running"] and broker["settings"] and settings):
        return None
    before, after = (javaproperties.loads(broker["settings"][when]) for when in ("before", "after"))
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if before.keys() - after.keys():
        return None  # what its file says cannot be unsaid
    if any(key in _NEEDS_CONTAINER or settings.get(key, {"read_only": True})["read_only"] for key in changed):
        return None
    return changed

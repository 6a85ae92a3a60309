"""The items of a cluster as text, and those that are missing or different later.

For a change after which all must be as before, such as a migration: topics with their settings, users, ACLs, quotas,
and settings that are set for brokers while they run. Passwords are not shown by a cluster: of a user the mechanism and
the iterations are compared.
"""

import json

from kafka.errors import SecurityDisabledError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.text import one_line, write_whole
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.settings import dynamic_settings, settings_of, shared_settings
from kafka_proof.cluster.temporary import is_temporary
from kafka_proof.operations import topics
from kafka_proof.operations.access import acls, quotas, users

CLUSTER = "cluster"  # the item with the cluster's id
_MOST = 20  # lines in a message


def take(client, seconds, before=()):
    """Return {item: its value}, both text, without topics that a run of this project removes again.

    client: client properties; before: items of a snapshot. A setting among them that was set while the broker ran can
    be in its file now: the value counts. Raises KafkaError.
    """
    with admin_client(client, seconds, seconds) as admin:
        brokers = _brokers(admin, before)
        found = {**_topics(admin), **_access(admin), **brokers, CLUSTER: describe_cluster(admin)["cluster_id"]}
    return dict(sorted(found.items()))


def lost(before, now):
    """Return a line for each item of `before` that is missing or different now. New items do not count."""
    return [
        one_line(f"{item}: was {value}, and " + (f"is {now[item]}" if item in now else "is missing"), limit=300)
        for item, value in before.items()
        if now.get(item) != value
    ]


def complaint(missing, of, path):
    """Return a message about items that are missing. of: the number of all; path: the file that has them."""
    more = [f"and {len(missing) - _MOST} more"] if len(missing) > _MOST else []
    if any(line.startswith("broker ") for line in missing):
        more.append("A broker keeps the settings of kafka_config alone: add those of brokers there.")
    return "\n".join(
        [
            f"{len(missing)} of {of} items are not as they were before this phase:",
            *missing[:_MOST],
            *more,
            f"If all of this was changed on purpose meanwhile, remove {path} and run this again.",
        ]
    )


def read(path):
    """Return the items of a file, {} without one. Raises OSError, ValueError."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(path, items):
    """Write the items to a file: all, or none. Raises OSError."""
    write_whole(path, json.dumps(items, indent=1))


def _topics(admin):
    names = [name for name in admin.list_topics() if not is_temporary(name)]
    found = {}
    for name, topic in topics.describe(admin, names, set(names)).items():
        found[f"topic {name}"] = f"{topic['partitions']} partitions, {topic['replication_factor']} replicas"
        found |= {f"topic {name}, {key}": str(value) for key, value in topic["config"].items()}
    return found


def _access(admin):
    found = {}
    for kind in (users, acls, quotas):
        try:
            table = kind.KIND.read(admin, None)
        except SecurityDisabledError:  # brokers without an authorizer keep no ACLs
            continue
        name = kind.__name__.rpartition(".")[2].removesuffix("s")
        found |= {f"{name} {kind.KIND.line(key, value)}": "there" for key, value in table.items()}
    return found


def _brokers(admin, before):
    ids = [broker["broker_id"] for broker in describe_cluster(admin)["brokers"]]
    found = {}
    for broker, settings in settings_of(admin, ids).items():
        known = {f"broker {broker}, {key}": item["value"] for key, item in settings.items()}
        found |= {item: known[item] for item in known.keys() & set(before)}
        found |= {f"broker {broker}, {key}": value for key, value in dynamic_settings(settings).items()}
        found |= {f"all brokers, {key}": value for key, value in shared_settings(settings).items()}
    return found

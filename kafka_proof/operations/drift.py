"""Files and cluster, in both directions: their differences, and the files that describe a cluster.

The principals in `keep`, the principal of the connection and the topics of Kafka's own programs are in neither.
"""

from kafka_proof.client.ansible_yaml import to_yaml
from kafka_proof.client.connection import admin_client
from kafka_proof.operations import topics
from kafka_proof.operations.access import acls, quotas, shared, users
from kafka_proof.operations.refused import Refused

_ACCESS = {"users": users, "acls": acls, "quotas": quotas}
_VARIABLES = {"topics": "kafka_topics_present"} | {kind: f"kafka_{kind}" for kind in _ACCESS}


class DriftError(Exception):
    """The cluster does not show what is asked for. The message has the missing right."""


def differences(params, kinds):
    """Return ({kind: differences, list of str}, warnings). Asks for the kinds alone. Changes nothing.

    + is in the files alone, - is in the cluster alone, ~ differs. Raises DriftError, KafkaError.
    params: {client, topics, users, acls, quotas, secrets, keep, timeout}, as the modules document them.
    """
    found, warnings = {}, []
    for kind in kinds:
        if kind == "topics":
            found[kind] = _asked(kind, lambda: topics.differences(params))
            continue
        own = params | {"absent": [], "prune": True, "must_answer": True}
        result = _ACCESS[kind].have(own, check=True, say=lambda line: None)
        if result.get("failed"):
            raise DriftError(f"{kind}: {result['msg']}")
        found[kind] = result["changes"]
        warnings += result.get("warnings", [])
    return found, warnings


def export(params, kinds):
    """Return the variables that describe the cluster, as YAML. Users have no passwords in it.

    params: {client, keep, timeout}. Raises DriftError, KafkaError.
    """
    kept = shared.kept(params)
    variables = {}
    with admin_client(params["client"], params["timeout"], params["timeout"]) as admin:
        for kind in kinds:
            if kind == "topics":
                variables[_VARIABLES[kind]] = _asked(kind, lambda: topics.items(admin))
                continue
            module = _ACCESS[kind]
            table = _asked(kind, lambda module=module: _read(admin, module.KIND))
            table = {key: value for key, value in table.items() if module.prunable(kept, key)}
            variables[_VARIABLES[kind]] = module.items(table)
    return to_yaml(variables)


def _read(admin, kind):
    with shared.allowed(kind.rights[0]):
        return kind.read(admin, None)


def _asked(kind, ask):
    try:
        return ask()
    except Refused as refusal:
        raise DriftError("\n".join([f"{kind}: {refusal.problems[0]}", *refusal.problems[1:]])) from None

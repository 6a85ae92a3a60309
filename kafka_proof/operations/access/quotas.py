"""Quotas of clients: {entity: {key: value}}. An entity is a tuple of (type, name), where None is the default entity."""

from functools import partial

from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from kafka_proof.client.raw import batches, send
from kafka_proof.client.text import one_line, setting_text
from kafka_proof.operations.access import shared

DEFAULT = "<default>"
TYPES = {"user": "user", "client_id": "client-id", "ip": "ip"}  # fields of an item: Kafka's types of entities
KEYS = (
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
    "connection_creation_rate",
)


def have(params, check, say=print):
    """Make the quotas match a list, as the module kafka_quotas documents it. Return the result of an Ansible task.

    params: {client, quotas, prune, keep, timeout}.
    """
    if found := problems(params["quotas"]):
        return {"failed": True, "msg": "\n".join(found)}
    goal = shared.Goal(wanted(params["quotas"]), (), partial(prunable, shared.kept(params)))
    return shared.have(KIND, goal, params, check, say)


def problems(items):
    """Return what in the list is no quota."""
    found, seen = [], set()
    for item in items:
        name = f"kafka_quotas has {shared.as_given(item)}"
        key = entity(item)
        if not key:
            found.append(f"{name}: no entity. Give user, client_id or ip; {DEFAULT} is the default for all others.")
        elif "ip" in dict(key) and len(key) > 1:
            found.append(f"{name}: an ip has its own quotas. Write another item for the user or the client_id.")
        elif key in seen:
            found.append(f"{name}: a second time. Write all its limits in one item.")
        elif not limits(item):
            found.append(f"{name}: no limit. Give one of {', '.join(KEYS)}.")
        seen.add(key)
    return found


def wanted(items):
    """Return the table that a list describes."""
    return {entity(item): limits(item) for item in items}


def entity(item):
    """Return the entity of an item."""
    given = [(kind, item.get(name)) for name, kind in TYPES.items()]
    return tuple((kind, None if name == DEFAULT else name) for kind, name in given if name is not None)


def limits(item):
    """Return the limits of an item, {key: float}."""
    return {key: float(item[key]) for key in KEYS if item.get(key) is not None}


def items(table):
    """Return the list that describes a table: the reverse of `wanted`."""
    names = {kind: name for name, kind in TYPES.items()}
    return [
        {names.get(kind, kind): DEFAULT if name is None else name for kind, name in key}
        | {limit: int(value) if value.is_integer() else value for limit, value in sorted(values.items())}
        for key, values in sorted(table.items(), key=repr)
    ]


def prunable(names, key):
    """Return whether pruning can remove an item. names: of the principals that it keeps."""
    return dict(key).get("user") not in names


def _read(admin, broker):
    response = send(admin, DescribeClientQuotasRequest(components=[], strict=False), broker)
    shared.raise_for(response.error_code, response.error_message)
    return {
        _in_order((part.entity_type, part.entity_name) for part in entry.entity): {
            value.key: value.value for value in entry.values
        }
        for entry in response.entries or []
    }


def _in_order(parts):
    order = list(TYPES.values())
    return tuple(sorted(parts, key=lambda part: order.index(part[0])))


def _alter(admin, plan, validate_only):
    changes = [(key, {}, value) for key, value in plan.create.items()]
    changes += [(key, *values) for key, values in plan.change.items()]
    changes += [(key, value, {}) for key, value in plan.remove.items()]
    found = []
    for batch in batches(changes, shared.BATCH):
        request = AlterClientQuotasRequest(entries=[_entry(*change) for change in batch], validate_only=validate_only)
        for answer, (key, *_) in zip(send(admin, request).entries, batch, strict=True):
            if answer.error_code:
                found.append(f"{_line(key, None)}: {shared.refusal(answer.error_code, answer.error_message)}")
    return found


def _entry(key, before, after):
    data = AlterClientQuotasRequest.EntryData
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    ops = [data.OpData(key=name, value=value, remove=False) for name, value in changed.items()]
    ops += [data.OpData(key=name, value=0.0, remove=True) for name in before.keys() - after.keys()]
    return data(entity=[data.EntityData(entity_type=kind, entity_name=name) for kind, name in key], ops=ops)


def _line(key, values):
    who = " ".join(f"{kind} {DEFAULT if name is None else one_line(name)}" for kind, name in key)
    what = ", ".join(f"{name} {setting_text(value)}" for name, value in sorted((values or {}).items()))
    return f"quota of {who}" + (f": {what}" if what else "")


KIND = shared.Kind(_read, _alter, _line, ("DescribeConfigs", "AlterConfigs"))

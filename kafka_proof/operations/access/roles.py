"""Roles: the rights that a program needs, as ACLs. Pure.

A prefix ends with a separator where the role chooses it, so that `app` gets no rights on the topics of `app2`.
Kafka's documentation names the rights: https://kafka.apache.org/documentation/#security_authz and, for streams,
https://kafka.apache.org/documentation/streams/developer-guide/security.html
"""

from typing import NamedTuple

LITERAL, PREFIXED = "literal", "prefixed"
CONNECT_STORAGE = (
    "connect-configs",
    "connect-offsets",
    "connect-status",
)  # as in Kafka's connect-distributed.properties
_PRODUCE, _CONSUME = ("describe", "write"), ("describe", "read")
_STORAGE = ("create", "describe", "describe_configs", "read", "write")
_INTERNAL = (*_STORAGE, "delete")

# Fields of each role beside `principal`, `role` and `host`: those that it needs, those that it accepts.
FIELDS = {
    "producer": (("topic",), ("transactional_id",)),
    "consumer": (("topic", "group"), ()),
    "streams": (("application_id",), ("inputs", "outputs")),
    "connect": (("group",), ("inputs", "outputs", "storage")),
}
PATTERNED = ("topic", "group", "transactional_id")  # fields that can be NAME_prefix instead


class Acl(NamedTuple):
    """One ACL, in Kafka's words in lower case."""

    principal: str
    permission: str
    operation: str
    resource: str
    name: str
    pattern: str
    host: str


def expand(item):
    """Return the ACLs of an item with a role, list of Acl. The item passed `problems`."""
    return [
        Acl(principal(item["principal"]), "allow", operation, resource, name, pattern, item.get("host") or "*")
        for resource, name, pattern, operations in _EXPAND[item["role"]](item)
        for operation in operations
    ]


def problems(item):
    """Return what is wrong with an item that has a role, list of str."""
    if item["role"] not in FIELDS:
        return [f"no role {item['role']}. Use one of: {', '.join(FIELDS)}."]
    needed, accepted = FIELDS[item["role"]]
    found = [
        f"the role {item['role']} needs {' or '.join(_spellings(field))}."
        for field in needed
        if not any(item.get(name) for name in _spellings(field))
    ]
    found += [
        f"{' and '.join(_spellings(field))} exclude each other. Keep one."
        for field in (*needed, *accepted)
        if len([name for name in _spellings(field) if item.get(name)]) > 1
    ]
    known = {"principal", "role", "host", *(name for field in (*needed, *accepted) for name in _spellings(field))}
    unknown = sorted(key for key, value in item.items() if key not in known and value is not None)
    return found + [f"the role {item['role']} has no {name}. Remove it." for name in unknown]


def principal(name):
    """Return a principal with its type: alice is User:alice."""
    kind, colon, _ = name.partition(":")
    return name if colon and kind.isalpha() else f"User:{name}"


def _spellings(field):
    return (field, f"{field}_prefix") if field in PATTERNED else (field,)


def _one(item, field):
    """Return [(name, pattern)] of a field that can be NAME_prefix; [] where the item has none."""
    given = [(item.get(field), LITERAL), (item.get(f"{field}_prefix"), PREFIXED)]
    return [(name, pattern) for name, pattern in given if name]


def _several(names):
    """Return [(name, pattern)] of a list of topics, where NAME* is a prefix, which no name of a topic can be."""
    return [
        (name.removesuffix("*"), PREFIXED) if name.endswith("*") and name != "*" else (name, LITERAL)
        for name in names or []
    ]


def _producer(item):
    yield from (("topic", *one, _PRODUCE) for one in _one(item, "topic"))
    yield from (("transactional_id", *one, _PRODUCE) for one in _one(item, "transactional_id"))


def _consumer(item):
    yield from (("topic", *one, _CONSUME) for one in _one(item, "topic"))
    yield from (("group", *one, _CONSUME) for one in _one(item, "group"))


def _streams(item):
    own = item["application_id"]
    yield "group", own, LITERAL, _CONSUME
    yield "topic", f"{own}-", PREFIXED, _INTERNAL
    yield "transactional_id", f"{own}-", PREFIXED, _PRODUCE
    yield from _topics(item)


def _connect(item):
    yield from (("group", *one, _CONSUME) for one in _one(item, "group"))
    yield from (("topic", name, LITERAL, _STORAGE) for name in item.get("storage") or CONNECT_STORAGE)
    if item.get("inputs"):  # the group of a sink has the name of its connector
        yield "group", "connect-", PREFIXED, _CONSUME
    if item.get("outputs") and item.get("group"):  # a source that delivers exactly once
        yield "transactional_id", f"connect-cluster-{item['group']}", LITERAL, _PRODUCE
        yield "transactional_id", f"{item['group']}-", PREFIXED, _PRODUCE
    yield from _topics(item)


def _topics(item):
    yield from (("topic", *one, _CONSUME) for one in _several(item.get("inputs")))
    yield from (("topic", *one, _PRODUCE) for one in _several(item.get("outputs")))


_EXPAND = {"producer": _producer, "consumer": _consumer, "streams": _streams, "connect": _connect}

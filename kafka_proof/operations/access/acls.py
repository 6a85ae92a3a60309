"""ACLs: {Acl: None}. An item of a list is a role, or a plain ACL: one resource or prefix, with its operations."""

from functools import partial
from itertools import groupby

from kafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from kafka_proof.client.raw import batches, send
from kafka_proof.client.text import one_line
from kafka_proof.operations.access import roles, shared
from kafka_proof.operations.access.roles import Acl, principal

CLUSTER = "kafka-cluster"  # Kafka's name of the resource, of which there is one

# Kafka's numbers, which kafka-python's enumerations have in part.
_RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional_id": 5, "delegation_token": 6, "user": 7}
_OPERATIONS = {
    name: number
    for number, name in enumerate(
        (
            *("all", "read", "write", "create", "delete", "alter", "describe", "cluster_action", "describe_configs"),
            *("alter_configs", "idempotent_write", "create_tokens", "describe_tokens", "two_phase_commit"),
        ),
        start=2,
    )
}
_PERMISSIONS = {"deny": 2, "allow": 3}
_PATTERNS = {roles.LITERAL: 3, roles.PREFIXED: 4}
_ANY = 1
_PLAIN = ("principal", "resource", "name", "pattern", "operations", "permission", "host")
_USUAL = {"pattern": roles.LITERAL, "permission": "allow", "host": "*"}  # where an item leaves them out


def have(params, check, say=print):
    """Make the ACLs match a list, as the module kafka_acls documents it. Return the result of an Ansible task.

    params: {client, acls, absent, prune, keep, timeout}.
    """
    if found := problems(params["acls"], params["absent"]):
        return {"failed": True, "msg": "\n".join(found)}
    tables = wanted(params["acls"]), wanted(params["absent"])
    goal = shared.Goal(*tables, partial(prunable, shared.kept(params)))
    return shared.have(KIND, goal, params, check, say)


def problems(items, absent=()):
    """Return what in the two lists is no ACL."""
    found = []
    for name, each in (("kafka_acls", items), ("kafka_acls_absent", absent)):
        for item in each:
            said = _problems(item, name == "kafka_acls")
            found += [f"{name} has {shared.as_given(item)}: {problem}" for problem in said]
    if not found:
        both = wanted(items).keys() & wanted(absent).keys()
        found += [f"kafka_acls and kafka_acls_absent both have: {line(acl)}. Keep one." for acl in sorted(both)]
    return found


def wanted(items):
    """Return the table that a list describes."""
    return dict.fromkeys(acl for item in items for acl in (roles.expand(item) if item.get("role") else _plain(item)))


def items(table):
    """Return the list of plain ACLs that describes a table: the reverse of `wanted`."""

    def of_one_item(acl):
        return acl._replace(operation="")

    found = []
    for each, group in groupby(sorted(table, key=of_one_item), of_one_item):
        item = each._asdict() | {"operations": sorted(acl.operation for acl in group)}
        usual = _USUAL | ({"name": CLUSTER} if each.resource == "cluster" else {})
        found.append({key: item[key] for key in _PLAIN if item[key] != usual.get(key)})
    return found


def line(acl, _=None):
    """Return an ACL as one line."""
    pattern = "" if acl.pattern == roles.LITERAL else f" {acl.pattern}"
    host = "" if acl.host == "*" else f" from {one_line(acl.host)}"
    name = "" if acl.resource == "cluster" else f"{pattern} {one_line(acl.name)}"
    return f"ACL of {one_line(acl.principal)}: {acl.permission} {acl.operation} on {acl.resource}{name}{host}"


def _problems(item, with_roles):
    if item.get("role"):
        if with_roles:
            return roles.problems(item)
        return ["a role. Write plain ACLs here: resource, name and operations."]
    found = []
    if unknown := sorted(key for key, value in item.items() if key not in _PLAIN and value is not None):
        found.append(f"{', '.join(unknown)} without a role. Give a role, or resource, name and operations.")
    elif item.get("resource") not in _RESOURCES:
        found.append(f"no role and no resource. Give a role, or a resource: {', '.join(_RESOURCES)}.")
    elif item["resource"] == "cluster" and item.get("name") not in (None, CLUSTER):
        found.append("the cluster has no name. Remove it.")
    elif item["resource"] != "cluster" and not item.get("name"):
        found.append("no name. Give the name of the resource; * is all.")
    if not item.get("operations"):
        found.append("no operations. Give a list, such as [read].")
    for operation in item.get("operations") or []:
        if _word(operation) not in _OPERATIONS and not str(operation).isdecimal():
            found.append(f"no operation {one_line(operation)}. Use some of: {', '.join(_OPERATIONS)}.")
    return found


def _plain(item):
    """Return the ACLs of an item without a role."""
    given = _USUAL | {key: value for key, value in item.items() if value}
    name = CLUSTER if given["resource"] == "cluster" else given["name"]
    who, rest = principal(given["principal"]), (given["resource"], name, given["pattern"], given["host"])
    return [Acl(who, given["permission"], _word(operation), *rest) for operation in given["operations"]]


def _word(operation):
    return str(operation).lower().replace("-", "_")


def prunable(names, acl):
    """Return whether pruning can remove an item. names: of the principals that it keeps."""
    return acl.principal.removeprefix("User:") not in names


# Kafka's requests. A number that is not in a table, of a newer Kafka, is its own name.


def _number(table, name):
    return table[name] if name in table else int(name)


def _name(table, number):
    return next((name for name, each in table.items() if each == number), str(number))


def _read(admin, broker):
    request = DescribeAclsRequest(
        resource_type_filter=_ANY,
        resource_name_filter=None,
        pattern_type_filter=_ANY,
        principal_filter=None,
        host_filter=None,
        operation=_ANY,
        permission_type=_ANY,
    )
    response = send(admin, request, broker)
    shared.raise_for(response.error_code, response.error_message)
    return {
        Acl(
            acl.principal,
            _name(_PERMISSIONS, acl.permission_type),
            _name(_OPERATIONS, acl.operation),
            _name(_RESOURCES, resource.resource_type),
            resource.resource_name,
            _name(_PATTERNS, resource.pattern_type),
            acl.host,
        ): None
        for resource in response.resources
        for acl in resource.acls
    }


def _alter(admin, plan, validate_only):
    """Kafka cannot validate ACLs, so the first call does nothing."""
    if validate_only:
        return []
    found = []
    for batch in batches(list(plan.create), shared.BATCH):
        answers = send(admin, CreateAclsRequest(creations=[_creation(acl) for acl in batch])).results
        found += _refusals(batch, answers)
    for batch in batches(list(plan.remove), shared.BATCH):
        answers = send(admin, DeleteAclsRequest(filters=[_filter(acl) for acl in batch])).filter_results
        found += _refusals(batch, answers)
    return found


def _refusals(batch, answers):
    return [
        f"{line(acl)}: {shared.refusal(answer.error_code, answer.error_message)}"
        for acl, answer in zip(batch, answers, strict=True)
        if answer.error_code
    ]


def _numbers(acl):
    return {"operation": _number(_OPERATIONS, acl.operation), "permission_type": _number(_PERMISSIONS, acl.permission)}


def _creation(acl):
    return CreateAclsRequest.AclCreation(
        resource_type=_number(_RESOURCES, acl.resource),
        resource_name=acl.name,
        resource_pattern_type=_number(_PATTERNS, acl.pattern),
        principal=acl.principal,
        host=acl.host,
        **_numbers(acl),
    )


def _filter(acl):
    return DeleteAclsRequest.DeleteAclsFilter(
        resource_type_filter=_number(_RESOURCES, acl.resource),
        resource_name_filter=acl.name,
        pattern_type_filter=_number(_PATTERNS, acl.pattern),
        principal_filter=acl.principal,
        host_filter=acl.host,
        **_numbers(acl),
    )


KIND = shared.Kind(_read, _alter, line, ("Describe", "Alter"))

"""Plan, show, apply: the steps that users, ACLs and quotas have in common.

An item is a key with a value in a table, {key: value}. A wanted value that is None accepts any actual value.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kafka.errors import ClusterAuthorizationFailedError, KafkaError, KafkaTimeoutError, SecurityDisabledError, for_code

from kafka_proof.client.connection import admin_client
from kafka_proof.client.oauth import user_of
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.client.raw import known_brokers
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import WaitedInVainError, wait_until
from kafka_proof.client.workarounds import reason
from kafka_proof.operations.refused import NO_BROKER, NOTHING, REST_DONE, UNCERTAIN, Refused

BATCH = 500  # items in one request: a KRaft controller takes 10,000 records, and an item can be several
IN_FORCE = 30  # seconds until every broker knows a change, at most
_SECRET = ", another password"  # the difference of equal values: the cluster does not show it
ANSWER = 60  # seconds for one request, at most


class Kind(NamedTuple):
    """How to read and write one kind of items.

    read      read(admin, broker id or None) returns the actual table
    alter     alter(admin, plan, validate_only) carries out a plan; returns the refusals, list of str
    line      line(key, value) returns an item as one line of text; value can be None
    rights    the rights on the cluster that reading and altering need
    refine    refine(plan, actual) changes a plan before anyone sees it, and returns a list of warnings
    finish    finish(plan, seconds) waits until the changes are in force
    """

    read: Callable[..., Any]
    alter: Callable[..., Any]
    line: Callable[..., Any]
    rights: tuple[str, str]
    refine: Callable[..., Any] | None = None
    finish: Callable[..., Any] | None = None


class Goal(NamedTuple):
    """The wanted table, the keys to remove, and a function that tells by its key whether an item can be pruned."""

    wanted: dict[Any, Any]
    absent: Any
    prunable: Callable[[Any], bool]


@dataclass
class Plan:
    """The changes. `change`: {key: (value before, value after)}; the others are tables."""

    create: dict = field(default_factory=dict)
    change: dict = field(default_factory=dict)
    remove: dict = field(default_factory=dict)

    def __bool__(self):
        return bool(self.create or self.change or self.remove)


def as_given(item):
    """Return an item of the inventory as one line: the keys that the user set."""
    return one_line({key: value for key, value in item.items() if value is not None})


def make_plan(wanted, absent, actual, prune=None):
    """Return the Plan that makes the actual table the wanted one.

    absent: keys to remove; prune: a function that tells whether an item that is not wanted goes, by its key.
    """
    plan = Plan()
    for key, value in wanted.items():
        if key not in actual:
            plan.create[key] = value
        elif value is not None and value != actual[key]:
            plan.change[key] = (actual[key], value)
    for key in sorted(actual.keys() - wanted.keys(), key=repr):
        if key in absent or (prune and prune(key)):
            plan.remove[key] = actual[key]
    return plan


def lines(kind, plan):
    """Return the plan as lines: + is in the list alone, - is in the cluster alone, ~ differs."""
    return [
        *(f"+ {kind.line(key, value)}" for key, value in plan.create.items()),
        *(f"~ {_change(kind, key, *values)}" for key, values in plan.change.items()),
        *(f"- {kind.line(key, value)}" for key, value in plan.remove.items()),
    ]


def result(kind, plan):
    """Return the result of a task that carried out the plan, or would."""
    before = [kind.line(key, old) + (_SECRET if old == new else "") for key, (old, new) in plan.change.items()]
    after = [kind.line(key, value) for key, (_, value) in plan.change.items()]
    before += [kind.line(key, value) for key, value in plan.remove.items()]
    after += [kind.line(key, value) for key, value in plan.create.items()]
    return {
        "changed": bool(plan),
        "changes": lines(kind, plan),
        "diff": {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)},
    }


def _change(kind, key, before, after):
    if before == after:
        return kind.line(key, before) + _SECRET
    return f"{kind.line(key, before)}, wanted: {kind.line(key, after)}"


def have(kind, goal, params, check, say):
    """Make a cluster's items match a table. Return the result of an Ansible task, which may have failed.

    params: {client, prune, timeout}: client properties; whether to remove what is not wanted; seconds for all.
    `must_answer`, if true: fail where no broker answers, in check mode, too.
    say: called with a line for each removal of an item that is only not wanted, before the first change.
    Raises KafkaError, ClientPropertiesError.
    """
    if not goal.wanted and not goal.absent and not params["prune"]:
        return result(kind, Plan())  # without any right, and without a connection
    try:
        return _have(kind, goal, params, check, say)
    except Refused as refusal:
        return refusal.result(params["client"])


def _have(kind, goal, params, check, say):
    seconds, may_be_new = params["timeout"], check and not params.get("must_answer")
    try:
        admin = admin_client(params["client"], 1 if may_be_new else seconds, min(seconds, ANSWER))
    except (KafkaTimeoutError, ClientPropertiesError):
        if not may_be_new:
            raise
        return result(kind, Plan(create=goal.wanted)) | {"warnings": [NO_BROKER]}
    with admin:
        with allowed(kind.rights[0]):
            actual = kind.read(admin, None)
        plan = make_plan(goal.wanted, goal.absent, actual, goal.prunable if params["prune"] else None)
        warnings = kind.refine(plan, actual) if kind.refine else []
        for key, value in plan.remove.items():
            if key not in goal.absent:
                say(f"prune: {kind.line(key, value)}")
        if plan and not check:
            with allowed(kind.rights[1]):
                _apply(kind, admin, plan)
            _wait_in_force(kind, admin, Goal(goal.wanted, plan.remove, goal.prunable), min(seconds, IN_FORCE))
            if kind.finish:
                kind.finish(plan, min(seconds, IN_FORCE))
        return result(kind, plan) | ({"warnings": warnings} if warnings else {})


def _apply(kind, admin, plan):
    if problems := kind.alter(admin, plan, True):
        raise Refused(problems)
    try:
        problems = kind.alter(admin, plan, False)
    except ClusterAuthorizationFailedError:
        raise
    except KafkaError as error:
        raise Refused([one_line(reason(error))], UNCERTAIN) from error
    if problems:
        all_of_them = len(problems) >= len(plan.create) + len(plan.change) + len(plan.remove)
        raise Refused(problems, NOTHING if all_of_them else REST_DONE)


def _wait_in_force(kind, admin, goal, seconds):
    """Wait until every broker reports the change: in KRaft mode, a broker learns of it after the controller."""
    for broker in known_brokers(admin):

        def left(broker=broker):
            return lines(kind, make_plan(goal.wanted, goal.absent, kind.read(admin, broker.node_id)))

        try:
            wait_until(f"broker {broker.node_id} to apply the changes", left, lambda seen: not seen, seconds, 0.05)
        except WaitedInVainError as error:
            raise Refused([one_line(error)], "the cluster accepted all changes") from None


class allowed:
    """Raise Refused with the name of the right on the cluster that a refused request needs."""

    def __init__(self, right):
        self.right = right

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, ClusterAuthorizationFailedError):
            raise Refused([missing_right(self.right)]) from None
        if isinstance(error, SecurityDisabledError):
            raise Refused(
                ["the brokers have no authorizer, so they keep no ACLs. Set authorizer.class.name."]
            ) from None


def missing_right(right):
    """Return the message for a missing right on the cluster, such as "Alter"."""
    return f"the principal of this connection has no right {right} on the cluster. Allow it, or use another principal."


def raise_for(code, message):
    """Raise the exception of an error code in a response; 0 is none."""
    if code:
        raise for_code(code)(message)


def refusal(code, message):
    """Return an error of one item as text. Raises ClusterAuthorizationFailedError."""
    error = for_code(code)
    if error is ClusterAuthorizationFailedError:
        raise error(message)
    return f"{one_line(message or error.description)} ({error.__name__})"


def kept(params):
    """Return the principals that no pruning touches, set of names without a type: `keep`, and the connection's own."""
    # In check mode before a first run, a file that the properties name does not exist.
    own = user_of(kafka_python(params["client"])) if params.get("prune", True) else ""
    return {name.removeprefix("User:") for name in [*params["keep"], *([own] if own else [])]}

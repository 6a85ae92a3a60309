"""Can this node stop, and is it back? An operator asks both, before and after each node, one at a time.

1. A broker may stop when no partition would be offline, under-replicated or below min.insync.replicas without it, in
   the view of every broker (kafka_proof.cluster.health). In ZooKeeper mode that is all.
2. A controller of a KRaft quorum may stop when a majority of the voters is caught up without it
   (kafka_proof.cluster.quorum).
3. A combined node is both: it may stop when both rules allow it.
4. A broker is back when it is registered, answers as itself at its advertised address, and is in sync everywhere.
5. A controller is back when it has fetched from the leader since this wait began, and is caught up. An older fetch can
   be of the process that was stopped. It is a voter or an observer, as before: kafka_proof.operations.quorum joins it.

A stopped node is never the next one's risk: each wait looks at the whole cluster, and the operator continues only when
the node before is back. `kinds` names the parts of a node: "broker", "controller", or both.
"""

import time

from kafka_proof.cluster import health, quorum
from kafka_proof.cluster.identity import NotReadyError, answers, identify
from kafka_proof.operations.waiting import few, wait

BROKER, CONTROLLER = "broker", "controller"
_HELD_MS = 500  # a leader holds a fetch so long, and counts it at the end: KafkaRaftClient.MAX_FETCH_WAIT_MS
_SILENT = 30  # seconds without any answer; a busy broker can need less


def wait_can_stop(client, node, seconds, say, *, kinds=(BROKER,)):
    """Wait until the cluster can do without this node. Raises NotReadyError after `seconds`.

    client: client properties; node: its id; say(text) is called with each new observation, and the exception has the
    last one.
    """
    checks = {BROKER: _broker_can_stop(node), CONTROLLER: _controller_can_stop(node)}
    wait(client, seconds, say, lambda admin: [checks[kind](admin) for kind in kinds])


def wait_back(client, node, start_seconds, seconds, say, *, kinds=(BROKER,)):  # noqa: PLR0913
    """Wait until this node is back.

    It must be there within `start_seconds`: a broker registered and answering, a controller fetching. It must be in
    sync and caught up within `seconds`. Else like `wait_can_stop`.
    """
    fetches = _controller_fetches(node)

    def is_there(admin):
        if BROKER in kinds:
            _is_there(admin, node)
        if CONTROLLER in kinds:
            fetches(admin)

    def is_back(admin):
        if BROKER in kinds:
            _in_sync(admin, node)
        if CONTROLLER in kinds and not quorum.is_caught_up(*fetches(admin)):
            raise NotReadyError(f"controller {node} fetches, and is not caught up yet")

    wait(client, start_seconds, say, is_there)
    wait(client, seconds, say, is_back)


# A broker: its partitions


def _broker_can_stop(broker):
    """Return a function that raises NotReadyError while the partitions need this broker."""
    spoke = time.monotonic()

    def check(admin):
        nonlocal spoke
        views = health.look(admin)
        address = next((view.registered[broker] for view in views.values() if broker in view.registered), None)
        if broker in views or answers(admin, broker, address):
            spoke = time.monotonic()
        silent = time.monotonic() - spoke > _SILENT
        if found := health.in_any(views, lambda partitions: health.obstacles(partitions, broker, silent)):
            raise NotReadyError(f"broker {broker} may not stop yet; {few(found)}")

    return check


def _is_there(admin, broker):
    """Return the views of all brokers. Raises NotReadyError unless this broker is in all, and answers."""
    views = health.look(admin)
    for view in views.values():
        if broker not in view.registered:
            raise NotReadyError(f"broker {broker} is not registered, of those there are {sorted(view.registered)}")
    identify(admin, broker, view.registered[broker])
    return views


def _in_sync(admin, broker):
    if late := health.in_any(_is_there(admin, broker), lambda partitions: health.behind(partitions, broker)):
        raise NotReadyError(f"broker {broker} catches up, partitions left: {len(late)}; {few(late)}")


# A controller: the quorum


def _controller_can_stop(controller):
    """Return a function that raises NotReadyError while the quorum needs this controller."""

    def check(admin):
        if found := quorum.obstacles(quorum.describe_quorum(admin), controller):
            raise NotReadyError(found[0])

    return check


def _controller_fetches(controller):
    """Return a function of (Quorum, Replica) that raises NotReadyError until the controller fetches anew.

    Times of two leaders are of two clocks, so each new leader begins again. A leader that answers runs.
    """
    since = {}

    def check(admin):
        found = quorum.describe_quorum(admin)
        began = since.setdefault(found.epoch, found.now)
        replicas = [each for each in [*found.voters, *found.observers] if each.id == controller]
        newest = max(replicas, key=lambda each: each.last_fetch, default=None)
        if newest is None:
            raise NotReadyError(f"controller {controller} is not in the quorum, of those there are {found.voter_ids}")
        if controller != found.leader and newest.last_fetch <= began + _HELD_MS:
            raise NotReadyError(f"controller {controller} does not fetch from leader {found.leader} yet")
        return found, newest

    return check

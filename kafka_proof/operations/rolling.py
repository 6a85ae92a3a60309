"""Can this broker stop, and is it back? An operator asks both, before and after each broker, one at a time."""

import time

from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.wait import attempts
from kafka_proof.cluster.health import behind, in_any, look, obstacles
from kafka_proof.cluster.identity import NotReadyError, answers, identify

_PAUSE = 0.2  # seconds between two looks
_SAY_EVERY = 10  # seconds between two lines with the same observation; a new one is reported at once
_SILENT = 30  # seconds without any answer; a busy broker can need less


def wait_can_stop(client, broker, seconds, say):
    """Wait until the cluster can do without this broker. Raises NotReadyError after `seconds`.

    say(text) is called with each new observation; the exception has the last one.
    """

    spoke = time.monotonic()

    def check(admin):
        nonlocal spoke
        views = look(admin)
        address = next((view.registered[broker] for view in views.values() if broker in view.registered), None)
        if broker in views or answers(admin, broker, address):
            spoke = time.monotonic()
        silent = time.monotonic() - spoke > _SILENT
        if found := in_any(views, lambda partitions: obstacles(partitions, broker, silent)):
            raise NotReadyError(f"broker {broker} may not stop yet; {_few(found)}")

    _wait(client, seconds, say, check)


def wait_back(client, broker, start_seconds, seconds, say):
    """Wait until this broker is registered, answers at its advertised address, and is in sync everywhere.

    The first two must be true within `start_seconds`, all within `seconds`. Else like `wait_can_stop`.
    """

    def is_there(admin):
        views = look(admin)
        for view in views.values():
            if broker not in view.registered:
                raise NotReadyError(f"broker {broker} is not registered, of those there are {sorted(view.registered)}")
        identify(admin, broker, view.registered[broker])
        return views

    def in_sync(admin):
        if late := in_any(is_there(admin), lambda partitions: behind(partitions, broker)):
            raise NotReadyError(f"broker {broker} catches up, partitions left: {len(late)}; {_few(late)}")

    _wait(client, start_seconds, say, is_there)
    _wait(client, seconds, say, in_sync)


def _wait(client, seconds, say, check):
    seen, said_at = "", 0
    for left in attempts(seconds, _PAUSE):
        try:
            # A new connection for each look: an old one knows only the brokers of its time.
            with admin_client(client, max(2, left)) as admin:
                return check(admin)
        except NotReadyError as error:
            now = str(error)
        except KafkaError as error:
            now = f"the cluster does not answer: {error}"
        quiet = time.monotonic() - said_at
        if quiet >= _SAY_EVERY or (now != seen and quiet >= 1):
            say(now)
            said_at = time.monotonic()
        seen = now
    raise NotReadyError(f"waited {seconds} s; last seen: {seen}")


def _few(items, most=3):
    shown = ", ".join(map(str, items[:most]))
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown

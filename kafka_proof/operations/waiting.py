"""The wait of an operation: look at the cluster until it is as wanted, and report what is seen meanwhile."""

import time

from kafka.errors import KafkaError

from kafka_proof.client.connection import LOOK, admin_client
from kafka_proof.client.wait import attempts
from kafka_proof.client.workarounds import reason
from kafka_proof.cluster.identity import NotReadyError

_PAUSE = 0.2  # seconds between two looks
_SAY_EVERY = 10  # seconds between two lines with the same observation; a new one is reported at once


def wait(client, seconds, say, check):
    """Call check(admin) until it raises neither NotReadyError nor KafkaError, and return its result.

    client: client properties; say(text) is called with each new observation. Raises NotReadyError after `seconds`, with
    the last observation.
    """
    seen, said_at = "", 0
    for left in attempts(seconds, _PAUSE):
        try:
            # A new connection for each look: an old one knows only the brokers of its time.
            with admin_client(client, min(max(2, left), LOOK)) as admin:
                return check(admin)
        except NotReadyError as error:
            now = str(error)
        except KafkaError as error:
            now = f"the cluster does not answer: {reason(error)}"
        quiet = time.monotonic() - said_at
        if quiet >= _SAY_EVERY or (now != seen and quiet >= 1):
            say(now)
            said_at = time.monotonic()
        seen = now
    raise NotReadyError(f"waited {seconds} s; last seen: {seen}")


def few(items, most=3):
    """Return the first items as text, and how many more there are."""
    shown = ", ".join(map(str, items[:most]))
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown

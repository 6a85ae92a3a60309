"""Is the cluster ready? An open port says nothing: Docker opens it before the broker runs.

Ready means that the expected brokers are in the metadata, that each answers at its *advertised* address as the broker
that it is said to be, that there is a controller, and that a group coordinator answers.
"""

import time

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError

from kafka_proof.client.connection import version_text
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.controller import require_controller
from kafka_proof.cluster.identity import NotReadyError, identify

_PAUSE = 0.05  # seconds between two looks; each takes a few milliseconds of the broker's time


def wait_ready(properties, brokers, seconds):
    """Wait until the cluster is ready.

    properties: client properties, dict[str, str]; brokers: ids that must be there, iterable of int; seconds: the
    deadline. Returns {"cluster_id": str, "controller_id": int, "brokers": [{"id": int, "host": str, "port": int}],
    "version": str}, where version is what the protocol tells, such as "3.9".
    Raises NotReadyError, or kafka_proof.client.properties.ClientPropertiesError.
    """
    arguments = kafka_python(properties)
    deadline = time.monotonic() + seconds
    with why_not() as why:
        while True:
            try:
                with KafkaAdminClient(
                    **arguments,
                    bootstrap_timeout_ms=max(1, int((deadline - time.monotonic()) * 1000)),
                    reconnect_backoff_max_ms=200,
                    request_timeout_ms=5000,
                ) as admin:
                    return _look(admin, set(brokers))
            except (AuthorizationError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError) as error:
                raise NotReadyError(f"the broker refuses this client: {error}") from error  # waiting does not help
            except (KafkaError, NotReadyError) as error:
                seen = (why() if "bootstrap" in str(error) else "") or error
                if time.monotonic() >= deadline:
                    raise NotReadyError(f"not ready after {seconds} s; last seen: {seen}") from error
            time.sleep(_PAUSE)


def _look(admin, expected):
    cluster = admin.describe_cluster()
    brokers = {broker["broker_id"]: broker for broker in cluster["brokers"]}
    if missing := sorted(expected - brokers.keys()):
        raise NotReadyError(f"broker {missing} not registered, of those there are {sorted(brokers)}")
    controller = require_controller(admin, brokers)
    for broker_id in sorted(expected):
        identify(admin, broker_id, f"{brokers[broker_id]['host']}:{brokers[broker_id]['port']}")
    admin.describe_groups(["kafka-proof"])  # asks for the group's coordinator, which makes the first one
    return {
        "cluster_id": cluster["cluster_id"],
        "controller_id": controller,
        "brokers": [{"id": key, "host": item["host"], "port": item["port"]} for key, item in sorted(brokers.items())],
        "version": version_text(admin._manager.broker_version),
    }

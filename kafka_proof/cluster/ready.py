"""Is the cluster ready? An open port proves nothing: Docker opens it before the broker runs.

Ready means: each expected broker is registered, and answers as itself at its *advertised* address; each of them and the
controller know all the others; the active controller acts; and a group coordinator answers. A broker that lost
ZooKeeper still answers, with its last view of the cluster. Then the controller does not know it any more; or it is
the controller itself, and does not act.

The controller checks a new topic without creating it. So a client without rights and a run in check mode can ask, and
nothing is left; the request needs the controller as a write does.
"""

from collections.abc import Iterable
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError
from kafka.protocol.metadata import MetadataRequest

from kafka_proof.client.connection import LOOK, admin_client
from kafka_proof.client.raw import send
from kafka_proof.client.wait import attempts
from kafka_proof.client.workarounds import describe_cluster, know_brokers, reason, why_not
from kafka_proof.cluster.controller import require_acting, require_controller
from kafka_proof.cluster.identity import NotReadyError, identify
from kafka_proof.cluster.versions import broker_version

# Seconds for the controller to act. A request can be lost while the controller changes, as from ZooKeeper to KRaft.
# Then another one is answered; each that is not can keep a thread of the broker.
_ACTS = 30
_PAUSE = 0.05  # seconds between two attempts; each takes a few milliseconds of the broker's time
_SHORT = 0.5  # seconds; the error of an attempt that had less only shows that the time is over


def wait_ready(properties: dict[str, str], brokers: Iterable[int], seconds: float) -> dict[str, Any]:
    """Wait until the cluster is ready.

    properties: client properties; brokers: ids of the expected brokers; seconds: the deadline. Returns
    {"cluster_id": str, "controller_id": int, "brokers": [{"id": int, "host": str, "port": int}], "version": str}.
    `version` is the protocol's, such as "3.9".
    Raises NotReadyError, or kafka_proof.client.properties.ClientPropertiesError.
    """
    expected = set(brokers)
    seen: Exception | None = None
    with why_not() as why:
        for left in attempts(seconds, _PAUSE):
            try:
                with admin_client(properties, min(left, LOOK)) as admin:
                    return _look(admin, expected, max(1, left))
            except (AuthorizationError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError) as error:
                raise NotReadyError(f"the broker refuses this client: {error}") from error  # waiting does not help
            except (KafkaError, NotReadyError) as error:
                seen = error if seen is None or left > _SHORT else seen
        last = (why() if "bootstrap" in str(seen) else "") or (seen and reason(seen))
        raise NotReadyError(f"not ready after {seconds} s; last seen: {last}") from seen


def _look(admin: KafkaAdminClient, expected: set[int], seconds: float) -> dict[str, Any]:
    cluster = describe_cluster(admin)
    brokers = {broker["broker_id"]: broker for broker in cluster["brokers"]}
    if missing := sorted(expected - brokers.keys()):
        raise NotReadyError(f"broker {missing} not registered, of those there are {sorted(brokers)}")
    controller = require_controller(admin, brokers)
    know_brokers(admin, brokers)
    for broker in sorted(expected):
        identify(admin, broker, f"{brokers[broker]['host']}:{brokers[broker]['port']}")
    for broker in sorted(expected | {controller} & brokers.keys()):  # in KRaft mode the controller can be no broker
        known = {node.node_id for node in send(admin, MetadataRequest(topics=[]), broker).brokers}
        if unknown := sorted(expected - known):
            raise NotReadyError(f"broker {broker} does not know broker {unknown}, it knows {sorted(known)}")
    require_acting(admin, controller, expected, min(seconds, _ACTS))
    admin.describe_groups(["kafka-proof"])  # asks for the group's coordinator, and so creates the first one
    return {
        "cluster_id": cluster["cluster_id"],
        "controller_id": controller,
        "brokers": [{"id": key, "host": item["host"], "port": item["port"]} for key, item in sorted(brokers.items())],
        "version": broker_version(admin, min(expected)),
    }

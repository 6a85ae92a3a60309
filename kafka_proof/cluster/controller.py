"""Which broker or node is the active controller, and does it act? Is there ZooKeeper, or a quorum of controllers?"""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, UnknownError, for_code
from kafka.protocol.admin import CreateTopicsRequest
from kafka.protocol.api_key import ApiKey

from kafka_proof.client.raw import api_versions, send
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import describe_quorum

ZOOKEEPER, KRAFT = "zookeeper", "kraft"
MODES = {ZOOKEEPER: "ZooKeeper", KRAFT: "KRaft"}  # as people write them

_PROBE = "kafka-proof-ready"  # name of the topic that the controller checks; it is never created


# Decisions


def mode_of(versions: Mapping[int, Any]) -> str:
    """Return ZOOKEEPER or KRAFT. `versions`: a broker's table of requests. Only KRaft has DescribeQuorum."""
    return KRAFT if ApiKey.DescribeQuorum in versions else ZOOKEEPER


def is_present(controller: int | None, kind: str, brokers: Container[int]) -> bool:
    """Return whether a controller is named and can be the active one. `kind`: the mode; `brokers`: registered ids.

    In ZooKeeper mode the controller is a broker, and a broker that lost ZooKeeper still names one that is gone.
    """
    return controller is not None and (kind == KRAFT or controller in brokers)


# Questions


def mode(admin: KafkaAdminClient) -> str:
    """Return ZOOKEEPER or KRAFT."""
    return mode_of(api_versions(admin))


def active_controller(admin: KafkaAdminClient) -> int | None:
    """Return the active controller's id, or None when there is none. Raises kafka.errors.KafkaError.

    In KRaft mode that is the quorum's leader, which can be no broker. DescribeCluster names it in ZooKeeper mode only:
    in KRaft mode a broker answers with the id of any broker (KIP-590), so that requests are spread.
    """
    if mode(admin) == KRAFT:
        return describe_quorum(admin).leader
    leader = describe_cluster(admin)["controller_id"]
    return leader if leader is not None and leader >= 0 else None


def require_controller(admin: KafkaAdminClient, brokers: Container[int]) -> int:
    """Return the active controller's id. Raises NotReadyError where there is none; `brokers`: registered ids."""
    controller = active_controller(admin)
    if controller is None or not is_present(controller, mode(admin), brokers):
        raise NotReadyError("no controller yet")
    return controller


def require_acting(admin: KafkaAdminClient, controller: int, brokers: Iterable[int], seconds: float) -> None:
    """Ask the controller to check a new topic, which it does not create. Raises NotReadyError without an answer.

    Every answer counts, also a refusal for want of rights. In ZooKeeper mode the controller reads ZooKeeper for it.
    A controller that lost ZooKeeper keeps the request, and one of its threads, until ZooKeeper is back. So ask rarely,
    and wait at most `seconds`. In KRaft mode ask through each of `brokers`: each forwards it to the controller.
    """
    for node in [controller] if mode(admin) == ZOOKEEPER else sorted(brokers):
        topic = CreateTopicsRequest.CreatableTopic(name=_PROBE, num_partitions=1, replication_factor=1)
        request = CreateTopicsRequest(topics=[topic], timeout_ms=max(1, int(seconds * 1000)), validate_only=True)
        try:
            error = for_code(send(admin, request, node, seconds).topics[0].error_code)
            reason = error.__name__ if error.retriable or error is UnknownError else ""
        except KafkaError as problem:
            reason = f"no answer within {seconds:.1f} s ({problem or type(problem).__name__})"
        if reason:
            through = f"asked through broker {node} to check a new topic"
            raise NotReadyError(f"controller {controller} does not act, {through}: {reason}")

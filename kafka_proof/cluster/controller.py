"""Who is the active controller, and does the cluster have ZooKeeper or a quorum of controllers?"""

from kafka.protocol.api_key import ApiKey

from kafka_proof.cluster.identity import NotReadyError

ZOOKEEPER, KRAFT = "zookeeper", "kraft"
MODES = {ZOOKEEPER: "ZooKeeper", KRAFT: "KRaft"}  # as people write them


def mode(admin):
    """Return ZOOKEEPER or KRAFT. `admin`: a KafkaAdminClient.

    Only brokers in KRaft mode know the request DescribeQuorum. The table of versions is read as it is: kafka-python's
    api_versions() refuses a broker that knows a request which kafka-python does not.
    """
    return KRAFT if int(ApiKey.DescribeQuorum) in admin._manager.broker_version_data.api_versions else ZOOKEEPER


def active_controller(admin):
    """Return the active controller's id, an int, or None when there is none. Raises kafka.errors.KafkaError.

    In KRaft mode the quorum's leader, which may be no broker. DescribeCluster names it in ZooKeeper mode only: in KRaft
    mode a broker answers with the id of any broker (KIP-590), so that requests are spread.
    """
    if mode(admin) == KRAFT:
        leader = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]["leader_id"]
    else:
        leader = admin.describe_cluster()["controller_id"]
    return leader if leader is not None and leader >= 0 else None


def require_controller(admin, brokers):
    """Return the active controller's id. Raises NotReadyError where there is none; `brokers`: ids of those registered.

    In ZooKeeper mode the controller is a broker, and a broker that lost ZooKeeper goes on naming one that is gone.
    """
    controller = active_controller(admin)
    if controller is None or (mode(admin) == ZOOKEEPER and controller not in brokers):
        raise NotReadyError("no controller yet")
    return controller

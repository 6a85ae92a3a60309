"""The differences between a cluster with ZooKeeper and one with KRaft. The tests ask `cluster.mode`.

A server is a member of the quorum that keeps the metadata: a ZooKeeper server, or a controller.
"""

import re
from typing import ClassVar

import pytest
from kafka.errors import KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.cluster.quorum import caught_up, describe_quorum, is_caught_up
from tests.support.engine import KRAFT_VERSION, VERSION, execute

SESSION = 6  # seconds without a sign of life after which a broker is given up, in both modes


class ZooKeeper:
    name = "ZooKeeper"
    version = VERSION
    group, program, first = "zookeeper", "zookeeper", 1  # of the servers: group, name, id of the first
    config: ClassVar = {"controlled.shutdown.retry.backoff.ms": 200, "zookeeper.session.timeout.ms": SESSION * 1000}

    @staticmethod
    def variables(cluster, number):
        """Variables of host `number`, for its server."""
        return {"zookeeper_port": cluster.port + 10 + number - 1}

    @staticmethod
    def controllers(cluster):
        """The nodes of which one is the active controller, {id: container}."""
        return cluster.brokers

    @classmethod
    def leaders(cls, cluster):
        """The ids of the servers that lead: one, or none."""
        return {each for each, says in cls._ask(cluster).items() if "Mode: leader" in says}

    @classmethod
    def connected(cls, cluster):
        """How many brokers have a server that serves them."""
        found = [re.search(r"Connections: (\d+)", says) for says in cls._ask(cluster).values()]
        return sum(int(match[1]) - 1 for match in found if match)  # one of them asks

    @staticmethod
    def problems(_):
        """The problems of the servers: list of str."""
        return []

    @staticmethod
    def _ask(cluster):
        ask = "exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && cat <&3"
        return {each: execute(name, "bash", "-c", ask, check=False) for each, name in cluster.servers.items()}


class KRaft:
    name = "KRaft"
    version = KRAFT_VERSION
    group, program, first = "kafka_controller", "kafka-controller", 101
    config: ClassVar = {"broker.session.timeout.ms": SESSION * 1000}

    @staticmethod
    def variables(*_):
        return {}

    @staticmethod
    def controllers(cluster):
        return cluster.servers

    @classmethod
    def leaders(cls, cluster):
        quorum = cls.quorum(cluster)
        return {quorum.leader} if quorum and quorum.leader in cluster.servers else set()

    @classmethod
    def connected(cls, cluster):
        if not (quorum := cls.quorum(cluster)):
            return 0
        return sum(each.id in cluster.brokers and is_caught_up(quorum, each) for each in quorum.observers)

    @classmethod
    def problems(cls, cluster):
        quorum = cls.quorum(cluster)
        if not quorum:
            return ["no quorum"]
        left = {*cluster.servers} - caught_up(quorum)
        return [f"controller {each}: no voter, or not caught up" for each in sorted(left)] + [
            f"controller {each}: still a voter" for each in sorted({*quorum.voter_ids} - {*cluster.servers})
        ]

    @staticmethod
    def quorum(cluster):
        """The leader's view of the quorum, or None without an answer."""
        try:
            with connect(cluster.arguments) as admin:
                return describe_quorum(admin)
        except (NoKafkaError, KafkaError):
            return None


MODES = (ZooKeeper, KRaft)


def of_mode(*modes):
    """Mark a test that runs in these modes only."""
    return pytest.mark.parametrize("running", modes, indirect=True, ids=lambda mode: mode.name)

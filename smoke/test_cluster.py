"""The cluster is what was deployed, and a client can reach all of it."""

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from smoke.client import no_answer


def test_deployed_topic_has_its_partitions(admin, request):
    topic, count = request.config.getoption("topic"), request.config.getoption("partitions")

    if topic not in (there := admin.list_topics()):
        visible = sorted(name for name in there if not name.startswith("__"))
        pytest.fail(f"topic {topic} is missing; topics that are there: {visible}", pytrace=False)
    [description] = admin.describe_topics([topic])
    leaders = {partition["partition_index"]: partition["leader_id"] for partition in description["partitions"]}

    assert len(leaders) == count, f"{topic} has {len(leaders)} partitions, and {count} were wanted"
    assert min(leaders.values()) >= 0, f"{topic} has a partition without a leader (-1): {leaders}"


def test_every_advertised_address_leads_to_its_broker(admin):
    wrong = {}
    for broker in admin.describe_cluster()["brokers"]:
        node, host, port = broker["broker_id"], broker["host"], broker["port"]
        if reason := no_answer(admin, node, host, port) or _another_broker(admin, node, host, port):
            wrong[node] = reason

    assert not wrong, f"advertised addresses that do not lead to their broker: {wrong}"


def _another_broker(admin, node, host, port):
    """Ask, at the advertised address, for this broker's own configuration: any other broker refuses to give it."""
    wanted = ConfigResource(ConfigResourceType.BROKER, str(node), ["broker.id", "node.id"])
    try:
        settings = admin.describe_configs([wanted], config_filter="all")["broker"][str(node)]
    except KafkaError as error:
        return f"{host}:{port} does not answer as broker {node}: {error}"
    ids = {setting["value"] for setting in settings.values()}
    return "" if str(node) in ids else f"{host}:{port} is not broker {node} but another"

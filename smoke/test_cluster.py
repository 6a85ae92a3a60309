"""The cluster matches the deployment, and a client reaches all of it"""

import time

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import for_code

from kafka_proof.client.connection import no_answer
from kafka_proof.client.wait import wait_until
from kafka_proof.client.workarounds import describe_cluster, producing
from kafka_proof.cluster.health import OFFLINE, partitions_of
from kafka_proof.cluster.identity import not_itself
from kafka_proof.cluster.rights import sees_all_topics

from .run_control import RunControl

SKEW = 10  # seconds by which the clocks of brokers and clients can differ


@pytest.mark.read_only
@pytest.mark.existing_topic
def test_deployed_topic_has_its_partitions(admin, request):
    """The deployed topic exists, with its partitions"""
    if not (deployed := RunControl.of(request.config).deployed_topic):
        pytest.skip("no --topic was named")
    topic, count = deployed

    if topic not in (there := admin.list_topics()):
        visible = sorted(name for name in there if not name.startswith("__"))
        pytest.fail(f"topic {topic} is missing; topics that are there: {visible}", pytrace=False)
    [description] = admin.describe_topics([topic])
    leaders = {partition["partition_index"]: partition["leader_id"] for partition in description["partitions"]}

    assert count in (None, len(leaders)), f"{topic} has {len(leaders)} partitions, and {count} were wanted"
    assert min(leaders.values()) >= 0, f"{topic} has a partition without a leader (-1): {leaders}"


@pytest.mark.read_only
@pytest.mark.existing_topic
def test_every_advertised_address_leads_to_its_broker(admin, record_property):
    """Every advertised address answers as the right broker"""
    answers = {}
    for broker in describe_cluster(admin)["brokers"]:
        node, host, port = broker["broker_id"], broker["host"], broker["port"]
        answers[node] = no_answer(admin, node, host, port) or not_itself(admin, node, f"{host}:{port}")
        record_property(f"broker {node} advertises {host}:{port}", answers[node] or "it answers there")

    wrong = {node: reason for node, reason in answers.items() if reason}
    assert not wrong, f"advertised addresses that do not lead to their broker: {wrong}"


@pytest.mark.read_only
@pytest.mark.existing_topic
def test_every_partition_has_a_leader_and_all_its_replicas_in_sync(admin, record_property):
    """Every partition has a leader, and all its replicas are in sync"""
    partitions = partitions_of(admin.describe_topics())
    wrong = {
        str(each): "no leader" if each.problem == OFFLINE else f"not in sync: brokers {each.missing}"
        for each in partitions
        if each.problem
    }
    record_property("partitions", len(partitions))
    if not sees_all_topics(admin):
        record_property("topics", "those that this client may see (Describe)")

    assert not wrong, f"partitions without a leader, or with replicas that are not in sync: {wrong}"


@pytest.mark.read_only
@pytest.mark.existing_topic
def test_unknown_topic_is_said_to_be_unknown(admin, word):
    """A missing topic is reported as unknown"""
    unknown = f"{word}-there-is-no-such-topic"
    [described] = admin.describe_topics([unknown])

    assert for_code(described["error_code"]).__name__ == "UnknownTopicOrPartitionError", described
    assert unknown not in admin.list_topics(), "to ask for it made it"


def test_topic_is_described_as_it_was_made(admin, name, partitions):
    """A new topic is listed, and described as created"""
    config = ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": "3600000"})
    admin.alter_configs([config])

    assert name in admin.list_topics()
    [described] = admin.describe_topics([name])
    assert sorted(partition["partition_index"] for partition in described["partitions"]) == [0, 1]

    def retention():  # of any broker, and in KRaft mode a broker learns of it after the controller
        settings = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])["topic"][name]
        return settings.get("retention.ms", {}).get("value")

    wait_until("retention.ms of the topic to be 3600000", retention, lambda value: value == "3600000")


def test_clocks_agree(kafka, admin, name, record_property):
    """The clocks of the broker and of this machine agree"""
    admin.create_topics({name: {"num_partitions": 1, "configs": {"message.timestamp.type": "LogAppendTime"}}})
    admin.wait_for_topics([name])
    with producing(**kafka) as producer:
        before = time.time()
        stamp = producer.send(name, b"when is it?").get(timeout=10).timestamp / 1000
        after = time.time()
    ahead = max(0, stamp - after) - max(0, before - stamp)
    skew = f"{abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    record_property("the broker's clock", skew)

    assert abs(ahead) <= SKEW, f"the broker's clock is {skew}: messages will seem older or younger than they are"

"""The question for committed offsets, as a consumer of Kafka's own client asks it."""

import asyncio
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, TopicPartition

from kafka_proof.client.workarounds import stable_offsets


class Admin(KafkaAdminClient):
    """A client whose coordinator answers with one offset. `asked` has the requests."""

    def __init__(self, version):
        self.asked = []
        self._manager = SimpleNamespace(
            run=lambda function, *arguments: asyncio.run(function(*arguments)),
            send=self.answer,
            broker_version_data=SimpleNamespace(api_version=lambda _: version),
        )
        self.version = version

    async def _find_coordinator_ids(self, groups, *_):
        return dict.fromkeys(groups, 1)

    async def answer(self, request, **_):
        request.API_VERSION = self.version
        self.asked.append((request.require_stable, len(request.encode())))
        partition = SimpleNamespace(
            partition_index=0, committed_offset=7, committed_leader_epoch=-1, metadata="", error_code=0
        )
        topic = SimpleNamespace(name="t", partitions=[partition])
        group = SimpleNamespace(group_id="g", error_code=0, topics=[topic])
        return SimpleNamespace(API_VERSION=self.version, error_code=0, groups=[group], topics=[topic])


@pytest.mark.parametrize("version", [5, 7, 8])
def test_offsets_are_stable(version):
    """A broker before Kafka 2.5 knows no such offsets, and reads a request without them."""
    admin = Admin(version)

    found = stable_offsets(admin, "g")

    assert {tp: each.offset for tp, each in found.items()} == {TopicPartition("t", 0): 7}
    assert [stable for stable, _ in admin.asked] == [True]


def test_the_client_is_as_before():
    admin = Admin(8)
    stable_offsets(admin, "g")
    admin.list_group_offsets("g")
    assert [stable for stable, _ in admin.asked] == [True, False]

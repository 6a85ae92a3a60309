"""CVE-2026-111115: some requests of a few MB, before any login, exhaust the heap of 3.9.2. 4.4.0 contains the fix."""

import pytest

from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.ready import wait_ready
from tests.support.requests import big_requests
from tests.versions.quorum import Cluster

SECONDS = 60
SIZE, NUMBER = 8_000_000, 6  # of a heap of 256 MB each takes 200 MB
REFUSAL = "Tried to read 4000000 tagged fields, which exceeds the maximum allowed count"


@pytest.fixture(params=[pytest.param("3.9.2", marks=pytest.mark.long), "4.4.0"])
def node(request):
    with Cluster(request.param, controllers=[1]) as cluster:
        found = cluster.add(1, "broker,controller", "--standalone")
        wait_ready(cluster.client, [1], SECONDS)
        yield found


@pytest.mark.sample
@pytest.mark.xdist_group("large-requests")
def test_large_requests(node):
    big_requests(node.clients, SIZE, NUMBER)
    if node.version == "3.9.2":
        wait_until("a broker without memory", lambda: "OutOfMemoryError" in node.log(), seconds=3 * SECONDS, pause=0.2)
        return
    wait_until("the refusals", lambda: node.log().count(REFUSAL) >= NUMBER, seconds=SECONDS, pause=0.2)
    assert "OutOfMemoryError" not in node.log()
    wait_ready({"bootstrap.servers": f"127.0.0.1:{node.clients}"}, [1], SECONDS)

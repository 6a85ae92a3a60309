"""One broker for these tests, removed after them."""

import pytest

from tests.support.brokers import Brokers, Listener, admin, wait_registered

PORT = 29592


@pytest.fixture(scope="package")
def broker():
    """A broker with the topic kafka_demo. Return its container."""
    with Brokers("kp-tools") as brokers:
        brokers.start_zookeeper()
        container = brokers.start_broker("broker", 1, {"OPEN": Listener(PORT)})
        wait_registered(f"localhost:{PORT}", [1])
        with admin(f"localhost:{PORT}") as client:
            client.create_topics({"kafka_demo": {"num_partitions": 2}}, wait_for_metadata=True)
        yield container


@pytest.fixture(scope="package")
def client_properties(broker, tmp_path_factory):
    """Return the path of the broker's client properties."""
    path = tmp_path_factory.mktemp("client") / "client.properties"
    path.write_text(f"bootstrap.servers=localhost:{PORT}\n")
    return path

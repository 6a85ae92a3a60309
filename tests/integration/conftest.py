"""One broker for these tests, removed after them. The tests have the authority of its listener TLS."""

import pytest

from tests.support.brokers import Brokers, Listener, wait_registered
from tests.support.certificates import Authority, key_store

LISTENERS = {"OPEN": Listener(29551), "TLS": Listener(29552, "SSL")}


@pytest.fixture(scope="package")
def authority(tmp_path_factory):
    """The file of the authority that signed the certificate of the listener TLS."""
    return tmp_path_factory.mktemp("tls") / "authority.pem"


@pytest.fixture(scope="package")
def broker(authority):
    """The broker's container."""
    certificate = key_store("listener.name.tls", *Authority(authority).issue("localhost"))
    with Brokers("kp-integration") as brokers:
        brokers.start_zookeeper()
        container = brokers.start_broker("broker", 1, LISTENERS, certificate)
        wait_registered(f"localhost:{LISTENERS['OPEN'].port}", [1])
        yield container


@pytest.fixture(scope="package")
def arguments(broker):
    """Keyword arguments of any kafka-python client."""
    return {"bootstrap_servers": [f"localhost:{LISTENERS['OPEN'].port}"]}

"""One broker for these tests, removed after them. No client trusts the certificate of its listener TLS."""

import pytest

from tests.support.brokers import Brokers, Listener, wait_registered
from tests.support.certificates import Authority, key_store

LISTENERS = {"OPEN": Listener(29551), "TLS": Listener(29552, "SSL")}


@pytest.fixture(scope="package")
def broker(tmp_path_factory):
    """The broker's container."""
    authority = Authority(tmp_path_factory.mktemp("tls") / "authority.pem")
    certificate = key_store("listener.name.tls", *authority.issue("localhost"))
    with Brokers("kp-integration") as brokers:
        brokers.start_zookeeper()
        container = brokers.start_broker("broker", 1, LISTENERS, certificate)
        wait_registered(f"localhost:{LISTENERS['OPEN'].port}", [1])
        yield container


@pytest.fixture(scope="package")
def arguments(broker):
    """Keyword arguments of any kafka-python client."""
    return {"bootstrap_servers": [f"localhost:{LISTENERS['OPEN'].port}"]}

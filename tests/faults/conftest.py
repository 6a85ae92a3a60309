"""One cluster for all faults: each begins with it whole, and finds one that works if the one before broke it."""

import pytest
from cluster import VERSION, Cluster, image


def pytest_configure(config):
    config.addinivalue_line("markers", "sample: quick, for every run of CI")


@pytest.fixture(scope="session")
def running():
    if not image():
        pytest.skip(f"no image kafka-proof:{VERSION}: run site.yml once")
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def cluster(running):
    """The cluster, whole."""
    try:
        running.repair()
    except AssertionError:
        running.start()
    return running

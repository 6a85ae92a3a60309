"""One cluster for all faults: each begins with it whole, and finds one that works if the one before broke it."""

import pytest

from tests.faults import cluster as clusters
from tests.support.engine import image


@pytest.fixture(scope="session")
def running():
    image()  # or these tests are skipped
    with clusters.running() as cluster:
        yield cluster


@pytest.fixture
def cluster(running):
    """The cluster, whole."""
    try:
        running.repair()
    except AssertionError:
        running.start()
    return running

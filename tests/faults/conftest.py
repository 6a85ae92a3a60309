"""One cluster of each mode for all faults. Each begins with it whole, also where the fault before broke it.

A test runs in both modes, unless `of_mode` names one.
"""

import pytest

from tests.faults import cluster as clusters
from tests.faults.modes import MODES
from tests.support.engine import image


@pytest.fixture(scope="package", params=MODES, ids=lambda mode: mode.name)
def running(request):
    image(request.param.version)  # or these tests are skipped
    with clusters.running(clusters.Cluster(request.param)) as cluster:
        yield cluster


@pytest.fixture
def cluster(running):
    """The cluster, whole."""
    try:
        if not running.is_repaired():
            running.repair()
    except AssertionError:
        running.start()
    return running

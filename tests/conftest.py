"""Which tests belong to a short run, and which of them run in the same process (pytest -n 2 --dist loadgroup)."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Folders with more than a run of CI has time for. Their tests are long, but for those with the mark `sample`.
SAMPLED = {"ci", "cluster", "faults", "mutations", "suite", "versions"}
# Folders whose clusters need most of a machine: one at a time, and first, as they take longest.
CLUSTERS = {"scenarios", "faults"}
# Folders whose files have nothing in common. In others, the tests share brokers.
BY_FILE = {"deploy", "platforms", "report", "unit"}


def pytest_configure(config):
    # Without a word, pytest-xdist 3.8.0 drops the groups with pytest 9.2, and processes would share brokers.
    if config.getoption("dist", "no") == "loadgroup" and pytest.version_tuple >= (9, 2):
        raise pytest.UsageError("pytest-xdist drops the groups with pytest 9.2: pytest-dev/pytest-xdist#1386")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist and `-m` look at the marks
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: CLUSTERS.isdisjoint(item.path.parts))
    for item in items:
        if not item.path.is_relative_to(TESTS):
            continue
        folder, *_, file = item.path.relative_to(TESTS).parts
        if folder in SAMPLED and not item.get_closest_marker("sample"):
            item.add_marker(pytest.mark.long)
        if not item.get_closest_marker("xdist_group"):
            group = f"{folder}/{file}" if folder in BY_FILE else "clusters" if folder in CLUSTERS else folder
            item.add_marker(pytest.mark.xdist_group(group))

"""The table of faults: each row leaves no message lost. `-k KRaft` selects the rows of one mode."""

from pathlib import Path

import pytest

from tests.faults import kraft_table, zookeeper_table  # noqa: F401, they fill the table
from tests.faults.fault_table import FAULTS
from tests.faults.modes import KRaft, ZooKeeper, of_mode
from tests.faults.verify import verified
from tests.support.fault_results import row, save

BUILD = Path(__file__).resolve().parents[2] / "build" / "faults"


def rows(mode):
    """The rows of a mode, as pytest takes them: a number, and a Fault."""
    return pytest.mark.parametrize(
        ("number", "fault"),
        [
            pytest.param(number, fault, id=fault.name, marks=[pytest.mark.sample] if mode in fault.sample else [])
            for number, fault in enumerate(FAULTS, 1)
            if mode in fault.modes
        ],
    )


def loses_nothing(cluster, number, fault):
    with fault.around(cluster):
        result = verified(cluster, fault.do, fault.load)

    mode = cluster.mode
    save(BUILD, f"{number:02}-{fault.name}-{mode.name}", row(fault.title, mode.name, mode.version, result))
    assert result["problems"] == []
    assert bool(result["refused"]) is fault.refuses, result["errors"]


@of_mode(ZooKeeper)
@rows(ZooKeeper)
def test_nothing_is_lost_with_zookeeper(cluster, number, fault):
    loses_nothing(cluster, number, fault)


@of_mode(KRaft)
@rows(KRaft)
def test_nothing_is_lost_with_kraft(cluster, number, fault):
    loses_nothing(cluster, number, fault)

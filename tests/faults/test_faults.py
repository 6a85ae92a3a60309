"""Nothing is lost: each fault of the table is done to a cluster that works, and the workload adds up in the end.

Needs Docker and the image kafka-proof. `-m sample` is quick enough for every run of CI.
The table is build/faults/faults.md.
"""

from pathlib import Path

import pytest

from tests.faults.fault_table import FAULTS
from tests.faults.verify import verified
from tests.support.engine import VERSION
from tests.support.fault_results import row, save

BUILD = Path(__file__).resolve().parents[2] / "build" / "faults"


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        pytest.param(number, fault, id=fault.name, marks=[pytest.mark.sample] if fault.sample else [])
        for number, fault in enumerate(FAULTS, 1)
    ],
)
def test_nothing_is_lost(cluster, number, fault):
    with fault.around(cluster):
        result = verified(cluster, fault.do, fault.load)

    save(BUILD, f"{number:02}-{fault.name}", row(fault.title, VERSION, result))
    assert result["problems"] == []
    assert bool(result["refused"]) is fault.refuses, result["errors"]

"""Nothing is lost: each fault of the table is done to a cluster that works, and the workload adds up in the end.

Needs Docker and the image kafka-proof. `-m sample` is what CI runs. The table is build/faults/faults.md.
"""

import datetime
import logging
from pathlib import Path

import pytest
from cluster import kafka_version
from fault_table import FAULTS

from smoke.client import connect
from smoke.fault_table import row, save
from smoke.names import new_prefix
from smoke.wait import wait_until
from smoke.workload import Workload, topic_of_its_own

BUILD = Path(__file__).resolve().parents[2] / "build" / "faults"
MINUTES = 10  # the longest that one takes
AGAIN = 500  # messages to be acknowledged when all is over: two seconds and a half


def verified(cluster, do, load, **topic):
    """Do it under a workload. Returns its result. `topic`: arguments of `topic_of_its_own`."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    prefix = new_prefix("fault", datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=MINUTES))
    with connect(cluster.arguments) as admin, topic_of_its_own(admin, prefix, **topic) as name:
        cluster.topic = name
        with Workload(cluster.arguments, name, f"{prefix}group", load) as workload:
            cluster.workload = workload
            do(cluster)
            enough = workload.acknowledged() + AGAIN
            wait_until(f"{enough} acknowledgements", workload.acknowledged, lambda seen: seen >= enough, 60, 0.1)
    return workload.result


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        pytest.param(number, fault, id=fault.name, marks=[pytest.mark.sample] if fault.sample else [])
        for number, fault in enumerate(FAULTS, 1)
    ],
)
def test_nothing_is_lost(cluster, number, fault):
    if fault.prepare:
        fault.prepare(cluster)

    result = verified(cluster, fault.do, fault.load)

    save(BUILD, f"{number:02}-{fault.name}", row(fault.title, kafka_version(), result))
    assert result["problems"] == []
    assert bool(result["refused"]) is fault.refuses, result["errors"]

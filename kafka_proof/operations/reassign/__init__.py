"""Move replicas between brokers, under a throttle, while clients continue. No JVM.

    with connect(kafka_python(properties)) as admin:
        rebalance(admin, Wanted(brokers=[1, 2, 3, 4]), say=print)             # onto the broker that is new
        rebalance(admin, Wanted(brokers=[1, 2, 3], drain=[4]), say=print)     # from the one that leaves
        assert not holds(admin, 4)

A run first finishes the last one: it waits for moves that run, and removes throttles that were left. So the next run
continues after any end of the last one.

observe.py reads the state, plan.py decides, placement.py (one level up) computes the assignment, throttle.py limits the
copying, and run.py carries the plan out.
"""

from kafka_proof.operations.placement import ImpossibleError
from kafka_proof.operations.reassign.observe import holds, registered
from kafka_proof.operations.reassign.plan import MismatchError, Wanted, plan, render, room_problems
from kafka_proof.operations.reassign.run import (
    THROTTLE,
    Interrupted,
    StalledError,
    prove_empty,
    rebalance,
    stop_signals,
)
from kafka_proof.operations.reassign.throttle import LISTS, is_unfinished, throttles

__all__ = [
    "LISTS",
    "THROTTLE",
    "ImpossibleError",
    "Interrupted",
    "MismatchError",
    "StalledError",
    "Wanted",
    "holds",
    "is_unfinished",
    "plan",
    "prove_empty",
    "rebalance",
    "registered",
    "render",
    "room_problems",
    "stop_signals",
    "throttles",
]

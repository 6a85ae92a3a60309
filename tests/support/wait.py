"""Wait for a condition that no broker is asked about."""

from kafka_proof.client.wait import wait_until


def wait_for(condition, what, seconds=30):
    """Wait until `condition()` is true and return its value. Raises WaitedInVainError, an AssertionError."""
    return wait_until(what, condition, seconds=seconds, pause=0.05)

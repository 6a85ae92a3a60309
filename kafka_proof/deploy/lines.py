"""Lines of Kafka, such as 3.9: the first two numbers of a version. Releases of a line speak one protocol.

source: KIP-853 (Kafka 3.9) lets a quorum change its controllers, and KIP-896 (Kafka 4.0) removed ZooKeeper.
"""

import re

CHANGES_CONTROLLERS = (3, 9)  # the first line with a quorum that changes its controllers
WITHOUT_ZOOKEEPER = (4, 0)  # the first line that has KRaft alone
BETWEEN = "3.9.2"  # of the only line with both, and so the version for a migration; the default with ZooKeeper


def line(version: str) -> str:
    """Return 3.9 for 3.9.2."""
    return ".".join(map(str, numbers(version)))


def numbers(version: str) -> tuple[int, ...]:
    """Return (3, 9) for 3.9.2, and for a protocol such as 3.9-IV0."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])

"""The nodes of the inventory, or of a stage on the way to them: a level of security, a phase of a migration."""

from collections.abc import Mapping, Sequence

from kafka_proof.deploy.combine import COMBINE, combined_nodes
from kafka_proof.deploy.derive import Hosts, make_nodes
from kafka_proof.deploy.migration import phase_nodes
from kafka_proof.deploy.node import Engines, Node
from kafka_proof.deploy.security import BOTH, SWITCHED, Security, security_of
from kafka_proof.deploy.transition import between


def stage_nodes(  # noqa: PLR0913
    groups: Mapping[str, Sequence[str]],
    hosts: Hosts,
    engine_of: Mapping[str, str],
    engines: Engines,
    *,
    phase: str = "",
    level: int = -1,
) -> tuple[list[Node], Security]:
    """Return the nodes, and the security of the deployment's client.

    phase: of kafka_proof.deploy.migration, or COMBINE; level: of kafka_proof.deploy.transition; engines: {host: its
    report}. The other arguments are those of make_nodes.
    """
    security = security_of(hosts[groups["kafka"][0]])
    if phase == COMBINE:
        return combined_nodes(groups, hosts, engine_of, engines), security
    if phase:
        return phase_nodes(groups, hosts, engine_of, phase), security
    nodes = make_nodes(groups, hosts, engine_of)
    return between(nodes, engines, level, security) if level in (BOTH, SWITCHED) else (nodes, security)

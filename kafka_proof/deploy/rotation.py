"""Rotate certificates of a running stack, in the order trust, keys, trust.

A node that does not trust a new authority yet refuses the certificates that it signed. So all nodes first trust the old
authority and the next one; then they get certificates of the next one; then they trust that alone. The files of the
next authority mark a rotation that has begun: an interrupted one continues, and until it ends, both are trusted.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path

from kafka_proof.deploy.certificates import ENDINGS, NEXT, Certificate, authorities, is_signed_by

TRUST, KEYS, FINISH = "trust", "keys", "finish"  # steps


def wanted_in(step: str, wanted: Sequence[Certificate]) -> list[Certificate]:
    """Return the certificates that a step needs. `wanted`: those of the stack, kafka_proof.deploy.certificates."""
    # Of two authorities with the same name, a client cannot tell which one signed.
    new = f" {uuid.uuid4().hex[:8]}"
    following = [
        Certificate(**{**item, "path": item["path"] + NEXT, "subject": item["subject"] + new})
        for item in authorities(wanted)
    ]
    if step == TRUST:
        return [*authorities(wanted), *following]
    if step == FINISH:
        return list(wanted)
    begun = {item["path"] for item in following if Path(f"{item['path']}.pem").exists()}
    return [
        Certificate(
            **{**item, "authority": found if (found := item["authority"] + NEXT) in begun else item["authority"]}
        )
        for item in wanted
        if item["authority"]
    ]


def outdated(step: str, certificates: Sequence[Certificate]) -> list[Path]:
    """Return the files that a step replaces: of certificates that another authority signed, or of all in a renewal."""
    if step != KEYS:
        return []
    renewal = not any(item["authority"].endswith(NEXT) for item in certificates)
    return [
        path
        for item in certificates
        # An authority that does not change has signed before.
        if renewal or (item["authority"].endswith(NEXT) and not is_signed_by(item, item["authority"]))
        for ending in ENDINGS
        if (path := Path(f"{item['path']}{ending}")).exists()
    ]


def succeed(wanted: Sequence[Certificate]) -> list[Path]:
    """Make the next authorities the present ones. Return the files that changed. Raises OSError."""
    changed = []
    for item in authorities(wanted):
        # The certificate last: while it is there, the rotation has not ended.
        for ending in ENDINGS:
            following = Path(f"{item['path']}{NEXT}{ending}")
            if following.exists():
                changed.append(following.replace(f"{item['path']}{ending}"))
    return changed

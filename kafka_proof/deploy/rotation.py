"""Rotate certificates of a running stack, in the order trust, keys, trust.

A node that does not trust a new authority yet refuses the certificates that it signed. So all nodes first trust the old
authority and the next one; then they get certificates of the next one; then they trust that alone. The files of the
next authority mark a rotation that has begun, until no node trusts the old one: an interrupted one continues with them.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path

from kafka_proof.client.secret_files import write
from kafka_proof.deploy.certificates import ENDINGS, NEXT, Certificate, authorities, is_signed_by

TRUST, KEYS, FINISH, SUCCEED = "trust", "keys", "finish", "succeed"  # steps


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
    if step == SUCCEED:
        return list(wanted)
    taking_over = begun(wanted)
    return [
        Certificate(
            **{**item, "authority": found if (found := item["authority"] + NEXT) in taking_over else item["authority"]}
        )
        for item in wanted
        if item["authority"]
    ]


def begun(wanted: Sequence[Certificate]) -> list[str]:
    """Return the paths of the next authorities, without their endings. They exist while a rotation is not complete."""
    following = [item["path"] + NEXT for item in authorities(wanted)]
    return [path for path in following if Path(f"{path}.pem").exists()]


def outdated(step: str, certificates: Sequence[Certificate]) -> list[Path]:
    """Return the files that a step replaces: of certificates that another authority signed, or of all in a renewal."""
    if step == TRUST:  # a key without its certificate: of an authority that never began, or of the one before
        following = [_files(item["path"]) for item in certificates if item["path"].endswith(NEXT)]
        return [file for files in following if not _certificates(files) for file in files]
    if step != KEYS:
        return []
    renewal = not any(item["authority"].endswith(NEXT) for item in certificates)
    return [
        path
        for item in certificates
        # An authority that does not change has signed before.
        if renewal or (item["authority"].endswith(NEXT) and not is_signed_by(item, item["authority"]))
        for path in _files(item["path"])
    ]


def succeed(wanted: Sequence[Certificate]) -> list[Path]:
    """Make the next authorities the present ones. Return the files that changed. Raises OSError."""
    following = [file for item in authorities(wanted) for file in _files(item["path"] + NEXT)]
    present = [file.with_name(file.name.replace(NEXT, "")) for file in following]
    for source, target in zip(following, present, strict=True):
        write(target, source.read_text(encoding="utf-8"))
    # A certificate says that the rotation has not ended. So they go first, when all is copied.
    for file in [*_certificates(following), *following]:
        file.unlink(missing_ok=True)
    return present


def _files(path: str) -> list[Path]:
    """Return those files of a certificate that exist. path: without its ending."""
    return [file for ending in ENDINGS if (file := Path(f"{path}{ending}")).exists()]


def _certificates(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if file.suffix == ".pem"]

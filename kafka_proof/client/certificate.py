"""Certificates in TLS, as SSLSocket.getpeercert() describes them: for whom, from whom, and until when."""

import contextlib
import re
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Days before its end from which kafka-doctor and kafka-status report a certificate.
SOON = 30

_DAY = 86400  # seconds
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME; Python has no name for it
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def describe(certificate: dict[str, Any]) -> str:
    """Describe a certificate in one phrase."""
    if not certificate:
        return "its certificate cannot be read"
    names = [name for _, name in certificate.get("subjectAltName", ())]
    subject, issuer = (
        ", ".join(value for part in certificate.get(key, ()) for _, value in part) for key in ("subject", "issuer")
    )
    valid = f"valid from {certificate['notBefore']} to {certificate['notAfter']}"
    return f"the certificate is for {', '.join(names) or 'no name'} ({subject}), from {issuer}, {valid}"


def days_left(certificate: dict[str, Any], now: float) -> int:
    """Return the whole days until a certificate expires; below 0 if it has. `now`: seconds since 1970."""
    return int((ssl.cert_time_to_seconds(certificate["notAfter"]) - now) // _DAY)


def expiry(certificate: dict[str, Any], now: float) -> str:
    """Return when a certificate expires: "expires in 12 days, on 2026-12-08"."""
    days, end = days_left(certificate, now), time.gmtime(ssl.cert_time_to_seconds(certificate["notAfter"]))
    date = time.strftime("%Y-%m-%d", end)
    return f"expired on {date}" if days < 0 else f"expires in {days} {'day' if days == 1 else 'days'}, on {date}"


def expires_soon(certificate: dict[str, Any], now: float) -> bool:
    """Return whether a certificate expires within SOON days."""
    return days_left(certificate, now) < SOON


def own(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the client's own certificate; {} without one, or where it cannot be read. `arguments`: of `kafka_python`.

    The ssl module describes only the certificate of a peer that it trusts. So a client and a server shake hands in
    memory, and the server trusts this certificate.
    """
    path, password = arguments.get("ssl_certfile"), arguments.get("ssl_password")
    if not path:
        return {}
    with contextlib.suppress(OSError, ValueError):
        client, server = (ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        for context in (client, server):
            context.load_cert_chain(path, password=password)
        if pem := _PEM.search(Path(path).read_text(encoding="ascii", errors="replace")):
            trust(server, pem[0])
            return _shake_hands(client, server)
    return {}


def trust(context: ssl.SSLContext, pem: str) -> None:
    """Let a context accept this certificate and no other, from any authority and at any time."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    context.load_verify_locations(cadata=pem)


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> dict[str, Any]:
    """Return the client's certificate as the server sees it."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)
    steps: list[Callable[[], None]] = [end.do_handshake for end in ends]
    for step in steps * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            step()
    return ends[1].getpeercert() or {}

"""Which certificates a secured stack needs, and which of them are missing. community.crypto creates them.

Certificates that the user gives: kafka_proof.deploy.given_certificates.
"""

import datetime
import ipaddress
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from kafka_proof.client.secret_files import client_file
from kafka_proof.deploy.node import Node
from kafka_proof.deploy.security import NODE, TLS, Security

NEXT = "-next"  # end of the path of an authority that takes over, see kafka_proof.deploy.rotation
ENDINGS = (".key", ".csr", ".pem")  # of the files of a certificate
_TRUSTED = ".trust.pem"
_AUTHORITY_DAYS = 3650


class Certificate(TypedDict):
    """A certificate that the stack needs. Paths end in .key, .csr and .pem."""

    path: str  # without its ending
    subject: str  # its common name
    names: list[str]  # subject alternative names, as OpenSSL writes them
    authority: str  # path of the authority, without its ending; "" for an authority itself
    days: int


class Expiry(NamedTuple):
    name: str
    path: str
    days: int  # until it expires


def wanted(nodes: Sequence[Node], security: Security, secrets: str, users: Iterable[str] = ()) -> list[Certificate]:
    """Return the certificates of a stack: authorities, nodes, and the clients that prove themselves by one."""
    if not security.has_own_authority:
        return []
    found = [_authority(secrets, "ca", nodes)]
    for node in nodes:
        path = str(Path(secrets, "nodes", f"{node['container']}@{node['host']}"))
        found.append(
            Certificate(
                path=path,
                subject=NODE.removeprefix("CN="),
                names=alternative_names(node),
                authority=found[0]["path"],
                days=security.days,
            )
        )
    if security.clients == TLS:
        found.append(clients := _authority(secrets, "clients-ca", nodes))
        for name in dict.fromkeys([security.principal, *users]):
            path = str(client_file(secrets, name))
            found.append(Certificate(path=path, subject=name, names=[], authority=clients["path"], days=security.days))
    return found


def missing(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Return those that do not exist, are for other names, or are of an authority that no node trusts any more.

    A host that was away while the authority was replaced has such a one.
    """
    return [item for item in certificates if not _is_right(item)]


def authorities(certificates: Sequence[Certificate]) -> list[Certificate]:
    return [item for item in certificates if not item["authority"]]


def trusted(certificates: Sequence[Certificate], next_alone: bool = False) -> dict[Path, str]:
    """Return {file: text} of the authorities that are trusted: each, and the next one during a rotation.

    next_alone: at the end of a rotation, without the one that the next one replaces.
    """
    found = {}
    for item in authorities(certificates):
        files = [file for ending in ("", NEXT) if (file := Path(f"{item['path']}{ending}.pem")).exists()]
        text = "".join(file.read_text(encoding="utf-8") for file in files[-1 if next_alone else 0 :])
        found[Path(f"{item['path']}{_TRUSTED}")] = text
    return found


def alternative_names(node: Node) -> list[str]:
    """Return the names and addresses by which clients and other nodes connect to a node."""
    hosts = [str(item["advertised_host"]) for item in node["listeners"]]
    hosts += [_host(address) for address in node["peers"].values()]
    return [_alternative(host) for host in dict.fromkeys(hosts)]


def generated(secrets: Path) -> list[Path]:
    """Return what the stack created below stack_secrets: files, and directories with all that is in them."""
    names = ("ca", "clients-ca")
    clients = secrets / "clients"
    # Without an authority of clients, their certificates were given. The stores that were made of them go. They come
    # first: if the removal is interrupted, the key of that authority still says whose they are.
    found = [clients] if (secrets / "clients-ca.key").exists() else sorted(clients.glob("*.keystore.pem"))
    found += [secrets / f"{name}{infix}{ending}" for name in names for infix in ("", NEXT) for ending in ENDINGS]
    found += [secrets / f"{name}{_TRUSTED}" for name in names]
    found += [secrets / name for name in ("users", "nodes")]
    return [path for path in found if path.exists()]


def expiries(certificates: Sequence[Certificate], now: datetime.datetime) -> list[Expiry]:
    """Return when each certificate expires, of those that exist."""
    found = []
    for item in certificates:
        if certificate := _read(item):
            found.append(Expiry(Path(item["path"]).name, item["path"], (certificate.not_valid_after_utc - now).days))
    return found


def _authority(secrets: str, name: str, nodes: Sequence[Node]) -> Certificate:
    subject = f"{name} of the Kafka stack {nodes[0]['stack'] or 'kafka'}"
    return Certificate(
        path=str(Path(secrets, name)), subject=subject[:55], names=[], authority="", days=_AUTHORITY_DAYS
    )


def is_signed_by(item: Certificate, authority: str) -> bool:
    """Return whether an authority signed the certificate. authority: its path without an ending; no file means no."""
    path, signer = Path(f"{item['path']}.pem"), Path(f"{authority}.pem")
    if not path.exists() or not signer.exists():
        return False
    own, other = (x509.load_pem_x509_certificate(file.read_bytes()) for file in (path, signer))
    try:
        own.verify_directly_issued_by(other)
    except (ValueError, InvalidSignature):
        return False
    return True


def _is_right(wanted: Certificate) -> bool:
    certificate, authority = _read(wanted), wanted["authority"]
    if certificate is None or set(names_of(certificate)) != set(wanted["names"]):
        return False
    # During a rotation, nodes trust both.
    return not authority or any(is_signed_by(wanted, f"{authority}{ending}") for ending in ("", NEXT))


def _read(item: Certificate) -> x509.Certificate | None:
    key, path = Path(f"{item['path']}.key"), Path(f"{item['path']}.pem")
    if not key.exists() or not path.exists():
        return None
    return x509.load_pem_x509_certificate(path.read_bytes())


def names_of(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [f"{'IP' if isinstance(name, x509.IPAddress) else 'DNS'}:{name.value}" for name in names]


def _alternative(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _host(address: str) -> str:
    """Return the host of HOST:PORT or HOST:PORT:PORT; an IPv6 address has brackets."""
    return address[1:].partition("]")[0] if address.startswith("[") else address.partition(":")[0]

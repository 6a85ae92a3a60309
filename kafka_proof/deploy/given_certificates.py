"""Certificates that the user gives in kafka_security.certificates: the names of nodes in them, and what cannot work.

The whole subject of a certificate is the principal of a node, as Java writes it. Each is a super user.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from kafka_proof.client.secret_files import client_file
from kafka_proof.deploy.certificates import Expiry, alternative_names, names_of
from kafka_proof.deploy.node import ZOOKEEPER, Node
from kafka_proof.deploy.security import CLIENTS_TRUST_STORE, KEY_STORE, TLS, TRUST_STORE, Security, security_of

Hosts = Mapping[str, Mapping[str, Any]]

_TRUST_STORES = (TRUST_STORE, CLIENTS_TRUST_STORE)
_VARIABLE = "kafka_security.certificates"
# Java writes other attributes as numbers and bytes, and escapes these characters. Both would have to be repeated here.
_ATTRIBUTES = ("CN", "OU", "O", "L", "ST", "C", "DC")
_ESCAPED = frozenset(',=+<>#;"\\')
_USES = {ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth", ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth"}


class GivenError(Exception):
    """A file cannot be used. The message names its variable."""


class _Given(NamedTuple):
    """The files of a host, as certificates."""

    authorities: list[x509.Certificate]
    chain: list[x509.Certificate]  # of the nodes; their own comes first
    key: Any
    path: str  # of the chain

    @property
    def own(self) -> x509.Certificate:
        return self.chain[0]


def with_principals(hosts: Hosts) -> dict[str, dict[str, Any]]:
    """Return the variables of the hosts, {host: variables}; kafka_security has the principals of nodes in `nodes`.

    A certificate that cannot be used has none: `given_problems` reports it.
    """
    found = []
    for variables in hosts.values():
        try:
            if given := _read(variables):
                found.append(principal(given.own))
        except GivenError:
            continue
    if not found:
        return {host: dict(variables) for host, variables in hosts.items()}
    nodes = {"nodes": list(dict.fromkeys(found))}
    return {host: {**own, "kafka_security": (own.get("kafka_security") or {}) | nodes} for host, own in hosts.items()}


def given_problems(nodes: Sequence[Node], hosts: Hosts, now: datetime.datetime | None = None) -> list[str]:
    """Return what in the given certificates cannot work. hosts: {host: its checked variables}."""
    now, problems, principals = now or datetime.datetime.now(datetime.UTC), [], {}
    for host, variables in hosts.items():
        try:
            if not security_of(variables).on or not (given := _read(variables)):
                continue
            principals[host] = principal(given.own)
        except GivenError as error:
            problems.append(f"{host}: {error}")
            continue
        problems += [f"{host}: {problem}" for problem in _clients_problems(variables)]
        names = dict.fromkeys(name for node in nodes if node["host"] == host for name in alternative_names(node))
        problems += [f"{host}: {problem}" for problem in _problems(given, names, now)]
    with_zookeeper = any(ZOOKEEPER in node["kinds"] for node in nodes)
    if with_zookeeper and len(set(principals.values())) > 1:
        named = ", ".join(f"{name} of {host}" for host, name in principals.items())
        problems.append(
            f"{_VARIABLE}.certificate has different subjects: {named}. In ZooKeeper a broker changes only what its own "
            "subject created. Give all brokers certificates with one subject, and their names as alternative names."
        )
    return problems


def given_expiries(
    nodes: Sequence[Node], security: Security, secrets: str, users: Iterable[str], now: datetime.datetime
) -> list[Expiry]:
    """Return when each given certificate expires; the name is the path of its file. users: names of clients."""
    if not security.certificates:
        return []
    files = [path for node in nodes for path in node["secrets"].get(KEY_STORE, [])[1:]]  # the first one is the key
    files += [path for node in nodes for name in _TRUST_STORES for path in node["secrets"].get(name, [])]
    if security.clients == TLS:
        files += [f"{client_file(secrets, name)}.pem" for name in [security.principal, *users]]
    return [
        Expiry(path, path, (certificate.not_valid_after_utc - now).days)
        for path in dict.fromkeys(files)
        for certificate in x509.load_pem_x509_certificates(Path(path).read_bytes())
    ]


def principal(certificate: x509.Certificate) -> str:
    """Return the name that Kafka derives from a certificate. Raises GivenError."""
    parts = [attribute for part in certificate.subject.rdns for attribute in part]
    names = [attribute.rfc4514_attribute_name for attribute in parts]
    strange = [name for name in names if name not in _ATTRIBUTES]
    strange += [str(attribute.value) for attribute in parts if _ESCAPED & set(str(attribute.value))]
    if strange or not parts or len(parts) != len(certificate.subject.rdns):
        raise GivenError(
            f"{_VARIABLE}.certificate has the subject {certificate.subject.rfc4514_string()!r}. Use a subject of "
            f"{', '.join(_ATTRIBUTES)}, without any of {' '.join(sorted(_ESCAPED))} in it."
        )
    return certificate.subject.rfc4514_string()


def _read(variables: Mapping[str, Any]) -> _Given | None:
    """Return the given files of a host; None if certificates are not given. Raises GivenError."""
    security = security_of(variables)
    files = {key: path for key, path in (security.certificates or {}).items() if path}
    if not files:
        return None
    authorities = _certificates("ca", files["ca"])
    if security.clients == TLS:
        if "clients_ca" not in files:
            raise GivenError(f"{_VARIABLE}.clients_ca is missing: clients prove themselves by certificates. Set it.")
        _certificates("clients_ca", files["clients_ca"])
    chain = _certificates("certificate", files["certificate"])
    content = _content("key", files["key"])
    try:
        key = load_pem_private_key(content, None)
    except (TypeError, ValueError):
        key = None
    if key is None or b"-----BEGIN PRIVATE KEY-----" not in content:
        raise GivenError(
            f"{_VARIABLE}.key: {files['key']}: is no private key in PEM that Kafka reads. Write it as PKCS 8 without a "
            "password: openssl pkcs8 -topk8 -nocrypt."
        )
    return _Given(authorities, chain, key, files["certificate"])


def _problems(given: _Given, names: Iterable[str], now: datetime.datetime) -> Iterator[str]:
    where = f"{_VARIABLE}.certificate: {given.path}"
    if given.key.public_key() != given.own.public_key():
        yield f"{_VARIABLE}.key is not the key of {given.path}. Name the key and the certificate of one pair."
    for certificate in given.chain:
        if certificate.not_valid_after_utc <= now:
            yield f"{where}: expired on {certificate.not_valid_after_utc:%Y-%m-%d}. Renew it."
        elif certificate.not_valid_before_utc > now:
            yield f"{where}: is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on. Correct the clock."
    if not _is_signed(given):
        yield f"{where}: is not signed by {_VARIABLE}.ca. Name its authority, and put those between into the file."
    own = names_of(given.own)
    if missing := [name for name in names if not _covers(own, name)]:
        yield f"{where}: has not the name {', '.join(missing)}, by which others connect. Add it as alternative name."
    if missing := [name for use, name in _USES.items() if not _is_for(given.own, use)]:
        yield f"{where}: is not for {' and '.join(missing)}. Add that use: a node is a server and a client."


def _clients_problems(variables: Mapping[str, Any]) -> Iterator[str]:
    """Return which certificates of clients are missing: without their authority, no program can create them."""
    security = security_of(variables)
    names = [security.principal, *(user["name"] for user in variables.get("kafka_users") or [])]
    for name in names if security.clients == TLS else []:
        path = client_file(variables["stack_secrets"], name)
        for file in (Path(f"{path}.pem"), Path(f"{path}.key")):
            if not file.exists():
                yield (
                    f"{_VARIABLE} are given, and {file} does not exist. "
                    f"Put the certificate and the key of {name} there, signed by the authority of clients."
                )


def _is_signed(given: _Given) -> bool:
    signed = given.own
    for certificate in [*given.chain[1:], *given.authorities]:
        try:
            signed.verify_directly_issued_by(certificate)
        except (ValueError, TypeError, InvalidSignature):
            continue
        if certificate in given.authorities:
            return True
        signed = certificate
    return False


def _covers(own: Sequence[str], name: str) -> bool:
    """Return whether a certificate with these alternative names is one for a name; * stands for its first label."""
    return name in own or f"DNS:*.{name.partition('.')[2]}" in own


def _is_for(certificate: x509.Certificate, use: x509.ObjectIdentifier) -> bool:
    try:
        return use in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True


def _certificates(key: str, path: str) -> list[x509.Certificate]:
    content = _content(key, path)
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise GivenError(f"{_VARIABLE}.{key}: {path}: is no certificate in PEM. Name a file that has one.") from None


def _content(key: str, path: str) -> bytes:
    if not Path(path).is_absolute():
        raise GivenError(f"{_VARIABLE}.{key}: {path}: is relative. Write it in full, with {{{{ inventory_dir }}}}.")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise GivenError(f"{_VARIABLE}.{key}: {path}: {error.strerror}. Name a file on this machine.") from None

"""Connect to a cluster, or report in one line why no connection opens."""

import re
import socket
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kafka_proof.client.link import Fault, Link
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.raw import broker_version, known_brokers
from kafka_proof.client.workarounds import names_brokers, why_not

# The oldest supported Kafka: the first that gives a new topic the broker's own number of replicas (KIP-464).
OLDEST = (2, 4)
LOOK = 10  # seconds to connect where a caller looks again and again: the next look may ask another server first
START = "Start the broker, or correct bootstrap.servers and the security settings."


def version_text(version: tuple[int, ...]) -> str:
    """Return (3, 9) as "3.9"."""
    return ".".join(map(str, version))


class NoKafkaError(ConnectionError):
    """No usable cluster answers. The message is one line: the address, the reason, and advice for a client.

    `code`: the diagnosis, a key of kafka_proof.advice.ADVICE; "" where only kafka-python's own reason is known.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def connect(arguments: dict[str, Any], seconds: float = 5) -> KafkaAdminClient:
    """Return a KafkaAdminClient for `arguments`, which are those of `kafka_python`. The caller closes it.

    Raises NoKafkaError: at once when every address refuses the connection or does not resolve; after `seconds` when
    nothing answers; and when a broker answers but none does at its advertised address. Clients use only advertised
    addresses, so every request would end in a time-out.
    """
    where = ",".join(arguments["bootstrap_servers"])
    if closed := _closed(arguments, seconds):
        raise NoKafkaError(f"{where}: no Kafka answered ({closed.evidence}). {START}", closed.code)
    with why_not() as why:
        try:
            admin = open_admin(arguments, seconds, 2 * seconds)
        except (KafkaError, OSError) as error:
            reason, code = _diagnosis(arguments, why() or str(error))
            raise NoKafkaError(f"{where}: no Kafka answered within {seconds:g} s ({reason}). {START}", code) from None
    # From the metadata that came with the connection: these are the addresses that every client will use.
    reasons = [no_answer(admin, broker.node_id, broker.host, broker.port) for broker in known_brokers(admin)]
    if all(reasons):
        admin.close()
        raise NoKafkaError(
            f"{where} answers but advertises what does not: {'; '.join(reasons) or 'no broker'}. "
            "Correct the broker's advertised.listeners, or run this where that address is reachable."
        )
    if (version := broker_version(admin)) < OLDEST:
        admin.close()
        raise NoKafkaError(
            f"{where} is Kafka {version_text(version)}, which is older than {version_text(OLDEST)}. "
            "Upgrade the broker; older ones are not supported."
        )
    return admin


def admin_client(client: dict[str, str], seconds: float, answer: float = 5) -> KafkaAdminClient:
    """Return `open_admin` for client properties. Raises ClientPropertiesError, and KafkaError."""
    return open_admin(kafka_python(client), seconds, answer)


def open_admin(arguments: dict[str, Any], seconds: float, answer: float = 5) -> KafkaAdminClient:
    """Return a KafkaAdminClient for `arguments`, which are those of `kafka_python`: a context manager.

    `seconds`: to connect; `answer`: seconds for the answer to each request. Raises KafkaError without a diagnosis, for
    callers that try again, and for which `connect` would look at too much.
    """
    return names_brokers(
        KafkaAdminClient(
            **arguments,
            bootstrap_timeout_ms=max(1, int(seconds * 1000)),
            reconnect_backoff_max_ms=200,
            request_timeout_ms=max(1, int(answer * 1000)),
        )
    )


def links(arguments: dict[str, Any], seconds: float) -> list[Link]:
    """Return a Link to each bootstrap server."""
    arguments = {"security_protocol": "PLAINTEXT"} | arguments  # kafka-python's default
    addresses = [address.rpartition(":") for address in arguments["bootstrap_servers"]]
    return [Link(host.strip("[]"), int(port), arguments, seconds) for host, _, port in addresses]


def certificate_of(arguments: dict[str, Any], address: str, seconds: float) -> dict[str, Any]:
    """Return the certificate that the broker at HOST:PORT presents; {} without TLS, or without an answer."""
    [link] = links(arguments | {"bootstrap_servers": [address]}, seconds)
    try:
        for step in ("resolve", "connect", "encrypt"):
            getattr(link, step)()
    except Fault:
        return {}
    finally:
        link.close()
    return link.certificate


def login_fault(arguments: dict[str, Any], seconds: float) -> str:
    """Try the login at each bootstrap server, `seconds` for each step. Return the code of the first Fault, or ""."""
    for link in links(arguments, seconds):
        try:
            link.open()
        except Fault as fault:
            return fault.code
        finally:
            link.close()
    return ""


def _closed(arguments: dict[str, Any], seconds: float) -> Fault | None:
    """Return the Fault of the first bootstrap server if none can answer: refused, or not resolved. Else None."""
    faults = []
    for link in links(arguments, seconds):
        try:
            link.resolve()
            link.connect()
            return None
        except Fault as fault:
            if fault.code not in ("refused", "unresolvable"):
                return None
            faults.append(fault)
        finally:
            link.close()
    return faults[0]


def _diagnosis(arguments: dict[str, Any], reason: str) -> tuple[str, str]:
    """Return (the reason why no connection opens, the code of the diagnosis or ""). `reason`: kafka-python's."""
    # Where nothing answers, the time is already spent.
    if not re.search("ECONNREFUSED|time", reason, re.IGNORECASE):
        for link in links(arguments, seconds=2):
            try:
                link.open()
            except Fault as fault:
                return fault.evidence, fault.code
            finally:
                link.close()
    return reason, ""


def no_answer(admin: KafkaAdminClient, broker_id: int, host: str, port: int, seconds: float = 2) -> str:
    """Ask a broker at its advertised address for its versions. Return why there is no answer, or "" when there is."""
    # kafka-python would wait for 10 s behind a packet filter, so try the port first. An open port proves little:
    # Docker's proxy opens it before the broker does.
    if reason := unreachable(host, port, seconds):
        return reason
    try:
        admin.get_broker_version_data(broker_id)
    except KafkaError as error:
        return f"{host}:{port}: {error}"
    return ""


def unreachable(host: str, port: int, seconds: float) -> str:
    """Return in one phrase why no TCP connection to host:port opens within `seconds`; "" when one does."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return ""
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"

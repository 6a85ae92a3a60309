"""Connect to a cluster, or say in one line why that does not work."""

import contextlib
import re
import socket

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kafka_proof.client.link import Fault, Link
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.workarounds import why_not

# The oldest supported Kafka: the first that gives a new topic the broker's own number of replicas (KIP-464).
OLDEST = (2, 4)
START = "Start the broker, or correct bootstrap.servers and the security settings."


def version_text(version):
    """Return (3, 9) as "3.9"."""
    return ".".join(map(str, version))


class NoKafkaError(ConnectionError):
    """No usable cluster answers. The message is one line: where, what, and what a client can do.

    `code`: the diagnosis, a key of kafka_proof.advice.ADVICE; "" where kafka-python's own reason is all there is.
    """

    def __init__(self, message, code=""):
        super().__init__(message)
        self.code = code


def connect(arguments, seconds=5):
    """Return a KafkaAdminClient for `arguments`, which are those of `kafka_python`. The caller closes it.

    Raises NoKafkaError: at once when every address refuses the connection or does not resolve; after `seconds` when
    nothing answers; and when something answers but no broker does at the address that it advertises. Clients use only
    advertised addresses, so every request would end in a time-out.
    """
    where = ",".join(arguments["bootstrap_servers"])
    milliseconds = int(seconds * 1000)
    if closed := _closed(arguments, seconds):
        raise NoKafkaError(f"{where}: no Kafka answered ({closed.evidence}). {START}", closed.code)
    with why_not() as why:
        try:
            admin = KafkaAdminClient(
                **arguments, bootstrap_timeout_ms=milliseconds, request_timeout_ms=2 * milliseconds
            )
        except (KafkaError, OSError) as error:
            reason, code = _diagnosis(arguments, why() or str(error))
            raise NoKafkaError(f"{where}: no Kafka answered within {seconds:g} s ({reason}). {START}", code) from None
    version = admin._manager.broker_version
    if version and version < OLDEST:
        admin.close()
        raise NoKafkaError(
            f"{where} is Kafka {version_text(version)}, which is older than {version_text(OLDEST)}. "
            "Upgrade the broker; older ones are not supported."
        )
    # From the metadata that came with the connection: these are the addresses that every client will use.
    brokers = sorted(admin._manager.cluster.brokers(), key=lambda broker: broker.node_id)
    reasons = [no_answer(admin, broker.node_id, broker.host, broker.port) for broker in brokers]
    if all(reasons):
        admin.close()
        raise NoKafkaError(
            f"{where} answers but advertises what does not: {'; '.join(reasons) or 'no broker'}. "
            "Correct the broker's advertised.listeners, or run this where that address is reachable."
        )
    return admin


def links(arguments, seconds):
    """Return a Link to each bootstrap server, list[Link]."""
    arguments = {"security_protocol": "PLAINTEXT"} | arguments  # kafka-python's default
    addresses = [address.rpartition(":") for address in arguments["bootstrap_servers"]]
    return [Link(host.strip("[]"), int(port), arguments, seconds) for host, _, port in addresses]


def _closed(arguments, seconds):
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


def _diagnosis(arguments, reason):
    """Return (why no connection comes about, the code of the diagnosis or ""). `reason`: kafka-python's."""
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


def no_answer(admin, broker_id, host, port, seconds=2):
    """Ask a broker at its advertised address for its versions. Returns why there is no answer, or "" when there is."""
    # kafka-python would wait for 10 s where a packet filter drops what is sent, so try the port first. That it is open
    # does not mean much: Docker's proxy opens it before the broker does.
    if reason := unreachable(host, port, seconds):
        return reason
    try:
        admin.get_broker_version_data(broker_id)
    except KafkaError as error:
        return f"{host}:{port}: {error}"
    return ""


def unreachable(host, port, seconds):
    """Say in one phrase why no TCP connection to host:port opens within `seconds`; "" when one does."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return ""
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"


@contextlib.contextmanager
def admin_client(client, seconds):
    """Connect as `client` (properties) says. Raises KafkaError, or ClientPropertiesError."""
    with KafkaAdminClient(
        **kafka_python(client),
        bootstrap_timeout_ms=max(1, int(seconds * 1000)),
        reconnect_backoff_max_ms=200,
        request_timeout_ms=5000,
    ) as admin:
        yield admin

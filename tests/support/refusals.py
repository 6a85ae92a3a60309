"""Connect to ports of nodes as a stranger, and report why a node refuses.

python -m tests.support.refusals SECRETS CLIENT_PROPERTIES --ports 19094,19095 ADDRESS...
                    hosts of a secured stack: no port of nodes lets anyone in without a certificate, no listener
                    without TLS is open, and a wrong password is refused
"""

import argparse
import re
import socket
import ssl
import sys
from pathlib import Path

from kafka.errors import KafkaError

from kafka_proof.client.connection import login_fault
from kafka_proof.client.properties import kafka_python, read

SECONDS = 5
API_VERSIONS = bytes.fromhex("0000000a00120000 00000001ffff")
OF_ZOOKEEPER = (2181, 2182)  # ports, which answer other requests
NO_CERTIFICATE = "(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE)"  # as Java versions and those of TLS say
CLOSED = (2181, 19092, 19093)  # ports of listeners without TLS


def refusal(function, *arguments):
    """Return why a call fails, as one text; "" if it works."""
    try:
        function(*arguments)
    except (KafkaError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def handshake(address, port, authority, store=None):
    """Connect by TLS and send a request. Return why it is refused, "" if it is answered.

    authority: path of the authority of the nodes; store: path of a certificate and its key.
    """
    context = ssl.create_default_context(cafile=str(authority))
    context.check_hostname = False  # an address of a container is no advertised one
    if store:
        context.load_cert_chain(store)

    def talk():
        with (
            socket.create_connection((address, port), SECONDS) as connection,
            context.wrap_socket(connection) as tls,
        ):
            # With TLS 1.3 the server's verdict comes after the handshake.
            tls.sendall(b"srvr" if port in OF_ZOOKEEPER else API_VERSIONS)
            if not tls.recv(1):
                raise ConnectionError("closed without a reason")

    return refusal(talk)


def connect(address, port):
    with socket.create_connection((address, port), SECONDS):
        pass


def main(argv=None):
    """Return the exit status: 1 if a stranger comes in, or is refused for another reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.refusals", description=__doc__.splitlines()[0])
    parser.add_argument("secrets", type=Path)
    parser.add_argument("client_properties", type=Path)
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--ports", required=True, help="those between nodes, with commas between them")
    options = parser.parse_args(argv)
    login = kafka_python(read(options.client_properties))
    found = [
        ("login", login_fault(login, SECONDS), ""),
        ("wrong password", login_fault(login | {"sasl_plain_password": "wrong"}, SECONDS), "login-refused"),
    ]
    for address in options.addresses:
        for port in map(int, options.ports.split(",")):
            reason = handshake(address, port, options.secrets / "ca.trust.pem")
            found.append((f"{address}:{port} without a certificate", reason, f".*{NO_CERTIFICATE}"))
        found += [(f"{address}:{port}", refusal(connect, address, port), "ConnectionRefused") for port in CLOSED]
    wrong = [f"{what}: {reason or 'it is let in'}" for what, reason, wanted in found if not _is(reason, wanted)]
    print("\n".join(wrong or [f"{what}: {reason}" for what, reason, _ in found]))
    return 1 if wrong else 0


def _is(reason, wanted):
    return bool(re.match(wanted, reason)) if wanted else not reason


if __name__ == "__main__":
    sys.exit(main())

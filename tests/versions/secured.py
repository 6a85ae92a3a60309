"""A broker with SCRAM, an authorizer and default deny, as processes on this machine.

CLIENTS is plaintext, and its principal ANONYMOUS a super user, as the nodes are. SECURE takes logins. `admin` is the
principal of a deployment.
"""

import contextlib
from dataclasses import dataclass

from kafka_proof.operations.access import users
from tests.versions.kafka import KRAFT, free_ports, running

ADMIN, PASSWORD = "admin", "admin-password-1"
_AUTHORIZER = {
    True: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    False: "kafka.security.authorizer.AclAuthorizer",
}
_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule required"


@dataclass
class Secured:
    """Addresses: `open` is of CLIENTS, `secure` of SECURE."""

    open: str
    secure: str

    def client(self, name=ADMIN, password=PASSWORD, mechanism=users.USUAL):
        """Return the client properties of a user."""
        return {
            "bootstrap.servers": self.secure,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": mechanism,
            "sasl.jaas.config": f'{_MODULE} username="{name}" password="{password}";',
        }


@contextlib.contextmanager
def secured(version, mode, settings=None):
    """Run a broker, create the user ADMIN, and yield a Secured."""
    [port] = free_ports(1)
    own = {
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": ",".join(users.MECHANISMS),
        "authorizer.class.name": _AUTHORIZER[mode == KRAFT],
        "super.users": f"User:ANONYMOUS;User:{ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
        "connection.failed.authentication.delay.ms": 10,
        "auto.create.topics.enable": "false",
    }
    own |= {f"listener.name.secure.{name.lower()}.sasl.jaas.config": f"{_MODULE};" for name in users.MECHANISMS}
    with running(version, mode, own | (settings or {}), {"SECURE": port}) as address:
        made = users.have(params({"bootstrap.servers": address}, users=[{"name": ADMIN, "password": PASSWORD}]), False)
        assert made["changed"], made
        yield Secured(address, f"127.0.0.1:{port}")


def params(client, **own):
    """Return the parameters of `have` with the defaults of the modules."""
    usual = {"absent": [], "mechanism": users.USUAL, "secrets": "", "prune": False, "keep": [], "timeout": 30}
    return {"client": client} | usual | own

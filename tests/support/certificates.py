"""Certificates for tests, and the authorities that sign them."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_OPEN = serialization.NoEncryption()


class Authority:
    """A certificate authority. `pem` is its certificate, `path` the file that holds it, and is named after it."""

    def __init__(self, path):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(path.stem)
        self.certificate = self._sign(self.name, self.key, (-30, 30), x509.BasicConstraints(ca=True, path_length=0))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.path = path
        self.path.write_text(self.pem)

    @classmethod
    def read(cls, path, key):
        """The authority of these files."""
        found = cls.__new__(cls)
        found.key = serialization.load_pem_private_key(key.read_bytes(), None)
        found.path, found.pem = path, path.read_text()
        found.certificate = x509.load_pem_x509_certificate(path.read_bytes())
        found.name = found.certificate.subject
        return found

    def issue(self, name, days=(-1, 30), password="", names=()):
        """A certificate for a host or a client, and its key, both PEM.

        days: from when to when, counted from now; password: of the key; names: of hosts, by default the name.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = x509.SubjectAlternativeName([_host(host) for host in names or [name]])
        certificate = self._sign(_name(name), key, days, hosts)
        encryption = serialization.BestAvailableEncryption(password.encode()) if password else _OPEN
        return (
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode(),
        )

    def _sign(self, name, key, days, extension):
        now = datetime.datetime.now(datetime.UTC)
        start, end = (now + datetime.timedelta(days=day) for day in days)
        builder = x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number(), start, end)
        return builder.add_extension(extension, critical=False).sign(self.key, hashes.SHA256())


def key_store(prefix, certificate, key):
    """The properties of a broker's key store: `prefix` is that of the listener, such as listener.name.tls."""
    return {
        f"{prefix}.ssl.keystore.type": "PEM",
        f"{prefix}.ssl.keystore.certificate.chain": one_line(certificate),
        f"{prefix}.ssl.keystore.key": one_line(key),
    }


def demand_certificate(prefix, authority):
    """The properties of a listener that lets in only clients with a certificate from the authority."""
    return {
        f"{prefix}.ssl.client.auth": "required",
        f"{prefix}.ssl.truststore.type": "PEM",
        f"{prefix}.ssl.truststore.certificates": one_line(authority.pem),
    }


def one_line(pem):
    """PEM as a value in a properties file."""
    return pem.replace("\n", "\\n")


def _host(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

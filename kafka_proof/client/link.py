"""One connection to one address, opened in steps. Each step reports its own faults.

kafka-python opens connections too, but it repeats all steps until its time is over, and reports only that. This module
uses its encoding of Kafka's messages.
"""

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Container
from typing import Any

from kafka.errors import IncompatibleBrokerVersion
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.api_key import ApiKey
from kafka.protocol.broker_version_data import BrokerVersionData
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from kafka_proof.client import certificate
from kafka_proof.client.oauth import OAUTH, TokenError, user_of
from kafka_proof.client.properties import tls_context

# Bytes. A port that announces a longer answer is not Kafka. The first answer lists the broker's requests.
_MAX_FIRST_ANSWER, _MAX_ANSWER = 1 << 20, 100 << 20
_GLANCE = 0.5  # seconds in which a port without a program behind it closes
_UNSUPPORTED_SASL_MECHANISM, _ILLEGAL_SASL_STATE = 33, 34

# OpenSSL's numbers for faults of a certificate: openssl-verification-options(1).
_CERTIFICATE = {
    9: "certificate-not-yet-valid",
    10: "certificate-expired",
    62: "certificate-host",
    64: "certificate-host",
}
# Words in OpenSSL's names for the alerts of a server that refuses the client's certificate. A broker on Java sends
# "unknown" for every reason.
_CLIENT_CERTIFICATE = (
    "CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
)


class Fault(Exception):
    """A diagnosis. `code` is a key of kafka_proof.advice.ADVICE; `evidence` is the observation, in one phrase."""

    def __init__(self, code: str, evidence: str) -> None:
        super().__init__(evidence)
        self.code, self.evidence = code, evidence


class Link:
    """A connection to host:port as a client with `arguments` (those of `kafka_python`) makes it.

    Take the steps of STEPS in order, or all of them with `open`. Each waits at most `seconds` for each answer, returns
    its observation (str), and raises Fault.
    """

    STEPS = ("resolve", "connect", "encrypt", "greet", "login")

    def __init__(self, host: str, port: int, arguments: dict[str, Any], seconds: float) -> None:
        self.host, self.port, self.arguments, self.seconds = host, port, arguments, seconds
        self.where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"  # as bootstrap.servers has it
        self.protocol = str(arguments["security_protocol"])
        self.addresses: list[str] = []  # in the order in which clients try them
        self.refusals: list[str] = []  # of the addresses that did not answer, before one did
        self.socket: socket.socket | None = None
        self.certificate: dict[str, Any] = {}  # of the other side, as SSLSocket.getpeercert() has it; {} without TLS
        self.versions: Any = None  # BrokerVersionData
        self._correlation = 0

    @property
    def address(self) -> str:
        """Return the address that accepted the connection: those before it did not."""
        return self.addresses[len(self.refusals)]

    def open(self) -> None:
        for step in self.STEPS:
            getattr(self, step)()

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = None

    def resolve(self) -> str:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Fault("unresolvable", f"{self.host} does not resolve here ({_reason(error)})") from None
        self.addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        return f"{self.host} is {', '.join(self.addresses)}"

    def connect(self) -> str:
        """Connect to the first address that accepts. Some clients fail without a try at the others."""
        self.refusals, codes = [], set[str]()
        for address in self.addresses:
            try:
                self.socket = socket.create_connection((address, self.port), timeout=self.seconds)
                return f"{address} port {self.port} accepts a connection"
            except TimeoutError:
                codes.add("timeout")
                self.refusals.append(f"{address} port {self.port} does not answer within {self.seconds:g} s")
            except ConnectionRefusedError:
                codes.add("refused")
                self.refusals.append(f"{address} port {self.port} refuses: nothing listens there")
            except OSError as error:
                codes.add("unreachable")
                self.refusals.append(f"{address} port {self.port}: {_reason(error)}")
        raise Fault("timeout" if "timeout" in codes else min(codes), "; ".join(self.refusals))

    def encrypt(self) -> str:
        if not self.protocol.endswith("SSL"):
            return "not encrypted, as security.protocol says"
        try:
            tls = tls_context(self.arguments).wrap_socket(self._connected(), server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            code = _CERTIFICATE.get(error.verify_code, "certificate-untrusted")
            raise Fault(code, f"{error.verify_message.rstrip('.')}; {self._certificate()}") from None
        except OSError as error:
            raise self._misunderstanding(error) from None
        self.socket, self.certificate = tls, tls.getpeercert() or {}
        return f"{tls.version()}, the certificate is trusted" + (
            f" and is for {self.host}" if self.arguments["ssl_check_hostname"] else ""
        )

    def greet(self) -> str:
        """Ask for the versions of Kafka's protocol. It is the one request that every listener answers."""
        request = ApiVersionsRequest[0]()
        try:
            answer = self._exchange(request)
        except OSError as error:
            raise self._misunderstanding(error) from None
        self.versions = BrokerVersionData(
            api_versions={api.api_key: (api.min_version, api.max_version) for api in answer.api_keys}
        )
        if is_controller(self.versions.api_versions):
            evidence = f"{self.where} is a listener for controllers, which answers no client"
            raise Fault("controller-listener", evidence)
        return f"answers in Kafka's protocol, {'in' if self.protocol.endswith('SSL') else 'without'} TLS"

    def login(self) -> str:
        if not self.protocol.startswith("SASL"):
            return self._without_login()
        wanted = self.arguments["sasl_mechanism"]
        answer = self.ask(SaslHandshakeRequest(mechanism=wanted))
        if answer.error_code == _UNSUPPORTED_SASL_MECHANISM:
            enabled = ", ".join(sorted(answer.mechanisms))
            raise Fault("mechanism", f"the broker does not enable {wanted}; it enables {enabled}")
        if answer.error_code == _ILLEGAL_SASL_STATE:
            raise Fault("login-unexpected", f"the listener takes no login, and security.protocol={self.protocol}")
        mechanism = get_sasl_mechanism(wanted)(**self.arguments)
        try:
            user = user_of(self.arguments)
        except TokenError as error:
            raise Fault("token", str(error.args[0])) from None
        while not mechanism.is_done():
            answer = self.ask(SaslAuthenticateRequest(auth_bytes=mechanism.auth_bytes()))
            if answer.error_code:
                raise _refused_login(wanted, user, answer.error_message or "refused")
            try:
                mechanism.receive(answer.auth_bytes)
            except (KeyError, ValueError) as error:  # SCRAM proves both sides: this one does not know the password
                evidence = f"the broker does not prove that it knows the password of user {user!r} ({error})"
                raise Fault("login-refused", evidence) from None
        return f"{user!r} is logged in by {wanted}"

    def ask(self, request: Any) -> Any:
        """Send a request of kafka.protocol, in the newest version that both sides know, and return the response."""
        try:
            request.API_VERSION = self.versions.api_version(request)
        except IncompatibleBrokerVersion as error:
            raise Fault("version", str(error)) from None
        if not self.socket:
            self.open()
        try:
            return self._exchange(request)
        except TimeoutError:
            self.close()  # a late answer would pass for the next one
            raise Fault("silent", f"{self.where} does not answer {_name(request)} within {self.seconds:g} s") from None
        except OSError as error:
            self.close()
            raise Fault("closes", f"{self.where} closes at {_name(request)} ({_reason(error)})") from None

    def _without_login(self) -> str:
        # A listener that wants a login closes a connection that begins with another request.
        try:
            self.ask(MetadataRequest(topics=[]))
        except Fault as fault:
            if fault.code == "closes" and (mechanisms := self._mechanisms()):
                raise Fault(
                    "login-needed",
                    f"the listener wants a login by {' or '.join(mechanisms)}, and security.protocol={self.protocol}",
                ) from None
            raise
        return f"none needed, and none sent (security.protocol={self.protocol})"

    def _mechanisms(self) -> list[str]:
        """Return the mechanisms that the listener enables; none when it takes no login."""
        again = Link(self.host, self.port, self.arguments, self.seconds)
        try:
            for step in self.STEPS[:-1]:
                getattr(again, step)()
            return sorted(again.ask(SaslHandshakeRequest(mechanism="?")).mechanisms)
        except Fault:
            return []
        finally:
            again.close()

    # Bytes

    def _connected(self) -> socket.socket:
        if not self.socket:
            raise ConnectionError("not connected")
        return self.socket

    def _exchange(self, request: Any) -> Any:
        """Raises OSError: TimeoutError, ssl.SSLError, _NotKafkaError for bytes that are no answer, …."""
        link = self._connected()
        self._correlation += 1
        request.with_header(correlation_id=self._correlation, client_id="kafka-proof")
        deadline = time.monotonic() + self.seconds
        link.settimeout(self.seconds)
        link.sendall(request.encode(header=True, framed=True))
        head = self._receive(8, deadline)
        size, correlation = struct.unpack(">ii", head)
        longest = _MAX_FIRST_ANSWER if self._correlation == 1 else _MAX_ANSWER
        if not 4 <= size <= longest or correlation != self._correlation:
            raise _NotKafkaError(head)
        body = head[4:] + self._receive(size - 4, deadline)
        return request.header.get_response_class().decode(body, header=True)

    def _receive(self, count: int, deadline: float) -> bytes:
        link, data = self._connected(), bytearray()
        while len(data) < count:
            link.settimeout(max(0.001, deadline - time.monotonic()))
            chunk = link.recv(min(count - len(data), 1 << 20))
            if not chunk:
                raise _NotKafkaError(bytes(data)) if data else ConnectionResetError("closed by the other side")
            data += chunk
        return bytes(data)

    # Ports with another protocol

    def _misunderstanding(self, error: OSError) -> Fault:
        """Return the Fault behind an error in a handshake or in the first answer: find out the port's protocol."""
        encrypted, inside_tls = self.protocol.endswith("SSL"), isinstance(self.socket, ssl.SSLSocket)
        self.close()
        if isinstance(error, ssl.SSLError) and any(word in str(error.reason) for word in _CLIENT_CERTIFICATE):
            return self._refused_certificate(error)
        if isinstance(error, _NotKafkaError) and what_is(error.bytes) in _SPOKEN:
            spoken = what_is(error.bytes)
        elif inside_tls and isinstance(error, TimeoutError):
            spoken = "silent"
        else:
            spoken = listen(self.address, self.port, min(self.seconds, 2))
        if spoken == "tls" and inside_tls:
            return Fault("not-kafka", f"{self.where} speaks TLS, but not Kafka's protocol in it ({_reason(error)})")
        if spoken == "tls" and encrypted:
            return Fault("tls-failed", f"{self.where} speaks TLS, but no session comes about ({_reason(error)})")
        if spoken == "kafka" and not encrypted:
            return Fault("closes", f"{self.where} answers now, and did not a moment ago ({_reason(error)})")
        code, evidence = _SPOKEN.get(spoken, ("not-kafka", f"speaks neither Kafka's protocol nor TLS: {spoken}"))
        return Fault(code, f"{self.where} {evidence}")

    def _refused_certificate(self, error: OSError) -> Fault:
        """Return the Fault of a broker that refuses the client's certificate. The alert seldom tells the reason."""
        if not self.arguments.get("ssl_certfile"):
            evidence = f"{self.where} wants a certificate from the client, and this client has none ({_reason(error)})"
            return Fault("client-certificate-missing", evidence)
        own, now = certificate.own(self.arguments), time.time()
        says, description = f"{self.where} refuses this client's certificate", certificate.describe(own)
        if own and certificate.days_left(own, now) < 0:
            return Fault("client-certificate-expired", f"{says}: it {certificate.expiry(own, now)}; {description}")
        return Fault("client-certificate", f"{says} ({_reason(error)}): {description}")

    def _certificate(self) -> str:
        """Describe the other side's certificate. Trust it for once: the ssl module describes only trusted ones."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with contextlib.suppress(OSError):
            der = self._peer_certificate(context, binary_form=True)
            certificate.trust(context, ssl.DER_cert_to_PEM_cert(der or b""))
            return certificate.describe(self._peer_certificate(context) or {})
        return certificate.describe({})

    def _peer_certificate(self, context: ssl.SSLContext, binary_form: bool = False) -> Any:
        with (
            socket.create_connection((self.address, self.port), timeout=self.seconds) as connection,
            context.wrap_socket(connection, server_hostname=self.host) as tls,
        ):
            return tls.getpeercert(binary_form)


def _refused_login(mechanism: str, user: str, reason: str) -> Fault:
    if mechanism == OAUTH:
        return Fault("token-refused", f"the broker refuses the token of user {user!r} ({reason})")
    # Kafka gives one answer for both, so that no client can find out names.
    return Fault("login-refused", f"user {user!r} is unknown, or the password is wrong ({reason})")


class _NotKafkaError(ConnectionError):
    """Bytes came that are no answer of a Kafka broker."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"{data!r}")
        self.bytes = data


# Protocol of a port: the code and the evidence for a client that expected another one.
_SPOKEN = {
    "tls": ("tls-port", "speaks TLS, and this client does not (security.protocol)"),
    "kafka": ("plaintext-port", "speaks Kafka's protocol without TLS, and this client wants TLS (security.protocol)"),
    "http": ("http", "is an HTTP server"),
    "no-server": ("closes-at-once", "accepts a connection and closes it at once, before the first byte"),
    "closes": ("closes", "closes the connection when it is asked in Kafka's protocol, in TLS or in HTTP"),
    "silent": ("silent", "accepts a connection and says nothing, in Kafka's protocol, TLS or HTTP"),
}
_API_VERSIONS = b"\0\0\0\x0a\0\x12\0\0\0\0\0\1\xff\xff"  # 10 bytes: key 18, version 0, correlation id 1, no client id


def is_controller(versions: Container[int]) -> bool:
    """Return whether a table of requests is a KRaft controller's: it votes, and has no metadata for clients."""
    return ApiKey.Vote in versions and ApiKey.Metadata not in versions


def what_is(heard: bytes) -> str:
    """Return the protocol of the first bytes of an answer: kafka (to _API_VERSIONS), tls, http; else the bytes."""
    if heard[:1] in (b"\x15", b"\x16") and heard[1:2] == b"\x03":  # an alert or a handshake, of any version since 1999
        return "tls"
    if heard.startswith(b"HTTP/"):
        return "http"
    if int.from_bytes(heard[:4], "big") <= _MAX_FIRST_ANSWER and heard[4:8] == b"\0\0\0\1":
        return "kafka"
    return repr(heard[:40])


def listen(address: str, port: int, seconds: float) -> str:
    """Find out the protocol of a port. Returns a key of _SPOKEN, or the first bytes that it sends, as text."""
    closed, odd = 0, ""
    for question in (b"", _API_VERSIONS, _client_hello(), b"GET / HTTP/1.0\r\n\r\n"):
        try:
            with socket.create_connection((address, port), timeout=seconds) as connection:
                connection.settimeout(seconds if question else min(_GLANCE, seconds))
                connection.sendall(question)
                heard = connection.recv(64)
            if (spoken := what_is(heard)) in _SPOKEN:
                return spoken
            odd = odd or (spoken if heard else "")
            closed += not heard
        except TimeoutError:
            continue
        except OSError:
            closed += 1
        if closed and not question:
            return "no-server"
    return odd or ("closes" if closed else "silent")


def _client_hello() -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hello = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    return hello.read()


def _name(request: Any) -> str:
    return str(request.name).removesuffix("Request")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or error) or type(error).__name__

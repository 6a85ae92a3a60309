"""Kafka's own client properties file, translated for kafka-python.

The file is the one that `kafka-topics.sh --command-config` takes. It describes a cluster completely for a client,
so the suite, the commands and the Ansible plugins read nothing else:

    properties = read("build/client.properties")
    consumer = KafkaConsumer("kafka_demo", **kafka_python(properties))

Keys: https://kafka.apache.org/39/documentation.html#adminclientconfigs
"""

import codecs
import re
import ssl
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from kafka_proof.client.oauth import OAUTH, tokens
from kafka_proof.client.redact import is_secret

DEFAULT_PATH = "build/client.properties"  # where a deployment of this project writes it

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")

# The login module of each mechanism.
MODULES = {
    OAUTH: "oauthbearer.OAuthBearerLoginModule",
    "PLAIN": "plain.PlainLoginModule",
    "SCRAM-SHA-256": "scram.ScramLoginModule",
    "SCRAM-SHA-512": "scram.ScramLoginModule",
}

_SSL_KEYS = {
    "ssl.endpoint.identification.algorithm",
    "ssl.key.password",
    "ssl.keystore.location",
    "ssl.keystore.type",
    "ssl.truststore.location",
    "ssl.truststore.type",
}

_SASL_KEYS = {"sasl.jaas.config", "sasl.mechanism"}

_TOKEN_URL, _HANDLER = "sasl.oauthbearer.token.endpoint.url", "sasl.login.callback.handler.class"

# Options of OAuthBearerLoginModule, and the properties that Kafka 4.1 has for them.
_OAUTH_OPTIONS = {
    "clientId": "sasl.oauthbearer.client.credentials.client.id",
    "clientSecret": "sasl.oauthbearer.client.credentials.client.secret",
    "scope": "sasl.oauthbearer.scope",
}

# librdkafka (kcat, confluent-kafka) has its own names for what Kafka's tools and this project read.
_LIBRDKAFKA = {
    "metadata.broker.list": "bootstrap.servers",
    "sasl.mechanisms": "sasl.mechanism",
    "sasl.password": "sasl.jaas.config",
    "sasl.username": "sasl.jaas.config",
    "ssl.ca.location": "ssl.truststore.location",
    "ssl.certificate.location": "ssl.keystore.location",
    "ssl.key.location": "ssl.keystore.location",
}

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+):(?P<port>\d{1,5})")

# username="alice" in 'org.apache.kafka….ScramLoginModule required username="alice" password="a\"b";'
_JAAS_OPTION = re.compile(r"""(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;"']+))""")

_HOW_TO_GET_ONE = (
    "Deploy first (./bootstrap ansible-playbook site.yml writes build/client.properties), "
    "or write one: bootstrap.servers=HOST:PORT"
)


class ClientPropertiesError(ValueError):
    """The client properties cannot be used. The message is one line: the file, the fault, and a remedy."""


def read(path: str | Path) -> dict[str, str]:
    """Read a client properties file, check everything that `kafka_python` needs, and return the file's properties.

    Raises ClientPropertiesError when the file cannot be read, when `kafka_python` refuses its content, or when the
    certificate files that it names cannot be used.
    """
    import javaproperties  # noqa: PLC0415 (0.07 s, which a program with --bootstrap-server need not spend)

    try:
        lines = javaproperties.parse(_decoded(Path(path).read_bytes()))
        pairs = [(line.key, line.value) for line in lines if isinstance(line, javaproperties.KeyValue)]
    except FileNotFoundError:
        raise ClientPropertiesError(f"{path}: no such file. {_HOW_TO_GET_ONE}") from None
    except OSError as error:
        raise ClientPropertiesError(f"{path}: {error.strerror}. Name a file that can be read.") from None
    except ValueError as error:  # a malformed \uXXXX
        raise ClientPropertiesError(f"{path}: not a properties file ({error}). {_HOW_TO_GET_ONE}") from None
    properties = dict(pairs)
    try:
        for key, value in pairs:
            # Kafka takes the last one without a warning.
            if properties[key] != value:
                values = "with two values" if is_secret(key) else f"as {value} and as {properties[key]}"
                raise ClientPropertiesError(f"{key} is there twice, {values}. Keep one.")
        arguments = kafka_python(properties)
        if arguments["security_protocol"].endswith("SSL"):
            tls_context(arguments)
    except ClientPropertiesError as error:
        raise ClientPropertiesError(f"{path}: {error}") from None
    return properties


def kafka_python(properties: dict[str, str]) -> dict[str, Any]:
    """Translate client properties (dict[str, str]) into keyword arguments for kafka-python.

    Returns the arguments that KafkaProducer, KafkaConsumer and KafkaAdminClient share: `bootstrap_servers` (a list of
    "host:port"), `security_protocol`, `ssl_*`, `sasl_*`. The file also serves Kafka's own tools, so other keys are
    ignored, with one exception: an unknown key about the security in use is refused, because without it the connection
    could be less safe than the file asks.

    Raises ClientPropertiesError.
    """
    _refuse_librdkafka(properties)
    protocol = properties.get("security.protocol", "PLAINTEXT").strip()
    _one_of(protocol, _PROTOCOLS, "security.protocol")
    arguments = {"bootstrap_servers": _addresses(properties), "security_protocol": protocol}
    if protocol.endswith("SSL"):
        arguments |= _ssl(properties)
    if protocol.startswith("SASL"):
        arguments |= _sasl(properties)
    return arguments


def _decoded(content: bytes) -> str:
    """Return a file's text, in the encoding of Java: ISO-8859-1. With a byte order mark of some editors, in UTF-8."""
    return content.decode("utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "iso-8859-1")


def tls_context(arguments: dict[str, Any]) -> ssl.SSLContext:
    """Return the ssl.SSLContext for arguments of `kafka_python`. Raises ClientPropertiesError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = arguments["ssl_check_hostname"]
    try:
        if cafile := arguments.get("ssl_cafile"):
            context.load_verify_locations(cafile)
        else:
            context.load_default_certs()
        if certificate := arguments.get("ssl_certfile"):
            context.load_cert_chain(certificate, password=arguments["ssl_password"])
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise ClientPropertiesError(
            f"ssl.truststore.location or ssl.keystore.location cannot be used ({reason}). Name PEM files: the first "
            "has the authority's certificate, the second the client's and its key, and ssl.key.password is for a key "
            "that is encrypted."
        ) from None
    return context


def _addresses(properties: dict[str, str]) -> list[str]:
    addresses = [address.strip() for address in properties.get("bootstrap.servers", "").split(",") if address.strip()]
    if not addresses:
        raise ClientPropertiesError("bootstrap.servers is missing. Set it to HOST:PORT[,HOST:PORT…].")
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        # Kafka's tools take ':9092' for localhost; kafka-python 3 tries it until the time is over.
        if not match or not 0 < int(match["port"]) < 65536:
            raise ClientPropertiesError(
                f"bootstrap.servers has {address!r}, which is not HOST:PORT. Write for example 127.0.0.1:9092."
            )
    return addresses


def _ssl(properties: dict[str, str]) -> dict[str, Any]:
    # The type of a store first: a store that is no PEM often has a password, which is unknown here.
    key_store, trust_store = (_pem(properties, store) for store in ("ssl.keystore", "ssl.truststore"))
    _only_known(properties, "ssl.", _SSL_KEYS)
    arguments = {
        # In Kafka an empty algorithm means: do not compare the certificate with the host name.
        "ssl_check_hostname": properties.get("ssl.endpoint.identification.algorithm", "https").strip() != "",
        "ssl_cafile": trust_store,
        # A PEM key store holds the certificate chain and the private key in one file, and OpenSSL finds both.
        "ssl_certfile": key_store,
        # Without a password OpenSSL would ask for it on the terminal.
        "ssl_password": properties.get("ssl.key.password", "" if key_store else None),
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _pem(properties: dict[str, str], store: str) -> str | None:
    location = properties.get(f"{store}.location")
    if location is None:
        return None
    kind = properties.get(f"{store}.type", "JKS").strip()  # Kafka's default
    if kind.upper() != "PEM":
        raise ClientPropertiesError(
            f"{store}.type is {kind}, and Python reads PEM. Convert {location} to PEM and set {store}.type=PEM."
        )
    if not Path(location).is_file():
        raise ClientPropertiesError(f"{store}.location is {location}: no such file. Correct the path.")
    return location


def _sasl(properties: dict[str, str]) -> dict[str, Any]:
    mechanism = properties.get("sasl.mechanism", "GSSAPI").strip()  # Kafka's default
    _one_of(mechanism, MODULES, "sasl.mechanism")
    login, module = properties.get("sasl.jaas.config", ""), MODULES[mechanism]
    if login and module.rpartition(".")[2] not in login:
        raise ClientPropertiesError(
            f"sasl.mechanism is {mechanism}, and sasl.jaas.config is not of its {module.rpartition('.')[2]}. Correct "
            "one of them."
        )
    options = {
        name: re.sub(r"\\(.)", r"\1", double or single or word)
        for name, double, single, word in _JAAS_OPTION.findall(login)
    }
    own = _oauth(properties, options) if mechanism == OAUTH else _password(properties, options, module)
    return {"sasl_mechanism": mechanism} | own


def _password(properties: dict[str, str], options: dict[str, str], module: str) -> dict[str, Any]:
    _only_known(properties, "sasl.", _SASL_KEYS)
    if not {"username", "password"} <= options.keys():
        raise ClientPropertiesError(
            "sasl.jaas.config names no username and password. Write: sasl.jaas.config="
            f'org.apache.kafka.common.security.{module} required username="…" password="…";'
        )
    return {"sasl_plain_username": options["username"], "sasl_plain_password": options["password"]}


def _oauth(properties: dict[str, str], options: dict[str, str]) -> dict[str, Any]:
    handler = properties.get(_HANDLER, "").strip()
    if handler and not re.fullmatch(r"org\.apache\.kafka\..*\.OAuthBearerLoginCallbackHandler", handler):
        raise ClientPropertiesError(
            f"{_HANDLER} is {handler}, which is not supported here. Use the handler of Kafka, "
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler."
        )
    _only_known(properties, "sasl.", {*_SASL_KEYS, _HANDLER, _TOKEN_URL, *_OAUTH_OPTIONS.values()})
    url = properties.get(_TOKEN_URL, "").strip()
    if not re.fullmatch(r"https?://[^/].*", url):
        raise ClientPropertiesError(
            f"{_TOKEN_URL} is {url!r}. Write the address from which your issuer gives tokens for a client's id and "
            "secret, such as https://issuer.example.com/oauth2/token."
        )
    given = {name: options.get(name) or properties.get(key, "") for name, key in _OAUTH_OPTIONS.items()}
    if not given["clientId"] or not given["clientSecret"]:
        raise ClientPropertiesError(
            "sasl.jaas.config names no clientId and clientSecret. Write: sasl.jaas.config="
            f'org.apache.kafka.common.security.{MODULES[OAUTH]} required clientId="…" clientSecret="…";'
        )
    return {"sasl_oauth_token_provider": tokens(url, given["clientId"], given["clientSecret"], given["scope"])}


def _one_of(value: str, allowed: Iterable[str], key: str) -> None:
    if value not in allowed:
        raise ClientPropertiesError(f"{key} is {value!r}, which is not supported. Use one of: {', '.join(allowed)}.")


def _only_known(properties: dict[str, str], prefix: str, known: Collection[str]) -> None:
    understood = {*known, *_LIBRDKAFKA}  # beside Kafka's own names, see _refuse_librdkafka
    if unknown := sorted(key for key in properties if key.startswith(prefix) and key not in understood):
        are, them = ("is", "it") if len(unknown) == 1 else ("are", "them")
        raise ClientPropertiesError(
            f"{', '.join(unknown)} {are} not supported here. Remove {them}; understood: {', '.join(sorted(known))}."
        )


def _refuse_librdkafka(properties: dict[str, str]) -> None:
    if theirs := [key for key, name in _LIBRDKAFKA.items() if key in properties and name not in properties]:
        names = ", ".join(dict.fromkeys(_LIBRDKAFKA[key] for key in theirs))
        raise ClientPropertiesError(
            f"{', '.join(theirs)}: these names are librdkafka's. Write a file with those of Kafka's tools: {names}."
        )

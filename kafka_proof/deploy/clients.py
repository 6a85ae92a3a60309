"""The properties files of clients, which Kafka's own tools, this project, kcat and librdkafka read unchanged."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kafka_proof.client.secret_files import client_file, path_of, read, user_file
from kafka_proof.deploy.files import quoted, to_properties
from kafka_proof.deploy.node import CONFIG
from kafka_proof.deploy.security import LOGIN, MODULES, NODE_CLIENT, TLS, TRUSTED, Security, client_protocol

# Java and this project ignore the names of librdkafka, and librdkafka refuses unknown names. For Java, a carriage
# return ends a line, and so a comment; for librdkafka's programs it does not.
_FOR_JAVA = "#\r"
_NOTE = "# Names of librdkafka are above. Kafka's own are below, each after a carriage return: a comment for kcat.\n"
_ITERATIONS = 4096  # of SCRAM; Kafka's own number
_JAVA_ALONE = ("sasl.jaas.config", "ssl.keystore.", "ssl.truststore.")


def access(security: Security, secrets: str) -> dict[str, Any]:
    """Return what the properties of any client need, as plain data. secrets: the directory of secrets."""
    return {
        "clients": security.clients,
        "protocol": client_protocol(security),
        "mechanism": security.login,
        "principal": security.principal,
        "ca": str(Path(secrets, security.certificates.get("ca", TRUSTED))) if security.on else "",
        "secrets": secrets,
    }


def login_properties(found: Mapping[str, Any], name: str = "", mechanism: str = "") -> dict[str, str]:
    """Return the client properties of a user beside bootstrap.servers; of the deployment's principal without a name.

    found: of `access`. A password that does not exist yet is "": that happens in check mode alone.
    """
    name, mechanism = name or found["principal"], mechanism or found["mechanism"]
    properties = {"security.protocol": found["protocol"]}
    if found["clients"] in (TLS, LOGIN):
        properties |= {"ssl.truststore.location": found["ca"], "ssl.truststore.type": "PEM"}
    if found["clients"] == TLS:
        properties |= {"ssl.keystore.location": str(key_store(found["secrets"], name)), "ssl.keystore.type": "PEM"}
    if found["clients"] == LOGIN:
        properties |= {"sasl.mechanism": mechanism, "sasl.jaas.config": _login(mechanism, name, found["secrets"])}
    return properties


def client_files(
    found: Mapping[str, Any], users: Sequence[Mapping[str, Any]], addresses: Sequence[str], directory: Path
) -> dict[Path, str]:
    """Return {file: text}: the properties of each user, and the key stores of those that have a certificate.

    found: of `access`; users: as in kafka_users; addresses: of the brokers. Raises OSError.
    """
    files, servers = {}, {"bootstrap.servers": ",".join(addresses)}
    if found["clients"] == TLS:
        for name in [found["principal"], *(user["name"] for user in users)]:
            path = client_file(found["secrets"], name)
            parts = [Path(f"{path}{ending}") for ending in (".key", ".pem")]
            # In check mode a new certificate does not exist.
            text = "".join(part.read_text(encoding="utf-8") for part in parts if part.exists())
            files[key_store(found["secrets"], name)] = text
    for user in users:
        if found["clients"] == LOGIN and not user_file(found["secrets"], user["name"]).exists():
            continue  # a user of an existing cluster, whose password is not known here
        properties = servers | login_properties(found, user["name"], user.get("mechanism") or "")
        files[path_of(directory, f"{user['name']}.properties")] = to_text(properties)
    return files


def key_store(secrets: str, name: str) -> Path:
    """Return the path of a client's certificate and key, in one file."""
    return client_file(secrets, f"{name}.keystore.pem")


def user_script(container: str, address: str, user: str, mechanism: str, password: str) -> str:
    """Return the shell script that gives a SCRAM user its password, as the node in whose container it runs.

    address: HOST:PORT of the broker's listener between nodes. The password arrives by standard input, in the form that
    the command reads from a file: no `ps` shows it.
    """
    command = [
        *("docker", "exec", "-i", container, "/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", address),
        *("--command-config", f"{CONFIG}/{NODE_CLIENT}", "--alter", "--entity-type", "users", "--entity-name", user),
        *("--add-config-file", "/dev/stdin"),
    ]
    line = to_properties({mechanism: f"iterations={_ITERATIONS},password={password}"})
    return f"{shlex.join(command)} <<'END'\n{line}END"


def to_text(properties: Mapping[str, str]) -> str:
    """Return the text of a properties file."""
    theirs = _for_librdkafka(properties)
    if not theirs:
        return to_properties(properties)
    java = {key: value for key, value in properties.items() if key.startswith(_JAVA_ALONE)}
    plain = to_properties({key: value for key, value in properties.items() if key not in java})
    plain += "".join(f"{key}={value}\n" for key, value in sorted(theirs.items()))
    return plain + _NOTE + "".join(f"{_FOR_JAVA}{line}\n" for line in to_properties(java).splitlines())


def password_of(properties: Mapping[str, str]) -> str:
    """Return the password in a login that `login_properties` wrote; "" for none."""
    _, _, rest = properties.get("sasl.jaas.config", "").partition(' password="')
    return rest.removesuffix('";').replace('\\"', '"').replace("\\\\", "\\")


def _login(mechanism: str, name: str, secrets: str) -> str:
    path = user_file(secrets, name)
    password = read(path) if path.exists() else ""
    return f'{MODULES[mechanism]} required username="{quoted(name)}" password="{quoted(password)}";'


def _for_librdkafka(properties: Mapping[str, str]) -> dict[str, str]:
    names: Sequence[tuple[str, Sequence[str]]] = (
        ("ssl.truststore.location", ["ssl.ca.location"]),
        ("ssl.keystore.location", ["ssl.certificate.location", "ssl.key.location"]),
    )
    found = {new: properties[key] for key, others in names if key in properties for new in others}
    if "sasl.jaas.config" in properties:
        _, _, rest = properties["sasl.jaas.config"].partition(' username="')
        name = rest.partition('" password="')[0].replace('\\"', '"').replace("\\\\", "\\")
        found |= {"sasl.username": name, "sasl.password": password_of(properties)}
    return found

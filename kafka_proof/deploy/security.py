"""Access control: the settings of nodes, and of their clients, that follow from `kafka_security`.

Between nodes TLS is mutual. A certificate that the nodes' authority signed makes its holder a node, and so a super
user. Clients trust that authority, and prove themselves by a login (sasl_ssl), or by a certificate of a second
authority (ssl).
Listeners with TLS have other names and ports than those without, so that a running cluster can have both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kafka_proof.client.secret_files import unusable, user_file
from kafka_proof.deploy.files import PLAIN_SECRET
from kafka_proof.deploy.lines import numbers
from kafka_proof.deploy.node import BROKER, CONFIG, Listener, Node

NONE, TLS, LOGIN = "none", "ssl", "sasl_ssl"  # values of `clients`
NODE = "CN=node"  # name of each node's certificate; the whole of it is its principal, which no login can have
SECURE_CLIENT_PORT = 2182  # of ZooKeeper, inside the container; the other one is open to the container alone
KEY_STORE, TRUST_STORE, CLIENTS_TRUST_STORE = "keystore.pem", "truststore.pem", "clients.pem"  # files in CONFIG
TRUSTED = "ca.trust.pem"  # a file in stack_secrets: authorities that clients and nodes trust
NODE_CLIENT = "node.properties"  # a file in CONFIG: client properties of the node's own principal
SCRAM = ("SCRAM-SHA-512", "SCRAM-SHA-256")
# The levels of a cluster on its way from open to secure: playbooks/secure.yml. A container has its own as a label.
OPEN, BOTH, SWITCHED, SECURE = range(4)
_LEVELS = ("open", "both listeners", "nodes use TLS", "secure")

_PEM = "PEM"
_PROVIDER = "org.apache.kafka.common.config.provider.DirectoryConfigProvider"
_SASL = "org.apache.kafka.common.security"
MODULES = {
    "PLAIN": f"{_SASL}.plain.PlainLoginModule",
    "OAUTHBEARER": f"{_SASL}.oauthbearer.OAuthBearerLoginModule",
    **dict.fromkeys(SCRAM, f"{_SASL}.scram.ScramLoginModule"),
}
_AUTHORISER = {
    True: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    False: "kafka.security.authorizer.AclAuthorizer",
}


def level_name(level: int) -> str:
    """Return the name of a level, for people and for playbooks."""
    return _LEVELS[level]


def target(node: Node) -> int:
    """Return the level of a node of the inventory."""
    return SECURE if node["client"] else OPEN


_NOT_IN_NAMES = ',+"\\<>;=#'


class Security(NamedTuple):
    """The variable `kafka_security`, with its defaults."""

    clients: str = NONE
    mechanisms: Sequence[str] = (SCRAM[0],)
    principal: str = "admin"  # of the deployment, for which client.properties is
    days: int = 365  # for which a certificate of a node or a client is valid
    oauth: Mapping[str, Any] = {}
    certificates: Mapping[str, str] = {}  # paths that the user gives: ca, certificate, key, clients_ca
    nodes: Sequence[str] = (NODE,)  # principals of the nodes, see kafka_proof.deploy.given_certificates
    plain_users: Sequence[str] = ()  # names, whose passwords are part of the broker's settings

    @property
    def on(self) -> bool:
        return self.clients != NONE

    @property
    def has_own_authority(self) -> bool:
        return self.on and not self.certificates

    @property
    def login(self) -> str:
        """Return the mechanism by which the deployment logs in; "" for none."""
        names = [name for name in self.mechanisms if name != "OAUTHBEARER"]
        return names[0] if self.clients == LOGIN and names else ""


def security_of(variables: Mapping[str, Any]) -> Security:
    """Return what the checked variables of a host say."""
    given = {key: value for key, value in (variables.get("kafka_security") or {}).items() if value is not None}
    found = Security(**{key: value for key, value in given.items() if key in Security._fields})
    users = [{"name": found.principal}, *(variables.get("kafka_users") or [])]
    plain = [user["name"] for user in users if (user.get("mechanism") or found.login) == "PLAIN"]
    return found._replace(plain_users=tuple(dict.fromkeys(plain)) if found.clients == LOGIN else ())


def security_problems(hosts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what in kafka_security cannot work. hosts: {host: its checked variables}."""
    given = {host: variables.get("kafka_security") or {} for host, variables in hosts.items()}
    # Paths of certificates may differ, because each host can have its own.
    alike = {host: {key: value for key, value in own.items() if key != "certificates"} for host, own in given.items()}
    first = next(iter(alike))
    if other := next((host for host, own in alike.items() if own != alike[first]), None):
        return [f"{other}: kafka_security differs from that of {first}. Set it for all hosts, in [all:vars]."]
    security = security_of(hosts[first])
    problems = []
    if security.clients == LOGIN and not security.mechanisms:
        problems.append("kafka_security.mechanisms is empty. Leave it out, or name one, such as SCRAM-SHA-512.")
    elif security.clients == LOGIN and not security.login:
        problems.append(
            "kafka_security.mechanisms has OAUTHBEARER alone, and the deployment logs in by a password. Add "
            "SCRAM-SHA-512 to the list."
        )
    if "OAUTHBEARER" in security.mechanisms and not all(map(security.oauth.get, ("jwks_url", "issuer", "audience"))):
        problems.append(
            "kafka_security.mechanisms has OAUTHBEARER, and the issuer of tokens is not known. Set "
            "kafka_security.oauth: {jwks_url: …, issuer: …, audience: …}, all of them."
        )
    problems += [
        f"The user {name!r} logs in by PLAIN, whose names have letters, digits, dots, underscores and hyphens. "
        "Rename it, or give it another mechanism."
        for name in security.plain_users
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII)
    ]
    if fault := unusable(given[first].get("password") or ""):
        problems.append(f"kafka_security.password {fault}.")
    # Names in certificates escape these, and Kafka's rule that makes a user's name of one knows no escapes.
    problems += [
        f"The user {name!r} has a certificate, whose names have none of {_NOT_IN_NAMES}. Rename it."
        for name in (security.principal, *(user["name"] for user in hosts[first].get("kafka_users") or []))
        if security.clients == TLS and set(name) & set(_NOT_IN_NAMES)
    ]
    if security.days < 1:
        problems.append(f"kafka_security.days is {security.days}. Use 1 or more.")
    if "=" in security.principal or not security.principal:
        problems.append(
            f"kafka_security.principal is {security.principal!r}, and names with = are those of certificates of nodes. "
            "Choose another name."
        )
    return problems


def secured(listener: Mapping[str, Any], security: Security, inter_broker: str) -> Listener:
    """Return a listener with its protocol, which is that of its users unless the variable names one."""
    of_nodes = listener["name"] == inter_broker
    usual = node_protocol(security) if of_nodes else client_protocol(security)
    return Listener(**{"protocol": usual, **listener})  # type: ignore[typeddict-item]


def node_protocol(security: Security) -> str:
    return "SSL" if security.on else "PLAINTEXT"


def client_protocol(security: Security) -> str:
    return security.clients.upper() if security.on else "PLAINTEXT"


def listener_settings(
    listeners: Iterable[Listener], of_nodes: Sequence[str], security: Security, version: str
) -> dict[str, Any]:
    """Return the settings of listeners with TLS. of_nodes: names of those between nodes; version: of Kafka."""
    found: dict[str, Any] = {}
    for item in listeners:
        if not security.on or not item["protocol"].endswith("SSL"):
            continue
        own = _key_store()
        if item["name"] in of_nodes:
            own |= _trust_store() | {"ssl.client.auth": "required"}
        elif item["protocol"] == "SSL":
            own |= _trust_store(CLIENTS_TRUST_STORE) | {"ssl.client.auth": "required"}
            own["ssl.principal.mapping.rules"] = "RULE:^CN=([^,]+).*$/$1/"
        else:
            own |= _mechanisms(security, version)
        found |= {f"listener.name.{item['name'].lower()}.{key}": value for key, value in own.items()}
    return found


def authorisation(security: Security, kraft: bool) -> dict[str, Any]:
    """Return the settings by which a node refuses everything that no ACL allows."""
    if not security.on:
        return {}
    super_users = ";".join(f"User:{name}" for name in dict.fromkeys([*security.nodes, security.principal]))
    provider = {
        "config.providers": "dir",
        "config.providers.dir.class": _PROVIDER,
        "config.providers.dir.param.allowed.paths": CONFIG,
    }
    return {
        "allow.everyone.if.no.acl.found": False,
        "authorizer.class.name": _AUTHORISER[kraft],
        "super.users": super_users,
    } | (provider if security.plain_users else {})


def zookeeper_client(security: Security) -> dict[str, Any]:
    """Return the settings by which a broker connects to ZooKeeper, and keeps what it writes there to brokers."""
    if not security.on:
        return {}
    stores = {f"zookeeper.{key}": value for key, value in (_key_store() | _trust_store()).items()}
    return stores | {
        "zookeeper.clientCnxnSocket": "org.apache.zookeeper.ClientCnxnSocketNetty",
        "zookeeper.set.acl": True,
        "zookeeper.ssl.client.enable": True,
    }


def zookeeper_server(security: Security, servers: int) -> dict[str, Any]:
    """Return the settings of a ZooKeeper server among `servers`. Its port without TLS is for its health check alone."""
    if not security.on:
        return {}

    def stores(prefix: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for store, name in (("keyStore", KEY_STORE), ("trustStore", TRUST_STORE)):
            found |= {f"{prefix}.{store}.location": f"{CONFIG}/{name}", f"{prefix}.{store}.type": _PEM}
        return found

    ensemble = stores("ssl.quorum") | {
        "sslQuorum": True,
        # A server sees its peer at the address of a gateway. The nodes' authority signs for nodes alone.
        "ssl.quorum.hostnameVerification": False,
    }
    return (
        stores("ssl")
        | {
            "authProvider.x509": "org.apache.zookeeper.server.auth.X509AuthenticationProvider",
            "clientPortAddress": "127.0.0.1",
            "secureClientPort": SECURE_CLIENT_PORT,
            "serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
            "ssl.clientAuth": "need",
        }
        | (ensemble if servers > 1 else {})
    )


def node_client(security: Security) -> dict[str, str]:
    """Return client properties with which a command in the container is the node."""
    return {"security.protocol": "SSL"} | _key_store() | _trust_store() if security.on else {}


def secrets_of(node: Node, security: Security) -> dict[str, list[str]]:
    """Return {file in CONFIG: paths of its parts, relative to stack_secrets} of a node."""
    if not security.on:
        return {}
    given = security.certificates
    own = f"nodes/{node['container']}@{node['host']}"
    found = {
        KEY_STORE: [given["key"], given["certificate"]] if given else [f"{own}.key", f"{own}.pem"],
        TRUST_STORE: [given["ca"]] if given else [TRUSTED],
    }
    if security.clients == TLS:
        found[CLIENTS_TRUST_STORE] = [given["clients_ca"]] if given else ["clients-ca.trust.pem"]
    if BROKER in node["kinds"]:
        found |= {f"{PLAIN_SECRET}{user}": [str(user_file("", user))] for user in security.plain_users}
    return found


def stores_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of listeners that name a store, {key: path}: a node loads it when one is written again."""
    return {
        key: str(value)
        for key, value in settings.items()
        if key.startswith("listener.name.") and key.endswith(("ssl.keystore.location", "ssl.truststore.location"))
    }


def jvm_options(version: str, security: Security) -> str:
    """Return options that close what a setting could open: classes for logins, providers of values, addresses."""
    options = [f"-Dorg.apache.kafka.automatic.config.providers={_PROVIDER}"]
    if numbers(version) >= (4, 2):
        options.append(f"-Dorg.apache.kafka.allowed.login.modules={','.join(dict.fromkeys(MODULES.values()))}")
    else:
        refused = ("JndiLoginModule", "LdapLoginModule")
        names = ",".join(f"com.sun.security.auth.module.{name}" for name in refused)
        options.append(f"-Dorg.apache.kafka.disallowed.login.modules={names}")
    if url := security.oauth.get("jwks_url"):
        options.append(f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={url}")
    return "\n".join(options)


def _mechanisms(security: Security, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {"sasl.enabled.mechanisms": ",".join(security.mechanisms)}
    for name in security.mechanisms:
        users = security.plain_users if name == "PLAIN" else ()
        options = "".join(f' user_{user}="${{dir:{CONFIG}:{PLAIN_SECRET}{user}}}"' for user in users)
        found[f"{name.lower()}.sasl.jaas.config"] = f"{MODULES[name]} required{options};"
    if "OAUTHBEARER" in security.mechanisms:
        package = f"{_SASL}.oauthbearer" + (".secured" if version.startswith("3.") else "")
        found["oauthbearer.sasl.server.callback.handler.class"] = f"{package}.OAuthBearerValidatorCallbackHandler"
        found["oauthbearer.sasl.oauthbearer.jwks.endpoint.url"] = security.oauth["jwks_url"]
        # Kafka 4.3 and later do not start without these two. Older ones accept tokens for other services.
        for key in ("audience", "issuer"):
            found[f"oauthbearer.sasl.oauthbearer.expected.{key}"] = security.oauth[key]
    return found


def _key_store() -> dict[str, str]:
    return {"ssl.keystore.location": f"{CONFIG}/{KEY_STORE}", "ssl.keystore.type": _PEM}


def _trust_store(name: str = TRUST_STORE) -> dict[str, str]:
    return {"ssl.truststore.location": f"{CONFIG}/{name}", "ssl.truststore.type": _PEM}

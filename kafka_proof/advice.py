"""Advice for each diagnosis: variables of the inventory, Kafka's own properties, and the client's file.

For the commands and plugins that speak to a person. Packages below them only raise codes.
"""

from kafka_proof.client.connection import START
from kafka_proof.client.text import one_line
from kafka_proof.client.workarounds import reason

_PORTS = (
    "bootstrap.servers in the client's properties; in the inventory kafka_port (Kafka: listeners) and "
    "kafka_advertised_port (advertised.listeners)"
)
_LISTENER = "the listener's protocol in kafka_listeners (Kafka: listener.security.protocol.map)"
_CERTIFICATE = "by playbooks/rotate.yml or kafka_security.certificates (Kafka: ssl.keystore.location)"

ADVICE = {
    # The client's properties
    "ignored": (
        "If the cluster wants TLS or a login, set security.protocol to SSL, SASL_PLAINTEXT or SASL_SSL in the client's "
        "properties; if not, remove those that are ignored."
    ),
    # The way to the first broker
    "unresolvable": (
        "Correct the host in bootstrap.servers, or let this machine resolve it. A stack of this project writes "
        "kafka_advertised_host there (Kafka: advertised.listeners); names of containers resolve only in their own "
        "Docker network, stack_network."
    ),
    "refused": (
        f"Start the broker, or correct the port: {_PORTS}. If the broker runs on another machine, kafka_bind_address "
        "must be an address of it that this one reaches; 127.0.0.1 is not."
    ),
    "timeout": (
        "Let this machine reach the address: a packet filter drops what it sends, or no machine has the address. Else "
        "correct the host: bootstrap.servers here, kafka_advertised_host and kafka_bind_address in the inventory."
    ),
    "unreachable": (
        "Give this machine a route to the address, or correct the host: bootstrap.servers here, kafka_advertised_host "
        "(Kafka: advertised.listeners) in the inventory."
    ),
    "first-address": (
        "Clients that try only the first address fail. Write the address that answers into bootstrap.servers, and into "
        "kafka_advertised_host (Kafka: advertised.listeners); or have kafka_bind_address publish on the first one too."
    ),
    "closes-at-once": (
        "Docker or a load balancer opens the port with no broker behind it. Start the broker, or wait for it and read "
        "`docker logs NAME`; then compare kafka_port with the port in kafka_listeners (Kafka: listeners). A broker at "
        "max.connections.per.ip (kafka_config) closes likewise."
    ),
    "closes": (
        "If the broker is starting or stopping, try again. If not, no Kafka since 0.10 is at this port: correct "
        f"{_PORTS}."
    ),
    "silent": (
        "If a broker is at this port it is frozen or overloaded: `docker ps` shows a paused container (docker unpause) "
        f"and `docker logs NAME` its state. If none is, correct {_PORTS}."
    ),
    "http": f"Name the port of a broker, not of a web server: {_PORTS}.",
    "not-kafka": f"Name the port of a broker: {_PORTS}.",
    "controller-listener": (
        "That is the listener of a controller: name the port of kafka_client_listener in the inventory, or of another "
        "listener that is not in controller.listener.names (Kafka: listeners)."
    ),
    "version": "Upgrade the broker: stack_kafka_version in the inventory, or the image of its operator.",
    # TLS
    "tls-port": (
        "Set security.protocol=SSL (or SASL_SSL) and ssl.truststore.location in the client's properties, or name the "
        f"port of a plaintext listener; on the broker, {_LISTENER}."
    ),
    "plaintext-port": (
        "Set security.protocol=PLAINTEXT (or SASL_PLAINTEXT) in the client's properties, or name the port of a TLS "
        f"listener; on the broker, {_LISTENER}."
    ),
    "tls-failed": "Let both sides share a version and a cipher; on the broker, in kafka_config: ssl.enabled.protocols.",
    "certificate-untrusted": (
        "Put the certificate of the authority that signed the broker's into the file ssl.truststore.location in the "
        f"client's properties; or give the broker one from an authority that this client trusts, {_CERTIFICATE}."
    ),
    "certificate-expired": (
        f"Renew the broker's certificate, {_CERTIFICATE}. If it is valid, correct this machine's clock."
    ),
    "certificate-not-yet-valid": (
        f"Correct this machine's clock. If it is right, give the broker a valid certificate, {_CERTIFICATE}."
    ),
    "certificate-host": (
        "Connect by a name that is in the certificate: bootstrap.servers here, kafka_advertised_host (Kafka: "
        f"advertised.listeners) in the inventory; or give the broker a certificate for this name, {_CERTIFICATE}."
    ),
    "certificate-expires": (
        "Give the broker a new certificate before that day: run playbooks/rotate.yml, or replace the file of "
        "ssl.keystore.location. From that day on, every client refuses it."
    ),
    "client-certificate-missing": (
        "Set ssl.keystore.location in the client's properties to a certificate that the broker trusts, with its key; "
        "or name the port of a listener with login. A listener between brokers or of controllers takes nodes alone."
    ),
    "client-certificate": (
        "Set ssl.keystore.location in the client's properties to a certificate that the broker trusts; on the broker, "
        "put the certificate of the authority that signed it into kafka_security.certificates.clients_ca (Kafka: "
        "ssl.truststore.location)."
    ),
    "client-certificate-expired": (
        "Put a valid certificate from the same authority into the file ssl.keystore.location in the client's "
        "properties."
    ),
    "client-certificate-expires": (
        "Put a new certificate from the same authority into the file ssl.keystore.location in the client's properties "
        "before that day; playbooks/rotate.yml does so for users of a stack. From that day on, the broker refuses it."
    ),
    # SASL
    "mechanism": (
        "Set sasl.mechanism in the client's properties to one that is enabled; or enable this one on the broker: "
        "kafka_security.mechanisms (Kafka: sasl.enabled.mechanisms)."
    ),
    "login-needed": (
        "Set security.protocol=SASL_PLAINTEXT or SASL_SSL, sasl.mechanism and sasl.jaas.config in the client's "
        f"properties; or name the port of a listener without login; on the broker, {_LISTENER}."
    ),
    "login-unexpected": (
        "Take SASL_ out of security.protocol in the client's properties, or name the port of a listener with login; on "
        f"the broker, {_LISTENER}."
    ),
    "login-refused": (
        "Correct username and password in sasl.jaas.config in the client's properties; or make the user on the broker: "
        "kafka_users (Kafka: `kafka-configs.sh --alter --entity-type users` for SCRAM, sasl.jaas.config for PLAIN)."
    ),
    "token": (
        "Correct sasl.oauthbearer.token.endpoint.url, and clientId and clientSecret in sasl.jaas.config, in the "
        "properties of the client; or register the client with the issuer."
    ),
    "token-refused": (
        "Compare the issuer, the audience and the times of the token with kafka_security.oauth, and the clocks of both "
        "hosts. The reason is in the broker's log, as a warning of OAuthBearerValidatorCallbackHandler."
    ),
    # Rights
    "topic-rights": (
        "Grant the right: kafka_acls (Kafka: `kafka-acls.sh --add --allow-principal User:NAME --topic TOPIC`, with "
        "--producer, or with --consumer --group GROUP). If the topic is another team's, use one that this user may use."
    ),
    "topic-missing": (
        "Create the topic: kafka_topics_present in the inventory; or correct its name. A client that creates it needs "
        "Create on it: kafka_acls (Kafka: `kafka-acls.sh --add --allow-principal User:NAME --operation Create "
        "--topic TOPIC`)."
    ),
    "group-rights": (
        "Grant the right: kafka_acls (Kafka: `kafka-acls.sh --add --allow-principal User:NAME --operation Read --group "
        "GROUP`); or set group.id to a group that this user may use."
    ),
    # From the first broker to all of them
    "no-brokers": (
        "Wait: a broker that has just started knows no broker yet. If that lasts, it does not reach its controller: "
        "kafka_zookeeper_connect (Kafka: zookeeper.connect), or controller.quorum.bootstrap.servers."
    ),
    "advertised-unresolvable": (
        "Set kafka_advertised_host (Kafka: advertised.listeners) to a name or address that every client resolves, and "
        "run site.yml; or let this machine resolve the name."
    ),
    "advertised-wildcard": (
        "Set kafka_advertised_host (Kafka: advertised.listeners) to a name or address of the broker's machine. All "
        "interfaces are for kafka_bind_address (listeners) only: no client can connect to them."
    ),
    "advertised-loopback": (
        "Set kafka_advertised_host (Kafka: advertised.listeners) to the name or address by which other machines reach "
        "the broker, and run site.yml; kafka_bind_address follows it."
    ),
    "advertised-refused": (
        "Set kafka_advertised_port, or kafka_port (Kafka: advertised.listeners), to the port at which clients reach "
        "this broker; if that is right, start the broker, and see that kafka_bind_address publishes the port."
    ),
    "advertised-closes-at-once": (
        "Set kafka_advertised_port (Kafka: advertised.listeners) to a port with a broker behind it; if that is right, "
        "start the broker (`docker logs NAME`)."
    ),
    "advertised-timeout": (
        "Set kafka_advertised_host (Kafka: advertised.listeners) to an address that clients reach, or let this machine "
        "reach that one: a packet filter drops what it sends, or no machine has the address."
    ),
    "advertised-unreachable": (
        "Set kafka_advertised_host (Kafka: advertised.listeners) to an address that clients reach, or give this "
        "machine a route to that one."
    ),
    "advertised-silent": (
        "Look at that broker: it is frozen or overloaded (`docker ps`, docker unpause, `docker logs NAME`). If none "
        "is there, correct kafka_advertised_host and kafka_advertised_port (Kafka: advertised.listeners)."
    ),
    "advertised-other-broker": (
        "Give each broker its own address: kafka_advertised_host and kafka_advertised_port (Kafka: "
        "advertised.listeners)."
    ),
    "advertised-other-cluster": (
        "Correct kafka_advertised_host and kafka_advertised_port (Kafka: advertised.listeners); two stacks on one "
        "machine need different ports."
    ),
    # The cluster
    "no-controller": (
        "Bring the controller back. With ZooKeeper: start it, and see that kafka_zookeeper_connect (Kafka: "
        "zookeeper.connect) leads to it; with KRaft: start a majority of the quorum's controllers."
    ),
    "voter": (
        "Start the controller, or read its log (`docker logs NAME`). If its machine is gone for good, take it out of "
        "the inventory, and run playbooks/decommission.yml with -e decommission_voter=ID (Kafka: "
        "`kafka-metadata-quorum.sh remove-controller`)."
    ),
    "no-coordinator": (
        "Bring the broker back that leads the partition of __consumer_offsets, or look at its log; with several "
        "brokers let kafka_profile be production (Kafka: offsets.topic.replication.factor=3), so that another can."
    ),
    "offsets-topic": (
        "Set offsets.topic.replication.factor in kafka_config to at most the number of brokers, and run site.yml "
        "(kafka_profile: development sets 1); or start the missing brokers."
    ),
    "listener": ("Give every broker the listener that this client comes by: kafka_listeners (Kafka: listeners)."),
    "offline": (
        "Start the brokers that hold the replicas. If their disks are lost for good, "
        "`kafka-leader-election.sh --election-type unclean` elects a replica that is left, without the lost messages. "
        "So that one broker's end is not a partition's, give topics more replicas: replication_factor in "
        "kafka_topics_present (Kafka: default.replication.factor)."
    ),
    "min-isr": (
        "Start the brokers that are not in sync; producers with acks=all are refused until then. A topic with "
        "fewer replicas than min.insync.replicas (config in kafka_topics_present, kafka_config) never is: lower it."
    ),
    "under-replicated": (
        "Start the brokers that are not in sync, or look at their logs (`docker logs NAME`: a full disk, a slow "
        "network); kafka_inter_broker_listener (Kafka: inter.broker.listener.name) must lead from broker to broker."
    ),
    "clock": "Correct the clock that is wrong, of this machine or of the broker's: let both follow NTP.",
    "write": "Read the broker's log (`docker logs NAME`); its ACLs and quotas limit clients.",
    "left-over": ("Delete the topic when the cluster is well again: kafka_topics_absent, or kafka-topics.sh --delete."),
}


NOT_LOST = (
    "Nothing was changed. decommission_voter takes the id of a controller that runs nowhere, and that is not in the "
    "inventory. Another one leaves by playbooks/decommission.yml with -e decommission=HOST."
)
_SILENT = (
    "Wait some seconds if it is starting, or start it (`docker start NAME`, or site.yml). Its log can say why it ended "
    "(`docker logs NAME`). If it is lost for good, take its host out of the inventory, and run playbooks/rebalance.yml "
    "with its id in rebalance_drain."
)


def explained(error):
    """Return the message of an error for a person: with the advice for its diagnosis, where there is one.

    The diagnosis is the code of a NoKafkaError, or a broker that does not answer.
    """
    if hasattr(error, "silent"):
        return f"{one_line(reason(error))}. {_SILENT}"
    advice = ADVICE.get(getattr(error, "code", ""))
    return f"{str(error).removesuffix(START)}{advice}" if advice else str(error)

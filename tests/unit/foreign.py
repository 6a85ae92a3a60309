"""Containers of other images as `docker inspect` shows them, after their published layouts."""

from kafka_proof.deploy.foreign import Found, layout_of, settings_of


def inspected(name, image, env, *, ports=(), networks=None, hostname="3f2a9c1b7d55", cmd=(), labels=None):  # noqa: PLR0913
    """ports: [(in the container, address, on the host)]; networks: {name: aliases}."""
    joined = {"kafka_default": [name]} if networks is None else networks
    return {
        "Id": f"{hostname}{'0' * 52}",
        "Name": f"/{name}",
        "Config": {
            "Hostname": hostname,
            "Image": image,
            "Env": ["PATH=/usr/bin", *env],
            "Cmd": list(cmd),
            "Entrypoint": None,
            "Labels": labels or {},
        },
        "NetworkSettings": {
            "Ports": {f"{inside}/tcp": [{"HostIp": at, "HostPort": str(port)}] for inside, at, port in ports},
            "Networks": {network: {"Aliases": [*aliases, hostname]} for network, aliases in joined.items()},
        },
    }


def found(item, file="", **read):
    """The container after it was read. `file`: the settings that its script wrote; `read`: fields of Found."""
    layout = layout_of(item)
    return Found("localhost", item, layout, settings_of(item, layout, file), **read)


WURSTMEISTER_ZOOKEEPER = found(
    inspected(
        "zookeeper",
        "wurstmeister/zookeeper:latest",
        ["ZOOKEEPER_VERSION=3.4.13", "ZK_HOME=/opt/zookeeper-3.4.13"],
        ports=[(2181, "0.0.0.0", 2181)],
        hostname="aaaaaaaaaaaa",
    ),
    "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/opt/zookeeper-3.4.13/data\nclientPort=2181\n"
    "autopurge.snapRetainCount=3\nautopurge.purgeInterval=1\n",
    version_2="log.1\nsnapshot.0",
)
WURSTMEISTER_KAFKA = found(
    inspected(
        "kafka",
        "wurstmeister/kafka:2.13-2.8.1",
        [
            "KAFKA_VERSION=2.8.1",
            "KAFKA_HOME=/opt/kafka",
            "KAFKA_ADVERTISED_HOST_NAME=192.0.2.7",
            "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181",
            "KAFKA_CREATE_TOPICS=orders:3:1",
            "KAFKA_HEAP_OPTS=-Xmx512M -Xms512M",
        ],
        ports=[(9092, "0.0.0.0", 9092)],
    ),
    # As start-kafka.sh writes it: broker.id -1 generates one, log.dirs has the name of the host.
    "broker.id=-1\nnum.partitions=1\nlog.dirs=/kafka/kafka-logs-3f2a9c1b7d55\nlog.retention.hours=168\n"
    "socket.request.max.bytes=104857600\nzookeeper.connect=zookeeper:2181\nadvertised.host.name=192.0.2.7\nport=9092\n",
    jars="kafka_2.13-2.8.1.jar\nkafka-clients-2.8.1.jar",
    meta={"broker.id": "1001", "cluster.id": "wx", "version": "0"},
    kilobytes=2048,
)
BITNAMI_ZOOKEEPER, BITNAMI_ZOOKEEPER_2 = (
    found(
        inspected(
            f"zoo{each}",
            "docker.io/bitnami/zookeeper:3.9",
            ["BITNAMI_APP_NAME=zookeeper", f"ZOO_SERVER_ID={each}"],
            hostname="bbbbbbbbbbbb",
        ),
        "dataDir=/bitnami/zookeeper/data\nclientPort=2181\ntickTime=2000\nadmin.enableServer=false\n"
        f"4lw.commands.whitelist=srvr, mntr\n{servers}",
        my_id=str(each),
        version_2="log.1\nsnapshot.0",
    )
    for each, servers in (
        (1, "server.1=0.0.0.0:2889:3889;2181\nserver.2=zoo2:2888:3888;2181\n"),
        (2, "server.1=zoo1:2889:3889;2181\nserver.2=0.0.0.0:2888:3888;2181\n"),
    )
)
BITNAMI_KAFKA = found(
    inspected(
        "kafka-2",
        "bitnamilegacy/kafka:3.9.0-debian-12-r12",
        [
            "BITNAMI_APP_NAME=kafka",
            "KAFKA_CFG_BROKER_ID=2",
            "KAFKA_CFG_ZOOKEEPER_CONNECT=zoo1:2181/chroot",
            "KAFKA_CFG_LISTENERS=INTERNAL://:9092,EXTERNAL://:9094",
            "KAFKA_CFG_ADVERTISED_LISTENERS=INTERNAL://kafka-2:9092,EXTERNAL://localhost:19094",
            "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT",
            "KAFKA_CFG_INTER_BROKER_LISTENER_NAME=INTERNAL",
            "KAFKA_CFG_LOG_RETENTION_HOURS=24",
        ],
        ports=[(9094, "127.0.0.1", 19094)],
        networks={"other": [], "kafka_default": ["kafka-2", "broker"]},
    ),
    jars="kafka_2.13-3.9.0.jar",
    meta={"broker.id": "2", "cluster.id": "wx"},
)
BITNAMI_KRAFT = found(
    inspected(
        "kafka",
        "bitnami/kafka:3.9",
        [
            "BITNAMI_APP_NAME=kafka",
            "KAFKA_CFG_NODE_ID=0",
            "KAFKA_CFG_PROCESS_ROLES=controller,broker",
            "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093",
            "KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093",
            "KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092",
            "KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        ],
        ports=[(9092, "", 9092)],
    ),
    jars="kafka_2.13-3.9.0.jar",
    meta={"node.id": "0", "cluster.id": "5L6g3nShT-eMCtK--X86sw"},
)
CONFLUENT_ZOOKEEPER = found(
    inspected(
        "zookeeper",
        "confluentinc/cp-zookeeper:7.6.0",
        ["COMPONENT=zookeeper", "ZOOKEEPER_CLIENT_PORT=2181", "ZOOKEEPER_TICK_TIME=2000"],
        hostname="cccccccccccc",
    ),
    "dataDir=/var/lib/zookeeper/data\ndataLogDir=/var/lib/zookeeper/log\nclientPort=2181\ntickTime=2000\n",
    version_2="/var/lib/zookeeper/log/version-2:\nlog.1",
)
CONFLUENT_KAFKA = found(
    inspected(
        "broker",
        "confluentinc/cp-kafka:7.6.0",
        [
            "COMPONENT=kafka",
            "KAFKA_BROKER_ID=1",
            "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181",
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT",
            "KAFKA_JMX_OPTS=-Dcom.sun.management.jmxremote",
        ],
        ports=[(9092, "0.0.0.0", 9092)],
    ),
    # As its script writes it: listeners follow from the advertised ones.
    "listeners=PLAINTEXT://0.0.0.0:29092,PLAINTEXT_HOST://0.0.0.0:9092\nlog.dirs=/var/lib/kafka/data\n",
    jars="kafka_2.13-7.6.0-ccs.jar",
    meta={"broker.id": "1", "cluster.id": "wx"},
)
CONFLUENT_CONTROLLER = found(
    inspected(
        "controller-1",
        "confluentinc/cp-kafka:7.9.0",
        [
            "COMPONENT=kafka",
            "KAFKA_NODE_ID=1",
            "KAFKA_PROCESS_ROLES=controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS=1@controller-1:9093",
            "KAFKA_LISTENERS=CONTROLLER://controller-1:9093",
            "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "CLUSTER_ID=wx",
        ],
        hostname="dddddddddddd",
    ),
    jars="kafka_2.13-7.9.0-ccs.jar",
    meta={"node.id": "1", "cluster.id": "wx"},
)
CONFLUENT_BROKER = found(
    inspected(
        "broker-2",
        "confluentinc/cp-kafka:7.9.0",
        [
            "COMPONENT=kafka",
            "KAFKA_NODE_ID=2",
            "KAFKA_PROCESS_ROLES=broker",
            "KAFKA_CONTROLLER_QUORUM_VOTERS=1@controller-1:9093",
            "KAFKA_LISTENERS=PLAINTEXT://broker-2:29092,PLAINTEXT_HOST://0.0.0.0:9092",
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker-2:29092,PLAINTEXT_HOST://localhost:9092",
            "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT",
        ],
        ports=[(9092, "0.0.0.0", 9092)],
    ),
    jars="kafka_2.13-7.9.0-ccs.jar",
    meta={"node.id": "2", "cluster.id": "wx"},
)
APACHE_KRAFT = found(
    inspected("broker", "apache/kafka:4.1.0", [], ports=[(9092, "0.0.0.0", 9092)], cmd=["/etc/kafka/docker/run"]),
    "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=localhost:9093\n"
    "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ninter.broker.listener.name=PLAINTEXT\n"
    "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\ncontroller.listener.names=CONTROLLER\n"
    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\nlog.dirs=/tmp/kraft-combined-logs\n",
    jars="kafka_2.13-4.1.0.jar",
    meta={"node.id": "1", "cluster.id": "5L6g3nShT-eMCtK--X86sw"},
)
APACHE_ZOOKEEPER_MODE = found(
    inspected(
        "broker",
        "registry.example:5000/team/apache/kafka:3.9.0",
        [
            "KAFKA_BROKER_ID=7",
            "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181",
            "KAFKA_LISTENERS=PLAINTEXT://:9092",
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092",
            "KAFKA_LOG_DIRS=/var/lib/kafka/data",
        ],
        ports=[(9092, "0.0.0.0", 9092)],
    ),
    jars="kafka_2.13-3.9.0.jar",
    meta={"broker.id": "7", "cluster.id": "wx"},
)

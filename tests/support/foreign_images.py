"""Images after the published layouts of others: their environment variables, files, directories and users.

The images themselves cannot be pulled everywhere, and some do not exist any more. Kafka in them is that of this
project's image. For an old one, mount its jars at /opt/kafka/libs and set OLD_JARS.
"""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.support.engine import docker, image

PREFIX = "kpadopt"

_SETTINGS = r"""
settings() {
    env | grep "^$1" | grep -vE '^KAFKA_(HEAP_OPTS|HOME|VERSION|CREATE_TOPICS|JVM_PERFORMANCE_OPTS)=' |
        while IFS='=' read -r name value; do
            name=${name#"$1"} && name=${name,,} && echo "${name//_/.}=$value"
        done
}
sample() { printf '%s\n' num.partitions=1 log.retention.hours=168 socket.request.max.bytes=104857600; }
start() {
    [ -n "$OLD_JARS" ] || exec /opt/kafka/bin/kafka-server-start.sh "$1"
    exec java -Xmx256m -cp '/opt/kafka/libs/*' kafka.Kafka "$1"
}
format() {
    [ -e "$2/meta.properties" ] || /opt/kafka/bin/kafka-storage.sh format --cluster-id "$3" --config "$1" || exit 1
}
"""


class Layout(NamedTuple):
    """repository: of the image; user; directories: that the image makes, the user's; volumes; start: its script."""

    repository: str
    user: int
    directories: str
    volumes: str
    start: str
    env: str = ""


LAYOUTS = (
    Layout(
        *("wurstmeister/kafka", 0, "/kafka", "/kafka"),
        "export KAFKA_BROKER_ID=${KAFKA_BROKER_ID:--1} KAFKA_LOG_DIRS=${KAFKA_LOG_DIRS:-/kafka/kafka-logs-$HOSTNAME}\n"
        "{ sample; settings KAFKA_; } >/opt/kafka/config/server.properties\n"
        "start /opt/kafka/config/server.properties",
        "KAFKA_HOME=/opt/kafka KAFKA_VERSION=2.8.1",
    ),
    Layout(
        *("wurstmeister/zookeeper", 0, "/opt/zookeeper-3.4.13/data /opt/zookeeper-3.4.13/conf"),
        "/opt/zookeeper-3.4.13/data /opt/zookeeper-3.4.13/conf",
        "printf '%s\\n' tickTime=2000 dataDir=$ZK_HOME/data clientPort=2181 autopurge.purgeInterval=1 "
        ">$ZK_HOME/conf/zoo.cfg\nexec /opt/kafka/bin/zookeeper-server-start.sh $ZK_HOME/conf/zoo.cfg",
        "ZK_HOME=/opt/zookeeper-3.4.13",
    ),
    Layout(
        *("bitnami/kafka", 1001, "/bitnami/kafka/data /opt/bitnami/kafka/config", ""),
        "file=/opt/bitnami/kafka/config/server.properties\n"
        "{ sample; settings KAFKA_CFG_; echo log.dirs=/bitnami/kafka/data; } >$file\n"
        '[ -z "$KAFKA_CFG_PROCESS_ROLES" ] || format $file /bitnami/kafka/data "$KAFKA_KRAFT_CLUSTER_ID"\n'
        "start $file",
        "BITNAMI_APP_NAME=kafka APP_VERSION=3.9.0",
    ),
    Layout(
        *("bitnami/zookeeper", 1001, "/bitnami/zookeeper/data /opt/bitnami/zookeeper/conf", ""),
        "file=/opt/bitnami/zookeeper/conf/zoo.cfg\n"
        "printf '%s\\n' dataDir=/bitnami/zookeeper/data clientPort=2181 tickTime=2000 initLimit=10 syncLimit=5 "
        "maxClientCnxns=60 >$file\n"
        'number=1; for server in $ZOO_SERVERS; do echo "server.$number=$server"; number=$((number + 1)); done >>$file\n'
        'echo "$ZOO_SERVER_ID" >/bitnami/zookeeper/data/myid\n'
        "exec /opt/kafka/bin/zookeeper-server-start.sh $file",
        "BITNAMI_APP_NAME=zookeeper ZOO_SERVER_ID=1",
    ),
    Layout(
        *("confluentinc/cp-kafka", 1000, "/var/lib/kafka/data /etc/kafka", "/var/lib/kafka/data"),
        "export KAFKA_LOG_DIRS=${KAFKA_LOG_DIRS:-/var/lib/kafka/data}\n"
        "settings KAFKA_ >/etc/kafka/kafka.properties\n"
        '[ -z "$KAFKA_PROCESS_ROLES" ] || format /etc/kafka/kafka.properties $KAFKA_LOG_DIRS "$CLUSTER_ID"\n'
        "start /etc/kafka/kafka.properties",
        "COMPONENT=kafka",
    ),
    Layout(
        *("confluentinc/cp-zookeeper", 1000, "/var/lib/zookeeper/data /var/lib/zookeeper/log /etc/kafka"),
        "/var/lib/zookeeper/data /var/lib/zookeeper/log",
        "printf '%s\\n' dataDir=/var/lib/zookeeper/data dataLogDir=/var/lib/zookeeper/log "
        '"clientPort=$ZOOKEEPER_CLIENT_PORT" admin.enableServer=false >/etc/kafka/zookeeper.properties\n'
        "exec /opt/kafka/bin/zookeeper-server-start.sh /etc/kafka/zookeeper.properties",
        "COMPONENT=zookeeper",
    ),
    Layout(
        *("apache/kafka", 1000, "/opt/kafka/config", "/var/lib/kafka/data"),
        "file=/opt/kafka/config/server.properties\n"
        "{ printf '%s\\n' process.roles=broker,controller node.id=1 controller.listener.names=CONTROLLER "
        "log.dirs=/tmp/kraft-combined-logs; sample; settings KAFKA_; } >$file\n"
        'format $file /tmp/kraft-combined-logs "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}"\n'
        "start $file",
    ),
)


def build(repository, directory, version=None):
    """Build the image of a layout, and return its name. directory: an empty one for its context."""
    layout = next(each for each in LAYOUTS if each.repository == repository)
    own = layout.directories
    lines = [
        f"FROM {image(version) if version else image()}",
        "USER root",
        *(f"ENV {pair}" for pair in layout.env.split()),
        f"RUN mkdir -p {own} && chown -R {layout.user} {own}",
        "RUN mkdir -p /opt/bitnami/kafka /usr/share/java && ln -sfn /opt/kafka/libs /opt/bitnami/kafka/libs "
        "&& ln -sfn /opt/kafka/libs /usr/share/java/kafka",
        "COPY start.sh /usr/bin/start.sh",
        *(f"VOLUME {path}" for path in layout.volumes.split()),
        f"USER {layout.user}",
        "ENTRYPOINT []",
        'CMD ["bash", "/usr/bin/start.sh"]',
    ]
    directory.mkdir(parents=True, exist_ok=True)
    Path(directory, "start.sh").write_text(_SETTINGS + layout.start + "\n")
    Path(directory, "Dockerfile").write_text("\n".join(lines) + "\n")
    name = f"{PREFIX}/{repository}:stand-in"
    subprocess.run(["docker", "build", "--quiet", "--tag", name, str(directory)], check=True, capture_output=True)
    return name


def run(name, built, network, *options, env=None, publish=()):
    """Run a container as a compose file would: it always restarts."""
    words = [word for key, value in (env or {}).items() for word in ("--env", f"{key}={value}")]
    words += [word for port in publish for word in ("--publish", port)]
    docker(*("run", "--detach", "--name", name, "--network", network, "--restart", "always", *words, *options, built))

"""Containers of other images that run Kafka or ZooKeeper: their layouts, and how a container is read.

An image's own script writes the settings of a container to a file, from the environment. So the file says what the
node runs with, also where the environment names a command or a file. The environment counts where the file is missing.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import javaproperties

from kafka_proof.deploy.node import BROKER, ZOOKEEPER

KAFKA = "kafka"  # kind of a container whose settings say whether it is a broker, a controller or both


class Layout(NamedTuple):
    """Where an image keeps what a node needs. Facts of its published Dockerfile and scripts."""

    name: str
    kind: str  # kafka or zookeeper
    image: str  # pattern of its repository
    sign: str  # of its environment or its command, where another registry renamed the image
    prefix: str  # of environment variables that are settings; "" for none
    settings: str  # the file that its script writes; a pattern of the shell
    data: str  # where the data is, unless the settings say otherwise
    jars: str  # directory of jars, whose names tell the version


LAYOUTS = (
    Layout(
        *("wurstmeister", KAFKA, r"wurstmeister/kafka", "start-kafka.sh", "KAFKA_"),
        *("/opt/kafka/config/server.properties", "/kafka/kafka-logs-{hostname}", "/opt/kafka/libs"),
    ),
    Layout(
        *("wurstmeister", ZOOKEEPER, r"wurstmeister/zookeeper", "ZK_HOME=", ""),
        *("/opt/zookeeper*/conf/zoo.cfg", "/opt/zookeeper/data", "/opt/zookeeper*"),
    ),
    Layout(
        *("bitnami", KAFKA, r"bitnami(legacy|secure)?/kafka", "BITNAMI_APP_NAME=kafka", "KAFKA_CFG_"),
        *("/opt/bitnami/kafka/config/server.properties", "/bitnami/kafka/data", "/opt/bitnami/kafka/libs"),
    ),
    Layout(
        *("bitnami", ZOOKEEPER, r"bitnami(legacy|secure)?/zookeeper", "BITNAMI_APP_NAME=zookeeper", ""),
        *("/opt/bitnami/zookeeper/conf/zoo.cfg", "/bitnami/zookeeper/data", "/opt/bitnami/zookeeper/lib"),
    ),
    Layout(
        *("confluent", KAFKA, r"confluentinc/(cp-kafka|cp-server|confluent-local)", "COMPONENT=kafka", "KAFKA_"),
        *("/etc/kafka/kafka.properties", "/var/lib/kafka/data", "/usr/share/java/kafka"),
    ),
    Layout(
        *("confluent", ZOOKEEPER, r"confluentinc/cp-zookeeper", "COMPONENT=zookeeper", ""),
        *("/etc/kafka/zookeeper.properties", "/var/lib/zookeeper/data", "/usr/share/java/kafka"),
    ),
    Layout(
        *("apache", KAFKA, r"apache/kafka(-native)?", "/etc/kafka/docker/run", "KAFKA_"),
        *("/opt/kafka/config/server.properties", "/tmp/kraft-combined-logs", "/opt/kafka/libs"),
    ),
)

# Environment variables with the prefix that are no settings.
_OF_SCRIPTS = re.compile(
    r"KAFKA_(HEAP_OPTS|OPTS|HOME|VERSION|DEBUG|CREATE_TOPICS\w*|JVM_PERFORMANCE_OPTS|GC_LOG_OPTS|LOG4J\w*|JMX\w*"
    r"|ADVERTISED_PROTOCOL_NAME|PROTOCOL_NAME)"
)


class Found(NamedTuple):
    """A container of a known layout."""

    host: str
    inspected: Mapping[str, Any]  # as `docker inspect` shows it
    layout: Layout
    settings: Mapping[str, str]
    jars: str = ""
    meta: Mapping[str, str] = {}  # meta.properties of its data
    my_id: str = ""  # of a ZooKeeper server
    version_2: str = ""  # names of ZooKeeper's files
    kilobytes: int = 0
    mounts: str = ""  # /proc/self/mountinfo of the container
    host_names: Sequence[str] = ()  # the name and the addresses of its host

    @property
    def name(self) -> str:
        return name_of(self.inspected)

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.inspected)

    @property
    def server_id(self) -> int:
        """The id of a ZooKeeper server; 1 of one that is alone."""
        return int(self.my_id) if self.my_id.isdigit() else 1

    @property
    def node_id(self) -> int | None:
        """The id of a broker or controller, None if neither its data nor its settings tell."""
        told = [source.get(key) for source in (self.meta, self.settings) for key in ("node.id", "broker.id")]
        return next((int(text) for text in told if text and text.isdigit()), None)

    @property
    def roles(self) -> list[str]:
        """The roles of a broker or controller, BROKER and CONTROLLER."""
        return items(self.settings.get("process.roles")) or [BROKER]

    @property
    def data(self) -> list[str]:
        return data_paths(self.inspected, self.layout, self.settings)


# Recognise


def layout_of(inspected: Mapping[str, Any]) -> Layout | None:
    """Return the layout of a container, or None. The image's name decides, then what its environment contains."""
    config = inspected["Config"]
    if (config.get("Labels") or {}).get("kafka-proof.kind"):
        return None  # a node of this project
    image = str(config.get("Image") or "")
    for layout in LAYOUTS:
        if re.search(rf"(^|/){layout.image}([:@]|$)", image):
            return layout
    words = [*(config.get("Env") or []), *(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    return next((layout for layout in LAYOUTS if any(_signed(word, layout.sign) for word in words)), None)


def _signed(word: str, sign: str) -> bool:
    return word.startswith(sign) if sign.endswith("=") else word == sign or word.endswith(f"/{sign}")


def name_of(inspected: Mapping[str, Any]) -> str:
    return str(inspected["Name"]).removeprefix("/")


def environment(inspected: Mapping[str, Any]) -> dict[str, str]:
    return {item.partition("=")[0]: item.partition("=")[2] for item in inspected["Config"].get("Env") or []}


def settings_of_environment(variables: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """Return the settings that environment variables name: KAFKA_LOG_DIRS is log.dirs, `__` is _ and `___` is -."""
    found = {}
    for name, value in variables.items():
        if layout.prefix and name.startswith(layout.prefix) and not _OF_SCRIPTS.fullmatch(name):
            words = name.removeprefix(layout.prefix).lower()
            found[words.replace("___", "-").replace("__", "\0").replace("_", ".").replace("\0", "_")] = value
    return found


def settings_of(inspected: Mapping[str, Any], layout: Layout, file: str) -> dict[str, str]:
    """Return the settings of a container. file: the content of its file, "" where there is none."""
    return settings_of_environment(environment(inspected), layout) | javaproperties.loads(file)


def data_paths(inspected: Mapping[str, Any], layout: Layout, settings: Mapping[str, str]) -> list[str]:
    """Return the directories of the data in the container: of ZooKeeper, also that of its log."""
    usual = layout.data.format(hostname=inspected["Config"].get("Hostname", ""))
    if layout.kind == ZOOKEEPER:
        data = settings.get("dataDir") or usual
        return list(dict.fromkeys([data, settings.get("dataLogDir") or data]))
    return [path.strip() for path in (settings.get("log.dirs") or settings.get("log.dir") or usual).split(",")]


def items(text: str | None) -> list[str]:
    """Return the items of a list with commas, as settings have it."""
    return [item.strip() for item in (text or "").split(",") if item.strip()]


# Read. Each script prints a section for each question. A file that does not exist is empty.

# A container that vanishes between the two commands does not count: `docker inspect` shows the others, and fails.
INSPECT = 'ids=$(docker ps --quiet --no-trunc) && { [ -z "$ids" ] || docker inspect $ids 2>/dev/null || true; }'
HOST_NAMES = "{ hostname; hostname -I; } 2>/dev/null || true"
_SECTION = "kafka-proof-section"


def settings_script(name: str, layout: Layout) -> str:
    """Return the shell script that reads the settings of a container, and the names of its jars."""
    return _questions(name, settings=f"cat {layout.settings}", jars=f"ls {layout.jars}")


def data_script(name: str, paths: Sequence[str]) -> str:
    """Return the shell script that reads the identity of a container's data, and its size."""
    logs = [f"{path}/version-2" for path in paths]
    return _questions(
        name,
        meta=shlex.join(["cat", f"{paths[0]}/meta.properties"]),
        my_id=shlex.join(["cat", f"{paths[0]}/myid"]),
        version_2=shlex.join(["ls", *logs]),
        kilobytes=shlex.join(["du", "-sk", *paths]),
        mounts="cat /proc/self/mountinfo",
    )


def _questions(name: str, **commands: str) -> str:
    return "\n".join(
        f"echo {_SECTION} {key}; docker exec {shlex.quote(name)} sh -c {shlex.quote(command)} 2>/dev/null || true; echo"
        for key, command in commands.items()
    )


def sections(output: str) -> dict[str, str]:
    """Return the answers to a script of this module, {key: text}."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in output.splitlines():
        if line.startswith(f"{_SECTION} "):
            lines = found.setdefault(line.split()[1], [])
        else:
            lines.append(line)
    return {key: "\n".join(text).strip() for key, text in found.items()}


def as_found(read: Mapping[str, Any]) -> Found:
    """Return a container as the module engine_foreign read it: {host, inspected, settings, answers}."""
    inspected, answers = read["inspected"], read["answers"]
    layout = layout_of(inspected)
    assert layout  # the module keeps no other containers
    return Found(
        *(read["host"], inspected, layout, read["settings"]),
        jars=answers["jars"],
        meta=javaproperties.loads(answers["meta"]),
        my_id=answers["my_id"],
        version_2=answers["version_2"],
        mounts=answers["mounts"],
        host_names=answers["host_names"].split(),
        kilobytes=sum(int(line.split()[0]) for line in answers["kilobytes"].splitlines() if line[:1].isdigit()),
    )


def running_version(each: Found) -> str:
    """Return the version of Kafka by the names of its jars, such as "3.9.0"; "" if they do not tell."""
    match = re.search(r"\bkafka_2\.\d+-(\d+)\.(\d+)\.(\d+)(-ccs|-ce)?\.jar", each.jars)
    if not match:
        return ""
    major, minor, patch = map(int, match.groups()[:3])
    if match[4]:  # Confluent Platform 5.5 is Kafka 2.5, 6.2 is 2.8, 7.9 is 3.9, and 8.0 is 4.0
        major, minor = {5: (2, minor), 6: (2, minor + 6), 7: (3, minor)}.get(major, (major - 4, minor))
    return f"{major}.{minor}.{patch}"

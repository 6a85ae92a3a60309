"""The directory of a node of KRaft: how it is formatted, and which content is refused before the first start."""

import base64
import shlex
from collections.abc import Sequence

from kafka_proof.deploy.files import to_archive
from kafka_proof.deploy.lines import numbers
from kafka_proof.deploy.node import CONFIG, DATA, UNFORMATTED, Node

# The arguments of the format are in the volume of the data only until they are used. A directory that lost its content
# is not formatted again by itself: a voter that forgot its votes under its old name can lose records.
_FORMAT = ".format"
_VERSION = ".version"  # of Kafka, which last ran on the data


def command(version: str) -> str:
    """Return the command of the node's bash: format the directory if `site.yml` said how, then run Kafka.

    The image of Apache ships archives of loaded classes, which its scripts do not use by themselves. The image that
    this project builds has its own launcher, and its archive for Kafka 4 has another name.
    """
    return f"""
archived() {{
    local archive=/opt/kafka/$1.jsa quiet="-Xlog:cds=off -Xlog:cds+dynamic=off"
    [ ! -e "$archive" ] ||
        local -x KAFKA_JVM_PERFORMANCE_OPTS="$KAFKA_JVM_PERFORMANCE_OPTS -XX:SharedArchiveFile=$archive $quiet"
    shift && "$@"
}}
if [ ! -e {DATA}/meta.properties ]; then
    arguments=$(cat {DATA}/{_FORMAT}) || {{
        echo "{DATA} is empty: this node lost its data, or was never formatted. Run site.yml again." >&2
        exit {UNFORMATTED}
    }}
    archived storage /opt/kafka/bin/kafka-storage.sh format $arguments --config {CONFIG}/server.properties || exit 1
fi
rm -f {DATA}/{_FORMAT}
echo {version} >{DATA}/{_VERSION}
archived kafka exec /opt/kafka/bin/kafka-server-start.sh {CONFIG}/server.properties
"""


def format_commands(node: Node, recreated: bool, created: Sequence[str] = ()) -> list[str]:
    """Return the shell commands that prepare the directory of a created container, before it starts for the first time.

    An empty directory gets the arguments of its format. It keeps those that it has: the first controller of a cluster
    may have failed before its format, and then only they begin the quorum, which the others wait for. A directory of
    another cluster is refused; so is, for a node that had no container, one on which a newer Kafka ran. The container
    that was created for it is removed then, and so are the volumes `created` for it, which are empty. recreated:
    whether it replaces a container that ran, whose version is known (kafka_proof.deploy.versions).
    """
    if not node["format"]:
        return []
    name, data = shlex.quote(node["container"]), shlex.quote(f"{node['container']}:{DATA}")
    cluster, version, volume = node["labels"]["cluster"], node["version"], node["volume"]
    arguments = base64.b64encode(to_archive({_FORMAT: " ".join(node["format"])})).decode()
    of_another = (
        f"The volume {volume} holds the data of another cluster than {cluster}, the one of this stack. "
        "Restore the right data, or choose a stack_name."
    )
    of_newer = f"on the volume {volume}, and {version} may not read its data. Set stack_kafka_version to that version."
    undo = f"docker rm --volumes {name} >/dev/null"
    undo += "".join(f"; docker volume rm {shlex.quote(volume)} >/dev/null" for volume in created)
    line = "".join(f"{part:03}" for part in numbers(version))
    commands = [
        f"read_file() {{ docker cp {data}/$1 - 2>/dev/null | tar -xOf - 2>/dev/null || true; }}",
        f'refuse() {{ {undo}; echo "$1" >&2; exit 1; }}',
        'case "$(read_file meta.properties)" in',
        f"*cluster.id={shlex.quote(cluster)}*) ;;",
        f"'') [ -n \"$(read_file {_FORMAT})\" ] || base64 -d <<'END' | docker cp - {data}\n{arguments}\nEND\n;;",
        f"*) refuse {shlex.quote(of_another)} ;;",
        "esac",
    ]
    if not recreated:
        commands += [
            f"ran=$(read_file {_VERSION})",
            "ran_line=$(printf %03d%03d $(echo \"${ran:-0.0}\" | tr . ' ' | cut -d ' ' -f 1,2))",
            f'[ "$ran_line" -le {line} ] || refuse "Kafka $ran ran "{shlex.quote(of_newer)}',
        ]
    return commands

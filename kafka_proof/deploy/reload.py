"""Load new certificates into a running node, without a restart.

A broker loads a store when the setting that names it is written again, also with the same value. The time of the file
must be another one. It answers before it loads, so its log tells whether it did. A mark among the files says
that they may not be loaded yet, so that an interrupted rotation continues.
"""

import base64
import shlex
import time
from collections.abc import Mapping

from kafka_proof.deploy.files import PLAIN_SECRET, to_archive
from kafka_proof.deploy.node import CONFIG, Node
from kafka_proof.deploy.security import NODE_CLIENT, stores_of

MARK = "reload"  # a file in CONFIG
_NETWORK_THREADS = 3  # of a listener; Kafka's default
LOADED = "Created new SERVER SSL engine builder"
FAULTS = ("metadata publishing fault", "Validation of dynamic config update of SSLFactory failed")


def changed_files(secrets: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return the secret files that the node has to load, {name: text}. now: the files of its container."""
    stale = {name for name, text in secrets.items() if now.get(name) != text}
    stale |= set(now.get(MARK, "").split())
    # A password of PLAIN is in no store. The broker reads it when site.yml recreates its container.
    return {name: secrets[name] for name in sorted(stale & secrets.keys()) if not name.startswith(PLAIN_SECRET)}


def settings(node: Node, files: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that make a broker or a controller load the files, {key: value}."""
    return {
        key: value for key, value in stores_of(node["settings"]).items() if value.removeprefix(f"{CONFIG}/") in files
    }


def loads(node: Node, changes: Mapping[str, str]) -> int:
    """Return how often a node loads its stores for these changes: each network thread of a listener does."""
    threads = node["settings"].get("num.network.threads") or _NETWORK_THREADS
    prefixes = [f"listener.name.{item['name'].lower()}." for item in node["listeners"]]
    return sum(
        int(node["settings"].get(f"{prefix}num.network.threads") or threads)
        for prefix in prefixes
        if any(key.startswith(prefix) for key in changes)
    )


def verdict(log: str, wanted: int) -> str | None:
    """Return "" if the log shows as many loads as wanted, the line of a fault, or None for neither."""
    lines = log.splitlines()
    fault = next((line for line in lines if any(text in line for text in FAULTS)), None)
    return fault if fault else "" if log.count(LOADED) >= wanted else None


def copy_script(node: Node, files: Mapping[str, str]) -> str:
    """Return the shell script that writes the files, and their names as the mark, into the node's container."""
    archive = base64.b64encode(to_archive({**files, MARK: " ".join(files)}, time.time())).decode()
    target = shlex.quote(f"{node['container']}:{CONFIG}")
    return f"base64 -d <<'END' | docker cp - {target}\n{archive}\nEND"


def controller_script(node: Node, changes: Mapping[str, str]) -> str:
    """Return the shell script that writes the settings of a controller that is no broker, as the node itself."""
    command = [
        *("docker", "exec", "-i", node["container"], "/opt/kafka/bin/kafka-configs.sh"),
        *("--bootstrap-controller", node["peers"]["controller"], "--command-config", f"{CONFIG}/{NODE_CLIENT}"),
        *("--alter", "--entity-type", "brokers", "--entity-name", str(node["id"]), "--add-config-file", "/dev/stdin"),
    ]
    lines = "".join(f"{key}={value}\n" for key, value in sorted(changes.items()))
    return f"{shlex.join(command)} <<'END'\n{lines}END"

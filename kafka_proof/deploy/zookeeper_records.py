"""The records of a migration in ZooKeeper: read, and removed after a return to it.

Kafka keeps them in the nodes /controller and /migration. A broker does not lead while /controller names a controller of
KRaft. A record /migration that stays makes a second migration begin as if all had been copied, and so empties the
cluster.
"""

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from kafka_proof.deploy import security
from kafka_proof.deploy.files import to_properties
from kafka_proof.deploy.node import Node
from kafka_proof.deploy.zookeeper import chroot, secure_address

_SHELL = "/opt/kafka/bin/kafka-run-class.sh org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka"
_READ = ("get {root}/cluster/id", "get {root}/migration", "get {root}/controller", "ls {root}/brokers/ids")
# The first lets no controller of KRaft continue; the second lets a broker become the controller.
_REMOVE = ("deleteall {root}/migration", "deleteall {root}/controller")
_SECONDS = 60


def records_script(server: Node, broker: Node, remove: bool = False) -> str:
    """Return the shell script that reads the records, or removes them and reads again.

    It runs in a server's container, as the node. broker: one whose zookeeper.connect tells the root of its nodes.
    """
    lines = "\n".join(line.format(root=chroot(broker)) for line in [*(_REMOVE if remove else ()), *_READ])
    secure = server["client"]
    at, options = "localhost:2181", ""
    if secure:
        at = secure_address(server)
        options = " -zk-tls-config-file /tmp/records.properties"
    settings = {
        key: value
        for key, value in security.zookeeper_client(security.Security(clients=security.LOGIN)).items()
        if secure and key != "zookeeper.set.acl"
    }
    inside = (
        f"printf %s {shlex.quote(to_properties(settings))} >/tmp/records.properties; "
        f"exec timeout {_SECONDS} {_SHELL} -server {at}{options} 2>&1"
    )
    command = shlex.join(["docker", "exec", "-i", server["container"], "bash", "-c", inside])
    return f"{command} <<'END'\n{lines}\nEND"


def records(output: str) -> dict[str, Any]:
    """Return what the script printed as a dict:

    cluster     the id of the cluster; "" if there is none
    migration   whether a record of a migration exists
    copied      whether all metadata was copied to the controllers
    kraft       whether a controller of KRaft leads
    brokers     [int], ids of the brokers that are registered in ZooKeeper; None if it did not answer
    """
    found = [_as_json(line) for line in output.splitlines()]
    items = [item for item in found if isinstance(item, dict)]
    brokers = next((item for item in found if isinstance(item, list)), None)
    migration = next((item for item in items if "kraft_metadata_offset" in item), None)
    return {
        "cluster": next((item["id"] for item in items if "id" in item), ""),
        "migration": migration is not None,
        # As in Kafka's ZkMigrationLeadershipState.initialZkMigrationComplete.
        "copied": migration is not None and int(migration["kraft_metadata_offset"]) > 0,
        "kraft": any(int(item.get("kraftControllerEpoch", -1)) >= 0 for item in items),
        "brokers": None if brokers is None else sorted(brokers),
    }


def registered_problems(found: dict[str, Any], options: str) -> list[str]:
    """Return why the migration cannot be finalised: brokers that still use ZooKeeper."""
    if not found["brokers"]:
        return []
    ids: Sequence[int] = found["brokers"]
    return [
        f"Brokers {', '.join(map(str, ids))} are registered in ZooKeeper, and would be cut off from the cluster when "
        "the controllers forget it. Put their hosts into the inventory, or stop them, and run this again: "
        f"ansible-playbook{options} playbooks/migrate.yml."
    ]


def stranger_problems(found: dict[str, Any], brokers: Sequence[Node], options: str) -> list[str]:
    """Return why metadata would never be copied: brokers of ZooKeeper that no host of the inventory has."""
    strangers = sorted(set(found["brokers"] or ()) - {node["id"] for node in brokers})
    if not strangers:
        return []
    return [
        f"Brokers {', '.join(map(str, strangers))} are registered in ZooKeeper, and no host of the inventory has their "
        "ids. The controllers would wait for them before they copy metadata. Add their hosts to the group kafka, or "
        f"stop them, and run this again: ansible-playbook{options} playbooks/migrate.yml."
    ]


def _as_json(line: str) -> Any:
    try:
        return json.loads(line) if re.match(r"[{\[]", line) else None
    except ValueError:
        return None

"""Measure access as code against Kafka's own commands, in one run on one machine.

    python -m bench.access [--rounds 3] [--calls 20]      (tox -e bench: 1 call)

It runs a broker of Kafka 4.4.0 with SCRAM and ACLs from Maven's jars. It plays the roles kafka_topics and kafka_access
with 1,000 topics, 1,000 ACLs, 200 users and 200 quotas: on an empty cluster, and again with nothing to change. The
baseline is a call of kafka-topics.sh, kafka-acls.sh and kafka-configs.sh for one item each, `--calls` times.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bench import ROOT, Figures, each_round, parser, run, seconds, show
from kafka_proof.operations import topics
from kafka_proof.operations.access import acls, quotas, users
from kafka_proof.operations.access.users import USUAL
from tests.versions.kafka import KRAFT, jars
from tests.versions.secured import ADMIN, secured

VERSION = "4.4.0"
TOPICS, ACLS, USERS, QUOTAS = 1000, 1000, 200, 200
ITEMS = TOPICS + ACLS + USERS + QUOTAS
# The options that bin/kafka-run-class.sh gives a command.
JAVA = ["java", "-Xmx256M", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-cp", f"{jars(VERSION)}/*"]
TOOLS = "org.apache.kafka.tools"


def variables(client):
    """The variables of the play."""
    return {
        "_stack_client": client,
        "_stack_access": {"mechanism": USUAL},
        "kafka_topics_present": [
            {"name": f"topic-{number}", "partitions": 1, "replication_factor": 1} for number in range(TOPICS)
        ],
        "kafka_users": [{"name": f"user-{number}"} for number in range(USERS)],
        "kafka_acls": [
            {
                "principal": f"user-{number % USERS}",
                "resource": "topic",
                "name": f"topic-{number}",
                "operations": ["read"],
            }
            for number in range(ACLS)
        ],
        "kafka_quotas": [{"user": f"user-{number}", "producer_byte_rate": 1048576} for number in range(QUOTAS)],
        "kafka_access_keep": [ADMIN],
    }


def make_files(directory, client):
    """Write the inventory, the variables and the play. Returns the command that plays them."""
    inventory = {"kafka": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
    roles = {"hosts": "kafka", "gather_facts": False, "roles": ["kafka_topics", "kafka_access"]}
    play = [{"ansible.builtin.import_playbook": str(ROOT / "playbooks" / "nodes.yml")}, roles]
    own = variables(client) | {"stack_secrets": str(directory / "secrets")}
    (directory / "inventory.yml").write_text(yaml.safe_dump(inventory))
    (directory / "variables.json").write_text(json.dumps(own))
    (directory / "play.yml").write_text(yaml.safe_dump(play))
    command = ["ansible-playbook", "-i", directory / "inventory.yml", "-e", f"@{directory / 'variables.json'}"]
    return ["env", f"ANSIBLE_ROLES_PATH={ROOT / 'roles'}", *command, directory / "play.yml"]


def calls(kafka, directory, number):
    """Return Kafka's own commands for the item of this number, {name: command}."""
    config = directory / "admin.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in kafka.client().items()))
    common = ["--bootstrap-server", kafka.secure, "--command-config", config]
    name = f"one-{number}"
    acl = ["--add", "--allow-principal", f"User:{name}", "--operation", "Read", "--topic", name]
    quota = ["--alter", "--entity-type", "users", "--entity-name", name, "--add-config", "producer_byte_rate=1048576"]
    return {
        "kafka-topics.sh": [*JAVA, f"{TOOLS}.TopicCommand", *common, "--create", "--topic", name],
        "kafka-acls.sh": [*JAVA, f"{TOOLS}.AclCommand", *common, *acl],
        "kafka-configs.sh": [*JAVA, f"{TOOLS}.ConfigCommand", *common, *quota],
    }


def play(command, changes):
    """Play, and stop if the result is not the expected one. `changes`: whether something changes."""
    if ("changed=0" in run(*command)) is changes:
        sys.exit(f"the play {'changed nothing' if changes else 'changed something'}")


def modules(client, directory):
    """Do what the modules do, without Ansible. Stops if something changes."""
    own = variables(client)
    common = {"client": client, "absent": [], "prune": False, "keep": [], "timeout": 60}
    topics_of_play = [{"config": None} | topic for topic in own["kafka_topics_present"]]
    results = [
        topics.have(common | {"topics": topics_of_play}, False),
        users.have(
            common | {"users": own["kafka_users"], "mechanism": USUAL, "secrets": directory / "secrets" / "users"},
            False,
        ),
        acls.have(common | {"acls": own["kafka_acls"]}, False),
        quotas.have(common | {"quotas": own["kafka_quotas"]}, False),
    ]
    if [result for result in results if result.get("failed") or result["changed"]]:
        sys.exit("the modules changed something, or failed")


def measure(rounds, number):
    """Return the Figures."""
    figures = Figures(" s")
    for _ in each_round(rounds):
        with tempfile.TemporaryDirectory(prefix="bench-access-") as path, secured(VERSION, KRAFT) as kafka:
            directory = Path(path)
            command = make_files(directory, kafka.client())
            figures.note("first", seconds(play, command, True))
            figures.note("same", seconds(play, command, False))
            figures.note("modules", seconds(modules, kafka.client(), directory))
            for each in range(number):
                for name, call in calls(kafka, directory, each).items():
                    figures.note(name, seconds(subprocess.run, call, check=True, capture_output=True))
    return figures


def main():
    """Run as a command."""
    command = parser(__doc__)
    command.add_argument("--calls", type=int, default=20, help="of each of Kafka's commands (default: %(default)s)")
    options = command.parse_args()
    middle = measure(options.rounds, options.calls).medians()
    names = [name for name in middle if name.endswith(".sh")]
    one = sum(middle[name] for name in names) / len(names)
    rows = [
        (
            what,
            f"{middle[key]:.1f} s",
            f"{middle[key] / ITEMS * 1000:.1f} ms",
            f"{one / middle[key] * ITEMS:.0f}-fold",
            target,
        )
        for what, key, target in (
            ("the first time", "first", "at most 15 s, at least 100-fold"),
            ("nothing to change", "same", "at most 3 s"),
            ("nothing to change, the modules without Ansible", "modules", ""),
        )
    ]
    baseline = ", ".join(f"{name} {middle[name]:.2f} s" for name in names)
    what = f"{TOPICS} topics, {ACLS} ACLs, {USERS} users, {QUOTAS} quotas"
    show(options.rounds, (what, "the play", "an item", f"one call ({baseline}) / an item", "target"), rows)


if __name__ == "__main__":
    main()

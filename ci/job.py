"""Kafka for a CI job. action.yml and ci/gitlab.yml run only this:

    ./bootstrap python ci/job.py up       deploy it and wait; prints where it is
    ./bootstrap python ci/job.py smoke    prove it; writes smoke.xml and smoke.html to the report's directory
    ./bootstrap python ci/job.py down     remove it, with its data

`up` prints two lines, KAFKA_BOOTSTRAP_SERVERS=… and KAFKA_CLIENT_PROPERTIES=…, for $GITHUB_ENV or a shell. Ansible's
output is on standard error. Exit status: 0, done; 1, a property of Kafka does not hold; 2, it could not be done.

Settings are environment variables, and an empty one counts as not set:

    KAFKA_PROOF_MODE                zookeeper or kraft (zookeeper)
    KAFKA_PROOF_STACK               the containers are NAME-kafka and, with ZooKeeper, NAME-zookeeper (ci)
    KAFKA_PROOF_PORT                port for clients (9092)
    KAFKA_PROOF_TOPICS              YAML list of topics, as kafka_topics_present (kafka_demo with 2 partitions)
    KAFKA_PROOF_VARIABLES           YAML mapping of any other variables of the inventory, such as kafka_config
    KAFKA_PROOF_CLIENT_PROPERTIES   where to write the client properties (build/NAME/client.properties in this checkout)
    KAFKA_PROOF_REPORT              directory for the report (kafka-proof-report)
"""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from kafka_proof.client.command import OK, UNUSABLE, entry, fail
from kafka_proof.client.properties import read
from kafka_proof.testing.cluster import (
    PROJECT,
    ClusterError,
    ansible_environment,
    ansible_playbook,
    engine,
    known_mode,
)


def up():
    """Deploy. Returns an exit status."""
    path = client_properties()
    if status := play("site.yml", engine() | variables() | own()):
        return status
    print(f"KAFKA_BOOTSTRAP_SERVERS={read(path)['bootstrap.servers']}\nKAFKA_CLIENT_PROPERTIES={path}")
    return OK


def prove():
    """Run the suite. Returns its exit status."""
    report = Path(setting("REPORT", "kafka-proof-report")).absolute()
    command = [sys.executable, "-m", "kafka_proof.testing.suite", "--client-properties", str(client_properties())]
    command += [
        f"--junit-xml={report / 'smoke.xml'}",
        f"--report={report / 'smoke.html'}",
        *deployed_topic(variables()),
    ]
    # The job's own options for pytest are for the job's own tests.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run(command, check=False, cwd=PROJECT, env=environment).returncode


def down():
    """Remove everything that `up` deployed. Returns an exit status."""
    return play("playbooks/teardown.yml", own() | {"teardown_data": True})


def play(playbook, values):
    try:
        mode = known_mode(setting("MODE", "zookeeper"), "KAFKA_PROOF_MODE")
    except ClusterError as error:
        return fail(str(error))
    command = ansible_playbook(playbook, values, mode)
    done = subprocess.run(command, check=False, env=ansible_environment(), stdout=sys.stderr)
    return UNUSABLE if done.returncode else OK


def own():
    """Return the variables that name the stack."""
    return {"stack_name": setting("STACK", "ci"), "stack_client_properties": str(client_properties())}


def client_properties():
    default = PROJECT / "build" / setting("STACK", "ci") / "client.properties"
    return Path(setting("CLIENT_PROPERTIES", default)).absolute()


def variables():
    """Return the variables that the job sets, without those of `own`."""
    values = loaded("VARIABLES", dict, "a YAML mapping, such as kafka_config: {log.retention.hours: 1}")
    wanted = "a YAML list, such as [{name: orders, partitions: 3}]"
    if topics := loaded("TOPICS", list, wanted):
        if bad := [topic for topic in topics if not (isinstance(topic, dict) and topic.get("name"))]:
            sys.exit(fail(f"KAFKA_PROOF_TOPICS has {bad[0]!r}, a topic without a name. Write {wanted}."))
        values["kafka_topics_present"] = topics
    if port := setting("PORT"):
        values["kafka_port"] = port
    return values


def deployed_topic(values):
    """Return the suite's options for the topic that it expects: the first in the job's list."""
    if not (topics := values.get("kafka_topics_present")):
        return []
    default = (values.get("kafka_config") or {}).get("num.partitions", 1)
    return [f"--topic={topics[0]['name']}:{topics[0].get('partitions', default)}"]


def loaded(name, kind, wanted):
    text = setting(name, "")
    try:
        value = yaml.safe_load(text) or kind()
    except yaml.YAMLError as error:
        sys.exit(fail(f"KAFKA_PROOF_{name} is not YAML ({error}). Write {wanted}."))
    if not isinstance(value, kind):
        sys.exit(fail(f"KAFKA_PROOF_{name} is {text.strip()!r}. Write {wanted}."))
    return value


def setting(name, default=None):
    return os.environ.get(f"KAFKA_PROOF_{name}") or default


@entry
def main(arguments):
    commands = {"up": up, "smoke": prove, "down": down}
    if len(arguments) != 1 or arguments[0] not in commands:
        return fail(f"ci/job.py takes one of: {', '.join(commands)}.")
    return commands[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

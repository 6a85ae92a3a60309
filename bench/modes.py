"""Measure KRaft beside ZooKeeper, in one run on one machine.

    python -m bench.modes [--rounds 3]

One node: `site.yml` without containers and with nothing to do, memory at rest, and for KRaft the start with and without
the image's cache of loaded classes. Where docker-compose exists, it deploys the same node without the cache. Three
brokers and three controllers or ZooKeeper servers: the active controller gets SIGKILL, and a new topic is wanted.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from bench import ROOT, Figures, each_round, parser, row, run, seconds, show
from bench.__main__ import resident
from bench.compose import compose_command
from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.controller import active_controller
from kafka_proof.cluster.ready import wait_ready

PORT = 29550
COMPOSE = Path(__file__).with_name("compose-kraft.yml")
CLIENT = {"bootstrap.servers": f"localhost:{PORT}"}
# The groups of three nodes on this machine: brokers 1 to 3, and as many controllers or ZooKeeper servers.
THREE = """
[{group}]
n[1:3]
[kafka]
n1 kafka_broker_id=1
n2 kafka_broker_id=2
n3 kafka_broker_id=3
[all:vars]
kafka_port="{{{{ 29550 + kafka_broker_id }}}}"
{ports}
kafka_heap=256m
ansible_connection=local
ansible_python_interpreter="{{{{ ansible_playbook_python }}}}"
"""


class Mode:
    """One node and three nodes of a mode, in stacks of the bench."""

    def __init__(self, name, inventory, group, ports=""):
        self.name, self.inventory, self.stack = name, inventory, f"kp-bench-{name.lower()}"
        self.of_three = ROOT / "build" / f"{self.stack}.ini"
        self.of_three.parent.mkdir(exist_ok=True)
        self.of_three.write_text(THREE.format(group=group, ports=ports))
        self.containers = [f"{self.stack}-kafka"] + ([f"{self.stack}-zookeeper"] if "zoo" in group else [])
        self.variables = {"stack_name": self.stack, "kafka_port": PORT}
        if "zoo" in group:
            self.variables["zookeeper_port"] = 22550

    def play(self, playbook, **variables):
        return run("ansible-playbook", "-i", self.inventory, playbook, "-e", json.dumps(self.variables | variables))

    def play_three(self, playbook, **variables):
        name = {"stack_name": f"{self.stack}-3"}
        return run("ansible-playbook", "-i", str(self.of_three), playbook, "-e", json.dumps(name | variables))

    def remove(self):
        self.play("playbooks/teardown.yml", teardown_data=True)


ZOOKEEPER = Mode("ZooKeeper", "inventory.example", "zookeeper", 'zookeeper_port="{{ 22550 + kafka_broker_id }}"')
KRAFT = Mode("KRaft", "examples/kraft.ini", "kafka_controller")


def start(archives):
    """Seconds from `docker run` on the data of a stopped node until the node answers."""
    name = KRAFT.containers[0]
    found = json.loads(run("docker", "inspect", name))[0]
    environment = [*found["Config"]["Env"], *([] if archives else ["KAFKA_CDS=off"])]
    options = [word for each in environment for word in ("--env", each)]

    volumes = ("--volumes-from", name, "--network", f"{KRAFT.stack}-kafka", "--network-alias", name)
    settings = {"bootstrap_timeout_ms": 120000, "reconnect_backoff_max_ms": 50}

    def begin():
        run(
            *("docker", "run", "--detach", "--name", f"{name}-start", *volumes, *options),
            *("--publish", f"127.0.0.1:{PORT}:{PORT}", "--entrypoint", "bash", found["Config"]["Image"]),
            *found["Config"]["Cmd"],
        )
        with KafkaAdminClient(bootstrap_servers=CLIENT["bootstrap.servers"], **settings) as admin:
            admin.describe_cluster()

    took = seconds(begin)
    run("docker", "stop", f"{name}-start")  # a killed node waits for the end of its session
    run("docker", "rm", "--volumes", f"{name}-start")
    return took


def failover(mode):
    """Seconds from SIGKILL of the active controller until a broker acknowledges a new topic."""
    client = {"bootstrap.servers": "localhost:29551,localhost:29552,localhost:29553"}
    with admin_client(client, 10) as admin:
        controller = active_controller(admin)
    kind = "kafka-controller" if mode is KRAFT else "kafka"
    name = f"{mode.stack}-3-{kind}" + (f"-{controller}" if controller != 1 else "")
    topic = f"after-{time.monotonic_ns()}"
    run("docker", "kill", "--signal", "KILL", name)
    started = time.perf_counter()
    while time.perf_counter() - started < 60:
        with contextlib.suppress(KafkaError, RuntimeError), admin_client(client, 2) as admin:
            with contextlib.suppress(TopicAlreadyExistsError):  # an answer that came too late
                admin.create_topics([NewTopic(topic, 1, 2)], timeout_ms=2000)
            took = time.perf_counter() - started
            mode.play_three("site.yml")
            return took
    sys.exit(f"{mode.name}: no topic within 60 s after SIGKILL of {name}")


def main():
    """Run as a command."""
    rounds = parser(__doc__).parse_args().rounds
    compose = None
    with contextlib.suppress(SystemExit):
        compose = [*compose_command()[:-2], "--file", str(COMPOSE)]
    figures = Figures()
    note = figures.note
    environment = {**os.environ, "PORT": str(PORT), "IMAGE": "none"}
    modes = (ZOOKEEPER, KRAFT)
    try:
        for mode in modes:
            mode.play("site.yml")  # makes the image
            environment["IMAGE"] = run("docker", "inspect", "--format", "{{.Config.Image}}", mode.containers[0]).strip()
            mode.remove()
        for _ in each_round(rounds):
            for mode in modes:
                note(f"{mode.name}, cold", seconds(mode.play, "site.yml"))
                note(f"{mode.name}, nothing to do", seconds(mode.play, "site.yml"))
                wait_ready(CLIENT, [1], 60)
                note(f"{mode.name}, MB at rest", sum(map(resident, mode.containers)))
                if mode is KRAFT:
                    run("docker", "stop", *mode.containers)
                    note("start with the cache", start(archives=True))
                    note("start without", start(archives=False))
                mode.remove()
            if compose:

                def up():
                    run(*compose, "up", "--detach", "kafka", env=environment)
                    run(*compose, "run", "--rm", "topic", env=environment)

                note("docker-compose, cold", seconds(up))
                run(*compose, "down", "--volumes", env=environment)
        for mode in modes:
            mode.play_three("site.yml")
            for _ in each_round(rounds):
                note(f"{mode.name}, failover", failover(mode))
            mode.play_three("playbooks/teardown.yml", teardown_data=True)
    finally:
        if compose:
            subprocess.run([*compose, "down", "--volumes"], cwd=ROOT, env=environment, capture_output=True, check=False)
        subprocess.run(["docker", "rm", "--force", f"{KRAFT.containers[0]}-start"], capture_output=True, check=False)
        for mode in modes:
            mode.remove()
            mode.play_three("playbooks/teardown.yml", teardown_data=True)
    middle = figures.medians()
    steps = ("cold", "nothing to do", "failover")
    rows = [row(f"{step}, KRaft / ZooKeeper", middle[f"KRaft, {step}"], middle[f"ZooKeeper, {step}"]) for step in steps]
    if compose:
        rows.append(row("cold, KRaft / docker-compose", middle["KRaft, cold"], middle["docker-compose, cold"]))
    rows.append(row("start with the cache / without", middle["start with the cache"], middle["start without"]))
    kraft, zookeeper = middle["KRaft, MB at rest"], middle["ZooKeeper, MB at rest"]
    rows.append(("at rest, KRaft / ZooKeeper", f"{kraft:.0f} MB", f"{zookeeper:.0f} MB", f"{kraft / zookeeper:.2f}"))
    show(rounds, ("measurement", "here", "beside", "ratio"), rows)


if __name__ == "__main__":
    main()

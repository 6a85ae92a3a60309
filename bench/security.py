"""Measure a secure node beside an open one, in one run on one machine.

    python -m bench.security [--rounds 3]

Each is one node of KRaft. The program measures `site.yml` from nothing and with nothing to do, and a restart of the
container until the node answers its client. It also measures the throughput of Kafka's own producer and consumer
commands, with acks=all and messages of 1 kB.
"""

import contextlib
import json
import re
from pathlib import Path

from bench import Figures, each_round, parser, row, run, seconds, show
from kafka_proof.client.properties import read
from kafka_proof.cluster.ready import wait_ready

_MESSAGES = 100_000
_TOPIC = [{"name": "load", "partitions": 3}]


class Kind:
    """An open or a secure node, in a stack of the bench."""

    def __init__(self, name, inventory, port):
        self.name, self.inventory, self.stack = name, inventory, f"kp-bench-{name}"
        self.container = f"{self.stack}-kafka"
        self.client = Path("build", self.stack, "client.properties")
        self.variables = {"stack_name": self.stack, "kafka_port": port, "kafka_topics_present": _TOPIC}

    def play(self, playbook, **variables):
        return run("ansible-playbook", "-i", self.inventory, playbook, "-e", json.dumps(self.variables | variables))

    def remove(self):
        self.play("playbooks/teardown.yml", teardown_data=True)

    def restart(self):
        run("docker", "restart", self.container)
        wait_ready(read(self.client), [1], 60)

    def throughput(self):
        """MB a second of Kafka's producer command, and of its consumer command: (float, float)."""
        own = self.client.resolve()
        settings = read(own)
        where, files = settings["bootstrap.servers"], [own]
        files += [Path(settings[key]) for key in ("ssl.truststore.location",) if key in settings]
        mounts = [word for file in files for word in ("--volume", f"{file}:{file}:ro")]
        image = run("docker", "inspect", "--format", "{{.Config.Image}}", self.container).strip()
        # As root: the files are their owner's alone.
        command = ["docker", "run", "--rm", "--user", "0", "--network", "host", *mounts, "--entrypoint"]
        produced = run(
            *(*command, "/opt/kafka/bin/kafka-producer-perf-test.sh", image, "--topic", "load"),
            *("--num-records", str(_MESSAGES), "--record-size", "1024", "--throughput", "-1"),
            *("--producer.config", str(own), "--producer-props", f"bootstrap.servers={where}", "acks=all"),
        )
        consumed = run(
            *(*command, "/opt/kafka/bin/kafka-consumer-perf-test.sh", image, "--topic", "load"),
            *("--messages", str(_MESSAGES), "--bootstrap-server", where, "--consumer.config", str(own)),
        )
        *_, rate = re.findall(r"\(([\d.]+) MB/sec\), .* max latency", produced)
        return float(rate), float(consumed.strip().splitlines()[-1].split(",")[3])


def main():
    """Run as a command."""
    rounds = parser(__doc__).parse_args().rounds
    kinds = (Kind("open", "examples/kraft.ini", 29560), Kind("secure", "examples/secure.ini", 29561))
    figures = Figures()
    note = figures.note
    try:
        kinds[0].play("site.yml")  # makes the image of both
        kinds[0].remove()
        for _ in each_round(rounds):
            for kind in kinds:
                note(f"{kind.name}, site.yml cold", seconds(kind.play, "site.yml"))
                note(f"{kind.name}, site.yml with nothing to do", seconds(kind.play, "site.yml"))
                note(f"{kind.name}, restart until it answers", seconds(kind.restart))
                produced, consumed = kind.throughput()
                note(f"{kind.name}, MB/s produced", produced)
                note(f"{kind.name}, MB/s consumed", consumed)
                kind.remove()
    finally:
        for kind in kinds:
            with contextlib.suppress(SystemExit):
                kind.remove()
    middle = figures.medians()
    steps = ("site.yml cold", "site.yml with nothing to do", "restart until it answers")
    rows = [row(step, middle[f"secure, {step}"], middle[f"open, {step}"]) for step in steps]
    for what in ("MB/s produced", "MB/s consumed"):
        secure, without = middle[f"secure, {what}"], middle[f"open, {what}"]
        rows.append((what, f"{secure:.0f}", f"{without:.0f}", f"{secure / without:.2f}"))
    show(rounds, ("measurement", "secure", "open", "ratio"), rows)


if __name__ == "__main__":
    main()

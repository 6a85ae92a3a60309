"""Measure how site.yml grows with the number of hosts, and what a rolling restart costs, in one run on one machine.

    python -m bench.hosts [--rounds 3]

Six bare hosts (tests/support/hosts.py) get an engine and the image, which is not measured. Then, in each round:

- site.yml on 1, 3 and 6 hosts without containers, and on 1 and 3 with nothing to do; on 1 also with the
  kafka_profile of several, whose brokers start with thrice the work;
- site.yml on 1 and 6 hosts without containers once more. Each host is held to a sixth of the processors, so that the
  one has no more of them than each of the six;
- on the 3: each broker is restarted alone by its engine, until it is back in sync, of which the mean counts (the
  controller takes longer); then all of them by site.yml with a setting that a broker reads only when it starts. Once
  with nothing else to do, and once while kafka-workload writes with acks=all, whose longest stall counts. Its clients
  take a third of this machine.

All hosts share this machine's processors: a broker's start takes them away from the others' starts. On separate hosts
it would not. The program makes its own hosts, and removes them.
"""

import datetime
import json
import os
import platform
import statistics
import sys
from functools import partial

from bench import ROOT, Figures, each_round, parser, row, run, seconds, show
from kafka_proof.client.properties import kafka_python, read
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.temporary import new_prefix
from kafka_proof.deploy.image import image_recipe
from kafka_proof.operations.rolling import wait_back
from kafka_proof.workload.run import Workload, topic_of_its_own
from tests.support import hosts
from tests.support.engine import VERSION

NAME = "kp-bench-hosts"
COUNTS = (1, 3, 6)
ROLLED = 3  # brokers that are restarted
ZOOKEEPERS = 3  # at most: more make an ensemble slower
SHARE = round(os.cpu_count() / max(COUNTS), 2)  # processors for each host, if all have the same
TIMEOUT = 600  # seconds for one broker to be back
VARIABLES = {"stack_name": NAME, "kafka_heap": "256m"}
CLIENT_PROPERTIES = ROOT / "build" / NAME / "client.properties"
OTHER = "queued.max.requests"  # a broker reads it only when it starts; 500 is Kafka's own


def play(inventory, *playbooks, **variables):
    """Run playbooks on the hosts of an inventory."""
    run("ansible-playbook", "-i", str(inventory), *playbooks, "-e", json.dumps(VARIABLES | variables))


def prepare(made):
    """Give each host an engine and the image. Returns {count: the inventory of so many hosts}."""
    inventories = {}
    for count in COUNTS:
        inventories[count] = made.directory / f"inventory-{count}"
        inventories[count].write_text(hosts.inventory(made.hosts[:count], made.directory, ZOOKEEPERS))
    run("ansible-playbook", "site.yml", "--tags", "engine,image")
    recipe = image_recipe(VERSION, ROOT / "roles/kafka_image/files")
    archive = made.directory / "image.tar"
    run("docker", "save", "--output", str(archive), f"kafka-proof:{VERSION}-{recipe[:8]}")
    image = {"kafka_image_source": "load", "kafka_image_archive": str(archive)}
    play(inventories[max(COUNTS)], "site.yml", "--tags", "engine,image", **image)
    return inventories


def under_workload(work):
    """Run `work()` while messages are written. Returns (seconds that it took, longest produce stall in seconds)."""
    arguments = kafka_python(read(CLIENT_PROPERTIES))
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2 * TIMEOUT)
    prefix = new_prefix("bench", until)
    with topic_of_its_own(arguments, prefix) as topic:
        with Workload(arguments, topic, f"{prefix}group") as workload:
            took = seconds(work)
            before = workload.acknowledged()
            wait_until("a message after it", lambda: workload.acknowledged() > before)
        if problems := workload.result["problems"]:
            sys.exit("\n".join(problems))
    return took, workload.result["produce_stall"]


def restart(host):
    """Restart the broker of a host by its engine, until it is back in sync."""
    container = f"{NAME}-kafka" if host.number == 1 else f"{NAME}-kafka-{host.number}"
    run("docker", "exec", host.name, "docker", "restart", "--time", "120", container)
    wait_back(
        read(CLIENT_PROPERTIES), host.number, TIMEOUT, TIMEOUT, lambda said: print(f"    {said}", file=sys.stderr)
    )


def limit_processors(made, share):
    """Let each host have this part of one processor; 0 for as much as there is."""
    run("docker", "update", "--cpus", str(share), *(host.name for host in made.hosts))


def measure(made, inventories, rounds):
    """Return the Figures."""
    figures = Figures()
    note = figures.note

    def remove():
        play(inventories[max(COUNTS)], "playbooks/teardown.yml", teardown_data=True)

    def restarts(name, under, setting):
        alone = [under(partial(restart, host)) for host in made.hosts[:ROLLED]]
        note(f"one{name}", statistics.mean(took for took, _ in alone))
        note(f"one{name}, stall", max(stall for _, stall in alone))
        took, stall = under(partial(play, inventories[ROLLED], "site.yml", kafka_config={OTHER: setting}))
        note(f"all{name}", took)
        note(f"all{name}, stall", stall)

    for _ in each_round(rounds):
        for count in COUNTS:
            remove()
            note(f"new {count}", seconds(play, inventories[count], "site.yml"))
            if count > ROLLED:
                continue
            note(f"again {count}", seconds(play, inventories[count], "site.yml"))
            if count == ROLLED:
                restarts("", lambda work: (seconds(work), 0), 498)
                restarts(", workload", under_workload, 499)
        remove()
        note("new 1, as several", seconds(play, inventories[1], "site.yml", kafka_profile="production"))
        for count in (1, max(COUNTS)):
            remove()
            limit_processors(made, SHARE)
            note(f"new {count}, a share", seconds(play, inventories[count], "site.yml", kafka_profile="production"))
            limit_processors(made, 0)
    return figures


def table(figures):
    """The rows of the report: what, figure, baseline, ratio, target."""
    middle = figures.medians()
    ratio = partial(row, digits=1)
    stalls = [max(figures[f"{which}, workload, stall"]) for which in ("all", "one")]
    return [
        ratio("site.yml, 3 hosts / 1, no containers", middle["new 3"], middle["new 1"], ""),
        ratio("site.yml, 6 hosts / 1, no containers", middle["new 6"], middle["new 1"], "at most 2.5"),
        ratio("the same, the one with kafka_profile=production", middle["new 6"], middle["new 1, as several"], ""),
        ratio(f"the same, each host held to {SHARE} of a core", middle["new 6, a share"], middle["new 1, a share"], ""),
        ratio("site.yml, 3 hosts / 1, nothing to do", middle["again 3"], middle["again 1"], "at most 1.5"),
        ratio(
            "restart of 3 brokers by site.yml / of one by its engine",
            middle["all"],
            middle["one"],
            f"at most {ROLLED * middle['one'] + 5:.1f} s",
        ),
        ratio("the same under a workload", middle["all, workload"], middle["one, workload"], ""),
        ratio("longest produce stall meanwhile, acks=all", *stalls, "at most 3 s"),
    ]


def main():
    """Run as a command."""
    rounds = parser(__doc__).parse_args().rounds
    load = os.getloadavg()[0]
    try:
        made = hosts.up(NAME, max(COUNTS))
        rows = table(measure(made, prepare(made), rounds))
    finally:
        hosts.down(NAME)
        CLIENT_PROPERTIES.unlink(missing_ok=True)
    machine = f"{os.cpu_count()} cores, shared by all hosts; {platform.machine()}; load {load:.0f} before"
    show(rounds, ("what", "here", "baseline", "ratio", "target"), rows, machine)


if __name__ == "__main__":
    main()

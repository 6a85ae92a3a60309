"""Measure this project against the way that the article shows, in one run on one machine.

    python -m bench [--rounds 3]

The baseline is the article's own way: `docker run` ZooKeeper, `docker run` Kafka, poll until `kafka-topics.sh --list`
answers, `kafka-topics.sh --create`. It has the same image, but as Kafka ships it: without the archive of loaded classes
and with the JVM options of Kafka's own scripts.

Every round measures everything once, so that a noisy moment hits all alike; the table shows medians. The program makes
its own stack and removes it.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from kafka import KafkaAdminClient

from bench import ROOT, Figures, each_round, parser, row, run, seconds, show, timed
from kafka_proof.client.properties import read
from kafka_proof.client.wait import settled
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.operations.topics import have

STACK, PORT, ZOOKEEPER_PORT = "kp-bench", 29492, 22481
CLIENT = {"bootstrap.servers": f"localhost:{PORT}"}
CLIENT_PROPERTIES = ROOT / "build" / STACK / "client.properties"
VARIABLES = {"stack_name": STACK, "kafka_port": PORT, "zookeeper_port": ZOOKEEPER_PORT}
MANY = 1000  # topics in one task
FEW = 5  # topics with one kafka-topics.sh each, in a round
DATA = "/var/lib/kafka/data"
# The options that bin/kafka-run-class.sh of Kafka 3.9.2 gives every JVM. The image's own launcher gives a tool fewer.
KAFKA_JVM_OPTIONS = (
    "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
    "-XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15"
)
AS_SHIPPED = ("--env", "KAFKA_CDS=off", "--env", f"KAFKA_JVM_PERFORMANCE_OPTS={KAFKA_JVM_OPTIONS}")


def play(playbook, **variables):
    """Run a playbook on the bench's own stack."""
    return run("ansible-playbook", playbook, "-e", json.dumps(VARIABLES | variables))


def teardown():
    """Leave nothing of the stack, nor of the baseline."""
    play("playbooks/teardown.yml", teardown_data=True)
    clear()


def clear():
    """Remove the containers, volumes and networks of both, without the time that a playbook takes."""
    for kind, listed, removed in (
        ("container", "ls --all", "rm --force --volumes"),
        ("volume", "ls", "rm"),
        ("network", "ls", "rm"),
    ):
        if names := run(
            "docker", kind, *listed.split(), "--quiet", "--filter", f"label=kafka-proof.stack={STACK}"
        ).split():
            run("docker", kind, *removed.split(), *names)
    baseline = [f"{STACK}-baseline-kafka", f"{STACK}-baseline-zookeeper"]
    subprocess.run(["docker", "rm", "--force", "--volumes", *baseline], capture_output=True, check=False)
    subprocess.run(["docker", "network", "rm", f"{STACK}-baseline"], capture_output=True, check=False)


def docker_run(name, image, script, properties, *options, archives):
    """Start one container as the baseline does."""
    run(
        *("docker", "run", "--detach", "--name", name, "--network", f"{STACK}-baseline", "--entrypoint", "bash"),
        *([] if archives else ["--env", "KAFKA_CDS=off"]),
        *("--env", f"PROPERTIES={properties}", *options, image),
        *("-c", f'echo "$PROPERTIES" >/tmp/p && exec {script} /tmp/p'),
    )


def start_zookeeper(image, archives):
    """`docker run` ZooKeeper."""
    run("docker", "network", "create", f"{STACK}-baseline")
    properties = f"dataDir={DATA}\nclientPort=2181\nadmin.enableServer=false"
    docker_run(f"{STACK}-baseline-zookeeper", image, "zookeeper-server-start.sh", properties, archives=archives)


def start_kafka(image, archives):
    """`docker run` Kafka, with the settings of the article and the others as Kafka has them."""
    properties = (
        f"broker.id=1\nzookeeper.connect={STACK}-baseline-zookeeper:2181\nlog.dirs={DATA}\n"
        f"listeners=PLAINTEXT://0.0.0.0:{PORT}\nadvertised.listeners=PLAINTEXT://localhost:{PORT}\n"
        "offsets.topic.replication.factor=1"
    )
    publish = ("--publish", f"127.0.0.1:{PORT}:{PORT}")
    docker_run(f"{STACK}-baseline-kafka", image, "kafka-server-start.sh", properties, *publish, archives=archives)


def topics_sh(*arguments):
    """One call of kafka-topics.sh; returns whether it succeeded."""
    tool = ["kafka-topics.sh", "--bootstrap-server", f"localhost:{PORT}"]
    command = ["docker", "exec", *AS_SHIPPED, f"{STACK}-baseline-kafka", *tool]
    return subprocess.run([*command, *arguments], capture_output=True, check=False).returncode == 0


def baseline(image):
    """The article's way, from nothing to the topic."""
    start_zookeeper(image, archives=False)
    start_kafka(image, archives=False)
    deadline = time.monotonic() + 120
    while not topics_sh("--list"):
        if time.monotonic() > deadline:
            sys.exit("the baseline's broker did not answer kafka-topics.sh --list within 120 s")
    if not topics_sh("--create", "--topic", "kafka_demo", "--partitions", "2", "--replication-factor", "1"):
        sys.exit("the baseline's kafka-topics.sh --create failed")


def broker_start(image, archives):
    """Seconds from `docker run` of a broker until it is ready, ZooKeeper being there already."""
    clear()
    start_zookeeper(image, archives)
    zookeeper = ["docker", "exec", f"{STACK}-baseline-zookeeper", "timeout", "2", "bash", "-c"]
    probe = [*zookeeper, "exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && grep -q ^Mode <&3"]
    deadline = time.monotonic() + 60
    while subprocess.run(probe, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            sys.exit("ZooKeeper did not answer within 60 s")

    def start():
        start_kafka(image, archives)
        wait_registered(120)

    return seconds(start)


def wait_registered(timeout):
    """Until the broker answers as itself; a group's coordinator, which makes 50 partitions first, is another matter."""
    with KafkaAdminClient(
        bootstrap_servers=CLIENT["bootstrap.servers"],
        bootstrap_timeout_ms=timeout * 1000,
        reconnect_backoff_max_ms=50,
    ) as admin:
        settled(admin.describe_cluster, timeout)


def have_topics(prefix):
    """Have many topics in one call, as the task kafka_topics does. Returns (seconds, whether something changed)."""
    wanted = {"partitions": 1, "replication_factor": 1, "config": None}
    topics = [{"name": f"{prefix}-{number}", **wanted} for number in range(MANY)]
    params = {"client": read(CLIENT_PROPERTIES), "topics": topics, "absent": [], "timeout": 300}
    took, result = timed(have, params, check=False)
    if result.get("failed"):
        sys.exit(f"kafka_topics: {result['msg']}")
    return took, result["changed"]


def resident(container):
    """Resident memory of a container's processes, in MB, as the kernel counts it."""
    pid = run("docker", "inspect", "--format", "{{.State.Pid}}", container).strip()
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def measure(image, rounds):
    """Return the Figures."""
    figures = Figures()
    note = figures.note
    for _ in each_round(rounds):
        clear()
        note("baseline", seconds(baseline, image))
        for topic in range(FEW):
            create = ("--create", "--topic", f"few-{topic}", "--partitions", "1", "--replication-factor", "1")
            note("kafka-topics.sh, a topic", seconds(topics_sh, *create))
        clear()
        note("site.yml", seconds(play, "site.yml"))
        wait_ready(CLIENT, [1], 60)
        note("site.yml again", seconds(play, "site.yml"))
        note("resident", resident(f"{STACK}-kafka") + resident(f"{STACK}-zookeeper"))
        for name in ("kafka_topics, new", "kafka_topics, same"):
            took, changed = have_topics("many")
            note(name, took)
            if changed != (name == "kafka_topics, new"):
                sys.exit(f"{name}: changed is {changed}")
        note("start", broker_start(image, archives=True))
        note("start without archives", broker_start(image, archives=False))
    return figures


def table(figures, size):
    """The rows of the report: what, figure, baseline, ratio, target."""
    middle = figures.medians()
    one = middle["kafka-topics.sh, a topic"]
    new, same = middle["kafka_topics, new"] / MANY, middle["kafka_topics, same"] / MANY

    def a_topic(what, value, digits, target):
        return what, f"{value * 1000:.{digits}f} ms", f"{one * 1000:.0f} ms", f"{one / value:.0f}-fold", target

    return [
        row("site.yml, image present, no containers", middle["site.yml"], middle["baseline"], "at most 1.0"),
        row("site.yml, nothing to do", middle["site.yml again"], middle["baseline"], "at most 0.8"),
        row("broker start, with archives / without", middle["start"], middle["start without archives"], "at most 0.65"),
        a_topic("a new topic of 1,000, kafka_topics / CLI", new, 1, "at least 50-fold"),
        a_topic("an unchanged topic of 1,000", same, 2, "at least 500-fold"),
        ("image", f"{size / 1e6:.0f} MB", "", "", "at most 400 MB"),
        ("broker and ZooKeeper at rest, resident", f"{middle['resident']:.0f} MB", "", "", "at most 450 MB"),
    ]


def deployed_image():
    """Deploy, so that the image is made before anything is measured. Returns the name of the image."""
    play("site.yml")
    return run("docker", "inspect", "--format", "{{.Config.Image}}", f"{STACK}-kafka").strip()


def main():
    """Run as a command."""
    rounds = parser(__doc__).parse_args().rounds
    try:
        image = deployed_image()
        size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
        rows = table(measure(image, rounds), size)
    finally:
        teardown()
    show(rounds, ("what", "here", "baseline", "ratio", "target"), rows)


if __name__ == "__main__":
    main()

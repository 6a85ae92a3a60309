"""The tests' own stacks: deployed by site.yml as a user would, on separate ports, and removed at the end.

Nothing here touches a container, a volume or a network whose name does not begin with a test stack's.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import OffsetAndMetadata

from kafka_proof.client.properties import kafka_python, read
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.deploy.node import DATA
from tests.support.engine import docker, lock
from tests.support.wait import wait_for

ROOT = Path(__file__).resolve().parents[2]
PLAY_TIMEOUT = 900  # seconds; the first one may have to build the image
TOPIC = "kafka_demo"
KRAFT = """
[kafka]
localhost
[all:vars]
ansible_connection=local
ansible_python_interpreter="{{ ansible_playbook_python }}"
"""
LOCALHOST = f"[zookeeper]\nlocalhost\n{KRAFT}"
SEPARATE = f"[kafka_controller]\nlocalhost\n{KRAFT}"
LOGIN = {"clients": "sasl_ssl"}
# The number of this process among those that run the tests (pytest -n). Each process has separate stacks.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "engine_restart: restarts the Docker engine under all its containers; runs with KAFKA_PROOF_ENGINE_RESTART=1",
    )


def pytest_collection_modifyitems(items):
    if os.environ.get("KAFKA_PROOF_ENGINE_RESTART") != "1" or "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            if item.get_closest_marker("engine_restart"):
                item.add_marker(pytest.mark.skip(reason="KAFKA_PROOF_ENGINE_RESTART=1 is not set, or tests run beside"))


@dataclass
class Play:
    """The result of a run of ansible-playbook with the JSON callback."""

    status: int
    output: str

    def __post_init__(self):
        start = self.output.find("{")
        try:
            report = json.loads(self.output[start : self.output.rindex("}") + 1])
            self.stats = report["stats"]
            self.tasks = [
                (task["task"]["name"].split(" : ")[-1], result)
                for play in report["plays"]
                for task in play["tasks"]
                for result in task["hosts"].values()
            ]
        except (ValueError, KeyError):  # it did not come so far as to run a task
            self.stats, self.tasks = {}, []

    @property
    def ok(self):
        return self.status == 0

    @property
    def changed(self):
        return sum(host["changed"] for host in self.stats.values())

    @property
    def changed_tasks(self):
        return [name for name, result in self.tasks if result.get("changed")]

    @property
    def failed(self):
        """The messages of the tasks that failed; all the output when ansible-playbook itself did."""
        messages = [
            str(result.get("msg")) for _, result in self.tasks if result.get("failed") or result.get("unreachable")
        ]
        return messages or ([] if self.ok else [self.output])

    @property
    def message(self):
        """The last message that an operator reads."""
        return self.failed[-1] if self.failed else ""

    def result(self, name):
        """The result of the task `name`."""
        return next(result for task, result in reversed(self.tasks) if task == name)

    def diffs(self):
        """All that --diff shows."""
        found = []
        for _, result in self.tasks:
            for item in [result, *result.get("results", [])]:
                diff = item.get("diff") or []
                found += diff if isinstance(diff, list) else [diff]
        return [item for item in found if item.get("before") != item.get("after") or item.get("prepared")]


class Stack:
    """One stack: its variables, what the engine has of it, and its broker as a client sees it."""

    def __init__(self, name, port, directory, inventory=LOCALHOST, **variables):
        self.inventory = inventory
        self.name, self.port, self.zookeeper_port = name, port, port + 1
        self.kafka, self.zookeeper = f"{name}-kafka", f"{name}-zookeeper"
        self.directory = directory / name
        self.directory.mkdir()
        self.client_properties = self.directory / "build" / "client.properties"
        self.variables = {
            "stack_name": name,
            "kafka_port": self.port,
            "stack_secrets": str(self.directory / "secrets"),
            "stack_client_properties": str(self.client_properties),
        }
        if inventory == LOCALHOST:
            self.variables["zookeeper_port"] = self.zookeeper_port
        self.secrets = self.directory / "secrets"
        if "kafka_security" in variables:
            self.variables |= {"stack_secrets": str(self.secrets), **variables}

    # ansible-playbook

    def command(self, playbook, *options, inventory=None, **variables):
        hosts = self.directory / "inventory"
        hosts.write_text(self.inventory if inventory is None else inventory)
        extra = json.dumps(self.variables | variables)
        return ["ansible-playbook", "-i", str(hosts), str(ROOT / playbook), "-e", extra, *options]

    def play(self, playbook, *options, env=None, within=(), inventory=None, **variables):
        """Run a playbook with the stack's variables and those given; `within`: a command that runs a command."""
        done = subprocess.run(
            [*within, *self.command(playbook, *options, inventory=inventory, **variables)],
            check=False,
            cwd=ROOT,
            env=_environment(**{"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"} | (env or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PLAY_TIMEOUT,
        )
        return Play(done.returncode, done.stdout)

    def site(self, *options, **variables):
        """Run site.yml, which must succeed."""
        play = self.play("site.yml", *options, **variables)
        assert play.ok, play.message
        return play

    def teardown(self, *, data):
        play = self.play("playbooks/teardown.yml", teardown_data=data)
        assert play.ok, play.message
        return play

    def interrupt(self, task, signal_number, playbook="site.yml", times=1, **variables):
        """Run a playbook, and send the signal to its process group as soon as `task` has its worker; then SIGKILL.

        times: at which occurrence of the task. Return whether the signal ended it, and not its last task. As anybody
        who presses Ctrl-C finds out, the first one may be in vain: Python swallows the KeyboardInterrupt in its hooks
        around a fork; and a worker of Ansible's that dies with the results queue's lock leaves the process that it came
        from waiting for that lock. So the signal is sent again.
        """
        with subprocess.Popen(
            # A shell's background job ignores SIGINT, and so would its children.
            ["env", "--default-signal=INT", *self.command(playbook, **variables)],
            cwd=ROOT,
            # With skipped hosts, a task shows its name when it begins, and not with its first result.
            env=_environment(ANSIBLE_STDOUT_CALLBACK="default", ANSIBLE_DISPLAY_SKIPPED_HOSTS="true"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            seen = []
            for line in process.stdout:
                seen.append(line)
                times -= line.startswith("TASK [") and task in line
                if not times:
                    # The worker of a short task may be gone before it is seen, and with the last one all is over.
                    wait_for(lambda: process.poll() is not None or _workers(process.pid), f"a worker for '{task}'")
                    break
            else:
                raise AssertionError(f"{playbook} never began '{task}':\n{''.join(seen)}")
            for number in [*[signal_number] * 5, signal.SIGKILL]:
                # A worker survives the SIGKILL of the process that it came from.
                groups = [process.pid, *(_workers(process.pid) if number == signal.SIGKILL else [])]
                for group in groups:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(group, number)
                # Not until its output ends, which a worker may hold.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=2)
                    return process.returncode != 0
            raise AssertionError(f"{playbook} does not end by SIGKILL")

    # The engine

    def state(self):
        """The objects of this stack, such that anything which touches it makes a difference."""
        ids = docker("ps", "-aq", "--no-trunc", "--filter", f"name=^{self.name}-").split()
        lived = "{{.Name}} {{.Id}} {{.State.Status}} {{.State.StartedAt}} {{json .NetworkSettings.Networks}}"
        properties = self.client_properties
        return {
            "containers": docker("inspect", "-f", lived, *sorted(ids)).splitlines() if ids else [],
            "volumes": self.volumes(),
            "networks": self.networks(),
            "client.properties": (properties.stat().st_mtime_ns, properties.read_text())
            if properties.exists()
            else None,
        }

    def containers(self):
        return docker("ps", "-a", "--format", "{{.Names}}", "--filter", f"name=^{self.name}-").split()

    def volumes(self):
        return docker("volume", "ls", "-q", "--filter", f"name=^{self.name}-").split()

    def networks(self):
        return docker("network", "ls", "-q", "--no-trunc", "--filter", f"name=^{self.name}-").split()

    def remove_leftovers(self):
        """Remove the leftovers of a dead run of this stack, without Ansible."""
        for kind, remove in (("ps -a", "rm -f -v"), ("volume ls", "volume rm"), ("network ls", "network rm")):
            if left := docker(*kind.split(), "-q", "--filter", f"name=^{self.name}-").split():
                docker(*remove.split(), *left)

    # The broker

    @property
    def arguments(self):
        return kafka_python(read(self.client_properties))

    def wait_ready(self, seconds=60):
        return wait_ready(read(self.client_properties), [1], seconds)

    def produce(self, *values, topic=TOPIC):
        """Send text messages, each acknowledged."""
        with KafkaProducer(**self.arguments, acks="all", value_serializer=str.encode) as producer:
            for future in [producer.send(topic, value) for value in values]:
                future.get(timeout=20)

    def messages(self, topic=TOPIC, bootstrap=None):
        """All that a topic holds, sorted."""
        arguments = self.arguments | ({"bootstrap_servers": bootstrap} if bootstrap else {})
        with KafkaConsumer(
            **arguments, group_id=None, enable_auto_commit=False, value_deserializer=bytes.decode
        ) as consumer:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends, found = consumer.end_offsets(partitions), []
            deadline = time.monotonic() + 20
            while any(consumer.position(partition) < ends[partition] for partition in partitions):
                assert time.monotonic() < deadline, f"{topic}: got only {found}, wanted all up to {ends}"
                found += [record.value for records in consumer.poll(200).values() for record in records]
            return sorted(found)

    def commit(self, group, offset, topic=TOPIC):
        with KafkaConsumer(**self.arguments, group_id=group, enable_auto_commit=False) as consumer:
            partition = TopicPartition(topic, 0)
            consumer.assign([partition])
            consumer.commit({partition: OffsetAndMetadata(offset, "", -1)})

    def committed(self, group, topic=TOPIC):
        with KafkaConsumer(**self.arguments, group_id=group, enable_auto_commit=False) as consumer:
            return consumer.committed(TopicPartition(topic, 0))

    def topics(self):
        """{name: number of partitions} of all topics but Kafka's own."""
        with KafkaAdminClient(**self.arguments) as admin:
            found = admin.describe_topics()
        return {item["name"]: len(item["partitions"]) for item in found if not item["name"].startswith("__")}

    def topic_config(self, topic):
        """The settings that a topic sets itself."""
        found = self._config(ConfigResourceType.TOPIC, topic)
        return {key: item["value"] for key, item in found.items() if item["config_source"] == "DYNAMIC_TOPIC_CONFIG"}

    def broker_config(self, key):
        return self._config(ConfigResourceType.BROKER, "1")[key]["value"]

    def _config(self, kind, name):
        with KafkaAdminClient(**self.arguments) as admin:
            answer = admin.describe_configs([ConfigResource(kind, name)], config_filter="all")
        return next(iter(answer.values()))[name]


def in_volume(stack, command):
    """Run a shell command in the volume of the broker's data."""
    image = docker("inspect", "-f", "{{.Config.Image}}", stack.kafka, check=False) or stack.image
    mount = f"{stack.kafka}-data:{DATA}"
    return docker("run", "--rm", "--volume", mount, "--workdir", DATA, "--entrypoint", "bash", image, "-c", command)


def _workers(pid):
    """Ids of the children of the ansible-playbook with this id that run a task: each leads its own session."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if _is_worker(child)]
    return []


def _is_worker(pid):
    with contextlib.suppress(OSError):
        state, _, _, session, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return state != "Z" and session == pid  # not one that ended with the task before
    return False


def _environment(**variables):
    # Neither the user's settings for Ansible nor a terminal's colours.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return inherited | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"} | variables


def own_name(name):
    """A name that no other process uses."""
    return f"w{PROCESS}-{name}" if PROCESS else name


def _own(name, port, *arguments, **variables):
    """A Stack of this process, with a name and ports that no other process uses."""
    assert PROCESS < 3, "tests/deploy has ports for three processes"
    return Stack(own_name(name), port + 100 * PROCESS, *arguments, **variables)


@contextlib.contextmanager
def _stack(name, port, directory, inventory=LOCALHOST, **variables):
    stack = _own(name, port, directory, inventory, **variables)
    stack.remove_leftovers()
    try:
        yield stack
    finally:
        stack.remove_leftovers()


@contextlib.contextmanager
def deployed(name, port, directory, inventory=LOCALHOST, **variables):
    """A stack with these variables, deployed."""
    with _stack(name, port, directory, inventory) as stack:
        stack.variables |= variables
        stack.site()
        yield stack


@pytest.fixture(scope="package")
def directory(tmp_path_factory):
    """A directory for this process, which has its stacks to itself: another run on this machine waits."""
    with lock(f"deploy-{PROCESS}"):
        yield tmp_path_factory.mktemp("stacks")


@pytest.fixture(scope="package")
def no_stack(directory):
    """A stack that no test deploys: all that is asked of it is refused, or only checked."""
    stack = _own("kp-none", 28200, directory)
    with contextlib.suppress(
        FileNotFoundError, AssertionError
    ):  # on a machine without an engine nothing is left either
        stack.remove_leftovers()
    return stack


@pytest.fixture(scope="package")
def _deployed(directory):
    with deployed("kp-test", 28210, directory) as stack:
        yield stack


@pytest.fixture(scope="package")
def kraft(directory):
    """A stack with KRaft, one node."""
    with deployed("kp-kraft-one", 28220, directory, KRAFT) as stack:
        yield stack


@pytest.fixture(scope="module")
def separate(directory):
    """A stack with KRaft, a controller and a broker."""
    with _stack("kp-separate", 28230, directory, SEPARATE) as stack:
        stack.site()
        yield stack


@pytest.fixture(scope="package")
def secure(directory):
    """A stack with access control, one node of KRaft."""
    with _stack("prf-kraft", 28240, directory, KRAFT, kafka_security=LOGIN) as stack:
        stack.site()
        yield stack


@pytest.fixture(scope="package")
def secure_zookeeper(directory):
    """A stack with access control, one ZooKeeper server and one broker."""
    with _stack("prf-zookeeper", 28250, directory, kafka_security=LOGIN) as stack:
        stack.site()
        yield stack


@pytest.fixture
def secure_spare(directory, tmp_path):
    """A stack of KRaft with access control, of the test's own; not deployed yet."""
    with _stack("prf-spare", 28260, tmp_path, KRAFT, kafka_security=LOGIN) as stack:
        yield stack


@pytest.fixture
def stack(_deployed):
    """The stack that most tests share, as site.yml leaves it by default; a test that changes that puts it back."""
    return _deployed


@pytest.fixture
def image(stack):
    """The image that the stack runs, for containers of the tests' own."""
    return docker("inspect", "-f", "{{.Config.Image}}", stack.kafka)


@pytest.fixture
def spare(_deployed, tmp_path):
    """A stack of the test's own, to be broken; not deployed yet."""
    with _stack("kp-spare", 28270, tmp_path) as stack:
        yield stack


@pytest.fixture
def intruder(image):
    """Run a container that is no stack's: intruder(name, *options). It is removed after the test."""
    names = []

    def run(name, *options):
        names.append(name)
        docker("rm", "-f", name, check=False)
        return docker("run", "-d", "--name", name, *options, "--entrypoint", "sleep", image, "infinity")

    yield run
    for name in names:
        docker("rm", "-f", "-v", name)

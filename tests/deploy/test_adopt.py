"""Containers of other images are taken over: with their messages, offsets and addresses, and with a way back."""

import contextlib
import json
import signal

import pytest
import yaml

from kafka_proof.client.properties import kafka_python
from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.workload.run import Load, Workload, topic_of_its_own
from tests.deploy.conftest import KRAFT, Stack, docker
from tests.support import foreign_images
from tests.support.engine import KRAFT_VERSION, lock
from tests.versions.kafka import jars

NETWORK = "kpadopt-net"
OLD = "kpadopt-old"  # names of containers of other images begin with it


class Adoption(Stack):
    """A stack that takes over containers. Its inventory is the one that adopt.yml writes."""

    def __init__(self, port, directory):
        super().__init__("kpadopt", port, directory)
        self.written = self.directory / "adopted.yml"
        secrets = ("stack_secrets", "stack_client_properties")
        self.variables = {key: self.variables[key] for key in secrets} | {"stack_name": self.name}
        self.directory.joinpath("build").mkdir()
        self.addresses = f"localhost:{port}"

    @property
    def arguments(self):
        return kafka_python({"bootstrap.servers": self.addresses})

    def wait_ready(self, seconds=90, brokers=(1,)):
        return wait_ready({"bootstrap.servers": self.addresses}, brokers, seconds)

    def read(self, **variables):
        """Run the first part of adopt.yml, on this machine."""
        named = docker("ps", "--format", "{{.Names}}", "--filter", f"name=^{OLD}-").split()
        own = {"adopt_inventory": str(self.written), "adopt_containers": named} | variables
        return self.play("playbooks/adopt.yml", inventory="localhost ansible_connection=local\n", **own)

    def take(self, *options, **variables):
        return self.play("playbooks/adopt.yml", *options, adopt_confirm=True, **variables)

    def command(self, playbook, *options, inventory=None, **variables):
        """With the inventory that was written, unless another one is given."""
        text = inventory or (self.written.read_text() if self.written.exists() else "localhost\n")
        words = super().command(playbook, *options, inventory=text, **variables)
        if inventory is None:  # Ansible knows YAML by the name
            path = self.directory / "inventory.yml"
            path.write_text(text)
            words[words.index("-i") + 1] = str(path)
        return words

    def remove_leftovers(self):
        super().remove_leftovers()
        remove_old()

    def old(self):
        """The state of the containers of other images."""
        ids = docker("ps", "-aq", "--no-trunc", "--filter", f"name=^{OLD}-").split()
        lived = "{{.Name}} {{.State.Status}} {{.State.StartedAt}} {{.HostConfig.RestartPolicy.Name}}"
        return sorted(docker("inspect", "-f", lived, *ids).splitlines())

    def node(self, group, name):
        return yaml.load(self.written.read_text(), _Loader)["all"]["children"][group]["hosts"][name]


class _Loader(yaml.SafeLoader):
    """Knows !unsafe."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def remove_old():
    for name in docker("ps", "-aq", "--filter", f"name=^{OLD}-").split():
        docker("rm", "--force", "--volumes", name)
    for name in docker("volume", "ls", "-q", "--filter", f"name=^{OLD}-").split():
        docker("volume", "rm", name)
    if docker("network", "ls", "-q", "--filter", f"name=^{NETWORK}$"):
        docker("network", "rm", NETWORK)


@pytest.fixture
def adoption(directory, tmp_path):
    stack = Adoption(28510, tmp_path)
    with lock("adopt"):
        stack.remove_leftovers()
        docker("network", "create", NETWORK)
        try:
            yield stack
        finally:
            stack.remove_leftovers()


def old(name, repository, tmp_path, *options, env=None, publish=(), version=None):
    built = foreign_images.build(repository, tmp_path / name, version)
    foreign_images.run(f"{OLD}-{name}", built, NETWORK, "--network-alias", name, *options, env=env, publish=publish)


def wurstmeister(tmp_path):
    """As its own compose file: a broker of Kafka 2.8 with a generated id, a server of ZooKeeper, anonymous volumes."""
    old("zookeeper", "wurstmeister/zookeeper", tmp_path, publish=["127.0.0.1:28519:2181"])
    old(
        *("kafka", "wurstmeister/kafka", tmp_path, "--volume", f"{jars('2.8.2')}:/opt/kafka/libs:ro"),
        env={
            "OLD_JARS": "1",
            "KAFKA_ADVERTISED_HOST_NAME": "localhost",
            "KAFKA_ADVERTISED_PORT": "28510",
            "KAFKA_PORT": "28510",
            "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_BROKER_RACK": "{{ lookup('pipe', 'touch /tmp/kpadopt-owned') }}",
            "KAFKA_CREATE_TOPICS": "of_before:1:1",
            "KAFKA_HEAP_OPTS": "-Xmx300M",
        },
        publish=["127.0.0.1:28510:28510"],
    )


def test_one_broker_with_zookeeper(adoption, tmp_path):
    wurstmeister(tmp_path)
    [broker] = adoption.wait_ready(brokers=(1001,))["brokers"]
    adoption.produce("one", "two", topic="of_before")
    adoption.commit("keeper", 1, topic="of_before")
    cluster, before = adoption.wait_ready(brokers=(1001,))["cluster_id"], adoption.old()
    assert broker

    # Read: nothing changes but the inventory.
    play = adoption.read()
    assert play.ok, play.message
    assert play.changed_tasks == ["Write the inventory"]
    assert adoption.read().changed == 0
    told = "\n".join(str(result.get("msg")) for _, result in play.tasks)
    assert "layout wurstmeister, kafka 2.8.2" in told
    assert "KAFKA_CREATE_TOPICS is left out" in told
    found = adoption.node("kafka", "broker-1001")
    assert (found["kafka_broker_id"], found["kafka_heap"]) == (1001, "300m")
    assert found["kafka_config"]["broker.rack"] == "{{ lookup('pipe', 'touch /tmp/kpadopt-owned') }}"
    assert found["stack_takes_over"]["container"] == f"{OLD}-kafka"

    # See: site.yml shows the changes, and does not make them.
    check = adoption.site("--check", "--diff")
    assert {"Change the server", "Start the broker"} <= set(check.changed_tasks)
    assert f"{adoption.kafka}-1001, with a copy of /kafka/kafka-logs-" in json.dumps(check.diffs())
    refused = adoption.play("site.yml")
    assert f"{OLD}-kafka is not taken over yet" in refused.message
    assert adoption.old() == before

    # Correct: another read keeps the corrections.
    corrected = adoption.written.read_text().replace("kafka_heap: 300m", "kafka_heap: 310m")
    adoption.written.write_text(corrected)
    again = adoption.read()
    assert not again.ok
    assert f"{adoption.written} exists, and differs from what these containers give" in again.message
    assert adoption.written.read_text() == corrected

    # Take over.
    play = adoption.take()
    assert play.ok, play.message
    assert adoption.messages("of_before") == ["one", "two"]
    assert adoption.committed("keeper", topic="of_before") == 1
    assert adoption.wait_ready(brokers=(1001,))["cluster_id"] == cluster
    assert all(" exited " in line and line.endswith(" no") for line in adoption.old())
    assert docker("exec", f"{adoption.kafka}-1001", "grep", "^inter.broker", "/etc/kafka-proof/server.properties")
    adoption.produce("three", topic="of_before")
    assert adoption.site().changed == 0


def bitnami(tmp_path, each):
    old(
        *(f"kafka-{each}", "bitnami/kafka", tmp_path, "--volume", f"{OLD}-data-{each}:/bitnami/kafka"),
        env={
            "KAFKA_CFG_BROKER_ID": each,
            "KAFKA_CFG_ZOOKEEPER_CONNECT": "zookeeper-1:2181,zookeeper-2:2181,zookeeper-3:2181",
            "KAFKA_CFG_LISTENERS": f"INTERNAL://:9092,EXTERNAL://:{28509 + each}",
            "KAFKA_CFG_ADVERTISED_LISTENERS": f"INTERNAL://kafka-{each}:9092,EXTERNAL://localhost:{28509 + each}",
            "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP": "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT",
            "KAFKA_CFG_INTER_BROKER_LISTENER_NAME": "INTERNAL",
            "KAFKA_CFG_DEFAULT_REPLICATION_FACTOR": 3,
            "KAFKA_CFG_OFFSETS_TOPIC_REPLICATION_FACTOR": 3,
            "KAFKA_CFG_OFFSETS_TOPIC_NUM_PARTITIONS": 6,
            "KAFKA_CFG_MIN_INSYNC_REPLICAS": 2,
            "KAFKA_CFG_LOG_CLEANER_DEDUPE_BUFFER_SIZE": 16777216,
            "KAFKA_HEAP_OPTS": "-Xmx256m",
        },
        publish=[f"127.0.0.1:{28509 + each}:{28509 + each}"],
    )


def bitnami_server(tmp_path, each):
    """A server of an ensemble of three."""
    old(
        *(f"zookeeper-{each}", "bitnami/zookeeper", tmp_path, "--volume", f"{OLD}-zookeeper-{each}:/bitnami/zookeeper"),
        env={
            "ZOO_SERVER_ID": each,
            "ZOO_SERVERS": " ".join(f"zookeeper-{other}:2888:3888" for other in (1, 2, 3)),
            "KAFKA_HEAP_OPTS": "-Xmx128m",
        },
        publish=[f"127.0.0.1:{28518 + each}:2181"],
    )


@pytest.mark.long
def test_three_brokers_under_load_with_an_interruption(adoption, tmp_path):
    for each in (1, 2, 3):
        bitnami_server(tmp_path, each)
    for each in (1, 2, 3):
        bitnami(tmp_path, each)
    adoption.addresses = "localhost:28510,localhost:28511,localhost:28512"
    ids = (1, 2, 3)
    adoption.wait_ready(brokers=ids)
    assert adoption.read().ok
    with (
        topic_of_its_own(adoption.arguments, "kpadopt-", None) as topic,
        Workload(adoption.arguments, topic, "kpadopt-group", Load()) as workload,
    ):
        assert adoption.interrupt(
            "Change the broker", signal.SIGKILL, "playbooks/adopt.yml", times=2, adopt_confirm=True
        )
        # The broker that leads the cluster is the last one, whichever that is.
        brokers = {adoption.kafka, f"{adoption.kafka}-2", f"{adoption.kafka}-3"}
        copiers = [f"{name}-copy" for name in brokers.difference(adoption.containers())]
        for copier in copiers:
            with contextlib.suppress(AssertionError):
                docker("rm", "--force", copier)
            docker("create", "--name", copier, f"{foreign_images.PREFIX}/bitnami/kafka:stand-in")
        assert "an interrupted run still copies" in adoption.take().message
        docker("rm", *copiers)
        play = adoption.take()
        assert play.ok, play.message
        enough = workload.acknowledged() + 500
        wait_until("acknowledgements", workload.acknowledged, lambda seen: seen >= enough, 60, 0.1)
    assert workload.result["problems"] == []
    assert all(" exited " in line for line in adoption.old())
    assert adoption.site().changed == 0


@pytest.mark.long
def test_kraft_with_a_fixed_list_of_voters(adoption, tmp_path):
    old(
        *("kafka", "apache/kafka", tmp_path),
        env={
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@kafka:9093",
            "KAFKA_LISTENERS": "PLAINTEXT://:28510,CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:28510",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_HEAP_OPTS": "-Xmx300m",
        },
        publish=["127.0.0.1:28510:28510"],
        version=KRAFT_VERSION,
    )
    adoption.inventory = KRAFT
    keeps_all(adoption, "layout apache, kafka 4")


@pytest.mark.long
def test_confluent_with_zookeeper(adoption, tmp_path):
    """ZooKeeper has a separate directory for its log. Then the nodes migrate."""
    old(
        *("zookeeper", "confluentinc/cp-zookeeper", tmp_path),
        env={"ZOOKEEPER_CLIENT_PORT": 2181},
        publish=["127.0.0.1:28519:2181"],
    )
    old(
        *("kafka", "confluentinc/cp-kafka", tmp_path),
        env={
            "KAFKA_BROKER_ID": 1,
            "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT",
            "KAFKA_LISTENERS": "PLAINTEXT://:29092,PLAINTEXT_HOST://:28510",
            "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:28510",
            "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": 1,
            "KAFKA_HEAP_OPTS": "-Xmx300m",
        },
        publish=["127.0.0.1:28510:28510"],
    )
    keeps_all(adoption, "layout confluent, zookeeper")

    # A cluster that was taken over can move to KRaft.
    play = adoption.play("playbooks/migrate.yml")
    assert play.ok, play.message
    assert adoption.messages("of_before") == ["one", "two"]
    assert adoption.committed("keeper", topic="of_before") == 1


@pytest.mark.long
def test_confluent_with_a_separate_controller(adoption, tmp_path):
    common = {
        "CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "3001@controller:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": 1,
        "KAFKA_HEAP_OPTS": "-Xmx300m",
    }
    for name, own in (
        ("controller", {"PROCESS_ROLES": "controller", "NODE_ID": 3001, "LISTENERS": "CONTROLLER://:9093"}),
        (
            "kafka",
            {
                "PROCESS_ROLES": "broker",
                "NODE_ID": 1,
                "LISTENERS": "PLAINTEXT://:28510",
                "ADVERTISED_LISTENERS": "PLAINTEXT://localhost:28510",
            },
        ),
    ):
        old(
            *(name, "confluentinc/cp-kafka", tmp_path),
            env=common | {f"KAFKA_{key}": value for key, value in own.items()},
            publish=["127.0.0.1:28510:28510"] if name == "kafka" else [],
            version=KRAFT_VERSION,
        )
    adoption.inventory = KRAFT
    keeps_all(adoption, "layout confluent, kafka 4")


def keeps_all(adoption, said):
    """A takeover keeps the cluster, its messages and its offsets. said: by the first step."""
    cluster = adoption.wait_ready()["cluster_id"]
    adoption.produce("one", "two", topic="of_before")
    adoption.commit("keeper", 1, topic="of_before")
    play = adoption.read()
    assert play.ok, play.message
    assert said in "\n".join(str(result.get("msg")) for _, result in play.tasks)
    play = adoption.take()
    assert play.ok, play.message
    assert adoption.wait_ready()["cluster_id"] == cluster
    assert adoption.messages("of_before") == ["one", "two"]
    assert adoption.committed("keeper", topic="of_before") == 1
    assert adoption.site().changed == 0


def test_containers_that_cannot_be_taken_over(adoption):
    play = adoption.read(adopt_containers=["kpadopt-nothing"])
    assert not play.ok
    assert "adopt_containers names kpadopt-nothing, and no host" in play.message


@pytest.mark.long
def test_a_part_of_an_ensemble(adoption, tmp_path):
    """Alone, it would become a second cluster."""
    bitnami_server(tmp_path, 1)
    bitnami(tmp_path, 1)
    settings = ("exec", f"{OLD}-zookeeper-1", "sh", "-c", "cat /opt/bitnami/zookeeper/conf/zoo.cfg || true")
    wait_until("its settings", lambda: docker(*settings), lambda text: "server.3" in text, 30, 0.2)
    play = adoption.read()
    assert not play.ok
    assert f"{OLD}-zookeeper-1: its settings name server.2, server.3, and no such server is found" in play.message
    assert f"{OLD}-kafka-1: zookeeper.connect names zookeeper-2, zookeeper-3" in play.message
    assert not adoption.written.exists()


def test_data_that_a_stop_would_lose(adoption, tmp_path):
    built = foreign_images.build("apache/kafka", tmp_path / "lost", KRAFT_VERSION)
    words = ("--rm", "--tmpfs", "/tmp/kraft-combined-logs:mode=1777", "--entrypoint", "sleep")
    docker("run", "--detach", "--name", f"{OLD}-kafka", "--network", NETWORK, *words, built, "300")
    play = adoption.read()
    assert not play.ok
    assert f"{OLD}-kafka: it runs with --rm, so Docker removes it" in play.message
    assert f"{OLD}-kafka: its data in /tmp/kraft-combined-logs is in memory (tmpfs)" in play.message


@pytest.mark.long
def test_a_second_takeover_after_the_way_back(adoption, tmp_path):
    """The copy of the first one lacks what the old broker wrote since: only the user can choose."""
    wurstmeister(tmp_path)
    adoption.wait_ready(brokers=(1001,))
    adoption.produce("one", topic="of_before")
    assert adoption.read().ok
    play = adoption.take()
    assert play.ok, play.message
    assert adoption.take().changed == 0
    adoption.teardown(data=False)
    assert adoption.take().ok  # the old containers did not run since
    adoption.teardown(data=False)
    names = [f"{OLD}-zookeeper", f"{OLD}-kafka"]
    docker("update", "--restart", "unless-stopped", *names)
    docker("start", *names)
    adoption.wait_ready(brokers=(1001,))
    assert adoption.messages("of_before") == ["one"]
    adoption.produce("two", topic="of_before")
    lived, volumes = adoption.old(), adoption.volumes()
    play = adoption.take()
    assert not play.ok
    assert f"{OLD}-zookeeper was started again after its data was copied" in play.message
    assert f"docker volume rm {adoption.zookeeper}-data" in play.message
    assert (adoption.old(), adoption.volumes()) == (lived, volumes)
    docker("stop", *reversed(names))
    assert f"{OLD}-zookeeper was started again" in adoption.take().message
    docker("volume", "rm", *(name for name in volumes if name.endswith("-data")))
    play = adoption.take()
    assert play.ok, play.message
    assert adoption.messages("of_before") == ["one", "two"]

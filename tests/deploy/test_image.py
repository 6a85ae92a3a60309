"""The image's ways, with the engine and a real registry: pulled by tag and by digest, loaded, and what goes wrong."""

import json
import shutil
import socket
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from tests.deploy.conftest import own_name

NAME = own_name("kp-test-image") + ":1"  # under which these tests have the image made present, beside the real one
RECIPE = Path(__file__).resolve().parents[2] / "roles" / "kafka_image" / "files"

COMMANDS = """
kafka-topics kafka-console-producer kafka-console-consumer kafka-consumer-groups kafka-configs kafka-acls kafka-storage
kafka-features kafka-reassign-partitions kafka-leader-election kafka-producer-perf-test kafka-consumer-perf-test
kafka-broker-api-versions kafka-metadata-quorum kafka-server-start
"""
OF_ZOOKEEPER = "zookeeper-shell zookeeper-server-start"
OF_KAFKA_4 = "kafka-groups kafka-share-groups kafka-streams-groups kafka-console-share-consumer"
pytestmark = pytest.mark.xdist_group("deploy/kraft")


def docker(*arguments, check=True):
    return subprocess.run(["docker", *arguments], check=check, capture_output=True, text=True).stdout.strip()


def remove(*images):
    subprocess.run(["docker", "image", "rm", "--no-prune", *images], capture_output=True, check=False)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """Debian's docker-registry on a free port of the loopback address: unpacked, started, and stopped."""
    if not shutil.which("apt-get"):
        pytest.skip("the registry comes as a Debian package")
    directory = tmp_path_factory.mktemp("registry")
    subprocess.run(["apt-get", "download", "-qq", "docker-registry"], cwd=directory, check=True, capture_output=True)
    package = next(directory.glob("*.deb"))
    subprocess.run(["dpkg", "-x", package, directory], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "data")}},
        "http": {"addr": address},
    }
    (directory / "config.yml").write_text(json.dumps(settings))  # JSON is YAML
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [directory / "usr/bin/docker-registry", "serve", directory / "config.yml"], stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(address.split(":"), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"no registry at {address}: {(directory / 'log').read_text()}"
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def pushed(registry, image):
    """(by tag, by digest): how the registry has the image."""
    tag = f"{registry}/kafka:3.9.2"
    docker("tag", image, tag)
    docker("push", tag)
    digest = docker("inspect", "--format", '{{join .RepoDigests "\\n"}}', tag)
    by_digest = next(line for line in digest.splitlines() if line.startswith(registry))
    remove(tag, by_digest, NAME)
    yield tag, by_digest
    remove(tag, by_digest, NAME)


def image_play(stack, *options, **variables):
    return stack.play("site.yml", "--tags", "image", *options, stack_image=NAME, **variables)


@pytest.mark.parametrize("how", ["tag", pytest.param("digest", marks=pytest.mark.long)])
def test_pull(stack, image, pushed, how):
    reference = pushed[how == "digest"]
    wanted = {"kafka_image_source": "pull", "kafka_image_pull": reference}

    foretold = image_play(stack, "--check", "--diff", **wanted)
    assert foretold.ok, foretold.message
    assert foretold.changed, foretold.message
    assert not docker("images", "--quiet", NAME), "check mode pulled"

    first = image_play(stack, **wanted)
    assert first.ok, first.message
    assert first.changed, first.message
    assert docker("inspect", "--format", "{{.Id}}", NAME) == docker("inspect", "--format", "{{.Id}}", image)

    again = image_play(stack, **wanted)
    assert again.ok, again.changed_tasks
    assert not again.changed, again.changed_tasks


def test_pull_of_another_image_moves_the_name(stack, registry, pushed):
    docker("tag", docker("images", "--quiet", "--filter", "reference=kafka-proof").split()[0], NAME)
    docker("pull", pushed[0])
    play = image_play(stack, kafka_image_source="pull", kafka_image_pull=pushed[0])
    assert play.ok, play.message
    missing = f"{registry}/kafka:none"
    play = image_play(stack, kafka_image_source="pull", kafka_image_pull=missing)
    assert not play.ok
    assert missing in play.message
    assert "kafka_image_source" in play.message


def test_auto_prefers_to_pull(stack, pushed):
    play = image_play(stack, kafka_image_pull=pushed[1])
    assert play.ok, play.message
    assert play.changed, play.message
    assert not [name for name in play.changed_tasks if "Build" in name]


def test_load(stack, image, tmp_path):
    remove(NAME)
    archive = tmp_path / "kafka.tar"
    docker("save", "--output", str(archive), image)
    wanted = {"kafka_image_source": "load", "kafka_image_archive": str(archive)}
    try:
        foretold = image_play(stack, "--check", "--diff", **wanted)
        assert foretold.ok, foretold.message
        assert foretold.changed, foretold.message
        first = image_play(stack, **wanted)
        assert first.ok, first.message
        assert first.changed, first.message
        assert docker("inspect", "--format", "{{.Id}}", NAME) == docker("inspect", "--format", "{{.Id}}", image)
        again = image_play(stack, **wanted)
        assert again.ok, again.changed_tasks
        assert not again.changed, again.changed_tasks
    finally:
        remove(NAME)


def empty_tar(path):
    with tarfile.open(path, "w"):
        pass


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda path: None, "does not exist", id="missing", marks=pytest.mark.long),
        pytest.param(
            lambda path: path.write_text("no tarball"), "is no image", id="not a tarball", marks=pytest.mark.long
        ),
        pytest.param(empty_tar, "is no image", id="a tarball of something else"),
    ],
)
def test_a_bad_tarball_is_refused(stack, tmp_path, make, said):
    archive = tmp_path / "kafka.tar"
    make(archive)
    play = image_play(stack, kafka_image_source="load", kafka_image_archive=str(archive))
    assert not play.ok
    assert str(archive) in play.message
    assert said in play.message
    assert not play.changed


@pytest.mark.long
def test_contradicting_settings_are_refused(stack, tmp_path):
    play = image_play(stack, kafka_image_archive=str(tmp_path / "kafka.tar"))
    assert not play.ok
    assert "kafka_image_source=load" in play.message


@pytest.fixture(params=["stack", "kraft"])
def deployed(request):
    """A stack of each line of Kafka: 3.9 with ZooKeeper, and 4."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def made(deployed):
    """The image that is deployed, and its version of Kafka."""
    image = docker("inspect", "-f", "{{.Config.Image}}", deployed.kafka)
    return image, image.partition(":")[2].rpartition("-")[0]


def test_the_image_has_what_the_article_uses(made):
    image, version = made
    there = docker("run", "--rm", image, "ls", "/opt/kafka/bin").split()
    wanted = COMMANDS.split() + (OF_ZOOKEEPER if version.startswith("3.") else OF_KAFKA_4).split()
    assert {f"{command}.sh" for command in wanted} <= set(there)
    assert docker("run", "--rm", image, "id", "--user", "--name") == "appuser"
    assert int(docker("image", "inspect", "--format", "{{.Size}}", image)) <= 400_000_000


def test_the_image_lists_what_it_holds(made):
    image, version = made
    found = json.loads(docker("run", "--rm", image, "cat", "/opt/kafka/sbom.cdx.json"))
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.5")
    jars = [each for each in found["components"] if each["purl"].startswith("pkg:maven/")]
    sums = (RECIPE / f"{version}.sha256").read_text().split()[::2]
    assert sorted(each["hashes"][0]["content"] for each in jars) == sorted(sums)
    installed = docker("run", "--rm", image, "cat", "/var/lib/dpkg/status").count("\nStatus: install ok installed")
    assert len(found["components"]) - len(jars) == installed
    java = "openjdk-17-jre-headless" if version.startswith("3.") else "openjdk-25-jre-headless"
    assert {java, "kafka-clients"} <= {each["name"] for each in found["components"]}


def test_the_image_has_the_licences(made):
    image, version = made
    there = docker("run", "--rm", image, "bash", "-c", "cd /opt/kafka && ls LICENSE NOTICE licenses").split()
    assert {"LICENSE", "NOTICE", f"kafka-clients-{version}-jar"} <= set(there)
    assert [name for name in there if name.startswith("scala-library-2.13.")]


def test_commands_of_the_article_are_quiet(deployed):
    script = "cd /opt/kafka/bin && ./kafka-topics.sh --bootstrap-server localhost:19092 --list"
    done = subprocess.run(
        ["docker", "exec", deployed.kafka, "bash", "-c", script], capture_output=True, text=True, check=True
    )
    assert "kafka_demo" in done.stdout.split()
    assert done.stderr == "", "kafka-topics.sh says more than its answer"


def test_an_archive_of_the_image_serves_the_broker(kraft):
    said = docker("exec", kraft.kafka, "bash", "-c", "tr '\\0' ' ' </proc/1/cmdline")
    assert "-XX:AOTCache=/opt/kafka/kafka.aot" in said
    assert "AOT" not in docker("logs", kraft.kafka)

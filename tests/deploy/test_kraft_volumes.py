"""A volume of a node without its container: data of another cluster or of a newer Kafka is refused, and stays."""

import pytest

from tests.deploy.conftest import in_volume
from tests.support.engine import docker

pytestmark = pytest.mark.xdist_group("deploy/kraft")


@pytest.fixture(scope="module")
def alone(kraft):
    """The stack's volume without its container, which comes back after the tests, with its messages."""
    kraft.produce("kept")
    cluster, kept = kraft.wait_ready()["cluster_id"], kraft.messages()
    kraft.image = docker("inspect", "-f", "{{.Config.Image}}", kraft.kafka)
    kraft.teardown(data=False)
    yield kraft
    kraft.site()
    assert (kraft.wait_ready()["cluster_id"], kraft.messages()) == (cluster, kept)


@pytest.mark.parametrize(
    ("harm", "repair", "words"),
    [
        pytest.param(
            "sed -i.kept s/cluster.id=.*/cluster.id=AAAAAAAAQACAAAAAAAAAAA/ meta.properties",
            "mv meta.properties.kept meta.properties",
            ["holds the data of another cluster", "stack_name"],
            id="of another cluster",
        ),
        pytest.param(
            "echo 99.1.0 >.version",
            "rm .version",
            ["Kafka 99.1.0 ran on the volume", "Set stack_kafka_version to that version"],
            id="of a newer Kafka",
        ),
    ],
)
def test_a_volume_that_is_not_its_own(alone, harm, repair, words):
    in_volume(alone, harm)
    play = alone.play("site.yml")
    assert not play.ok
    assert not [word for word in words if word not in play.message], play.message
    assert docker("ps", "-aq", "--filter", f"name=^{alone.kafka}$") == ""
    in_volume(alone, repair)


def test_a_volume_without_a_label_that_is_of_another_cluster(alone):
    data, kept = f"{alone.kafka}-data", f"{alone.name}-kept"

    def copy(source, target):
        mounts = ["--volume", f"{source}:/from", "--volume", f"{target}:/to"]
        docker("run", "--rm", "--user", "0", *mounts, "--entrypoint", "cp", alone.image, "-a", "/from/.", "/to/")

    labels = docker("volume", "inspect", "-f", "{{range $key, $value := .Labels}}{{$key}}={{$value}} {{end}}", data)
    copy(data, kept)
    docker("volume", "rm", data)
    copy(kept, data)
    before = alone.state()
    for options, words in (
        ({}, "no label says that it is this stack's"),
        ({"stack_adopt_volumes": True}, "holds the data of another cluster"),
    ):
        play = alone.play("site.yml", **options)
        assert words in play.message
        assert (alone.state()["containers"], alone.state()["volumes"]) == (before["containers"], before["volumes"])

    docker("volume", "rm", data)
    docker("volume", "create", *(word for label in labels.split() for word in ("--label", label)), data)
    copy(kept, data)
    docker("volume", "rm", kept)

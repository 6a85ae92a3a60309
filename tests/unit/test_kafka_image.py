"""Which image is the wanted one: the decisions of the role kafka_image, without an engine."""

import io
import json
import tarfile

import pytest

from kafka_proof.deploy.image import (
    image_archive,
    image_archives,
    image_giver,
    image_is_there,
    image_problems,
    image_recipe,
    images_problems,
    loaded_image,
)

DIGEST = "sha256:" + "a" * 64
IMAGE = {"id": "sha256:1", "tags": ["kafka-proof:3.9.2-01234567"], "digests": [f"apache/kafka@{DIGEST}"]}


@pytest.mark.parametrize(
    ("image", "source", "reference", "there"),
    [
        (None, "auto", "", False),
        (IMAGE, "auto", "", True),
        (IMAGE, "build", "", True),
        (IMAGE, "pull", f"docker.io/apache/kafka@{DIGEST}", True),
        (IMAGE, "pull", f"apache/kafka@sha256:{'b' * 64}", False),
        (IMAGE, "pull", "registry.example/kafka:3.9.2", False),
    ],
)
def test_image_is_there(image, source, reference, there):
    assert image_is_there(image, source, reference, {}) is there


REFUSED = {"refusal": "connection refused"}
PULLED = {"refusal": ""}


@pytest.mark.parametrize(
    ("hosts", "giver"),
    [
        pytest.param([(None, REFUSED), (None, REFUSED)], "host-1", id="nobody has it, so the first builds it"),
        pytest.param([(None, REFUSED), (IMAGE, None)], "host-2", id="a host was added"),
        pytest.param([(None, REFUSED), (None, PULLED)], "host-2", id="one reaches the registry"),
        pytest.param([(None, None), (None, None)], "host-1", id="nobody tried to pull"),
    ],
)
def test_image_giver(hosts, giver):
    facts = [
        {"inventory_hostname": f"host-{number}", "__stack_engine": {"image": image}}
        | ({"__kafka_image_pull": pull} if pull else {})
        for number, (image, pull) in enumerate(hosts, 1)
    ]
    assert image_giver(facts, {"host-1": "one", "host-2": "other"}) == giver


def test_who_shares_an_engine_with_the_first_of_it_does_not_build():
    facts = [{"inventory_hostname": name, "__stack_engine": {}} for name in ("broker", "zookeeper")]
    assert image_giver(facts, {"zookeeper": "local", "broker": "local"}) == "zookeeper"


@pytest.mark.parametrize(
    ("said", "image"),
    [
        ("Loaded image: kafka:1\n", "kafka:1"),
        ("abc: Loading layer 1 MB/2 MB\nLoaded image: a:1\n", "a:1"),
        ("Loaded image ID: sha256:1\n", "sha256:1"),
    ],
)
def test_the_image_that_was_loaded(said, image):
    assert loaded_image(said) == image


def archive(path, *images):
    manifest = json.dumps(images).encode()
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(manifest)
        tar.addfile(member, io.BytesIO(manifest))
    return path


@pytest.mark.parametrize("config", ["1.json", "blobs/sha256/1"])  # as engines before and since 25 write it
def test_the_image_of_an_archive_is_known_by_its_id(tmp_path, config):
    path = archive(tmp_path / "image.tar", {"Config": config, "RepoTags": None})
    assert image_archive(path) == {"id": "1", "tags": []}
    assert image_is_there(IMAGE, "load", "", {"id": "1"})
    assert not image_is_there(IMAGE, "load", "", {"id": "2"})


def test_an_archive_of_several_images_is_refused(tmp_path):
    one = {"Config": "1.json", "RepoTags": None}
    assert "2 images" in image_archive(archive(tmp_path / "image.tar", one, one))["problem"]


def test_what_is_no_archive_is_said_by_name(tmp_path):
    path = tmp_path / "image.tar"
    assert f"{path} does not exist" in image_archive(path)["problem"]
    path.write_text("no tarball")
    assert f"{path} is no image" in image_archive(path)["problem"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (("load", "", {}, "1"), ["kafka_image_source is load", "''", "set both or neither"]),
        (("auto", "/x.tar", {}, "1"), ["kafka_image_source is auto", "'/x.tar'"]),
        (("load", "/x.tar", {"problem": "/x.tar is no image"}, "1"), ["/x.tar is no image"]),
        (("build", "", {}, "9"), ["have no checksums", "Kafka 9", "stack_kafka_version", "jars.sh 9 --trust"]),
    ],
)
def test_image_problems(tmp_path, variables, words):
    (tmp_path / "1.sha256").touch()
    source, archive, content, version = variables
    [problem] = image_problems({"source": source, "archive": archive, "version": version}, content, tmp_path)
    assert not [word for word in words if word not in problem], problem


def test_images_of_all_hosts(tmp_path):
    path = archive(tmp_path / "image.tar", {"Config": "1.json", "RepoTags": None})
    none = tmp_path / "none.tar"
    wanted = [
        {"host": "a", "source": "load", "archive": str(path), "version": "1"},
        {"host": "b", "source": "load", "archive": str(none), "version": "1"},
        {"host": "c", "source": "auto", "archive": "", "version": "1"},
    ]
    contents = image_archives(wanted)
    assert contents[str(path)] == {"id": "1", "tags": []}
    [problem] = images_problems(wanted, contents, tmp_path)
    assert problem.startswith(f"b: {none} does not exist")


def test_no_image_problems(tmp_path):
    (tmp_path / "1.sha256").touch()
    for source, path, version in [("auto", "", "9"), ("pull", "", "9"), ("build", "", "1"), ("load", "/x.tar", "9")]:
        wanted = {"source": source, "archive": path, "version": version}
        assert image_problems(wanted, {"id": "1"} if path else {}, tmp_path) == []


def test_image_recipe_is_of_the_version_and_of_the_files(tmp_path):
    for name, text in {"Dockerfile": "a", "base.sh": "b", "1.sha256": "c", "2.sha256": "d", ".swp": "e"}.items():
        (tmp_path / name).write_text(text)
    recipes = {version: image_recipe(version, tmp_path) for version in "12"}
    assert recipes["1"] != recipes["2"]
    (tmp_path / "2.sha256").write_text("other")
    assert image_recipe("1", tmp_path) == recipes["1"]
    (tmp_path / "Dockerfile").write_text("other")
    assert image_recipe("1", tmp_path) != recipes["1"]


@pytest.mark.parametrize(
    ("reference", "listed"),
    [
        ("registry.example:5000/kafka", "registry.example:5000/kafka:latest"),
        ("docker.io/library/kafka:1", "kafka:1"),
        ("apache/kafka:4.1.1", "apache/kafka:4.1.1"),
        ("apache/kafka@sha256:0a", "apache/kafka@sha256:0a"),
    ],
)
def test_a_pulled_image_is_known_by_each_way_to_write_its_name(reference, listed):
    image = {"id": "sha256:1", "tags": [listed], "digests": []}
    assert image_is_there(image, "pull", reference, {})
    assert not image_is_there(image, "pull", f"other/{reference}", {})

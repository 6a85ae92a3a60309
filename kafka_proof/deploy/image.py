"""The image of a stack: where it comes from, whether it exists, and what prevents it."""

import hashlib
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kafka_proof.deploy.engines import is_first

Contents = Mapping[str, Mapping[str, Any]]  # {path of a tarball: what `image_archive` returned}


class ImageError(Exception):
    """The engine did not load an image. The message is one line."""


def image_recipe(version: str, files: Path) -> str:
    """Return a checksum of the recipe of this Kafka's image, 64 hexadecimal digits. `files`: the recipe's directory."""
    paths = [path for path in files.glob("[!.]*") if path.suffix != ".sha256" or path.stem == version]
    texts = [path.read_text().rstrip() for path in sorted(paths, key=lambda path: path.name.lower())]
    return hashlib.sha256(",".join(texts).encode()).hexdigest()


def image_is_there(image: Mapping[str, Any] | None, source: str, reference: str, content: Mapping[str, Any]) -> bool:
    """Return whether the image of the right name comes from the right source.

    image: as kafka_proof.deploy.engine.parse shows it, or None; source: auto, pull, build or load; reference: of the
    pull; content: what `image_archive` returned for the tarball to load.
    """
    if not image:
        return False
    if source == "pull":
        return _listed(reference) in [*image["tags"], *image["digests"]]
    return source != "load" or image["id"] == f"sha256:{content['id']}"


def _listed(reference: str) -> str:
    """Return a reference as the engine lists it: kafka:latest for docker.io/library/kafka."""
    name = reference.removeprefix("docker.io/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def image_giver(hosts: Iterable[Mapping[str, Any]], engine_of: Mapping[str, str]) -> str:
    """Return the host from which the others take the image: one that has it, else the first, which builds it.

    hosts: the variables of each host; `inventory_hostname`, `__stack_engine` (the engine's report) and
    `__kafka_image_pull` (the result of a pull, if one was tried) are read. engine_of: {host: engine}; only the first
    host of an engine provides images.
    """
    having = {host["inventory_hostname"]: _has_image(host) for host in hosts}
    names = [name for name in having if having[name]] or [name for name in having if is_first(engine_of, name)]
    return str(names[0])


def _has_image(host: Mapping[str, Any]) -> bool:
    return bool(host["__stack_engine"].get("image")) or host.get("__kafka_image_pull", {}).get("refusal") == ""


def image_wanted(hosts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return [{host, source, archive, version}]: the image of each host. `hosts`: {host: its variables, checked}."""
    return [
        {
            "host": host,
            "source": values["kafka_image_source"],
            "archive": str(Path(values["kafka_image_archive"]).resolve()) if values["kafka_image_archive"] else "",
            "version": values["stack_kafka_version"],
        }
        for host, values in hosts.items()
    ]


def image_archives(wanted: Iterable[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Return {path: what `image_archive` returns} of the tarballs that hosts load. Each is read once."""
    paths = {item["archive"] for item in wanted if item["source"] == "load" and item["archive"]}
    return {path: image_archive(path) for path in sorted(paths)}


def image_archive(path: str) -> dict[str, Any]:
    """Return the content of an image's tarball: {id: str, tags: [str]}, or {problem: str}."""
    try:
        with tarfile.open(path) as tar:
            images = json.load(tar.extractfile("manifest.json") or ())  # type: ignore[arg-type]
    except FileNotFoundError:
        return {"problem": f"{path} does not exist. Correct kafka_image_archive."}
    except (OSError, tarfile.TarError, KeyError, ValueError, EOFError, AttributeError) as error:
        return {
            "problem": f"{path} is no image ({error}). Name a tarball that `docker save --output FILE IMAGE` wrote."
        }
    if len(images) != 1:
        return {"problem": f"{path} holds {len(images)} images. Save one: docker save --output FILE IMAGE."}
    return {"id": Path(images[0]["Config"]).name.removesuffix(".json"), "tags": images[0]["RepoTags"] or []}


def images_problems(wanted: Iterable[Mapping[str, str]], contents: Contents, files: Path) -> list[str]:
    """Return why images cannot be provided. `wanted`: of `image_wanted`; files: the directory of checksums."""
    return [
        f"{item['host']}: {message}"
        for item in wanted
        for message in image_problems(item, contents.get(item["archive"], {}), files)
    ]


def image_problems(wanted: Mapping[str, str], content: Mapping[str, Any], files: Path) -> Sequence[str]:
    """Return why one host's image cannot be provided. `content`: what `image_archive` returned for its tarball."""
    source, archive, version = wanted["source"], wanted["archive"], wanted["version"]
    problems = []
    if (source == "load") != (archive != ""):
        problems.append(
            f"kafka_image_source is {source} and kafka_image_archive is '{archive}'. "
            "To load a tarball, set kafka_image_source=load and kafka_image_archive=FILE; set both or neither."
        )
    if "problem" in content:
        problems.append(content["problem"])
    if source == "build" and not (files / f"{version}.sha256").is_file():
        problems.append(
            f"the jars of Kafka {version} have no checksums in {files}. "
            f"Correct stack_kafka_version, or create them in an empty directory: {files}/jars.sh {version} --trust"
        )
    return problems


def loaded_image(said: str) -> str:
    """Return the name or the id in the output of `docker load`. Raises ImageError when it has none."""
    for line in reversed(said.splitlines()):
        if line.startswith("Loaded image"):
            return line.split(": ", 1)[1].strip()
    raise ImageError(f"The engine named no image: {said.strip() or 'it said nothing'}")

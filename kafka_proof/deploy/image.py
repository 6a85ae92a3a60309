"""Decisions of the role kafka_image, as functions."""

import hashlib
import json
import tarfile
from pathlib import Path


class ImageError(Exception):
    """The engine did not load an image. The message is one line."""


def image_recipe(version, files):
    """Return a checksum of the recipe of this Kafka's image, 64 hexadecimal digits. `files`: the recipe's directory."""
    files = [file for file in files.glob("[!.]*") if file.suffix != ".sha256" or file.stem == version]
    texts = [file.read_text().rstrip() for file in sorted(files, key=lambda file: file.name.lower())]
    return hashlib.sha256(",".join(texts).encode()).hexdigest()


def image_is_there(image, source, reference, content):
    """Whether the image that has the wanted name is from where it is wanted.

    `image`: as engine_look shows it, or None; `source`: auto, pull, build or load; `reference`: what is pulled;
    `content`: what `image_archive` said of the tarball that is loaded.
    """
    if not image:
        return False
    if source == "pull":
        return reference.removeprefix("docker.io/") in [*image["tags"], *image["digests"]]
    if source == "load":
        return image["id"] == f"sha256:{content['id']}"
    return True


def image_giver(hosts):
    """The name of the host from which the others take the image: one that has it, else the first, which builds it.

    `hosts`: the variables of each host, of which these matter: `inventory_hostname`; `__stack_engine`, what engine_look
    saw; `__kafka_image_pull`, what came of a pull, if one was tried.
    """
    for host in hosts:
        pull = host.get("__kafka_image_pull", {})
        if host["__stack_engine"].get("image") or pull.get("refusal") == "":
            return host["inventory_hostname"]
    return next(host["inventory_hostname"] for host in hosts if host.get("_stack_first_on_engine", True))


def image_wanted(hosts):
    """Return [{host, source, archive, version}]: which image each host wants.

    `hosts`: the variables of each host; `inventory_hostname` and `__stack_variables` are read.
    """
    found = []
    for host in hosts:
        values = host["__stack_variables"]["values"]
        archive = values["kafka_image_archive"]
        found.append(
            {
                "host": host["inventory_hostname"],
                "source": values["kafka_image_source"],
                "archive": str(Path(archive).resolve()) if archive else "",
                "version": values["stack_kafka_version"],
            }
        )
    return found


def image_archives(wanted):
    """What the tarballs hold that hosts load: {path: what `image_archive` says}, each read once, as that takes a while.

    `wanted`: list of {host, source, archive, version}.
    """
    paths = {item["archive"] for item in wanted if item["source"] == "load" and item["archive"]}
    return {path: image_archive(path) for path in sorted(paths)}


def image_archive(path):
    """What an image's tarball holds: {"id": str, "tags": [str]}, or {"problem": str}: what, where, and what to do."""
    try:
        with tarfile.open(path) as tar:
            images = json.load(tar.extractfile("manifest.json"))
    except FileNotFoundError:
        return {"problem": f"{path} is not there. Correct kafka_image_archive."}
    except (OSError, tarfile.TarError, KeyError, ValueError, EOFError) as error:
        return {
            "problem": f"{path} is no image ({error}). Name a tarball that `docker save --output FILE IMAGE` wrote."
        }
    if len(images) != 1:
        return {"problem": f"{path} holds {len(images)} images. Save one: docker save --output FILE IMAGE."}
    return {"id": Path(images[0]["Config"]).name.removesuffix(".json"), "tags": images[0]["RepoTags"] or []}


def images_problems(wanted, contents, files):
    """What of the images that hosts want cannot work.

    `wanted`: list of {host, source, archive, version}; `contents`: of `image_archives`; `files`: see `image_problems`.
    """
    return [
        f"{item['host']}: {message}"
        for item in wanted
        for message in image_problems(
            item["source"], item["archive"], contents.get(item["archive"], {}), item["version"], files
        )
    ]


def image_problems(source, archive, content, version, files):
    """What in one host's variables cannot work.

    `source`, `archive`: kafka_image_source and kafka_image_archive; `content`: what `image_archive` said of
    the archive; `version`: Kafka's; `files`: the directory that holds the checksums of the jars, by version.
    """
    problems = []
    if (source == "load") != (archive != ""):
        problems.append(
            f"kafka_image_source is {source} and kafka_image_archive is '{archive}'. "
            "A tarball is loaded with kafka_image_source=load and kafka_image_archive=FILE; set both or neither."
        )
    if "problem" in content:
        problems.append(content["problem"])
    if source == "build" and not (Path(files) / f"{version}.sha256").is_file():
        problems.append(
            f"there are no checksums for the jars of Kafka {version} in {files}. "
            f"Correct stack_kafka_version, or make them, in an empty directory: {files}/jars.sh {version} --trust"
        )
    return problems


def loaded_image(said):
    """The name or the id in what `docker load` said. Raises ImageError when it says none."""
    for line in reversed(said.splitlines()):
        if line.startswith("Loaded image"):
            return line.split(": ", 1)[1].strip()
    raise ImageError(f"The engine named no image: {said.strip() or 'it said nothing'}")

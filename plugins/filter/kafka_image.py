"""Decisions of the role kafka_image, as functions."""

import json
import tarfile
from pathlib import Path


def image_is_there(images, name, source, reference, content):
    """Whether the engine has the image under its name, and from where it is wanted.

    `images`: as the engine lists them; `name`: the local name; `source`: auto, pull, build or load; `reference`: what
    is pulled; `content`: what `image_archive` said of the tarball that is loaded.
    """
    for image in images:
        if name in (image["RepoTags"] or []):
            if source == "pull":
                return reference.removeprefix("docker.io/") in [*image["RepoTags"], *(image["RepoDigests"] or [])]
            if source == "load":
                return image["Id"] == f"sha256:{content['id']}"
            return True
    return False


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


class FilterModule:
    """Make the functions available to the role."""

    def filters(self):
        return {function.__name__: function for function in (image_is_there, image_archive)}

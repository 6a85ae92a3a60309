"""Configuration files as text, and as the archive that `docker cp` takes."""

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kafka_proof.client.secret_files import read
from kafka_proof.client.text import setting_text

OWNER = 1000  # user and group of the image, built or pulled
PLAIN_SECRET = "plain."  # beginning of the name of a file in CONFIG: the password of a user, in quotation marks of JAAS


def to_properties(settings: Mapping[str, object]) -> str:
    """Return settings as a .properties file, sorted, so that the same settings give the same text.

    A setting that is None is left out. Only necessary escapes are written (javaproperties would write
    `localhost\\:9092`), because kcat reads the same files and knows no escapes. Java reads ISO-8859-1.
    """
    return "".join(f"{key}={_text(settings[key])}\n" for key in sorted(settings) if settings[key] is not None)


def _text(value: object) -> str:
    text = setting_text(value).strip().replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return re.sub(r"[^\x00-\x7f]", _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def to_archive(files: Mapping[str, str], modified: float = 0) -> bytes:
    """Return a tar archive of {name: text}, readable by the image's user alone. The same files give the same bytes.

    modified: time of each file, in seconds since 1970.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in sorted(files.items()):
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.mtime = modified
            member.size, member.mode, member.uid, member.gid = len(content), 0o400, OWNER, OWNER
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def from_archive(archive: bytes) -> dict[str, str]:
    """Return {name: text} of the files in a tar archive, as `docker cp CONTAINER:DIRECTORY -` writes it."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name.rpartition("/")[2]: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read().decode() for name, file in files.items() if file}


def read_secrets(secrets: Mapping[str, Sequence[str]], directory: str, missing_ok: bool) -> dict[str, str]:
    """Return {name: text} of the files that are made of parts, {name: paths in the directory}.

    The text of a PLAIN_SECRET is quoted. missing_ok: a part that does not exist yet is empty, as in check mode. Raises
    OSError.
    """

    def content(name: str, path: Path) -> str:
        if missing_ok and not path.exists():
            return ""
        return quoted(read(path)) if name.startswith(PLAIN_SECRET) else path.read_text(encoding="utf-8")

    return {name: "".join(content(name, Path(directory, part)) for part in parts) for name, parts in secrets.items()}


def quoted(text: str) -> str:
    """Return text as it stands between the quotation marks of a login module's option (JAAS)."""
    return text.replace("\\", "\\\\").replace('"', '\\"')

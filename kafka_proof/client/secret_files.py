"""Secrets in files, in a directory that its owner alone may enter: `user_file` and `client_file` of stack_secrets.

A file is complete or absent: it is written under another name first.
"""

import os
import re
import secrets
import string
from pathlib import Path

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32  # 190 bits


def user_file(secrets: str | Path, name: str) -> Path:
    """Return the path of a user's password."""
    return path_of(Path(secrets, "users"), name)


def client_file(secrets: str | Path, name: str) -> Path:
    """Return the path of a client's certificate and key, without .pem and .key."""
    return path_of(Path(secrets, "clients"), name)


def read_or_make(path: Path) -> str:
    """Return the secret in a file; make one of 32 letters and digits if there is none. Raises OSError."""
    if not path.exists():
        write(path, _new())
    return read(path)


def read(path: Path) -> str:
    """Return the secret in a file, without the end of a line that an editor or `echo` adds. Raises OSError."""
    return path.read_text(encoding="utf-8").rstrip("\r\n")


def keep(path: Path, given: str | None, check: bool = False) -> bool:
    """Keep the given secret in a file; without one, that of the file, or a new one. Return whether the file changes.

    check: change nothing. Raises OSError.
    """
    before = read(path) if path.exists() else None
    if before is not None and given in (None, before):
        return False
    if not check:
        write(path, given or _new())
    return True


def unusable(password: str) -> str:
    """Return why a password cannot stand in a file of properties, as the end of a sentence; "" where it can."""
    if password == password.strip() and not re.search(r"[\x00-\x1f\x7f]", password):
        return ""
    return (
        "has a control character, or a space at an end. A block of YAML (|) ends with a newline: write |-, or use "
        "quotation marks"
    )


def path_of(directory: str | Path, name: str) -> Path:
    """Return the path for a name, which can be any text: it never leaves the directory."""
    safe = re.sub(r"[^\w.@-]", lambda found: "".join(f"%{byte:02x}" for byte in found[0].encode()), name, flags=re.A)
    return Path(directory) / (f"%2e{safe[1:]}" if safe.startswith(".") else safe)


def write(path: Path, text: str) -> None:
    """Write a file with mode 0600 in a directory with mode 0700, whatever the umask. Raises OSError."""
    make_directory(path.parent)
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Create a directory, and those above it, that their owner alone may enter, unless they exist. Raises OSError."""
    for each in reversed([path, *path.parents]):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)


def _new() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))

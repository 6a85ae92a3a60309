"""Text that others chose (names, log lines, errors) is data: make it safe for the terminal, and fit for a line."""

import re
from pathlib import Path

# C0 and C1 controls, the line and paragraph separators, and the marks that reorder what follows them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: object) -> str:
    r"""Return `text` with control characters escaped, such as \x1b and \n, so that it cannot forge or hide output."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def write_whole(path: Path, text: str) -> None:
    """Write a file, and the directories above it: complete, or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def setting_text(value: object) -> str:
    """Return the value of a setting as Kafka writes it: true, 5000 for 5e3, and a list with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return ",".join(map(setting_text, value)) if isinstance(value, list) else str(value)


def number(value: object) -> int:
    """Return a whole number, also from text and from 5e3; 0 for what is none, which a broker refuses."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return 0


def one_line(text: object, limit: int = 300) -> str:
    """Return `text` as one printable line of at most `limit` characters."""
    return printable(" ".join(str(text).split()))[:limit]

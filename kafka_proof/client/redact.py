"""Mask secrets in support bundles and in output of --diff."""

import re
from collections.abc import Collection
from typing import Any

MASK = "***"
# As in names of settings, variables and options. Kafka's plug-ins choose their own.
_SECRET = r"pass(?:word|wd|phrase)|pwd|secret|jaas|key|token|credential|user\.info"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_NAMED = rf"(?<![\w.\-])(?P<name>[\w.\-]*(?:{_SECRET})[\w.\-]*)"
# To the end of the line, with those that a backslash continues: a login has quotes and semicolons in it.
_ASSIGNED = re.compile(rf"{_NAMED}(?P<to>\\?[\"']?[ \t]*\\?[=:][ \t]*)(?:[^\n\\]|\\(?:\n|.|\Z))+", re.IGNORECASE)
# An environment variable, whose value can have many lines.
_VARIABLE = re.compile(rf"{_NAMED}=.+", re.IGNORECASE | re.DOTALL)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*")  # a JWT; a broker logs those that it refuses
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")
# A password where it is assigned: in a property, or in a login.
_PASSWORD = re.compile(
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|user\.info)[\w.\-]*[\"']?\s*\\?[=:]\s*"
    r"(?:\\?\"((?:[^\"\\]|\\.)+?)\\?\"|([^\s\"';,]+))",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Return whether the value of a setting of this name must not be shown."""
    return bool(_SECRET_NAME.search(name))


def passwords(text: str) -> set[str]:
    """Return the passwords of 6 characters and more that a text assigns to a name. They must not appear elsewhere."""
    found = {double or plain for double, plain in _PASSWORD.findall(text)}
    return {value for value in found if len(value) >= 6 and value not in ("[hidden]", "(none)")}


def masked(text: str, known: Collection[str] = ()) -> str:
    """Return a text without secrets: values of names such as "password", private keys, tokens, passwords in addresses.

    `known`: passwords that were found elsewhere; they are masked everywhere.
    """
    text = _TOKEN.sub(MASK, _PRIVATE_KEY.sub(MASK, text))
    text = _ASSIGNED.sub(rf"\g<name>\g<to>{MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def masked_json(value: Any, known: Collection[str] = ()) -> Any:
    """Return a value of JSON without secrets, as `masked` does; a text can be an environment variable or a file."""
    if isinstance(value, dict):
        return {
            key: MASK if item and is_secret(key) and not isinstance(item, dict) else masked_json(item, known)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked_json(item, known) for item in value]
    if not isinstance(value, str):
        return value
    variable = _VARIABLE.fullmatch(value)
    return f"{variable['name']}={MASK}" if variable else masked(value, known)

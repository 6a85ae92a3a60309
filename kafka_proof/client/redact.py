"""Secrets do not appear in what people pass on: support archives, and what --diff shows."""

import re

MASK = "***"
_SECRET_NAME = re.compile(r"pass(word|wd|phrase)|secret|jaas|key|token|credential", re.IGNORECASE)
_NAMED = r"(?<![\w.\-])(?P<name>[\w.\-]*(?:pass(?:word|wd|phrase)|secret|jaas|key|token|credential)[\w.\-]*)"
# To the end of the line, with those that a backslash continues: a login has quotes and semicolons in it.
_ASSIGNED = re.compile(rf"{_NAMED}(?P<to>\\?[\"']?[ \t]*\\?[=:][ \t]*)(?:[^\n\\]|\\(?:\n|.|\Z))+", re.IGNORECASE)
# An environment variable, whose value may have many lines.
_VARIABLE = re.compile(rf"{_NAMED}=.+", re.IGNORECASE | re.DOTALL)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")
# What a password is, where it is given: in a property, or in a login.
_PASSWORD = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|token)[\w.\-]*[\"']?\s*\\?[=:]\s*(?:\\?\"((?:[^\"\\]|\\.)+?)\\?\"|([^\s\"';,]+))",
    re.IGNORECASE,
)


def passwords(text):
    """The passwords that a text gives by name, of 6 characters and more: the set of what must not appear elsewhere."""
    found = {double or plain for double, plain in _PASSWORD.findall(text)}
    return {value for value in found if len(value) >= 6 and value not in ("[hidden]", "(none)")}


def masked(text, known=()):
    """A text without secrets: what is assigned to a name that sounds like one, private keys, passwords in addresses.

    `known`: passwords that were found elsewhere; they are masked wherever they stand.
    """
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _ASSIGNED.sub(rf"\g<name>\g<to>{MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def masked_json(value, known=()):
    """A value of JSON without secrets, as `masked` has it; a text in it may be an environment variable, or a file."""
    if isinstance(value, dict):
        return {
            key: MASK if item and _SECRET_NAME.search(key) and not isinstance(item, dict) else masked_json(item, known)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked_json(item, known) for item in value]
    if not isinstance(value, str):
        return value
    variable = _VARIABLE.fullmatch(value)
    return f"{variable['name']}={MASK}" if variable else masked(value, known)

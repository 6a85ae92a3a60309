"""YAML for Ansible, in which text that others chose is no template."""

import yaml


class Template(str):
    """A text that `to_yaml` leaves to Ansible as a template."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # without types
    def ignore_aliases(self, data: object) -> bool:
        return True


def to_yaml(value: object) -> str:
    """Return a value as YAML for Ansible, in which no text but a Template is a template."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=130))


def _scalar(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    template = any(mark in text for mark in ("{{", "{%", "{#")) and not isinstance(text, Template)
    tag = "!unsafe" if template else "tag:yaml.org,2002:str"
    return dumper.represent_scalar(tag, str(text), style='"' if template else None)


_Dumper.add_representer(str, _scalar)
_Dumper.add_multi_representer(str, _scalar)  # Ansible's own subclasses, too

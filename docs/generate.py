"""Write docs/variables.md and docs/troubleshooting.md from their templates (docs/*.md.j2) and sources: `tox -e docs`.

docs/variables.md lists the variables of the roles (defaults/main.yml, meta/argument_specs.yml) and of the playbooks.
docs/troubleshooting.md has three lists:
- the diagnoses of kafka-doctor (kafka_proof/advice.py, docs/symptoms.yml)
- the known errors in a broker's log (kafka_proof/deploy/diagnosis.py)
- the states of kafka-lag (the docstring of kafka_proof/lag/state.py)
tests/unit/test_docs_generated.py fails when a page and its source differ.
"""

import json
import re
from pathlib import Path

import jinja2
import yaml

from kafka_proof.advice import ADVICE
from kafka_proof.deploy.diagnosis import SIGNS
from kafka_proof.lag import state

ROOT = Path(__file__).resolve().parents[1]
SYMPTOMS = yaml.safe_load((ROOT / "docs" / "symptoms.yml").read_text())


def main():
    for path, text in pages().items():
        (ROOT / path).write_text(text)
        print(path)


def pages():
    """Return the generated pages, dict[path below the repository, text]."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "docs"),
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: str(value).replace("|", "\\|"),  # every value is in a cell of a table
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"type": _type, "default_of": _default, "marked": _marked}
    values = {
        "roles": [_role(path.parts[-3]) for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))],
        "playbooks": _playbooks(),
        "symptoms": SYMPTOMS,
        "advice": ADVICE,
        "signs": SIGNS,
        "states": state.STATES,
        "meanings": dict(re.findall(r"^    ([A-Z_]+) +(.+)$", state.__doc__, re.MULTILINE)),
    }
    names = ("docs/variables.md", "docs/troubleshooting.md")
    return {name: environment.get_template(f"{Path(name).name}.j2").render(values) for name in names}


def _role(name):
    """Return what the page says of a role, as a dict; `comments` are those above the variables, {name: text}."""
    path = f"roles/{name}/defaults/main.yml"
    text = (ROOT / path).read_text()
    [spec] = (entry for name, entry in _specs(name).items() if name != "playbooks")
    return {
        "name": name,
        "path": path,
        "description": spec["short_description"],
        "options": spec["options"],
        "defaults": yaml.safe_load(text) or {},
        "comments": {name: f"{comment}." for comment, name in re.findall(r"^# (.*)\n(\w+):", text, re.MULTILINE)},
    }


def _playbooks():
    options = sorted(_specs("stack")["playbooks"]["options"].items())
    return {
        "options": options,
        "defaults": {name: _playbook_default(name) for name, _ in options},
        "comments": {name: option["description"] for name, option in options},
    }


def _specs(role):
    return yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]


def _playbook_default(name):
    """Return the default that a playbook gives to a variable, in `vars` or in an expression; None if there is none."""
    for text in [path.read_text() for path in sorted(ROOT.glob("playbooks/*.yml"))]:
        for play in yaml.safe_load(text):
            if name in (play.get("vars") or {}):
                return play["vars"][name]
        if constant := re.search(rf"\b{name} \| default\((true|false|\d+)\)", text):
            return json.loads(constant[1])
    return None


def _type(option):
    choices = option.get("choices")
    kind = f"list of {option['elements']}" if option.get("elements") else option["type"]
    return ", ".join(f"`{choice}`" for choice in choices) if choices else kind


def _default(value):
    if value is None:
        return "none"
    if isinstance(value, str) and (alias := re.fullmatch(r"{{ (\w+) }}", value)) and not alias[1].startswith("_"):
        return f"`{alias[1]}`"
    if "{{" in str(value):
        return "*computed*"
    return f"`{json.dumps(value) if not isinstance(value, str) or not value else value}`"


def _marked(text):
    """Return `text` with the names of settings, variables and files marked as code."""
    plain = re.compile(r"(?<![\w./-])[a-z_-]*[a-z](?:[._][a-z]+)+(?:=\w+)?")
    parts = text.split("`")  # every second part is code already
    return "`".join(part if index % 2 else plain.sub(r"`\g<0>`", part) for index, part in enumerate(parts))


if __name__ == "__main__":
    main()

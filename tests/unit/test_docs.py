"""The documentation names files, functions, commands and links that exist."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "roles/*/README.md", "examples/ci/README.md")
    for path in ROOT.glob(pattern)
)
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
CODE = re.compile(r"`([^`\n]+)`")
# The folders with which a path in the documentation begins.
FOLDERS = "bench|ci|docs|down|examples|kafka_proof|molecule|playbooks|plugins|roles|smoke|tests"
PATH = re.compile(
    rf"(?<![\w./-])(?:{FOLDERS})/[\w./*-]*|(?<![\w./-])(?:site\.yml|action\.yml|inventory\.example|tox\.ini)"
)


def names(path):
    """Return the names that a file defines at its top level: functions, classes and constants."""
    if path.suffix != ".py":
        return set(re.findall(r"^(\w+):", path.read_text(), re.MULTILINE))
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return found


def places():
    """Return list[(path, name)] of the table in architecture.md. A cell: `path` `name`, `name`; `path` `name`."""
    found = []
    for row in re.findall(r"^\|.*\|$", ARCHITECTURE.partition("## Where is it decided")[2], re.MULTILINE):
        for place in row.rstrip(" |").rpartition("|")[2].split(";"):
            words, path = CODE.findall(place), None
            for word in words:
                if "/" in word:
                    path = word
                else:
                    found.append((path, word))
    return found


SECURITY = (ROOT / "docs" / "security.md").read_text()
REFUSALS = ROOT / "tests" / "deploy" / "test_refusals.py"


def threats():
    """Return list[(threat, path, test)] of the table in security.md. A cell: `path` `test`, or cases of REFUSALS."""
    rows = re.findall(
        r"^\| (.*?) \|.*\| (.*) \|$", SECURITY.partition("## Threats")[2].partition("\n## ")[0], re.MULTILINE
    )
    found = []
    for threat, cell in rows[1:]:  # without the header
        words = CODE.findall(cell)
        path = ROOT / words.pop(0) if "/" in words[0] else REFUSALS
        found += [(threat, path, word) for word in words or [""]]
    return found


def cases(path):
    """Return what stands for a test in a file: functions, and keys of tables; those of nodes have a prefix."""
    constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    texts = {text for text in constants if isinstance(text, str)}
    return names(path) | texts | {f"{each}{text}" for each in texts if each.endswith(": ") for text in texts}


def test_threats_have_rows():
    assert len({threat for threat, _, _ in threats()}) > 15


@pytest.mark.parametrize(("threat", "path", "test"), threats())
def test_a_test_shows_each_protection(threat, path, test):
    assert path.exists(), threat
    assert not test or test in cases(path), threat


def test_each_refusal_is_in_the_table_of_threats():
    listed = {test for _, _, test in threats()}
    [table] = [
        node.value
        for node in ast.parse(REFUSALS.read_text()).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ANY"
    ]
    found = {key.value for key in table.left.keys}
    assert {name for name in found if "allowed" not in name} - listed == set()


def test_table_has_enough_answers():
    assert len(places()) > 25


@pytest.mark.parametrize(("path", "name"), places())
def test_name_in_the_architecture_is_defined_there(path, name):
    assert name in names(ROOT / path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_exist(page):
    text = page.read_text()
    found = {
        path for code in [*CODE.findall(text), *re.findall(r"```.*?```", text, re.S)] for path in PATH.findall(code)
    }
    assert [path for path in sorted(found) if not list(ROOT.glob(path.rstrip("./")))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            broken.append(target)
    assert broken == []


def anchors(text):
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_examples_of_the_roles_are_playbooks(tmp_path):
    plays = "".join(
        example.replace("playbooks/", f"{ROOT}/playbooks/")
        for page in sorted(ROOT.glob("roles/*/README.md"))
        for example in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    )
    (tmp_path / "play.yml").write_text(plays)
    command = ["ansible-playbook", "--syntax-check", tmp_path / "play.yml"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, plays.count("import_playbook")) == (0, 8), done.stderr


def test_index_lists_every_page():
    index = (ROOT / "docs" / "index.md").read_text()
    linked = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)\)", index)}
    assert sorted(set(PAGES) - linked - {ROOT / "docs" / "index.md"}) == []


def test_readme_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 80


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_installed(page):
    """kafka-lag and the like, but not Kafka's own kafka-topics.sh, nor names of hosts and containers."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    found = {code.split()[0] for code in CODE.findall(page.read_text()) if re.match(r"kafka-[a-z]+( --?\w|$)", code)}
    assert found - scripts.keys() <= {"kafka-python", "kafka-proof"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tox_environments_exist(page):
    environments = set(re.findall(r"^\[testenv:([\w-]+)\]", (ROOT / "tox.ini").read_text(), re.MULTILINE))
    found = {name for names in re.findall(r"tox -e ([\w,-]+)", page.read_text()) for name in names.split(",")}
    assert found <= environments

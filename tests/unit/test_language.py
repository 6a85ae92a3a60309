"""Documentation, messages, docstrings and comments avoid the phrases of docs/words.txt. Task names begin with a verb.

It catches habits; a reader judges the rest. Vale cannot be pinned: its package vale 3.25.1 has no program, and
downloads one on its first run, without a checksum.
"""

import ast
import re
import tokenize
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

TARGETS = (
    "*.cfg",
    "*.example",
    "*.md",
    "*.toml",
    ".ci/*",
    "bootstrap",
    "ci/*",
    "bench/*.py",
    "bench/*.yml",
    "docs/*.md",
    "docs/*.py",
    "down/*",
    "examples/**/*.ini",
    "examples/**/*.md",
    "examples/**/*.py",
    "kafka_proof/**/*.py",
    "molecule/**/*.yml",
    "molecule/**/*.py",
    "playbooks/*.yml",
    "plugins/**/*.py",
    "roles/*/*.md",
    "roles/*/*/*.yml",
    "site.yml",
    "smoke/*.py",
    "tests/**/*.py",
    "tox.ini",
)

_LINES = [line for line in (ROOT / "docs" / "words.txt").read_text().splitlines() if line and not line.startswith("#")]

WORDS = [
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, arrow, hint in (line.partition(" -> ") for line in _LINES)
    if arrow
]

VERBS = {verb for line in _LINES if " -> " not in line for verb in line.split()}

# Code, comments, and the table of smoke.md, whose first column repeats docstrings.
_NOT_PROSE = r"```.*?```|<!-- table -->.*?<!-- end -->|<!--.*?-->"

_SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`])")
# In code, a list after a colon has its items between semicolons, and a sentence can begin with a small letter.
_PART = re.compile(r"[.!?:;][\")]*\s+")


def files():
    return sorted({path for pattern in TARGETS for path in ROOT.glob(pattern)})


FILES = files()


def name(path):
    return str(path.relative_to(ROOT))


def prose(path):
    """Return the text of a file that people read: of Python its comments and strings, of Markdown all but code.

    Of tests, their remarks: the strings are data.
    """
    if path.is_relative_to(ROOT / "tests"):
        return "\n\n".join(remarks(path))
    if path.suffix == ".py":
        with path.open("rb") as file:
            tokens = [token for token in tokenize.tokenize(file.readline) if token.type in _TEXT]
        return "\n".join(token.string for token in tokens)
    text = path.read_text()
    return re.sub(r"`[^`\n]*`", "`code`", re.sub(_NOT_PROSE, "", text, flags=re.DOTALL))


# From Python 3.12 on, an f-string is several tokens.
_TEXT = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def phrases(text):
    """Return list[str]: each phrase to avoid, with its hint."""
    flat = re.sub(r"\s+(#\s+)?", " ", text)
    return [f"{found[0]!r}: {hint}" for pattern, hint in WORDS for found in pattern.finditer(flat)]


def sentences(text):
    """Return the sentences of Markdown outside tables, headings and code, list[str]."""
    blocks, lines = [], []
    for line in [*text.splitlines(), ""]:
        if not line.strip() or re.match(r"\||#|!\[|\s*[-*] |\s*\d+\. ", line):
            blocks.append(" ".join(lines))
            lines = []
        if not re.match(r"\||#|!\[", line):
            lines.append(re.sub(r"^\s*([-*]|\d+\.) ", "", line.strip()).replace("**", ""))
    return [sentence for block in blocks for sentence in _SENTENCE.split(block) if sentence]


def remarks(path):
    """Return the docstrings of a file, and the comments that have a line or more, list[str]."""
    lines, found = path.read_text().splitlines(), [[]]
    for line in lines:
        if comment := re.fullmatch(r"\s*#( .*|)", line):
            found[-1].append(comment[1].strip())
        else:
            found.append([])
    texts = ["\n".join(block) for block in found if block]
    if path.suffix == ".py":
        with_docstring = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, with_docstring)]
        texts += filter(None, map(ast.get_docstring, nodes))
    return texts


def parts(text):
    """Return the sentences of a remark outside tables and code, list[str]."""
    kept = ["" if re.search(r"\S {2,}\S|^ {4}", line) else line for line in text.splitlines()]
    text = re.sub(r"`[^`\n]*`", "`code`", "\n".join(kept))
    return [part for sentence in sentences(text) for part in _PART.split(sentence)]


def named_tasks(text):
    """Return the names of the tasks in a playbook or a file of tasks, list[str]; plays and imports are no tasks."""

    def walk(items):
        for item in items:
            if not {"hosts", "ansible.builtin.import_playbook"} & item.keys():
                yield item.get("name", "")
            for key in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always"):
                yield from walk(item.get(key) or [])

    return list(walk(yaml.safe_load(text) or []))


def not_verbs(text):
    """Return the names of tasks that do not begin with one of VERBS."""
    return [task for task in named_tasks(text) if task.partition(" ")[0] not in VERBS]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_phrases_to_avoid(path):
    assert phrases(prose(path)) == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".md"], ids=name)
def test_sentences_have_a_noun_as_subject(path):
    found = [sentence for sentence in sentences(prose(path)) if re.match(r"(What|Who|That which) ", sentence)]
    assert [sentence for sentence in found if not sentence.endswith("?")] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".md"], ids=name)
def test_sentences_are_short(path):
    assert [sentence for sentence in sentences(prose(path)) if len(sentence.split()) > 25] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix != ".md"], ids=name)
def test_remarks_are_short_and_have_a_noun_as_subject(path):
    found = [part for text in remarks(path) for part in parts(text)]
    assert [part for part in found if len(part.split()) > 25] == []
    assert [part for part in found if re.match(r"(What|Who|That which) ", part)] == []


def test_task_names_begin_with_a_verb():
    paths = [path for path in FILES if path.parent.name in ("tasks", "playbooks")]
    assert {name(path): found for path in paths if (found := not_verbs(path.read_text()))} == {}


# The checks themselves


@pytest.mark.parametrize(
    "text",
    [
        "Topics that are to be there.",
        "Check what is wanted first.",
        "A port of its own.",
        "Whoever calls it.",
        "It says who has it.",
        "A change goes\n# round the brokers.",
        "It is made anew.",
    ],
)
def test_check_finds(text):
    assert len(phrases(text)) >= 1


@pytest.mark.parametrize(
    "text", ["The path is to the left.", "It is 3.8 to 3.9.", "Its own port.", "The ratio is to 1."]
)
def test_check_accepts(text):
    assert phrases(text) == []


def test_check_of_sentences():
    text = "What a group has. Which one?\nWhat does it do?\n\n| What | x |\n\n- One.\n- What is left\n  over.\n"
    assert sentences(text) == ["What a group has.", "Which one?", "What does it do?", "One.", "What is left over."]
    assert parts("One: two; three. four\n    code\n\nkey   a table\n") == ["One", "two", "three", "four"]


def test_check_of_task_names():
    tasks = "- name: Create the network\n  debug:\n- name: Have it\n  block:\n    - name: Good-bye\n      debug:\n"
    plays = f"- name: Kafka\n  hosts: all\n  tasks:\n{re.sub('^', '    ', tasks, flags=re.MULTILINE)}".rstrip(" ")
    assert not_verbs(tasks) == not_verbs(plays) == ["Have it", "Good-bye"]

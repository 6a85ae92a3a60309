"""examples/producer.py and consumer.py can be copied: they need kafka-python and the standard library, nothing else."""

import ast
import runpy
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from kafka.errors import InvalidSessionTimeoutError

from kafka_proof.client.properties import kafka_python
from kafka_proof.deploy.files import to_properties

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = ["producer", "consumer"]


def tree(path):
    return ast.parse(path.read_text())


def imported(path):
    """Return the names of the packages that a program imports, set[str]."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_imports_kafka_python_and_the_standard_library_only(program):
    assert imported(EXAMPLES / f"{program}.py") - set(sys.stdlib_module_names) == {"kafka"}


def test_sample_project_imports_nothing_of_this_project():
    """Its tests take the fixture kafka_cluster, which pytest finds by itself."""
    ours = {path.stem for path in (EXAMPLES / "ci").rglob("*.py")}
    found = set().union(*(imported(path) for path in (EXAMPLES / "ci").rglob("*.py")))
    assert found - set(sys.stdlib_module_names) - ours == {"kafka", "pytest"}


def test_both_programs_read_the_file_in_the_same_way():
    functions = [
        ast.dump(node)
        for program in PROGRAMS
        for node in tree(EXAMPLES / f"{program}.py").body
        if isinstance(node, ast.FunctionDef) and node.name == "client_settings"
    ]
    assert len(functions) == 2
    assert functions[0] == functions[1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_refusal_is_one_line(program, tmp_path, monkeypatch, capsys):
    """Such as InvalidSessionTimeoutError, where the broker's group.max.session.timeout.ms is short."""
    path = tmp_path / "client.properties"
    path.write_text("bootstrap.servers=localhost:1\n")
    names = runpy.run_path(str(EXAMPLES / f"{program}.py"))
    main = names["main"]
    client = "KafkaConsumer" if program == "consumer" else "KafkaProducer"

    def refuse(*_):
        raise InvalidSessionTimeoutError("not within the limits")

    monkeypatch.setitem(main.__globals__, client, MagicMock())
    monkeypatch.setitem(main.__globals__, "receive" if program == "consumer" else "send", refuse)
    assert main(["--client-properties", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "InvalidSessionTimeoutError" in said.err


@pytest.fixture
def client_settings():
    return runpy.run_path(str(EXAMPLES / "producer.py"))["client_settings"]


@pytest.mark.parametrize(
    "properties",
    [
        {"bootstrap.servers": "localhost:9092", "security.protocol": "PLAINTEXT"},
        {"bootstrap.servers": "one:9092, [::1]:9093"},
        {
            "bootstrap.servers": "one:9093",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
            'username="alice" password="a=b#c";',
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": __file__,
        },
    ],
)
def test_settings_are_those_of_the_commands(properties, client_settings, tmp_path):
    path = tmp_path / "client.properties"
    path.write_text("# a comment = none\n\n" + "".join(f"{key} = {value}\n" for key, value in properties.items()))
    expected = kafka_python(properties)
    expected.pop("ssl_check_hostname", None)  # kafka-python checks it by default
    assert client_settings(path) == expected


def test_a_password_can_have_any_character(client_settings, tmp_path):
    """site.yml writes such a file."""
    password = """a 'b" with \\ and ä = #!;"""
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="{quoted}";'
    path = tmp_path / "client.properties"
    path.write_text(to_properties({"bootstrap.servers": "one:9093", "sasl.jaas.config": login}))
    found = client_settings(path)
    assert (found["sasl_plain_username"], found["sasl_plain_password"]) == ("alice", password)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "[Errno 2] No such file or directory: 'FILE'"),
        ("security.protocol=SSL\n", "bootstrap.servers is missing"),
    ],
)
def test_file_that_cannot_be_used_gives_one_line(program, content, message, tmp_path, capsys):
    path = tmp_path / "client.properties"
    if content is not None:
        path.write_text(content)
    status = runpy.run_path(str(EXAMPLES / f"{program}.py"))["main"](["--client-properties", str(path)])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message.replace("FILE", str(path)) in err

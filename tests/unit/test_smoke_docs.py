"""docs/smoke.md lists each property that the suite proves, with the mutations that prove the test, and nothing else."""

import ast
import re
import runpy
from pathlib import Path
from types import SimpleNamespace

from kafka_proof.client.connection import OLDEST, version_text
from kafka_proof.cluster.versions import release
from tests.versions.kafka import KRAFT, ZOOKEEPER
from tests.versions.test_versions import VERSIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "smoke.md").read_text()
TABLE = runpy.run_path(str(ROOT / "tests" / "mutations" / "mutation_table.py"))
TESTS = {  # dict[test, the property that it claims]
    node.name: ast.get_docstring(node).splitlines()[0]
    for path in (ROOT / "smoke").glob("test_*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}
# | property | `test_…` | `mutation`, `mutation` | other suites |
ROWS = {
    test: (claim, mutations)
    for claim, test, mutations in re.findall(r"^\| (.*) \| `(test_\w+)` \| (.*) \| .* \|$", PAGE, re.M)
}


def proofs():
    """Return dict[test, set of the mutations that turn it red]."""
    found = {test: set() for test in TESTS}
    for mutation in [*TABLE["CLIENTS"], *TABLE["DEPLOYMENTS"]]:
        for test in mutation.red:
            found[test.partition("[")[0]].add(mutation.name)
    return found


def test_each_test_has_a_row_with_the_property_that_it_claims():
    assert {test: claim for test, (claim, _) in ROWS.items()} == TESTS


def test_each_row_names_the_mutations_that_prove_it():
    assert {test: set(re.findall(r"`(\w+)`", mutations)) for test, (_, mutations) in ROWS.items()} == proofs()


def test_each_test_is_proved_by_a_mutation():
    assert [test for test, mutations in proofs().items() if not mutations] == []


def test_each_mutation_is_on_the_page():
    """Those that the suite answers with exit status 2, or must survive, are below the table."""
    assert [each.name for each in [*TABLE["CLIENTS"], *TABLE["DEPLOYMENTS"]] if f"`{each.name}`" not in PAGE] == []


def test_the_table_of_versions_is_what_the_tests_run():
    modes = {ZOOKEEPER: "ZooKeeper", KRAFT: "KRaft"}
    rows = re.findall(r"^\| (\d\.\d\.\d) \| (\w+) \| 37 of 37 \| pass \|$", PAGE, re.M)
    assert rows == [(version, modes[mode]) for version, mode in VERSIONS]
    oldest, newest = (VERSIONS[end][0].rpartition(".")[0] for end in (0, -1))
    assert oldest == version_text(OLDEST)
    assert f"An older version than {oldest} is refused." in PAGE
    assert f"| prove any Kafka, {oldest} to {newest}, with ZooKeeper or KRaft |" in (ROOT / "README.md").read_text()
    assert f'calls it "{release([SimpleNamespace(name="metadata.version", max_version=99)], ())}"' in PAGE
    assert f"newer than {newest}" in PAGE

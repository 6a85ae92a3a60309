"""Certificates are replaced in the order trust, keys, trust, and loaded by running nodes."""

import pytest

from kafka_proof.deploy.certificates import NEXT, trusted
from kafka_proof.deploy.node import CONFIG
from kafka_proof.deploy.reload import MARK, changed_files, controller_script, loads, settings, verdict
from kafka_proof.deploy.rotation import FINISH, KEYS, SUCCEED, TRUST, outdated, succeed, wanted_in
from tests.support.certificates import Authority
from tests.unit.stack import kraft_nodes
from tests.unit.test_security import secure


def certificate(directory, name, authority=""):
    path = directory / name
    issuer = str(directory / authority) if authority else ""
    return {"path": str(path), "subject": name, "names": [], "authority": issuer, "days": 9}


@pytest.fixture
def stack(tmp_path):
    """The certificates of a stack before its authority is replaced: an authority, and a node that it signed."""
    return [certificate(tmp_path, "ca"), certificate(tmp_path, "node", "ca")]


def create(directory, name, authority=None):
    """Create files as community.crypto does. Return the authority."""
    if authority:
        for ending, text in zip((".pem", ".key"), authority.issue(name), strict=True):
            (directory / f"{name}{ending}").write_text(text)
        return authority
    made = Authority(directory / f"{name}.pem")
    (directory / f"{name}.key").write_text("")
    return made


def test_steps(tmp_path, stack):
    old = create(tmp_path, "ca")
    create(tmp_path, "node", old)

    following = wanted_in(TRUST, stack)[1]
    assert following["path"].endswith(f"ca{NEXT}")
    assert following["subject"] != "ca"  # or a client could not tell which one signed
    new = create(tmp_path, f"ca{NEXT}")
    assert list(trusted(stack).values()) == [old.pem + new.pem]

    [wanted] = wanted_in(KEYS, stack)
    assert wanted["authority"].endswith(NEXT)
    assert {path.name for path in outdated(KEYS, [wanted])} == {"node.pem", "node.key"}
    create(tmp_path, "node", new)
    assert outdated(KEYS, [wanted]) == []  # a second run makes no third certificate

    assert list(trusted(stack, next_alone=True).values()) == [new.pem]
    assert wanted_in(FINISH, stack) == [wanted]  # a run that is killed in this step continues with the same authority

    assert {path.name for path in succeed(stack)} == {"ca.pem", "ca.key"}
    assert list(trusted(stack).values()) == list(trusted(stack, next_alone=True).values()) == [new.pem]
    assert wanted_in(SUCCEED, stack) == stack
    assert succeed(stack) == []
    assert not list(tmp_path.glob(f"*{NEXT}*"))

    # As of a run that was killed during the removal. The next authority gets another key.
    (tmp_path / f"ca{NEXT}.key").write_text("of the present authority")
    assert {path.name for path in outdated(TRUST, wanted_in(TRUST, stack))} == {f"ca{NEXT}.key"}
    create(tmp_path, f"ca{NEXT}")
    assert outdated(TRUST, wanted_in(TRUST, stack)) == []


def test_without_a_new_authority_certificates_are_renewed(tmp_path, stack):
    create(tmp_path, "node", create(tmp_path, "ca"))
    [wanted] = wanted_in(KEYS, stack)
    assert wanted["authority"].endswith("ca")
    assert {path.name for path in outdated(KEYS, [wanted])} == {"node.pem", "node.key"}
    assert outdated(FINISH, [wanted]) == []


def test_what_a_node_loads():
    assert changed_files({"a": "1", "b": "2"}, {"a": "1", "b": "old"}) == {"b": "2"}
    # Written and not loaded, because the run was killed between.
    assert changed_files({"a": "1", "b": "2"}, {"a": "1", "b": "2", MARK: "a gone"}) == {"a": "1"}
    assert changed_files({"plain.alice": "new"}, {"plain.alice": "old"}) == {}  # site.yml recreates the container


def test_by_which_settings_a_node_loads():
    [node] = kraft_nodes({"one": secure()})
    found = settings(node, {"truststore.pem": ""})
    assert found == {
        f"listener.name.{name}.ssl.truststore.location": f"{CONFIG}/truststore.pem"
        for name in ("internal_secure", "controller_secure")
    }
    assert len(settings(node, {"keystore.pem": ""})) == 3
    assert f"--command-config {CONFIG}/node.properties" in controller_script(node, found)


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("", None),
        ("INFO Created new SERVER SSL engine builder with keystore …", ""),
        ("Created new SERVER SSL engine builder\nERROR Encountered metadata publishing fault: x", "ERROR"),
    ],
)
def test_the_log_tells_whether_a_node_loaded(log, found):
    said = verdict(log, 1)
    assert said is None if found is None else said.startswith(found) and bool(said) is bool(found)


def test_each_network_thread_of_a_listener_loads_its_stores():
    [node] = kraft_nodes({"one": secure(kafka_config={"num.network.threads": 2})})
    changes = settings(node, {"truststore.pem": ""})
    assert (len(changes), loads(node, changes)) == (2, 4)
    changes = settings(node, {"truststore.pem": "", "keystore.pem": ""})
    assert (len(changes), loads(node, changes)) == (5, 6)
    assert loads(node, settings(node, {"plain.alice": ""})) == 0
    line = "INFO Created new SERVER SSL engine builder with keystore\n"
    assert [verdict(line * times, 6) for times in (5, 6)] == [None, ""]

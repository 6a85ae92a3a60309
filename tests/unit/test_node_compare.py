"""A node is compared with what its engine has, not with what a silent one seems to lack."""

from types import SimpleNamespace

import pytest

from kafka_proof.action import ActionError
from tests.unit.stack import kraft_nodes, plugin


def compare(engine, check_mode):
    action = SimpleNamespace(host="h1", check_mode=check_mode)
    arguments = {"node": kraft_nodes()[0], "engine": engine, "secrets": "", "restart_since": ""}
    return plugin("node_compare").ActionModule.act(action, arguments)["change"]


def test_a_silent_engine_has_no_known_content():
    silent = {"can_talk_to_docker": False, "msg": "Is the docker daemon running?"}
    with pytest.raises(ActionError, match="h1: no engine answers"):
        compare(silent, check_mode=False)
    assert compare(silent, check_mode=True) == "create"  # site.yml would start it


def test_an_engine_without_the_container():
    assert compare({"can_talk_to_docker": True, "containers": []}, check_mode=False) == "create"

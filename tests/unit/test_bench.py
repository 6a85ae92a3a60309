"""Each benchmark starts: what it imports is there, and it says how it is used. CI runs a round of tox -e bench."""

import importlib
import pkgutil
import sys

import pytest

import bench


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(bench.__path__)])
def test_it_says_how_it_is_used(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(f"bench.{name}").main()
    assert "usage:" in capsys.readouterr().out

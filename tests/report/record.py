"""A pytest plugin that writes the run of the suite as JSON to the file in KAFKA_PROOF_RECORD; see pictures.py.

With --collect-only, which is no run, it writes the tests alone.
"""

import json
import os
from pathlib import Path

from smoke import reporting


def pytest_unconfigure(config):
    plugin = config.pluginmanager.get_plugin(reporting.NAME)
    if plugin is None:
        return  # a wrong option ended the run
    run = plugin.run or {"tests": list(plugin.tests.values())}
    Path(os.environ["KAFKA_PROOF_RECORD"]).write_text(json.dumps(run), encoding="utf-8")

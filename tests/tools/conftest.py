"""A stack of these tests' own, deployed before they are collected and removed after them.

KAFKA_CLIENT_PROPERTIES and KAFKA_CONTAINER, where they are set, name another one, which is left alone.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = ["-e", "stack_name=kp-tools", "-e", "kafka_port=29592", "-e", "zookeeper_port=22581"]


def play(*arguments):
    done = subprocess.run(
        ["ansible-playbook", *arguments, *VARIABLES], check=False, cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    if done.returncode:
        raise pytest.UsageError(f"ansible-playbook {' '.join(arguments)} failed:\n{done.stdout[-3000:]}{done.stderr}")


def pytest_configure(config):
    if "KAFKA_CLIENT_PROPERTIES" not in os.environ and not config.option.collectonly:
        play("site.yml")
        config.add_cleanup(lambda: play("playbooks/teardown.yml", "-e", "teardown_data=true"))
        os.environ["KAFKA_CLIENT_PROPERTIES"] = str(ROOT / "build" / "kp-tools" / "client.properties")
        os.environ["KAFKA_CONTAINER"] = "kp-tools-kafka"


@pytest.fixture(scope="session")
def client_properties():
    """Return the path of the broker's client properties."""
    return Path(os.environ["KAFKA_CLIENT_PROPERTIES"])

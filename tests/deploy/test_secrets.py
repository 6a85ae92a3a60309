"""The real passwords and private keys of a stack appear nowhere but in its own files, during and after a full run."""

import base64
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest

from tests.deploy.conftest import KRAFT, LOCALHOST, LOGIN, ROOT, _stack
from tests.support.engine import docker

SHOWN = {"ANSIBLE_STDOUT_CALLBACK": "default"}
ENCODED = re.compile(r"(?:[A-Za-z0-9+/]{60,}\s*)+={0,2}")  # as settings travel to an engine


class Processes(threading.Thread):
    """The command lines and environments of all processes, as `ps` shows them to others, while a test runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.texts, self.over = set(), threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    try:
                        self.texts.add(path.read_bytes().decode(errors="replace"))
                    except OSError:
                        continue

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def secrets_of(stack):
    """Every password, and a line of every private key."""
    found = {path.read_text() for path in (stack.secrets / "users").glob("*")}
    for path in stack.secrets.rglob("*.key"):
        found.add(path.read_text().splitlines()[1])
    return found


def decoded(text):
    """Decode the parts of a text that are encoded in base64."""
    for part in ENCODED.findall(text):
        code = re.sub(r"[\s=]", "", part)
        yield base64.b64decode(code + "=" * (-len(code) % 4) if len(code) % 4 != 1 else code[:-1]).decode(
            errors="replace"
        )


def readable_by_others(since, *directories):
    """{path: text} of the files that every user of this machine may read, and that are newer than `since`."""
    command = ["find", *map(str, directories), "-xdev", "-type", "f", "-perm", "/o=r", "-newer", str(since)]
    done = subprocess.run([*command, "-size", "-9M"], check=False, capture_output=True, text=True, timeout=60)
    found = {}
    for path in map(Path, done.stdout.splitlines()):
        try:
            found[str(path)] = path.read_text(errors="replace")
        except OSError:  # gone meanwhile
            continue
    return found


def commands(stack):
    """The output of the commands for the stack, and the report of the suite."""
    of_client = ["--client-properties", str(stack.client_properties)]
    reports = {}
    for module in ("status", "lag", "doctor"):
        command = [sys.executable, "-m", f"kafka_proof.{module}", *of_client]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
        reports[module] = done.stdout + done.stderr
    report = stack.directory / "smoke"
    command = [sys.executable, "-m", "kafka_proof.testing.suite", *of_client, f"--report={report}.html"]
    command += [f"--junit-xml={report}.xml", "-k", "test_cluster", "-vv", "--deadline=300"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    reports["smoke"] = done.stdout + done.stderr
    return reports | {path.name: path.read_text() for path in stack.directory.glob("smoke.*")}


def bundle(stack):
    """The support bundle, and what the playbook says of it."""
    play = stack.play("playbooks/support.yml", "-vvv", env=SHOWN)
    assert play.ok, play.output
    [archive] = stack.client_properties.parent.glob("support-*.tar.gz")
    with tarfile.open(archive) as tar:
        files = {item.name: tar.extractfile(item).read().decode(errors="replace") for item in tar if item.isfile()}
    return {"support.yml": play.output} | files


MODES = {
    "kraft": (KRAFT, LOGIN),
    "zookeeper": (LOCALHOST, LOGIN | {"mechanisms": ["PLAIN", "SCRAM-SHA-512"]}),
    "certificates": (KRAFT, {"clients": "ssl"}),
}


LONG = [pytest.param(mode, marks=pytest.mark.long) for mode in ("zookeeper", "certificates")]


@pytest.mark.parametrize("mode", ["kraft", *LONG])
def test_no_secret_appears_anywhere(directory, tmp_path, mode):
    inventory, security = MODES[mode]
    (marker := tmp_path / "marker").touch()
    with _stack("prf-secrets", 28280, tmp_path, inventory, kafka_security=security) as stack:
        texts, secrets = {}, set()
        with Processes() as processes:
            for number, (playbook, variables) in enumerate(
                [("site.yml", {}), ("site.yml", {}), ("playbooks/rotate.yml", {"rotate_authority": True})]
            ):
                play = stack.play(playbook, "-vvv", "--diff", env=SHOWN, **variables)
                assert play.ok, play.output
                texts[f"{playbook}, run {number}"] = play.output
                secrets |= secrets_of(stack)
            texts |= bundle(stack) | commands(stack)
        for name in stack.containers():
            texts[f"inspect {name}"] = docker("inspect", name)
            logs = subprocess.run(["docker", "logs", name], capture_output=True, text=True, timeout=60, check=True)
            texts[f"logs {name}"] = logs.stdout + logs.stderr
        texts["volumes"] = docker("volume", "inspect", *stack.volumes())
        texts["networks"] = docker("network", "inspect", *stack.networks())
        texts |= readable_by_others(
            marker, stack.directory, ROOT / "build", tempfile.gettempdir(), Path.home() / ".ansible"
        )

        assert len(secrets) > 3
        # A control: the search finds each secret in the files that hold it.
        own = [path.read_text() for path in [stack.client_properties, *stack.secrets.rglob("*")] if path.is_file()]
        assert {secret for secret in secrets_of(stack) if any(secret in text for text in own)} == secrets_of(stack)
        leaks = [name for name, text in texts.items() for secret in secrets if secret in text]
        leaks += [
            f"{name}, encoded"
            for name, text in texts.items()
            for part in decoded(text)
            if any(s in part for s in secrets)
        ]
        assert leaks == []
        shown = [text for text in processes.texts if any(secret in text for secret in secrets)]
        assert len(processes.texts) > 50
        assert shown == []

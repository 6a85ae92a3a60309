"""The GitLab template, as the sample project uses it."""

import contextlib
import socket
import subprocess
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.ci.conftest import ROOT, STACK, left
from tests.ci.jobs import environment, gitlab
from tests.support.engine import engine

MACHINE = {"DOCKER_HOST": "", "DOCKER_TLS_VERIFY": "", "DOCKER_CERT_PATH": ""}  # the engine of this machine
SETTINGS = {
    "KAFKA_PROOF_STACK": STACK,
    "KAFKA_PROOF_PORT": "29892",
    "KAFKA_PROOF_VARIABLES": "{zookeeper_port: 22881}",
}
KRAFT = {"KAFKA_PROOF_MODE": "kraft", "KAFKA_PROOF_VARIABLES": ""}


@pytest.fixture
def ref(tmp_path):
    """A tag of this checkout's HEAD in a clone of it, as a release would be: dict of variables."""
    clone = tmp_path / "kafka-proof.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "tag", "v0.1.0", "HEAD"], check=True)
    return {"KAFKA_PROOF_REPOSITORY": f"file://{clone}"}


def run(sample, **env):
    # The job would install this package, which is installed here.
    skip = "python3 -m pip install"
    return gitlab(sample / ".gitlab-ci.yml", ROOT / "ci" / "gitlab.yml", sample, environment(**env), skip)


@pytest.mark.parametrize("mode", [{}, KRAFT], ids=["zookeeper", "kraft"])
def test_job_on_a_runner_with_an_engine(sample, ref, mode):
    job = run(sample, **MACHINE, **SETTINGS | ref | mode)

    assert job.status == 0, job.output
    assert "5 passed" in job.output
    assert f"kafka_cluster: {sample}/.kafka-proof/build/{STACK}/client.properties" in job.output
    assert not left()
    [junit] = job.outputs["reports"]["junit"]
    [suite] = ET.parse(sample / junit).getroot().iter("testsuite")
    assert int(suite.get("tests")) > 10
    assert [name for name in job.outputs["paths"] if not (sample / name).is_dir()] == []


def test_kafka_goes_when_the_job_fails(sample, ref):
    (sample / "orders.py").write_text("raise SystemExit('broken by somebody')")

    job = run(sample, **MACHINE, KAFKA_PROOF_SMOKE="false", **SETTINGS | ref)

    assert job.status != 0
    assert "broken by somebody" in job.output
    assert not left()


def test_engine_as_a_service_of_the_job(sample, ref, engine_elsewhere):
    job = run(
        sample,
        DOCKER_HOST=engine_elsewhere,
        DOCKER_TLS_VERIFY="",
        DOCKER_CERT_PATH="",
        KAFKA_PROOF_SMOKE="false",
        **SETTINGS | ref,
    )

    assert job.status == 0, job.output
    assert "5 passed" in job.output
    host = engine_elsewhere.removeprefix("tcp://").split(":")[0]
    assert f"{host}:29892" in job.output, "not at the address where the engine publishes ports"
    assert left() == [f"{STACK}-elsewhere"]


@pytest.fixture
def engine_elsewhere():
    """DOCKER_HOST for this machine's engine, by TCP and not at the loopback address, as it is with `docker:dind`."""
    network = engine().networks.create(f"{STACK}-elsewhere")
    network.reload()
    address = network.attrs["IPAM"]["Config"][0]["Gateway"]  # an address of this host
    with socket.create_server((address, 0)) as server:
        threading.Thread(target=_forward, args=[server], daemon=True).start()
        yield f"tcp://{address}:{server.getsockname()[1]}"
    network.remove()


def _forward(server):
    with contextlib.suppress(OSError):  # the server is closed
        while True:
            client, _ = server.accept()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(str(Path("/var/run/docker.sock").resolve()))
            for one, other in ((client, engine), (engine, client)):
                threading.Thread(target=_pump, args=[one, other], daemon=True).start()


def _pump(one, other):
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)

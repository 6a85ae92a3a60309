"""README's first two commands, on hosts that have Debian 12 or 13 with Python and nothing else."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.platforms.checkout import ROOT, checkout
from tests.support import hosts
from tests.support.engine import docker

NAME = "kp-platforms"
# The settings that reach a package index from this machine; apt's part of them is in the host already.
SETTINGS = re.compile(r"(PIP|UV)_\w+|(https?|no)_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE", re.IGNORECASE)


class Host:
    """A bare host with a fresh checkout in its user's home."""

    def __init__(self, name):
        self.name = name
        self.settings = {name: value for name, value in os.environ.items() if SETTINGS.fullmatch(name)}
        files = ["/etc/pip.conf", "/etc/uv/uv.toml", *self.settings.values()]
        for file in sorted({file for file in files if Path(file).is_file()}):
            docker("exec", name, "mkdir", "--parents", str(Path(file).parent))
            docker("cp", "--follow-link", file, f"{name}:{file}")
        self.run("mkdir kafka-proof && tar --extract --directory kafka-proof", directory="", input=checkout())

    def run(self, command, directory="kafka-proof", status=0, input=b"", **env):
        """Run a command as the user, in a directory of the home. Returns its output: str."""
        env = self.settings | {"ANSIBLE_NOCOLOR": "1"} | env
        options = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        options += ["--interactive", "--user", hosts.USER, "--workdir", f"/home/{hosts.USER}/{directory}"]
        done = subprocess.run(
            ["docker", "exec", *options, self.name, "sh", "-c", command],
            input=input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=900,
        )
        output = done.stdout.decode(errors="replace")
        assert done.returncode == status, f"{command}: exit status {done.returncode}:\n{output[-5000:]}"
        return output


# CI runs on Debian 12 itself.
@pytest.fixture(scope="module", params=[pytest.param("bookworm", marks=pytest.mark.long), "trixie"])
def host(request):
    hosts.down(NAME)  # what a killed run left
    try:
        [made] = hosts.up(NAME, 1, [request.param]).hosts
        yield Host(made.name)
    finally:
        hosts.down(NAME)


def commands():
    """The commands of README's first block, without their comments."""
    block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def test_the_commands_of_the_readme(host):
    deploy, prove = commands()
    assert "Try next, with ./bootstrap before each command:" in host.run(deploy)
    assert "passed" in host.run(prove)
    assert re.search(r"changed=0 .* failed=0", host.run(deploy))


def test_the_docker_command_is_missing(host):
    if "trixie" not in host.run("cat /etc/os-release"):
        pytest.skip("before Debian 13 the command is in the package of the engine")
    docker("exec", host.name, "dpkg", "--remove", "docker-cli")
    deploy = f"{commands()[0]} --tags engine"
    said = host.run(deploy, status=2, DOCKER_HOST="tcp://127.0.0.1:1")
    assert "the command docker, which asks that engine, is not installed here" in said
    host.run(deploy)
    host.run("docker --version")


def test_an_engine_that_does_not_start(host):
    docker("exec", host.name, "sh", "-c", "service docker stop; echo nonsense >/etc/docker/daemon.json")
    deploy = f"{commands()[0]} --tags engine -e docker_engine_start_timeout=2"
    said = host.run(deploy, status=2)
    assert "was started and did not answer for 2 s (docker_engine_start_timeout)" in " ".join(said.split())
    docker("exec", host.name, "rm", "/etc/docker/daemon.json")
    host.run(deploy)

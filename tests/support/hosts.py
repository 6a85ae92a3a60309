"""Bare Debian hosts to deploy on, each with an address, an sshd and no engine: containers on this machine's engine.

    python -m tests.support.hosts up NAME [--count 3] [--releases bookworm,trixie] [--group kafka_controller]
                                                make them, or as many more; prints the path of their inventory
    python -m tests.support.hosts down NAME     remove them, also those that a killed run left

NAME is that of a set: its hosts are NAME-1, NAME-2, …, its network is NAME, and what belongs to it (inventory, keys)
is in build/hosts/NAME. Each host gets the next of the releases. A host boots as far as a container can: services that
are enabled start with it, so `docker restart NAME-2` is a reboot. It runs its own engine, whose data is in a
volume that goes with the host. Addresses are reached from this machine only, which must be a Linux one.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kafka_proof.client.connection import unreachable

ROOT = Path(__file__).resolve().parents[2]
LABEL = "kafka-proof.hosts"
RELEASE = "bookworm"  # of Debian, if none is named
START_TIMEOUT = 30  # seconds until sshd answers
PACKAGES = "ca-certificates,openssh-server,python3,sudo"
USER = "admin"  # who logs in, and may do all by sudo, as on a server that was rented
# An engine in a container, without --privileged, which some machines refuse.
OPTIONS = (
    *("--init", "--tmpfs", "/run:exec", "--volume", "/var/lib/docker"),
    *(
        "--cap-add",
        "ALL",
        "--cap-drop",
        "SYS_RESOURCE",
        "--cgroupns",
        "host",
        "--volume",
        "/sys/fs/cgroup:/sys/fs/cgroup",
    ),
    *(word for name in ("seccomp", "apparmor", "systempaths") for word in ("--security-opt", f"{name}=unconfined")),
)
BOOT = """#!/bin/sh
ssh-keygen -qA
for service in /etc/rc2.d/S*; do "$service" start; done
exec sleep infinity
"""
# Debian, as an installation from the network leaves it: with this machine's mirrors, proxies and certificates. A mirror
# that has this machine's release is taken to have the others; if there is none, mmdebstrap uses Debian's own servers.
MAKE_IMAGE = r"""
set -eu
. /etc/os-release
line='deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(CODENAME) main'
IFS='
'
set -f -- $(apt-get indextargets --format "$line" 'Origin: Debian' 'Component: main' 'Created-By: Packages' |
    sed -nE "s/ ${VERSION_CODENAME-unnamed}(-updates|-security)? main$/ $release\1 main/p" | sort -u)
set +f
apt-config dump --format '%f "%v";%n' Acquire | grep -Ei '^Acquire::(https?::Proxy|Check-)' >90host || true
mkdir certificates
cp /usr/local/share/ca-certificates/*.crt certificates/ 2>/dev/null || true
exec unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" \
    --customize-hook='copy-in boot /usr/local/sbin' --customize-hook='copy-in 90host /etc/apt/apt.conf.d' \
    --customize-hook='cp certificates/* "$1/usr/local/share/ca-certificates" 2>/dev/null || true' \
    --customize-hook='chroot "$1" update-ca-certificates' \
    --customize-hook='rm -f "$1"/etc/ssh/ssh_host_*' \
    --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash "$user"' \
    --customize-hook='echo "$user ALL=(ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/$user"' \
    "$release" host.tar "$@"
"""


class HostsError(Exception):
    """Hosts cannot be made. The message is one line: what, where, and what to do."""


@dataclass(frozen=True)
class Host:
    """One host. `name` is that of its container and its name in the inventory; `number` counts from 1."""

    name: str
    number: int
    address: str


@dataclass(frozen=True)
class Hosts:
    """A set of hosts that run."""

    directory: Path
    hosts: list

    @property
    def inventory(self):
        """Path of the inventory: every host is in the group kafka, with its number as id, and in that of `up`."""
        return self.directory / "inventory"


def up(name, count=3, releases=(RELEASE,), group="zookeeper"):
    """Make the hosts 1 to `count` of the set `name`, or start those that are there. Returns Hosts. Raises HostsError.

    releases: codenames of Debian, dealt out to the hosts in turn; group: zookeeper or kafka_controller. Takes half a
    minute for each release, once on a machine, to make its image, then about 1 s for a host.
    """
    directory = ROOT / "build" / "hosts" / name
    (directory / "ssh").mkdir(parents=True, exist_ok=True)
    key = directory / "key"
    if not key.exists():
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key))
    images = [_image(release) for release in releases]
    label = f"{LABEL}={name}"
    if not _docker("network", "ls", "--quiet", "--filter", f"label={label}"):
        _docker("network", "create", "--label", label, name)
    there = _docker("ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}").split()
    hosts = []
    for number in range(1, count + 1):
        container = f"{name}-{number}"
        if container in there:
            _docker("start", container)
        else:
            own = ("--name", container, "--hostname", container, "--label", label, "--network", name)
            _docker("run", "--detach", *own, *OPTIONS, images[(number - 1) % len(images)], "sh", "/usr/local/sbin/boot")
        address = _docker(
            "inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{name}").IPAddress}}}}', container
        )
        hosts.append(Host(container, number, address))
    for host in hosts:
        _wait_for_sshd(host)
    known_hosts = [f"{host.address} {_let_in(host.name, key)}" for host in hosts]
    (directory / "known_hosts").write_text("\n".join([*known_hosts, ""]))
    made = Hosts(directory, hosts)
    made.inventory.write_text(inventory(hosts, directory, group=group))
    return made


def down(name):
    """Remove the set `name`, whatever there is of it."""
    label = f"label={LABEL}={name}"
    hosts = _docker("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()
    for host in hosts:
        # The control groups of the containers on a host are this machine's, and would stay.
        inner = "command -v docker >/dev/null && docker ps --quiet | xargs --no-run-if-empty docker kill"
        subprocess.run(["docker", "exec", host, "timeout", "10", "sh", "-c", inner], capture_output=True, check=False)
    if hosts:
        _docker("rm", "--force", "--volumes", *hosts)
    if network := _docker("network", "ls", "--quiet", "--filter", label):
        _docker("network", "rm", network)
    shutil.rmtree(ROOT / "build" / "hosts" / name, ignore_errors=True)


def inventory(hosts, directory, zookeepers=None, group="zookeeper"):
    """The inventory of `hosts` (list of Host) as text, in Ansible's INI format.

    directory: that of their set, as in Hosts; zookeepers: how many are in the other group, the first; all if None.
    """
    # Connections that are kept are this set's own: another host may get the same address later.
    ssh = f"-o UserKnownHostsFile={directory}/known_hosts -o StrictHostKeyChecking=yes -o ServerAliveInterval=5"
    lines = [
        "[kafka]",
        *(f"{host.name} ansible_host={host.address} kafka_broker_id={host.number}" for host in hosts),
        *("", f"[{group}]", *(host.name for host in hosts[:zookeepers])),
        *("", "[all:vars]", f"ansible_user={USER}", "ansible_python_interpreter=/usr/bin/python3"),
        *(f"ansible_ssh_private_key_file={directory}/key", f"ansible_control_path_dir={directory}/ssh"),
        *(f'ansible_ssh_common_args="{ssh}"', ""),
    ]
    return "\n".join(lines)


def _let_in(container, key):
    """Let the key in, and return the host's own public key."""
    script = "mkdir -p -m 700 ~/.ssh && cat >~/.ssh/authorized_keys && cat /etc/ssh/ssh_host_ed25519_key.pub"
    public = key.with_suffix(".pub").read_bytes()
    return _run("docker", "exec", "--interactive", container, "su", "--login", USER, "-c", script, input=public)


def _wait_for_sshd(host):
    deadline = time.monotonic() + START_TIMEOUT
    while reason := unreachable(host.address, 22, 1):
        if time.monotonic() > deadline:
            said = _docker("logs", "--tail", "5", host.name)
            raise HostsError(f"no sshd within {START_TIMEOUT} s at {reason}. See docker logs {host.name}: {said}")
        time.sleep(0.05)


def _image(release):
    """Make the image of this release if it is not there, and return its name, which changes with its recipe."""
    recipe = hashlib.sha256("\n".join([MAKE_IMAGE, PACKAGES, BOOT, USER]).encode()).hexdigest()
    image = f"kafka-proof-host:{release}-{recipe[:8]}"
    if _docker("images", "--quiet", image):
        return image
    if not shutil.which("mmdebstrap"):
        raise HostsError("mmdebstrap is not there, which makes the hosts' Debian. Run: apt-get install mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="kafka-proof-host-") as directory:
        (Path(directory) / "boot").write_text(BOOT)
        _run(
            "sh",
            "-c",
            MAKE_IMAGE,
            cwd=directory,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "packages": PACKAGES, "user": USER, "release": release},
        )
        _docker("import", f"{directory}/host.tar", image)
    return image


def _docker(*arguments):
    return _run("docker", *arguments)


def _run(*command, **options):
    done = subprocess.run(command, capture_output=True, check=False, **options)
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-500:]
        raise HostsError(f"{' '.join(command[:3])[:80]}: exit status {done.returncode}: {said}")
    return done.stdout.decode().strip()


def main(argv=None):
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.hosts", description=__doc__.splitlines()[0])
    parser.add_argument("do", choices=["up", "down"])
    parser.add_argument("name")
    parser.add_argument("--count", type=int, default=3, help="hosts (default: 3)")
    parser.add_argument("--releases", default=RELEASE, help="of Debian, separated by commas (default: %(default)s)")
    parser.add_argument("--group", default="zookeeper", help="beside kafka (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        if options.do == "up":
            print(up(options.name, options.count, options.releases.split(","), options.group).inventory)
        else:
            down(options.name)
    except HostsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The archives that the image's Debian comes from: roles/kafka_image/files/base.sh, with stand-ins for its commands."""

import os
import subprocess
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parents[2] / "roles" / "kafka_image" / "files" / "base.sh"
SOURCE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian/ {} main"
# Apt itself selects by the origin and fills in the format.
APT_GET = """#!/bin/sh
case $* in *'deb [signed-by='*'$(REPO_URI) $(CODENAME) main Origin: Debian Component: main '*) ;; *) exit 9 ;; esac
cat <<END
{}
END
"""
UNSHARE = """#!/bin/sh
printf '%s\\n' "$@"
"""


@pytest.fixture
def base(tmp_path):
    """Run base.sh for a version of Kafka, where apt has lists of Debian's archives with these codenames.

    Returns the arguments of mmdebstrap that say what is installed: the packages, the release, the sources.
    """

    def run(version, *codenames):
        sources = "\n".join(SOURCE.format(codename) for codename in codenames)
        for name, script in {"apt-get": APT_GET.format(sources), "unshare": UNSHARE}.items():
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run([BASE, version], env=env, capture_output=True, text=True, check=True)
        arguments = done.stdout.splitlines()
        [packages] = [each.removeprefix("--include=") for each in arguments if each.startswith("--include=")]
        tar = arguments.index("base.tar")
        return packages, arguments[tar - 1], arguments[tar + 1 :]

    return run


@pytest.mark.parametrize(
    ("version", "packages", "release"),
    [
        ("3.8.1", "openjdk-17-jre-headless", "bookworm"),
        ("3.9.2", "openjdk-17-jre-headless", "bookworm"),
        ("4.0.0", "openjdk-25-jre-headless", "trixie"),
        ("4.4.0", "openjdk-25-jre-headless", "trixie"),
    ],
)
@pytest.mark.parametrize("host", ["bookworm", "trixie"])
def test_the_release_of_the_line_at_the_hosts_mirrors(base, version, packages, release, host):
    suites = [f"{release}{pocket}" for pocket in ("", "-security", "-updates")]
    hosts = [f"{host}{pocket}" for pocket in ("", "-security", "-updates")]
    sources = [SOURCE.format(suite) for suite in suites]
    assert base(version, *hosts, *hosts) == (packages, release, sources)


@pytest.mark.parametrize("codename", ["bookworm-pgdg", "bookworm-backports", "cloud-sdk-bookworm"])
def test_other_archives_are_left_out(base, codename):
    assert base("3.9.2", "bookworm", codename) == base("3.9.2", "bookworm")
    assert base("3.9.2", codename)[2] == []

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
    """Run base.sh where apt has lists of Debian's archives with these codenames. Returns the sources of mmdebstrap."""

    def run(*codenames):
        sources = "\n".join(SOURCE.format(codename) for codename in codenames)
        for name, script in {"apt-get": APT_GET.format(sources), "unshare": UNSHARE}.items():
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run([BASE], env=env, capture_output=True, text=True, check=True)
        arguments = done.stdout.splitlines()
        return arguments[arguments.index("base.tar") + 1 :]

    return run


def test_the_archives_of_the_release_at_the_hosts_mirrors(base):
    suites = ["bookworm", "bookworm-security", "bookworm-updates"]
    assert base(*suites, *suites) == [SOURCE.format(suite) for suite in suites]


@pytest.mark.parametrize("codename", ["trixie", "bookworm-pgdg", "bookworm-backports", "cloud-sdk-bookworm"])
def test_other_archives_are_left_out(base, codename):
    assert base("bookworm", codename) == base("bookworm")
    assert base(codename) == []

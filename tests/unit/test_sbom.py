"""The list of packages and jars in the image: it is whole, or its step of the build fails. tests/deploy/test_image.py
compares it with a built image."""

import json
import subprocess
from pathlib import Path

import pytest

SBOM = Path(__file__).resolve().parents[2] / "roles" / "kafka_image" / "files" / "sbom.sh"
STATUS = "var/lib/dpkg/status"


@pytest.fixture
def build(tmp_path):
    """The directory of a build with one package and one jar."""
    (tmp_path / STATUS).parent.mkdir(parents=True)
    (tmp_path / STATUS).write_text("Package: libc6\nVersion: 1:2.36+deb12\nArchitecture: amd64\n\n")
    subprocess.run(["tar", "-cf", "base.tar", f"./{STATUS}"], cwd=tmp_path, check=True)
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "slf4j-api-1.7.36.jar").write_text("jar")
    (tmp_path / "jars.list").write_text("   org.slf4j:slf4j-api:jar:1.7.36:compile\n")
    return tmp_path


def sbom(directory):
    return subprocess.run([SBOM, "3.9.2"], cwd=directory, check=False, capture_output=True, timeout=60).returncode


def test_it_lists_packages_and_jars(build):
    assert sbom(build) == 0
    package, jar = json.loads((build / "sbom.cdx.json").read_text())["components"]
    assert package["purl"] == "pkg:deb/debian/libc6@1%3A2.36%2Bdeb12?arch=amd64"
    assert (jar["purl"], len(jar["hashes"][0]["content"])) == ("pkg:maven/org.slf4j/slf4j-api@1.7.36?type=jar", 64)


@pytest.mark.parametrize("missing", ["base.tar", "libs/slf4j-api-1.7.36.jar", "jars.list"])
def test_it_fails_without_one_of_its_sources(build, missing):
    (build / missing).unlink()
    assert sbom(build) != 0

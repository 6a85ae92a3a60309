"""Jars that Maven brings. Its local repository keeps them, so only the first run fetches them."""

import subprocess
from pathlib import Path

from tests.support.engine import ROOT, lock

JARS = ROOT / "build" / "jars"
MAVEN = ("mvn", "--batch-mode", "--quiet", "--strict-checksums")
FETCH = 300  # seconds


def jar(group, name, version):
    """Return the path of one jar, without those that it needs."""
    return (
        _fetched(f"{name}-{version}", "dependency:copy", f"-Dartifact={group}:{name}:{version}")
        / f"{name}-{version}.jar"
    )


def jars_of(pom, version, *options):
    """Return the directory with the jars that the POM of the image names for a version of Kafka."""
    wanted = ("--file", pom, f"-Dkafka.version={version}", "-DincludeScope=runtime", *options)
    return _fetched(version, "dependency:copy-dependencies", *wanted)


def _fetched(name, *command):
    directory: Path = JARS / name
    with lock(f"jars-{name}"):
        if not (directory / "complete").exists():
            subprocess.run([*MAVEN, *command, f"-DoutputDirectory={directory}"], check=True, timeout=FETCH)
            (directory / "complete").touch()
    return directory

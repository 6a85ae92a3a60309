"""Fresh checkouts of this project, as it is now, for what must not touch this one."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def checkout():
    """Return the files of this project, without those that Git ignores, as a tar archive: bytes."""
    list_files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(list_files, cwd=ROOT, check=True, capture_output=True).stdout
    tar = ["tar", "--create", "--null", "--files-from=-"]
    return subprocess.run(tar, cwd=ROOT, input=files, check=True, capture_output=True).stdout

"""One run at a time changes a stack: a file that names the process, beside client.properties.

The file stays after a run. It counts only while its process runs, so a run that was killed leaves no obstacle.
"""

import contextlib
import fcntl
import os
from pathlib import Path


def lock_file(client_properties: str | Path) -> Path:
    """Return the lock file of the stack that has this client.properties."""
    path = Path(client_properties)
    return path.with_name(f".{path.name}.run")


def lock(path: Path, process: int, ours: str = "ansible-playbook") -> int | None:
    """Write `process` into the file, and return None; or the process that has it.

    ours: a word in the command line of every process that can hold the lock, because the id of a process that ended is
    used again. Raises OSError where the file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed: no other run judges and writes meanwhile
        file.seek(0)
        said = file.read()
        holder = int(said) if said.isdecimal() else process
        if holder != process and _is_running(holder, ours):
            return holder
        file.truncate(0)
        file.write(str(process))
    return None


def _is_running(process: int, ours: str) -> bool:
    with contextlib.suppress(PermissionError):  # another user's process
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    try:
        return ours in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return not Path("/proc").is_dir()  # a system without /proc

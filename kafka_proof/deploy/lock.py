"""One run at a time changes a stack: a file that names the process, beside client.properties.

The file stays after a run. It counts only while its process runs, so a run that was killed leaves no obstacle.
"""

import contextlib
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
    new = path.with_name(f"{path.name}.{process}")
    new.write_text(str(process))  # a link below makes the file whole at once
    try:
        for _ in range(2):
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
                return None
            holder = _holder(path)
            if holder == process:
                return None
            if holder and _is_running(holder, ours):
                return holder
            path.unlink(missing_ok=True)
        return _holder(path)  # another run was quicker
    finally:
        new.unlink()


def _holder(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
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

"""One run at a time changes a stack: a file that names the process, beside client.properties.

A file whose process has ended does not count, so a run that was killed leaves no obstacle.
"""

import contextlib
import os
from pathlib import Path

NAME = ".run"


def lock(directory: str | Path, process: int, ours: str = "ansible") -> int | None:
    """Write `process` into the lock file of this directory, and return None; or the process that has it.

    ours: a word in the command line of every process that can hold the lock. A process id is used again.
    Raises OSError where the file cannot be written.
    """
    path = Path(directory) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        with contextlib.suppress(FileExistsError):
            with path.open("x") as file:
                file.write(str(process))
            return None
        holder = _holder(path)
        if holder == process:
            return None
        if holder and _is_running(holder, ours):
            return holder
        path.unlink(missing_ok=True)
    return _holder(path)  # another run was quicker


def _holder(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return None


def _is_running(process: int, ours: str) -> bool:
    try:
        os.kill(process, 0)
        return ours in Path(f"/proc/{process}/cmdline").read_text()
    except PermissionError:
        return True  # another user's
    except ProcessLookupError:
        return False
    except OSError:
        return True  # a system without /proc

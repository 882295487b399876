"""Whether somebody is still at work: processes by their numbers, directories by their locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from pathlib import Path

__all__ = ["in_use", "running", "users_of"]


def running(host: str, pid: int) -> bool | None:
    """Tell whether a process still runs.

    Parameters
    ----------
    host : `str`
        Name of its machine.
    pid : `int`
        Its number. Another process may have got it since: then this errs on the safe side.

    Returns
    -------
    running : `bool` or `None`
        `None` if it is, or was, on another machine.
    """
    if host != socket.gethostname():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def in_use(directory: Path) -> bool | None:
    """Tell whether a process has locked a directory, as those do that make something in it.

    Parameters
    ----------
    directory : `pathlib.Path`
        The directory.

    Returns
    -------
    used : `bool` or `None`
        `None` if that cannot be known, as on some network file systems.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False


def users_of(path: Path) -> list[int]:
    """Tell which processes of this machine have a file open, as far as they can be seen.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Returns
    -------
    pids : `list` [`int`]
        Their numbers; this process may be one of them.
    """
    wanted = str(path.resolve())
    found = set()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        # Of another user, or gone by now.
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == wanted:
                found.add(int(descriptor.parts[2]))
    return sorted(found)

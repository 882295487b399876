"""A fresh directory, open to its owner alone, for each life of the backend.

It holds the backend's unix socket. A lock on the directory tells the living from the dead, also
after a server was killed and its process identifier went to somebody else.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
import time
from pathlib import Path

from ..errors import BackendUnavailableError

__all__ = ["RuntimeDirectory", "runtime_base", "sweep"]

_PREFIX = "python-butler-backend-"
# All that is ever in such a directory: the backend's socket, its output, and the files of a kernel
# that is to become the backend.
_CONTENTS = re.compile(r"backend\.sock|output|kernel\.json|kernel-ipc-\d+")
_LONGEST = len(f"/{_PREFIX}12345678/kernel-ipc-1")
# The address of a unix socket holds 108 bytes on Linux and 104 on macOS, the final zero included.
_ADDRESS_BYTES = 103
# A directory younger than this may not have its lock yet.
_SWEEP_AGE = 60.0


def runtime_base() -> Path:
    """Directory in which the backend's directories are made.

    Returns
    -------
    base : `pathlib.Path`
        ``$XDG_RUNTIME_DIR``, the temporary directory or ``/tmp``: the first that can be written
        and is short enough for the address of a unix socket.

    Raises
    ------
    BackendUnavailableError
        If there is none.
    """
    candidates = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108
    for candidate in candidates:
        if (
            candidate
            and len(os.fsencode(candidate)) + _LONGEST <= _ADDRESS_BYTES
            and os.access(candidate, os.W_OK | os.X_OK)
        ):
            return Path(candidate)
    raise BackendUnavailableError(
        "No writeable temporary directory has a path short enough for the Butler backend's socket.",
        "Set TMPDIR to a directory with a short path, then restart the Jupyter server.",
    )


class RuntimeDirectory:
    """One directory, locked for as long as this object is not removed.

    Attributes
    ----------
    path : `pathlib.Path`
        The directory.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=runtime_base()))  # mode 0700
        self._lock: int | None = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def socket(self) -> Path:
        """Where the backend listens."""
        return self.path / "backend.sock"

    @property
    def output(self) -> Path:
        """Named pipe for what the backend prints."""
        return self.path / "output"

    @property
    def connection_file(self) -> Path:
        """Connection file of a kernel that is to become the backend."""
        return self.path / "kernel.json"

    def remove(self) -> None:
        """Delete the directory with everything in it; nothing happens the second time."""
        if self._lock is None:
            return
        _delete(self.path)
        os.close(self._lock)
        self._lock = None


def sweep() -> list[Path]:
    """Delete the directories of servers that are no more.

    Returns
    -------
    removed : `list` [`pathlib.Path`]
        What was deleted.
    """
    removed = []
    for path in runtime_base().glob(f"{_PREFIX}*"):
        try:
            state = path.lstat()
            # The temporary directory is shared: touch nobody else's, follow no link.
            mine = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid()
            if not mine or time.time() - state.st_mtime < _SWEEP_AGE:
                continue
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # its server lives
        else:
            if _delete(path):
                removed.append(path)
        finally:
            os.close(lock)
    return removed


def _delete(directory: Path) -> bool:
    """Delete a directory of ours; one that holds anything else is somebody's, and stays as it is."""
    try:
        contents = list(directory.iterdir())
        if not all(_CONTENTS.fullmatch(path.name) for path in contents):
            return False
        for path in contents:
            path.unlink()
        directory.rmdir()
    except OSError:
        return False
    return True

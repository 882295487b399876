"""How much room there is on a volume, as far as that can be told without being its administrator."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ...settings import QUOTA_VARIABLE, quota_bytes

__all__ = ["Quota", "Volume", "free_bytes", "volume_of"]

_PATIENCE = 5.0
"""Seconds that the system's quota command may take: it may ask a file server."""

_BLOCK = 1024
"""Bytes in one of its blocks."""


class Quota(BaseModel):
    """How much somebody may have on a volume."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    """Most bytes."""

    used: int | None
    """Bytes that are used, of whatever kind; `None` if that cannot be told."""

    source: str
    """Who says so."""

    @property
    def free(self) -> int | None:
        """Bytes that may still be written, if that can be told."""
        return None if self.used is None else max(self.bytes - self.used, 0)


class Volume(BaseModel):
    """The file system that a directory is on."""

    model_config = ConfigDict(frozen=True)

    path: Path
    """The directory."""

    mounted_at: Path
    """Where the file system is mounted."""

    size: int
    """Bytes in all, for everybody."""

    free: int
    """Bytes that may still be written, by what the file system says."""

    quotas: list[Quota]
    """Limits that are known beside: those of the system, and what the site says."""

    @property
    def room(self) -> int:
        """Bytes that may still be written, by everything that is known."""
        return min([self.free, *(quota.free for quota in self.quotas if quota.free is not None)])


def free_bytes(path: Path) -> int | None:
    """Ask the file system alone how much room there is: one call of the system.

    Parameters
    ----------
    path : `pathlib.Path`
        A directory.

    Returns
    -------
    free : `int` or `None`
        Bytes that a user may still write, as far as the file system tells: a quota is included only where
        the file server makes it so. `None` if it does not say.
    """
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    # Some file systems have no idea, and say nought of nought.
    return status.f_bavail * status.f_frsize if status.f_blocks else None


def volume_of(path: Path) -> Volume | None:
    """Find out all that can be known about the room on a volume.

    Parameters
    ----------
    path : `pathlib.Path`
        A directory.

    Returns
    -------
    volume : `Volume` or `None`
        What is known: from the file system, from the system's ``quota`` command if there is one, and from
        the environment variable ``PYTHON_BUTLER_QUOTA``. `None` if the file system does not say.
    """
    free = free_bytes(path)
    if free is None:
        return None
    status = os.statvfs(path)
    mounted_at = _mount_point(path)
    told = quota_bytes()
    quotas = [] if told is None else [Quota(bytes=told, used=None, source=QUOTA_VARIABLE)]
    return Volume(
        path=path,
        mounted_at=mounted_at,
        size=status.f_blocks * status.f_frsize,
        free=free,
        quotas=[*quotas, *_quotas_of_system(mounted_at)],
    )


def _mount_point(path: Path) -> Path:
    path = path.resolve()
    while not path.is_mount():
        path = path.parent
    return path


def _quotas_of_system(mounted_at: Path) -> list[Quota]:
    """What the system's own command says about this user on a volume."""
    command = shutil.which("quota")
    if command is None:
        return []
    try:
        # Its exit code tells whether a quota is exceeded.
        done = subprocess.run(
            [command, "--user", "--verbose", "--no-wrap", "--raw-grace", "--filesystem", str(mounted_at)],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [quota for line in done.stdout.splitlines() if (quota := _parse(line)) is not None]


def _parse(line: str) -> Quota | None:
    """One line: file system, blocks used (with a star if they are too many), quota, limit, ..."""
    found = re.match(r"\s*\S+\s+(\d+)\*?\s+(\d+)\s+(\d+)(\s|$)", line)
    if found is None:
        return None
    used, soft, hard = (int(found[i]) * _BLOCK for i in (1, 2, 3))
    limit = hard or soft
    return Quota(bytes=limit, used=used, source="quota command") if limit else None

"""What the backend prints: the end of it is kept in memory, never on disk, and told without secrets."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Collection
from pathlib import Path

__all__ = ["Output", "clean", "known_secrets"]

# Little at a time: a backend that prints without end must not hold the server's event loop.
_READ_BYTES = 8_192
_KEPT_BYTES = 16_384
_PIPE_BYTES = 65_536
_TOLD_LINES = 6
_TOLD_CHARACTERS = 800

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|_KEY$", re.IGNORECASE)
_ADDRESS_QUERY = re.compile(r"(://[^\s\"'<>?]{0,2000})\?[^\s\"'<>]+")
_BEARER = re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+")
_PLATFORM_TOKEN = re.compile(r"\bgt-[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?")


def known_secrets() -> set[str]:
    """Values in this process's environment whose names say that they are secret.

    Returns
    -------
    secrets : `set` [`str`]
        The values; too short ones are left out, they would blot out ordinary words.
    """
    return {
        value.strip()
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value.strip()) >= 8
    }


def clean(text: str, secrets: Collection[str] = ()) -> str:
    """Take secrets out of a text that somebody else wrote.

    Stricter than need be: a foreign program's last words lose the query part of every address.

    Parameters
    ----------
    text : `str`
        Any text.
    secrets : collection of `str`, optional
        Values known to be secret, besides those of the environment.

    Returns
    -------
    clean : `str`
        The same text without secrets.
    """
    for secret in sorted({*secrets, *known_secrets()}, key=len, reverse=True):
        text = text.replace(secret, "<secret>")
    text = _ADDRESS_QUERY.sub(r"\1?<query removed>", text)
    text = _BEARER.sub(r"\1<token>", text)
    return _PLATFORM_TOKEN.sub("<token>", text)


class Output:
    """The reading end of a named pipe into which one backend prints.

    A pipe rather than a file: it cannot fill a disk, and a secret that a library prints is gone
    with the process. It has a name because a kernel opens it after the fact.

    Parameters
    ----------
    path : `pathlib.Path`
        Where to make the pipe.
    secrets : collection of `str`
        Values that must not be kept.
    log : `logging.Logger`
        Told everything, at debug level.
    """

    def __init__(self, path: Path, secrets: Collection[str], log: logging.Logger) -> None:
        self._path = path
        self._secrets = frozenset(secrets)
        self._log = log
        self._kept = b""
        self._unlogged = b""
        os.mkfifo(path, 0o600)
        # Open for writing too, so that the end of one writer does not look like the end of all.
        self._reader: int | None = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)

    def open_writer(self) -> int:
        """Open the end that a new process writes to; the caller closes it."""
        return os.open(self._path, os.O_WRONLY)

    def tail(self) -> str:
        """The last lines, without secrets, short enough for a message."""
        for _ in range(_PIPE_BYTES // _READ_BYTES):
            if not self._read():
                break
        text = clean(self._kept.decode(errors="replace"), self._secrets)
        told = [line.rstrip() for line in text.splitlines() if line.strip()][-_TOLD_LINES:]
        return "\n".join(told)[-_TOLD_CHARACTERS:]

    def close(self) -> None:
        """Stop reading; nothing happens the second time."""
        if self._reader is None:
            return
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
        self._reader = None

    def _read(self) -> bool:
        """Take what is there, a little of it; return whether there was anything."""
        if self._reader is None:
            return False
        try:
            data = os.read(self._reader, _READ_BYTES)
        except BlockingIOError:
            return False
        self._kept = (self._kept + data)[-_KEPT_BYTES:]
        if self._log.isEnabledFor(logging.DEBUG):
            # Whole lines only: half a secret would not be recognised.
            lines, end, self._unlogged = (self._unlogged + data).rpartition(b"\n")
            self._unlogged = self._unlogged[-_KEPT_BYTES:]
            if end:
                text = clean(lines.decode(errors="replace"), self._secrets)
                self._log.debug("The Butler backend prints:\n%s", text)
        return True

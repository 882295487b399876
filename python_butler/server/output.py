"""What the backend prints: the last lines are kept in memory, without secrets, never on disk."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import deque
from collections.abc import Collection
from pathlib import Path

__all__ = ["Output", "clean", "known_secrets"]

_KEPT_LINES = 40
_TOLD_LINES = 6
_TOLD_CHARACTERS = 800
_LONGEST_LINE = 4_096
_READ_BYTES = 65_536

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|_KEY$", re.IGNORECASE)
_ADDRESS_QUERY = re.compile(r"(\w+://[^\s\"'<>?]*)\?[^\s\"'<>]+")
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
        Told every line, at debug level.
    """

    def __init__(self, path: Path, secrets: Collection[str], log: logging.Logger) -> None:
        self._path = path
        self._secrets = frozenset(secrets)
        self._log = log
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._partial = b""
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
        self._read()
        self._take(self._partial.splitlines())
        self._partial = b""
        told = [line for line in self._lines if line.strip()][-_TOLD_LINES:]
        return "\n".join(told)[-_TOLD_CHARACTERS:]

    def close(self) -> None:
        """Stop reading; nothing happens the second time."""
        if self._reader is None:
            return
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
        self._reader = None

    def _read(self) -> None:
        if self._reader is None:
            return
        try:
            data = os.read(self._reader, _READ_BYTES)
        except BlockingIOError:
            return
        *lines, rest = (self._partial + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self._partial = rest
        self._take(lines)

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            text = clean(line[:_LONGEST_LINE].decode(errors="replace").rstrip(), self._secrets)
            self._lines.append(text)
            self._log.debug("Butler backend: %s", text)

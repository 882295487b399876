"""A fault of Python's zip files, found by trying it out, and worked around in this one place.

Early releases of Python 3.12 and 3.13 move within one member of a zip file relative to where another
member was read last. Quantum graphs are zip files that are read so: a few hundred quanta end in `EOFError`.
Ground floor: standard library only.
"""

from __future__ import annotations

import io
import os
import zipfile

__all__ = ["is_faulty", "mend"]

_LONG = 20_000
"""Bytes; more than Python reads ahead."""


def is_faulty() -> bool:
    """Tell whether zip files have the fault in this process.

    Returns
    -------
    faulty : `bool`
        `False` if Python has no such fault, or `mend` was called.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("first", bytes(_LONG) + b"here")
        archive.writestr("second", bytes(_LONG))
    with zipfile.ZipFile(content) as archive:
        first, second = archive.open("first"), archive.open("second")
        try:
            first.read(1)
            second.read(1)
            # Beyond what was read ahead.
            first.seek(_LONG)
            return first.read() != b"here"
        except (EOFError, zipfile.BadZipFile):
            return True


def mend() -> None:
    """Work around the fault for the rest of this process; harmless if there is none."""
    if not is_faulty():
        return
    shared_file = zipfile._SharedFile  # type: ignore[attr-defined]  # the class has no types
    faulty = shared_file.seek

    def seek(self: io.IOBase, offset: int, whence: int = os.SEEK_SET) -> int:
        # Moving to an absolute position is right everywhere, and each member knows its own.
        if whence == os.SEEK_CUR:
            offset, whence = offset + self.tell(), os.SEEK_SET
        return int(faulty(self, offset, whence))

    shared_file.seek = seek

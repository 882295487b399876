"""Small C libraries that stand between a process and its disk, compiled on the spot."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from python_butler.settings import cache_directory

__all__ = ["NoCompilerError", "preloaded"]


class NoCompilerError(RuntimeError):
    """Nothing can be put between a process and its disk here; the text says why."""


def preloaded(source: Path) -> dict[str, str]:
    """Compile a library, unless that has been done before, for processes to begin with.

    Parameters
    ----------
    source : `pathlib.Path`
        The library: one file of C.

    Returns
    -------
    variables : `dict` [`str`, `str`]
        What the environment of a process must have besides, for the library to be in it.

    Raises
    ------
    NoCompilerError
        If this machine is no Linux machine, or has no C compiler.
    """
    if not sys.platform.startswith("linux"):
        raise NoCompilerError(f"{source.name} is made for Linux.")
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if compiler is None:
        raise NoCompilerError(
            f"There is no C compiler to compile {source.name} with: install one, or set CC."
        )
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    library = cache_directory() / "preloaded" / f"{source.stem}-{digest}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        building = library.with_suffix(f".{os.getpid()}")
        command = [compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", str(building), str(source), "-ldl"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise NoCompilerError(f"{source.name} cannot be compiled:\n{made.stderr}")
        building.replace(library)
    return {"LD_PRELOAD": str(library)}

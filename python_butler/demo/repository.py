"""The official repository ``dp2`` of the demonstration: a faithful miniature of Data Preview 2.

Room: demo. Built once into the user's cache and never changed afterwards; whoever serves it copies the
registry first. The same recipe gives the same dataset identifiers and the same catalogues.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..settings import cache_directory

__all__ = ["ensure_repository", "fingerprint"]

_RECIPE = (
    "build",
    "calibrations",
    "camera",
    "catalogues",
    "coadds",
    "contents",
    "differences",
    "files",
    "geometry",
    "images",
    "measure",
    "provenance",
    "registry",
    "scene",
    "sky",
    "solarsystem",
    "survey",
    "tables",
)
"""The modules whose sources decide what is built."""

_PACKAGES = ("lsst-daf-butler", "lsst-images", "lsst-sdm-schemas", "numpy")
_DAY = 86_400.0


def fingerprint() -> str:
    """Name of the build that the present recipe makes.

    Returns
    -------
    fingerprint : `str`
        Sixteen hexadecimal digits, which change with the recipe's sources and the packages it uses.
    """
    digest = hashlib.sha256()
    for module in _RECIPE:
        source = Path(__file__).with_name(f"{module}.py").read_text()
        # Comments and layout decide nothing, and are no reason to build again.
        digest.update(ast.dump(ast.parse(source)).encode())
    for package in _PACKAGES:
        digest.update(f"{package}=={importlib.metadata.version(package)}\n".encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; it goes with the process that holds it."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _remove_stale(root: Path, keep: Path) -> None:
    """Remove builds of other recipes and unfinished ones, unless they are younger than a day."""
    for directory in root.iterdir():
        if directory.is_dir() and directory != keep:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - directory.stat().st_mtime > _DAY:
                    shutil.rmtree(directory, ignore_errors=True)


def ensure_repository(*, rebuild: bool = False, progress: Callable[[str], None] | None = None) -> Path:
    """Build the repository unless it has been built before.

    Parameters
    ----------
    rebuild : `bool`, optional
        Build it anew in any case.
    progress : `~collections.abc.Callable`, optional
        Called with a line of text at each step of the build.

    Returns
    -------
    directory : `pathlib.Path`
        Holds ``repo/``, a Butler repository with an SQLite registry, and ``bucket/dp2/``, the root of its
        datastore. Neither may be changed.

    Notes
    -----
    The build starts processes of its own, so a script that calls this must guard its main part with
    ``if __name__ == "__main__"``.
    """
    root = cache_directory() / "demo"
    root.mkdir(parents=True, exist_ok=True)
    directory = root / fingerprint()
    if directory.exists() and not rebuild:
        return directory
    with _locked(root / f".{directory.name}.lock"):
        # Another process may have built it while this one waited for the lock.
        if directory.exists() and not rebuild:
            return directory
        from .build import build

        _remove_stale(root, directory)
        unfinished = root / f".{directory.name}.{os.getpid()}"
        try:
            build(unfinished, progress or (lambda line: None))
            if directory.exists():
                outdated = root / f".{directory.name}.{os.getpid()}.old"
                directory.rename(outdated)
                unfinished.rename(directory)
                shutil.rmtree(outdated)
            else:
                unfinished.rename(directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return directory

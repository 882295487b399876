"""Where satellites live, and the limits everything else obeys.

Ground floor: standard library only, so that the Jupyter server extension may read it too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import InvalidRequestError

__all__ = [
    "CONNECT_TIMEOUT",
    "PAGE_ROWS",
    "ROOT_VARIABLE",
    "cache_directory",
    "satellite_directory",
    "satellite_root",
    "user_name",
]

ROOT_VARIABLE = "PYTHON_BUTLER_ROOT"
"""Environment variable that says where the satellites live."""

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for a connection to an official server before it counts as offline."""

PAGE_ROWS = 1_000
"""Datasets in one page of the browser's lists, unless it asks for another number."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def satellite_root() -> Path:
    """Directory in which all of a user's satellites live.

    Returns
    -------
    root : `pathlib.Path`
        ``$PYTHON_BUTLER_ROOT``, or ``~/butler``. It need not exist.
    """
    configured = os.environ.get(ROOT_VARIABLE)
    return Path(configured).expanduser() if configured else Path.home() / "butler"


def satellite_directory(label: str) -> Path:
    """Directory of the satellite of one official repository.

    Parameters
    ----------
    label : `str`
        Label of the official repository, for example ``dp2``.

    Returns
    -------
    directory : `pathlib.Path`
        The satellite's root. It need not exist.

    Raises
    ------
    InvalidRequestError
        If the label could not be the name of a directory.
    """
    if not _LABEL.fullmatch(label):
        raise InvalidRequestError(
            f"{label!r} cannot be the label of a repository.",
            "Use letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    return satellite_root() / label


def cache_directory() -> Path:
    """Directory for what can be made again: the demonstration's data, previews.

    Returns
    -------
    directory : `pathlib.Path`
        ``$XDG_CACHE_HOME/python-butler``, or ``~/.cache/python-butler``. It need not exist.
    """
    configured = os.environ.get("XDG_CACHE_HOME")
    base = Path(configured) if configured else Path.home() / ".cache"
    return base / "python-butler"


def user_name() -> str:
    """Name under which this user's runs are filed, as in ``u/<user name>/<name>``.

    Returns
    -------
    name : `str`
        ``$JUPYTERHUB_USER``, else ``$USER``, else the last part of the home directory.
    """
    return os.environ.get("JUPYTERHUB_USER") or os.environ.get("USER") or Path.home().name or "me"

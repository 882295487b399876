"""Where satellites live, and the limits everything else obeys.

Ground floor: standard library only, so that the Jupyter server extension may read it too.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from .errors import InvalidRequestError
from .words import bytes_in

__all__ = [
    "CONNECT_TIMEOUT",
    "FILE_CACHE_BYTES",
    "OWN_PREFIXES",
    "PAGE_ROWS",
    "QUOTA_VARIABLE",
    "ROOT_VARIABLE",
    "RULES_VARIABLE",
    "cache_directory",
    "file_cache_directory",
    "quota_bytes",
    "rule_files",
    "satellite_directory",
    "satellite_root",
    "user_name",
]

ROOT_VARIABLE = "PYTHON_BUTLER_ROOT"
"""Environment variable that says where the satellites live."""

QUOTA_VARIABLE = "PYTHON_BUTLER_QUOTA"
"""Environment variable with which a site tells its users' quota on the home volume, such as ``40GB``."""

RULES_VARIABLE = "PYTHON_BUTLER_RULES"
"""Environment variable that names the user's file of rules on where datasets go."""

OWN_PREFIXES = ("u/", "g/")
"""What the names of collections of users and groups begin with; all others are official by convention."""

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for a connection to an official server before it counts as offline."""

PAGE_ROWS = 1_000
"""Datasets in one page of the browser's lists, unless it asks for another number."""

FILE_CACHE_BYTES = 5_000_000_000
"""Size in bytes to which the cache of official files is kept.

``DAF_BUTLER_CACHE_EXPIRATION_MODE`` overrides it, for example with ``size=20000000000``.
"""

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


def file_cache_directory() -> Path:
    """Directory for copies of official files that were read, shared by all of a user's kernels.

    Returns
    -------
    directory : `pathlib.Path`
        ``python-butler`` below ``$DAF_BUTLER_CACHE_DIRECTORY`` (upstream's own variable), or ``datasets``
        below `cache_directory`. It need not exist.
    """
    configured = os.environ.get("DAF_BUTLER_CACHE_DIRECTORY")
    # Not that directory itself: upstream's caches keep four datasets in it, whoever put them there.
    return Path(configured) / "python-butler" if configured else cache_directory() / "datasets"


def quota_bytes() -> int | None:
    """How much each user may have on the home volume, as the site says.

    Returns
    -------
    quota : `int` or `None`
        ``$PYTHON_BUTLER_QUOTA`` in bytes; `None` if it is not set, or not a size.
    """
    try:
        return bytes_in(os.environ[QUOTA_VARIABLE])
    except (KeyError, InvalidRequestError):
        return None


def rule_files() -> list[Path]:
    """Files with rules on where datasets go that are saved without saying where.

    Returns
    -------
    files : `list` [`pathlib.Path`]
        The user's, ``$PYTHON_BUTLER_RULES`` or ``~/.config/python-butler/rules.yaml``; then the site's,
        ``etc/python-butler/rules.yaml`` of the Python environment and of the machine. None of them need
        exist.
    """
    configured = os.environ.get(RULES_VARIABLE)
    if configured:
        user = Path(configured).expanduser()
    else:
        home = os.environ.get("XDG_CONFIG_HOME")
        user = (Path(home) if home else Path.home() / ".config") / "python-butler" / "rules.yaml"
    sites = [Path(sys.prefix) / "etc", Path("/etc")]
    return [user, *(site / "python-butler" / "rules.yaml" for site in sites)]


def user_name() -> str:
    """Name under which this user's runs are filed, as in ``u/<user name>/<name>``.

    Returns
    -------
    name : `str`
        ``$JUPYTERHUB_USER``, else ``$USER``, else the last part of the home directory.
    """
    return os.environ.get("JUPYTERHUB_USER") or os.environ.get("USER") or Path.home().name or "me"

"""The configuration of a satellite completed with upstream's defaults, which is a third of opening it.

Upstream reads some twenty files for each Butler that is opened. What they gave is kept while the satellite's
own file is the same one.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

from lsst.daf.butler import ButlerConfig

from .layout import CONFIG

__all__ = ["configured"]

_KEPT = 8
"""Satellites of one process whose configuration is kept: nearly always one is open, or two."""

type _Identity = tuple[int, int, int, str | None]
"""Number, size and time of change of the file, and where else upstream looks for defaults."""

_completed: dict[Path, tuple[_Identity, ButlerConfig]] = {}


def configured(root: Path) -> ButlerConfig:
    """Read a satellite's configuration, or take it as it was read before.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    config : `lsst.daf.butler.ButlerConfig`
        The configuration with upstream's defaults: the caller's own.

    Raises
    ------
    OSError
        If it cannot be read.
    RuntimeError
        If it cannot be understood.
    """
    status = (root / CONFIG).stat()
    elsewhere = os.environ.get("DAF_BUTLER_CONFIG_PATH")
    identity = (status.st_ino, status.st_size, status.st_mtime_ns, elsewhere)
    known = _completed.get(root)
    if known is not None and known[0] == identity:
        return copy.deepcopy(known[1])
    config = ButlerConfig(f"{root.as_uri()}/")
    _completed.pop(root, None)
    for oldest in list(_completed)[: max(0, len(_completed) - _KEPT + 1)]:
        _completed.pop(oldest, None)
    _completed[root] = identity, copy.deepcopy(config)
    return config

"""`open`: from a label to a Butler over both repositories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsst.daf.butler import ButlerMetrics
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.remote_butler._remote_butler import RemoteButlerCache

from ..errors import OfflineError
from ..official import connect
from ..satellite import Satellite
from ..settings import satellite_directory
from .butler import SatelliteButler
from .shared import Shared

__all__ = ["open", "reopen"]


def open(
    label: str,
    *,
    collections: Any = None,
    run: str | None = None,
    writeable: bool | None = None,
    inferDefaults: bool = True,  # noqa: N803  upstream's name
    metrics: ButlerMetrics | None = None,
    root: Path | str | None = None,
    **kwargs: Any,
) -> SatelliteButler:
    """Open an official repository and the user's satellite of it as one Butler.

    Parameters
    ----------
    label : `str`
        Label of the official repository in the repository index, for example ``dp2``.
    collections : `str` or iterable of `str`, optional
        Collections to search by default, in order: official and personal ones. They are searched
        exactly as given: the run of the next parameter is not added to them.
    run : `str`, optional
        Personal run to which `SatelliteButler.put` writes by default, by convention
        ``u/<user name>/<name>``. It is registered, and the satellite created, if need be. If
        ``collections`` is not given, it is also the only one searched.
    writeable : `bool`, optional
        Whether the satellite may be written; `True` if not given, since a satellite is for writing.
        (Upstream's Butler is read-only unless ``run`` is given.)
    inferDefaults : `bool`, optional
        Whether to infer default values of data IDs from ``collections``, such as the instrument.
    metrics : `lsst.daf.butler.ButlerMetrics`, optional
        Where usage is counted.
    root : `pathlib.Path` or `str`, optional
        Directory of the satellite; ``~/butler/<label>`` if not given. It need not exist: the first
        write creates it.
    **kwargs
        Default values of data IDs, such as ``instrument="LSSTCam"``.

    Returns
    -------
    butler : `SatelliteButler`
        The Butler.

    Raises
    ------
    python_butler.errors.UnknownRepositoryError
        If no official repository has this label.
    python_butler.errors.OfficialServerError
        If its server, the token or the network is in trouble. If the server cannot be reached and
        there is a satellite, that is used alone, with a warning, until the server is back.
    python_butler.errors.OfficialRunError
        If ``run`` belongs to the official repository.
    python_butler.errors.SatelliteError
        If the satellite cannot be created or opened.

    Examples
    --------
    Search an own run first, then the release::

        butler = python_butler.open("dp2", collections=["u/me/stars", "dp2"], run="u/me/stars")
    """
    defaults = RegistryDefaults(collections, run, inferDefaults, **kwargs)
    directory = satellite_directory(label) if root is None else Path(root).expanduser().absolute()
    try:
        shared = Shared(label, connect(label), directory)
    except OfflineError as error:
        if not Satellite.exists(label, directory):
            raise
        shared = _open_offline(label, directory, error)
    return SatelliteButler(shared, defaults=defaults, writeable=writeable is not False, metrics=metrics)


def _open_offline(label: str, directory: Path, error: OfflineError) -> Shared:
    """Open the satellite alone, ready to use the server when it is back."""
    cache = RemoteButlerCache()
    with Satellite.open(label, directory).reader() as reader, cache.access() as known:
        # All that opening asks of the server: the satellite has the same.
        known.dimensions = reader.dimensions
    shared = Shared(label, connect(label, cache=cache), directory)
    shared.reach.lose(error)
    return shared


def reopen(
    label: str,
    root: Path,
    writeable: bool,
    collections: tuple[str, ...] | None,
    run: str | None,
    infer_defaults: bool,
    data_id: dict[str, Any],
) -> SatelliteButler:
    """Open what was pickled, with the token of the process that unpickles it.

    Parameters
    ----------
    label, root, writeable, collections, run
        As for `open`.
    infer_defaults : `bool`
        Whether to infer default values of data IDs.
    data_id : `dict` [`str`, `object`]
        Default values of data IDs.

    Returns
    -------
    butler : `SatelliteButler`
        The Butler.
    """
    return open(
        label,
        collections=collections,
        run=run,
        writeable=writeable,
        inferDefaults=infer_defaults,
        root=root,
        **data_id,
    )

"""`clean`: removes the directory of a run, and the files of outputs that are not in the satellite."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import batched
from pathlib import Path

import sqlalchemy
from lsst.daf.butler import CollectionType, MissingCollectionError
from lsst.daf.butler.direct_butler import DirectButler
from lsst.pipe.base import automatic_connection_constants as acc
from lsst.resources import ResourcePath

from ...datastore import personal_of
from ...errors import SatelliteError
from ...satellite import Satellite
from ...satellite.repair.names import is_unfinished
from ...satellite.storage import storage_failures, writing_alone
from ..workdir import RunSettings, WorkDirectory
from .plan import Plan, outputs_of
from .report import CleanReport
from .scanning import Outputs

__all__ = ["clean"]

_TOGETHER = 500
"""Files that are removed while others have to wait."""

_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.(new|stale)(\.\w+)?")
"""What a stage was writing into the directory of a run when it was killed."""


def clean(workdir: WorkDirectory, *, keep_logs: bool = False, dry_run: bool = False) -> CleanReport:
    """Remove the directory of a run; what it made and was not collected is given up.

    What was collected stays as it is. Cleaning that was interrupted is completed by another call.

    Parameters
    ----------
    workdir : `WorkDirectory`
        The directory of the run.
    keep_logs : `bool`, optional
        Whether to keep the directory with the logs of quanta in it.
    dry_run : `bool`, optional
        Only say which files of outputs would be deleted.

    Returns
    -------
    report : `CleanReport`
        What was removed.

    Raises
    ------
    python_butler.errors.GoneError
        If no run is prepared in the directory.
    python_butler.errors.InvalidRequestError
        If somebody works on the run.
    python_butler.errors.SatelliteError
        If something cannot be removed.
    """
    settings = workdir.settings()
    satellite = Satellite.open(settings.label, settings.satellite)
    with workdir.locked():
        try:
            files = _Leftovers(satellite, workdir, settings)
            count, size = files.look() if dry_run else files.remove()
            if dry_run:
                return CleanReport(count, size, str(workdir.path), _names(workdir.path))
            _tidy(workdir, settings, keep_logs=keep_logs)
        except storage_failures() as error:
            raise SatelliteError(
                f"What {settings.output_run} left cannot be removed: {error}.",
                "Check that its files are yours to remove, and clean again.",
            ) from error
    # The lock was in it.
    with contextlib.suppress(OSError):
        workdir.path.rmdir()
    return CleanReport(count, size, str(workdir.path), _names(workdir.path))


class _Leftovers:
    """Files that a run wrote and that belong to no dataset of the satellite."""

    def __init__(self, satellite: Satellite, workdir: WorkDirectory, settings: RunSettings) -> None:
        self._satellite = satellite
        self._workdir = workdir
        self._run = settings.output_run

    def look(self) -> tuple[int, int]:
        """Count them, and tell how many bytes they have."""
        with self._satellite.reader() as reader:
            files = self._find(reader)
        return len(files), sum(files.values())

    def remove(self) -> tuple[int, int]:
        """Delete them; says how many there were, and how many bytes they had."""
        with self._satellite.reader() as reader:
            found = self._find(reader)
            root = personal_of(reader).root
        if found:
            with self._satellite.writer() as writer:
                for batch in batched(found, _TOGETHER):
                    # Whoever would give one of them a row has to wait.
                    with writing_alone(writer):
                        known = self._recorded(writer)
                        _delete(root.join(path, forceDirectory=False) for path in batch if path not in known)
        _remove_empty(root.join(self._run, forceDirectory=True))
        self._forget_empty_run()
        return len(found), sum(found.values())

    def _find(self, reader: DirectButler) -> dict[str, int]:
        """Their paths in the datastore, with their sizes in bytes."""
        if not self._workdir.graph.is_file():
            # An earlier call came so far that nothing is left.
            return {}
        personal = personal_of(reader)
        outputs, plan = Outputs(personal), Plan(self._workdir.graph)
        models = [each for q in [*plan.init_quanta, *plan.quanta.values()] for each in outputs_of(q)]
        predicted = {
            info.path
            for ref in plan.refs(each for each in models if each.run == self._run)
            for _, info in outputs.places(ref)
        }
        types = {each.dataset_type_name for each in models}
        known = self._recorded(reader)
        top = personal.root.join(self._run, forceDirectory=True)
        found: dict[str, int] = {}
        for directory, _, names in top.walk():
            for name in names:
                uri = directory.join(name, forceDirectory=False)
                path = uri.relative_to(personal.root)
                # Nothing else is proven to be of this run: whose name begins with its name may be another.
                if (
                    path is not None
                    and path not in known
                    and (path in predicted or is_unfinished(path, types) or self._is_provenance(path))
                ):
                    found[path] = uri.size()
        return found

    def _is_provenance(self, path: str) -> bool:
        return path.startswith(f"{self._run}/{acc.PROVENANCE_DATASET_TYPE_NAME}/")

    def _recorded(self, butler: DirectButler) -> set[str]:
        """Paths of all files of the run that belong to datasets."""
        personal = personal_of(butler)
        table = personal._table._table  # type: ignore[attr-defined]  # the interface has one implementation
        query = sqlalchemy.select(table.columns.path).where(
            table.columns.path.startswith(f"{self._run}/", autoescape=True)
        )
        with butler._registry._db.query(query) as rows:
            return set(rows.scalars())

    def _forget_empty_run(self) -> None:
        """A run that nothing was put into is of no use."""
        with self._satellite.reader() as reader:
            if not _is_empty_run(reader, self._run):
                return
        with self._satellite.writer() as writer, writing_alone(writer):
            if _is_empty_run(writer, self._run):
                writer.collections.x_remove(self._run)


def _is_empty_run(butler: DirectButler, name: str) -> bool:
    try:
        info = butler.collections.get_info(name, include_parents=True)
    except MissingCollectionError:
        return False
    if info.type is not CollectionType.RUN or info.parents:
        return False
    return not any(True for _ in butler.registry._fetch_run_dataset_ids(name))


def _delete(uris: Iterable[ResourcePath]) -> None:
    for status in ResourcePath.mremove(list(uris), do_raise=False).values():
        if not status.success and not isinstance(status.exception, FileNotFoundError):
            assert status.exception is not None
            raise status.exception


def _remove_empty(top: ResourcePath) -> None:
    """Remove directories in which nothing is any more; object stores have none."""
    if not top.isLocal:
        return
    path = Path(top.ospath)
    directories = [each for each in path.rglob("*") if each.is_dir()]
    for each in sorted(directories, key=lambda each: len(each.parts), reverse=True):
        with contextlib.suppress(OSError):
            each.rmdir()
    with contextlib.suppress(OSError):
        path.rmdir()


def _tidy(workdir: WorkDirectory, settings: RunSettings, *, keep_logs: bool) -> None:
    """Remove what stages put into the directory; what makes it a run comes last."""
    for path in _ours(workdir):
        if keep_logs and path == workdir.logs:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    workdir.forget(settings)
    workdir.settings_file.unlink()


def _ours(workdir: WorkDirectory) -> Iterator[Path]:
    yield from (
        workdir.pipeline,
        workdir.picture_source,
        workdir.picture,
        workdir.summary,
        workdir.journal,
        workdir.logs,
        workdir.collected,
        workdir.provenance,
        workdir.batch,
        workdir.submit,
    )
    if workdir.path.is_dir():
        yield from (path for path in workdir.path.iterdir() if _UNFINISHED.fullmatch(path.name))
    # As long as it is there, what it names can be found.
    yield workdir.graph


def _names(directory: Path) -> list[str]:
    """What is in a directory, if there is one."""
    return sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []

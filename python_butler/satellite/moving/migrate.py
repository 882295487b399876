"""Moving a satellite: everything is copied and compared before the new place counts."""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from lsst.daf.butler.direct_butler import DirectButler
from lsst.resources import ResourcePath
from pydantic import BaseModel, ConfigDict

from ...errors import SatelliteError
from ..create import build
from ..durable import sync, sync_directory
from ..layout import CONFIG, DATABASE, FALLBACK, FILES, MARKER, README, read_marker
from ..place import Place
from ..progress import ProgressCallback, Reporter
from ..readme import readme
from ..spool import Spool
from ..spool.lock import FileLock
from ..storage import storage_of
from ..storage.claims import Claim, take_files
from ..storage.schemas import claimed_schema
from .backup import Cancelled, stopping, telling
from .files import inode_of
from .freeze import freeze, is_frozen, thaw_file
from .mark import Stage, read_move, write_move
from .plan import Plan, make_plan
from .recover import end_leaving, forget, moving_alone, pause
from .snapshot import Snapshot, copy_database
from .spooled import Spooled
from .switch import OLD, building_of, new_files, old_files, switch
from .tables import (
    artifacts_of,
    check_same_schema,
    copy_rows,
    datasets_in,
    read_contents,
    strange_tables,
)
from .transfer import Wanted, transfer_files

__all__ = ["MoveReport", "migrate"]

_PATIENCE = 60.0
"""Seconds to wait while somebody commits what waits in the spool."""


class MoveReport(BaseModel):
    """Outcome of moving a satellite."""

    model_config = ConfigDict(frozen=True)

    root: Path
    """The satellite's directory."""

    registry: str = ""
    """Where its registry is, in words for a person."""

    storage: str = ""
    """Where its files are."""

    datasets: int = 0
    """Datasets in the registry."""

    rows: int = 0
    """Rows of the registry that were compared."""

    files: int = 0
    """Files that were copied and compared."""

    bytes: int = 0
    """Their size."""

    left: tuple[str, ...] = ()
    """What is left of the old place, as phrases."""

    notes: tuple[str, ...] = ()
    """What was not taken along since nobody knows what it is, as sentences."""

    cancelled: bool = False
    """Whether it was stopped; the old place still counts, and moving again goes on."""


def migrate(
    satellite: Place,
    *,
    registry: str | None = None,
    storage: str | Path | ResourcePath | None = None,
    namespace: str | None = None,
    root: Path | None = None,
    remove_old: bool = False,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> MoveReport:
    """Move a satellite: see `Satellite.migrate`."""
    here = satellite.root
    reporter = Reporter(progress, cancel)
    with telling("The satellite cannot be moved"), moving_alone(here) as lock:
        known = read_move(here)
        if known is not None and known.stage is Stage.LEAVING:
            end_leaving(here, known)
            known = None
        if known is not None and known.stage is Stage.DONE:
            raise SatelliteError(f"The satellite in {here} was moved to {known.root}.", "Move it from there.")
        if known is not None and known.stage is Stage.SWITCHING:
            left = switch(here, known)
            return _report(Place(satellite.label, known.root), left=tuple(left))
        plan = make_plan(satellite, known, registry, storage, namespace, root, remove_old)
        move = plan.move
        write_move(here, move)
        begun = threading.Event()
        if plan.again:
            begun.set()
        try:
            report = _copy(satellite, plan, lock, begun, reporter)
            move = move.model_copy(update={"stage": Stage.SWITCHING})
            write_move(here, move)
        except BaseException as failure:
            with _noted_on(failure):
                (pause if begun.is_set() else forget)(here, move)
            if isinstance(failure, Cancelled):
                return MoveReport(root=here, cancelled=True)
            raise
        left = switch(here, move)
    return _report(Place(satellite.label, move.root), **report, left=tuple(left))


def _copy(
    satellite: Place, plan: Plan, lock: FileLock, begun: threading.Event, reporter: Reporter
) -> dict[str, object]:
    """Make the new place, complete and compared. The event is set when there are files in it."""
    check = stopping(reporter)
    move = plan.move
    found: dict[str, object] = {}
    _empty_spool(satellite)
    old = storage_of(satellite)
    freeze(old)
    spooled = Spooled.read(satellite.root)
    building = building_of(satellite.root, move)
    _clear(building)
    claim = Claim(id=read_marker(satellite.root).id, label=satellite.label, root=move.root)
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(contextlib.closing(satellite.reader()))
        if plan.by_rows:
            if plan.choice.registry is not None and plan.choice.namespace is not None:
                stack.enter_context(claimed_schema(plan.choice.registry, plan.choice.namespace, claim))
            _build(satellite.label, plan, source, building, claim.id)
            found |= _copy_rows(satellite.label, source, building, reporter)
        else:
            _copy_directory(satellite, plan, building, check)
            if move.root != satellite.root and old.database_path is not None:
                found |= _compare(satellite.label, source, building)
        if plan.files:
            found |= _copy_files(satellite, plan, source, spooled, building, claim, begun, reporter)
        if move.root == satellite.root:
            _keep_configuration(satellite.root, building)
        else:
            files = new_files(move) if move.new.files is not None else _files_in(building)
            waiting = spooled if not plan.files else spooled.settled(lambda path: inode_of(files, path))
            waiting.write(building)
        _make_durable(building)
        check()
        if not lock.mine() or not is_frozen(old):
            raise SatelliteError(
                f"Another process took this one for dead, and the satellite in {satellite.root} was written.",
                "Move it again.",
            )
    return found


def _empty_spool(satellite: Place) -> None:
    spool = Spool(satellite)
    for batch in spool.batches():
        if batch.alive is not False and batch.datasets:
            raise SatelliteError(
                f"A batch of {batch.datasets} datasets is open in process {batch.pid} on {batch.host}.",
                "Commit or discard it first.",
            )
    if not spool.waiting():
        return
    with contextlib.closing(satellite._butler(writeable=True)) as writer:
        # What cannot be committed, for whatever reason, goes along as it is.
        spool.commit(wait=_PATIENCE, writer=writer, moving=True)


def _clear(building: Path) -> None:
    """Begin anew with all but the files, which take longest."""
    building.parent.mkdir(parents=True, exist_ok=True)
    building.mkdir(exist_ok=True)
    for each in building.iterdir():
        if each.name == FILES:
            continue
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def _build(label: str, plan: Plan, source: DirectButler, building: Path, satellite_id: str) -> None:
    """Make an empty satellite with the new places."""
    built = build(label, building, source.dimensions, plan.choice, satellite_id)
    for each in built.iterdir():
        if each.name == FILES and (building / FILES).exists():
            each.rmdir()
        else:
            each.rename(building / each.name)
    built.rmdir()


def _keep_configuration(root: Path, building: Path) -> None:
    for name in (CONFIG, FALLBACK):
        if (root / name).exists():
            shutil.copyfile(root / name, building / f"{OLD}{name}")


def _copy_directory(satellite: Place, plan: Plan, building: Path, check: Callable[[], None]) -> None:
    """Take the small files along, and an SQLite database if the directory changes."""
    root, move = satellite.root, plan.move
    for name in (CONFIG, FALLBACK):
        if (root / name).exists():
            text = (root / name).read_text()
            if move.new.files != move.old.files:
                text = _with_files(text, move.new.files or f"<butlerRoot>/{FILES}")
            (building / name).write_text(text)
    if plan.files and move.new.files is None:
        (building / FILES).mkdir(exist_ok=True)
    (building / README).write_text(readme(satellite.label, storage_of(building)))
    if move.root != root:
        shutil.copyfile(root / MARKER, building / MARKER)
        if move.new.registry is None:
            copy_database(root / DATABASE, building / DATABASE, check)
            thaw_file(building / DATABASE)
            Snapshot(building / DATABASE).check()


def _with_files(text: str, files: str) -> str:
    """A configuration with another root of the personal datastore, which is the only one that has a root."""
    changed, count = re.subn(
        r"^(\s*(?:- )?root:).*$", lambda found: f"{found[1]} {_quoted(files)}", text, flags=re.MULTILINE
    )
    if count != 1:
        raise SatelliteError(
            "The satellite's configuration was changed by hand: it has several roots, or none.",
            "Move a satellite with the configuration that python-butler made.",
        )
    return changed


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, width=10_000, default_style='"').strip()


def _copy_rows(label: str, source: DirectButler, building: Path, reporter: Reporter) -> dict[str, object]:
    with contextlib.closing(Place(label, building)._butler(writeable=True)) as target:
        check_same_schema(source, target)
        copied = copy_rows(source, target, reporter)
    found = _compare(label, source, building)
    if found["rows"] != sum(each.rows for each in copied.values()):
        raise _different("rows were added while it was copied")
    return found


def _compare(label: str, source: DirectButler, building: Path) -> dict[str, object]:
    """Make sure that two registries hold the same."""
    with contextlib.closing(Place(label, building).reader()) as target:
        here, there = read_contents(source), read_contents(target)
    for name in here.keys() | there.keys():
        if here.get(name) != there.get(name):
            raise _different(f"the table {name} is not the same")
    names = strange_tables(source)
    return {
        "rows": sum(each.rows for each in there.values()),
        "notes": tuple(f"The table {name} of the database was not taken along." for name in names),
    }


def _different(what: str) -> SatelliteError:
    return SatelliteError(f"The copy of the registry differs: {what}.", "Move the satellite again.")


def _copy_files(
    satellite: Place,
    plan: Plan,
    source: DirectButler,
    spooled: Spooled,
    building: Path,
    claim: Claim,
    begun: threading.Event,
    reporter: Reporter,
) -> dict[str, object]:
    wanted = {
        path: Wanted((path,), artifact.size, not artifact.removed)
        for path, artifact in artifacts_of(source).items()
    }
    wanted |= {
        path: Wanted((path, file.target), file.size, required=False) for path, file in spooled.files.items()
    }
    if plan.choice.files is not None:
        take_files(plan.choice.files, claim, again=plan.again)
    begun.set()
    target = plan.choice.files or _files_in(building)
    size = transfer_files(
        old_files(satellite.root, plan.move), target, wanted, stopping(reporter), reporter, again=plan.again
    )
    return {"files": len(wanted), "bytes": size}


def _files_in(building: Path) -> ResourcePath:
    return ResourcePath(building / FILES, forceDirectory=True, forceAbsolute=True)


def _make_durable(building: Path) -> None:
    files = [path for path in building.iterdir() if path.is_file()]
    sync(files, [building])
    sync_directory(building.parent)


@contextlib.contextmanager
def _noted_on(failure: BaseException) -> Iterator[None]:
    """Keep what went wrong first from being hidden by what goes wrong after it."""
    try:
        yield
    except Exception as error:
        failure.add_note(f"Nor could the old place be opened for writing again: {error}")


def _report(place: Place, **found: object) -> MoveReport:
    storage = storage_of(place)
    with contextlib.closing(place.reader()) as reader:
        datasets = datasets_in(reader)
    return MoveReport.model_validate(
        {
            "root": place.root,
            "registry": storage.registry_name,
            "storage": str(storage.local_files or storage.files),
            "datasets": datasets,
            **found,
        }
    )

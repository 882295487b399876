"""Reading what a satellite references, and referencing, beside upstream.

What is read is read by a plain upstream Butler on both sides, in a loop over several datasets, of the
demonstration's own files. Catalogues are narrow ones, since with a hundred columns or more both sides
spend most of their time making the table in memory.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .alone import growth
from .figures import Pair, Reading, figure
from .scene import Scene

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef

    from python_butler import Satellite

_DELAY = 0.02
_CUTOUTS = 16
_CATALOGUES = ("object_forced_source", "dia_object_forced_source")
DETECTORS = 189
"""Datasets of each visit at scale."""

FEW_VISITS, MANY_VISITS = 53, 530
"""Visits with 10,017 and 100,170 datasets."""

_NO_FILES = {"DAF_BUTLER_CACHE_EXPIRATION_MODE": "disabled"}
"""Environment in which neither side keeps files: both read from the object store alone."""


@dataclass(frozen=True)
class _Readers:
    """A satellite and the official repository, opened by upstream, and datasets that are in both."""

    scene: Scene
    satellite: Butler
    remote: Butler
    cached_files: Path

    def whole(self, *names: str, count: int | None = None) -> _Reads:
        """Reads of datasets of some types, of the satellite and so of both."""
        found = [ref for name in names for ref in self.satellite.query_datasets(name, limit=None)]
        return [(ref, None) for ref in found[:count]]

    def forget_files(self) -> None:
        """Empty our cache of files."""
        for path in self.cached_files.rglob("*"):
            if path.is_file():
                path.unlink()

    def forget_all(self) -> None:
        """Forget files and signed addresses: what follows is read for the first time."""
        from python_butler.datastore import signer_for

        self.forget_files()
        signer_for("dp2").forget_signed()


@contextmanager
def _readers(
    scene: Scene, *, delay: float = 0.0, ours_keep: bool = True, upstreams_keep: bool = True
) -> Iterator[_Readers]:
    """Open both.

    Parameters
    ----------
    delay
        Seconds by which every request is delayed.
    ours_keep, upstreams_keep
        Whether each side caches files, as it does unless told otherwise: upstream the last four.
    """
    from lsst.daf.butler import Butler

    root = _small_satellite(scene)
    home = scene.directory / "cache"
    with ExitStack() as stack:
        with _environment(XDG_CACHE_HOME=str(home), **({} if ours_keep else _NO_FILES)):
            satellite = stack.enter_context(Butler.from_config(str(root), collections="dp2"))
        with _environment(**({} if upstreams_keep else _NO_FILES)):
            remote = stack.enter_context(Butler.from_config("dp2", collections="dp2"))
            # The cache is set up by the first read.
            remote.get(remote.query_datasets(_CATALOGUES[0], limit=1)[0])
        scene.release.set_latency(delay)
        stack.callback(scene.release.set_latency, 0.0)
        yield _Readers(scene, satellite, remote, home / "python-butler" / "datasets")


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@cache
def _small_satellite(scene: Scene) -> Path:
    """A satellite that references the demonstration's own tables and images."""
    satellite = _new_satellite(scene, "small")
    satellite.reference(list(_CATALOGUES), collections="dp2")
    satellite.reference("visit_image", collections="dp2", where="day_obs < 20260110", instrument="LSSTCam")
    return satellite.root


def _new_satellite(scene: Scene, name: str) -> Satellite:
    from python_butler import Satellite

    assert scene.release
    root = scene.directory / f"{name} satellite"
    shutil.rmtree(root, ignore_errors=True)
    return Satellite.create("dp2", root)


type _Reads = Sequence[tuple[DatasetRef, dict[str, Any] | None]]
"""Datasets and the parameters with which they are read."""


def _read(butler: Butler, reads: _Reads) -> list[Any]:
    return [butler.get(ref, parameters=parameters) for ref, parameters in reads]


def _pair(readers: _Readers, reads: _Reads, before: Callable[[], object] | None) -> Pair:
    """Read the same on both sides, after a look whether it is the same."""
    some = reads[::5]
    for ours, theirs in zip(_read(readers.satellite, some), _read(readers.remote, some), strict=True):
        _check_same(ours, theirs)
    return Pair(
        ours=partial(_read, readers.satellite, reads),
        upstream=partial(_read, readers.remote, reads),
        before=before,
    )


def _check_same(ours: Any, theirs: Any) -> None:
    if hasattr(ours, "colnames"):
        pairs = [(ours[name], theirs[name]) for name in theirs.colnames]
    else:
        pairs = [(ours.image.array, theirs.image.array)]
    for mine, upstreams in pairs:
        np.testing.assert_array_equal(mine, upstreams, "The satellite reads something else.")


def _catalogue(scene: Scene, delay: float, *, keep: str) -> Iterator[Pair]:
    """Catalogues whole; upstream reads from the object store, without a cache."""
    with _readers(scene, delay=delay, ours_keep=keep == "file", upstreams_keep=False) as readers:
        before = readers.forget_all if keep == "nothing" else None
        yield _pair(readers, readers.whole(*_CATALOGUES), before)


def _catalogue_by_default(scene: Scene, delay: float) -> Iterator[Pair]:
    """The same with the settings that both have by default: both download, and put into their caches."""
    with _readers(scene, delay=delay) as readers:
        yield _pair(readers, readers.whole(*_CATALOGUES), readers.forget_all)


def _cutout(scene: Scene, delay: float) -> Iterator[Pair]:
    """50 by 50 pixels of several images; neither side caches parts of files."""
    with _readers(scene, delay=delay) as readers:
        yield _pair(readers, _cutouts(readers), readers.forget_all)


def _cutouts(readers: _Readers) -> _Reads:
    from lsst.images import Box

    reads = []
    for ref, _ in readers.whole("visit_image", count=_CUTOUTS):
        box = readers.satellite.get(ref.makeComponentRef("bbox"))
        y, x = box.y.start + 50, box.x.start + 50
        reads.append((ref, {"bbox": Box.factory[y : y + 50, x : x + 50]}))
    return reads


for _name, _setting, _goals in (
    ("catalogue, first get", partial(_catalogue, keep="nothing"), (0.85, 0.6)),
    ("catalogue, address still valid", partial(_catalogue, keep="address"), (0.4, 0.25)),
    ("catalogue, file in the cache", partial(_catalogue, keep="file"), (0.2, 0.1)),
    ("catalogue, first get with caches", _catalogue_by_default, (1.05, 1.05)),
    ("cutout, first get", _cutout, (0.85, 0.6)),
):
    for _delay, _goal in zip((0.0, _DELAY), _goals, strict=True):
        _full = f"{_name}, {_delay * 1000:.0f} ms / RemoteButler"
        figure("references", _full, goal=_goal)(partial(_setting, delay=_delay))


# What nobody can be quicker than: for judging the goals


def _local_copy(scene: Scene, reads_of: Callable[[_Readers], _Reads]) -> Iterator[Pair]:
    """Upstream reads the same files from a repository on disk, without any server."""
    from lsst.daf.butler import Butler

    root = scene.directory / "local copy"
    shutil.rmtree(root, ignore_errors=True)
    with _readers(scene, upstreams_keep=False) as readers:
        reads = reads_of(readers)
        Butler.makeRepo(str(root), dimensionConfig=readers.remote.dimensions.dimensionConfig)
        with Butler.from_config(str(root), writeable=True) as writer:
            writer.transfer_from(
                readers.remote,
                [ref for ref, _ in reads],
                transfer="copy",
                register_dataset_types=True,
                transfer_dimensions=True,
            )
        with Butler.from_config(str(root)) as local:
            yield Pair(ours=partial(_read, local, reads), upstream=partial(_read, readers.remote, reads))


def _signing_alone(scene: Scene, reads_of: Callable[[_Readers], _Reads]) -> Iterator[Pair]:
    """Upstream asks the server for the address of each file, and reads none of them."""
    from lsst.daf.butler.remote_butler import RemoteButler

    with _readers(scene, upstreams_keep=False) as readers:
        reads, remote = reads_of(readers), readers.remote
        assert isinstance(remote, RemoteButler)

        def sign() -> None:
            for ref, _ in reads:
                remote._get_file_info_for_ref(ref)

        yield Pair(ours=sign, upstream=partial(_read, readers.remote, reads))


for _name, _reads_of in (
    ("catalogue", lambda readers: readers.whole(*_CATALOGUES)),
    ("cutout", _cutouts),
):
    for _floor, _way in (("a local copy", _local_copy), ("signing alone", _signing_alone)):
        figure("references", f"{_name}, floor: {_floor}, 0 ms / RemoteButler", goal=None)(
            partial(_way, reads_of=_reads_of)
        )


@figure("references", "60 gets after prefetch, 20 ms / RemoteButler", goal=0.15)
def prefetched(scene: Scene) -> Iterator[Pair]:
    """Ten catalogues six times over, which is too many for upstream's cache; prefetching is not timed."""
    from python_butler.datastore import references_of

    with _readers(scene, delay=_DELAY) as readers:
        catalogues = readers.whole(*_CATALOGUES)

        def before() -> None:
            readers.forget_all()
            references_of(readers.satellite).prefetch(ref for ref, _ in catalogues)

        yield _pair(readers, [*catalogues] * 6, before)


# Referencing


@dataclass
class _Referencing:
    """Takes visit images at scale into a satellite, as a user would."""

    satellite: Satellite
    seconds: float = 0.0

    def take(self, visits: int) -> int:
        """Reference the images of the first visits, with the chain that they are in; tell how many."""
        last = _visits(visits)[-1]
        start = time.perf_counter()
        report = self.satellite.reference(
            "visit_image",
            collections="dp2",
            where="day_obs >= 20260110 AND visit <= last",
            bind={"last": last},
            instrument="LSSTCam",
        )
        self.seconds = time.perf_counter() - start
        if report.problems or report.notes or report.total != visits * DETECTORS:
            raise RuntimeError(f"Not all could be referenced: {report}.")
        return report.total


def _visits(count: int) -> list[int]:
    """IDs of the first visits at scale."""
    from lsst.daf.butler import Butler

    with Butler.from_config("dp2") as remote:
        records = remote.query_dimension_records(
            "visit",
            instrument="LSSTCam",
            where="day_obs >= 20260110",
            order_by="visit",
            limit=count,
        )
    return [record.id for record in records]


def _milliseconds_per_thousand(scene: Scene, name: str, visits: int) -> float:
    referencing = _Referencing(_new_satellite(scene, name))
    count = referencing.take(visits)
    return referencing.seconds / count * 1e6


@figure("references", "referencing 10,000, time for 1,000", goal=333, rounds=3, unit="ms")
def referencing(scene: Scene) -> Iterator[Reading]:
    """Search, dimension records, references and chains: at least 3,000 datasets a second."""
    yield Reading(lambda: _milliseconds_per_thousand(scene, "new", FEW_VISITS))


@figure("references", "referencing 10,000 / transfer_from", goal=0.5, rounds=1, warm_up=False)
def referencing_beside_upstream(scene: Scene) -> Iterator[Pair]:
    """Upstream's way to leave files where they are, which brings no chains; it is given the datasets."""
    from lsst.daf.butler import Butler

    assert scene.release
    ours = _Referencing(_new_satellite(scene, "new"))
    plain = scene.directory / "plain transfers"
    shutil.rmtree(plain, ignore_errors=True)
    with Butler.from_config("dp2") as remote:
        Butler.makeRepo(str(plain), dimensionConfig=remote.dimensions.dimensionConfig)
        last = _visits(FEW_VISITS)[-1]
        with Butler.from_config(str(plain), writeable=True) as target:

            def upstream() -> None:
                refs = remote.query_datasets(
                    "visit_image",
                    "dp2",
                    where="day_obs >= 20260110 AND visit <= last",
                    bind={"last": last},
                    instrument="LSSTCam",
                    limit=None,
                )
                target.transfer_from(
                    remote,
                    refs,
                    transfer="unsafe_direct",
                    register_dataset_types=True,
                    transfer_dimensions=True,
                )

            yield Pair(ours=lambda: ours.take(FEW_VISITS), upstream=upstream)


@figure("references", "referencing 100,000, time for each / of 10,000", goal=1.2, rounds=1, warm_up=False)
def referencing_many(scene: Scene) -> Iterator[Reading]:
    """Whether the time grows no faster than the number."""

    def take() -> float:
        few = _milliseconds_per_thousand(scene, "new", FEW_VISITS)
        return _large_satellite(scene).seconds / (MANY_VISITS * DETECTORS) * 1e6 / few

    yield Reading(take)


@cache
def _large_satellite(scene: Scene) -> _Referencing:
    """A satellite with 100,000 references."""
    referencing = _Referencing(_new_satellite(scene, "large"))
    referencing.take(MANY_VISITS)
    return referencing


def take_many(root: str) -> Iterator[None]:
    """Reference 100,000 datasets; see `benchmarks.alone`."""
    from python_butler import Satellite

    satellite = Satellite.create("dp2", root)
    with satellite.reader():
        yield
    _Referencing(satellite).take(MANY_VISITS)


@figure("references", "memory to reference 100,000", goal=500, rounds=1, unit="MB", warm_up=False)
def memory(scene: Scene) -> Iterator[Reading]:
    """In a process of its own: the most it held, less what it held after it had opened a satellite."""
    root = _new_satellite(scene, "other").root
    yield Reading(lambda: growth("benchmarks.references", "take_many", str(root)))


@figure("references", "opening 100,000 references, no server / plain repository", goal=1.15, rounds=15)
def opening(scene: Scene) -> Iterator[Pair]:
    """Upstream opens either, in a process that has opened others; the plain one has the same registry."""
    from lsst.daf.butler import Butler

    root = _large_satellite(scene).satellite.root
    plain = _plain_copy(root, scene.directory / "plain repository")

    def open_and_ask(repository: Path) -> None:
        with Butler.from_config(str(repository), collections="dp2") as butler:
            if not butler.collections.defaults:
                raise RuntimeError("There is no default collection.")

    scene.release.stop_server()
    try:
        yield Pair(ours=lambda: open_and_ask(root), upstream=lambda: open_and_ask(plain))
    finally:
        scene.release.start_server()


def _plain_copy(satellite: Path, plain: Path) -> Path:
    """A repository as upstream makes it, with all that is in a satellite's registry."""
    from lsst.daf.butler import Butler

    with Butler.from_config(str(satellite)) as butler:
        Butler.makeRepo(str(plain), dimensionConfig=butler.dimensions.dimensionConfig)
    shutil.copyfile(satellite / "gen3.sqlite3", plain / "gen3.sqlite3")
    with sqlite3.connect(plain / "gen3.sqlite3") as database:
        database.execute("INSERT INTO file_datastore_records SELECT * FROM reference_datastore_records")
        database.execute("DROP TABLE reference_datastore_records")
        database.execute("DELETE FROM opaque_meta WHERE table_name = 'reference_datastore_records'")
    database.close()
    return plain

"""Writing to a satellite beside upstream's put, from one process and from several, and on a slow disk.

Both sides write the same small tables for the same visits and detectors, whose dimension records both
have; processes have made the tables, opened everything and written once before they are timed. Upstream
writes to a repository as it makes one. Where less is written on one side, times are for each dataset.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from .figures import Pair, Reading, figure
from .preloading import preloaded
from .scene import Scene
from .writers import DIMENSIONS, LABEL, NEEDED, Process, table, to_write, write

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DimensionRecord

COUNT = 1000
"""Datasets that are written at once."""

_VISITS = 12
"""Of 189 detectors each: enough for all data IDs."""

_FEW = 100
"""Tables that are written one after the other by this process."""

_PAUSE = 1.5
"""Seconds between saves that a person makes."""

_SLOW_DISK = Path(__file__).with_name("slow_disk.c")
_numbers = itertools.count()


@cache
def _records(scene: Scene) -> dict[str, list[DimensionRecord]]:
    """Dimension records of some official visits."""
    from lsst.daf.butler import Butler

    from python_butler.demo.scale import RUN

    assert scene.platform
    with Butler.from_config(LABEL) as source, source.query() as query:
        query = query.join_dataset_search("visit_image", RUN).where(instrument="LSSTCam")
        visits = [row["visit"] for row in query.data_ids(["visit"]).order_by("visit").limit(_VISITS)]
        query = query.where("visit <= last", bind={"last": max(visits)})
        return {name: list(query.dimension_records(name)) for name in NEEDED}


def _furnish(scene: Scene, writer: Butler) -> None:
    """Make a repository know the dimension records that both sides' datasets need."""
    for name, rows in _records(scene).items():
        writer.registry.insertDimensionData(name, *rows, skip_existing=True)


@cache
def _plain(scene: Scene) -> Path:
    """A repository as upstream makes it."""
    from lsst.daf.butler import Butler

    root = scene.directory / "plain repository for writing"
    universe = _records(scene)["visit"][0].definition.universe
    Butler.makeRepo(str(root), dimensionConfig=universe.dimensionConfig)
    with Butler.from_config(str(root), writeable=True) as writer:
        _furnish(scene, writer)
    return root


@cache
def _satellite(scene: Scene) -> Path:
    """A satellite that knows the same."""
    from python_butler import Satellite

    root = scene.directory / "satellite for writing"
    universe = _records(scene)["visit"][0].definition.universe
    with Satellite.create(LABEL, root, universe=universe).writer() as writer:
        _furnish(scene, writer)
    return root


def _new_name() -> str:
    return f"bench_stars{next(_numbers)}"


def _check_written(root: Path, name: str, count: int) -> None:
    """Make sure, with upstream alone, that everything is there."""
    from lsst.daf.butler import Butler

    with Butler.from_config(str(root)) as butler:
        found = butler.query_datasets(name, "*", find_first=False, limit=None)
        if len(found) != count:
            raise RuntimeError(f"{len(found)} datasets were written, not {count}.")
        if len(butler.get(found[-1])) != len(table(0)):
            raise RuntimeError("Something else was written.")


def _beside_puts(
    scene: Scene, *, way: str, ours: int, upstreams: int, processes: int = 1, milliseconds: int = 0
) -> Iterator[Reading]:
    """Time for a dataset, ours divided by upstream's."""
    roots = {way: _satellite(scene), "put": _plain(scene)}
    variables = {}
    if milliseconds:
        variables = {**preloaded(_SLOW_DISK), "SLOW_DISK_MILLISECONDS": str(milliseconds)}

    def seconds(way: str, count: int) -> float:
        name = _new_name()
        took = write(way, roots[way], name, count=count, processes=processes, variables=variables)
        _check_written(roots[way], name, (count + 1) * processes)
        return took.whole / count

    yield Reading(lambda: seconds(way, ours) / seconds("put", upstreams))


for _name, _way, _milliseconds, _upstreams, _goal in (
    ("1,000 deferred puts / put", "deferred", 0, COUNT, 1 / 6),
    ("1,000 saves / put", "save", 0, COUNT, 1 / 6),
    ("1,000 deferred puts, 3 ms a sync, lock, unlink / put", "deferred", 3, COUNT // 5, 1 / 20),
):
    figure("writing", _name, goal=round(_goal, 3), rounds=3, warm_up=False)(
        partial(_beside_puts, way=_way, ours=COUNT, upstreams=_upstreams, milliseconds=_milliseconds)
    )
figure("writing", "4 processes of 250 saves / of 250 puts", goal=round(1 / 3, 3), rounds=3, warm_up=False)(
    partial(_beside_puts, way="save", ours=250, upstreams=250, processes=4)
)


@figure("writing", "longest of 4 x 250 saves", goal=1000, rounds=3, unit="ms", warm_up=False)
def longest_save(scene: Scene) -> Iterator[Reading]:
    """What the unluckiest of four processes waits for one save."""
    root = _satellite(scene)
    yield Reading(lambda: write("save", root, _new_name(), count=250, processes=4).longest * 1000)


@figure("writing", "one save now and then / put", goal=1.2, rounds=15)
def interactive(scene: Scene) -> Iterator[Pair]:
    """In a kernel that has saved before; each to a data ID of its own."""
    from lsst.daf.butler import Butler, DatasetType

    import python_butler

    root, name = _satellite(scene), _new_name()
    wanted = iter(to_write(str(root), 0, 100))
    other = iter(to_write(str(root), 0, 100))
    with (
        python_butler.open(LABEL, root=root) as butler,
        Butler.from_config(str(_plain(scene)), run=f"u/bench/{name}") as direct,
    ):
        direct.registry.registerDatasetType(
            DatasetType(name, DIMENSIONS, "ArrowAstropy", universe=direct.dimensions)
        )

        def save() -> None:
            made, data_id = next(wanted)
            butler.save(made, name, data_id)

        def put() -> None:
            made, data_id = next(other)
            direct.put(made, name, data_id)

        yield Pair(ours=save, upstream=put, before=lambda: time.sleep(_PAUSE))


@figure("writing", "floor: upstream's formatter alone / put", goal=None)
def formatter_alone(scene: Scene) -> Iterator[Pair]:
    """Upstream writes the same tables into files, without a registry; for judging the goals."""
    from lsst.daf.butler import Butler, DatasetRef, DatasetType, FileDescriptor, Location
    from lsst.daf.butler.formatters.parquet import ParquetFormatter

    root, name = _plain(scene), _new_name()
    run = f"u/bench/{name}"
    directory = scene.directory / name
    directory.mkdir()
    wanted = to_write(str(root), 0, COUNT)
    with Butler.from_config(str(root), run=run) as direct:
        dataset_type = DatasetType(name, DIMENSIONS, "ArrowAstropy", universe=direct.dimensions)
        direct.registry.registerDatasetType(dataset_type)
        data_ids = [(made, direct.registry.expandDataId(data_id)) for made, data_id in wanted]
        refs = iter([(made, DatasetRef(dataset_type, data_id, run)) for made, data_id in data_ids])
        others = iter(wanted)

        def format_them() -> None:
            for made, ref in itertools.islice(refs, _FEW):
                where = FileDescriptor(Location(str(directory), f"{ref.id}.parq"), dataset_type.storageClass)
                ParquetFormatter(where, ref=ref).write(made)

        def put() -> None:
            for made, data_id in itertools.islice(others, _FEW):
                direct.put(made, name, data_id)

        yield Pair(ours=format_them, upstream=put)


@figure("writing", "longest get during a commit of 1,000", goal=100, rounds=3, unit="ms")
def get_during_commit(scene: Scene) -> Iterator[Reading]:
    """In another kernel, which reads one dataset after the other from before until after the commit."""
    root = _satellite(scene)

    def take() -> float:
        before = _new_name()
        write("put", root, before, count=20)
        with (
            Process("get", root, before, count=20) as reader,
            Process("deferred", root, _new_name(), count=COUNT) as writer,
        ):
            for each in (reader, writer):
                each.wait_until_ready()
            writer.tell()
            writer.took()
            reader.tell()
            return reader.took().longest * 1000

    yield Reading(take)

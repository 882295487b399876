"""Small worlds cut between an official repository and a satellite, each also whole in one repository.

The official side is upstream's own server application, called in this process; datasets are rows of the
registry without files, since only queries are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid5

from lsst.daf.butler import Butler, CollectionType, DatasetRef, DatasetType, Timespan
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.tests.server import TestServerInstance, create_test_server

from python_butler.federation import SatelliteButler
from python_butler.federation.records import bring_records
from python_butler.federation.shared import Shared, Side

from .conftest import VISITS, _region, add_records, night

SERVER_CONFIG = "datastore:\n  root: s3://mutable-bucket/\n"

_NAMESPACE = UUID("0c7ac6f5-2a4b-44f1-8f0a-3f2f0b7c6d0e")

TYPES = {
    "source": ("instrument", "visit"),
    "detected": ("instrument", "visit", "detector"),
    "object": ("skymap", "tract"),
    "coadd": ("skymap", "tract", "patch", "band"),
    "flat": ("instrument", "detector", "physical_filter"),
    "bias": ("instrument", "detector"),
}

RUNS = {Side.OFFICIAL: ("Cam/runs/0", "Cam/runs/1"), Side.PERSONAL: ("u/me/runs/0", "u/me/runs/1")}
TAGGED = {Side.OFFICIAL: "Cam/good", Side.PERSONAL: "u/me/good"}
CALIBRATIONS = {Side.OFFICIAL: "Cam/calib", Side.PERSONAL: "u/me/calib"}
CHAINS = {Side.OFFICIAL: "Cam/all", Side.PERSONAL: "u/me/all"}


@dataclass(frozen=True)
class Item:
    """One dataset: which, and in which of the two runs of its side."""

    dataset_type: str
    data_id: tuple[tuple[str, Any], ...]
    slot: int


def _items(instrument: str, visits: tuple[int, ...], detectors: tuple[int, ...]) -> list[Item]:
    cam = ("instrument", instrument)
    items = [Item("source", (cam, ("visit", v)), slot) for slot in (0, 1) for v in visits]
    items += [
        Item("detected", (cam, ("visit", v), ("detector", d)), (v + d) % 2)
        for v in visits
        for d in detectors[:3]
    ]
    items += [Item("bias", (cam, ("detector", d)), slot) for slot in (0, 1) for d in detectors]
    return items


ITEMS = [
    *_items("Cam", VISITS, (1, 2, 3, 4)),
    *(
        Item("flat", (("instrument", "Cam"), ("detector", d), ("physical_filter", f)), (d + len(f)) % 2)
        for d in (1, 2, 3)
        for f in ("g_1", "r_1")
    ),
    *(Item("object", (("skymap", "sky"), ("tract", t)), slot) for slot in (0, 1) for t in (1, 2)),
    *(
        Item("coadd", (("skymap", "sky"), ("tract", t), ("patch", p), ("band", b)), (t + p) % 2)
        for t in (1, 2)
        for p in (0, 1)
        for b in ("g", "r")
    ),
]

OWN_ITEMS = [
    *(item for item in _items("Cam", (7,), (1, 2)) if item.dataset_type != "bias"),
    *_items("Mine", (7, 101), (1, 9)),
    Item("flat", (("instrument", "Cam"), ("detector", 2), ("physical_filter", "Z_own")), 0),
    Item("object", (("skymap", "sky"), ("tract", 3)), 0),
    Item("coadd", (("skymap", "sky"), ("tract", 3), ("patch", 0), ("band", "g")), 1),
]


@dataclass(frozen=True)
class World:
    """What there is, and on which side it is."""

    name: str
    side: Callable[[int, Item], Side]
    records: Side | None = None
    """Where dimension records are beyond those that personal datasets need; both if `None`."""
    own_records: bool = False
    """Whether the satellite has visits, tracts and an instrument of its own."""
    referenced: bool = False
    """Whether the satellite knows every second official dataset, too."""


WORLDS = (
    World("by dataset", lambda index, item: list(Side)[index % 2], Side.OFFICIAL),
    World("by collection", lambda index, item: list(Side)[item.slot]),
    World(
        "by type",
        lambda index, item: (
            Side.PERSONAL if item.dataset_type in ("source", "bias", "coadd") else Side.OFFICIAL
        ),
        Side.OFFICIAL,
    ),
    World("referenced", lambda index, item: list(Side)[index % 3 == 0], Side.OFFICIAL, referenced=True),
    World("own records", lambda index, item: list(Side)[index % 2], Side.OFFICIAL, own_records=True),
)


@dataclass
class Pair:
    """The same content twice."""

    whole: DirectButler
    cut: SatelliteButler


def _ref(butler: Butler, item: Item, side: Side) -> DatasetRef:
    run = RUNS[side][item.slot]
    identifier = uuid5(_NAMESPACE, f"{item.dataset_type} {item.data_id} {run}")
    data_id = butler.registry.expandDataId(dict(item.data_id))
    return DatasetRef(butler.get_dataset_type(item.dataset_type), data_id, run=run, id=identifier)


def _register(butler: DirectButler, side: Side) -> None:
    for name, dimensions in TYPES.items():
        calibration = name in ("bias", "flat")
        dataset_type = DatasetType(
            name, dimensions, "ArrowAstropy", universe=butler.dimensions, isCalibration=calibration
        )
        butler.registry.registerDatasetType(dataset_type)
    for run in RUNS[side]:
        butler.collections.register(run)


def _import(butler: DirectButler, refs: list[DatasetRef]) -> None:
    for run in dict.fromkeys(ref.run for ref in refs):
        for dimensions in {ref.datasetType.dimensions for ref in refs}:
            some = [r for r in refs if r.run == run and r.datasetType.dimensions == dimensions]
            butler.registry._importDatasets(some)


def _collect(butler: DirectButler, side: Side, refs: list[DatasetRef]) -> None:
    """Collections of one side beside its runs."""
    butler.collections.register(TAGGED[side], CollectionType.TAGGED)
    butler.registry.associate(TAGGED[side], [r for r in refs if r.run == RUNS[side][1]])
    butler.collections.register(CALIBRATIONS[side], CollectionType.CALIBRATION)
    begin = night(102).begin
    for ref in refs:
        if ref.datasetType.isCalibration() and ref.datasetType.name == "bias":
            span = Timespan(None, begin) if ref.run.endswith("0") else Timespan(begin, None)
            butler.registry.certify(CALIBRATIONS[side], [ref], span)
    butler.collections.register(CHAINS[side], CollectionType.CHAINED)


def add_own_records(butler: Butler) -> None:
    insert = butler.registry.insertDimensionData
    insert("physical_filter", {"instrument": "Cam", "name": "Z_own", "band": "Z"})
    insert("instrument", {"name": "Mine", "class_name": "", "detector_max": 9, "visit_max": 999})
    insert("physical_filter", {"instrument": "Mine", "name": "r_mine", "band": "r"})
    insert("detector", *[{"instrument": "Mine", "id": d, "full_name": f"M{d}"} for d in (1, 9)])
    insert("day_obs", {"instrument": "Mine", "id": 20270101}, {"instrument": "Cam", "id": 20270101})
    for instrument, visit, name in (("Cam", 7, "g_1"), ("Mine", 7, "r_mine"), ("Mine", 101, "r_mine")):
        insert(
            "visit",
            {
                "instrument": instrument,
                "id": visit,
                "name": f"own{visit}",
                "physical_filter": name,
                "day_obs": 20270101,
                "exposure_time": None if visit == 7 else 5.0,
                "region": _region(20.0 + visit % 3, 0.5, 2.0),
                "timespan": None if instrument == "Mine" else night(110),
            },
        )
        detectors = (1, 2) if instrument == "Cam" else (1, 9)
        for detector in detectors:
            values = {"instrument": instrument, "visit": visit, "detector": detector}
            insert("visit_detector_region", values | {"region": _region(20.0 + detector / 3, 0.5, 0.5)})
    insert("tract", {"skymap": "sky", "id": 3, "region": _region(20.5, 0.0, 2.0)})
    insert(
        "patch", {"skymap": "sky", "tract": 3, "id": 0, "cell_x": 0, "cell_y": 0, "region": _region(20.5, 0)}
    )


@contextmanager
def server() -> Iterator[TestServerInstance]:
    """An official repository of one's own, empty, behind upstream's server application."""
    with TemporaryDirectory() as directory:
        config = Path(directory) / "config" / "basic" / "server.yaml"
        config.parent.mkdir(parents=True)
        config.write_text(SERVER_CONFIG)
        with create_test_server(directory) as instance:
            yield instance


@contextmanager
def built(world: World) -> Iterator[Pair]:
    """Build a world.

    Yields
    ------
    pair : `Pair`
        It, whole and cut, without default collections and data ID.
    """
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory()))
        official = stack.enter_context(server())
        Butler.makeRepo(str(root / "whole"))
        whole = stack.enter_context(Butler.from_config(str(root / "whole"), writeable=True))
        shared = Shared("dp2", official.remote_butler, root / "dp2", memory_seconds=600)
        cut = stack.enter_context(SatelliteButler(shared, defaults=RegistryDefaults(), writeable=True))
        assert isinstance(whole, DirectButler)
        writer = cut._sides.writer
        for butler in (whole, official.direct_butler):
            add_records(butler)
        if world.records is None:
            add_records(writer)
        items = [(item, world.side(index, item)) for index, item in enumerate(ITEMS)]
        repositories: dict[Side, DirectButler] = {
            Side.OFFICIAL: official.direct_butler,
            Side.PERSONAL: writer,
        }
        for side, butler in repositories.items():
            _register(butler, side)
            _register(whole, side)
        refs = [(_ref(whole, item, side), side) for item, side in items]
        bring_records(cut._sides, [ref.dataId for ref, side in refs if side is Side.PERSONAL])
        if world.own_records:
            # What belongs to own records is official in part: it comes first.
            bring_records(
                cut._sides,
                [
                    whole.registry.expandDataId(instrument="Cam", detector=d, physical_filter="g_1")
                    for d in (1, 2)
                ],
            )
            bring_records(cut._sides, [whole.registry.expandDataId(skymap="sky")])
            for butler in (whole, writer):
                add_own_records(butler)
            refs += [(_ref(whole, item, Side.PERSONAL), Side.PERSONAL) for item in OWN_ITEMS]
        for side, butler in repositories.items():
            own = [ref for ref, of in refs if of is side]
            for one in (butler, whole):
                _import(one, own)
                _collect(one, side, own)
        for butler in (official.direct_butler, whole):
            butler.collections.redefine_chain(
                CHAINS[Side.OFFICIAL], (TAGGED[Side.OFFICIAL], *RUNS[Side.OFFICIAL])
            )
        if world.referenced:
            known = [ref for ref, side in refs if side is Side.OFFICIAL][::2]
            bring_records(cut._sides, [ref.dataId for ref in known])
            for run in RUNS[Side.OFFICIAL]:
                writer.collections.register(run)
            _import(writer, known)
            # Its own tag may hold what it refers to.
            for butler in (writer, whole):
                butler.registry.associate(
                    TAGGED[Side.PERSONAL], [r for r in known if r.run == RUNS[Side.OFFICIAL][0]][:6]
                )
        cut._sides.changed()
        mixed = (RUNS[Side.PERSONAL][1], CHAINS[Side.OFFICIAL], RUNS[Side.PERSONAL][0])
        cut.collections.redefine_chain(CHAINS[Side.PERSONAL], mixed)
        whole.collections.redefine_chain(CHAINS[Side.PERSONAL], mixed)
        cut.registry.refresh()
        yield Pair(whole, cut)

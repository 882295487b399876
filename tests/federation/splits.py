"""One set of datasets, cut between an official and a personal repository in several ways.

For each way there is a `DirectButler` repository that holds all of it, to compare with.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from lsst.daf.butler import Butler, CollectionType, Config, DatasetRef, DatasetType, Timespan
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.datastore import references_of, signer_for
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.federation.shared import Side

from .conftest import VISITS, add_records, night, table

_NAMESPACE = UUID("6f0d6e53-6f7e-4f4f-9a1d-1f8a7f0c2b11")


@dataclass(frozen=True)
class Entry:
    """One dataset: the same in whichever repository it is."""

    dataset_type: str
    data_id: tuple[tuple[str, Any], ...]
    slot: int
    """Which of the runs that are searched one after another."""
    seed: int

    def ref(self, butler: Butler, run: str) -> DatasetRef:
        data_id = butler.registry.expandDataId(dict(self.data_id))
        identifier = uuid5(_NAMESPACE, f"{self.dataset_type} {self.data_id} {run}")
        return DatasetRef(butler.get_dataset_type(self.dataset_type), data_id, run=run, id=identifier)


def _entry(dataset_type: str, slot: int, seed: int, **data_id: Any) -> Entry:
    governor = {"skymap": "sky"} if "tract" in data_id else {"instrument": "Cam"}
    return Entry(dataset_type, tuple((governor | data_id).items()), slot, seed)


ENTRIES = (
    *(_entry("source", 0, visit, visit=visit) for visit in VISITS),
    # The same data ID in a later run: the earlier one wins.
    _entry("source", 1, 9000, visit=101),
    *(_entry("detected", d % 2, v * 10 + d, visit=v, detector=d) for v in VISITS for d in (1, 2)),
    *(_entry("object", 1, tract, tract=tract) for tract in (1, 2)),
    _entry("bias", 0, 700, detector=1),
    _entry("bias", 1, 701, detector=1),
)


@dataclass(frozen=True)
class Split:
    """A way to cut the datasets in two."""

    name: str
    side: Callable[[int, Entry], Side]
    referenced: bool = False
    """Whether the satellite refers to every second official dataset."""

    def runs(self, side: Side) -> list[str]:
        prefix = f"Cam/{self.name}" if side is Side.OFFICIAL else f"u/me/{self.name}"
        return [f"{prefix}/{slot}" for slot in (0, 1)]

    def entries(self, side: Side) -> list[tuple[Entry, str]]:
        return [
            (entry, self.runs(side)[entry.slot])
            for index, entry in enumerate(ENTRIES)
            if self.side(index, entry) is side
        ]

    @property
    def prefix(self) -> str:
        """What the names of its chain and its other collections begin with."""
        return f"u/me/{self.name}" if self.entries(Side.PERSONAL) else f"Cam/{self.name}"

    @property
    def all_runs(self) -> list[str]:
        """Runs in search order."""
        used = {run for side in Side for _, run in self.entries(side)}
        official, personal = self.runs(Side.OFFICIAL), self.runs(Side.PERSONAL)
        return [run for pair in zip(official, personal, strict=True) for run in pair if run in used]

    @property
    def chain(self) -> str:
        return f"{self.prefix}/all"

    @property
    def tagged(self) -> str:
        return f"{self.prefix}/good"

    @property
    def calibrations(self) -> str:
        return f"{self.prefix}/calib"


SPLITS = (
    Split("official", lambda index, entry: Side.OFFICIAL),
    Split("personal", lambda index, entry: Side.PERSONAL),
    Split("by_dataset", lambda index, entry: list(Side)[index % 2]),
    Split("by_collection", lambda index, entry: list(Side)[entry.slot]),
    Split(
        "by_type",
        lambda index, entry: Side.PERSONAL if entry.dataset_type in ("source", "object") else Side.OFFICIAL,
    ),
    Split("referenced", lambda index, entry: Side.OFFICIAL, referenced=True),
)


def register_types(butler: Butler) -> None:
    for name, dimensions in (
        ("source", ("instrument", "visit")),
        ("detected", ("instrument", "visit", "detector")),
        ("object", ("skymap", "tract")),
        ("bias", ("instrument", "detector")),
    ):
        butler.registry.registerDatasetType(
            DatasetType(
                name, dimensions, "ArrowAstropy", universe=butler.dimensions, isCalibration=name == "bias"
            )
        )


def put_all(butler: Butler, entries: Iterable[tuple[Entry, str]]) -> list[DatasetRef]:
    refs = []
    for entry, run in entries:
        butler.collections.register(run)
        refs.append(entry.ref(butler, run))
        butler.put(table(entry.seed), refs[-1])
    return refs


def add_collections(butler: Butler, split: Split, refs: Iterable[DatasetRef]) -> None:
    """Add what refers to datasets of either side."""
    refs = list(refs)
    butler.collections.register(split.chain, CollectionType.CHAINED, doc="Everything.")
    butler.collections.redefine_chain(split.chain, split.all_runs)
    butler.collections.register(split.tagged, CollectionType.TAGGED)
    butler.registry.associate(split.tagged, [ref for ref in refs if ref.datasetType.name == "object"])
    butler.collections.register(split.calibrations, CollectionType.CALIBRATION)
    biases = [ref for ref in refs if ref.datasetType.name == "bias"]
    for ref in biases:
        first = ref.run.endswith("/0")
        begin, end = (None, night(102).begin) if first else (night(102).begin, None)
        butler.registry.certify(split.calibrations, [ref], Timespan(begin, end))


def fill(butler: Butler, split: Split, side: Side) -> None:
    """Add what one side of a split holds."""
    refs = put_all(butler, split.entries(side))
    if split.prefix.startswith("u/") is (side is Side.PERSONAL):
        others = [entry.ref(butler, run) for s in Side if s is not side for entry, run in split.entries(s)]
        add_collections(butler, split, [*refs, *others])


def build_official(directory: Path) -> None:
    """Build the official side of all splits as the platform serves it."""
    repo, bucket = directory / "repo", directory / "bucket" / "dp2"
    bucket.mkdir(parents=True)
    config = Config({"datastore": {"root": bucket.as_uri()}})
    Butler.makeRepo(str(repo), config=config, forceConfigRoot=False)
    with Butler.from_config(str(repo), writeable=True) as butler:
        _fill_official(butler)


def _fill_official(butler: Butler) -> None:
    add_records(butler)
    register_types(butler)
    for split in SPLITS:
        fill(butler, split, Side.OFFICIAL)


@dataclass(frozen=True)
class Pair:
    """The same content twice: in one repository, and cut in two."""

    split: Split
    whole: Path
    """Repository that holds everything."""
    satellite: Path

    def copy(self, directory: Path) -> Pair:
        """Copies that may be written."""
        shutil.copytree(self.whole, directory / "whole")
        if self.satellite.exists():
            shutil.copytree(self.satellite, directory / "satellite")
        return Pair(self.split, directory / "whole", directory / "satellite")

    def open_whole(self, **options: Any) -> DirectButler:
        options = {"collections": self.split.chain, "instrument": "Cam", "skymap": "sky"} | options
        butler = Butler.from_config(str(self.whole), **options)
        assert isinstance(butler, DirectButler)
        return butler

    def open_cut(self, **options: Any) -> SatelliteButler:
        options = {"collections": self.split.chain, "instrument": "Cam", "skymap": "sky"} | options
        return open_butler("dp2", root=self.satellite, **options)


def build_whole(directory: Path) -> Path:
    """Build a repository with all that is official."""
    Butler.makeRepo(str(directory))
    with Butler.from_config(str(directory), writeable=True) as butler:
        _fill_official(butler)
    return directory


def build_pair(split: Split, official: Path, directory: Path) -> Pair:
    """Add the personal side of a split to a copy of what is official, and to a satellite."""
    pair = Pair(split, directory / "whole", directory / "satellite")
    shutil.copytree(official, pair.whole)
    if split.entries(Side.PERSONAL):
        with Butler.from_config(str(pair.whole), writeable=True) as whole:
            fill(whole, split, Side.PERSONAL)
        with open_butler("dp2", root=pair.satellite) as cut:
            fill(cut, split, Side.PERSONAL)
    if split.referenced:
        with open_butler("dp2", root=pair.satellite) as cut:
            refs = cut.query_all_datasets(split.all_runs, find_first=False)[::2]
            cut._writing.mirror(refs)
            files = signer_for("dp2").files([ref.id for ref in refs])
            references_of(cut._sides.writer).add("dp2", {ref: files[ref.id] for ref in refs})
    return pair

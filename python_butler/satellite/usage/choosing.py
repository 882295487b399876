"""Which datasets are to be pruned, and which are kept although they could be meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler import CollectionType
from lsst.daf.butler.direct_butler import DirectButler

from ...datastore import personal_of
from ...errors import InvalidRequestError
from ...settings import OWN_PREFIXES
from ..presence import is_pinned
from .ages import Ages, Copies
from .names import VersionRun, version_runs
from .tables import Tables

__all__ = ["Candidate", "Chosen", "Kept", "Rule", "choose", "held"]


class Kept(StrEnum):
    """Why a dataset is kept although it is old, or not among the newest versions."""

    NEWEST = "among the newest versions"
    """Too few newer ones hold its data ID."""

    HELD = "tagged, certified or in another chain"
    """Somebody wants exactly this one."""

    PINNED = "a pinned copy of an official dataset"
    """That is no dataset of one's own."""

    FUTURE = "dated in the future"
    """The clock was wrong then or is now, so that nobody knows how old it is."""


@dataclass(frozen=True)
class Rule:
    """What is to be pruned: datasets that all of this applies to.

    Attributes
    ----------
    older_than : `datetime.timedelta` or `None`
        They were registered longer ago than this.
    keep_versions : `int` or `None`
        There are at least so many newer versions of them, with the same data ID.
    dataset_types, collections : `tuple` [`str`, ...]
        Their dataset type, and their run or the name that it is a version of, match one of these
        patterns; any if there is none, but then only runs below ``u/`` and ``g/`` are looked at.
    even_newest : `bool`
        Whether the newest version may go, too. What is in a run that is no version is its only version.
    even_held : `bool`
        Whether those that are tagged, certified or in a chain of one's own may go, too.
    pinned : `bool`
        Whether copies of official datasets are meant, too, which are then referenced again.
    """

    older_than: timedelta | None = None
    keep_versions: int | None = None
    dataset_types: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    even_newest: bool = False
    even_held: bool = False
    pinned: bool = False

    def check(self) -> None:
        """Refuse what would remove more than anybody can mean.

        Raises
        ------
        InvalidRequestError
            If neither an age nor a number of versions is given, or one of them is negative; or the
            number is zero, and the newest versions are not meant expressly.
        """
        if self.older_than is None and self.keep_versions is None:
            raise InvalidRequestError(
                "It is not said what to prune.", "Say how old it must be, or how many versions to keep."
            )
        if self.older_than is not None and self.older_than < timedelta(0):
            raise InvalidRequestError("An age cannot be negative.", "Write it like 30d.")
        if self.keep_versions is not None and self.keep_versions < (0 if self.even_newest else 1):
            raise InvalidRequestError(
                f"{self.keep_versions} versions cannot be kept.",
                "Keep one or more, or say expressly that the newest is meant, too.",
            )

    @property
    def keep(self) -> int:
        """How many of the newest versions are kept in any case."""
        return self.keep_versions if self.keep_versions is not None else int(not self.even_newest)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One dataset that is to be pruned.

    Attributes
    ----------
    id : `uuid.UUID`
        The dataset.
    run, dataset_type : `str`
        Where it is, and of which type.
    bytes : `int`
        Size of its files.
    date : `int`
        When it was registered, in nanoseconds.
    """

    id: UUID
    run: str
    dataset_type: str
    bytes: int
    date: int


@dataclass
class Chosen:
    """What is to be pruned.

    Attributes
    ----------
    own, pinned : `list` [`Candidate`]
        Datasets of one's own, and copies of official ones.
    kept : `collections.Counter` [`Kept`]
        How many are kept, and why.
    runs : `set` [`str`]
        Runs that the rule is about.
    versions : `dict` [`str`, `VersionRun`]
        All runs that are versions.
    newest : `set` [`str`]
        The runs of the newest version of each name.
    """

    own: list[Candidate] = field(default_factory=list)
    pinned: list[Candidate] = field(default_factory=list)
    kept: Counter[Kept] = field(default_factory=Counter)
    runs: set[str] = field(default_factory=set)
    versions: dict[str, VersionRun] = field(default_factory=dict)
    newest: set[str] = field(default_factory=set)


def choose(butler: DirectButler, rule: Rule) -> Chosen:
    """Choose what is to be pruned.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    rule : `Rule`
        What is meant.

    Returns
    -------
    chosen : `Chosen`
        What that is.
    """
    tables = Tables(butler)
    runs = tables.runs()
    versions = version_runs(runs.values(), set(tables.collections(CollectionType.CHAINED).values()))
    wanted = {key: run for key, run in runs.items() if _is_meant(run, versions.get(run), rule)}
    chosen = Chosen(runs=set(wanted.values()), versions=versions, newest=_newest(versions))
    types = {
        key: name
        for key, name in tables.dataset_types().items()
        if not rule.dataset_types or any(fnmatchcase(name, each) for each in rule.dataset_types)
    }
    found = list(_stored(tables, wanted, types))
    ages = Ages(tables, rule.older_than, versions) if rule.older_than is not None else None
    # Among all versions of a name, also those that are not meant themselves.
    ranks = _ranks(tables, {key: versions[run] for key, run in runs.items() if run in versions})
    copies = Copies(personal_of(butler).root)
    own: list[Candidate] = []
    for candidate, path in found:
        if is_pinned(candidate.id, path):
            if ages is not None and not ages.is_old(candidate.id, copies.written(path)):
                continue
            if rule.pinned:
                chosen.pinned.append(candidate)
            else:
                chosen.kept[Kept.PINNED] += 1
            continue
        if ages is not None and not ages.is_old(candidate.id):
            chosen.kept[Kept.FUTURE] += ages.is_in_future(candidate.id)
            continue
        if ranks.get(candidate.id, 1) <= rule.keep:
            # Of what is not even old enough, nobody wants to know.
            chosen.kept[Kept.NEWEST] += ages is not None
            continue
        own.append(candidate)
    kept = set() if rule.even_held else held(tables, [(each.id, each.run) for each in own])
    chosen.kept[Kept.HELD] += len(kept)
    # Those that were registered first go first, whenever it is stopped.
    chosen.own = sorted((each for each in own if each.id not in kept), key=lambda each: each.date)
    return chosen


def held(tables: Tables, datasets: Iterable[tuple[UUID, str]]) -> set[UUID]:
    """Tell which datasets somebody wants: tagged or certified, or in a version that another chain names.

    Parameters
    ----------
    tables : `Tables`
        Tables of the satellite.
    datasets : iterable of `tuple` [`uuid.UUID`, `str`]
        Datasets and their runs.

    Returns
    -------
    held : `set` [`uuid.UUID`]
        Those that are.
    """
    datasets = list(datasets)
    ids = {dataset_id for dataset_id, _ in datasets}
    found: set[UUID] = set()
    labels = tables.collections(CollectionType.TAGGED, CollectionType.CALIBRATION)
    if labels and ids:
        for each in tables.associations():
            query = sqlalchemy.select(each.table.columns.dataset_id).where(each.collection.in_(list(labels)))
            with tables.query(query) as rows:
                found.update(row[0] for row in rows if row[0] in ids)
    named = _named_by_other_chains(tables)
    return found | {dataset_id for dataset_id, run in datasets if run in named}


def _named_by_other_chains(tables: Tables) -> set[str]:
    """Version runs that are in a chain other than that of their name."""
    runs, chains = tables.runs(), tables.collections(CollectionType.CHAINED)
    versions = version_runs(runs.values(), set(chains.values()))
    query = sqlalchemy.select(tables.chain_parent, tables.chain_child)
    with tables.query(query) as rows:
        members = [(chains.get(parent), runs.get(child)) for parent, child in rows]
    return {run for chain, run in members if run in versions and versions[run].name != chain}


def _newest(versions: dict[str, VersionRun]) -> set[str]:
    newest: dict[str, VersionRun] = {}
    for each in versions.values():
        if each.name not in newest or newest[each.name].number < each.number:
            newest[each.name] = each
    return {each.run for each in newest.values()}


def _is_meant(run: str, version: VersionRun | None, rule: Rule) -> bool:
    if not rule.collections:
        return run.startswith(OWN_PREFIXES)
    names = (run,) if version is None else (run, version.name)
    return any(fnmatchcase(name, each) for name in names for each in rule.collections)


def _stored(tables: Tables, runs: dict[Any, str], types: dict[int, str]) -> Iterator[tuple[Candidate, str]]:
    """Datasets with files in the satellite, and the path of one of them."""
    records, dataset = tables.personal.columns, tables.dataset.columns
    size = sqlalchemy.func.sum(sqlalchemy.case((records.file_size > 0, records.file_size), else_=0))
    query = (
        sqlalchemy.select(
            dataset.id,
            tables.run_id,
            dataset.dataset_type_id,
            size,
            tables.ingest_date(),
            sqlalchemy.func.min(records.path),
        )
        .select_from(tables.personal.join(tables.dataset, dataset.id == records.dataset_id))
        .group_by(dataset.id, tables.run_id, dataset.dataset_type_id, dataset.ingest_date)
    )
    with tables.query(query) as rows:
        for dataset_id, run, dataset_type, count, date, path in rows:
            if run in runs and dataset_type in types:
                yield Candidate(dataset_id, runs[run], types[dataset_type], int(count), date), path


def _ranks(tables: Tables, runs: dict[Any, VersionRun]) -> dict[UUID, int]:
    """How many versions of a dataset there are from the newest on to itself: 1 for the newest."""
    if not runs:
        return {}
    stored = sqlalchemy.select(tables.personal.columns.dataset_id)
    groups: dict[tuple[Any, ...], list[tuple[int, UUID]]] = defaultdict(list)
    for each in tables.associations():
        if each.dimensions is None:
            continue
        columns = each.table.columns
        data_id = (columns[name] for name in each.dimensions)
        query = sqlalchemy.select(
            columns.dataset_id, each.collection, columns.dataset_type_id, *data_id
        ).where(columns.dataset_id.in_(stored))
        with tables.query(query) as rows:
            for dataset_id, run, *key in rows:
                if run in runs:
                    groups[runs[run].name, *key].append((runs[run].number, dataset_id))
    ranks: dict[UUID, int] = {}
    for members in groups.values():
        for rank, (_, dataset_id) in enumerate(sorted(members, reverse=True), start=1):
            ranks[dataset_id] = rank
    return ranks

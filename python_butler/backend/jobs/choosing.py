"""Which datasets a job is about: looked up where they were found, never taken on trust."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING

from lsst.daf.butler import Butler, DataCoordinate, DatasetRef, MissingDatasetTypeError

from ...errors import InvalidRequestError
from ..models import Dataset, RepositoryKind
from ..queries.calls import apply, call_in
from ..queries.check import find_problems, raise_problems
from .models import MAX_DATASETS, ChosenDatasets, JobPhase, JobRequest, JobResult, JobResultStatus

if TYPE_CHECKING:
    from ..library import Library
    from ..queries.models import DatasetQuery
    from ..repository import BrowsedRepository
    from .work import Work

__all__ = ["Meant", "find_meant", "kind_of"]

_BATCH = 5_000
"""Data IDs in one question."""

_MOST = MAX_DATASETS + 1

_ONE_BY_ONE = 1_000
"""So many datasets of a satellite are looked up by their identifiers; more, by their runs."""


@dataclass
class Meant:
    """The datasets that a job is about.

    Attributes
    ----------
    kind : `RepositoryKind`
        Where they were found.
    collection : `str` or `None`
        The collection in which they were looked for.
    refs : `list` [`lsst.daf.butler.DatasetRef`]
        The datasets, in the order in which they were given.
    missing : `list` [`Dataset`]
        Those that are not there any more.
    dataset_type : `str`
        Their type.
    """

    kind: RepositoryKind
    collection: str | None
    dataset_type: str
    refs: list[DatasetRef] = field(default_factory=list)
    missing: list[Dataset] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many were meant."""
        return len(self.refs) + len(self.missing)

    def missing_results(self) -> Iterator[JobResult]:
        """Give what became of those that are not there."""
        for dataset in self.missing:
            yield JobResult(
                id=dataset.id,
                dataset_type=self.dataset_type,
                data_id=dataset.data_id,
                run=dataset.run,
                status=JobResultStatus.MISSING,
                bytes=None,
                reason="It is no longer where it was found: reload the list.",
            )


def kind_of(request: JobRequest) -> RepositoryKind:
    """Tell where the datasets of a job are looked for."""
    source = request.chosen or request.query
    return RepositoryKind.PERSONAL if source is None else source.kind


def find_meant(library: Library, work: Work) -> Meant:
    """Find the datasets that a job is about.

    Parameters
    ----------
    library : `Library`
        Knows the repositories.
    work : `Work`
        The job.

    Returns
    -------
    meant : `Meant`
        The datasets.

    Raises
    ------
    InvalidRequestError
        If none are named, or too many found.
    """
    request = work.request
    source = request.chosen or request.query
    if source is None or (request.chosen is not None and request.query is not None):
        raise InvalidRequestError("It is not said which datasets are meant.", "Select some in the list.")
    work.enter(JobPhase.FINDING)
    meant = Meant(source.kind, source.collection, source.dataset_type)

    def find(repository: BrowsedRepository) -> None:
        if request.chosen is not None:
            _find_chosen(repository, work, request.chosen, meant)
        elif request.query is not None:
            _find_all(repository, work, request.query, meant)

    library.ask(source.kind, request.label, find)
    work.check()
    return meant


def _find_chosen(repository: BrowsedRepository, work: Work, chosen: ChosenDatasets, meant: Meant) -> None:
    unique = list({dataset.id: dataset for dataset in chosen.datasets}.values())
    found: dict[object, DatasetRef] = {}
    with repository.query(work) as butler:
        if repository.kind is RepositoryKind.PERSONAL and len(unique) <= _ONE_BY_ONE:
            for dataset in unique:
                if (ref := butler.get_dataset(dataset.id)) is not None:
                    found[ref.id] = ref
        else:
            for batch in batched(unique, _BATCH):
                work.check()
                found |= {ref.id: ref for ref in _with_data_ids(butler, chosen.dataset_type, batch)}
    meant.refs = [found[dataset.id] for dataset in unique if dataset.id in found]
    meant.missing = [dataset for dataset in unique if dataset.id not in found]


def _with_data_ids(butler: Butler, name: str, datasets: Sequence[Dataset]) -> list[DatasetRef]:
    """Datasets that have one of these data IDs in one of these runs."""
    try:
        dataset_type = butler.get_dataset_type(name)
    except MissingDatasetTypeError:
        return []
    runs = sorted({dataset.run for dataset in datasets})
    runs = [info.name for info in butler.collections.query_info(runs) if info.name in runs]
    if not runs:
        return []
    with butler.query() as query:
        if dataset_type.dimensions.required:
            data_ids = {
                DataCoordinate.standardize(dataset.data_id, dimensions=dataset_type.dimensions)
                for dataset in datasets
            }
            query = query.join_data_coordinates(data_ids)
        return list(query.datasets(dataset_type, runs, find_first=False))


def _find_all(repository: BrowsedRepository, work: Work, search: DatasetQuery, meant: Meant) -> None:
    dataset_type = repository.butler().get_dataset_type(search.dataset_type)
    if problems := find_problems(dataset_type, search.filter):
        raise_problems(problems)
    call = call_in(repository, dataset_type, search)
    work.check()
    with repository.query(work) as butler, butler.query() as query:
        results = query.datasets(dataset_type, search.collection, find_first=call.find_first)
        results = apply(results, call).order_by(*call.order_by)
        # A calibration comes once for each validity range.
        found = {ref.id: ref for ref in results.limit(min(call.limit or _MOST, _MOST))}
    meant.refs = list(found.values())
    if len(meant.refs) > MAX_DATASETS:
        raise InvalidRequestError(
            f"More than {MAX_DATASETS:,} datasets were found: too many for one job.",
            "Narrow the query, or use the command satellite in a terminal.",
        )

"""What a run made, put into the satellite: dimension records, datasets where they lie, provenance, chain."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import batched, takewhile
from pathlib import Path
from uuid import UUID

from lsst.daf.butler import (
    CollectionType,
    DataCoordinate,
    DatasetIdGenEnum,
    DatasetRef,
    DatasetType,
    DimensionElement,
    DimensionRecord,
    MissingDatasetTypeError,
)
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.daf.butler.registry.interfaces import DatabaseInsertMode
from lsst.pipe.base import automatic_connection_constants as acc
from lsst.pipe.base.quantum_graph.formatter import ProvenanceFormatter
from lsst.resources import ResourcePath

from ...datastore import personal_of
from ...errors import SatelliteError
from ...satellite.presence import registered
from ...satellite.progress import Reporter
from ...satellite.records import Records, insert_records, lacking
from ...satellite.registering import register_dataset_type, register_run
from ...satellite.spool.inserting import insert
from ...satellite.storage import writing_alone
from ..workdir import RunSettings
from .opened import Opened
from .plan import Plan
from .report import CollectReport
from .scanning import Outputs, Scan

__all__ = ["extend_chain", "provenance_type", "save_outputs", "save_provenance", "save_records"]

_DATASETS = 400
"""Datasets in one transaction: more would keep others waiting."""

_RECORDS = 2_000
"""Dimension records in one transaction."""


def save_records(opened: Opened, plan: Plan, reporter: Reporter) -> tuple[int, list[str]]:
    """Bring the dimension records of all data IDs of a run.

    Parameters
    ----------
    opened : `Opened`
        Where to.
    plan : `Plan`
        What has them.
    reporter : `Reporter`
        Told how far it is; whether to stop.

    Returns
    -------
    new : `int`
        How many the satellite did not have.
    notes : `list` [`str`]
        Records of which the satellite has others, as sentences.
    """
    reader = opened.reader
    records = lacking(reader, plan.records())
    notes = [reason for reasons in records.conflicts.values() for reason in reasons.values()]
    total = records.count
    if not total:
        return 0, notes
    done = 0
    writer = opened.writer
    for piece in _pieces(writer, records):
        with writing_alone(writer), writer.transaction():
            insert_records(writer, piece)
        done += piece.count
        reporter.tell("saving dimension records", done, total)
        if reporter.cancelled:
            break
    return done, notes


def _pieces(writer: DirectButler, records: Records) -> Iterator[Records]:
    """Some records at a time, those that others refer to first."""
    rows: list[tuple[DimensionElement, DimensionRecord]] = [
        (element, row) for element in writer.dimensions.sorted(records.new) for row in records.new[element]
    ]
    for batch in batched(rows, _RECORDS):
        new: defaultdict[DimensionElement, list[DimensionRecord]] = defaultdict(list)
        for element, row in batch:
            new[element].append(row)
        yield Records(new=new)


def save_outputs(opened: Opened, plan: Plan, scan: Scan, report: CollectReport, reporter: Reporter) -> None:
    """Put into the registry what quanta that succeeded wrote, where it lies; what is there is left alone.

    Parameters
    ----------
    opened : `Opened`
        Where to.
    plan : `Plan`
        What was predicted.
    scan : `Scan`
        What there is of it.
    report : `CollectReport`
        Told what became of each dataset.
    reporter : `Reporter`
        Told how far it is; whether to stop.

    Raises
    ------
    SatelliteError
        If the satellite has something else in the place of a dataset.
    """
    refs = list(plan.refs(scan.produced(plan)))
    reader = opened.reader
    personal = personal_of(reader)
    files = Outputs(personal).files(refs)
    here = registered(reader, (ref.id for ref in refs))
    stored = personal._get_stored_records_associated_with_refs(
        [ref for ref in refs if ref.id in here], ignore_datastore_records=True
    )
    lost = Counter(ref.datasetType.name for ref in refs if ref.id not in files)
    report.lost += [
        f"{count} {name} that the run wrote cannot be found any more." for name, count in lost.items()
    ]
    current = {
        ref.id
        for ref in refs
        if ref.id in here and (ref.id not in files or _same(stored.get(ref.id, []), files[ref.id]))
    }
    report.there.update(ref.datasetType.name for ref in refs if ref.id in here)
    todo = [(ref, files[ref.id]) for ref in refs if ref.id in files and ref.id not in current]
    if not todo:
        return
    writer = opened.writer
    _register(writer, plan, {ref.datasetType.name for ref, _ in todo}, report.run)
    done = 0
    for batch in batched(todo, _DATASETS):
        new = _insert(writer, batch, here)
        report.new.update(ref.datasetType.name for ref, _ in batch if ref.id in new)
        done += len(batch)
        reporter.tell("saving datasets", done, len(todo))
        if reporter.cancelled:
            return


def _insert(
    writer: DirectButler, batch: Sequence[tuple[DatasetRef, list[StoredFileInfo]]], here: set[UUID]
) -> set[UUID]:
    try:
        with writing_alone(writer), writer.transaction():
            new = insert(writer, batch)
            # Files that were written again since they were collected.
            again = [(ref, info) for ref, infos in batch if ref.id in here for info in infos]
            personal_of(writer)._register_datasets(again, insert_mode=DatabaseInsertMode.REPLACE)
            return new
    except ConflictingDefinitionError as error:
        raise SatelliteError(
            f"The satellite has other datasets in the place of outputs of this run: {error}.",
            f"Remove what was put into {batch[0][0].run} by hand, and collect again.",
        ) from error


def _same(stored: Sequence[StoredFileInfo], found: Sequence[StoredFileInfo]) -> bool:
    return {(each.path, each.file_size) for each in stored} == {(each.path, each.file_size) for each in found}


def _register(writer: DirectButler, plan: Plan, names: set[str], run: str) -> None:
    """Register dataset types and the run; each is a change of its own."""
    for name in sorted(names):
        dataset_type = plan.dataset_type(name).conform_to(writer.dimensions)
        try:
            known = writer.get_dataset_type(name) == dataset_type
        except MissingDatasetTypeError:
            known = False
        if known:
            continue
        try:
            register_dataset_type(writer, dataset_type)
        except ConflictingDefinitionError as error:
            raise SatelliteError(
                f"The satellite has another definition of the dataset type {name}: {error}.",
                "Prepare the run anew with another name for this output.",
            ) from error
    register_run(writer, run)


def provenance_type(butler: DirectButler) -> DatasetType:
    """Definition of the dataset type of provenance graphs, as upstream's tools have it.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    """
    return DatasetType(
        acc.PROVENANCE_DATASET_TYPE_NAME, butler.dimensions.empty, acc.PROVENANCE_STORAGE_CLASS
    )


def save_provenance(opened: Opened, run: str, graph: Path) -> None:
    """Keep the provenance graph as a dataset of the run; one that was kept before is replaced.

    Parameters
    ----------
    opened : `Opened`
        Where to.
    run : `str`
        Collection with the outputs.
    graph : `pathlib.Path`
        File of the provenance graph.
    """
    content = graph.read_bytes()
    writer = opened.writer
    dataset_type = provenance_type(writer)
    register_dataset_type(writer, dataset_type)
    register_run(writer, run)
    ref = DatasetRef(
        dataset_type,
        DataCoordinate.make_empty(writer.dimensions),
        run,
        # The same one each time, so that it is never there twice.
        id_generation_mode=DatasetIdGenEnum.DATAID_TYPE_RUN,
    )
    personal = personal_of(writer)
    ((uri, info),) = Outputs(personal).places(ref)
    # A name for each content: whoever reads the graph that was there before is not disturbed, and at no
    # moment does a row tell the size of another file.
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    place = uri.updatedFile(f"{uri.basename().removesuffix('.qg')}-{digest}.qg")
    path = str(Path(info.path).with_name(place.basename()))
    place.parent().mkdir()
    place.transfer_from(ResourcePath(graph.as_uri()), transfer="copy", overwrite=True)
    record = StoredFileInfo(
        formatter=ProvenanceFormatter,
        path=path,
        storageClass=dataset_type.storageClass,
        component=None,
        checksum=None,
        file_size=len(content),
    )
    with writing_alone(writer), writer.transaction():
        if ref.id not in insert(writer, [(ref, [record])]):
            personal._register_datasets([(ref, record)], insert_mode=DatabaseInsertMode.REPLACE)
    # Nothing else is ever in this directory: those of earlier times, also of calls that were killed.
    for _, _, names in place.parent().walk():
        for name in set(names) - {place.basename()}:
            place.parent().join(name).remove()


def extend_chain(opened: Opened, settings: RunSettings, inputs: Sequence[str]) -> list[str]:
    """Put the run in front of the chain of its name, before what was there.

    As upstream does, the collections in which inputs were found come last, without chains, so that the
    chain finds them even if those chains change; they are added as long as nothing but runs of the same
    name is in it.

    Parameters
    ----------
    opened : `Opened`
        Where.
    settings : `RunSettings`
        Names of the run and the chain.
    inputs : sequence of `str`
        Collections in which inputs were found, in order; those that the satellite does not have are left
        out.

    Returns
    -------
    children : `list` [`str`]
        What is in the chain now.

    Raises
    ------
    SatelliteError
        If there is a collection of this name that is no chain.
    """
    output, run = settings.output, settings.output_run
    writer = opened.writer
    with writing_alone(writer), writer.transaction():
        collections = writer.collections
        there = {info.name: info for info in collections.query_info("*", include_chains=True)}
        if run not in there:
            # Nothing was made.
            return []
        if output in there and there[output].type is not CollectionType.CHAINED:
            raise SatelliteError(
                f"{output} is a {there[output].type.name} collection: the run cannot be put into it.",
                f"The outputs are in {run}. Prepare the next run with another name.",
            )
        before = there[output].children if output in there else ()
        children = list(before)
        if run not in before:
            # One that was prepared later may have been collected earlier: names of runs end in their time.
            newer = takewhile(lambda child: child.startswith(f"{output}/") and child > run, before)
            children.insert(sum(1 for _ in newer), run)
        if all(child.startswith(f"{output}/") for child in children):
            known = [name for name in inputs if name in there]
            flat = collections.query(known, flatten_chains=True) if known else []
            children += [name for name in flat if name not in children]
        if tuple(children) != tuple(before):
            collections.register(output, CollectionType.CHAINED)
            collections.redefine_chain(output, children)
        return children

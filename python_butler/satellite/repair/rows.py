"""Rows that should not be: trash, records without datasets, datasets without records, notes of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler.direct_butler import DirectButler
from lsst.utils.iteration import chunk_iterable

from .case import Case
from .datafiles import remove_datasets
from .exclusive import BusyError
from .kinds import Kind
from .report import Finding
from .tables import Tables

__all__ = ["Rows"]

_IDS = 5_000


class Rows:
    """Compares the tables of the database with each other, with a query for each kind."""

    what = "comparing tables"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        with case.reader() as reader:
            tables = Tables(reader)
            case.examined["datasets"] = tables.count(tables.dataset)
            if tables.references is not None:
                case.examined["references"] = tables.count(tables.references)
            findings = _all(tables)
        if not findings:
            return []
        try:
            # Somebody may be in the middle of removing datasets.
            with case.alone() as writer:
                return _all(Tables(writer))
        except BusyError:
            case.notes.append("Rows of the database were not judged: another process is writing.")
            return []

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        by_kind: dict[Kind, list[Finding]] = {}
        for finding in findings:
            by_kind.setdefault(finding.kind, []).append(finding)
        if trash := by_kind.pop(Kind.TRASH, None):
            _empty_trash(case, trash)
        if not by_kind:
            return
        with case.alone() as writer:
            tables = Tables(writer)
            now = {(each.kind, each.key) for each in _all(tables)}
            for kind, some in by_kind.items():
                there = [each for each in some if (each.kind, each.key) in now]
                case.gone(each for each in some if (each.kind, each.key) not in now)
                if there:
                    _MENDING[kind](case, writer, tables, there)


def _all(tables: Tables) -> list[Finding]:
    dataset, trash, location = tables.dataset, tables.trash, tables.location
    findings = [
        Finding(Kind.TRASH, str(dataset_id), f"in datastore {store}", key=(dataset_id, store))
        for dataset_id, store in tables.ask(
            sqlalchemy.select(trash.columns.dataset_id, trash.columns.datastore_name)
        )
    ]
    trashed = {finding.key for finding in findings}
    for store, records in tables.stores.items():
        columns = records.columns
        for dataset_id, path in tables.ask(
            sqlalchemy.select(columns.dataset_id, columns.path).where(
                ~sqlalchemy.exists().where(dataset.columns.id == columns.dataset_id)
            )
        ):
            if (dataset_id, store) not in trashed:
                key = (dataset_id, store)
                findings.append(Finding(Kind.RECORD_WITHOUT_DATASET, path, str(dataset_id), key=key))
        here = location.columns.datastore_name == store
        for (dataset_id,) in tables.ask(
            sqlalchemy.select(columns.dataset_id)
            .distinct()
            .where(sqlalchemy.exists().where(dataset.columns.id == columns.dataset_id))
            .where(~sqlalchemy.exists().where(location.columns.dataset_id == columns.dataset_id, here))
        ):
            if (dataset_id, store) not in trashed:
                key = (dataset_id, store)
                findings.append(Finding(Kind.RECORD_WITHOUT_LOCATION, str(dataset_id), store, key=key))
        for (dataset_id,) in tables.ask(
            sqlalchemy.select(location.columns.dataset_id)
            .where(here)
            .where(~sqlalchemy.exists().where(columns.dataset_id == location.columns.dataset_id))
        ):
            said = tables.describe([dataset_id]).get(dataset_id, "")
            key = (dataset_id, store)
            findings.append(Finding(Kind.LOCATION_WITHOUT_RECORD, str(dataset_id), said, key=key))
    if tables.notes is not None:
        note = tables.notes.columns.dataset_id
        for (dataset_id,) in tables.ask(
            sqlalchemy.select(note).where(~sqlalchemy.exists().where(dataset.columns.id == note))
        ):
            findings.append(Finding(Kind.NOTE_WITHOUT_DATASET, str(dataset_id), key=(dataset_id, "")))
    return findings


def _empty_trash(case: Case, findings: list[Finding]) -> None:
    # It locks the database itself, and is harmless if somebody else does the same.
    with case.place.writer() as writer:
        writer._datastore.emptyTrash()
    with case.alone() as writer:
        tables = Tables(writer)
        trash = tables.trash
        left = {
            (row[0], row[1])
            for row in tables.ask(sqlalchemy.select(trash.columns.dataset_id, trash.columns.datastore_name))
        }
        # Upstream leaves those of which it has no record: there is no file either.
        nothing = [key for key in left if key[1] in tables.stores and not _has_records(tables, *key)]
        if nothing:
            tables.database.delete(
                trash,
                ["dataset_id", "datastore_name"],
                *({"dataset_id": dataset_id, "datastore_name": store} for dataset_id, store in nothing),
            )
    left.difference_update(nothing)
    case.mended(each for each in findings if each.key not in left)
    case.left((each for each in findings if each.key in left), "Its datastore is not one of the satellite's.")


def _has_records(tables: Tables, dataset_id: UUID, store: str) -> bool:
    columns = tables.stores[store].columns
    return bool(tables.ask(sqlalchemy.select(columns.dataset_id).where(columns.dataset_id == dataset_id)))


def _delete(tables: Tables, table: Any, ids: Iterable[UUID]) -> None:
    for chunk in chunk_iterable(ids, _IDS):
        tables.database.delete(table, ["dataset_id"], *({"dataset_id": each} for each in chunk))


def _remove_records(case: Case, writer: DirectButler, tables: Tables, findings: list[Finding]) -> None:
    case.lost.note(
        *({"why": each.kind.value, "record": each.where, "dataset": each.what} for each in findings)
    )
    for store, table in tables.stores.items():
        _delete(tables, table, {each.key[0] for each in findings if each.key[1] == store})
    case.mended(findings)


def _add_locations(case: Case, writer: DirectButler, tables: Tables, findings: list[Finding]) -> None:
    rows = [
        {"dataset_id": dataset_id, "datastore_name": store}
        for dataset_id, store in (each.key for each in findings)
    ]
    tables.database.ensure(tables.location, *rows)
    case.mended(findings)


def _remove_datasets(case: Case, writer: DirectButler, tables: Tables, findings: list[Finding]) -> None:
    case.lost.note(*({"why": each.kind.value, "dataset": each.what or each.where} for each in findings))
    remove_datasets(writer, {each.key[0] for each in findings})
    case.mended(findings, "removed from the database")


def _remove_notes(case: Case, writer: DirectButler, tables: Tables, findings: list[Finding]) -> None:
    ids = [each.key[0] for each in findings]
    notes = tables.notes
    assert notes is not None
    for chunk in chunk_iterable(ids, _IDS):
        for dataset_id, document in tables.ask(
            sqlalchemy.select(notes.columns.dataset_id, notes.columns.document).where(
                notes.columns.dataset_id.in_(chunk)
            )
        ):
            case.lost.note(
                {"why": Kind.NOTE_WITHOUT_DATASET.value, "dataset": str(dataset_id), "document": document}
            )
    _delete(tables, notes, ids)
    case.mended(findings)


type _Mending = Callable[[Case, DirectButler, Tables, list[Finding]], None]

_MENDING: dict[Kind, _Mending] = {
    Kind.RECORD_WITHOUT_DATASET: _remove_records,
    Kind.RECORD_WITHOUT_LOCATION: _add_locations,
    Kind.LOCATION_WITHOUT_RECORD: _remove_datasets,
    Kind.NOTE_WITHOUT_DATASET: _remove_notes,
}

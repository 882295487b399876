"""The versions of what one Butler saved: listing, comparing, reading and retiring them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lsst.daf.butler import DatasetRef, MissingCollectionError, MissingDatasetTypeError
from lsst.daf.butler.direct_butler import DirectButler

from ..datastore.chain import personal_of
from ..errors import InvalidRequestError, UnknownVersionError
from ..satellite.provenance import notes_of
from ..satellite.versions import children_of, newest_of, version_number, versions_in
from ..saving.memory import MemoryStore, read
from ..saving.names import chain_of, check_name, run_of
from ..saving.versions import Comparison, Contents, Version, Versions, compare, facts_of, made_at

if TYPE_CHECKING:
    from .saving import SavingButler

__all__ = ["Keeping"]

_LOOKED_AT = 2_000
"""Datasets of a version whose inputs are looked at."""

_PATIENCE = 10.0
"""Seconds to wait for what is spooled to be committed."""


class Keeping:
    """The versions in one Butler's satellite, and in memory beside it.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler.
    """

    def __init__(self, butler: SavingButler) -> None:
        self._butler = butler

    @property
    def _memory(self) -> MemoryStore:
        return self._butler._remembering.store

    def versions(self, name: str) -> Versions:
        """List the versions of a name; see `SavingButler.versions`."""
        check_name(name)
        chain = chain_of(name)
        found = []
        for run in reversed(self._memory.versions(chain)):
            items = self._memory.items(run)
            when = max((item.when for item in items), default=None)
            found.append(Version(run.rpartition("/")[2], run, len(items), when, "in memory"))
        personal = self._settled()
        if personal is None:
            return Versions(name, found)
        listed = list(children_of(personal, chain))
        newest = newest_of(personal, chain)
        for run in versions_in(personal, chain):
            refs = _refs(personal, name, run)
            state = "current" if run == newest else "older" if run in listed else "retired"
            if refs or run in listed:
                version = Version(version_number(run), run, len(refs), made_at(ref.id for ref in refs), state)
                found.append(version)
        return Versions(name, found)

    def run(self, name: str, version: int | str) -> str:
        """Find the run of a version.

        Parameters
        ----------
        name : `str`
            The name.
        version : `int` or `str`
            The version.

        Returns
        -------
        run : `str`
            Its run, which exists.

        Raises
        ------
        UnknownVersionError
            If there is none.
        """
        check_name(name)
        run = run_of(chain_of(name), version)
        if self._memory.knows(run):
            return run
        personal = self._butler._sides.personal
        try:
            if personal is not None and personal.collections.get_info(run):
                return run
        except MissingCollectionError:
            pass
        there = ", ".join(str(each.version) for each in self.versions(name)) or "none"
        raise UnknownVersionError(f"{name!r} has no version {version}.", f"Versions that there are: {there}.")

    def compare(self, name: str, first: int | str, second: int | str) -> Comparison:
        """Compare two versions; see `SavingButler.compare_versions`."""
        versions = {version.run: version for version in self.versions(name)}
        contents = []
        for wanted in (first, second):
            run = self.run(name, wanted)
            version = versions.get(run, Version(version_number(run), run, 0, None, "empty"))
            contents.append(self._contents(name, version))
        return compare(name, *contents)

    def retire(self, name: str, version: int | str, *, purge: bool) -> None:
        """Retire a version; see `SavingButler.retire`."""
        run = self.run(name, version)
        if self._memory.knows(run):
            if not purge:
                raise InvalidRequestError(
                    f"Version {version} of {name!r} is in memory only: retiring it would lose it.",
                    "Say so with purge=True, or save it to 'personal' first.",
                )
            self._memory.remove(run)
            return
        self._settled()
        with self._butler._changing() as writer:
            chain = chain_of(name)
            if run in children_of(writer, chain):
                writer.collections.remove_from_chain(chain, run)
            if purge:
                parents = writer.collections.get_info(run, include_parents=True).parents
                if parents:
                    raise InvalidRequestError(
                        f"Version {version} of {name!r} is in the collection {min(parents)!r} too; it is out "
                        "of its chain, and nothing was deleted.",
                        f"Take it out there first: butler.collections.remove_from_chain({min(parents)!r}, "
                        f"{run!r}).",
                    )
                writer.removeRuns([run])
        self._butler._landing.forget()

    def notes(self, dataset_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
        """Read what is noted of datasets.

        Parameters
        ----------
        dataset_ids : iterable of `uuid.UUID`
            Datasets.

        Returns
        -------
        notes : `dict` [`uuid.UUID`, `dict`]
            Of those for which something is noted.
        """
        wanted = set(dataset_ids)
        found = {id: dict(item.notes) for id in wanted if (item := self._memory.get(id)) is not None}
        personal = self._settled() if wanted - found.keys() else None
        if personal is not None:
            found |= notes_of(personal, wanted - found.keys())
        return found

    def _contents(self, name: str, version: Version) -> Contents:
        items = self._memory.items(version.run)
        personal = self._settled()
        if items:
            refs = [item.ref for item in items]
            bytes_ = None
        elif personal is not None:
            refs = _refs(personal, name, version.run)
            bytes_ = _size(personal, refs)
        else:
            refs, bytes_ = [], None
        refs.sort(key=lambda ref: ref.id)
        notes = self.notes([ref.id for ref in refs[-_LOOKED_AT:]])
        last = notes.get(refs[-1].id, {}) if refs else {}
        inputs = {
            f"{each['dataset_type']} {_words(each['data_id'])} in {each['run']} ({each['id']})"
            for note in notes.values()
            for each in note.get("inputs", ())
        }
        storage_class = refs[0].datasetType.storageClass_name if refs else ""
        facts = facts_of(last, bytes_=bytes_, storage_class=storage_class)
        if refs:
            facts |= self._columns(refs[-1], personal)
        code = last.get("code", {})
        return Contents(
            version,
            frozenset(_words(dict(ref.dataId.required)) for ref in refs),
            frozenset(inputs),
            facts,
            last.get("software", {}),
            code.get("cell") or code.get("program", ""),
        )

    def _columns(self, ref: DatasetRef, personal: DirectButler | None) -> dict[str, str]:
        """Columns and rows of a table, which are known without reading it."""
        found = {}
        item = self._memory.get(ref.id)
        for component, what in (("columns", "columns"), ("rowcount", "rows")):
            if component not in ref.datasetType.storageClass.derivedComponents:
                continue
            part = ref.makeComponentRef(component)
            if item is not None:
                value = read(item, part, None, None)
            else:
                # Not as the user's reading: this is no input of what is saved next.
                assert personal is not None, "it has the dataset"
                value = personal.get(part)
            found[what] = str(value) if isinstance(value, int) else ", ".join(map(str, value))
        return found

    def _settled(self) -> DirectButler | None:
        """The satellite, with all in the registry that is spooled, if that can be."""
        sides = self._butler._sides
        if sides.personal is not None and sides.writeable and not sides.in_transaction:
            self._butler._landing.spool.commit(wait=_PATIENCE)
        return sides.personal


def _refs(personal: DirectButler, name: str, run: str) -> list[DatasetRef]:
    try:
        return personal.query_datasets(name, collections=run, find_first=False, limit=None, explain=False)
    except (MissingDatasetTypeError, MissingCollectionError):
        return []


def _size(personal: DirectButler, refs: Iterable[DatasetRef]) -> int:
    # The sizes are in the datastore's records, which upstream shows nowhere.
    table = personal_of(personal)._table
    return sum(row["file_size"] or 0 for row in table.fetch(dataset_id=[ref.id for ref in refs]))


def _words(data_id: dict[str, Any]) -> str:
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in data_id.items()) or "(no data ID)"

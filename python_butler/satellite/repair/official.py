"""References against the official server: only when asked for, since it is a resource of all."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy

from ...datastore import signer_for
from ...errors import OfficialServerError, UnknownRepositoryError
from .case import Case
from .datafiles import most, remove_datasets
from .kinds import Kind
from .report import Finding
from .tables import Tables

__all__ = ["Official"]

_BATCH = 10_000
"""References between two looks whether to stop; the server is asked in pieces of its own size."""


class Official:
    """Asks the official server whether it still has what is referenced."""

    what = "asking the official server"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        with case.reader() as reader:
            tables = Tables(reader)
            ids = _referenced(tables)
            if not ids:
                return []
            if not case.options.official:
                case.notes.append(
                    f"Whether the {len(ids):,} referenced datasets are still in the official repository was "
                    "not asked: --official does."
                )
                return []
            gone: list[UUID] = []
            for start in range(0, len(ids), _BATCH):
                if case.reporter.cancelled:
                    return []
                case.reporter.tell(self.what, start, len(ids))
                chunk = ids[start : start + _BATCH]
                try:
                    there = signer_for(case.place.label).files(chunk)
                except (OfficialServerError, UnknownRepositoryError) as error:
                    case.notes.append(
                        "Whether references are still in the official repository is not known: "
                        f"{error.message}"
                    )
                    return []
                gone += [dataset_id for dataset_id in chunk if dataset_id not in there]
            said = tables.describe(gone)
        return [
            Finding(Kind.GONE_UPSTREAM, str(each), said.get(each, ""), key=(each, len(ids))) for each in gone
        ]

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        if most(len(findings), findings[0].key[1]) and case.options.forget_lost != "all":
            case.left(
                findings,
                "Most references are gone: ask the facility first. To remove them, use --forget-all-lost.",
            )
            return
        with case.alone() as writer:
            here = set(_referenced(Tables(writer)))
            gone = [each for each in findings if each.key[0] in here]
            case.gone(each for each in findings if each.key[0] not in here)
            if gone:
                case.lost.note(
                    *({"why": each.kind.value, "dataset": each.what, "id": each.where} for each in gone)
                )
                remove_datasets(writer, {each.key[0] for each in gone})
        case.mended(gone, "removed from the database")


def _referenced(tables: Tables) -> list[UUID]:
    if tables.references is None:
        return []
    return [row[0] for row in tables.ask(sqlalchemy.select(tables.references.columns.dataset_id).distinct())]

"""Collections that have nothing in them, and runs into which nothing can be put."""

from __future__ import annotations

import time

import sqlalchemy
from lsst.daf.butler import CollectionType

from ..registering import register_run
from .case import Case
from .kinds import Kind
from .report import Finding
from .spooled import claimed_runs
from .tables import Tables

__all__ = ["Collections"]

_BEING_REGISTERED = 1.0
"""How long somebody who is alive may take between the two transactions that register a run, in seconds."""


class Collections:
    """Looks for runs without datasets, or that are not registered whole, and chains without members."""

    what = "looking at collections"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        with case.reader() as reader:
            tables = Tables(reader)
            runs, chains = _empty(tables)
            incomplete = _incomplete(tables)
            if incomplete:
                # It may be that somebody registers it just now.
                time.sleep(_BEING_REGISTERED)
                incomplete &= _incomplete(tables)
            case.examined["runs"] = tables.count(tables.run)
        # What waits in the spool, or in a batch that may still be committed, goes there.
        runs -= incomplete | claimed_runs(case)
        return [
            Finding(kind, name, key=name)
            for kind, names in (
                (Kind.INCOMPLETE_RUN, incomplete),
                (Kind.EMPTY_RUN, runs),
                (Kind.EMPTY_CHAIN, chains),
            )
            for name in sorted(names)
        ]

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        with case.alone() as writer:
            tables = Tables(writer)
            runs, chains = _empty(tables)
            still = {
                Kind.INCOMPLETE_RUN: _incomplete(tables),
                Kind.EMPTY_RUN: runs - claimed_runs(case),
                Kind.EMPTY_CHAIN: chains,
            }
            for finding in findings:
                name = finding.key
                if name not in still[finding.kind]:
                    case.gone([finding])
                    continue
                if finding.kind is Kind.INCOMPLETE_RUN:
                    register_run(writer, name)
                    case.mended([finding])
                    continue
                for parent in writer.collections.get_info(name, include_parents=True).parents or ():
                    writer.collections.remove_from_chain(parent, name)
                writer.collections.x_remove(name)
                case.mended([finding])


def _empty(tables: Tables) -> tuple[set[str], set[str]]:
    """Names of runs without datasets and of chains without members."""
    columns = tables.collection.columns
    names = sqlalchemy.select(columns.name)
    runs = names.where(
        columns.type == int(CollectionType.RUN),
        ~sqlalchemy.exists().where(tables.dataset.columns.run_id == columns.collection_id),
    )
    chains = names.where(
        columns.type == int(CollectionType.CHAINED),
        ~sqlalchemy.exists().where(tables.chain.columns.parent == columns.collection_id),
    )
    return {row[0] for row in tables.ask(runs)}, {row[0] for row in tables.ask(chains)}


def _incomplete(tables: Tables) -> set[str]:
    """Names of runs of which one of their two rows is missing."""
    columns = tables.collection.columns
    query = sqlalchemy.select(columns.name).where(
        columns.type == int(CollectionType.RUN),
        ~sqlalchemy.exists().where(tables.run.columns.collection_id == columns.collection_id),
    )
    return {row[0] for row in tables.ask(query)}

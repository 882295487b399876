"""A registry from one database to another, table by table: nothing is lost, and all can be compared.

Upstream's own ways from registry to registry lose when datasets were ingested, what runs and chains look
like, tags and validity ranges; so all rows are taken as they are. What upstream does not tell publicly of
its tables is asked for here and nowhere else in the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import sqlalchemy
from lsst.daf.butler import Timespan, ddl
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import Database
from lsst.utils.iteration import chunk_iterable
from sqlalchemy.exc import SQLAlchemyError

from ...errors import SatelliteError
from ..configuration import reason
from ..progress import Reporter
from .snapshot import RECORDS, Artifact, group_artifacts

__all__ = [
    "Contents",
    "artifacts_of",
    "check_same_schema",
    "copy_rows",
    "datasets_in",
    "read_contents",
    "strange_tables",
    "tables_of",
]

_ATTRIBUTES = "butler_attributes"
"""Says how the tables are made; compared instead of copied."""

_DATASET_TYPES = ("dimension_graph_key", "dimension_graph_definition", "dataset_type")
"""These say which further tables there are."""

_OWN = frozenset({"python_butler_satellite"})
"""Tables of this package that belong to a place, not to what is in it."""

_ROWS = 2_000
"""Rows in one statement."""

_TIMESPAN = "timespan"


@dataclass(frozen=True)
class Contents:
    """What is in a table, to be compared with another.

    Attributes
    ----------
    rows : `int`
        How many rows it has.
    digest : `int`
        Sum of checksums of all rows: databases do not sort alike.
    """

    rows: int
    digest: int


def tables_of(butler: DirectButler) -> list[sqlalchemy.Table]:
    """Find all tables of a registry, and of what datastores keep in it.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.

    Returns
    -------
    tables : `list` [`sqlalchemy.Table`]
        Each after those that its rows refer to.
    """
    database, managers = _inside(butler)
    managers.datasets._fetch_dataset_types(force_refresh=True)
    for dataset_type in butler.registry.queryDatasetTypes():
        dynamic = managers.datasets._get_dynamic_tables(dataset_type.dimensions)
        arguments = (database, type(managers.collections), managers.datasets._cache.tables)
        if butler.isWriteable():
            dynamic.create(*arguments)
        else:
            dynamic.tags(*arguments)
            if dynamic.calibs_name is not None:
                dynamic.calibs(*arguments)
    metadata = cast(Any, database._metadata)._metadata
    return [table for table in metadata.sorted_tables if table.name != _ATTRIBUTES]


def strange_tables(butler: DirectButler) -> list[str]:
    """Find tables that are in the same place of the database, and that nobody here knows.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.

    Returns
    -------
    names : `list` [`str`]
        Their names.
    """
    database, _ = _inside(butler)
    there = sqlalchemy.inspect(database._engine).get_table_names(schema=database.namespace)
    known = {table.name for table in tables_of(butler)} | _OWN | {_ATTRIBUTES}
    return sorted(name for name in there if name not in known and not name.startswith("sqlite_"))


@contextmanager
def steady(butler: DirectButler) -> Iterator[None]:
    """See one state of a registry for a while, although others go on writing.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository, for reading.
    """
    database, _ = _inside(butler)
    with database._transaction() as (_, connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def check_same_schema(source: DirectButler, target: DirectButler) -> None:
    """Make sure that two registries have the same tables, as the same version of upstream makes them.

    Parameters
    ----------
    source, target : `lsst.daf.butler.direct_butler.DirectButler`
        The repositories.

    Raises
    ------
    SatelliteError
        If they have not.
    """
    here, there = _attributes(source), _attributes(target)
    different = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if different:
        raise SatelliteError(
            "The satellite's registry was made by another version of lsst-daf-butler, which arranges it "
            f"differently ({different[0]}).",
            "Bring its schema up to date with upstream's butler migrate, or use the version that made it.",
        )


def copy_rows(source: DirectButler, target: DirectButler, reporter: Reporter) -> dict[str, Contents]:
    """Copy all rows from one registry to another; what is there is replaced.

    Parameters
    ----------
    source : `lsst.daf.butler.direct_butler.DirectButler`
        Where they are; nobody may write there meanwhile.
    target : `lsst.daf.butler.direct_butler.DirectButler`
        Where they go, open for writing.
    reporter : `python_butler.satellite.progress.Reporter`
        Is told.

    Returns
    -------
    contents : `dict` [`str`, `Contents`]
        What was copied, by name of table.

    Raises
    ------
    SatelliteError
        If the other database cannot take a row.
    """
    copied: dict[str, Contents] = {}
    tables = {table.name: table for table in tables_of(source)}
    here, there = _inside(source)[0], _inside(target)[0]
    # Both at first, since from them follows which other tables there are to be.
    for names in (_DATASET_TYPES, tuple(name for name in tables if name not in _DATASET_TYPES)):
        new = {table.name: table for table in tables_of(target)}
        with there._transaction() as (_, connection):
            for name in reversed(list(new)):
                if name in names or name not in _DATASET_TYPES:
                    connection.execute(sqlalchemy.delete(new[name]))
            for name in names:
                if name in tables:
                    reporter.tell("copying the registry", len(copied), len(tables))
                    copied[name] = _copy(here, tables[name], there, new[name], connection)
    return copied


def read_contents(butler: DirectButler) -> dict[str, Contents]:
    """Read a whole registry to compare it.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.

    Returns
    -------
    contents : `dict` [`str`, `Contents`]
        What is in it, by name of table.
    """
    database, _ = _inside(butler)
    found = {}
    for table in tables_of(butler):
        tally = _Tally()
        for row in _rows(database, table):
            tally.add(row)
        found[table.name] = tally.contents
    return found


def artifacts_of(butler: DirectButler) -> dict[str, Artifact]:
    """Find the files that the personal datastore of a registry names below its root.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.

    Returns
    -------
    artifacts : `dict` [`str`, `python_butler.satellite.moving.snapshot.Artifact`]
        By path.
    """
    database, _ = _inside(butler)
    tables = {table.name: table for table in tables_of(butler)}
    if RECORDS not in tables:
        return {}
    trash = {row["dataset_id"].hex for row in _rows(database, tables["dataset_location_trash"])}
    rows = _rows(database, tables[RECORDS])
    return group_artifacts(((r["path"], r["file_size"], r["dataset_id"].hex) for r in rows), trash)[0]


def datasets_in(butler: DirectButler) -> int:
    """Count the datasets in a registry.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.
    """
    database, managers = _inside(butler)
    query = sqlalchemy.select(sqlalchemy.func.count()).select_from(managers.datasets._static.dataset)
    with database.query(query) as result:
        return int(result.scalar_one())


def _inside(butler: DirectButler) -> tuple[Database, Any]:
    return butler._registry._db, butler._registry._managers


def _attributes(butler: DirectButler) -> dict[str, str]:
    return dict(_inside(butler)[1].attributes.items())


class _Tally:
    """Adds rows up."""

    def __init__(self) -> None:
        self._rows = 0
        self._digest = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row as `_rows` gives it."""
        values = [(name, row[name]) for name in sorted(row)]
        digest = blake2b(repr(values).encode(errors="surrogatepass"), digest_size=16).digest()
        self._rows += 1
        self._digest = (self._digest + int.from_bytes(digest)) % 2**128

    @property
    def contents(self) -> Contents:
        """What was added."""
        return Contents(self._rows, self._digest)


def _copy(
    here: Database,
    table: sqlalchemy.Table,
    there: Database,
    new: sqlalchemy.Table,
    connection: sqlalchemy.Connection,
) -> Contents:
    tally = _Tally()
    timespans = there.getTimespanRepresentation()
    insert = sqlalchemy.insert(_plain(new))
    try:
        for chunk in chunk_iterable(_rows(here, table), _ROWS):
            rows = []
            for row in chunk:
                tally.add(row)
                values = dict(row)
                if _TIMESPAN in values:
                    nsec = values.pop(_TIMESPAN)
                    timespans.update(None if nsec is None else _timespan(nsec), _TIMESPAN, values)
                rows.append(values)
            connection.execute(insert, rows)
        for column in new.columns:
            if isinstance(column.default, sqlalchemy.Sequence) and connection.dialect.supports_sequences:
                _count_on(connection, column)
    except SQLAlchemyError as error:
        raise SatelliteError(
            f"The database {there} does not take what is in the table {table.name}: {reason(error)}.",
            "Nothing was changed in the satellite.",
        ) from error
    return tally.contents


def _count_on(connection: sqlalchemy.Connection, column: sqlalchemy.Column[Any]) -> None:
    """Have new rows numbered beginning with the number after the largest."""
    sequence = column.default
    assert isinstance(sequence, sqlalchemy.Sequence)
    largest = connection.execute(sqlalchemy.select(sqlalchemy.func.max(column))).scalar()
    if largest is not None:
        quote = connection.dialect.identifier_preparer.format_sequence(sequence)
        connection.execute(sqlalchemy.select(sqlalchemy.func.setval(quote, largest)))


def _plain(table: sqlalchemy.Table) -> sqlalchemy.TableClause:
    """The same table, with values as both kinds of database store them where these are the same."""
    columns = [sqlalchemy.column(each.name, _plain_type(each.type)) for each in table.columns]
    return sqlalchemy.table(table.name, *columns, schema=table.schema)


def _plain_type(kind: sqlalchemy.types.TypeEngine[Any]) -> sqlalchemy.types.TypeEngine[Any]:
    # Making regions and times of them, and texts and numbers again, would take most of the time.
    if isinstance(kind, ddl.Base64Bytes | ddl.Base64Region):
        return sqlalchemy.Text()
    if isinstance(kind, ddl.AstropyTimeNsecTai):
        return sqlalchemy.BigInteger()
    return kind


def _rows(database: Database, table: sqlalchemy.Table) -> Iterator[dict[str, Any]]:
    """Rows, with time spans as pairs of numbers under one name."""
    timespans = database.getTimespanRepresentation()
    fields = timespans.getFieldNames(_TIMESPAN)
    has_timespan = set(fields) <= set(table.columns.keys())
    query = sqlalchemy.select(_plain(table)).execution_options(yield_per=_ROWS)
    with database._session() as connection:
        for found in connection.execute(query).mappings():
            row = dict(found)
            if has_timespan:
                timespan = timespans.extract(row, _TIMESPAN)
                for field in fields:
                    del row[field]
                row[_TIMESPAN] = None if timespan is None else timespan.nsec
            yield row


def _timespan(nsec: tuple[int, int]) -> Timespan:
    return Timespan(None, None, _nsec=nsec)

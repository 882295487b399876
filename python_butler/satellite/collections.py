"""All collections of a satellite at once, however many there are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy
from lsst.daf.butler import CollectionInfo, CollectionType
from lsst.daf.butler.direct_butler import DirectButler

__all__ = ["all_collections"]


def all_collections(butler: DirectButler) -> list[CollectionInfo]:
    """Read all collections from the registry's tables, in two statements.

    Upstream's own interface asks for the documentation of every few of them, and keeps a record of each.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.

    Returns
    -------
    collections : `list` [`lsst.daf.butler.CollectionInfo`]
        What ``butler.collections.query_info("*", include_doc=True)`` gives, in no order.
    """
    database = butler._registry._db
    # Upstream declares an interface that has one implementation.
    manager: Any = butler._registry._managers.collections
    collection, chain = manager._tables.collection, manager._tables.collection_chain
    columns, links = collection.columns, chain.columns
    named = sqlalchemy.select(columns[manager._collectionIdName], columns.name, columns.type, columns.doc)
    linked = sqlalchemy.select(links.parent, links.child).order_by(links.parent, links.position)
    # In one transaction, so that every child has a name.
    with database.transaction():
        with database.query(named) as result:
            rows = result.fetchall()
        with database.query(linked) as result:
            pairs = result.fetchall()
    names = {key: name for key, name, _, _ in rows}
    children: dict[Any, list[str]] = defaultdict(list)
    for parent, child in pairs:
        children[parent].append(names[child])
    types = {int(each): each for each in CollectionType.all()}
    return [
        CollectionInfo(name=name, type=types[kind], doc=doc or "", children=tuple(children.get(key, ())))
        for key, name, kind, doc in rows
    ]

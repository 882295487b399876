"""What can be done to a Butler's own datasets and collections, for `test_contract`."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from lsst.daf.butler import (
    Butler,
    CollectionType,
    DatasetRef,
    DatasetType,
    FileDataset,
    Timespan,
)

from .conftest import night, table
from .questions import errors
from .splits import Split

Change = Callable[[Butler, Split], Any]

NEW = "u/me/new"


def state(butler: Butler, split: Split) -> Any:
    """All that a change can have changed, without the identifiers of what was put."""
    refs = butler.query_all_datasets("u/*", find_first=False, limit=None)
    return (
        {_named(ref): butler.get(ref) if butler.stored(ref) else None for ref in refs},
        {info.name: info.model_dump() for info in butler.collections.query_info("*", include_doc=True)},
        {t.name: t for t in butler.registry.queryDatasetTypes()},
        {(_named(a.ref), a.collection, a.timespan) for a in butler.registry.queryDatasetAssociations("bias")},
    )


def _named(ref: DatasetRef) -> tuple[Any, ...]:
    return ref.datasetType, ref.dataId, ref.run


def put(butler: Butler, visit: int = 103, seed: int = 1, dataset_type: Any = "source", **data_id: Any) -> Any:
    butler.collections.register(NEW)
    return _named(butler.put(table(seed), dataset_type, {"visit": visit, **data_id}, run=NEW))


def new_ref(butler: Butler, visit: int = 103) -> DatasetRef:
    butler.collections.register(NEW)
    data_id = butler.registry.expandDataId(instrument="Cam", visit=visit)
    return DatasetRef(butler.get_dataset_type("source"), data_id, run=NEW, id=UUID(int=visit))


def nowhere(butler: Butler) -> DatasetRef:
    """A dataset that no repository has."""
    data_id = butler.registry.expandDataId(instrument="Cam", detector=2)
    return DatasetRef(butler.get_dataset_type("bias"), data_id, run="u/me/nowhere")


def tag_nowhere(butler: Butler, split: Split) -> None:
    butler.collections.register("u/me/tagged", CollectionType.TAGGED)
    butler.registry.associate("u/me/tagged", [nowhere(butler)])


def certify_nowhere(butler: Butler, split: Split) -> None:
    butler.collections.register("u/me/calib", CollectionType.CALIBRATION)
    butler.registry.certify("u/me/calib", [nowhere(butler)], Timespan(None, None))


def put_new(butler: Butler, visit: int = 103) -> DatasetRef:
    return butler.put(table(visit), new_ref(butler, visit))


def in_a_transaction(butler: Butler, split: Split, *, fail: bool) -> Any:
    butler.registry.registerDatasetType(butler.get_dataset_type("source"))
    butler.collections.register(NEW)
    with butler.transaction():
        put_new(butler, 101)
        with butler.transaction():
            put_new(butler, 102)
        found = set(butler.query_datasets("source", NEW))
        if fail:
            raise ArithmeticError
    return found


def ingested(butler: Butler, split: Split, times: int = 1, **options: Any) -> Any:
    ref = new_ref(butler)
    with TemporaryDirectory() as directory:
        existing = butler.find_dataset("source", visit=102)
        assert existing is not None
        (path,) = butler.retrieveArtifacts([existing], f"{directory}/")
        for _ in range(times):
            butler.ingest(FileDataset(path=path, refs=[ref]), transfer="copy", **options)
    return butler.get(ref)


def ingested_stars(butler: Butler) -> Any:
    stars = DatasetType("stars", ("skymap", "tract"), "ArrowAstropy", universe=butler.dimensions)
    butler.collections.register(NEW)
    ref = DatasetRef(stars, butler.registry.expandDataId(skymap="sky", tract=1), run=NEW, id=UUID(int=5))
    existing = butler.find_dataset("source", visit=102)
    assert existing is not None
    with TemporaryDirectory() as directory:
        (path,) = butler.retrieveArtifacts([existing], f"{directory}/")
        butler.ingest(FileDataset(path=path, refs=[ref]), transfer="copy")
    return butler.get(ref)


def zipped_and_back(butler: Butler, split: Split, *, keep: bool = False, **options: Any) -> Any:
    refs = [put_new(butler, visit) for visit in (101, 102)]
    with TemporaryDirectory() as directory:
        path = butler.retrieve_artifacts_zip(refs, f"{directory}/")
        if not keep:
            butler.pruneDatasets(refs, unstore=True, purge=True)
        butler.ingest_zip(path, "copy", **options)
    return [butler.get(ref) for ref in refs]


def exported_and_back(butler: Butler, split: Split, **options: Any) -> Any:
    refs = [put_new(butler, visit) for visit in (101, 102)]
    butler.collections.register("u/me/tagged", CollectionType.TAGGED)
    butler.registry.associate("u/me/tagged", refs)
    with TemporaryDirectory() as directory:
        with butler.export(directory=directory, filename="export.yaml", transfer="copy") as export:
            export.saveDatasets(refs)
            export.saveCollection("u/me/tagged")
        butler.removeRuns([NEW])
        butler.collections.x_remove("u/me/tagged")
        butler.import_(directory=directory, filename="export.yaml", transfer="copy", **options)
    return [butler.get(ref) for ref in refs]


def unstored(butler: Butler, split: Split) -> Any:
    ref = put_new(butler)
    butler.pruneDatasets([ref], disassociate=False, unstore=True)
    return butler.exists(ref), butler.stored(ref), butler.get_dataset(ref.id)


def pruned(butler: Butler, split: Split, **options: Any) -> Any:
    ref = put_new(butler)
    butler.collections.register("u/me/tagged", CollectionType.TAGGED)
    butler.registry.associate("u/me/tagged", [ref])
    butler.pruneDatasets([ref], **options)
    return butler.exists(ref)


def chained(butler: Butler, split: Split, change: Callable[[Butler], Any]) -> Any:
    butler.collections.register(NEW)
    butler.collections.register("u/me/chain", CollectionType.CHAINED)
    butler.collections.redefine_chain("u/me/chain", [split.all_runs[0], NEW])
    change(butler)
    return butler.collections.get_info("u/me/chain"), butler.query_datasets(
        "source", "u/me/chain", order_by="visit", explain=False
    )


def removed_from_chain(butler: Butler, split: Split, **options: Any) -> Any:
    put(butler)
    return chained(butler, split, lambda b: b.removeRuns([NEW], **options))


def certified(butler: Butler, split: Split, again: bool = False) -> Any:
    bias = butler.find_dataset("bias", detector=1, collections=split.all_runs)
    assert bias is not None
    butler.collections.register("u/me/calib", CollectionType.CALIBRATION)
    begin, end = night(101).begin, night(103).begin
    butler.registry.certify("u/me/calib", [bias], Timespan(begin, end))
    if again:
        butler.registry.certify("u/me/calib", [bias], Timespan(begin, end))
    butler.registry.decertify("u/me/calib", "bias", Timespan(night(102).begin, None))
    return [
        butler.find_dataset("bias", detector=1, collections="u/me/calib", timespan=night(visit))
        for visit in (101, 102)
    ]


def new_visit(butler: Butler, split: Split) -> Any:
    record = {"instrument": "Cam", "id": 900, "name": "v900", "physical_filter": "g_1", "day_obs": 20260101}
    butler.registry.insertDimensionData("visit", record)
    return put(butler, visit=900), butler.query_dimension_records("visit", visit=900)


def again(butler: Butler, method: str, **other: Any) -> Any:
    """Give a record that is there already to a method of the registry, with some values changed."""
    (record,) = butler.query_dimension_records("visit", visit=101, instrument="Cam")
    return getattr(butler.registry, method)("visit", record.toDict() | other)


def own_type(butler: Butler, split: Split, remove: bool = False) -> Any:
    stars = DatasetType("stars", ("skymap", "tract"), "ArrowAstropy", universe=butler.dimensions)
    registered = [butler.registry.registerDatasetType(stars) for _ in range(2)]
    if remove:
        butler.registry.removeDatasetType("stars")
    else:
        butler.collections.register(NEW)
        butler.put(table(1), "stars", skymap="sky", tract=1, run=NEW)
    return registered, butler.get_dataset_type("stars")


def tagged(butler: Butler, split: Split) -> Any:
    refs = butler.query_datasets("source", order_by="visit")
    butler.collections.register("u/me/tagged", CollectionType.TAGGED)
    butler.registry.associate("u/me/tagged", refs)
    butler.registry.disassociate("u/me/tagged", refs[:1])
    return butler.query_datasets("source", "u/me/tagged", order_by="visit")


def inserted(butler: Butler, split: Split, **data_id: Any) -> Any:
    butler.collections.register(NEW)
    data_ids = [{"visit": visit, **data_id} for visit in (101, 102)]
    refs = butler.registry.insertDatasets("source", data_ids, NEW)
    butler.registry.removeDatasets(refs[:1])
    return [_named(ref) for ref in refs], len(butler.query_datasets("source", NEW))


def taken(butler: Butler, split: Split, **options: Any) -> Any:
    """From another repository of the user's own."""
    with TemporaryDirectory() as directory:
        Butler.makeRepo(directory, dimensionConfig=butler.dimensions.dimensionConfig)
        with Butler.from_config(directory, writeable=True) as other:
            _fill(other)
            refs = other.query_datasets("source", "u/other/run", instrument="Cam")
            moved = butler.transfer_from(other, refs, transfer="copy", **options)
    return set(moved), [butler.get(ref) for ref in refs]


def given(butler: Butler, split: Split) -> Any:
    """To another repository of the user's own."""
    refs = sorted(butler.query_all_datasets(split.all_runs, name=["source", "object"], find_first=False))
    with TemporaryDirectory() as directory:
        Butler.makeRepo(directory, dimensionConfig=butler.dimensions.dimensionConfig)
        with Butler.from_config(directory, writeable=True) as other:
            moved = other.transfer_from(
                butler, refs, "copy", register_dataset_types=True, transfer_dimensions=True
            )
            return set(moved), [other.get(ref) for ref in refs]


def _fill(other: Butler) -> None:
    from .conftest import add_records

    add_records(other)
    other.registry.registerDatasetType(
        DatasetType("source", ("instrument", "visit"), "ArrowAstropy", universe=other.dimensions)
    )
    other.collections.register("u/other/run", doc="Somebody's.")
    data_id = other.registry.expandDataId(instrument="Cam", visit=102)
    ref = DatasetRef(other.get_dataset_type("source"), data_id, run="u/other/run", id=UUID(int=77))
    other.put(table(77), ref)


def mistaken(butler: Butler, split: Split) -> Any:
    """Give what is nothing of the kind to every method that changes something."""
    put_new(butler)
    butler.collections.register("u/me/chain", CollectionType.CHAINED)
    chain = butler.collections
    return [
        answer
        for value in (None, 3, 2.5)
        for answer in errors(
            lambda value=value: butler.put(table(1), value, visit=101, run=NEW),
            lambda value=value: butler.put(table(1), "source", visit=101, run=value),
            lambda value=value: butler.put(table(1), "source", visit=101, run=""),
            lambda value=value: chain.redefine_chain("u/me/chain", value),
            lambda value=value: chain.extend_chain("u/me/chain", [value]),
            lambda value=value: chain.prepend_chain("u/me/chain", value),
            lambda value=value: chain.redefine_chain(value, []),
            lambda value=value: butler.removeRuns([value]),
            lambda value=value: butler.pruneDatasets([value]),
            lambda value=value: butler.registry.associate(value, []),
            lambda value=value: butler.registry.certify(value, [], Timespan(None, None)),
            lambda value=value: butler.registry.removeCollection(value),
            lambda value=value: butler.registry.insertDimensionData("visit", value),
            lambda value=value: butler.registry.syncDimensionData("visit", value),
        )
    ]


WRITING: dict[str, Change] = {
    "tag what is nowhere": tag_nowhere,
    "certify what is nowhere": certify_nowhere,
    "put": lambda b, s: put(b),
    "put by reference": lambda b, s: put_new(b),
    "put twice": lambda b, s: [put(b), put(b)],
    "put twice by reference": lambda b, s: [put_new(b), put_new(b)],
    "put into the default run": lambda b, s: [
        _named(b.clone(run=NEW).put(table(3), "source", visit=103)),
        b.clone(collections=[NEW, s.chain]).get("source", visit=103),
    ],
    "put in another class": lambda b, s: put(b, dataset_type="detected", detector=3),
    "put the wrong object": lambda b, s: b.put(
        3, "source", visit=101, run=(b.collections.register(NEW), NEW)[1]
    ),
    "put a component": lambda b, s: put(b, dataset_type="source.columns"),
    "put of an unknown type": lambda b, s: put(b, dataset_type="nonsense"),
    "put an incomplete data ID": lambda b, s: put(b, dataset_type="detected"),
    "put with an unknown visit": lambda b, s: put(b, visit=999),
    "put into no run": lambda b, s: b.put(table(1), "source", visit=101),
    "put into a missing run": lambda b, s: b.put(table(1), "source", visit=101, run="u/no/such"),
    "put into a chain": lambda b, s: chained(
        b, s, lambda b: b.put(table(1), "source", visit=101, run="u/me/chain")
    ),
    "a transaction": lambda b, s: in_a_transaction(b, s, fail=False),
    "a transaction that fails": lambda b, s: in_a_transaction(b, s, fail=True),
    "ingest": ingested,
    "ingest twice": lambda b, s: ingested(b, s, times=2),
    "ingest twice, skipping": lambda b, s: ingested(b, s, times=2, skip_existing=True),
    "ingest a zip file": zipped_and_back,
    "ingest a zip file of what is there": lambda b, s: zipped_and_back(b, s, keep=True),
    "ingest a zip file, skipping": lambda b, s: zipped_and_back(b, s, keep=True, skip_existing=True),
    "export and import": exported_and_back,
    "export and import without records": lambda b, s: exported_and_back(b, s, skip_dimensions={"visit"}),
    "import of a missing file": lambda b, s: b.import_(filename="/nonsense/export.yaml"),
    "unstore": unstored,
    "purge": lambda b, s: pruned(b, s, unstore=True, purge=True),
    "prune from a tag": lambda b, s: pruned(b, s, tags=["u/me/tagged"]),
    "purge without unstoring": lambda b, s: pruned(b, s, purge=True),
    "prune nothing": lambda b, s: pruned(b, s, disassociate=False),
    "remove a run": lambda b, s: [put(b), b.removeRuns([NEW])],
    "remove a run in a chain": removed_from_chain,
    "remove a run from its chains": lambda b, s: removed_from_chain(b, s, unlink_from_chains=True),
    "remove runs of a pattern": lambda b, s: [put(b), b.removeRuns([f"{NEW}*"])],
    "all that is mistaken": mistaken,
    "ingest of a type that is not registered": lambda b, s: ingested_stars(b),
    "put with another definition of its type": lambda b, s: b.put(
        table(1),
        DatasetType("source", ("skymap", "tract"), "ArrowAstropy", universe=b.dimensions),
        skymap="sky",
        tract=1,
        run=(b.collections.register(NEW), NEW)[1],
    ),
    "remove no runs": lambda b, s: [b.removeRuns([]), b.removeRuns(["u/no/such*"])],
    "remove from a chain what is not in it": lambda b, s: chained(
        b, s, lambda b: b.collections.remove_from_chain("u/me/chain", s.all_runs[-1])
    ),
    "remove a missing run": lambda b, s: b.removeRuns(["u/no/such"]),
    "remove a run, deprecated": lambda b, s: [put(b), b.removeRuns([NEW], unstore=True)],
    "remove a tag as a run": lambda b, s: [
        b.collections.register("u/me/tagged", CollectionType.TAGGED),
        b.removeRuns(["u/me/tagged"]),
    ],
    "register a collection": lambda b, s: [
        b.collections.register("u/me/x", CollectionType.TAGGED, doc="Mine.") for _ in range(2)
    ],
    "register it as something else": lambda b, s: [
        b.collections.register("u/me/x"),
        b.collections.register("u/me/x", CollectionType.TAGGED),
    ],
    "a chain": lambda b, s: chained(b, s, lambda b: None),
    "prepend to a chain": lambda b, s: chained(
        b, s, lambda b: b.collections.prepend_chain("u/me/chain", s.all_runs[-1])
    ),
    "extend a chain": lambda b, s: chained(
        b, s, lambda b: b.collections.extend_chain("u/me/chain", [s.chain])
    ),
    "shorten a chain": lambda b, s: chained(
        b, s, lambda b: b.collections.remove_from_chain("u/me/chain", s.all_runs[0])
    ),
    "empty a chain": lambda b, s: chained(b, s, lambda b: b.collections.redefine_chain("u/me/chain", [])),
    "a chain in itself": lambda b, s: chained(
        b, s, lambda b: b.collections.extend_chain("u/me/chain", "u/me/chain")
    ),
    "a chain of what is missing": lambda b, s: chained(
        b, s, lambda b: b.collections.extend_chain("u/me/chain", "u/no/such")
    ),
    "a chain that is a run": lambda b, s: [
        b.collections.register(NEW),
        b.collections.redefine_chain(NEW, [s.chain]),
    ],
    "a missing chain": lambda b, s: b.collections.redefine_chain("u/no/such", [s.chain]),
    "remove a chain": lambda b, s: chained(b, s, lambda b: b.collections.x_remove("u/me/chain")),
    "remove a child": lambda b, s: chained(b, s, lambda b: b.collections.x_remove(NEW)),
    "remove a missing collection": lambda b, s: b.collections.x_remove("u/no/such"),
    "chain, the old way": lambda b, s: chained(
        b, s, lambda b: b.registry.setCollectionChain("u/me/chain", [s.chain], flatten=True)
    ),
    "document": lambda b, s: [
        b.collections.register(NEW),
        b.registry.setCollectionDocumentation(NEW, "Mine."),
        b.registry.getCollectionDocumentation(NEW),
    ],
    "an own type": own_type,
    "remove an own type": lambda b, s: own_type(b, s, remove=True),
    "remove a used type": lambda b, s: b.registry.removeDatasetType("source"),
    "remove an unknown type": lambda b, s: b.registry.removeDatasetType("nonsense"),
    "a type defined otherwise": lambda b, s: b.registry.registerDatasetType(
        DatasetType("source", ("skymap", "tract"), "ArrowAstropy", universe=b.dimensions)
    ),
    "tag": tagged,
    "certify": certified,
    "certify twice": lambda b, s: certified(b, s, again=True),
    "insert datasets": lambda b, s: inserted(b, s, instrument="Cam"),
    "insert datasets by incomplete data IDs": inserted,
    "a new visit": new_visit,
    "a visit of an unknown instrument": lambda b, s: b.registry.insertDimensionData(
        "visit", {"instrument": "Nocam", "id": 1, "name": "x", "physical_filter": "y", "day_obs": 1}
    ),
    "a visit that is there": lambda b, s: again(b, "insertDimensionData"),
    "a visit that is there, with another value": lambda b, s: again(
        b, "syncDimensionData", exposure_time=99.0
    ),
    "synchronise a visit that is there": lambda b, s: again(b, "syncDimensionData"),
    "synchronise a record": lambda b, s: [
        b.registry.syncDimensionData("instrument", {"name": "Own", "class_name": "x"}) for _ in range(2)
    ],
    "transfer from elsewhere": taken,
    "transfer from elsewhere, only to see": lambda b, s: taken(b, s, dry_run=True),
    "transfer from elsewhere with records": lambda b, s: taken(
        b, s, transfer_dimensions=True, register_dataset_types=True
    ),
    "transfer to elsewhere": given,
}

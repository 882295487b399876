"""What can be asked of a Butler without changing it, for `test_contract`."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    CollectionType,
    DatasetRef,
    DatasetType,
)
from lsst.daf.butler.datastores.file_datastore.retrieve_artifacts import ZipIndex
from lsst.daf.butler.registry import RegistryDefaults

from .conftest import night
from .splits import Split

Question = Callable[[Butler, Split], Any]


def everything(butler: Butler, split: Split) -> list[DatasetRef]:
    return sorted(butler.query_all_datasets(split.all_runs, find_first=False))


def ref_of(butler: Butler, dataset_type: str = "source", **data_id: Any) -> DatasetRef:
    ref = butler.find_dataset(dataset_type, data_id or {"visit": 101})
    assert ref is not None
    return ref


def each(butler: Butler, split: Split, ask: Callable[[DatasetRef], Any]) -> dict[DatasetRef, Any]:
    return {ref: ask(ref) for ref in everything(butler, split)}


def made_up(butler: Butler) -> DatasetRef:
    """A dataset that is nowhere."""
    data_id = butler.registry.expandDataId(instrument="Cam", visit=101)
    return DatasetRef(butler.get_dataset_type("source"), data_id, run="u/nobody/nothing")


def numpy_type(butler: Butler) -> DatasetType:
    return butler.get_dataset_type("source").overrideStorageClass("ArrowNumpy")


def kind(answer: Any) -> str:
    return type(answer).__name__


def retrieved(butler: Butler, split: Split, **options: Any) -> dict[str, bytes]:
    with TemporaryDirectory() as directory:
        paths = butler.retrieveArtifacts(everything(butler, split), f"{directory}/", **options)
        return {path.basename(): path.read() for path in paths}


def zipped(butler: Butler, split: Split) -> tuple[Any, ...]:
    with TemporaryDirectory() as directory:
        path = butler.retrieve_artifacts_zip(everything(butler, split), f"{directory}/")
        index = ZipIndex.from_zip_file(path)
        refs = index.refs.to_refs(universe=butler.dimensions)
        return sorted(refs), len(index), sorted(Path(name).name for name in index.artifact_map)


def exported(butler: Butler, split: Split, **options: Any) -> Any:
    with TemporaryDirectory() as directory:
        if options.get("directory"):
            options["directory"] = directory
        file = f"{directory}/export.yaml"
        with butler.export(filename=file, **options) as export:
            export.saveDatasets(everything(butler, split))
            for name in (*split.all_runs, split.chain, split.tagged, split.calibrations):
                export.saveCollection(name)
        parts = yaml.load(Path(file).read_text(), Loader=yaml.BaseLoader)["data"]
        copied = sorted(path.name for path in Path(directory).rglob("*.parq"))
    return [_comparable(part) for part in parts], copied


def _comparable(part: dict[str, Any]) -> Any:
    if part["type"] == "dataset":
        rows = sorted(
            (record["dataset_id"], record["data_id"], record["formatter"]) for record in part["records"]
        )
        return part["dataset_type"], part["run"], rows
    if part["type"] == "dimension":
        return part["element"], sorted(map(str, part["records"]))
    return part


def general(butler: Butler, split: Split) -> list[Any]:
    with butler.query() as query:
        rows = query.join_dataset_search("source").general(
            ["visit"],
            dimension_fields={"visit": {"name", "exposure_time"}},
            dataset_fields={"source": {"dataset_id", "run"}},
            find_first=True,
        )
        return sorted(
            (row["visit"], row["visit.name"], row["source.dataset_id"], row["source.run"]) for row in rows
        )


def joined(butler: Butler, split: Split) -> list[DatasetRef]:
    with butler.query() as query:
        return list(query.join_dataset_search("source").datasets("detected").order_by("visit", "detector"))


def counted(butler: Butler, split: Split) -> list[Any]:
    with butler.query() as query:
        results = query.datasets("source")
        return [
            results.count(),
            query.datasets("source", find_first=False).count(),
            results.any(),
            query.data_ids(["visit", "detector"]).count(),
            query.dimension_records("visit").count(),
        ]


def after_closing(butler: Butler, split: Split) -> Any:
    clone = butler.clone()
    clone.close()
    return clone.get("source", visit=101)


def through_a_pickle(butler: Butler, split: Split) -> Any:
    with pickle.loads(pickle.dumps(butler)) as copy:
        return copy.run, list(copy.collections.defaults), copy.isWriteable(), copy.get("source", visit=101)


def counted_into(butler: Butler, split: Split) -> Any:
    with butler.record_metrics(ButlerMetrics()) as metrics:
        butler.get("source", visit=101)
        butler.get(ref_of(butler, visit=102))
        butler.getDeferred("source", visit=103).get()
    return metrics.n_get, metrics.n_put


def cloned(butler: Butler, split: Split, **options: Any) -> Any:
    with butler.clone(**options) as clone:
        return list(clone.collections.defaults), clone.run, clone.registry.defaults.dataId


def with_other_defaults(butler: Butler, split: Split) -> Any:
    with butler.clone() as clone:
        clone.registry.defaults = RegistryDefaults(collections=split.tagged, skymap="sky")
        return clone.get("object", tract=1), list(clone.collections.defaults), clone.run


def counted_calibrations(butler: Butler, split: Split) -> tuple[int, bool]:
    with butler.query() as query:
        found = query.datasets("bias", [*split.all_runs, split.calibrations])
        return found.count(), found.any()


def reused_outside(butler: Butler, split: Split) -> Any:
    with butler.query() as query:
        results = query.datasets("source")
    return list(results)


def errors(*asks: Callable[[], Any]) -> list[str]:
    """Kinds of the errors that all of them raise; what is answered counts as well."""
    found = []
    for ask in asks:
        try:
            found.append(repr(ask()))
        except Exception as error:
            found.append(kind(error))
    return found


NO_TYPES = (None, 3, 2.5, b"source", ["source"], {"source"}, {}, DatasetType)
"""Nothing that could name a dataset type or a collection."""


def asked_with_no_types(butler: Butler, split: Split) -> list[str]:
    return [
        answer
        for value in NO_TYPES
        for answer in errors(
            lambda value=value: butler.get(value, visit=101),
            lambda value=value: butler.getDeferred(value, visit=101),
            lambda value=value: butler.getURI(value, visit=101),
            lambda value=value: butler.exists(value, visit=101),
        )
    ]


def asked_with_no_collections(butler: Butler, split: Split) -> list[str]:
    return [
        answer
        for value in (3, 2.5, {}, DatasetType)
        for answer in errors(
            lambda value=value: butler.collections.query(value),
            lambda value=value: butler.collections.query_info(value),
            lambda value=value: butler.registry.queryCollections(value),
            lambda value=value: butler.get("source", visit=101, collections=value),
            lambda value=value: butler.find_dataset("source", visit=101, collections=value),
            lambda value=value: butler.query_datasets("source", value),
        )
    ]


GETTING: dict[str, Question] = {
    "by name and keywords": lambda b, s: b.get("source", visit=101),
    "by name and data ID": lambda b, s: b.get("source", {"instrument": "Cam", "visit": 102}),
    "by a coordinate": lambda b, s: b.get("source", ref_of(b, visit=103).dataId),
    "by dataset type": lambda b, s: b.get(b.get_dataset_type("source"), visit=103),
    "every dataset by reference": lambda b, s: each(b, s, b.get),
    "of the first collection that has it": lambda b, s: [
        b.get("source", visit=101, collections=order) for order in (s.all_runs, s.all_runs[::-1])
    ],
    "from one run": lambda b, s: b.get("object", tract=1, collections=ref_of(b, "object", tract=1).run),
    "from a tagged collection": lambda b, s: b.get("object", tract=2, collections=s.tagged),
    "by a pattern of collections": lambda b, s: b.get("object", tract=2, collections=f"*{s.name}/*"),
    "columns": lambda b, s: b.get("source", visit=101, parameters={"columns": ["id"]}),
    "a component": lambda b, s: [b.get("source.rowcount", visit=101), b.get("source.columns", visit=101)],
    "a component of a reference": lambda b, s: each(
        b, s, lambda ref: b.get(ref.makeComponentRef("rowcount"))
    ),
    "in another class, by name": lambda b, s: kind(b.get("source", visit=101, storageClass="ArrowNumpy")),
    "in another class, by type": lambda b, s: kind(b.get(numpy_type(b), visit=101)),
    "in another class, by reference": lambda b, s: {
        ref: (
            kind(b.get(ref, storageClass="ArrowNumpy")),
            kind(b.get(ref.overrideStorageClass("ArrowNumpy"))),
        )
        for ref in everything(b, s)
    },
    "an impossible class": lambda b, s: b.get("source", visit=101, storageClass="StructuredDataDict"),
    "an impossible class of a reference": lambda b, s: b.get(ref_of(b), storageClass="StructuredDataDict"),
    "an unknown parameter": lambda b, s: b.get("source", visit=101, parameters={"nothing": 1}),
    "a calibration by visit": lambda b, s: [
        b.get("bias", visit=visit, detector=1, collections=s.calibrations) for visit in (101, 102, 103)
    ],
    "a calibration by exposure": lambda b, s: b.get(
        "bias", {"exposure.obs_id": "obs103", "detector": 1}, collections=s.calibrations
    ),
    "a calibration by time": lambda b, s: b.get(
        "bias", detector=1, collections=s.calibrations, timespan=night(101)
    ),
    "an ambiguous calibration": lambda b, s: b.get("bias", detector=1, collections=s.calibrations),
    "a calibration of another time": lambda b, s: b.get(
        "bias", detector=2, visit=101, collections=s.calibrations
    ),
    "by the name of a detector": lambda b, s: b.get("detected", visit=101, detector="D1"),
    "by fields of a record": lambda b, s: b.get("detected", {"visit.name": "v102", "detector": 1}),
    "by a field that is not so": lambda b, s: b.get("detected", {"visit.name": "v999", "detector": 1}),
    "by a nonsensical field": lambda b, s: b.get("detected", {"visit.nonsense": 1, "detector": 1}),
    "a missing dataset": lambda b, s: b.get("source", visit=999),
    "a dataset of an empty search": lambda b, s: b.get("source", visit=101, collections=s.tagged),
    "from a missing collection": lambda b, s: b.get("source", visit=101, collections="u/no/such"),
    "a missing type": lambda b, s: b.get("nonsense", visit=101),
    "a missing component": lambda b, s: b.get("source.nonsense", visit=101),
    "an incomplete data ID": lambda b, s: b.get("source"),
    "a data ID of the wrong type": lambda b, s: b.get("source", visit="yesterday"),
    "an unknown dimension": lambda b, s: b.get("source", visit=101, nonsense=3),
    "a reference and a data ID": lambda b, s: b.get(ref_of(b), {"visit": 101}),
    "a reference and keywords": lambda b, s: b.get(ref_of(b), visit=101),
    "a reference and collections": lambda b, s: b.get(ref_of(b), collections=s.chain),
    "a reference that is nowhere": lambda b, s: b.get(made_up(b)),
    "without collections": lambda b, s: b.clone(collections=None).get("source", visit=101),
    "deferred": lambda b, s: b.getDeferred("source", visit=101).get(),
    "deferred, every dataset": lambda b, s: each(b, s, lambda ref: b.getDeferred(ref).get()),
    "deferred, with parameters": lambda b, s: b.getDeferred(
        "source", visit=101, parameters={"columns": ["flux"]}
    ).get(),
    "deferred, a component": lambda b, s: b.getDeferred("source", visit=101).get(component="rowcount"),
    "deferred, in another class": lambda b, s: [
        kind(b.getDeferred("source", visit=101, storageClass="ArrowNumpy").get()),
        kind(b.getDeferred("source", visit=101).get(storageClass="ArrowNumpy")),
        kind(b.getDeferred(ref_of(b), storageClass="ArrowNumpy").get()),
    ],
    "deferred, a calibration": lambda b, s: b.getDeferred(
        "bias", visit=103, detector=1, collections=s.calibrations
    ).get(),
    "deferred, what it is": lambda b, s: (
        b.getDeferred("source", visit=101).ref,
        b.getDeferred("source", visit=101).dataId,
        b.getDeferred("source.rowcount", visit=101).ref,
    ),
    "deferred, a missing dataset": lambda b, s: b.getDeferred("source", visit=999),
    "deferred, a reference that is nowhere": lambda b, s: b.getDeferred(made_up(b)),
    "deferred, a reference and a data ID": lambda b, s: b.getDeferred(ref_of(b), {"visit": 101}).get(),
    "by what is no type": asked_with_no_types,
    "values that no dimension has": lambda b, s: [
        answer
        for value in (None, ["v101"], {}, {101}, DatasetType, 2.5)
        for answer in errors(
            lambda value=value: b.get("source", visit=value),
            lambda value=value: b.find_dataset("source", {"visit": value}),
        )
    ],
    "a whole number of another kind": lambda b, s: [
        b.get("source", visit=number) for number in (101.0, np.int64(101), np.float64(101))
    ],
    "by the old name for a type": lambda b, s: b.get(b.registry.getDatasetType("source"), visit=102),
}

FINDING: dict[str, Question] = {
    "each source": lambda b, s: [b.find_dataset("source", visit=visit) for visit in (101, 102, 103, 999)],
    "each detected": lambda b, s: [
        b.find_dataset("detected", visit=v, detector=d) for v in (101, 102, 103) for d in (1, 2, 3)
    ],
    "with records": lambda b, s: b.find_dataset("detected", visit=101, detector=1, dimension_records=True),
    "in another class": lambda b, s: b.find_dataset("source", visit=101, storage_class="ArrowNumpy"),
    "by a type of another class": lambda b, s: b.find_dataset(numpy_type(b), visit=101),
    "a component": lambda b, s: b.find_dataset("source.columns", visit=101),
    "a calibration": lambda b, s: [
        b.find_dataset("bias", detector=1, collections=s.calibrations, timespan=night(v)) for v in (101, 103)
    ],
    "a calibration without a time": lambda b, s: b.find_dataset(
        "bias", detector=1, collections=s.calibrations
    ),
    "by fields of a record": lambda b, s: b.find_dataset("source", {"visit.name": "v103"}),
    "an incomplete data ID": lambda b, s: b.find_dataset("detected", visit=101),
    "a missing type": lambda b, s: b.find_dataset("nonsense", visit=101),
    "in a missing collection": lambda b, s: b.find_dataset("source", visit=101, collections="u/no"),
    "in no collection": lambda b, s: b.find_dataset("source", visit=101, collections=[]),
    "without collections": lambda b, s: b.clone(collections=None).find_dataset("source", visit=101),
    "by ID": lambda b, s: each(b, s, lambda ref: b.get_dataset(ref.id)),
    "by the text of an ID": lambda b, s: b.get_dataset(str(ref_of(b).id)),
    "by ID, with records": lambda b, s: each(b, s, lambda ref: b.get_dataset(ref.id, dimension_records=True)),
    "by ID, in another class": lambda b, s: b.get_dataset(ref_of(b).id, storage_class="ArrowNumpy"),
    "by an unknown ID": lambda b, s: b.get_dataset(uuid.UUID(int=5)),
    "by nonsense": lambda b, s: b.get_dataset("nonsense"),
    "many by ID": lambda b, s: set(b.get_many_datasets([ref.id for ref in everything(b, s)])),
    "many by ID, some unknown": lambda b, s: b.get_many_datasets([uuid.UUID(int=5), ref_of(b).id]),
    "none by ID": lambda b, s: b.get_many_datasets([]),
    "many by nonsense": lambda b, s: b.get_many_datasets(["nonsense"]),
    "whether it exists": lambda b, s: each(b, s, b.exists),
    "whether it may exist": lambda b, s: each(b, s, lambda ref: b.exists(ref, full_check=False)),
    "whether it exists, by data ID": lambda b, s: [
        b.exists("source", visit=101),
        b.exists("source", visit=999),
        b.exists("nonsense", visit=101),
        b.exists("source"),
        b.exists("source", {"visit": 101}, collections=s.tagged),
        b.exists("source", visit=101, full_check=False),
        b.exists("source.columns", visit=101),
        b.exists("source.columns", visit=101, full_check=False),
    ],
    "whether what is nowhere exists": lambda b, s: [
        b.exists(made_up(b)),
        b.exists(made_up(b), full_check=False),
        b._exists_many([made_up(b)]).popitem()[1],
        b._exists_many([made_up(b)], full_check=False).popitem()[1],
        b.stored(made_up(b)),
        b.stored_many([made_up(b)]).popitem()[1],
    ],
    "whether a reference with collections exists": lambda b, s: b.exists(ref_of(b), collections=s.chain),
    "whether a reference with a data ID exists": lambda b, s: b.exists(ref_of(b), {"visit": 101}),
    "whether many exist": lambda b, s: b._exists_many(everything(b, s)),
    "whether many may exist": lambda b, s: b._exists_many(everything(b, s), full_check=False),
    "whether none exist": lambda b, s: b._exists_many([]),
    "whether it is stored": lambda b, s: each(b, s, b.stored),
    "whether many are stored": lambda b, s: b.stored_many(everything(b, s)),
    "whether one in another class is stored": lambda b, s: b.stored_many(
        [ref_of(b).overrideStorageClass("ArrowNumpy")]
    ),
    "a type": lambda b, s: b.get_dataset_type("source"),
    "a component's type": lambda b, s: b.get_dataset_type("source.columns"),
    "an unknown type": lambda b, s: b.get_dataset_type("nonsense"),
    "an unknown component's type": lambda b, s: b.get_dataset_type("source.nonsense"),
}

FILES: dict[str, Question] = {
    "of one dataset": lambda b, s: (b.getURI("source", visit=101), b.getURI(ref_of(b)).read()),
    "of every dataset": lambda b, s: each(b, s, lambda ref: b.getURI(ref).read()),
    "in parts": lambda b, s: each(
        b, s, lambda ref: (b.getURIs(ref).isDisassembled(), b.getURIs(ref).primaryURI)
    ),
    "of many datasets": lambda b, s: {
        ref: uris.primaryURI for ref, uris in b.get_many_uris(everything(b, s)).items()
    },
    "of what is nowhere": lambda b, s: b.getURI(made_up(b)),
    "of many that are nowhere": lambda b, s: b.get_many_uris([made_up(b)]),
    "of many that may be nowhere": lambda b, s: b.get_many_uris([made_up(b)], allow_missing=True),
    "of a missing dataset": lambda b, s: b.getURI("source", visit=999),
    "predicted without a run": lambda b, s: b.getURI("source", visit=999, predict=True),
    "predicted of an existing one": lambda b, s: b.getURI("source", visit=101, predict=True, run="u/me/x"),
    "of a reference and a data ID": lambda b, s: b.getURIs(ref_of(b), {"visit": 101}),
    "retrieved": retrieved,
    "retrieved flat": lambda b, s: retrieved(b, s, preserve_path=False),
    "retrieved to nowhere": lambda b, s: b.retrieveArtifacts([ref_of(b)], "/nonsense/file.txt"),
    "retrieved in an impossible way": lambda b, s: retrieved(b, s, transfer="nonsense"),
    "retrieved of what is nowhere": lambda b, s: b.retrieveArtifacts([made_up(b)], "/tmp/nowhere/"),
    "zipped": zipped,
    "exported": exported,
    "exported with files": lambda b, s: exported(b, s, directory="here", transfer="copy"),
    "exported without a name": lambda b, s: b.export().__enter__(),
    "exported in an unknown format": lambda b, s: b.export(filename="x.nonsense").__enter__(),
    "exported without a place": lambda b, s: b.export(filename="x.yaml", transfer="copy").__enter__(),
}

QUERIES: dict[str, Question] = {
    "datasets": lambda b, s: set(b.query_datasets("source")),
    "all datasets": lambda b, s: set(b.query_datasets("source", find_first=False)),
    "in order": lambda b, s: b.query_datasets("detected", order_by=["-visit", "detector"]),
    "calibrations that an earlier collection has": lambda b, s: [
        b.query_datasets("bias", [*s.all_runs, s.calibrations], order_by=order_by, limit=limit)
        for order_by in ((), ("detector",))
        for limit in (None, 1)
    ],
    "calibrations that a later collection has, too": lambda b, s: b.query_datasets(
        "bias", [s.calibrations, *s.all_runs]
    ),
    "calibrations that an earlier collection has, counted": counted_calibrations,
    "the first": lambda b, s: b.query_datasets("detected", order_by=["visit", "-detector"], limit=3),
    "some": lambda b, s: len(b.query_datasets("detected", limit=3)),
    "more than some": lambda b, s: len(b.query_datasets("detected", limit=-3)),
    "where": lambda b, s: set(b.query_datasets("detected", where="visit > 101 AND detector = 2")),
    "where bound": lambda b, s: set(
        b.query_datasets("detected", where="visit IN (:visits)", bind={"visits": [101, 103]})
    ),
    "where a field": lambda b, s: set(
        b.query_datasets("source", where="visit.exposure_time > 5 AND band = 'r'")
    ),
    "where in time": lambda b, s: set(
        b.query_datasets("source", where="visit.timespan OVERLAPS :t", bind={"t": night(102)})
    ),
    "where in the sky": lambda b, s: set(
        b.query_datasets(
            "detected",
            where="visit_detector_region.region OVERLAPS POINT(:ra, :dec)",
            bind={"ra": 10.5, "dec": 0.2},
        )
    ),
    "by data ID": lambda b, s: b.query_datasets("source", data_id={"visit": 102}),
    "by keywords": lambda b, s: b.query_datasets("source", visit=102),
    "with records": lambda b, s: set(b.query_datasets("object", with_dimension_records=True)),
    "of a type": lambda b, s: set(b.query_datasets(b.get_dataset_type("object"))),
    "of collections": lambda b, s: set(b.query_datasets("source", s.all_runs[-1:], explain=False)),
    "of a pattern": lambda b, s: set(b.query_datasets("source", f"*/{s.name}/*", find_first=False)),
    "of a pattern, in order": lambda b, s: b.query_datasets("source", f"*/{s.name}/*"),
    "nothing": lambda b, s: b.query_datasets("source", where="visit = 5"),
    "nothing, unexplained": lambda b, s: b.query_datasets("source", where="visit = 5", explain=False),
    "of an unknown type": lambda b, s: b.query_datasets("nonsense"),
    "of what cannot be the name of a type": lambda b, s: errors(
        lambda: b.query_datasets("sour*"),
        lambda: b.query_datasets(""),
        lambda: b.query_all_datasets(name=3),
        lambda: b.query_all_datasets(name=None),
        lambda: b.query_all_datasets(name=DatasetType),
    ),
    "of an unknown collection": lambda b, s: b.query_datasets("source", "u/no/such"),
    "of no collection": lambda b, s: b.query_datasets("source", []),
    "where nonsense": lambda b, s: b.query_datasets("source", where="nonsense > 3"),
    "where broken": lambda b, s: b.query_datasets("source", where="visit >"),
    "where unbound": lambda b, s: b.query_datasets("source", where="visit = :nothing"),
    "ordered by nonsense": lambda b, s: b.query_datasets("source", order_by="nonsense"),
    "without collections": lambda b, s: b.clone(collections=None).query_datasets("source"),
    "data IDs": lambda b, s: b.query_data_ids(["visit", "detector"], order_by=["visit", "detector"]),
    "data IDs with records": lambda b, s: b.query_data_ids(
        ["visit"], with_dimension_records=True, order_by=["visit"]
    ),
    "data IDs where": lambda b, s: b.query_data_ids(
        ["visit"], where="visit > 101", order_by="visit", limit=1
    ),
    "data IDs, none": lambda b, s: b.query_data_ids(["visit"], where="visit > 999"),
    "data IDs of an unknown instrument": lambda b, s: b.query_data_ids(["visit"], instrument="nonsense"),
    "data IDs of nonsense": lambda b, s: b.query_data_ids(["nonsense"]),
    "records": lambda b, s: b.query_dimension_records("visit", order_by="visit"),
    "records of an element": lambda b, s: set(b.query_dimension_records("visit_detector_region", visit=101)),
    "records where": lambda b, s: b.query_dimension_records(
        "detector", where="detector > 2", order_by="detector"
    ),
    "records of bands": lambda b, s: set(b.query_dimension_records("band")),
    "records, none": lambda b, s: b.query_dimension_records("visit", visit=999),
    "records of nonsense": lambda b, s: b.query_dimension_records("nonsense"),
    "datasets of all types": lambda b, s: set(b.query_all_datasets()),
    "all datasets of all types": lambda b, s: set(b.query_all_datasets(find_first=False)),
    "all datasets of some types": lambda b, s: set(b.query_all_datasets(name=["s*", "object"])),
    "all datasets in a pattern": lambda b, s: set(b.query_all_datasets(f"*{s.name}*", find_first=False)),
    "all datasets, first of a pattern": lambda b, s: b.query_all_datasets(f"*{s.name}*"),
    "all datasets where": lambda b, s: set(b.query_all_datasets(name="detected", where="visit = 101")),
    "all datasets, some": lambda b, s: len(b.query_all_datasets(limit=4)),
    "all datasets of nonsense": lambda b, s: b.query_all_datasets(name="nonsense"),
    "in the order of a record's field": lambda b, s: [
        b.query_datasets("detected", order_by=["-visit.timespan.begin", "detector"]),
        b.query_data_ids(["visit", "detector"], order_by=["-visit.timespan.begin", "detector"]),
    ],
    "as many as a number of another kind says": lambda b, s: [
        len(b.query_datasets("detected", limit=2.5)),
        len(b.query_data_ids(["visit"], limit=np.int64(2))),
        len(b.query_dimension_records("visit", limit=2.5)),
        set(b.query_datasets("source", find_first=None)),
    ],
    "a join": joined,
    "counts": counted,
    "columns": general,
    "after its end": reused_outside,
}

COLLECTIONS: dict[str, Question] = {
    "names": lambda b, s: set(b.collections.query("*")),
    "names of a pattern": lambda b, s: set(b.collections.query([f"*{s.name}*"])),
    "names in a chain": lambda b, s: list(b.collections.query(s.chain, flatten_chains=True)),
    "names in a chain, with it": lambda b, s: list(
        b.collections.query(s.chain, flatten_chains=True, include_chains=True)
    ),
    "names of runs": lambda b, s: set(b.collections.query("*", CollectionType.RUN)),
    "names of two kinds": lambda b, s: set(
        b.collections.query("*", {CollectionType.TAGGED, CollectionType.CHAINED})
    ),
    "several names": lambda b, s: list(b.collections.query([s.tagged, s.chain, *s.all_runs])),
    "a missing name": lambda b, s: b.collections.query("u/no/such"),
    "missing names of a pattern": lambda b, s: list(b.collections.query("u/no/*")),
    "information": lambda b, s: b.collections.query_info(
        [s.chain, *s.all_runs], include_doc=True, include_parents=True
    ),
    "summaries": lambda b, s: b.collections.query_info(
        [s.chain, s.tagged, s.calibrations, *s.all_runs], include_summary=True
    ),
    "summaries of some types": lambda b, s: b.collections.query_info(
        s.all_runs, include_summary=True, summary_datasets=["source"]
    ),
    "one": lambda b, s: [
        b.collections.get_info(name) for name in (s.chain, s.tagged, s.calibrations, *s.all_runs)
    ],
    "one with all": lambda b, s: b.collections.get_info(s.chain, include_parents=True, include_summary=True),
    "one missing": lambda b, s: b.collections.get_info("u/no/such"),
    "by what is no name": asked_with_no_collections,
    "one by what is no name": lambda b, s: [
        answer
        for value in (None, 3, 2.5, b"source", "u/*")
        for answer in errors(
            lambda value=value: b.collections.get_info(value),
            lambda value=value: b.registry.getCollectionType(value),
            lambda value=value: b.registry.getCollectionChain(value),
        )
    ],
    "names from a generator": lambda b, s: list(b.collections.query(name for name in s.all_runs)),
    "default ones": lambda b, s: list(b.collections.defaults),
    "children": lambda b, s: list(b.registry.getCollectionChain(s.chain)),
    "children of a run": lambda b, s: b.registry.getCollectionChain(s.all_runs[0]),
    "parents": lambda b, s: set(b.registry.getCollectionParentChains(s.all_runs[0])),
    "kinds": lambda b, s: [b.registry.getCollectionType(name) for name in (s.chain, s.tagged)],
    "documentation": lambda b, s: [
        b.registry.getCollectionDocumentation(name) for name in (s.chain, s.tagged)
    ],
    "a pattern, the old way": lambda b, s: set(b.registry.queryCollections("*")),
    "summary, the old way": lambda b, s: [
        (set(b.registry.getCollectionSummary(name).dataset_types.names))
        for name in (s.chain, s.tagged, s.calibrations, *s.all_runs)
    ],
}

REGISTRY: dict[str, Question] = {
    "types": lambda b, s: {t.name: t for t in b.registry.queryDatasetTypes()},
    "types of a pattern": lambda b, s: {t.name for t in b.registry.queryDatasetTypes(["s*", "object"])},
    "types of what is no name": lambda b, s: [
        answer
        for value in (3, 2.5, b"source", {}, DatasetType)
        for answer in errors(
            lambda value=value: b.registry.queryDatasetTypes(value),
            lambda value=value: b.registry.queryDatasets(value),
        )
    ],
    "types that are missing": lambda b, s: _missing(b, ["source", "nonsense"]),
    "a data ID with records": lambda b, s: dict(
        b.registry.expandDataId(visit=101, detector=2).records.items()
    ).keys(),
    "an unknown data ID": lambda b, s: b.registry.expandDataId(visit=999),
    "an unknown instrument": lambda b, s: b.registry.expandDataId(instrument="nonsense", detector=1),
    "an inconsistent data ID": lambda b, s: b.registry.expandDataId(visit=101, band="r"),
    "a data ID without dimensions": lambda b, s: b.registry.expandDataId({}, withDefaults=False),
    "a data ID without its instrument": lambda b, s: b.registry.expandDataId(visit=101, withDefaults=False),
    "a data ID of some dimensions": lambda b, s: b.registry.expandDataId(
        visit=101, dimensions=["visit", "physical_filter"]
    ),
    "datasets": lambda b, s: set(b.registry.queryDatasets("source")),
    "first datasets": lambda b, s: set(b.registry.queryDatasets("source", findFirst=True)),
    "data IDs": lambda b, s: set(b.registry.queryDataIds(["visit"], datasets="source")),
    "records": lambda b, s: set(b.registry.queryDimensionRecords("visit")),
    "associations": lambda b, s: {
        (a.ref, a.collection, a.timespan)
        for a in b.registry.queryDatasetAssociations("bias", [s.calibrations, *s.all_runs])
    },
    "a dataset": lambda b, s: b.registry.findDataset("source", visit=101),
    "a component": lambda b, s: b.registry.findDataset("source.columns", visit=101),
    "a dataset by ID": lambda b, s: b.registry.getDataset(ref_of(b).id),
    "IDs in a run": lambda b, s: [set(b.registry._fetch_run_dataset_ids(run)) for run in s.all_runs],
    "IDs in a missing run": lambda b, s: b.registry._fetch_run_dataset_ids("u/no/such"),
    "a new dataset while read only": lambda b, s: b.registry.registerCollection("u/me/x"),
}


def _missing(butler: Butler, names: list[str]) -> Any:
    missing: list[str] = []
    return {t.name for t in butler.registry.queryDatasetTypes(names, missing=missing)}, missing


ITSELF: dict[str, Question] = {
    "whether it can be written": lambda b, s: (b.isWriteable(), b.registry.isWriteable()),
    "its run": lambda b, s: b.run,
    "its default data ID": lambda b, s: b.registry.defaults.dataId,
    "its dimensions": lambda b, s: (b.dimensions.version, b.dimensions.namespace),
    "whether it knows a storage class": lambda b, s: b.storageClasses.getStorageClass("ArrowAstropy").name,
    "a clone": cloned,
    "a clone with other collections": lambda b, s: cloned(b, s, collections=s.tagged),
    "a clone without collections": lambda b, s: cloned(b, s, collections=None),
    "a clone with another data ID": lambda b, s: cloned(b, s, dataId={"instrument": "Cam"}),
    "a clone that infers nothing": lambda b, s: cloned(b, s, inferDefaults=False, dataId={}),
    "a clone of a missing collection": lambda b, s: cloned(b, s, collections="u/no/such"),
    "other defaults": with_other_defaults,
    "when closed": after_closing,
    "pickled": through_a_pickle,
    "what it counts": counted_into,
    "put while read only": lambda b, s: b.put(None, "source", visit=101, run="u/me/x"),
    "put by reference while read only": lambda b, s: b.put(None, made_up(b)),
    "ingest while read only": lambda b, s: b.ingest(),
    "remove while read only": lambda b, s: b.removeRuns(["u/me/x"]),
    "prune while read only": lambda b, s: b.pruneDatasets([ref_of(b)], unstore=True, purge=True),
    "transfer while read only": lambda b, s: b.transfer_from(b, [ref_of(b)]),
    "import while read only": lambda b, s: b.import_(filename="nonsense.yaml"),
    "validated": lambda b, s: b.validateConfiguration(),
}

READING: dict[str, Question] = {
    f"{group} {name}": question
    for group, questions in (
        ("get:", GETTING),
        ("find:", FINDING),
        ("files:", FILES),
        ("query:", QUERIES),
        ("collections:", COLLECTIONS),
        ("registry:", REGISTRY),
        ("butler:", ITSELF),
    )
    for name, question in questions.items()
}

"""Code that the sidebar inserts runs as it is, against the real Butler server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lsst.daf.butler import Butler, DatasetRef, StorageClass

from python_butler.backend.dataset_types import convert
from python_butler.backend.queries.calls import call_for
from python_butler.backend.queries.models import DatasetFilter, TimeRange
from python_butler.demo.platform import Platform

ROOT = Path(__file__).parents[2]
RUNNER = Path(__file__).with_name("run_snippets.py")
TABLE_FORMS = {
    "as-pandas": "pandas.DataFrame",
    "as-astropy": "astropy.table.table.Table",
    "as-arrow": "pyarrow.lib.Table",
}


@dataclass
class Case:
    """One snippet for one selection."""

    selection: dict[str, Any]
    refs: list[DatasetRef]
    snippet: dict[str, Any]
    cell: dict[str, Any] = field(default_factory=dict)
    expression: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        return str(self.snippet["id"])

    @property
    def storage_class(self) -> StorageClass:
        return self.refs[0].datasetType.storageClass

    def __str__(self) -> str:
        dataset_type = self.refs[0].datasetType
        collection = self.selection["collection"]
        where = f"{collection['type']} {collection['name']}"
        return (
            f"{self.id} of {len(self.refs)} {dataset_type.name} ({dataset_type.storageClass_name}) in {where}"
        )


def selection_of(
    butler: Butler, collection: str, refs: list[DatasetRef], kind: str = "official"
) -> dict[str, Any]:
    """A selection as the sidebar makes it."""
    info = butler.collections.get_info(collection)
    return {
        "repository": {"kind": kind, "label": "dp2", "location": ""},
        "collection": {"name": collection, "type": info.type.name},
        "datasetType": convert(refs[0].datasetType).model_dump(mode="json"),
        "datasets": [
            {"id": str(ref.id), "data_id": dict(ref.dataId.required), "run": ref.run} for ref in refs
        ],
    }


def official_selections(butler: Butler) -> Iterator[tuple[dict[str, Any], list[DatasetRef]]]:
    """One dataset of each storage class in ``dp2``, calibrations in each kind of collection, and several."""
    found: dict[tuple[str, bool], tuple[DatasetRef, str]] = {}
    for info in butler.collections.query_info("dp2", flatten_chains=True, include_summary=True):
        for name in info.dataset_types or ():
            refs = butler.query_datasets(name, info.name, find_first=False, limit=1, explain=False)
            if refs:
                kind = (refs[0].datasetType.storageClass_name, refs[0].datasetType.isCalibration())
                # The object table is the widest.
                if kind not in found or name == "object":
                    found[kind] = refs[0], info.name
    assert {"VisitImage", "DifferenceImage", "CellCoadd", "ArrowAstropy"} <= {name for name, _ in found}
    for (_, calibration), (ref, collection) in found.items():
        for place in ("dp2", collection, ref.run) if calibration else ("dp2",):
            yield selection_of(butler, place, [ref]), [ref]

    for name in ("visit_image", "source"):
        near = butler.query_datasets(name, "dp2", limit=2)
        yield selection_of(butler, "dp2", near), near
    images = butler.query_datasets("visit_image", "dp2", limit=1000)
    apart = [images[0], next(ref for ref in images if differs(ref, images[0]))]
    yield selection_of(butler, "dp2", apart), apart
    calibration = next(ref for (_, calibration), (ref, _) in found.items() if calibration)
    alike = butler.query_datasets(calibration.datasetType, calibration.run, limit=2)
    yield selection_of(butler, "dp2", alike), alike


def differs(one: DatasetRef, other: DatasetRef) -> bool:
    """Whether both visit and detector differ, so that no product of values describes the two."""
    return all(one.dataId[key] != other.dataId[key] for key in ("visit", "detector"))


def listed(
    butler: Butler, refs: list[DatasetRef], filter: DatasetFilter, limit: int = 3
) -> tuple[dict[str, Any], list[DatasetRef]]:
    """The query of a list, and what it must find."""
    filter = filter.model_copy(update={"limit": limit})
    dataset_type = refs[0].datasetType
    call = call_for(dataset_type, filter, find_first=True, governors={"instrument": {"LSSTCam"}})
    selection = selection_of(butler, "dp2", refs)
    return {**selection, "whole": call.model_dump(mode="json")}, refs


def official_queries(butler: Butler) -> Iterator[tuple[dict[str, Any], list[DatasetRef]]]:
    """Queries of all kinds of conditions, each with what a butler finds for it."""
    image = butler.query_datasets("visit_image", "dp2", limit=1)[0]
    record = butler.query_dimension_records("visit", data_id=image.dataId)[0]
    begin, end = (moment.tai.isot for moment in (record.timespan.begin, record.timespan.end))
    same = butler.query_datasets(
        "visit_image",
        "dp2",
        data_id={"visit": image.dataId["visit"]},
        instrument="LSSTCam",
        order_by=["-detector"],
        limit=3,
    )
    filters = [
        DatasetFilter(data_id={"visit": [image.dataId["visit"]]}, order_by=["-detector"]),
        DatasetFilter(time=TimeRange(begin=begin, end=end), order_by=["-detector"]),
        DatasetFilter(where=f"visit.id = {image.dataId['visit']} AND detector >= 0", order_by=["-detector"]),
    ]
    for filter in filters:
        yield listed(butler, same, filter)
    yield listed(butler, butler.query_datasets("object", "dp2", limit=1), DatasetFilter(), limit=1)


TEMPLATES = [
    {"label": "read", "code": "${name} = ${get}\n${name}", "expression": "${get}"},
    {"label": "find", "code": "${butler}.get_dataset(uuid.UUID(${id}))", "expression": "${ref}"},
    {
        "label": "ids",
        "imports": ["from uuid import UUID"],
        "code": "[${butler}.get_dataset(UUID(one)) for one in ${ids}]",
        "expression": "${refs}",
    },
    {"label": "keywords", "code": "${butler}.get(${dataset_type}, ${keywords})"},
]


def write_code(selections: list[tuple[dict[str, Any], list[DatasetRef]]]) -> list[Case]:
    """Have the front end write the code of all snippets."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}") or shutil.which("node")
    assert node, "Node.js is needed: run make setup."
    assert (ROOT / "node_modules").is_dir(), "The front end's packages are needed: run make setup."
    answers = json.loads(
        subprocess.run(
            [node, "scripts/snippets.mjs"],
            input=json.dumps(
                [{"selection": selection, "templates": TEMPLATES} for selection, _ in selections]
            ),
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    )
    return [
        Case(selection, refs, snippet)
        for (selection, refs), answer in zip(selections, answers, strict=True)
        for snippet in answer["snippets"]
    ]


def without_repeats(cases: list[Case]) -> list[Case]:
    """Leave out components and snippets of the settings that another case of the storage class reads."""
    seen: set[tuple[str, str, bool]] = set()
    kept = []
    for case in cases:
        key = case.storage_class.name, case.id, len(case.refs) > 1
        if not case.id.startswith(("component:", "settings:")) or key not in seen:
            kept.append(case)
        seen.add(key)
    return kept


def run_code(cases: list[Case], directory: Path) -> list[str]:
    """Run cells and expressions of all cases in one new process; returns the modules it has then."""
    requests, takers = [], []
    for case in cases:
        requests.append({"statements": case.snippet["cell"]})
        takers.append((case, "cell"))
        # The expression of a component is the call that its cell makes.
        if case.snippet["expression"] is not None and not case.id.startswith("component:"):
            requests.append(
                {"statements": case.snippet["preamble"], "expression": case.snippet["expression"]}
            )
            takers.append((case, "expression"))
    done = subprocess.run(
        [sys.executable, str(RUNNER)],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        cwd=directory,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    for (case, form), outcome in zip(takers, answer["answers"], strict=True):
        setattr(case, form, outcome)
    return list(answer["modules"])


@pytest.fixture(scope="module")
def official(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Case], list[str]]]:
    """Every snippet for official data, run."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in platform.environment.items():
            monkeypatch.setenv(name, value)
        with Butler("dp2") as butler:
            selections = [*official_selections(butler), *official_queries(butler)]
            cases = without_repeats(write_code(selections))
        yield cases, run_code(cases, tmp_path_factory.mktemp("snippets"))


def is_a(told: dict[str, Any], pytype: type | str) -> bool:
    name = pytype if isinstance(pytype, str) else f"{pytype.__module__}.{pytype.__qualname__}"
    return name in told["types"]


def shape_of(case: Case) -> list[int]:
    return list(case.cell["result"]["value"])


def test_every_cell_and_expression_runs_without_outdated_calls(
    official: Any, subtests: pytest.Subtests
) -> None:
    cases, _ = official
    for case in cases:
        for form in ("cell", "expression"):
            outcome = getattr(case, form)
            if outcome is not None:
                with subtests.test(f"{form}: {case}"):
                    assert "error" not in outcome, f"{case.snippet[form]}\n\n{outcome['error']}"
                    assert outcome["outdated"] == []


def test_official_data_needs_nothing_of_ours(official: Any) -> None:
    _, modules = official
    assert "lsst.daf.butler" in modules
    assert [name for name in modules if name.split(".")[0] == "python_butler"] == []


def test_every_storage_class_gives_its_python_type(official: Any, subtests: pytest.Subtests) -> None:
    cases, _ = official
    whole = [case for case in cases if case.id == "whole"]
    for case in whole:
        with subtests.test(str(case)):
            assert is_a(case.expression["result"], case.storage_class.pytype)
            assert any(is_a(told, case.storage_class.pytype) for told in case.cell["names"].values())


def test_images_are_cut_out(official: Any, subtests: pytest.Subtests) -> None:
    cases, _ = official
    whole = {
        case.refs[0].id: shape_of(case)
        for case in cases
        if case.id == "whole" and "value" in case.cell["result"]
    }
    cutouts = [case for case in cases if case.id in ("cutout-box", "cutout-circle")]
    assert {case.id for case in cutouts} == {"cutout-box", "cutout-circle"}
    for case in cutouts:
        with subtests.test(str(case)):
            rows, columns = shape_of(case)
            assert 1 <= rows <= 250
            assert 1 <= columns <= 250
            assert [rows, columns] != whole[case.refs[0].id]
            told = next(told for name, told in case.cell["names"].items() if name.endswith("_cutout"))
            assert is_a(told, case.storage_class.pytype)


def test_tables_come_in_the_form_asked_for_with_some_columns(
    official: Any, subtests: pytest.Subtests
) -> None:
    cases, _ = official
    tables = [case for case in cases if case.id in ("columns", *TABLE_FORMS)]
    assert {"columns", "as-pandas", "as-arrow"} <= {case.id for case in tables}
    for case in tables:
        with subtests.test(str(case)):
            for outcome in (case.cell, case.expression):
                result = outcome["result"]
                if case.id == "columns":
                    assert is_a(result, case.storage_class.pytype)
                else:
                    assert TABLE_FORMS[case.id].split(".")[-1] in result["types"][0]
                    assert TABLE_FORMS[case.id].split(".")[0] == result["types"][0].split(".")[0]
                assert 1 <= len(result["columns"]) <= 10


def test_components_have_the_types_of_their_storage_classes(official: Any, subtests: pytest.Subtests) -> None:
    cases, _ = official
    for case in cases:
        if case.id.startswith("component:"):
            component = case.storage_class.allComponents()[case.id.removeprefix("component:")]
            with subtests.test(str(case)):
                result = case.cell["result"]
                if not getattr(component.pytype, "_is_protocol", False):
                    # A difference image need not have kept its kernel.
                    assert is_a(result, component.pytype) or is_a(result, "builtins.NoneType")


def test_references_are_to_the_dataset_that_was_selected(official: Any, subtests: pytest.Subtests) -> None:
    cases, _ = official
    for case in cases:
        if case.id in ("reference", "ivoa", "deferred"):
            with subtests.test(str(case)):
                assert case.cell["result"]["id"] == str(case.refs[0].id)
        if case.id in ("query", "several-references"):
            with subtests.test(str(case)):
                found = {item["id"] for item in case.cell["result"]["items"]}
                assert {str(ref.id) for ref in case.refs} <= found


def test_the_query_of_a_list_finds_what_the_list_shows(official: Any, subtests: pytest.Subtests) -> None:
    cases, _ = official
    queries = [case for case in cases if case.id == "found"]
    assert len(queries) == 4
    for case in queries:
        with subtests.test(str(case.selection["whole"])):
            found = [item["id"] for item in case.expression["result"]["items"]]
            assert found == [str(ref.id) for ref in case.refs]
    loops = [case for case in cases if case.id == "each-found"]
    assert len(loops) == 4
    for case in loops:
        assert len(case.cell["output"].strip().splitlines()) == len(case.refs)


def test_snippets_of_the_settings_read_and_find_what_was_selected(
    official: Any, subtests: pytest.Subtests
) -> None:
    cases, _ = official
    mine = [case for case in cases if case.id.startswith("settings:")]
    assert {case.id for case in mine} == {f"settings:{template['label']}" for template in TEMPLATES}
    for case in mine:
        with subtests.test(str(case)):
            result = case.cell["result"]
            match case.id:
                case "settings:find":
                    assert result["id"] == str(case.refs[0].id)
                case "settings:ids":
                    assert [item["id"] for item in result["items"]] == [str(ref.id) for ref in case.refs]
                case _:
                    assert is_a(result, case.storage_class.pytype)


def test_web_services_are_asked_for_the_dataset_by_its_identifier(
    official: Any, subtests: pytest.Subtests
) -> None:
    cases, _ = official
    asked = [case for case in cases if case.id in ("datalink", "soda")]
    assert {case.id for case in asked} == {"datalink", "soda"}
    for case in asked:
        with subtests.test(str(case)):
            ((url, parameters),) = case.cell["asked"]
            service = {"datalink": "datalink/datalink-links-1.1", "soda": "cutout/soda-sync-1.0"}[case.id]
            assert url == f"https://platform.example/dp2/{service}"
            identifier = Butler.parse_dataset_uri(parameters["ID"])
            assert (identifier.label, identifier.dataset_id) == ("dp2", case.refs[0].id)
            if case.id == "soda":
                ra, dec, radius = (float(part) for part in parameters["CIRCLE"].split())
                assert 0 <= ra < 360
                assert -90 <= dec <= 90
                assert 0 < radius < 1


def test_a_calibration_is_found_for_a_visit(official: Any) -> None:
    cases, _ = official
    found = [case for case in cases if case.id == "for-visit"]
    assert {case.selection["collection"]["type"] for case in found} == {"CHAINED", "CALIBRATION"}
    for case in found:
        assert any(is_a(told, case.storage_class.pytype) for told in case.cell["names"].values())


def test_a_loop_reads_each_of_several_datasets(official: Any, subtests: pytest.Subtests) -> None:
    cases, _ = official
    loops = [case for case in cases if case.id in ("several", "several-data-ids")]
    assert any("query_datasets" in case.snippet["cell"] for case in loops)
    assert any("data_ids = [" in case.snippet["cell"] for case in loops)
    for case in loops:
        with subtests.test(str(case)):
            assert len(case.cell["output"].strip().splitlines()) == len(case.refs)


def test_personal_data_is_read_through_python_butler(
    environment: dict[str, str], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    from astropy.table import Table
    from lsst.daf.butler import DatasetType

    import python_butler

    butler = python_butler.open("dp2", run="u/me/bright_stars")
    dataset_type = DatasetType(
        "bright_stars", ["skymap", "tract"], "ArrowAstropy", universe=butler.dimensions
    )
    butler.registry.registerDatasetType(dataset_type)
    table = Table({"id": [1, 2], "ra": [53.0, 53.1], "dec": [-28.0, -28.1]})
    ref = butler.put(table, "bright_stars", skymap="lsst_cells_v2", tract=5063)
    cases = write_code([(selection_of(butler, ref.run, [ref], kind="personal"), [ref])])
    run_code(cases, tmp_path)
    assert {"columns", "whole", "as-pandas", "schema", "reference", "query"} <= {case.id for case in cases}
    for case in cases:
        with subtests.test(str(case)):
            assert "error" not in case.cell, f"{case.snippet['cell']}\n\n{case.cell['error']}"
            assert case.cell["outdated"] == []
            if case.id in ("columns", "whole"):
                assert case.cell["result"]["columns"] == ["id", "ra", "dec"]

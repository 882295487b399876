"""What is in a dataset is shown in small: documents, texts, logs, figures, and what is left out is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from astropy.table import Table
from lsst.daf.butler import Butler, DatasetRef
from matplotlib.figure import Figure

import python_butler
from python_butler.backend.previews.documents import document
from python_butler.backend.previews.memory import FreeMemory, MemoryGuard, free_memory
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError

from ..conftest import Backend

OFFICIAL = "/repositories/official/dp2/datasets"
PERSONAL = "/repositories/personal/dp2/datasets"


def first(butler: Butler, dataset_type: str, **more: Any) -> DatasetRef:
    return butler.query_datasets(dataset_type, "*", find_first=False, limit=1, **more)[0]


@pytest.fixture(scope="session")
def results(previews: Backend, platform: Platform) -> Iterator[dict[str, DatasetRef]]:
    """What a user has saved beside the official data, by name."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (*platform.environment.items(), ("PYTHON_BUTLER_ROOT", str(previews.root))):
            patch.setenv(name, value)
        butler = python_butler.open("dp2", collections="dp2")
        image = butler.query_datasets("visit_image", limit=1)[0]
        butler.get(image)
        figure = Figure()
        figure.subplots().plot([1, 2, 3])
        things = {
            "looked_table": Table({"flux": [1.0, 2.0], "name": ["a", "b"]}),
            "looked_figure": figure,
            "looked_dictionary": {"seeing": 0.7, "many": list(range(2_000))},
        }
        found = {"image": image}
        for name, thing in things.items():
            version = butler.save(thing, name)
            found[name] = butler.query_datasets(name, version.run, find_first=False)[0]
        yield found


class TestDocuments:
    def test_metadata_of_a_task_is_a_tree(self, previews: Backend, demonstration: Butler) -> None:
        ref = first(demonstration, "isr_metadata")
        preview = previews.get(f"{OFFICIAL}/{ref.id}/preview")
        assert preview["form"] == "document"
        (quantum,) = (child for child in preview["root"]["children"] if child["key"] == "quantum")
        keys = {child["key"]: child["text"] for child in quantum["children"]}
        assert keys["nodeName"] == demonstration.get(ref).to_dict()["quantum"]["nodeName"]

    def test_long_lists_come_in_parts(self, previews: Backend, results: dict[str, DatasetRef]) -> None:
        path = f"{PERSONAL}/{results['looked_dictionary'].id}/preview"
        root = previews.get(path)["root"]
        (many,) = (child for child in root["children"] if child["key"] == "many")
        assert many["size"] == 2_000
        assert 0 < len(many["children"]) < 2_000
        rest = previews.client.get(f"{path}?path=many&offset=1990").json()["root"]
        assert [child["text"] for child in rest["children"]] == [str(n) for n in range(1_990, 2_000)]

    def test_a_part_that_is_not_there_is_an_error(
        self, previews: Backend, results: dict[str, DatasetRef]
    ) -> None:
        path = f"{PERSONAL}/{results['looked_dictionary'].id}/preview"
        answer = previews.client.get(f"{path}?path=nothing")
        assert (answer.status_code, answer.json()["kind"]) == (400, "invalid")

    def test_what_is_too_much_is_cut_and_counted(self) -> None:
        nested: Any = {str(n): {str(m): list(range(50)) for m in range(50)} for n in range(50)}
        preview = document(nested)
        assert len(preview.model_dump_json()) < 500_000
        assert preview.root.size == 50
        assert document({"text": 10_000 * "x"}).root.children[0].text == 1_000 * "x" + " …"

    def test_what_holds_itself_ends(self) -> None:
        loop: dict[str, Any] = {}
        loop["again"] = loop
        assert document(loop).root.size == 1


class TestTexts:
    def test_yaml_is_shown_as_it_is(self, previews: Backend, demonstration: Butler) -> None:
        preview = previews.get(f"{OFFICIAL}/{first(demonstration, 'packages').id}/preview")
        assert (preview["form"], preview["language"], preview["whole"]) == ("text", "yaml", True)
        assert "lsst_distrib: v30_0_8" in preview["text"]

    def test_anything_else_describes_itself(self, previews: Backend, demonstration: Butler) -> None:
        preview = previews.get(f"{OFFICIAL}/{first(demonstration, 'bias').id}/preview")
        assert (preview["form"], preview["type"]) == ("object", "lsst.images._image.Image")


class TestLogs:
    @pytest.fixture
    def log(self, demonstration: Butler) -> DatasetRef:
        return first(demonstration, "reprocessVisitImage_log")

    def test_has_its_lines_and_how_many_there_are_of_each_level(
        self, previews: Backend, demonstration: Butler, log: DatasetRef
    ) -> None:
        preview = previews.get(f"{OFFICIAL}/{log.id}/preview")
        records = demonstration.get(log)
        assert [line["message"] for line in preview["records"]] == [record.message for record in records]
        assert sum(preview["levels"].values()) == len(records) == preview["matching"]

    def test_is_filtered_by_level_and_words(self, previews: Backend, log: DatasetRef) -> None:
        path = f"{OFFICIAL}/{log.id}/preview"
        found = previews.get(path, words="MEASURED sources")
        assert [line["message"] for line in found["records"]] == ["Measured sources."]
        assert previews.get(path, level=50)["matching"] == 0
        assert previews.get(path, offset=2)["records"] == previews.get(path)["records"][2:]


class TestFigures:
    def test_are_pictures(self, previews: Backend, results: dict[str, DatasetRef]) -> None:
        path = f"{PERSONAL}/{results['looked_figure'].id}"
        preview = previews.get(f"{path}/preview")
        assert (preview["form"], preview["width"], preview["height"]) == ("figure", 640, 480)
        picture = previews.client.get(f"{path}/figure")
        assert picture.headers["content-type"] == "image/png"
        assert len(picture.content) == preview["size"]

    def test_other_datasets_are_none(self, previews: Backend, demonstration: Butler) -> None:
        status, error = previews.error(f"{OFFICIAL}/{first(demonstration, 'packages').id}/figure")
        assert (status, error["kind"]) == (400, "invalid")


class TestMemory:
    def test_of_an_image_is_told_by_its_header(self, previews: Backend, demonstration: Butler) -> None:
        ref = first(demonstration, "visit_image")
        cost = previews.get(f"{OFFICIAL}/{ref.id}/memory")
        image = demonstration.get(ref)
        pixels = image.image.array.nbytes + image.mask.array.nbytes + image.variance.array.nbytes
        assert cost["basis"] == "header"
        assert pixels <= cost["needed"] <= 1.3 * pixels
        assert cost["fits"] is True

    def test_of_a_table_is_that_of_its_columns(self, previews: Backend, demonstration: Butler) -> None:
        ref = first(demonstration, "object")
        table = demonstration.get(ref)
        held = sum(table[name].nbytes for name in table.colnames)
        cost = previews.get(f"{OFFICIAL}/{ref.id}/memory")
        assert cost["basis"] == "header"
        assert 0.9 * held <= cost["needed"] <= 1.5 * held

    def test_a_limit_of_the_container_counts(self, tmp_path: Path) -> None:
        group = tmp_path / "pod"
        group.mkdir()
        (group / "memory.max").write_text("2000000000\n")
        (group / "memory.current").write_text("1500000000\n")
        (group / "memory.stat").write_text("anon 1\ninactive_file 100000000\n")
        groups = tmp_path / "groups"
        groups.write_text("0::/pod\n")
        assert free_memory(tmp_path, groups) == FreeMemory(600_000_000, 2_000_000_000, True)
        (group / "memory.max").write_text("max\n")
        assert not free_memory(tmp_path, groups).limited

    def test_previews_get_a_share_of_it_one_after_the_other(self) -> None:
        guard = MemoryGuard(lambda: FreeMemory(1_000, 1_000, True))
        nobody = threading.Event()
        with pytest.raises(InvalidRequestError, match="may need"), guard.reserve(501, nobody):
            pass
        second = threading.Event()

        def take() -> None:
            with guard.reserve(300, nobody):
                second.set()

        with guard.reserve(300, nobody):
            threading.Thread(target=take, daemon=True).start()
            assert not second.wait(0.3)
        assert second.wait(60)


class TestTrouble:
    unknown: ClassVar = "00000000-0000-0000-0000-000000000000"

    @pytest.mark.parametrize("what", ["preview", "memory", "provenance"])
    def test_a_dataset_that_is_not_there(self, previews: Backend, what: str) -> None:
        status, error = previews.error(f"{OFFICIAL}/{self.unknown}/{what}")
        assert (status, error["kind"]) == (404, "gone")

    def test_a_file_that_is_not_there(self, previews: Backend, results: dict[str, DatasetRef]) -> None:
        ref = results["looked_table"]
        (file,) = previews.get(f"{PERSONAL}/{ref.id}")["files"]
        (path,) = previews.root.glob(f"dp2/**/{Path(file['name']).name}")
        aside = path.rename(path.with_suffix(".aside"))
        try:
            status, error = previews.error(f"{PERSONAL}/{ref.id}/preview")
            assert (status, error["kind"]) == (404, "gone")
            # Where it comes from is known nevertheless.
            assert previews.get(f"{PERSONAL}/{ref.id}/provenance")["sources"] == ["notes"]
        finally:
            aside.rename(path)

    def test_a_file_that_is_no_such_thing(self, previews: Backend, results: dict[str, DatasetRef]) -> None:
        ref = results["looked_table"]
        (file,) = previews.get(f"{PERSONAL}/{ref.id}")["files"]
        (path,) = previews.root.glob(f"dp2/**/{Path(file['name']).name}")
        content = path.read_bytes()
        path.write_bytes(b"x" * len(content))
        try:
            status, error = previews.error(f"{PERSONAL}/{ref.id}/memory")
            assert status == 400
            assert "cannot be read as ArrowAstropy" in error["message"]
        finally:
            path.write_bytes(content)

    def test_a_client_that_leaves_frees_its_thread(
        self,
        previews: Backend,
        platform: Platform,
        demonstration: Butler,
    ) -> None:
        refs = demonstration.query_datasets("deep_coadd", "*", find_first=False, limit=6)
        import httpx

        platform.set_latency(1)
        try:
            for ref in refs:
                with pytest.raises(httpx.TimeoutException):
                    previews.client.get(f"{OFFICIAL}/{ref.id}/provenance", timeout=0.1)
        finally:
            platform.set_latency(0)
        assert previews.get(f"{OFFICIAL}/{first(demonstration, 'packages').id}/preview")["form"] == "text"

    def test_no_address_and_no_token_is_shown(
        self, previews: Backend, platform: Platform, demonstration: Butler, results: dict[str, DatasetRef]
    ) -> None:
        texts = [
            previews.client.get(f"{base}/{ref.id}/{what}").text
            for base, ref in (
                (OFFICIAL, first(demonstration, "visit_image")),
                (OFFICIAL, first(demonstration, "deep_coadd")),
                (PERSONAL, results["looked_dictionary"]),
            )
            for what in ("preview", "memory", "provenance", "collections")
        ]
        everything = "\n".join(texts)
        assert platform.environment["BUTLER_RUBIN_ACCESS_TOKEN"] not in everything
        assert "Signature=" not in everything
        assert "AWSAccessKeyId" not in everything


class TestProvenance:
    def test_of_own_results_is_what_was_noted(
        self, previews: Backend, results: dict[str, DatasetRef]
    ) -> None:
        step = previews.get(f"{PERSONAL}/{results['looked_table'].id}/provenance")
        (given,) = step["inputs"]
        assert given["id"] == str(results["image"].id)
        assert (given["kind"], given["dataset_type"]) == ("official", "visit_image")
        assert step["inputs_are"] == "read before"
        assert step["maker"]["software"]["numpy"]

    def test_of_an_official_image_is_what_was_made_of_it(
        self, previews: Backend, results: dict[str, DatasetRef]
    ) -> None:
        step = previews.get(f"{OFFICIAL}/{results['image'].id}/provenance")
        assert step["sources"] == []
        made = {node["dataset_type"] for node in step["outputs"]}
        assert {"looked_table", "looked_figure", "looked_dictionary"} <= made
        assert [task["label"] for task in step["tasks"] if task["same_dimensions"]] == ["reprocessVisitImage"]
        assert step["packages"]["dataset_type"] == "packages"

    def test_of_a_coadd_is_the_images_in_its_cells(self, previews: Backend, demonstration: Butler) -> None:
        ref = first(demonstration, "deep_coadd")
        step = previews.get(f"{OFFICIAL}/{ref.id}/provenance")
        table = demonstration.get(ref).provenance.inputs
        listed = {(node["data_id"]["visit"], node["data_id"]["detector"]) for node in step["inputs"]}
        assert step["inputs_are"] == "contributing"
        assert listed == {(int(row["visit"]), int(row["detector"])) for row in table}
        known = [node for node in step["inputs"] if node["id"] is not None]
        assert known
        for node in known:
            found = demonstration.get_dataset(node["id"])
            assert found is not None
            assert found.dataId["visit"] == node["data_id"]["visit"]

    def test_in_brief_is_who_made_it_and_nothing_else(
        self, previews: Backend, results: dict[str, DatasetRef], demonstration: Butler
    ) -> None:
        noted = previews.get(f"{PERSONAL}/{results['looked_table'].id}/provenance", brief=True)
        assert noted["maker"]["software"]["numpy"]
        assert (noted["inputs"], noted["inputs_left_out"], noted["tasks"]) == ([], 1, [])
        image = previews.get(f"{OFFICIAL}/{results['image'].id}/provenance", brief=True)
        assert (image["maker"], image["outputs"], image["packages"]) == (None, [], None)
        assert [task["label"] for task in image["tasks"] if task["same_dimensions"]] == [
            "reprocessVisitImage"
        ]
        # Its file would tell.
        coadd = previews.get(f"{OFFICIAL}/{first(demonstration, 'deep_coadd').id}/provenance", brief=True)
        assert (coadd["sources"], coadd["inputs"]) == ([], [])

    def test_of_a_log_is_its_own_task(self, previews: Backend, demonstration: Butler) -> None:
        step = previews.get(f"{OFFICIAL}/{first(demonstration, 'isr_log').id}/provenance")
        (task,) = step["tasks"]
        assert task["label"] == "isr"
        assert task["log"] is None
        assert task["metadata"]["dataset_type"] == "isr_metadata"


class TestCollections:
    @staticmethod
    def held(previews: Backend, path: str) -> dict[str, Any]:
        lines = [json.loads(line) for line in previews.client.get(f"{path}/collections").text.splitlines()]
        assert lines[-1]["event"] == "end"
        return {found["name"]: found for line in lines[:-1] for found in line["collections"]}

    def test_of_a_calibration_have_their_validity(self, previews: Backend, demonstration: Butler) -> None:
        ref = first(demonstration, "flat")
        found = self.held(previews, f"{OFFICIAL}/{ref.id}")
        associations = [
            one
            for one in demonstration.registry.queryDatasetAssociations("flat")
            if one.ref.id == ref.id and one.timespan is not None
        ]
        assert associations
        for one in associations:
            assert len(found[one.collection]["validity"]) == len(
                [other for other in associations if other.collection == one.collection]
            )
        assert found[ref.run]["type"] == "RUN"

    def test_of_a_tagged_image_are_tag_run_and_chain(self, previews: Backend, demonstration: Butler) -> None:
        tags = demonstration.collections.query_info("*", collection_types=_tagged())
        (tag, *_) = tags
        ref = demonstration.query_datasets("visit_image", tag.name, limit=1)[0]
        found = self.held(previews, f"{OFFICIAL}/{ref.id}")
        assert {name: one["type"] for name, one in found.items()}.items() >= {
            (tag.name, "TAGGED"),
            (ref.run, "RUN"),
            ("dp2", "CHAINED"),
        }


def _tagged() -> Any:
    from lsst.daf.butler import CollectionType

    return CollectionType.TAGGED

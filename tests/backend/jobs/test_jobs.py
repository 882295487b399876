"""What a job does is what its plan said, and what became of each dataset is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsst.daf.butler import Butler, CollectionType

from .conftest import Jobs

CALIBRATIONS = "LSSTCam/calib/DP2"


def test_a_plan_says_what_and_how_much_and_the_job_does_exactly_that(jobs: Jobs) -> None:
    chosen = jobs.chosen("visit_image", 5)
    plan = jobs.plan("reference", chosen=chosen)
    assert (plan["datasets"], plan["new"], plan["there"]) == (5, 5, 0)
    assert plan["creates_satellite"]
    assert plan["location"] == str(jobs.satellite_root)
    assert plan["bytes"] > 0
    assert not jobs.satellite_root.exists()

    job = jobs.run("reference", chosen=chosen, create=True)
    assert job["state"] == "done", job
    assert job["counts"] == {"done": plan["new"]}
    assert job["bytes"] == plan["bytes"]
    assert job["datasets"] == 5
    results = jobs.results(job["id"])
    assert [result["id"] for result in results] == [row["id"] for row in chosen["datasets"]]
    assert {result["status"] for result in results} == {"done"}
    assert results[0]["data_id"] == chosen["datasets"][0]["data_id"]
    assert sum(result["bytes"] for result in results) == plan["bytes"]
    # With its chain, so that it is found where it was.
    with jobs.satellite().reader() as reader:
        assert len(reader.query_datasets("visit_image", "dp2", limit=None)) == 5

    more = jobs.chosen("visit_image", 7)
    plan = jobs.plan("reference", chosen=more)
    assert (plan["new"], plan["there"], plan["creates_satellite"]) == (2, 5, False)
    job = jobs.run("reference", chosen=more)
    assert job["counts"] == {"done": plan["new"], "there": plan["there"]}
    assert job["bytes"] == plan["bytes"]


def test_pinning_official_datasets_references_them_first_and_unpinning_keeps_them(jobs: Jobs) -> None:
    jobs.run("reference", chosen=jobs.chosen("visit_image", 1), create=True)
    chosen = jobs.chosen("visit_image", 3)
    plan = jobs.plan("pin", chosen=chosen)
    assert (plan["new"], plan["there"], plan["reference_first"]) == (3, 0, 2)
    assert plan["room"]["needed"] == plan["bytes"]
    assert plan["room"]["fits"] is True
    assert plan["room"]["place"] == "disk"

    job = jobs.run("pin", chosen=chosen)
    assert (job["state"], job["counts"], job["bytes"]) == ("done", {"done": 3}, plan["bytes"])
    ids = [row["id"] for row in chosen["datasets"]]
    presence = jobs.backend.client.post("/repositories/personal/dp2/presence", json={"ids": ids}).json()
    assert sorted(presence["pinned"]) == sorted(ids)
    assert presence["referenced"] == []
    path = "/repositories/official/dp2/held"
    assert jobs.backend.get("/repositories/personal/dp2/held", collection="dp2")["types"][0]["pinned"] == 3
    held = {"types": [{"dataset_type": "visit_image", "referenced": 0, "pinned": 3}]}
    assert jobs.backend.get(path, collection="dp2") == held
    (run,) = {row["run"] for row in chosen["datasets"]}
    assert jobs.backend.get(path, collection=run) == held
    assert jobs.backend.get(path, collection="no/such/collection") == {"types": []}

    here = jobs.chosen("visit_image", 3) | {"kind": "personal"}
    plan = jobs.plan("unpin", chosen=here)
    job = jobs.run("unpin", chosen=here)
    assert job["counts"] == {"done": plan["new"]} == {"done": 3}
    presence = jobs.backend.client.post("/repositories/personal/dp2/presence", json={"ids": ids}).json()
    assert sorted(presence["referenced"]) == sorted(ids)
    held["types"][0] |= {"referenced": 3, "pinned": 0}
    assert jobs.backend.get(path, collection="dp2") == held

    plan = jobs.plan("forget", chosen=here)
    job = jobs.run("forget", chosen=here)
    assert job["counts"] == {"done": plan["new"]} == {"done": 3}
    # Nothing is left to be forgotten: they are not where they were found any more.
    plan = jobs.plan("forget", chosen=here)
    assert plan["new"] == 0
    assert plan["problems"][0] | {"reason": ""} == {"status": "missing", "reason": "", "datasets": 3}


def test_what_is_had_is_counted_wherever_it_is_found(jobs: Jobs, repository: Path) -> None:
    with Butler.from_config(str(repository / "repo")) as demonstration:
        (tag, *_) = demonstration.collections.query("*", CollectionType.TAGGED)
    tagged = jobs.backend.rows("official", tag, "visit_image", 1000)[:2]
    certified = jobs.backend.rows("official", CALIBRATIONS, "flat", 1000)[:3]
    for collection, dataset_type, rows in ((tag, "visit_image", tagged), (CALIBRATIONS, "flat", certified)):
        chosen = {
            "kind": "official",
            "collection": collection,
            "dataset_type": dataset_type,
            "datasets": rows,
        }
        job = jobs.run("reference", chosen=chosen, create=True)
        assert job["counts"] == {"done": len(rows)}
    chosen = {"kind": "official", "collection": tag, "dataset_type": "visit_image", "datasets": tagged[:1]}
    assert jobs.run("pin", chosen=chosen)["state"] == "done"
    # What a chain leads to both in a run and by a tag counts once.
    with jobs.satellite().writer() as writer:
        writer.collections.register("u/me/both", CollectionType.CHAINED)
        writer.collections.redefine_chain("u/me/both", [tag, tagged[0]["run"], CALIBRATIONS])
    images = {"dataset_type": "visit_image", "referenced": 1, "pinned": 1}
    flats = {"dataset_type": "flat", "referenced": 3, "pinned": 0}

    def held(kind: str, collection: str) -> list[dict[str, Any]]:
        return list(jobs.backend.get(f"/repositories/{kind}/dp2/held", collection=collection)["types"])

    for kind in ("official", "personal"):
        assert held(kind, tag) == [images]
        assert held(kind, CALIBRATIONS) == [flats]
    assert held("personal", "u/me/both") == [flats, images]
    # The satellite has no such chain: they were found elsewhere.
    assert images in held("official", "dp2")
    assert held("personal", "dp2") == []


def test_what_was_fetched_is_at_hand(jobs: Jobs) -> None:
    chosen = jobs.chosen("visit_image", 2)
    plan = jobs.plan("prefetch", chosen=chosen)
    assert plan["room"]["place"] == "cache"
    assert (plan["new"], plan["reference_first"]) == (2, 2)
    job = jobs.run("prefetch", chosen=chosen, create=True)
    assert (job["state"], job["counts"]) == ("done", {"done": 2})
    plan = jobs.plan("prefetch", chosen=chosen)
    assert (plan["new"], plan["there"]) == (0, 2)


def test_without_consent_no_satellite_is_made(jobs: Jobs) -> None:
    job = jobs.run("reference", chosen=jobs.chosen("visit_image", 1))
    assert job["state"] == "failed"
    assert job["error"]["kind"] == "satellite"
    assert job["resumable"]
    assert not jobs.satellite_root.exists()


def test_a_dataset_with_a_wrong_data_id_is_not_taken_on_trust(jobs: Jobs) -> None:
    chosen = jobs.chosen("visit_image", 2)
    first, second = chosen["datasets"]
    first["data_id"], second["data_id"] = second["data_id"], {**first["data_id"], "detector": 99}
    job = jobs.run("reference", chosen=chosen, create=True)
    for result in jobs.results(job["id"]):
        if result["status"] == "done":
            original = next(row for row in jobs.rows("visit_image", 2) if row["id"] == result["id"])
            assert result["data_id"] == original["data_id"]
    assert job["counts"].get("missing", 0) >= 1


def test_results_come_in_pages_and_by_status(jobs: Jobs) -> None:
    jobs.run("reference", chosen=jobs.chosen("visit_image", 4), create=True)
    job = jobs.run("reference", chosen=jobs.chosen("visit_image", 9))
    assert len(jobs.results(job["id"], limit=2)) == 9
    assert len(jobs.results(job["id"], limit=3)) == 9
    assert len(jobs.results(job["id"], limit=2, status="there")) == 4
    status, error = jobs.backend.error(f"/jobs/{job['id']}/results", cursor="nonsense")
    assert (status, error["kind"]) == (400, "invalid")


def test_a_job_can_be_removed_once_it_has_ended(jobs: Jobs) -> None:
    job = jobs.run("reference", chosen=jobs.chosen("visit_image", 1), create=True)
    assert [each["id"] for each in jobs.backend.get("/jobs")["jobs"]] == [job["id"]]
    assert jobs.backend.client.delete(f"/jobs/{job['id']}").status_code == 200
    assert jobs.backend.get("/jobs")["jobs"] == []
    assert jobs.backend.error(f"/jobs/{job['id']}")[0] == 404
    assert not list((jobs.backend.root / ".jobs").glob(f"{job['id']}*"))


def test_all_that_a_query_finds_is_planned_and_done(jobs: Jobs) -> None:
    rows = jobs.backend.rows("official", "dp2", "visit_image", 1000)
    visit = rows[0]["data_id"]["visit"]
    expected = [row for row in rows if row["data_id"]["visit"] == visit]
    query = {
        "kind": "official",
        "label": "dp2",
        "collection": "dp2",
        "dataset_type": "visit_image",
        "filter": {"data_id": {"visit": [visit]}},
    }
    plan = jobs.plan("reference", query=query)
    assert plan["new"] == len(expected)
    job = jobs.run("reference", query=query, create=True)
    assert job["counts"] == {"done": len(expected)}
    assert {result["id"] for result in jobs.results(job["id"])} == {row["id"] for row in expected}
    query["filter"]["limit"] = 1
    assert jobs.plan("reference", query=query)["there"] == 1
    query["filter"] = {"where": "visit ="}
    *_, end = jobs.events("POST", "/jobs/plan", {"action": "reference", "label": "dp2", "query": query})
    assert (end["event"], end["error"]["kind"]) == ("error", "invalid")

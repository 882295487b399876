"""Datasets are added to a registry of their own, complete in number and place, with files if asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import Butler

from python_butler.demo.platform import Platform
from python_butler.demo.scale import RUN, scaled_registry

COUNT = 1_000


def test_as_many_datasets_as_asked_for_are_served_with_their_regions(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repository").symlink_to(repository)
    registry = scaled_registry(tmp_path / "repository", COUNT)
    made = registry.stat().st_mtime_ns
    assert scaled_registry(tmp_path / "repository", COUNT).stat().st_mtime_ns == made, "made twice"
    with Platform(tmp_path / "work", repository=repository, registry=registry) as platform:
        for name, value in platform.environment.items():
            monkeypatch.setenv(name, value)
        with Butler.from_config("dp2", collections="dp2") as butler:
            assert RUN in butler.collections.get_info("dp2").children
            counts = {}
            for name in ("visit_image", "difference_image"):
                with butler.query() as query:
                    counts[name] = query.datasets(name, collections=RUN).count()
            assert sum(counts.values()) == COUNT
            with butler.query() as query:
                data_id = next(iter(query.datasets("visit_image", collections=RUN).data_ids.limit(1)))
            (record,) = butler.query_dimension_records(
                "visit_detector_region",
                visit=data_id["visit"],
                detector=data_id["detector"],
                instrument="LSSTCam",
            )
            found = butler.query_datasets(
                "visit_image",
                collections=RUN,
                where="visit_detector_region.region OVERLAPS :region",
                bind={"region": record.region},
            )
            assert (data_id["visit"], data_id["detector"]) in {
                (ref.dataId["visit"], ref.dataId["detector"]) for ref in found
            }


def test_datasets_that_share_a_file_can_be_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repository").symlink_to(repository)
    registry = scaled_registry(tmp_path / "repository", COUNT, files=True)
    with Platform(tmp_path / "work", repository=repository, registry=registry) as platform:
        for name, value in platform.environment.items():
            monkeypatch.setenv(name, value)
        with Butler.from_config("dp2", collections=RUN) as butler:
            for name in ("visit_image", "difference_image"):
                refs = butler.query_datasets(name)
                files = butler._file_transfer_source.get_file_info_for_transfer(ref.id for ref in refs)
                assert len(files) == len(refs)
                first, last = (butler.get(f"{name}.bbox", refs[number].dataId) for number in (0, -1))
                assert first == last

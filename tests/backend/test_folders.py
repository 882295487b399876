"""Collections are grouped by the slashes in their names."""

from __future__ import annotations

from python_butler.backend.folders import Folder, folder_below, gather

NAMES = [
    "dp2",
    "LSSTCam/runs/DRP/a",
    "LSSTCam/runs/DRP/b",
    "LSSTCam/runs/nightly",
    "u/me/stars",
    "u/me/stars/v1",
    "u/you/x",
    "g/alone",
]


def test_names_that_share_a_part_are_in_a_folder_as_deep_as_they_share() -> None:
    assert gather(NAMES, "") == [Folder("LSSTCam/runs/", 3), Folder("u/", 3), "dp2", "g/alone"]
    assert gather(NAMES, "LSSTCam/runs/") == [Folder("LSSTCam/runs/DRP/", 2), "LSSTCam/runs/nightly"]
    assert gather(NAMES, "LSSTCam/runs/DRP/") == ["LSSTCam/runs/DRP/a", "LSSTCam/runs/DRP/b"]


def test_a_collection_may_have_the_name_of_what_others_are_below() -> None:
    assert gather(NAMES, "u/") == [Folder("u/me/", 2), "u/you/x"]
    assert gather(NAMES, "u/me/") == ["u/me/stars", "u/me/stars/v1"]
    assert gather(["a/b", "a/bc/d", "a/bc/e"], "") == [Folder("a/", 3)]


def test_the_way_to_a_collection_leads_through_the_folders_that_are_shown() -> None:
    assert folder_below(NAMES, "LSSTCam/runs/DRP/a", "") == Folder("LSSTCam/runs/", 3)
    assert folder_below(NAMES, "LSSTCam/runs/DRP/a", "LSSTCam/runs/") == Folder("LSSTCam/runs/DRP/", 2)
    assert folder_below(NAMES, "LSSTCam/runs/DRP/a", "LSSTCam/runs/DRP/") is None
    assert folder_below(NAMES, "g/alone", "") is None

"""``satellite check`` and ``satellite repair``."""

from __future__ import annotations

import json

from click.testing import CliRunner

from python_butler.cli import main
from python_butler.satellite import Satellite

from .conftest import tree


def run(satellite: Satellite, *words: str) -> tuple[int, str]:
    outcome = CliRunner().invoke(main, [words[0], "dp2", "--root", str(satellite.root), *words[1:]])
    return outcome.exit_code, outcome.output


def test_a_satellite_in_good_order_ends_with_0(satellite: Satellite) -> None:
    code, said = run(satellite, "check")
    assert (code, said.splitlines()[-1]) == (0, "Nothing is wrong.")
    code, said = run(satellite, "repair")
    assert (code, said.splitlines()[-1]) == (0, "Nothing is wrong.")


def test_what_is_wrong_is_explained_and_ends_with_3(satellite: Satellite) -> None:
    (satellite.root / "files" / "stray.txt").write_text("who knows")
    code, said = run(satellite, "check", "--min-age", "0")
    assert code == 3
    assert said.splitlines()[0] == "unknown file: 1, 9 B"
    assert "belongs to none" in said
    assert "stray.txt" in said
    code, said = run(satellite, "check", "--min-age", "0", "--json")
    document = json.loads(said)
    assert code == 3
    assert [each["kind"] for each in document["findings"]] == ["unknown_file"]
    assert document["findings"][0]["needs"] == "--quarantine"
    before = tree(satellite.root)
    code, said = run(satellite, "repair", "--min-age", "0", "--quarantine", "--dry-run")
    assert (code, tree(satellite.root)) == (3, before)
    code, said = run(satellite, "repair", "--min-age", "0")
    assert (code, tree(satellite.root)) == (3, before)
    assert "Repair it with --quarantine." in said
    code, said = run(satellite, "repair", "--min-age", "0", "--quarantine", "--json")
    assert code == 0
    assert json.loads(said)["results"][0]["outcome"] == "mended"
    code, said = run(satellite, "check", "--min-age", "0")
    assert code == 0
    assert "lost and found" in said


def test_where_there_is_none_it_says_so(satellite: Satellite) -> None:
    code, said = run(Satellite("dp2", satellite.root / "nowhere"), "check")
    assert code == 1
    assert "There is no satellite of dp2" in said

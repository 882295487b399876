"""What the page on writing shows runs as it stands, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from python_butler.saving.rules import _Rules

PAGE = Path(__file__).parents[2] / "docs" / "user" / "writing.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_examples_run(environment: dict[str, str]) -> None:
    known: dict[str, Any] = {}
    for number, block in enumerate(blocks("python"), start=1):
        exec(compile(block, f"{PAGE.name}, example {number}", "exec"), known)
    butler = known["butler"]
    with butler:
        assert len(known["bright"]) > len(known["brighter"]) > 0
        states = {version.version: version.state for version in butler.versions("bright_stars")}
        assert states == {1: "current", 2: "retired"}
        assert butler.load("counts", band="r") == {"stars": len(known["bright"])}
        assert butler.load("summary") == {"stars": len(known["bright"])}
        assert not known["saved"].problems


def test_the_rules_that_it_shows_are_understood() -> None:
    (text,) = blocks("yaml")
    rules = _Rules.model_validate(yaml.safe_load(text)).destinations
    assert [rule.to for rule in rules] == [["memory"], ["personal", "/scratch/me/dp2"]]

"""Rules on where datasets go: the user's before the site's, and clear errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from python_butler.errors import InvalidRequestError
from python_butler.saving.rules import destinations_for


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PYTHON_BUTLER_RULES", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    file = tmp_path / "config" / "python-butler" / "rules.yaml"
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture
def site(tmp_path: Path, user: Path) -> Path:
    file = tmp_path / "environment" / "etc" / "python-butler" / "rules.yaml"
    file.parent.mkdir(parents=True)
    return file


def test_without_rules_everything_is_personal(user: Path) -> None:
    assert destinations_for("anything") == ["personal"]
    user.write_text("")
    assert destinations_for("anything") == ["personal"]


def test_the_first_rule_that_fits_counts_and_the_user_comes_first(user: Path, site: Path) -> None:
    site.write_text(
        "destinations:\n- {dataset_type: 'debug_*', to: memory}\n- {dataset_type: '*', to: dp1}\n"
    )
    assert destinations_for("debug_x") == ["memory"]
    assert destinations_for("stars") == ["dp1"]
    user.write_text("destinations:\n- {dataset_type: debug_x, to: [personal, /scratch/dp2]}\n")
    assert destinations_for("debug_x") == ["personal", "/scratch/dp2"]
    assert destinations_for("debug_y") == ["memory"]


def test_the_variable_names_another_file(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user.write_text("destinations: [{dataset_type: '*', to: memory}]")
    monkeypatch.setenv("PYTHON_BUTLER_RULES", str(tmp_path / "absent.yaml"))
    assert destinations_for("x") == ["personal"]


def test_a_file_that_was_changed_is_read_again(user: Path) -> None:
    user.write_text("destinations: [{dataset_type: x, to: memory}]")
    assert destinations_for("x") == ["memory"]
    user.write_text("destinations: [{dataset_type: xyz, to: memory}]")
    assert destinations_for("x") == ["personal"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("destinations: [", "line 1"),
        ("destinations:\n- {dataset_type: x}\n", r"destinations\.0\.to"),
        ("destinations:\n- {dataset_type: x, to: []}\n", r"destinations\.0\.to"),
        ("destinations:\n- {dataset_type: x, to: memory, when: now}\n", r"destinations\.0\.when"),
        ("somewhere: 1\n", "somewhere"),
        ("- a\n- b\n", "the whole"),
    ],
)
def test_a_malformed_file_says_what_is_wrong(user: Path, text: str, reason: str) -> None:
    user.write_text(text)
    with pytest.raises(InvalidRequestError, match=rf"rules\.yaml cannot be understood: .*{reason}"):
        destinations_for("x")

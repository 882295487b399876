"""The benchmark runner: what it measures is a ratio, and what it prints is what it measured."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.figures import Figure, Pair, Reading, chosen, figure, measure
from benchmarks.scene import Scene


@contextmanager
def twice_as_slow(_scene: Scene) -> Iterator[Pair]:
    yield Pair(ours=lambda: time.sleep(0.02), upstream=lambda: time.sleep(0.01))


@contextmanager
def three_milliseconds(_scene: Scene) -> Iterator[Reading]:
    yield Reading(take=lambda: 3.0)


def test_a_pair_is_told_as_ours_divided_by_upstreams_time() -> None:
    outcome = measure(Figure("frame", "naps", 1.5, twice_as_slow, rounds=3), Scene())
    assert 1.5 < outcome.value < 2.5
    assert outcome.low <= outcome.value <= outcome.high
    assert not outcome.ok
    assert outcome.line().endswith("short")


def test_a_reading_is_told_in_its_own_unit() -> None:
    outcome = measure(Figure("frame", "hold", 20, three_milliseconds, unit="ms"), Scene())
    assert outcome.value == 3.0
    assert outcome.ok
    assert "3.000 ms" in outcome.line()
    assert json.dumps(outcome.record()) == json.dumps(
        {"group": "frame", "name": "hold", "value": 3.0, "goal": 20, "ok": True}
    )


def test_only_the_agreed_groups_are_accepted() -> None:
    with pytest.raises(ValueError, match="none of the groups"):
        figure("speed", "anything", goal=1)


def test_figures_are_chosen_by_how_their_names_begin() -> None:
    import benchmarks.frame  # noqa: F401

    assert chosen([])
    assert {each.group for each in chosen(["frame"])} == {"frame"}
    assert chosen(["no such figure"]) == []

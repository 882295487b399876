"""The benchmark runner: what it measures is a ratio, and what it prints is what it measured."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.alone import growth
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


def test_a_figure_without_a_goal_is_told_for_comparison() -> None:
    outcome = measure(Figure("frame", "floor", None, three_milliseconds, unit="ms"), Scene())
    assert outcome.line().endswith("for comparison")
    assert json.dumps(outcome.record()) == json.dumps(
        {"group": "frame", "name": "floor", "value": 3.0, "goal": None, "ok": None}
    )


def test_only_the_agreed_groups_are_accepted() -> None:
    with pytest.raises(ValueError, match="none of the groups"):
        figure("speed", "anything", goal=1)


def test_figures_are_chosen_by_how_their_names_begin() -> None:
    import benchmarks.__main__  # noqa: F401

    for group in ("frame", "references", "federation"):
        assert {each.group for each in chosen([group])} == {group}
    assert len(chosen([])) >= len(chosen(["frame"])) + len(chosen(["references"]))
    assert chosen(["no such figure"]) == []


def test_no_two_figures_have_one_name() -> None:
    import benchmarks.__main__  # noqa: F401

    names = [(each.group, each.name) for each in chosen([])]
    assert len(set(names)) == len(names)


def test_what_comes_before_is_done_for_each_side_and_is_not_timed() -> None:
    done = []

    def noted(what: str, seconds: float) -> Callable[[], None]:
        def note() -> None:
            done.append(what)
            time.sleep(seconds)

        return note

    @contextmanager
    def prepared(_scene: Scene) -> Iterator[Pair]:
        yield Pair(noted("ours", 0.0), noted("upstream", 0.2), before=noted("before", 0.4))

    outcome = measure(Figure("frame", "prepared", 1, prepared, rounds=1, warm_up=False), Scene())
    assert sorted(done) == ["before", "before", "ours", "upstream"]
    assert done[0] == done[2] == "before"
    assert outcome.value < 0.6


def test_what_is_not_warmed_up_is_measured_as_often_as_it_counts() -> None:
    numbers = itertools.count(1)

    @contextmanager
    def counted(_scene: Scene) -> Iterator[Reading]:
        yield Reading(lambda: next(numbers))

    assert measure(Figure("frame", "cold", 1, counted, rounds=1, warm_up=False), Scene()).value == 1
    assert measure(Figure("frame", "warm", 1, counted, rounds=1), Scene()).value == 3


def hold_and_release(megabytes: str) -> Iterator[None]:
    yield
    held = bytearray(int(megabytes) * 1_000_000)
    held[::4096] = b"x" * len(held[::4096])
    del held


def test_memory_is_told_as_the_most_that_was_held_since_the_preparations() -> None:
    assert 95 < growth("tests.benchmarks.test_figures", "hold_and_release", "100") < 120


def test_a_figure_that_cannot_be_measured_keeps_nobody_from_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import __main__ as runner

    def fail() -> float:
        raise RuntimeError("no such server")

    @contextmanager
    def broken(_scene: Scene) -> Iterator[Reading]:
        yield Reading(fail)

    figures = [Figure("frame", "broken", 1, broken), Figure("frame", "hold", 20, three_milliseconds)]
    monkeypatch.setattr(runner, "chosen", lambda names: figures)
    monkeypatch.setattr("sys.argv", ["benchmarks"])
    assert runner.main() == 1
    told = capsys.readouterr()
    assert "frame: hold" in told.out
    assert "frame: broken could not be measured" in told.err
    assert "no such server" in told.err

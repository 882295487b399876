"""What a figure is, how it is measured and how it is told."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scene import Scene

GROUPS = ("frame", "references", "federation", "writing", "sidebar", "processing")


@dataclass(frozen=True)
class Pair:
    """Two ways to the same result, to be timed in turn: ours and upstream's.

    What has to be done before each of them, if anything, is not timed.
    """

    ours: Callable[[], object]
    upstream: Callable[[], object]
    before: Callable[[], object] | None = None


@dataclass(frozen=True)
class Reading:
    """Something measured by itself, in the figure's own unit."""

    take: Callable[[], float]


Setting = Callable[["Scene"], AbstractContextManager[Pair | Reading]]


@dataclass(frozen=True)
class Figure:
    """One number and the goal it has to meet.

    Parameters
    ----------
    group, name : `str`
        Where it belongs and what it is called.
    goal : `float` or `None`
        The largest good value; `None` if the figure only helps to judge the goals of others.
    setting : callable
        Given the scene, a context that yields a `Pair` (the figure is then ours divided by
        upstream's time) or a `Reading`.
    rounds : `int`
        How often it is measured.
    warm_up : `bool`
        Whether it is measured once before, which does not count.
    unit : `str`
        ``"x"`` for ratios, else what a `Reading` is in.
    """

    group: str
    name: str
    goal: float | None
    setting: Setting
    rounds: int = 5
    unit: str = "x"
    warm_up: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came out: the median of the rounds, and how far they spread."""

    figure: Figure
    value: float
    low: float
    high: float

    @property
    def ok(self) -> bool:
        """Whether the median meets the goal, if there is one."""
        return self.figure.goal is None or self.value <= self.figure.goal

    def line(self) -> str:
        """Tell it to a person, in one line."""
        figure = self.figure
        unit = "" if figure.unit == "x" else f" {figure.unit}"
        verdict = "no goal, for comparison"
        if figure.goal is not None:
            verdict = f"goal <= {figure.goal:g}{unit}  {'ok' if self.ok else 'short'}"
        return (
            f"{figure.group + ': ' + figure.name:<62} {self.value:8.3f}{unit} "
            f"({self.low:.3f} to {self.high:.3f})  {verdict}"
        )

    def record(self) -> dict[str, object]:
        """Tell it to a program."""
        figure = self.figure
        return {
            "group": figure.group,
            "name": figure.name,
            "value": round(self.value, 4),
            "goal": figure.goal,
            "ok": None if figure.goal is None else self.ok,
        }


_FIGURES: list[Figure] = []


def figure(
    group: str, name: str, *, goal: float | None, rounds: int = 5, unit: str = "x", warm_up: bool = True
) -> Callable[[Callable[[Scene], Iterator[Pair | Reading]]], Setting]:
    """Register a generator function, as for `contextlib.contextmanager`, as a figure."""
    if group not in GROUPS:
        raise ValueError(f"{group!r} is none of the groups {GROUPS}")

    def register(function: Callable[[Scene], Iterator[Pair | Reading]]) -> Setting:
        setting = contextmanager(function)
        _FIGURES.append(Figure(group, name, goal, setting, rounds, unit, warm_up))
        return setting

    return register


def chosen(names: list[str]) -> list[Figure]:
    """Figures whose group, name or ``group: name`` begins with one of the names; all if there are none."""
    return [
        each
        for each in _FIGURES
        if not names
        or any(
            text.startswith(name)
            for name in names
            for text in (each.group, each.name, f"{each.group}: {each.name}")
        )
    ]


def measure(each: Figure, scene: Scene) -> Outcome:
    """Take one figure: warm up once, then measure in rounds, ours and upstream's in turn."""
    with each.setting(scene) as what:
        values = []
        for number in range(0 if each.warm_up else 1, each.rounds + 1):
            value = _ratio(what, flip=number % 2 == 1) if isinstance(what, Pair) else what.take()
            if number:
                values.append(value)
    return Outcome(each, statistics.median(values), min(values), max(values))


def _ratio(pair: Pair, *, flip: bool) -> float:
    # Who goes first alternates, so that neither gains from what the other left in caches.
    if flip:
        upstream, ours = _seconds(pair.upstream, pair.before), _seconds(pair.ours, pair.before)
    else:
        ours, upstream = _seconds(pair.ours, pair.before), _seconds(pair.upstream, pair.before)
    return ours / upstream


def _seconds(action: Callable[[], object], before: Callable[[], object] | None) -> float:
    if before is not None:
        before()
    # Neither pays for collecting what the other left behind.
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start

"""What a figure is, how it is measured and how it is told."""

from __future__ import annotations

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
    """Two ways to the same result, to be timed in turn: ours and upstream's."""

    ours: Callable[[], object]
    upstream: Callable[[], object]


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
    goal : `float`
        The largest good value.
    setting : callable
        Given the scene, a context that yields a `Pair` (the figure is then ours divided by
        upstream's time) or a `Reading`.
    rounds : `int`
        How often it is measured; a warm-up comes before and is not counted.
    unit : `str`
        ``"x"`` for ratios, else what a `Reading` is in.
    """

    group: str
    name: str
    goal: float
    setting: Setting
    rounds: int = 5
    unit: str = "x"


@dataclass(frozen=True)
class Outcome:
    """What came out: the median of the rounds, and how far they spread."""

    figure: Figure
    value: float
    low: float
    high: float

    @property
    def ok(self) -> bool:
        """Whether the median meets the goal."""
        return self.value <= self.figure.goal

    def line(self) -> str:
        """Tell it to a person, in one line."""
        figure = self.figure
        unit = "" if figure.unit == "x" else f" {figure.unit}"
        return (
            f"{figure.group + ': ' + figure.name:<62} {self.value:8.3f}{unit} "
            f"({self.low:.3f} to {self.high:.3f})  goal <= {figure.goal:g}{unit}  "
            f"{'ok' if self.ok else 'short'}"
        )

    def record(self) -> dict[str, object]:
        """Tell it to a program."""
        figure = self.figure
        return {
            "group": figure.group,
            "name": figure.name,
            "value": round(self.value, 4),
            "goal": figure.goal,
            "ok": self.ok,
        }


_FIGURES: list[Figure] = []


def figure(
    group: str, name: str, *, goal: float, rounds: int = 5, unit: str = "x"
) -> Callable[[Callable[[Scene], Iterator[Pair | Reading]]], Setting]:
    """Register a generator function, as for `contextlib.contextmanager`, as a figure."""
    if group not in GROUPS:
        raise ValueError(f"{group!r} is none of the groups {GROUPS}")

    def register(function: Callable[[Scene], Iterator[Pair | Reading]]) -> Setting:
        setting = contextmanager(function)
        _FIGURES.append(Figure(group, name, goal, setting, rounds, unit))
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
        for number in range(each.rounds + 1):
            value = _ratio(what, flip=number % 2 == 1) if isinstance(what, Pair) else what.take()
            if number:
                values.append(value)
    return Outcome(each, statistics.median(values), min(values), max(values))


def _ratio(pair: Pair, *, flip: bool) -> float:
    # Who goes first alternates, so that neither gains from what the other left in caches.
    if flip:
        upstream, ours = _seconds(pair.upstream), _seconds(pair.ours)
    else:
        ours, upstream = _seconds(pair.ours), _seconds(pair.upstream)
    return ours / upstream


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start

"""Processes that write, and one that reads, to see how they fare side by side.

``python -m benchmarks.writers WAY ROOT NAME COUNT FIRST`` opens a repository, writes one dataset that does
not count, prints ``ready``, and when it is told to by a line of input writes small tables for as many
data IDs. Then it prints what that took, as JSON.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

LABEL = "dp2"
DIMENSIONS = ("instrument", "visit", "detector")
NEEDED = ("instrument", "physical_filter", "day_obs", "detector", "visit", "visit_detector_region")
"""Dimensions whose records have to be there for a visit and a detector."""


@dataclass(frozen=True)
class Took:
    """What a process took, in seconds: for everything, and for the dataset that took longest."""

    whole: float
    longest: float


class Process:
    """A process that writes or reads, as a context manager.

    Parameters
    ----------
    way : `str`
        Name of one of the functions below.
    root : `pathlib.Path`
        The repository.
    name : `str`
        Dataset type of the tables, and the last part of their collection's name.
    count, first : `int`
        How many, and the number of the first.
    variables : mapping, optional
        What its environment has besides.
    """

    def __init__(
        self,
        way: str,
        root: Path,
        name: str,
        *,
        count: int = 0,
        first: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._way = way
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.writers", way, str(root), name, str(count), str(first)],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_until_ready(self) -> None:
        """Wait until it has made its preparations."""
        assert self._process.stdout
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"A process cannot {self._way}.")

    def tell(self) -> None:
        """Tell it to begin; or, one that reads, to end."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def took(self) -> Took:
        """Wait until it has ended, and learn what that took."""
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if self._process.wait():
            raise RuntimeError(f"A process failed to {self._way}.")
        return Took(**json.loads(answer))


def write(
    way: str,
    root: Path,
    name: str,
    *,
    count: int,
    processes: int = 1,
    variables: Mapping[str, str] | None = None,
) -> Took:
    """Let processes write different datasets of one name at the same time.

    Parameters
    ----------
    way, root, name, variables
        See `Process`.
    count : `int`
        How many datasets each process writes.
    processes : `int`, optional
        How many processes.

    Returns
    -------
    took : `Took`
        Until the last had ended; and for the dataset that took longest.

    Raises
    ------
    RuntimeError
        If one of them fails.
    """
    with ExitStack() as stack:
        started = []
        for number in range(processes):
            # One more each for the preparations.
            process = Process(way, root, name, count=count, first=number * (count + 1), variables=variables)
            started.append(stack.enter_context(process))
            # One after the other: upstream fails at times when processes register the same run at once.
            process.wait_until_ready()
        for process in started:
            process.tell()
        each = [process.took() for process in started]
    return Took(max(took.whole for took in each), max(took.longest for took in each))


def table(number: int) -> Any:
    """Make a small table whose content tells which it is."""
    import numpy as np
    from astropy.table import Table

    numbers = np.arange(10)
    return Table({"id": number * 10 + numbers, "ra": numbers / 10.0, "flux": numbers * 1.5})


type Wanted = Sequence[tuple[Any, dict[str, Any]]]
"""What to write, made before it is timed: each table and its data ID."""


def to_write(root: str, first: int, count: int) -> Wanted:
    """Make tables for data IDs whose records a repository has, always the same for the same numbers."""
    from lsst.daf.butler import Butler

    with Butler.from_config(root) as butler:
        rows = butler.query_dimension_records(
            "visit_detector_region", order_by=["visit", "detector"], limit=first + count
        )
    found = [(table(number), dict(row.dataId.mapping)) for number, row in enumerate(rows)][first:]
    if len(found) < count:
        raise RuntimeError(f"There are not enough visits and detectors for {first + count} datasets.")
    return found


# What processes do: generators that yield when they have made their preparations, and after each dataset.


def put(root: str, name: str, wanted: Wanted) -> Iterator[None]:
    """Upstream's way, one by one."""
    from lsst.daf.butler import Butler, DatasetType

    with Butler.from_config(root, run=f"u/bench/{name}") as butler:
        butler.registry.registerDatasetType(
            DatasetType(name, DIMENSIONS, "ArrowAstropy", universe=butler.dimensions)
        )
        for made, data_id in wanted:
            butler.put(made, name, data_id)
            yield


def save(root: str, name: str, wanted: Wanted) -> Iterator[None]:
    """Save one by one, as fast as that goes."""
    import python_butler

    with python_butler.open(LABEL, root=root) as butler:
        for made, data_id in wanted:
            butler.save(made, name, data_id)
            yield


def deferred(root: str, name: str, wanted: Wanted) -> Iterator[None]:
    """Gather all and commit them together."""
    import python_butler

    with python_butler.open(LABEL, root=root) as butler:
        with butler.deferred() as batch:
            batch.save(wanted[0][0], name, wanted[0][1])
        yield
        with butler.deferred() as batch:
            for made, data_id in wanted[1:]:
                batch.save(made, name, data_id)
                yield


def get(root: str, name: str, wanted: Wanted) -> Iterator[None]:
    """Read one after the other of a few datasets, as a person might, until told to end."""
    import python_butler

    with python_butler.open(LABEL, collections=f"u/bench/{name}", root=root) as butler:
        for count in range(sys.maxsize):
            made, data_id = wanted[count % len(wanted)]
            if butler.get(name, data_id)["id"][0] != made["id"][0]:
                raise RuntimeError("Something else was read.")
            yield
            if select.select([sys.stdin], [], [], 0.005)[0]:
                return


_WAYS = {way.__name__: way for way in (put, save, deferred, get)}


def main() -> None:
    """Run as a process."""
    way, root, name, count, first = sys.argv[1:]
    steps = _WAYS[way](root, name, to_write(root, int(first), int(count) + 1))
    next(steps)
    print("ready", flush=True)
    if way != get.__name__:
        sys.stdin.readline()
    longest = 0.0
    start = before = time.perf_counter()
    for _ in steps:
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    # What is left to do after the last, for example to commit, counts for the whole.
    print(json.dumps(asdict(Took(time.perf_counter() - start, longest))))


if __name__ == "__main__":
    main()

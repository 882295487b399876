"""A process that has everything imported, and forks one that works, and kills it, for each line of input.

Each line is an `Order` as JSON; for each comes an `Outcome` as JSON. It is run by its path.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .works import Dataset

ENDLESS = 10**9


@dataclass(frozen=True)
class Order:
    """What shall be done, and what shall come between.

    Parameters
    ----------
    work : `str`
        Name of one of `works.WORKS`.
    root : `str`
        The satellite's directory.
    first : `int`
        Number of the first dataset.
    kill_after : `float`, optional
        Seconds after which the process is killed.
    from_first : `bool`, optional
        Whether seconds count from when the first dataset is acknowledged: so that none is spent on opening.
    full_from, full_to : `int`, optional
        The steps at which the disk is full, if the process has been preloaded; none if 0.
    error : `int`, optional
        The system's number of the error then.
    clock : `int`, optional
        Seconds by which its clock is wrong, if the process has been preloaded.
    umask : `int`, optional
        Permissions that it does not give to others.
    """

    work: str
    root: str
    first: int = 0
    kill_after: float | None = None
    from_first: bool = False
    full_from: int = 0
    full_to: int = ENDLESS
    error: int = errno.ENOSPC
    clock: int = 0
    umask: int = 0o022


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Parameters
    ----------
    acknowledged : `list`
        The datasets that were acknowledged.
    seconds : `float`
        How long it took, counted as the order says.
    done : `bool`
        Whether the work came to its end.
    error : `str`, optional
        Name of the exception that ended it, its text and where it came from.
    steps : `int`
        How many steps needed room.
    """

    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    done: bool = False
    error: tuple[str, str, str] | None = None
    steps: int = 0

    @property
    def datasets(self) -> list[Dataset]:
        """The datasets that were acknowledged."""
        from .works import Dataset

        return [Dataset(**each) for each in self.acknowledged]


def carry_out(order: Order) -> Outcome:
    """Fork a process that works, and kill it if that is wanted."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _work(order, writing)
        os._exit(0)
    os.close(writing)
    begin = time.monotonic()
    counts = not order.from_first
    deadline = None if order.kill_after is None or not counts else begin + order.kill_after
    text = b""
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([reading], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            deadline = None
        elif block := os.read(reading, 65536):
            text += block
            if not counts:
                counts = True
                begin = time.monotonic()
                deadline = None if order.kill_after is None else begin + order.kill_after
        else:
            break
    os.close(reading)
    os.waitpid(child, 0)
    outcome: dict[str, Any] = {"acknowledged": [], "seconds": time.monotonic() - begin}
    # What comes after the last end of a line was not said.
    for line in text.split(b"\n")[:-1]:
        match json.loads(line):
            case {"acknowledged": dataset}:
                outcome["acknowledged"].append(dataset)
            case rest:
                outcome |= rest
    return Outcome(**outcome)


def _work(order: Order, writing: int) -> None:
    from works import WORKS

    from python_butler.satellite import Satellite

    def tell(**words: object) -> None:
        os.write(writing, json.dumps(words).encode() + b"\n")

    os.umask(order.umask)
    disk = ctypes.CDLL(None) if "LD_PRELOAD" in os.environ else None
    if disk is not None:
        numbers = (ctypes.c_long(order.full_from), ctypes.c_long(order.full_to))
        disk.trouble_with_disk(os.fsencode(order.root), *numbers, order.error)
        disk.trouble_with_clock(ctypes.c_long(order.clock))
        disk.trouble_steps.restype = ctypes.c_long
    try:
        for dataset in WORKS[order.work](Satellite("dp2", Path(order.root)), order.first):
            tell(acknowledged=asdict(dataset))
    except BaseException as error:
        tell(error=(type(error).__name__, str(error), traceback.format_exc()))
    else:
        tell(done=True)
    if disk is not None:
        tell(steps=disk.trouble_steps())


def main() -> None:
    """Run as a process."""
    sys.path.insert(0, str(Path(__file__).parent))
    from works import WORKS, create

    # Those of pyarrow and numpy are made anew in a child.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    # Once here, so that no child has to import anything.
    with tempfile.TemporaryDirectory() as directory:
        satellite = create(Path(directory) / "satellite")
        for name in ("put", "spool", "deferred"):
            for _ in WORKS[name](satellite, len(name) * 100):
                pass
    gc.collect()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(carry_out(Order(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()

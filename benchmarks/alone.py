"""Runs a benchmark's function in a process of its own, to see how much memory it takes.

``python -m benchmarks.alone MODULE FUNCTION [ARGUMENT …]`` prints the megabytes as a JSON number. The
function is a generator function: where it yields, it has made its preparations; what comes after is
measured, from what the process held then to the most that it ever held.
"""

from __future__ import annotations

import importlib
import json
import resource
import subprocess
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def growth(module: str, function: str, *arguments: str) -> float:
    """Megabytes by which the memory of a process grew while it ran a function.

    Parameters
    ----------
    module, function : `str`
        Where the generator function is.
    *arguments : `str`
        For the function.
    """
    command = [sys.executable, "-m", "benchmarks.alone", module, function, *arguments]
    root = Path(__file__).parent.parent
    answer = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout
    return float(json.loads(answer))


def _now_and_most() -> tuple[float, float]:
    """Megabytes held now, and the most that were ever held."""
    if _STATUS.exists():
        # Not the resource usage, which on Linux begins with what the parent process held.
        sizes = {
            name: float(rest.split()[0]) / 1000
            for name, _, rest in (line.partition(":") for line in _STATUS.read_text().splitlines())
            if name in ("VmRSS", "VmHWM")
        }
        return sizes["VmRSS"], sizes["VmHWM"]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return most, most


def main() -> None:
    """Run as a process."""
    module, function, *arguments = sys.argv[1:]
    steps = getattr(importlib.import_module(module), function)(*arguments)
    next(steps)
    start, _ = _now_and_most()
    for _ in steps:
        pass
    _, most = _now_and_most()
    print(json.dumps(most - start))


if __name__ == "__main__":
    main()

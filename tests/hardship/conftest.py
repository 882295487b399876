"""Processes that fork workers, and satellites for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.processes import running

from .nursery import Order, Outcome

type CarryOut = Callable[[Order], Outcome]


@contextmanager
def nursery(variables: Mapping[str, str] | None = None) -> Iterator[CarryOut]:
    """Start a process that carries out orders."""
    with running(
        [sys.executable, Path(__file__).with_name("nursery.py")],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **(variables or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def carry_out(order: Order) -> Outcome:
            stdin.write(json.dumps(asdict(order)) + "\n")
            stdin.flush()
            return Outcome(**json.loads(stdout.readline()))

        assert stdout.readline() == "ready\n"
        yield carry_out


@pytest.fixture(scope="module")
def carry_out() -> Iterator[CarryOut]:
    """A process that carries out orders."""
    with nursery() as carry_out:
        yield carry_out

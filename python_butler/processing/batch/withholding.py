"""Secrets in the environment: out of it while files are written, back in it when processes are started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["secrets_withheld"]

_SECRET = re.compile(r"(?i)token|secret|passw|credential|_key$|_cookie")
"""Names of variables that may hold one; taken out needlessly, one does no harm."""


@contextmanager
def secrets_withheld() -> Iterator[None]:
    """Take secrets out of this process's environment for a while.

    BPS writes down the whole environment when it prepares a submission, for later reference.
    """
    withheld = {name: value for name, value in os.environ.items() if _SECRET.search(name)}
    for name in withheld:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(withheld)

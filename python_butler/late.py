"""Names of a package that are imported when somebody first uses them: what is asked for often must be quick.

Ground floor: standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["late"]


def late(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make what a package has to have as ``__getattr__`` and ``__dir__``.

    Parameters
    ----------
    package : `str`
        Its ``__name__``.
    modules : mapping [`str`, `str`]
        For each name the module in it that has it, as in ``{"Satellite": ".satellite"}``.

    Returns
    -------
    getattr, dir : callable
        The two functions.
    """

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(modules[name], package), name)
        # It is asked once.
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return find, names

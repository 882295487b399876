"""A writeable Butler for every science user of Rubin Observatory.

``python_butler.open("dp2", collections="dp2")`` is a Butler that reads the official repository and
the user's own satellite as one, and writes to the satellite. Importing this package is cheap: no
lsst package is loaded until something is asked of it.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .federation import SatelliteButler, open
    from .satellite import Satellite

    __version__: str

__all__ = ["Satellite", "SatelliteButler", "__version__", "open"]

_ROOMS = {"Satellite": ".satellite", "SatelliteButler": ".federation", "open": ".federation"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            value: Any = metadata.version("python-butler")
        except metadata.PackageNotFoundError:
            value = "unknown"  # run from a source tree that was not installed
    elif name in _ROOMS:
        try:
            room = import_module(_ROOMS[name], __name__)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith(__name__):
                raise
            raise ModuleNotFoundError(
                f"python_butler.{name} needs the package {error.name!r}, which this Python does not have. "
                'Use a kernel with the science stack, or: pip install "python-butler[kernel]"',
                name=error.name,
            ) from None
        value = getattr(room, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

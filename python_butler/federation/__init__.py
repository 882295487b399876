"""One Butler over an official repository and its satellite.

Reading searches both in collection order, writing goes to the satellite. Stands on `official` and
`satellite`; `backend`, `cli` and notebooks come in.
"""

from .butler import SatelliteButler
from .opening import open
from .planner import InexactQueryError
from .reach import OfflineWarning

__all__ = ["InexactQueryError", "OfflineWarning", "SatelliteButler", "open"]

"""One Butler over an official repository and its satellite.

Reading searches both in collection order, writing goes to the satellite. Stands on `official` and
`satellite`; `backend`, `cli` and notebooks come in.
"""

from .butler import SatelliteButler
from .inexact import ConflictingRepositoriesError, InexactQueryError
from .opening import open
from .reach import OfflineWarning
from .tautologies import MeaninglessConditionWarning

__all__ = [
    "ConflictingRepositoriesError",
    "InexactQueryError",
    "MeaninglessConditionWarning",
    "OfflineWarning",
    "SatelliteButler",
    "open",
]

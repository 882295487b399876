"""Personal repositories on disk: what a satellite is made of, how one is made, opened and told apart.

A satellite is an ordinary Butler repository. Stands on `official`; `federation` and `backend` come in.
Importing this is cheap, for those who need no more than files and their locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..late import late

if TYPE_CHECKING:
    from .info import SatelliteInfo
    from .listing import all_satellites
    from .satellite import Satellite

__all__ = ["Satellite", "SatelliteInfo", "all_satellites"]

__getattr__, __dir__ = late(
    __name__, {"Satellite": ".satellite", "SatelliteInfo": ".info", "all_satellites": ".listing"}
)

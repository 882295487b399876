"""Bytes of official datasets that a satellite references: found, signed for and read when needed.

`SatelliteDatastore` and `ReferenceDatastore` are the only extensions that a satellite's ``butler.yaml``
names; any Butler uses them.
Stands on `official`; `satellite` comes in.
"""

from ..zipfaults import mend
from .chain import SatelliteDatastore, personal_of, references_of
from .reference import ReferenceDatastore
from .signer import Signer, signer_for

__all__ = ["ReferenceDatastore", "SatelliteDatastore", "Signer", "personal_of", "references_of", "signer_for"]

# Any process that opens a satellite reads quantum graphs too, if it is one of upstream's that run pipelines.
mend()

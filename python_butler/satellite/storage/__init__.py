"""Where a satellite's database and files are, and what follows from that.

All other modules ask `storage_of` instead of supposing a database or files in the satellite's directory.
"""

from .alone import writing_alone
from .choosing import Choice
from .failures import storage_failures
from .located import ABSENT, Storage, opening_failed, storage_of
from .probing import Locks

__all__ = [
    "ABSENT",
    "Choice",
    "Locks",
    "Storage",
    "opening_failed",
    "storage_failures",
    "storage_of",
    "writing_alone",
]

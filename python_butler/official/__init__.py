"""Official repositories: which there are, and how to reach one with a fresh token and clear errors.

Stands on `errors`, `settings` and `credentials`; `satellite`, `federation` and `backend` come in.
"""

from .connection import OfficialConnection, connect, disconnect
from .index import known_repositories, official_url

__all__ = ["OfficialConnection", "connect", "disconnect", "known_repositories", "official_url"]

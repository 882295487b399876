"""Official repositories: which there are, and how to reach one with a fresh token and clear errors.

Stands on `errors`, `settings` and `credentials`; `satellite`, `federation` and `backend` come in.
"""

from ..credentials import keep_out_of_logs
from .connection import OfficialConnection, connect, disconnect
from .index import known_repositories, official_url

__all__ = ["OfficialConnection", "connect", "disconnect", "known_repositories", "official_url"]

# Who reads official files has signed addresses, and these tell at DEBUG level which they ask for.
keep_out_of_logs(
    "fsspec",
    "fsspec.http",
    "lsst.daf.butler._formatter",
    "lsst.daf.butler.datastores.file_datastore.get",
    "lsst.resources._resourceHandles._httpResourceHandle",
    "lsst.resources._resourcePath",
    "lsst.resources.dav",
    "lsst.resources.file",
    "lsst.resources.gs",
    "lsst.resources.http",
    "lsst.resources.mem",
    "lsst.resources.proxied",
    "lsst.resources.s3",
    "lsst.resources.schemeless",
    "timer.lsst.daf.butler._formatter",
    "timer.lsst.resources.file",
    "timer.lsst.resources.http",
    "timer.lsst.resources.s3",
    "urllib3.connectionpool",
)

"""The spool: datasets are safe, and seen by readers, before the registry is locked for them.

Saving many datasets through the registry one by one is slow, and slower still when several processes do
it or the disk is a network's. Here a dataset is written beside the others, made durable, and acknowledged
by a small file, its slip; whoever comes first then puts many slips into the registry at once.

What is where:

- ``<satellite>/spool/<hash>.slip``: an acknowledged dataset that is not yet in the registry. The name is
  made of run, dataset type and data ID: nobody can acknowledge the same twice.
- ``<satellite>/spool/aside/``: slips that cannot be committed, and wait for a person.
- ``<satellite>/spool/batches/<id>.batch``: an open batch, a line for each dataset.
- ``<satellite>/spool/lock`` and ``batch.lock``: who commits slips, and who a batch.
- ``<satellite>/spool/.*.new``: being written.
- ``<datastore root>/.spool/<dataset id><extension>``: files of all these. One that no slip and no batch
  names is of a save that was interrupted before it was acknowledged, or a second name of a file that was
  committed.

In these modules: `.spool` has `Spool`, the front of all; `.slip` what a slip says; `.desk` their
directory; `.artifacts` the files; `.looking` and `.inserting` the rows; `.committing` how slips become
rows; `.batch` and `.batch_file` what is committed together; `.lock` the lock; `.committer` who commits
after a burst; `.report` what a commit tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...late import late

if TYPE_CHECKING:
    from .batch import Batch, BatchInfo
    from .committer import commit_soon
    from .lock import FileLock
    from .report import CommitReport, Problem
    from .spool import Spool

__all__ = ["Batch", "BatchInfo", "CommitReport", "FileLock", "Problem", "Spool", "commit_soon"]

# Locks are for others, too, who need nothing else of this.
__getattr__, __dir__ = late(
    __name__,
    {
        "Batch": ".batch",
        "BatchInfo": ".batch",
        "CommitReport": ".report",
        "FileLock": ".lock",
        "Problem": ".report",
        "Spool": ".spool",
        "commit_soon": ".committer",
    },
)

"""Upstream's ``pipetask`` in a process that can read large graphs; run it with ``python -m``.

Upstream reads the graph before it opens the satellite, so that nothing of this package is there in time
to work around the fault of zip files. Whoever calls it on a graph of ours calls it here.
"""

from __future__ import annotations

from lsst.ctrl.mpexec.cli.pipetask import main

# Importing this package has worked around the fault.
__all__ = ["main"]

if __name__ == "__main__":
    main()

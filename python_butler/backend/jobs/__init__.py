"""Long work on a person's own repository: planned, agreed to, done one after the other, and accounted for.

`models` and `routes` face the browser; `queue` holds what waits and runs, `store` what outlives the process;
`planning` and `actions` do the work in threads, and import the lsst packages.
"""

"""Looks at what is in a dataset, made here and small: the browser never gets the data itself.

`running` runs the work in few threads and ends it when nobody waits any more; `opening` reads datasets in a
bounded way; `memory` keeps previews from taking the memory of the kernels beside them.
"""

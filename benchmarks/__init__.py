"""How fast we are beside upstream: ratios taken in one run, never bare times.

``python -m benchmarks`` runs everything; ``python -m benchmarks NAME …`` runs the groups and
figures whose names begin so. Absolute times depend on the machine, ratios hardly do.
"""

"""What happens between an object in a notebook and a dataset in a satellite, as far as one object goes.

Which storage class it takes, which dimensions and version it gets, where a rule sends it, what is noted
about where it comes from, and whether it is written at once or spooled. Stands on `satellite`;
`federation` comes in.
"""

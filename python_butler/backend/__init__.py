"""The backend: an HTTP API over a unix socket, in the environment of the user's kernels.

Top floor: it stands on all rooms of the library. The Jupyter server's extension starts it and relays to
it; nothing imports it. Importing this package, its models and its routes loads no lsst package: what needs
one is loaded in a thread once the socket is listening (see `service`).
"""

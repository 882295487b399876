"""Personal repositories on disk: what a satellite is made of, how one is made, opened and told apart.

A satellite is an ordinary Butler repository. Stands on `official`; `federation` and `backend` come in.
"""

from .satellite import Satellite

__all__ = ["Satellite"]

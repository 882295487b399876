"""What file systems and object stores raise."""

from __future__ import annotations

__all__ = ["storage_failures"]


def storage_failures() -> tuple[type[Exception], ...]:
    """Exceptions that file systems and object stores raise.

    Returns
    -------
    types : `tuple`
        To be caught.
    """
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        return (OSError, ValueError)
    return (OSError, ValueError, BotoCoreError, ClientError)

"""The one place that finds a token, decides which server may see it, and keeps it out of texts.

Ground floor. A token is read anew for each request, from the environment or from the platform's
token file, so that a renewed one is used at once; it is never stored, logged or pickled.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

__all__ = [
    "SHARED_TOKEN_HOSTS",
    "RenewedTokens",
    "keep_out_of_logs",
    "renew_tokens",
    "scrub",
    "token_files",
    "token_for",
]

SHARED_TOKEN_HOSTS = ("*.lsst.cloud", "*.slac.stanford.edu")
"""Hosts of the Rubin Science Platform: the only ones a platform-wide token is sent to.

The same as in ``lsst.daf.butler.remote_butler.authentication.rubin``.
"""

_EXPLICIT_VARIABLE = "BUTLER_RUBIN_ACCESS_TOKEN"
_PLATFORM_VARIABLE = "ACCESS_TOKEN"
_RUNTIME_MOUNTS_VARIABLE = "NUBLADO_RUNTIME_MOUNTS_DIR"
_DEFAULT_TOKEN_FILE = Path("/etc/nublado/secrets/token")

_QUERY_SECRET = re.compile(r"(?i)\?[^\s\"'<>]*(?:signature|x-amz-[a-z-]+|awsaccesskeyid|token)=[^\s\"'<>]*")
_BEARER = re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+")
_GAFAELFAWR = re.compile(r"\bgt-[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?")


def token_files() -> list[Path]:
    """Files in which the platform keeps the user's token, the likeliest first.

    Returns
    -------
    files : `list` [`pathlib.Path`]
        Candidates; none of them need exist.
    """
    mounts = os.environ.get(_RUNTIME_MOUNTS_VARIABLE)
    files = [Path(mounts) / "secrets" / "token"] if mounts else []
    return [*files, _DEFAULT_TOKEN_FILE]


def token_for(server_url: str) -> str | None:
    """Find the token that may be sent to a server, now.

    ``BUTLER_RUBIN_ACCESS_TOKEN`` goes to any configured Butler server. The platform's own token,
    from its file or from ``ACCESS_TOKEN``, opens every service there is in the user's name, so it
    goes to hosts of the platform only.

    Parameters
    ----------
    server_url : `str`
        Address of the Butler server, as configured.

    Returns
    -------
    token : `str` or `None`
        The token, or `None` if there is none for this server.
    """
    if explicit := os.environ.get(_EXPLICIT_VARIABLE):
        return explicit.strip()
    host = urlsplit(server_url.lower()).hostname
    if host is None or not any(fnmatchcase(host, pattern) for pattern in SHARED_TOKEN_HOSTS):
        return None
    # The file is renewed during a long session, the environment is not.
    for file in token_files():
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text:
            return text
    return (os.environ.get(_PLATFORM_VARIABLE) or "").strip() or None


class RenewedTokens:
    """Notices when tokens in this process's environment are others than a child process has.

    A child has the environment as it was when it was started.
    """

    def __init__(self) -> None:
        self._known = _tokens_here()

    def news(self) -> dict[str, str | None] | None:
        """Give what the child does not know yet, for `renew_tokens` there.

        Returns
        -------
        tokens : `dict` [`str`, `str` or `None`] or `None`
            To be told to the child through a pipe, and nowhere else. `None` if nothing changed since this
            was last asked.
        """
        now = _tokens_here()
        if now == self._known:
            return None
        self._known = now
        return now


def renew_tokens(tokens: Mapping[str, str | None] | None) -> None:
    """Take over what the process that started this one has in its environment.

    Parameters
    ----------
    tokens : `dict` [`str`, `str` or `None`] or `None`
        What `RenewedTokens.news` gave there.
    """
    for name, token in (tokens or {}).items():
        if token is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = token


def _tokens_here() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in (_EXPLICIT_VARIABLE, _PLATFORM_VARIABLE)}


def scrub(text: str) -> str:
    """Take tokens and the secret part of signed URLs out of a text.

    Parameters
    ----------
    text : `str`
        Any text, such as the message of somebody else's exception.

    Returns
    -------
    clean : `str`
        The same text without secrets.
    """
    for variable in (_EXPLICIT_VARIABLE, _PLATFORM_VARIABLE):
        secret = os.environ.get(variable, "").strip()
        if len(secret) >= 8:
            text = text.replace(secret, "<token>")
    text = _QUERY_SECRET.sub("?<signature removed>", text)
    text = _BEARER.sub(r"\1<token>", text)
    return _GAFAELFAWR.sub("<token>", text)


class _Scrubbing(logging.Filter):
    """Takes secrets out of what a logger is about to say."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record if need be; none is dropped."""
        text = record.getMessage()
        clean = scrub(text)
        if clean != text:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            # Formatters take this instead of making it themselves.
            record.exc_text = scrub(logging.Formatter().formatException(record.exc_info))
        return True


_SCRUBBING = _Scrubbing()


def keep_out_of_logs(*loggers: str) -> None:
    """Make loggers of other libraries say nothing secret, at whatever level and to whomever.

    Parameters
    ----------
    *loggers : `str`
        Names of the loggers themselves: what those below them say is not looked at.
    """
    for name in loggers:
        # The same filter is added once only.
        logging.getLogger(name).addFilter(_SCRUBBING)

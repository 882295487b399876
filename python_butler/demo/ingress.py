"""The platform's Butler server: upstream's own application behind an imitated ingress.

Run as a service by `platform`. The ingress does what Gafaelfawr does on the platform: it turns
a bearer token into identity headers, refuses tokens it does not know, and tells the server in which
groups a user is.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .child import run_service
from .trouble import Troublesome

__all__ = ["GROUP", "Ingress", "User"]

GROUP = "g_users"
"""The group whose members may read the official repository."""

_USER_INFO = "/auth/api/v1/user-info"
_IDENTITY_HEADERS = (b"authorization", b"x-auth-request-user", b"x-auth-request-token")


@dataclass(frozen=True)
class User:
    """Somebody who has a token."""

    name: str
    groups: tuple[str, ...] = ()


class Ingress:
    """ASGI middleware that authenticates every request.

    Parameters
    ----------
    application : callable
        ASGI application of the Butler server.
    users : `~collections.abc.Mapping` [`str`, `User`]
        Users by their token.
    latency : `float`, optional
        Seconds by which every request is delayed.
    """

    def __init__(self, application: Any, users: Mapping[str, User], latency: float = 0.0) -> None:
        self._application = application
        self._users = users
        self._revoked: set[str] = set()
        self._latency = latency

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        path = scope["path"]
        token = _bearer_token(scope["headers"])
        user = None if token is None or token in self._revoked else self._users.get(token)
        if path == _USER_INFO:
            # Asked by the Butler server itself, inside of the platform: not delayed.
            await _answer_user_info(user, send)
            return
        await asyncio.sleep(self._latency)
        headers = [(name, value) for name, value in scope["headers"] if name not in _IDENTITY_HEADERS]
        if user is not None and token is not None:
            headers += [
                (b"x-auth-request-user", user.name.encode()),
                (b"x-auth-request-token", token.encode()),
            ]
        elif not path.endswith(("/butler.yaml", "/butler.json")):
            await _answer(send, 401, {"detail": [{"msg": "Authentication required", "type": "no_auth"}]})
            return
        await self._application({**scope, "headers": headers}, receive, send)

    def command(self, command: dict[str, Any]) -> str:
        """Change the latency, or refuse a token from now on or no longer.

        ``{"latency": seconds}``, ``{"revoke": token}``, ``{"restore": token}``.
        """
        if "latency" in command:
            self._latency = float(command["latency"])
        if "revoke" in command:
            self._revoked.add(command["revoke"])
        if "restore" in command:
            self._revoked.discard(command["restore"])
        return "ok"


def _bearer_token(headers: list[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else None
    return None


async def _answer_user_info(user: User | None, send: Any) -> None:
    if user is None:
        await _answer(send, 401, {"detail": [{"msg": "Authentication required", "type": "no_auth"}]})
    else:
        groups = [{"name": group, "id": 1000 + number} for number, group in enumerate(user.groups)]
        await _answer(send, 200, {"username": user.name, "groups": groups})


async def _answer(send: Any, status: int, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="demo"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _write_server_configuration(settings: dict[str, Any]) -> str:
    """Describe the repository as the server sees it: its registry, files in the object store."""
    from lsst.daf.butler import Config

    config = Config(str(Path(settings["repository"]) / "butler.yaml"))
    config["datastore", "root"] = settings["datastore_root"]
    config["registry", "db"] = f"sqlite:///{settings['registry']}"
    path = Path(settings["directory"]) / "butler.yaml"
    config.dumpToUri(str(path), overwrite=True)
    return str(path)


def _build(settings: dict[str, Any]) -> Troublesome:
    label = settings["label"]
    repository = {"config_uri": _write_server_configuration(settings), "authorized_groups": [GROUP]}
    # All of these are read by upstream's server and its S3 client when they are first used.
    os.environ.update(
        {
            "DAF_BUTLER_SERVER_REPOSITORIES": json.dumps({label: repository}),
            "DAF_BUTLER_SERVER_AUTHENTICATION": "rubin_science_platform",
            "DAF_BUTLER_SERVER_GAFAELFAWR_URL": f"http://127.0.0.1:{settings['port']}/auth",
            "S3_ENDPOINT_URL": settings["s3_url"],
            "AWS_ACCESS_KEY_ID": settings["access_key"],
            "AWS_SECRET_ACCESS_KEY": settings["secret_key"],
        }
    )
    from lsst.daf.butler.remote_butler.server import create_app
    from lsst.daf.butler.remote_butler.server._dependencies import butler_factory_dependency

    application = create_app()
    # Trouble with the repository shows at once instead of in the first answer, and the first user
    # does not wait for the caches.
    asyncio.run(butler_factory_dependency()).create_butler(label=label, access_token=None)
    users = {token: User(name, tuple(groups)) for token, (name, groups) in settings["users"].items()}
    ingress = Ingress(application, users, settings["latency"])
    return Troublesome(ingress, "server", internal=_USER_INFO)


def main() -> None:
    """Run as a service."""
    run_service(_build)

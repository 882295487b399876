"""A PostgreSQL server of one's own on loopback, for satellites whose registry is there."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import types
from pathlib import Path
from typing import Any, Self

from .service import LOOPBACK, PlatformError, reserve_port

__all__ = ["PostgresServer", "find_programs"]

_TIMEOUT = 120.0
_USER = "me"
_EXTENSION = "btree_gist"
"""What upstream's registry needs beyond the server itself; an extension of the standard distribution."""


def find_programs() -> Path | None:
    """Find an installed PostgreSQL server.

    Returns
    -------
    directory : `pathlib.Path` or `None`
        Directory with ``initdb`` and ``postgres``: the newest of the system, else of a Python package.
        `None` if there is none that has the extension which a registry needs.
    """
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    for pattern in ("lib/postgresql/*/bin", "pgsql-*/bin", "local/pgsql*/bin"):
        candidates += sorted(Path("/usr").glob(pattern), key=_version, reverse=True)
    # Its own starter shares servers between programs and keeps them running; only its programs are used.
    spec = importlib.util.find_spec("pgserver")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    return next((each for each in candidates if _is_complete(each)), None)


class PostgresServer:
    """A server in a temporary directory, as a context manager. It asks for a password.

    Parameters
    ----------
    programs : `pathlib.Path`, optional
        Directory with its programs, `find_programs` if not given.

    Attributes
    ----------
    user, password : `str`
        Who may do everything. The password is made anew each time.
    port : `int`
        Port of the loopback interface.

    Raises
    ------
    PlatformError
        If it does not come up, or none is installed.
    """

    def __init__(self, programs: Path | None = None) -> None:
        found = programs or find_programs()
        if found is None:
            raise PlatformError(
                "No PostgreSQL server with the extension btree_gist is installed.",
                "Install one with your system's packages, for example postgresql and postgresql-contrib.",
            )
        self._programs = found
        self._directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._account = _account()
        self._reservation = reserve_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.user = _USER
        self.password = secrets.token_urlsafe(16)
        self.port: int = self._reservation.getsockname()[1]

    def __enter__(self) -> Self:
        try:
            self._initialize()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which a client gets in."""
        return {"PGUSER": self.user, "PGPASSWORD": self.password}

    def url(self, database: str) -> str:
        """Address of a database, without user and password.

        Parameters
        ----------
        database : `str`
            Its name.
        """
        return f"postgresql://{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, *, extension: bool = True, collation: str = "C.UTF-8") -> str:
        """Make an empty database.

        Parameters
        ----------
        name : `str`
            Its name.
        extension : `bool`, optional
            Whether it has what a registry needs.
        collation : `str`, optional
            How it sorts texts: a locale of the system, or with the prefix ``icu:`` one of the library
            ICU, for example ``icu:en-US``.

        Returns
        -------
        url : `str`
            Its address.
        """
        icu = collation.removeprefix("icu:")
        how = f"LOCALE_PROVIDER icu ICU_LOCALE '{icu}' LOCALE 'C'" if icu != collation else f"LOCALE '{icu}'"
        self.execute("postgres", f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' {how}")
        if extension:
            self.execute(name, f"CREATE EXTENSION {_EXTENSION}")
        return self.url(name)

    def execute(self, database: str, statement: str) -> list[Any]:
        """Carry out one statement as the administrator.

        Parameters
        ----------
        database : `str`
            Name of the database.
        statement : `str`
            SQL.

        Returns
        -------
        rows : `list`
            What it gave, if it gives rows.
        """
        import psycopg

        with psycopg.connect(
            self.url(database), user=self.user, password=self.password, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it again after `stop`, at the same address."""
        log = self._directory / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    *("-D", self._directory / "data"),
                    *("-h", LOOPBACK, "-p", str(self.port), "-k", self._directory),
                    # Nothing has to survive the machine here.
                    *("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=60"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self._directory,
                **self._account,
            )
        deadline = time.monotonic() + _TIMEOUT
        status = self._directory / "data" / "postmaster.pid"
        # Its last line says so; there is nothing to wait on.
        while not (status.exists() and status.read_text().rstrip().endswith("ready")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PlatformError(f"The PostgreSQL server does not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it; whoever is connected is cut off."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def close(self) -> None:
        """Stop it and remove its directory. Safe to call twice."""
        self.stop()
        self._reservation.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _initialize(self) -> None:
        password = self._directory / "password"
        password.touch(0o600)
        password.write_text(self.password)
        if self._account:
            for path in (self._directory, password):
                os.chown(path, self._account["user"], self._account["group"])
        done = subprocess.run(
            [
                self._programs / "initdb",
                *("-D", self._directory / "data", "--username", self.user, "--pwfile", password),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            cwd=self._directory,
            check=False,
            **self._account,
        )
        password.unlink()
        if done.returncode != 0:
            raise PlatformError(f"The PostgreSQL server cannot be set up: {done.stderr[-2000:]}")


def _account() -> dict[str, Any]:
    """Whom to run as: the server refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PlatformError("A PostgreSQL server cannot be run by root, and there is no other user.")


def _version(programs: Path) -> list[int]:
    return [int(part) for part in programs.parent.name.replace("pgsql-", "").split(".") if part.isdigit()]


def _is_complete(programs: Path) -> bool:
    if not ((programs / "initdb").exists() and (programs / "postgres").exists()):
        return False
    done = subprocess.run(
        [programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=False, cwd="/"
    )
    shared = Path(done.stdout.strip()) if done.returncode == 0 else programs.parent / "share" / "postgresql"
    return (shared / "extension" / f"{_EXTENSION}.control").exists()

"""No token and no signature is left anywhere: not in files, logs, pickles or what is shown.

A whole session is held, good and bad, with every logger at its most talkative; then all that it left is
searched, byte by byte.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import subprocess
import sys
import traceback
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, DatasetRef
from lsst.daf.butler.direct_butler import DirectButler

import python_butler
from python_butler.datastore import references_of, signer_for
from python_butler.demo.platform import Platform
from python_butler.federation import OfflineWarning
from python_butler.satellite import Satellite

from .scene import RUN, SIGNATURES, VISITS, ZIPPED, build, enter

WRONG = "gt-mistakenmistakenmist.mistakenmistakenmista"


class Session:
    """What a person does in a day, and where it left its traces."""

    def __init__(self, directory: Path, platform: Platform) -> None:
        self.directory = directory
        self.platform = platform
        self.secrets = [*platform.token.split("."), platform.token_without_group, platform._access_key, WRONG]
        self.pickles = directory / "pickles"
        self.shown = directory / "shown.txt"

    def hold(self, patch: pytest.MonkeyPatch) -> None:
        self.pickles.mkdir()
        with self._logging(), self.shown.open("w") as shown, contextlib.redirect_stdout(shown):
            self._work()
            self._fail(patch)
        self._use_the_command_line()

    def _work(self) -> None:
        satellite = Satellite.create("dp2")
        satellite.reference(["source", "note", "metric", "large"])
        satellite.reference("note", collections=[ZIPPED])
        with satellite.reader() as butler:
            notes = refs(butler, "note")
            (large,) = refs(butler, "large")
            butler.get(large, parameters={"columns": ["flux"]})
            butler.get(large)
            butler.get(refs(butler, "metric")[0])
            butler.getDeferred(notes[0]).get()
            butler.stored_many(notes)
            uri = butler.getURI(notes[0])
            uri.read()
            with uri.as_local() as local:
                local.read()
            print(repr(uri), [uri], repr(butler.getURIs(notes[0])), butler, references_of(butler))
            print(signer_for("dp2"), signer_for("dp2").sign(notes[0].id))
            target = self.directory / "out"
            target.mkdir()
            butler.retrieveArtifacts(notes, str(target))
            butler.retrieve_artifacts_zip(refs(butler, "note", ZIPPED), str(target))
            with butler.export(filename=str(self.directory / "export.yaml")) as export:
                export.saveDatasets(notes)
            self._pickle(satellite, butler, notes[0], uri, signer_for("dp2"), butler.getDeferred(notes[0]))
        satellite.prefetch(notes)
        satellite.pin(notes[:2])
        satellite.unpin(notes[:1])
        satellite.forget([*notes[2:3], large])
        with python_butler.open("dp2", collections=[RUN, ZIPPED]) as both:
            both.get("note", instrument="Cam", visit=VISITS[2])
            both.get("large", instrument="Cam", visit=1, parameters={"columns": ["flux"]})
            both.get("large", instrument="Cam", visit=1)
            both.get("source", instrument="Cam", visit=VISITS[0])
            print(both)
        satellite.reference("large")

    def _fail(self, patch: pytest.MonkeyPatch) -> None:
        token = os.environ["BUTLER_RUBIN_ACCESS_TOKEN"]
        for wrong in (WRONG, self.platform.token_without_group, f"{WRONG}\u2026"):
            patch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", wrong)
            self._fail_once()
        patch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", token)
        for trouble in ({"status": 401}, {"status": 429}, {"status": 503}, {"cut_after": 10}):
            self.platform.trouble("server", path="/v1/", **trouble)
            self._fail_once()
            self.platform.calm()
        for trouble in ({"status": 403}, {"status": 404}, {"status": 500}, {"cut_after": 0}, {"spoil": True}):
            self.platform.trouble("store", **trouble)
            self._fail_once()
            self.platform.calm()

    def _fail_once(self) -> None:
        """Try everything while there is trouble, and note what is said."""
        satellite = Satellite.open("dp2")
        with satellite.reader() as butler:
            (large,) = refs(butler, "large")
            signer_for("dp2").forget_signed()
            attempts = (
                lambda: butler.get(large, parameters={"columns": ["flux"]}),
                lambda: butler.get(refs(butler, "note", ZIPPED)[0]),
                lambda: butler.stored(large),
                lambda: butler.getURI(large).read(),
                lambda: satellite.reference("note", collections=[ZIPPED]),
                lambda: satellite.pin([large]),
                lambda: self._get_from_both(),
            )
            for attempt in attempts:
                try:
                    attempt()
                except Exception as error:
                    print(repr(error), error, *traceback.format_exception(error))
                    logging.getLogger("python_butler").exception("It failed.")
                    with contextlib.suppress(TypeError, pickle.PicklingError):
                        self._pickle(error)

    def _get_from_both(self) -> None:
        with (
            warnings.catch_warnings(action="ignore", category=OfflineWarning),
            python_butler.open("dp2", collections=[RUN]) as both,
        ):
            both.get("source", instrument="Cam", visit=VISITS[4])

    def _use_the_command_line(self) -> None:
        root = str(self.directory / "butler" / "dp2")
        log = ["--log-level", ".=DEBUG", "--log-file", str(self.directory / "command.log")]
        out = self.directory / "by-command"
        out.mkdir()
        self._run("butler", *log, "query-datasets", root, "source", f"--collections={RUN}")
        self._run(
            "butler", *log, "retrieve-artifacts", root, str(out), "-d", "source", f"--collections={RUN}"
        )
        self._run("satellite", "info", "dp2")
        self._run("satellite", "list")
        self._run("satellite", "reference", "source", "note")
        self.platform.trouble("store", status=403)
        self._run("satellite", "prefetch", "source", f"visit={VISITS[8]}", fails=True)
        self.platform.calm()
        self.platform.trouble("server", path="/v1/", status=401)
        self._run("satellite", "reference", "metric", fails=True)
        self.platform.calm()

    def _run(self, program: str, *arguments: str, fails: bool = False) -> None:
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            env={**os.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        (self.directory / f"{program}-{len(list(self.directory.iterdir()))}.txt").write_text(said)
        assert bool(done.returncode) == fails, said

    @contextlib.contextmanager
    def _logging(self) -> Iterator[None]:
        root = logging.getLogger()
        handler = logging.FileHandler(self.directory / "butler" / "kernel.log")
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(handler)
            handler.close()

    def _pickle(self, *objects: object) -> None:
        for each in objects:
            number = len(list(self.pickles.iterdir()))
            (self.pickles / f"{number}-{type(each).__name__}").write_bytes(pickle.dumps(each))

    def leaks(self) -> list[str]:
        """Every place in which there is a secret."""
        needles = [word.encode() for word in (*self.secrets, *SIGNATURES)]
        needles += [needle.replace(b"=", b"%3D") for needle in needles if needle.endswith(b"=")]
        return [
            f"{name}: …{content[max(0, at - 150) : at + 30]!r}"
            for name, content in self._contents()
            for needle in needles
            if (at := content.find(needle)) >= 0
        ]

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.directory.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                yield str(path.relative_to(self.directory)), content
                if zipfile.is_zipfile(io.BytesIO(content)):
                    with zipfile.ZipFile(path) as archive:
                        for name in archive.namelist():
                            yield f"{path.name}:{name}", archive.read(name)


def refs(butler: Butler, name: str, run: str = RUN) -> list[DatasetRef]:
    assert isinstance(butler, DirectButler)
    return butler.query_datasets(name, run, order_by="visit")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session that is over."""
    directory = tmp_path_factory.mktemp("session")
    (directory / "butler").mkdir()
    repository = build(tmp_path_factory.mktemp("official"))
    with (
        Platform(tmp_path_factory.mktemp("platform"), repository=repository) as platform,
        pytest.MonkeyPatch.context() as patch,
    ):
        enter(platform, patch, directory / "butler")
        patch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
        patch.setenv("TMPDIR", str(directory / "temporary"))
        session = Session(directory, platform)
        session.hold(patch)
        yield session


def test_nothing_that_a_session_leaves_holds_a_secret(session: Session) -> None:
    leaks = session.leaks()
    assert not leaks, "\n".join(leaks)


def test_the_session_left_something_to_search(session: Session) -> None:
    left = session.directory
    log = (left / "butler" / "kernel.log").read_text()
    assert "GET /rubin-dp2/dp2/" in log, "requests to the object store are logged"
    assert "file_transfer" in log
    assert "Traceback" in log
    assert list((left / "cache").rglob("*.parq"))
    assert len(list(session.pickles.iterdir())) > 20
    assert (left / "butler" / "dp2" / "gen3.sqlite3").stat().st_size > 100_000
    shown = session.shown.read_text()
    for kind in ("TokenError", "ForbiddenError", "_Busy", "OfflineError", "OfficialFileGone"):
        assert kind.removesuffix("Error") in shown, kind


def test_a_leak_would_be_found(session: Session) -> None:
    planted = session.directory / "planted"
    planted.write_bytes(b"\x00" + session.platform.token.encode() + b"?Signature=abc")
    try:
        assert any("planted" in leak for leak in session.leaks())
    finally:
        planted.unlink()


def test_no_token_went_to_the_object_store(session: Session) -> None:
    asked = session.platform.requests("store")
    assert len(asked) > 20
    assert not any(seen.token or seen.authorization for seen in asked)

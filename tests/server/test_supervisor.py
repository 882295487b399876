"""The backend's lives: begun once, mended, ended, swept up after."""

# ruff: noqa: ASYNC110, ASYNC240  another process is waited for, and little directories are looked into

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tornado.httputil import HTTPHeaders

from python_butler.errors import BackendUnavailableError
from python_butler.server.choose import CommandChoice
from python_butler.server.directory import RuntimeDirectory, runtime_base, sweep
from python_butler.server.exchange import Endpoint, Exchange
from python_butler.server.instance import BackendInstance
from python_butler.server.supervisor import BackendState, Supervisor, SupervisorSettings
from tests.processes import PATIENCE

from .conftest import STAND_IN, alive

LOG = logging.getLogger("tests.server")
UNWILLING = ("sh", "-c", f"trap '' TERM; exec {' '.join(STAND_IN)} \"$@\"", "sh")

Make = Callable[..., Supervisor]


class Ask(Exchange):
    """Asks the backend something and keeps the answer."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.body = b""

    def answer_began(self, status: int, headers: HTTPHeaders) -> None:
        self.status = status

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk


async def ask(supervisor: Supervisor, target: str = "/echo") -> dict:
    async with supervisor.use() as endpoint:
        exchange = Ask(endpoint)
        await exchange.run("GET", target, {})
        return json.loads(exchange.body or "{}")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def run(run_directory: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = run_directory()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    return directory


@pytest.fixture
async def supervise(run: Path) -> AsyncIterator[Make]:
    made = []

    def make(*command: str, **settings: float) -> Supervisor:
        async def create() -> BackendInstance:
            return BackendInstance(CommandChoice(command or tuple(STAND_IN), "Do this."), LOG)

        made.append(Supervisor(create, SupervisorSettings(**settings), LOG))
        return made[-1]

    yield make
    await asyncio.gather(*(supervisor.stop() for supervisor in made))
    assert not list(run.glob("python-butler-backend-*")), "a directory was left behind"


@pytest.fixture
def count(tmp_path: Path) -> Path:
    return tmp_path / "starts"


def starts(count: Path) -> list[dict]:
    return [json.loads(line) for line in count.read_text().splitlines()]


async def test_nothing_is_started_before_somebody_asks(supervise: Make, run: Path) -> None:
    assert supervise().state is BackendState.STOPPED
    assert not list(run.iterdir())


async def test_three_first_requests_start_one_backend(supervise: Make, count: Path) -> None:
    supervisor = supervise(*STAND_IN, "--count", str(count))
    requests = [asyncio.create_task(ask(supervisor)) for _ in range(3)]
    await until(lambda: supervisor.state is BackendState.STARTING)
    assert len({answer["pid"] for answer in await asyncio.gather(*requests)}) == 1
    assert len(starts(count)) == 1
    assert supervisor.state is BackendState.RUNNING


async def test_who_gives_up_waiting_does_not_end_the_start_for_others(supervise: Make, count: Path) -> None:
    supervisor = supervise(*STAND_IN, "--count", str(count), "--start-delay", "0.5")
    patient, hasty = (asyncio.create_task(ask(supervisor)) for _ in range(2))
    await until(lambda: supervisor.state is BackendState.STARTING)
    hasty.cancel()
    assert (await patient)["pid"] == starts(count)[0]["pid"]


async def test_the_directory_is_the_owners_alone_and_fresh_for_each_start(supervise: Make, run: Path) -> None:
    supervisor = supervise(idle_timeout=0.2)
    socket = Path((await ask(supervisor))["socket"])
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert len(bytes(socket)) < 104
    await until(lambda: supervisor.state is BackendState.STOPPED and not socket.parent.exists())
    assert Path((await ask(supervisor))["socket"]) != socket


async def test_the_backend_refuses_whoever_does_not_know_the_secret(supervise: Make) -> None:
    supervisor = supervise()
    async with supervisor.use() as endpoint:
        exchange = Ask(Endpoint(endpoint.socket, "guessed"))
        await exchange.run("GET", "/echo", {})
        assert exchange.status == 403
        assert endpoint.secret not in repr(endpoint)


async def test_an_idle_backend_is_stopped_and_a_used_one_is_not(supervise: Make) -> None:
    supervisor = supervise(idle_timeout=0.3)
    pid = (await ask(supervisor, "/echo?delay=1"))["pid"]
    assert alive(pid)
    await until(lambda: supervisor.state is BackendState.STOPPED)
    await until(lambda: not alive(pid))
    assert supervisor.error is None
    assert (await ask(supervisor))["pid"] != pid


async def test_a_crashed_backend_is_started_again_unasked(supervise: Make) -> None:
    supervisor = supervise()
    pid = (await ask(supervisor))["pid"]
    os.kill(pid, 9)
    await until(lambda: supervisor.state is not BackendState.RUNNING)
    await until(lambda: supervisor.state is BackendState.RUNNING)
    assert (await ask(supervisor))["pid"] != pid


async def test_a_backend_that_keeps_crashing_is_left_alone_until_somebody_asks(
    supervise: Make, count: Path
) -> None:
    supervisor = supervise(*STAND_IN, "--count", str(count), restart_limit=1, longest_pause=0.2)
    for _ in range(2):
        await until(lambda: supervisor.state is not BackendState.STARTING)
        await ask(supervisor, "/crash")
        await until(lambda: supervisor.state is not BackendState.RUNNING)
    assert supervisor.state is BackendState.FAILED
    assert "status 3" in str(supervisor.error)
    assert "the disk is on fire" in str(supervisor.error)
    assert "secretsecret" not in str(supervisor.error)
    await asyncio.sleep(0.5)
    assert len(starts(count)) == 2, "it was started although nobody asked"
    await ask(supervisor)
    assert len(starts(count)) == 3
    assert supervisor.error is None


async def test_losing_the_lease_counts_as_a_crash(supervise: Make) -> None:
    supervisor = supervise()
    pid = (await ask(supervisor))["pid"]
    assert supervisor._instance is not None
    supervisor._instance._lease.close()
    await until(lambda: not alive(pid))
    await until(lambda: supervisor.state is BackendState.RUNNING)


async def test_a_backend_whose_socket_was_cleared_away_is_replaced(supervise: Make) -> None:
    supervisor = supervise(*UNWILLING)
    answer = await ask(supervisor)
    Path(answer["socket"]).unlink()
    first, second = await asyncio.gather(ask(supervisor), ask(supervisor))
    assert first["pid"] == second["pid"] != answer["pid"]
    assert not alive(answer["pid"])
    assert (await ask(supervisor))["pid"] == first["pid"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/no/such/command"], "No such file"),
        ([sys.executable, "-m", "no_such_module"], "No module named no_such_module"),
        (["sh", "-c", "echo the wrapper is broken >&2; exit 4"], "the wrapper is broken"),
        (["sh", "-c", "exit 4"], "printed nothing"),
    ],
)
async def test_a_start_that_cannot_work_fails_fast_and_says_why(
    supervise: Make, command: list[str], words: str
) -> None:
    supervisor = supervise(*command)
    began = time.monotonic()
    with pytest.raises(BackendUnavailableError) as caught:
        await ask(supervisor)
    assert time.monotonic() - began < 20, "it would be given two minutes to start"
    assert words in caught.value.message
    assert caught.value.next_step == "Do this."
    assert supervisor.state is BackendState.FAILED


async def test_after_a_failed_start_a_later_request_tries_again(supervise: Make, tmp_path: Path) -> None:
    script = tmp_path / "backend"
    supervisor = supervise("sh", str(script), longest_pause=0.2)
    for _ in range(2):
        with pytest.raises(BackendUnavailableError):
            await ask(supervisor)
    assert 0 < supervisor.retry_in <= 0.2
    script.write_text(f'exec {" ".join(STAND_IN)} "$@"\n')
    with pytest.raises(BackendUnavailableError):
        await ask(supervisor)  # too soon: a page full of requests must not start one process each
    await until(lambda: supervisor.retry_in == 0)
    assert (await ask(supervisor))["pid"]


async def test_a_backend_that_never_listens_is_given_up(supervise: Make) -> None:
    supervisor = supervise("sh", "-c", "echo waiting for a lock; exec sleep 100", start_timeout=0.5)
    with pytest.raises(BackendUnavailableError, match=r"did not answer within 0\.5 s"):
        await ask(supervisor)
    assert "waiting for a lock" in str(supervisor.error)


async def test_something_else_behind_the_socket_is_told_apart(supervise: Make, tmp_path: Path) -> None:
    script = tmp_path / "other.py"
    script.write_text(
        "import asyncio, sys\n"
        "from tornado import httpserver, netutil, web\n"
        "async def main():\n"
        "    httpserver.HTTPServer(web.Application()).add_socket(netutil.bind_unix_socket(sys.argv[-1]))\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with pytest.raises(BackendUnavailableError, match="protocol"):
        await ask(supervise(sys.executable, str(script)))


async def test_secrets_are_taken_out_of_last_words(
    supervise: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", "correct-horse-battery")
    words = (
        "echo $BUTLER_RUBIN_ACCESS_TOKEN $PYTHON_BUTLER_BACKEND_SECRET end;"
        "echo Authorization: Bearer abc.def;"
        "echo GET 'https://s3.example/key?X-Amz-Signature=0123&b=1' failed; echo gt-0123456789abcdef.0123;"
        "exit 1"
    )
    caplog.set_level(logging.DEBUG)
    with pytest.raises(BackendUnavailableError) as caught:
        await ask(supervise("sh", "-c", words))
    message = str(caught.value)
    assert "<secret> <secret> end" in message
    assert "https://s3.example/key?<query removed> failed" in message
    for secret in ("correct-horse", "0123", "abc.def"):
        assert secret not in message + caplog.text


async def test_a_backend_that_ignores_being_told_to_end_is_killed(supervise: Make) -> None:
    supervisor = supervise(*UNWILLING)
    pid = (await ask(supervisor))["pid"]
    began = time.monotonic()
    await supervisor.stop()
    assert not alive(pid)
    assert time.monotonic() - began < 20


async def test_a_wrapper_that_stays_leaves_no_child_behind(supervise: Make) -> None:
    supervisor = supervise("sh", "-c", f'{" ".join(STAND_IN)} "$@"; true', "sh")
    answer = await ask(supervisor)
    assert answer["pid"] != answer["process_group"]
    os.kill(answer["process_group"], 9)
    await until(lambda: not alive(answer["pid"]))


async def test_stopping_while_it_starts_leaves_nothing(supervise: Make, count: Path) -> None:
    supervisor = supervise(*STAND_IN, "--count", str(count), "--start-delay", "30")
    waiting = asyncio.create_task(ask(supervisor))
    await until(lambda: count.exists() and starts(count))
    await supervisor.stop()
    with pytest.raises(BackendUnavailableError, match="shutting down"):
        await waiting
    assert not alive(starts(count)[0]["pid"])
    with pytest.raises(BackendUnavailableError, match="shutting down"):
        await ask(supervisor)


async def test_a_chatty_backend_is_never_blocked_by_its_output(supervise: Make) -> None:
    chatty = f"(yes a line | head -c 3000000; printf '%010000d') & exec {' '.join(STAND_IN)} \"$@\""
    supervisor = supervise("sh", "-c", chatty, "sh")
    assert (await ask(supervisor))["pid"]
    assert supervisor._instance is not None
    output = supervisor._instance._output
    await until(lambda: "0000" in output.tail())
    began = time.perf_counter()
    assert len(output.tail()) <= 800
    assert time.perf_counter() - began < 1


def age(directory: Path) -> None:
    os.utime(directory, (1, 1))


def test_sweeping_takes_the_dead_and_leaves_everybody_else(run: Path) -> None:
    living = RuntimeDirectory()
    dead, young, borrowed = (run / f"python-butler-backend-{name}" for name in ("dead", "young", "borrowed"))
    other = run / "python-butler-demo-1"
    for directory in (dead, young, borrowed, other):
        directory.mkdir()
        for name in ("backend.sock", "output", "kernel.json", "kernel-ipc-1"):
            (directory / name).touch()
    (borrowed / "thesis.tex").touch()
    link = run / "python-butler-backend-link"
    link.symlink_to(other)
    for directory in (living.path, dead, borrowed, other):
        age(directory)
    assert sweep() == [dead]
    assert sorted(run.iterdir()) == sorted([living.path, borrowed, link, other, young])
    assert len(list(borrowed.iterdir())) == 5
    living.remove()
    living.remove()
    assert not living.path.exists()


def test_a_path_too_long_for_a_socket_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert runtime_base() != long

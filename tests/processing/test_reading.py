"""What is read of journals while others write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from python_butler.processing.execution.journal import Event, Journal, State
from python_butler.processing.execution.reading import Following, last_events
from python_butler.processing.workdir import WorkDirectory

FIRST, SECOND = uuid4(), uuid4()


@pytest.fixture
def workdir(tmp_path: Path) -> WorkDirectory:
    return WorkDirectory(tmp_path)


def event(quantum: UUID, state: State, at: float) -> Event:
    return Event(quantum, "measure", state, at, {"detector": 1})


def states(following: Following) -> dict[UUID, State]:
    return {quantum: event.state for quantum, event in following.last().items()}


def test_who_follows_a_journal_learns_what_all_processes_add(workdir: WorkDirectory) -> None:
    following = Following(workdir)
    assert following.last() == {}
    with Journal(workdir) as one, Journal(workdir) as other:
        one.append(event(FIRST, State.STARTED, 1.0))
        assert states(following) == {FIRST: State.STARTED}
        other.append(event(SECOND, State.STARTED, 2.0))
        one.append(event(FIRST, State.FAILED, 3.0))
        other.append(event(FIRST, State.SUCCEEDED, 4.0))
        # Within the same millisecond: the later line counts.
        other.append(event(SECOND, State.SUCCEEDED, 2.0))
        assert states(following) == {FIRST: State.SUCCEEDED, SECOND: State.SUCCEEDED}
        one.append(event(SECOND, State.STARTED, 1.5))
        assert states(following) == {FIRST: State.SUCCEEDED, SECOND: State.SUCCEEDED}
    assert following.last() == last_events(workdir)


def test_what_was_read_is_not_read_again(workdir: WorkDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    understood: list[str] = []
    understand = Event.of

    def counted(line: dict[str, Any]) -> Event:
        understood.append(line["state"])
        return understand(line)

    monkeypatch.setattr(Event, "of", counted)
    following = Following(workdir)
    with Journal(workdir) as journal:
        journal.append(event(FIRST, State.STARTED, 1.0))
        following.last()
        journal.append(event(FIRST, State.SUCCEEDED, 2.0))
        following.last()
        following.last()
    assert understood == ["started", "succeeded"]


def test_half_a_line_is_understood_when_the_rest_of_it_comes(workdir: WorkDirectory) -> None:
    following = Following(workdir)
    with Journal(workdir) as journal:
        journal.append(event(FIRST, State.STARTED, 1.0))
        (file,) = workdir.journal.iterdir()
        one = file.read_bytes()
        journal.append(event(SECOND, State.STARTED, 2.0))
    both = file.read_bytes()
    with file.open("r+b") as stream:
        stream.truncate(len(one) + 20)
        assert states(following) == {FIRST: State.STARTED}
        stream.seek(0, 2)
        stream.write(both[len(one) + 20 :])
    assert states(following) == {FIRST: State.STARTED, SECOND: State.STARTED}


def test_a_journal_that_was_replaced_is_read_from_its_beginning(workdir: WorkDirectory) -> None:
    following = Following(workdir)
    with Journal(workdir) as journal:
        journal.append(event(FIRST, State.STARTED, 1.0))
    assert states(following) == {FIRST: State.STARTED}
    (file,) = workdir.journal.iterdir()
    file.unlink()
    assert following.last() == {}
    with Journal(workdir) as journal:
        journal.append(event(SECOND, State.STARTED, 2.0))
    assert states(following) == {SECOND: State.STARTED}

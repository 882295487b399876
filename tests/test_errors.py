"""Exceptions that people see."""

from __future__ import annotations

import pickle

import pytest

from python_butler import errors
from python_butler.errors import ErrorKind, PythonButlerError

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, PythonButlerError)
]


def test_all_are_offered() -> None:
    assert {error.__name__ for error in CLASSES} <= set(errors.__all__)


@pytest.mark.parametrize("error", CLASSES)
def test_each_says_what_happened_and_what_to_do(error: type[PythonButlerError]) -> None:
    raised = error("It broke.", "Mend it.")
    assert str(raised) == "It broke. Mend it."
    assert (raised.message, raised.next_step) == ("It broke.", "Mend it.")
    assert str(error("It broke.")) == "It broke."
    assert isinstance(raised.kind, ErrorKind)


@pytest.mark.parametrize("error", CLASSES)
def test_each_crosses_from_process_to_process(error: type[PythonButlerError]) -> None:
    copy = pickle.loads(pickle.dumps(error("It broke.", "Mend it.")))
    assert type(copy) is error
    assert str(copy) == "It broke. Mend it."


def test_trouble_with_the_server_is_never_missing_data() -> None:
    assert not issubclass(errors.OfficialServerError, LookupError)
    assert not issubclass(errors.OfficialServerError, FileNotFoundError)
    assert issubclass(errors.GoneError, LookupError)


def test_a_busy_server_says_when_to_come_back() -> None:
    assert errors.ServerBusyError("Busy.", retry_in=5.0).retry_in == 5.0

"""A change that a killed process did not finish: whoever reads next undoes it, and reads."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from lsst.daf.butler import DimensionUniverse

from python_butler.satellite import Satellite
from python_butler.satellite.layout import DATABASE


@pytest.fixture
def satellite(tmp_path: Path) -> Satellite:
    satellite = Satellite.create("dp2", tmp_path / "satellite", universe=DimensionUniverse())
    with satellite.writer() as writer:
        writer.collections.register("u/me/before")
    return satellite


DIE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM collection")
connection.execute("CREATE TABLE unfinished (text TEXT)")
connection.executemany("INSERT INTO unfinished VALUES (?)", [("x" * 1000,)] * 500)
os._exit(0)
"""


def die_in_the_middle_of_a_change(database: Path) -> None:
    """As a process does that is killed when half of a large change has reached the file."""
    subprocess.run([sys.executable, "-c", DIE, database], check=True)
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    with contextlib.closing(connection), pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("SELECT * FROM collection")


def test_a_reader_that_is_opened_afterwards_reads_what_was_there_before(satellite: Satellite) -> None:
    die_in_the_middle_of_a_change(satellite.root / DATABASE)
    with satellite.reader() as reader:
        assert reader.collections.query("*") == ["u/me/before"]


def test_a_reader_that_was_open_goes_on(satellite: Satellite) -> None:
    with satellite.reader() as reader, reader.clone() as clone:
        reader.collections.query("*")
        die_in_the_middle_of_a_change(satellite.root / DATABASE)
        clone.registry.refresh()
        assert clone.collections.query("*") == ["u/me/before"]
        reader.registry.refresh()
        assert reader.collections.query("*") == ["u/me/before"]


def test_a_change_that_is_being_made_is_left_alone(satellite: Satellite) -> None:
    with sqlite3.connect(satellite.root / DATABASE, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE another (text TEXT)")
        with satellite.reader() as reader:
            assert reader.collections.query("*") == ["u/me/before"]
        connection.execute("COMMIT")
        assert connection.execute("SELECT count(*) FROM another").fetchone() == (0,)
    connection.close()

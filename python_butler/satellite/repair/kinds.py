"""What may be wrong with a satellite: one word, one sentence, and what repairing does about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Kind", "Rule"]


class Kind(StrEnum):
    """What is wrong, as one word that programs may depend on."""

    CONFIGURATION = "configuration"
    MARKER = "marker"
    FALLBACK = "fallback"
    NO_FILES_DIRECTORY = "no_files_directory"
    UNFINISHED_SATELLITE = "unfinished_satellite"
    UNFINISHED_RESTORE = "unfinished_restore"
    UNFINISHED_FILE = "unfinished_file"
    UNFINISHED_MOVE = "unfinished_move"
    PAUSED_MOVE = "paused_move"
    HOT_JOURNAL = "hot_journal"
    DATABASE_LOCK = "database_lock"
    DAMAGED_DATABASE = "damaged_database"
    BROKEN_LINK = "broken_link"
    WAITING = "waiting"
    BATCH = "batch"
    BATCH_LEFT = "batch_left"
    DAMAGED_BATCH = "damaged_batch"
    DAMAGED_SLIP = "damaged_slip"
    SET_ASIDE = "set_aside"
    SLIP_WITHOUT_FILE = "slip_without_file"
    FILE_NOT_MOVED = "file_not_moved"
    FILE_WITHOUT_SLIP = "file_without_slip"
    CLAIM = "claim"
    SPOOL_LOCK = "spool_lock"
    TRASH = "trash"
    RECORD_WITHOUT_DATASET = "record_without_dataset"
    RECORD_WITHOUT_LOCATION = "record_without_location"
    LOCATION_WITHOUT_RECORD = "location_without_record"
    NOTE_WITHOUT_DATASET = "note_without_dataset"
    FILE_WITHOUT_ROW = "file_without_row"
    COPY_WITHOUT_ROW = "copy_without_row"
    UNKNOWN_FILE = "unknown_file"
    MISSING_FILE = "missing_file"
    WRONG_SIZE = "wrong_size"
    WRONG_CONTENT = "wrong_content"
    INCOMPLETE_RUN = "incomplete_run"
    EMPTY_RUN = "empty_run"
    EMPTY_CHAIN = "empty_chain"
    GONE_UPSTREAM = "gone_upstream"
    LOST_AND_FOUND = "lost_and_found"

    @property
    def rule(self) -> Rule:
        """What there is to say about it."""
        return _RULES[self]


@dataclass(frozen=True)
class Rule:
    """What there is to say about one kind.

    Attributes
    ----------
    explanation : `str`
        What it is and how it came about, as a sentence.
    remedy : `str`
        What repairing does about it, as a sentence.
    needs : `str` or `None`
        Option of the command without which repairing leaves it; `None` if none is needed.
    mends : `bool`
        Whether repairing can do anything about it.
    remark : `bool`
        Whether it is in good order though worth knowing: then a satellite with it counts as healthy.
    """

    explanation: str
    remedy: str
    needs: str | None = None
    mends: bool = True
    remark: bool = False


_RULES = {
    Kind.CONFIGURATION: Rule(
        "The configuration of the repository is missing or cannot be understood, so that nothing opens it.",
        "It is written again from the fallback configuration; what is there is kept in lost+found.",
    ),
    Kind.MARKER: Rule(
        "The file that says of which official repository this is the satellite is missing or damaged.",
        "It is written again, for the label that you gave.",
    ),
    Kind.FALLBACK: Rule(
        "The configuration for upstream's packages alone is missing, damaged or out of date.",
        "It is written again from the configuration.",
    ),
    Kind.NO_FILES_DIRECTORY: Rule(
        "The directory of the files is missing: its volume may not be mounted, or it was removed.",
        "It is made again if no dataset has a file in it; otherwise mount it or restore it.",
    ),
    Kind.UNFINISHED_SATELLITE: Rule(
        "A satellite was being created here when its process ended; it holds no dataset.",
        "It is deleted, once nobody is creating one and it has not changed for the minimum age.",
    ),
    Kind.UNFINISHED_RESTORE: Rule(
        "A backup was being restored here when its process ended; files of datasets are in it.",
        "Nothing: restore it again, and delete this directory.",
        mends=False,
        remark=True,
    ),
    Kind.UNFINISHED_FILE: Rule(
        "A file was being written when its process ended; its name is one that only such files have.",
        "It is deleted, once nobody else can be writing and it has not changed for the minimum age.",
    ),
    Kind.UNFINISHED_MOVE: Rule(
        "The satellite was being moved elsewhere when that process ended.",
        "The move is completed if all was in the new place and checked, otherwise it is paused.",
    ),
    Kind.PAUSED_MOVE: Rule(
        "Moving the satellite elsewhere was stopped before its end; it can be used as before.",
        "Nothing: satellite migrate goes on, or gives it up with --abandon.",
        mends=False,
        remark=True,
    ),
    Kind.HOT_JOURNAL: Rule(
        "A process ended in the middle of a change to the database; the journal of SQLite says how to undo "
        "it, and until that is done nobody can open the database for reading.",
        "The database is opened once for writing: SQLite undoes the unfinished change.",
    ),
    Kind.DATABASE_LOCK: Rule(
        "A process ended while it held the lock of the database that is made of a file or directory.",
        "The lock is removed, if its process is known to have ended.",
    ),
    Kind.DAMAGED_DATABASE: Rule(
        "SQLite finds the database file damaged.",
        "Nothing: restore the satellite from a backup, or salvage the file with sqlite3's .recover.",
        mends=False,
    ),
    Kind.BROKEN_LINK: Rule(
        "A row of the database refers to another one that is not there.",
        "Nothing: restore the satellite from a backup.",
        mends=False,
    ),
    Kind.WAITING: Rule(
        "Saved datasets wait in the spool: they are safe and can be read, but are not in the database yet.",
        "They are committed to the database.",
    ),
    Kind.BATCH: Rule(
        "A batch of datasets was neither committed nor discarded when its process ended.",
        "It is committed or discarded, as you say.",
        needs="--batches",
    ),
    Kind.BATCH_LEFT: Rule(
        "A batch is empty, or all of it is in the database; its process ended before it was closed.",
        "It is closed.",
    ),
    Kind.DAMAGED_BATCH: Rule(
        "The description of a batch of datasets cannot be understood, so that it can neither be committed "
        "nor discarded.",
        "It is moved to lost+found, with the files in the spool that no other dataset has.",
        needs="--quarantine",
    ),
    Kind.DAMAGED_SLIP: Rule(
        "The slip of a saved dataset cannot be understood, so that it cannot be committed.",
        "It is moved to lost+found.",
        needs="--quarantine",
    ),
    Kind.SET_ASIDE: Rule(
        "A saved dataset cannot be committed, since its run has another one with the same data ID, or its "
        "file is missing; its slip was set aside.",
        "Its slip and its file are moved to lost+found.",
        needs="--quarantine",
    ),
    Kind.SLIP_WITHOUT_FILE: Rule(
        "The file of a saved dataset that waits in the spool is missing.",
        "Its slip is moved to lost+found.",
        needs="--forget-lost",
    ),
    Kind.FILE_NOT_MOVED: Rule(
        "The file of a dataset that is in the database still waits in the spool: its process ended in the "
        "middle of a commit.",
        "It is moved to where the database says that it is.",
    ),
    Kind.FILE_WITHOUT_SLIP: Rule(
        "A dataset was being saved through the spool when its process ended; it was never acknowledged.",
        "Its file is deleted, if it has not changed for a day, or for the minimum age that you give.",
    ),
    Kind.CLAIM: Rule(
        "A dataset was being saved straight into the database when its process ended; the name that was kept "
        "for it keeps others from saving it.",
        "The name is given back, once its process is known to have ended.",
    ),
    Kind.SPOOL_LOCK: Rule(
        "A process ended while it held the lock of the spool.",
        "The lock is removed.",
    ),
    Kind.TRASH: Rule(
        "Datasets were being removed when the process ended: they are gone, their files are not.",
        "Their files are deleted, as was asked for.",
    ),
    Kind.RECORD_WITHOUT_DATASET: Rule(
        "The records of files name a dataset that does not exist, so that nothing can reach the file.",
        "The record is removed, and listed in lost+found.",
    ),
    Kind.RECORD_WITHOUT_LOCATION: Rule(
        "A dataset has a file, but the database does not say in which datastore.",
        "The database is told.",
    ),
    Kind.LOCATION_WITHOUT_RECORD: Rule(
        "The database says that a dataset is stored, but not in which file.",
        "The dataset is removed from the database, and listed in lost+found.",
        needs="--forget-lost",
    ),
    Kind.NOTE_WITHOUT_DATASET: Rule(
        "Notes on where a dataset comes from are kept, but the dataset does not exist any more.",
        "The notes are removed, and listed in lost+found.",
    ),
    Kind.FILE_WITHOUT_ROW: Rule(
        "A file lies where datasets of one of your runs are, but no dataset has it: most probably its "
        "process ended before the dataset was in the database.",
        "It is moved to lost+found, once nobody else can be writing and it has not changed for the "
        "minimum age.",
    ),
    Kind.COPY_WITHOUT_ROW: Rule(
        "A pinned copy of an official dataset was being made or removed when the process ended; the dataset "
        "is referenced.",
        "The copy is deleted, once nobody else can be writing and it has not changed for the minimum age: "
        "the official repository has the file.",
    ),
    Kind.UNKNOWN_FILE: Rule(
        "A file lies among those of the datasets, but belongs to none and is not one that Butler makes.",
        "It is moved to lost+found.",
        needs="--quarantine",
    ),
    Kind.MISSING_FILE: Rule(
        "The file of a dataset is missing.",
        "The dataset is removed from the database, and listed in lost+found.",
        needs="--forget-lost",
    ),
    Kind.WRONG_SIZE: Rule(
        "The file of a dataset has not the size that it had when it was written.",
        "The dataset is removed from the database; its file is moved to lost+found, and listed there.",
        needs="--forget-lost",
    ),
    Kind.WRONG_CONTENT: Rule(
        "The file of a dataset cannot be read, or has not the checksum that it had when it was written.",
        "The dataset is removed from the database; its file is moved to lost+found, and listed there.",
        needs="--forget-lost",
    ),
    Kind.INCOMPLETE_RUN: Rule(
        "A run was being registered when its process ended or the disk was full: it seems to be there, but "
        "nothing can be put into it.",
        "What is missing of it is registered.",
    ),
    Kind.EMPTY_RUN: Rule(
        "A run has no datasets: it was emptied, or nothing was put into it yet.",
        "It is removed, also from chains. A kernel that was about to put into it has to start again.",
        needs="--empty-runs",
        remark=True,
    ),
    Kind.EMPTY_CHAIN: Rule(
        "A chain of collections has no members.",
        "It is removed.",
        needs="--empty-runs",
        remark=True,
    ),
    Kind.GONE_UPSTREAM: Rule(
        "An official dataset that is referenced here is no longer in the official repository.",
        "The reference is removed, and listed in lost+found.",
        needs="--forget-lost",
    ),
    Kind.LOST_AND_FOUND: Rule(
        "What was moved away by repairing is kept, with a list of where it was.",
        "Nothing: look through it, then delete the directory.",
        mends=False,
        remark=True,
    ),
}

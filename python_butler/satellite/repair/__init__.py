"""Finding what is wrong with a satellite, and putting it right; nothing is deleted without proof.

A file is deleted only if it can be proved to be a leftover, as `.kinds` says for each kind of finding.
What proves it: a name that only unfinished files have; being the only one who writes to the database,
since files get their rows in the transaction in which they are written; and not having changed for a
while. Everything else is moved to ``lost+found``, or left where it is.

In these modules: `.kinds` has what there is to find; `.examining` goes through the parts in order:
`.directory`, `.database`, `.spooled`, `.rows`, `.datafiles`, `.collections`, `.official`.
"""

from .case import Options
from .examining import check, repair
from .kinds import Kind, Rule
from .report import CheckReport, Finding, Outcome, RepairReport, Result

__all__ = [
    "CheckReport",
    "Finding",
    "Kind",
    "Options",
    "Outcome",
    "RepairReport",
    "Result",
    "Rule",
    "check",
    "repair",
]

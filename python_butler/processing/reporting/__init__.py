"""What became of a run, from its journal and summary alone: no graph is read and no repository opened."""

from .reports import Failure, Report, Status, TaskStatus, report, status

__all__ = ["Failure", "Report", "Status", "TaskStatus", "report", "status"]

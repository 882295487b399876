"""A batch system that only takes note of what it is handed, as one with a queue does at first."""

from __future__ import annotations

from typing import Any, override

from lsst.ctrl.bps import BaseWmsService, BaseWmsWorkflow

__all__ = ["NotingService"]


class _Workflow(BaseWmsWorkflow):
    @override
    def write(self, out_prefix: Any) -> None:
        """Nothing is kept."""


class NotingService(BaseWmsService):
    """Executes nothing."""

    @override
    def prepare(self, config: Any, generic_workflow: Any, out_prefix: Any = None) -> BaseWmsWorkflow:
        return _Workflow(generic_workflow.name, config)

    @override
    def submit(self, workflow: Any, **kwargs: Any) -> Any:
        workflow.run_id = "1"
        return workflow

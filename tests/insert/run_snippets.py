"""Runs snippets as a notebook would, each in a namespace of its own: JSON in, JSON out.

A program of its own, so that a test sees what a kernel has loaded in the end.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
import traceback
import warnings
from typing import Any

import science_platform

OUTDATED = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def describe(value: Any) -> dict[str, Any]:
    """Tell what kind of object a value is, and what little of it is worth comparing."""
    told: dict[str, Any] = {"types": [f"{cls.__module__}.{cls.__qualname__}" for cls in type(value).__mro__]}
    if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
        told["value"] = list(value)
    if "lsst.daf.butler._dataset_ref.DatasetRef" in told["types"]:
        told["id"] = str(value.id)
    if isinstance(value, list):
        told["items"] = [describe(item) for item in value[:10]]
    for columns in ("colnames", "column_names", "columns"):
        if not isinstance(value, type) and hasattr(value, columns) and "columns" not in told:
            told["columns"] = [str(name) for name in getattr(value, columns)]
    return told


def run(statements: str, expression: str | None) -> dict[str, Any]:
    """Run statements and then an expression, or the last statement as one."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    tree = ast.parse(statements, "<cell>")
    if expression is None:
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        expression = None if last is None else ast.unparse(last)
    answer: dict[str, Any] = {}
    output = io.StringIO()
    science_platform.ASKED.clear()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(output):
        warnings.simplefilter("always")
        try:
            exec(compile(tree, "<cell>", "exec"), namespace)
            before = set(namespace)
            result = None if expression is None else eval(compile(expression, "<cell>", "eval"), namespace)
            answer["result"] = describe(result)
            answer["names"] = {
                name: describe(namespace[name])
                for name in before
                if not name.startswith("__") and name != "butler"
            }
        except Exception:
            answer["error"] = traceback.format_exc(limit=-3)
    answer["output"] = output.getvalue()
    answer["asked"] = list(science_platform.ASKED)
    answer["outdated"] = [str(item.message) for item in caught if issubclass(item.category, OUTDATED)]
    return answer


def main() -> None:
    """Run what is asked for on standard input."""
    science_platform.install()
    answers = [run(request["statements"], request.get("expression")) for request in json.load(sys.stdin)]
    json.dump({"answers": answers, "modules": sorted(sys.modules)}, sys.stdout)


if __name__ == "__main__":
    main()

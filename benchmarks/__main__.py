"""``python -m benchmarks [NAME …] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from pathlib import Path

from . import federation, frame, planning, processing, references, sidebar, writing  # noqa: F401  register their figures
from .figures import chosen, measure
from .scene import Scene


def main() -> int:
    """Run the figures asked for and print a line for each.

    Returns
    -------
    status : `int`
        0 if all were measured, whether or not they meet their goals; 1 if some could not be; 2 if no
        name matches.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="groups or figures, by how they begin")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes to this file too")
    arguments = parser.parse_args()
    figures = chosen(arguments.names)
    if not figures:
        print(f"No figure's name begins with {' or '.join(arguments.names)}.", file=sys.stderr)
        return 2
    records = []
    failed = False
    with Scene() as scene:
        for each in figures:
            try:
                outcome = measure(each, scene)
            except Exception:
                # One that cannot be measured keeps nobody from the others.
                traceback.print_exc()
                print(f"{each.group}: {each.name} could not be measured.", file=sys.stderr, flush=True)
                failed = True
                continue
            print(outcome.line(), flush=True)
            records.append(outcome.record())
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(records, indent=2) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

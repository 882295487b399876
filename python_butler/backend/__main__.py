"""Start the backend: ``python -m python_butler.backend --socket PATH``.

The secret that requests must carry is in the environment variable ``PYTHON_BUTLER_BACKEND_SECRET``.
"""

from __future__ import annotations

import sys

from .serve import main

sys.exit(main())

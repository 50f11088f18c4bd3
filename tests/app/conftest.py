"""Lets the tests of the use cases find the small releases of the engine tests, and their own."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in (Path(__file__).parents[1] / "engine", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

"""Lets tests of the store, in this folder and below it, import their small drafts by name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

"""The engine's version: it rises with every change that may change an answer, and stands in every answer."""

from __future__ import annotations

ENGINE_VERSION = "0.1.0"

"""One JSON line a call on stderr: method, code, time, release, counts. Never a word of a claim."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from typing import Any

import orjson

_lock = threading.Lock()


def write_log(**fields: Any) -> None:
    """One line, written whole."""
    line = {"time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"), **fields}
    encoded = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    with _lock:
        try:
            sys.stderr.buffer.write(encoded)
            sys.stderr.buffer.flush()
        except (OSError, ValueError):
            pass  # a closed or full log never stops an answer

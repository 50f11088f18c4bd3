"""A rule set directory made from the texts of a test."""

from __future__ import annotations

from pathlib import Path

HEAD = """
id = "test-policy"
kind = "authored"
family = "POLICY"
label = "1"
effective_from = "2020-01-01"
published_on = "2020-01-01"
authority = "Test"
"""

RULE = """[[rule]]
id = "one"
title = "One"
when = 'line.procedure_code is "G0439"'
status = "FAIL"
code = "POLICY_ONE"
message = "one"
"""

CodeFiles = dict[str, str | bytes]


def write_rule_set(directory: Path, files: CodeFiles, family: str = "POLICY") -> Path:
    """A directory ``test-policy`` with a head and ``files`` (path → content)."""
    root = directory / "test-policy"
    root.mkdir(exist_ok=True)
    for name, content in {"rule-set.toml": HEAD.replace("POLICY", family), **files}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root

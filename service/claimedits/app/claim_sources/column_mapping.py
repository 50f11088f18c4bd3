"""Column mappings: a TOML file that says which column of a table holds which field of a claim line.

The schema is documented in docs/claim-sources.md. A mapping is checked whole before any row is read: its own words, and
then its columns against those of the file.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from claimedits.app.claim_sources.column_fields import MAPPED_FIELDS, Kind, MappedField
from claimedits.model.problems import Problem, ProblemsError

DATE_TOKENS: dict[str, str] = {
    "YYYY": r"(?P<year>\d{4})",
    "DDD": r"(?P<ordinal>\d{3})",
    "MON": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
}
"""What a date format may hold; everything else stands for itself."""

_RANGE = re.compile(r"\{(\d{1,2})\.\.(\d{1,3})\}")
_KEYS: dict[str, type | tuple[type, ...]] = {
    "column": str,
    "columns": list,
    "join": list,
    "first_of": list,
    "constant": str,
    "date_format": str,
    "values": dict,
    "others": str,
    "blank": str,
    "optional": bool,
    "split": str,
    "amount": str,
    "pad": int,
    "differing": str,
    "positive": bool,
}
_TOP_KEYS = {
    "name": str,
    "source": str,
    "delimiter": str,
    "rows": str,
    "date_format": str,
    "null": list,
    "columns": dict,
    "repeat": dict,
    "leave_out": list,
}


class MappingError(ProblemsError):
    """A mapping that cannot be used, with everything that is wrong with it."""


@dataclass(slots=True)
class Source:
    """Where the values of a field come from."""

    field: MappedField
    columns: tuple[str, ...] = ()
    how: str = "columns"
    """``columns``: each holds values; ``join``: their texts are one value; ``first_of``: the first that is not blank."""
    constant: str | None = None
    date_format: str = "YYYY-MM-DD"
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: str | None = None
    """What a text becomes that ``values`` does not list; None: it stays as it is."""
    blank: str | None = None
    """What a blank cell means; None: absent."""
    optional: bool = False
    """The file need not have the columns."""
    split: str = ""
    in_dollars: bool = True
    pad: int = 0
    take_first: bool = False
    """A field of the claim: rows may differ, the first one counts."""
    positive: bool = False
    """``paid``: an amount; greater than 0 means paid."""


@dataclass(slots=True)
class LeaveOut:
    """Rows that are no service lines: ``column`` holds one of ``equals`` and every column of ``blank`` is empty."""

    column: str
    equals: frozenset[str]
    """Empty: any text at all."""
    blank: tuple[str, ...] = ()
    optional: bool = False


@dataclass(slots=True)
class ColumnMapping:
    """A checked mapping."""

    origin: str
    """The file or the name it was read from."""
    sources: dict[str, Source]
    delimiter: str = ","
    adjacent: bool = True
    """Whether the rows of one claim stand together."""
    nulls: frozenset[str] = frozenset([""])
    repeat: int = 1
    """Lines that stand side by side in one row."""
    present: str = ""
    """Template of the column that says whether a line of ``repeat`` is there."""
    leave_out: tuple[LeaveOut, ...] = ()

    def columns(self) -> Iterator[tuple[str, str, bool]]:
        """Every column that is read, the part of the mapping that names it, and whether a file may lack it."""
        for name, source in self.sources.items():
            for template in source.columns:
                for column in self.instances(template):
                    yield column, f"columns.{name}", source.optional
        if self.present:
            for column in self.instances(self.present):
                yield column, "repeat.present", False
        for i, rule in enumerate(self.leave_out):
            yield from ((column, f"leave_out[{i}]", rule.optional) for column in (rule.column, *rule.blank))

    def instances(self, template: str) -> list[str]:
        """The columns of a template: one for each repeated line, or itself."""
        if "{n}" not in template:
            return [template]
        return [template.replace("{n}", str(n)) for n in range(1, self.repeat + 1)]


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with the package."""
    folder = files("claimedits.app.claim_sources").joinpath("mappings")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_mapping(name_or_path: str) -> ColumnMapping:
    """A shipped mapping by its name, or a mapping file by its path.

    Raises:
        MappingError: there is no such mapping, or it is wrong; with every problem.
    """
    if name_or_path in shipped_mappings():
        entry = files("claimedits.app.claim_sources").joinpath("mappings", f"{name_or_path}.toml")
        return read_mapping(entry.read_text("utf-8"), name_or_path)
    try:
        text = Path(name_or_path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        known = ", ".join(shipped_mappings())
        raise MappingError(
            [Problem(name_or_path, f"cannot be read: {reason}", f"give a TOML file, or one of {known}")]
        ) from None
    return read_mapping(text, name_or_path)


def read_mapping(text: str, origin: str) -> ColumnMapping:
    """A mapping from its TOML text.

    Raises:
        MappingError: with every problem.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError([Problem(origin, f"is not TOML: {error}", "mend it at that place")]) from None
    reader = _MappingReader(origin, data)
    mapping = reader.read()
    if reader.problems:
        raise MappingError(reader.problems, f"{origin} is no usable column mapping")
    return mapping


class _MappingReader:
    """Reads the tables of a mapping and collects what is wrong."""

    def __init__(self, origin: str, data: dict[str, Any]) -> None:
        self._origin = origin
        self._data = data
        self.problems: list[Problem] = []

    def _add(self, where: str, what: str, mend: str) -> None:
        self.problems.append(Problem(f"{self._origin}: {where}", what, mend))

    def _typed(self, where: str, table: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
        """The entries of a table that are known and of the right type."""
        good = {}
        for key, value in table.items():
            if key not in keys:
                self._add(f"{where}{key}", "is no key of a mapping", f"use one of {', '.join(keys)}")
            elif not isinstance(value, keys[key]) or (isinstance(value, bool) and keys[key] is not bool):
                wanted = {str: "text", int: "a whole number", list: "a list", dict: "a table", bool: "true or false"}
                self._add(f"{where}{key}", f"is not {wanted[keys[key]]}", "see docs/claim-sources.md")
            elif isinstance(value, list) and keys is not _TOP_KEYS and not all(isinstance(v, str) for v in value):
                self._add(f"{where}{key}", "holds something else than texts", "write each entry in quotes")
            else:
                good[key] = value
        return good

    def read(self) -> ColumnMapping:
        top = self._typed("", self._data, _TOP_KEYS)
        rows = top.get("rows", "adjacent")
        if rows not in ("adjacent", "anywhere"):
            self._add("rows", "is neither adjacent nor anywhere", "say whether the rows of a claim stand together")
        delimiter = top.get("delimiter", ",")
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            self._add("delimiter", "is not one ASCII character", 'write it like "," or "|" or "\\t"')
            delimiter = ","
        repeat, present = self._read_repeat(top.get("repeat", {}))
        date_format = top.get("date_format", "YYYY-MM-DD")
        self._check_date_format("date_format", date_format)
        sources: dict[str, Source] = {}
        for name, value in top.get("columns", {}).items():
            if name not in MAPPED_FIELDS:
                self._add(f"columns.{name}", "is no field of a claim line", f"use one of {', '.join(MAPPED_FIELDS)}")
                continue
            source = self._read_source(name, value, date_format, repeat)
            if source is not None:
                sources[name] = source
        self._check_fields({**top.get("columns", {}), **sources})
        nulls = [text for text in top.get("null", []) if isinstance(text, str)]
        if len(nulls) != len(top.get("null", [])):
            self._add("null", "holds something else than texts", "write each entry in quotes")
        return ColumnMapping(
            self._origin, sources, delimiter, rows == "adjacent", frozenset(["", *nulls]), repeat, present,
            tuple(self._read_leave_out(top.get("leave_out", []))),
        )  # fmt: skip

    def _read_repeat(self, table: dict[str, Any]) -> tuple[int, str]:
        good = self._typed("repeat.", table, {"count": int, "present": str})
        if not table:
            return 1, ""
        count, present = good.get("count", 1), good.get("present", "")
        if not 1 <= count <= 999:
            self._add("repeat.count", "is not from 1 to 999", "say how many lines stand in one row")
            count = 1
        if "{n}" not in present:
            self._add("repeat.present", "names no column with {n}", "name the column that a line that is there fills")
        return count, present

    def _read_leave_out(self, tables: list[Any]) -> Iterator[LeaveOut]:
        for i, table in enumerate(tables):
            if not isinstance(table, dict):
                self._add(f"leave_out[{i}]", "is no table", "write [[leave_out]]")
                continue
            keys = {"column": str, "equals": list, "blank": list, "filled": bool, "optional": bool}
            good = self._typed(f"leave_out[{i}].", table, keys)
            if "column" not in good or bool(good.get("equals")) == good.get("filled", False):
                mend = "name a column, and the texts to leave out or filled = true"
                self._add(f"leave_out[{i}]", "lacks column, or not just one of equals and filled", mend)
                continue
            equals, blank = frozenset(good.get("equals", ())), tuple(good.get("blank", ()))
            yield LeaveOut(good["column"], equals, blank, good.get("optional", False))

    def _read_source(self, name: str, value: Any, date_format: str, repeat: int) -> Source | None:
        where, known = f"columns.{name}", MAPPED_FIELDS[name]
        if isinstance(value, str):
            value = {"column": value}
        if not isinstance(value, dict):
            self._add(where, "is neither a column's name nor a table", 'write it like "NAME" or { column = "NAME" }')
            return None
        good = self._typed(f"{where}.", value, _KEYS)
        given = [key for key in ("column", "columns", "join", "first_of", "constant") if key in good]
        if len(given) != 1:
            what = "needs exactly one of column, columns, join, first_of and constant"
            self._add(where, what, "say where the values are")
            return None
        columns = [good["column"]] if "column" in good else [] if "constant" in good else good[given[0]]
        columns = [instance for column in columns for instance in _expand(column)]
        many = known.kind in (Kind.TEXTS, Kind.WHOLES)
        if "columns" in good and not many:
            self._add(where, "has one value, not several", "name one column, or join several")
        if any("{n}" in column for column in columns) and (repeat == 1 or known.of_claim):
            self._add(where, "holds {n} without lines that repeat", "add [repeat], for fields of a line")
        self._check_source(where, known, good)
        return Source(
            known, tuple(columns), given[0] if given[0] in ("join", "first_of") else "columns", good.get("constant"),
            good.get("date_format", date_format), good.get("values", {}), good.get("others"), good.get("blank"),
            good.get("optional", False), good.get("split", ""), good.get("amount", "dollars") == "dollars",
            good.get("pad", 0), good.get("differing") == "first", good.get("positive", False),
        )  # fmt: skip

    def _check_source(self, where: str, known: MappedField, good: dict[str, Any]) -> None:
        fits = {
            "date_format": known.kind is Kind.DATE,
            "split": known.kind in (Kind.TEXTS, Kind.WHOLES),
            "amount": known.kind is Kind.CENTS,
            "pad": known.kind in (Kind.TEXT, Kind.TEXTS),
            "differing": known.of_claim,
            "positive": known.kind is Kind.TRUTH,
        }
        for key, fit in fits.items():
            if key in good and not fit:
                self._add(f"{where}.{key}", "does not fit this field", "leave it out")
        if "date_format" in good:
            self._check_date_format(f"{where}.date_format", good["date_format"])
        if good.get("amount", "dollars") not in ("dollars", "cents"):
            self._add(f"{where}.amount", "is neither dollars nor cents", "say what the amounts count")
        if good.get("differing", "first") != "first":
            self._add(f"{where}.differing", "is not first", "leave it out, or take the first row's value")
        if not 0 <= good.get("pad", 0) <= 20:
            self._add(f"{where}.pad", "is not from 0 to 20", "say how many characters a code has")
        if not all(isinstance(v, str) for v in good.get("values", {}).values()):
            self._add(f"{where}.values", "holds something else than texts", "write each value in quotes")
        if known.kind is Kind.WORD:
            words = [good["constant"]] if "constant" in good else list(good.get("values", {}).values())
            for word in words:
                if word not in known.words:
                    self._add(where, "gives an unknown word", f"use one of {', '.join(known.words)}")

    def _check_date_format(self, where: str, text: str) -> None:
        pattern = date_pattern(text)
        groups = set(pattern.groupindex) if pattern else set()
        if not ({"year", "ordinal"} <= groups or ("year" in groups and "day" in groups and groups & {"month", "name"})):
            tokens = ", ".join(DATE_TOKENS)
            self._add(where, "does not name a year, a month and a day once each", f"use {tokens}, as in DD-MON-YYYY")

    def _check_fields(self, sources: Mapping[str, Any]) -> None:
        for name, known in MAPPED_FIELDS.items():
            if known.required and name not in sources:
                self._add(f"columns.{name}", "is missing", "every claim line needs it: name its column or a constant")
        if "procedure_code" not in sources and "revenue_code" not in sources:
            self._add("columns.procedure_code", "is missing", "name the column of the HCPCS or CPT code")
        if "line_diagnoses" in sources and "diagnosis_pointers" in sources:
            self._add("columns.line_diagnoses", "stands beside diagnosis_pointers", "keep one of the two")


def _expand(column: str) -> list[str]:
    """``DX{1..3}`` as DX1, DX2, DX3."""
    found = _RANGE.search(column)
    if found is None:
        return [column]
    first, last = int(found[1]), int(found[2])
    return [f"{column[: found.start()]}{n}{column[found.end() :]}" for n in range(first, last + 1)]


def date_pattern(text: str) -> re.Pattern[str] | None:
    """The pattern of a date format; None where a token comes twice."""
    pattern, rest = "", text
    while rest:
        token = next((t for t in DATE_TOKENS if rest.startswith(t)), "")
        pattern += DATE_TOKENS[token] if token else re.escape(rest[0])
        rest = rest[len(token) or 1 :]
    try:
        return re.compile(pattern)
    except re.error:
        return None

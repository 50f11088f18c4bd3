"""Where things stand in a TOML file: row and column of every value, which ``tomllib`` does not tell.

A walk over the tokens of the text. It trusts ``tomllib`` to refuse what is not TOML, and stops where it understands no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'(?P<space>[ \t\r]+|\#[^\n]*)|(?P<newline>\n)|(?P<text>"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<mark>[\[\]{}=,.])|(?P<bare>[^\s\[\]{}=,.\"'#]+)|(?P<odd>.)",
    re.S,
)
_BARE_VALUE = re.compile(
    r"true|false|[+-]?(inf|nan)|[+-]?(0|[1-9][\d_]*)(\.[\d_]+)?([eE][+-]?\d+)?|0[xob][\w]+|\d{4}-\d\d-\d\d.*|\d\d:\d\d.*"
)
_CODE = re.compile(r"[0-9A-Z]{1,7}")

DEEPEST = 40
"""Brackets and braces within each other; ``tomllib`` reads some hundreds before it runs out of stack."""


class Position(NamedTuple):
    """A place in a file, 1-based, as editors count."""

    row: int
    column: int


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


class BareCode(NamedTuple):
    """A code that stands without quotes where TOML wants a value."""

    position: Position
    text: str
    offset: int


class Positions:
    """Places of the values of one TOML text, by path: ``("rule", 0, "when", 2)``."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._text = text
        self._offsets: dict[Path, int] = {}
        self._keys: dict[Path, int] = {}
        self.bare_codes: list[BareCode] = []
        """Codes without quotes that are no TOML values, such as ``00100`` and ``J1100``."""
        self._tokens = [t for t in _tokens(text) if t.kind != "space"]
        self._at = 0
        self.too_deep = self._find_too_deep()
        """Where brackets stand deeper than any rule needs; nothing of such a text is read. None = nowhere."""
        if self.too_deep is None:
            self._walk()

    def of(self, path: Path) -> Position:
        """The place of a value, or of the nearest thing around it that is there."""
        while path and path not in self._offsets and path not in self._keys:
            path = path[:-1]
        return self._position(self._offsets.get(path, self._keys.get(path, 0)))

    def of_key(self, path: Path) -> Position:
        """The place of a key."""
        return self._position(self._keys[path]) if path in self._keys else self.of(path)

    def within(self, path: Path, character: int) -> Position:
        """The place of the ``character``-th character (0-based) of a text value."""
        offset = self._offsets.get(path)
        if offset is None:
            return self.of(path)
        raw = self._text
        opening = 3 if raw[offset : offset + 3] in ('"""', "'''") else 1
        escapes = raw[offset] == '"'
        offset += opening
        if opening == 3 and raw[offset : offset + 1] == "\n":
            offset += 1
        for _ in range(character):
            if escapes and raw[offset] == "\\":
                offset += {"u": 6, "U": 10}.get(raw[offset + 1], 2)
            else:
                offset += 1
        return self._position(offset)

    def quoted(self) -> str:
        """The text with every bare code in quotes, so that the other problems of the file can be found too."""
        parts, at = [], 0
        for code in self.bare_codes:
            parts.append(f'{self._text[at : code.offset]}"{code.text}"')
            at = code.offset + len(code.text)
        return "".join((*parts, self._text[at:]))

    def _position(self, offset: int) -> Position:
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= offset else (low, middle)
        return Position(low + 1, offset - self._starts[low] + 1)

    # the walk ------------------------------------------------------------------------------------------------------

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "", len(self._text))

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _find_too_deep(self) -> Position | None:
        depth = 0
        for token in self._tokens:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.text, 0)
            if depth > DEEPEST:
                return self._position(token.offset)
        return None

    def _walk(self) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        while self._peek().kind != "end":
            token = self._peek()
            if token.kind == "newline":
                self._at += 1
            elif token.text == "[":
                table = self._header(counts)
                self._to_line_end()
            else:
                self._pair(table)
                self._to_line_end()

    def _to_line_end(self) -> None:
        while self._peek().kind not in ("newline", "end"):
            self._at += 1

    def _header(self, counts: dict[Path, int]) -> Path:
        opening = self._next()
        is_array = self._peek().text == "[" and self._peek().offset == opening.offset + 1
        if is_array:
            self._at += 1
        path: Path = ()
        keys = [name for name, _ in self._key()]
        for i, name in enumerate(keys):
            path = (*path, name)
            if i == len(keys) - 1 and is_array:
                counts[path] = counts.get(path, -1) + 1
            if path in counts:
                path = (*path, counts[path])
        self._keys.setdefault(path, opening.offset)
        return path

    def _key(self) -> list[tuple[str, int]]:
        parts = []
        while self._peek().kind in ("bare", "text"):
            token = self._next()
            parts.append((token.text.strip("\"'") if token.kind == "text" else token.text, token.offset))
            if self._peek().text != ".":
                break
            self._at += 1
        return parts

    def _pair(self, table: Path) -> None:
        keys = self._key()
        path = table
        for name, offset in keys:
            path = (*path, name)
            self._keys.setdefault(path, offset)
        if keys and self._peek().text == "=":
            self._at += 1
            self._value(path)

    def _value(self, path: Path) -> None:
        token = self._peek()
        self._offsets[path] = token.offset
        if token.kind == "text":
            self._at += 1
        elif token.text == "[":
            self._array(path)
        elif token.text == "{":
            self._inline_table(path)
        elif token.kind == "bare":
            self._bare(token)

    def _array(self, path: Path) -> None:
        self._at += 1
        count = 0
        while self._peek().kind != "end" and self._peek().text != "]":
            before = self._at
            if self._peek().kind == "newline" or self._peek().text == ",":
                self._at += 1
                continue
            self._value((*path, count))
            count += 1
            if self._at == before:
                self._at += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._peek().kind not in ("end", "newline") and self._peek().text != "}":
            before = self._at
            self._pair(path)
            if self._peek().text == "," or self._at == before:
                self._at += 1
        self._at += 1

    def _bare(self, token: _Token) -> None:
        text = token.text
        self._at += 1
        while self._peek().text == "." or (self._peek().kind == "bare" and self._tokens[self._at - 1].text == "."):
            text += self._next().text
        if not _BARE_VALUE.fullmatch(text) and _CODE.fullmatch(text):
            self.bare_codes.append(BareCode(self._position(token.offset), text, token.offset))


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        yield _Token(match.lastgroup or "odd", match.group(), match.start())

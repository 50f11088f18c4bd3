"""Mutants of one condition sentence: a condition dropped, negated, its boundary moved, a code taken out of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.authored.sentences import OPERATORS, Token, read_tokens
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES, Kind

_PLURAL = {"includes": "include", "does": "do", "have": "include", "has": "include"}
_BOUNDARIES = {
    "is more than": "is at least", "is at least": "is more than", "is less than": "is at most", "is at most": "is less than",
    "is after": "is on or after", "is on or after": "is after", "is before": "is on or before", "is on or before": "is before",
}  # fmt: skip
_FURTHER = {"is more than": 1, "is at least": 1, "is less than": -1, "is at most": -1}
"""Which way a number is moved so that less matches; the change of the boundary itself lets more, or less, match."""
_DIGITS = re.compile(r"\d+")


class SentenceMutant(NamedTuple):
    """A changed sentence; ``sentence`` None = the whole sentence is dropped."""

    offset: int
    """Character (0-based) at which the change begins."""
    operator: str
    name: str
    """What tells the change from others of the sentence, for the mutant's id."""
    before: str
    after: str
    sentence: str | None


class _Test(NamedTuple):
    """One test of a sentence: tokens ``start`` to ``end``, of which ``words`` are the operator."""

    start: int
    end: int
    words: tuple[int, int]
    operator: str
    shape: str
    kind: Kind | None


def mutate_sentence(sentence: str) -> Iterator[SentenceMutant]:
    """Every mutant of a sentence that compiles, in the order of its words."""
    tokens = read_tokens(sentence)[:-1]
    for test in _tests(tokens):
        yield _drop(sentence, tokens, test)
        yield _negate(sentence, tokens, test)
        if test.operator in _BOUNDARIES:
            said = _BOUNDARIES[test.operator]
            yield _replace(sentence, tokens, test.words, said, "boundary", f"{tokens[test.start].text} {said}")
        yield from _values(sentence, tokens, test)


def _tests(tokens: Sequence[Token]) -> Iterator[_Test]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind != "word" or token.text in ("and", "or", "not"):
            at += 1
            continue
        attribute = ATTRIBUTES.get(token.text)
        kind = attribute.kind if attribute else Kind.TEXT
        operator, after, shape = _operator(tokens, at + 1, kind)
        end = _end_of_values(tokens, after, shape)
        yield _Test(at, end, (at + 1, after), operator, shape, kind)
        at = end


def _operator(tokens: Sequence[Token], at: int, kind: Kind) -> tuple[str, int, str]:
    """The longest operator that stands at a token, the place after it, and the shape of its values."""
    best, after, shape = "", at, "none"
    choices = {**{words: s for words, (_, s, _) in OPERATORS[kind].items()}, "is known": "none", "is unknown": "none"}
    for words, of in choices.items():
        parts = words.split()
        here = [_PLURAL.get(t.text, t.text) for t in tokens[at : at + len(parts)]]
        if here == parts and len(parts) > len(best.split()):
            best, after, shape = words, at + len(parts), of
    return best, after, shape


def _end_of_values(tokens: Sequence[Token], at: int, shape: str) -> int:
    if shape == "none":
        return at
    if shape == "two":
        return at + 3
    if shape != "many":
        return at + 1
    while at < len(tokens) and tokens[at].text != "]":
        at += 1
    return at + 1


def _ends(tokens: Sequence[Token], first: int, after: int) -> tuple[int, int]:
    """Characters from the token ``first`` to the last one before ``after``."""
    last = tokens[after - 1]
    return tokens[first].offset, last.offset + len(last.text)


def _replace(
    sentence: str, tokens: Sequence[Token], place: tuple[int, int], by: str, operator: str, name: str
) -> SentenceMutant:
    start, end = _ends(tokens, *place)
    return SentenceMutant(start, operator, name, sentence[start:end], by, sentence[:start] + by + sentence[end:])


def _drop(sentence: str, tokens: Sequence[Token], test: _Test) -> SentenceMutant:
    """The sentence without one test, with the ``and`` or ``or`` that binds it, and parentheses around it alone."""
    first, after = test.start, test.end
    while True:
        while first and tokens[first - 1].text == "not" and tokens[first - 1].kind == "word":
            first -= 1
        if not (first and after < len(tokens) and tokens[first - 1].text == "(" and tokens[after].text == ")"):
            break
        first, after = first - 1, after + 1
    begin, end = _ends(tokens, test.start, test.end)
    said = sentence[begin:end]
    before = tokens[first - 1].text if first else ""
    behind = tokens[after].text if after < len(tokens) else ""
    if before == "and" or (before == "or" and behind != "and"):
        first -= 1
    elif behind in ("and", "or"):
        after += 1
    if first == 0 and after == len(tokens):
        return SentenceMutant(begin, "condition", said, said, "", None)
    start, stop = _ends(tokens, first, after)
    rest = f"{sentence[:start].rstrip()} {sentence[stop:].lstrip()}".replace("( ", "(").replace(" )", ")").strip()
    return SentenceMutant(begin, "condition", said, said, "", rest)


def _negate(sentence: str, tokens: Sequence[Token], test: _Test) -> SentenceMutant:
    said = tokens[test.start].text
    if test.operator in ("is known", "is unknown"):
        by = "is unknown" if test.operator == "is known" else "is known"
        return _replace(sentence, tokens, test.words, by, "negation", f"{said} {by}")
    words = OPERATORS[test.kind or Kind.TEXT]
    name, shape, negated = words[test.operator]
    opposites = [w for w, (n, s, other) in words.items() if (n, s) == (name, shape) and other != negated]
    if opposites:
        return _replace(sentence, tokens, test.words, opposites[0], "negation", f"{said} {opposites[0]}")
    start, _ = _ends(tokens, test.start, test.end)
    before = sentence[slice(*_ends(tokens, test.start, test.words[1]))]
    return SentenceMutant(
        start, "negation", f"not {before}", before, f"not {before}", f"{sentence[:start]}not {sentence[start:]}"
    )


def _values(sentence: str, tokens: Sequence[Token], test: _Test) -> Iterator[SentenceMutant]:
    said, values = tokens[test.start].text, range(test.words[1], test.end)
    if test.shape == "many":
        items = [i for i in values if tokens[i].text not in ("[", "]", ",")]
        for place, i in enumerate(items if len(items) > 1 else ()):
            first, after = (i, i + 2) if place < len(items) - 1 else (i - 1, i + 1)
            start, end = tokens[first].offset, tokens[after].offset
            text = tokens[i].text
            rest = sentence[:start].rstrip() + (" " if place and first == i else "") + sentence[end:]
            yield SentenceMutant(tokens[i].offset, "code", f"{said} {text}", text, "", rest)
        return
    for i in values:
        token = tokens[i]
        name = f"{said} {token.text}"
        if token.kind == "date":
            for days in (-1, 1):
                yield _replace(
                    sentence,
                    tokens,
                    (i, i + 1),
                    format_day(parse_day(token.text) + days),
                    "date",
                    f"{name} {days:+d} day",
                )
        elif token.kind == "number" and test.operator in _FURTHER:
            step = _FURTHER[test.operator]
            yield _replace(sentence, tokens, (i, i + 1), _moved(token.text, step), "boundary", f"{name} {step:+d}")
        elif token.kind == "number" and test.shape == "two":
            for step in (-1, 1):
                yield _replace(sentence, tokens, (i, i + 1), _moved(token.text, step), "boundary", f"{name} {step:+d}")
        elif token.kind == "text" and test.shape == "two":
            moved = move_code(token.text, 1 if i == test.words[1] else -1)
            if moved:
                yield _replace(sentence, tokens, (i, i + 1), moved, "code", f"{name} narrower")


def _moved(number: str, step: int) -> str:
    whole, point, rest = number.partition(".")
    return f"{max(0, int(whole) + step)}{point}{rest}"


def move_code(code: str, step: int) -> str:
    """The next code, or the one before: the last group of digits counts. Empty where there is none of the same length."""
    groups = list(_DIGITS.finditer(code))
    if not groups:
        return ""
    last = groups[-1]
    number = int(last.group()) + step
    text = str(number).zfill(len(last.group()))
    return "" if number < 0 or len(text) > len(last.group()) else code[: last.start()] + text + code[last.end() :]

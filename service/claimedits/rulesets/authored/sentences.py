"""Condition sentences: ``line.modifiers include "50" and line.units is more than 1`` (rules/README.md, "Conditions").

A sentence is read into a ``Condition``; every word is checked against the vocabulary, every value against the attribute's type.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from claimedits.model.dates import parse_day
from claimedits.rulesets.authored.rule import All, Any_, Condition, Test, negate
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES, CODE_FORMS, SUBJECTS, Attribute, Kind

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"[^\"]*\"|'[^']*')|(?P<date>\d{4}-\d{2}-\d{2})(?![\w.])|(?P<number>\d+(?:\.\d+)?)(?![\w])"
    r"|(?P<word>[A-Za-z0-9_][\w.\-]*)|(?P<sign>[\[\](),]|[<>=!]=?|&&|\|\||.))",
    re.S,
)

_UNARY = {"is known": "known", "is unknown": "unknown"}
OPERATORS: dict[Kind, dict[str, tuple[str, str, bool]]] = {
    Kind.TEXT: {
        "is": ("text_in", "one", False),
        "is not": ("text_in", "one", True),
        "is one of": ("text_in", "many", False),
        "is not one of": ("text_in", "many", True),
        "is between": ("text_between", "two", False),
        "is not between": ("text_between", "two", True),
        "is in list": ("text_in_list", "list", False),
        "is not in list": ("text_in_list", "list", True),
        "is in family": ("text_in_family", "family", False),
        "is not in family": ("text_in_family", "family", True),
        "starts with": ("text_starts", "one", False),
    },
    Kind.TEXTS: {
        "include": ("texts_any", "one", False),
        "do not include": ("texts_any", "one", True),
        "include any of": ("texts_any", "many", False),
        "include none of": ("texts_any", "many", True),
        "include all of": ("texts_all", "many", False),
        "include two or more of": ("texts_two", "many", False),
        "include exactly one of": ("texts_one", "many", False),
        "include only": ("texts_only", "many", False),
        "include any in list": ("texts_any_in_list", "list", False),
        "include none in list": ("texts_any_in_list", "list", True),
        "include two or more in list": ("texts_two_in_list", "list", False),
        "include any starting with": ("texts_starts", "one", False),
        "include any not in force by list": ("texts_not_in_force", "list", False),
        "are empty": ("texts_empty", "none", False),
        "are not empty": ("texts_empty", "none", True),
    },
    Kind.NUMBER: {
        "is": ("number_is", "one", False),
        "is not": ("number_is", "one", True),
        "is more than": ("number_more", "one", False),
        "is at most": ("number_more", "one", True),
        "is less than": ("number_less", "one", False),
        "is at least": ("number_less", "one", True),
        "is between": ("number_between", "two", False),
        "is not between": ("number_between", "two", True),
    },
    Kind.DATE: {
        "is": ("date_is", "one", False),
        "is not": ("date_is", "one", True),
        "is after": ("date_after", "one", False),
        "is on or before": ("date_after", "one", True),
        "is before": ("date_before", "one", False),
        "is on or after": ("date_before", "one", True),
        "is between": ("date_between", "two", False),
    },
    Kind.TRUTH: {"is true": ("truth", "none", False), "is false": ("truth", "none", True)},
}
"""Operators by the attribute's type: words → (canonical name, how many values, negated)."""
_EVERY_OPERATOR = frozenset(words for operators in OPERATORS.values() for words in operators)
DEEPEST = 20
"""How deep 'not' and parentheses may stand within each other in one sentence."""

_SYNONYMS = {
    "equals": "is", "equal": "is", "equal to": "is", "is equal to": "is", "contains": "include", "contain": "include",
    "is in": "is one of", "in": "is one of", "is greater than": "is more than", "begins with": "starts with",
}  # fmt: skip
_SIGNS = {
    "=": "is", "==": "is", "!=": "is not", ">": "is more than", "<": "is less than", ">=": "is at least", "<=": "is at most",
    "&&": "and", "||": "or", "!": "not",
}  # fmt: skip


class SentenceError(Exception):
    """A sentence that cannot be read: at which character (0-based), what is wrong, how to mend it."""

    def __init__(self, offset: int, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.offset, self.what, self.mend = offset, what, mend


class Token(NamedTuple):
    kind: str
    text: str
    offset: int


@dataclass(slots=True, frozen=True)
class Scope:
    """What a sentence may name, where it stands."""

    subjects: tuple[str, ...]
    """``line``, ``claim`` …"""
    lists: Collection[str]
    families: Collection[str] | None
    """Names of the code families of the conventions; None = not at hand, so not checked."""
    is_switch: Callable[[str], bool]


def read_sentence(sentence: str, scope: Scope) -> Condition:
    """The condition that a sentence states.

    Raises:
        SentenceError: at the first place that cannot be understood.
    """
    reader = _Reader(sentence, scope)
    condition = reader.alternatives()
    if reader.token.kind != "end":
        reader.refuse_rest()
    return condition


def read_tokens(sentence: str) -> list[Token]:
    """The words of a sentence, ended by one token of kind ``end``."""
    tokens = []
    for match in _TOKEN.finditer(sentence):
        kind = match.lastgroup
        if kind is not None and match.group(kind).strip():
            tokens.append(Token(kind, match.group(kind), match.start(kind)))
    return [*tokens, Token("end", "", len(sentence.rstrip()))]


def suggest(word: str, words: Collection[str]) -> str:
    """``did you mean …``, or the words to choose from when they are few."""
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"use one of {', '.join(sorted(words))}" if 0 < len(words) <= 15 else ""


class _Reader:
    """Recursive descent over one sentence: or, and, not, parentheses, tests."""

    def __init__(self, sentence: str, scope: Scope) -> None:
        self._tokens = read_tokens(sentence)
        self._at = 0
        self._depth = 0
        self._scope = scope

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def _take(self, text: str) -> bool:
        if self.token.kind in ("word", "sign") and self.token.text == text:
            self._at += 1
            return True
        return False

    def refuse_rest(self) -> None:
        token = self.token
        if token.text in _SIGNS:
            raise SentenceError(
                token.offset, f"{token.text} is not a word of the language", f"write '{_SIGNS[token.text]}'"
            )
        raise SentenceError(
            token.offset, f"{token.text} is not expected here", "join two conditions with 'and' or 'or'"
        )

    def alternatives(self) -> Condition:
        parts = [self._conjunction()]
        while self._take("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Any_(tuple(parts))

    def _conjunction(self) -> Condition:
        parts = [self._part()]
        while self._take("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _part(self) -> Condition:
        token = self.token
        if token.text not in ("not", "("):
            return self._test()
        self._depth += 1
        if self._depth > DEEPEST:
            raise SentenceError(
                token.offset, f"'not' and parentheses stand more than {DEEPEST} deep", "split the rule into several"
            )
        condition = negate(self._part()) if self._take("not") else self._parenthesis()
        self._depth -= 1
        return condition

    def _parenthesis(self) -> Condition:
        self._take("(")
        condition = self.alternatives()
        if not self._take(")"):
            raise SentenceError(self.token.offset, "a parenthesis is not closed", "write ) after the last condition")
        return condition

    def _test(self) -> Condition:
        token = self.token
        attribute = self._attribute()
        words = OPERATORS[attribute.kind]
        operator, after = self._operator([*words, *_UNARY])
        start = self.token.offset
        if operator is None:
            self._refuse_operator(attribute, words)
        assert operator is not None
        longer = self._operator(_EVERY_OPERATOR)[0] or operator
        if operator not in _UNARY and longer not in words and len(longer.split()) > len(operator.split()):
            self._refuse_operator(attribute, words)  # "is more than", asked of a text
        said, meant = self._misspelt(words)
        self._at = after
        if operator in _UNARY:
            if not attribute.may_be_unknown:
                raise SentenceError(token.offset, f"{attribute.name} is always known", "leave the condition out")
            return Test(attribute.name, "known", (), _UNARY[operator] == "unknown")
        name, shape, negated = words[operator]
        if meant and shape in ("one", "two", "many") and self.token.kind == "word":  # "is one off": not "is" and a text
            raise SentenceError(start, f"'{said}' is no operator", f"did you mean '{meant}'?")
        return Test(attribute.name, name, self._values(attribute, name, shape), negated)

    def _attribute(self) -> Attribute:
        token = self.token
        self._at += 1
        name = token.text
        if token.kind != "word" or "." not in name:
            raise SentenceError(
                token.offset,
                f"{name or 'the sentence ends'} where an attribute is expected"
                if name
                else "the sentence ends too early",
                "begin with an attribute, such as line.procedure_code",
            )
        subject = name.partition(".")[0]
        if subject == "switch" and "switch" in self._scope.subjects:
            if not self._scope.is_switch(name.partition(".")[2]):
                raise SentenceError(
                    token.offset, f"there is no switch {name.partition('.')[2]}", "state it in switches.csv"
                )
            return Attribute(name, Kind.TEXT, "")
        if subject not in self._scope.subjects:
            allowed = ", ".join(self._scope.subjects)
            where = SUBJECTS.get(subject)
            what = f"{name} cannot be asked here" if where else f"{name} is no attribute"
            near = suggest(name, [n for n in ATTRIBUTES if n.partition(".")[0] in self._scope.subjects])
            raise SentenceError(
                token.offset,
                what,
                f"{subject} means {where}" if where else near or f"attributes begin with {allowed}",
            )
        attribute = ATTRIBUTES.get(name)
        if attribute is None:
            known = [n for n in ATTRIBUTES if n.startswith(f"{subject}.")]
            raise SentenceError(token.offset, f"{name} is no attribute", suggest(name, known))
        return attribute

    def _operator(self, choices: Collection[str]) -> tuple[str | None, int]:
        """The longest operator that stands here, and the place after it. ``includes`` and ``does`` are read as the plural."""
        plural = {"includes": "include", "does": "do", "have": "include", "has": "include", "are": "are"}
        best, after = None, self._at
        for choice in choices:
            words = choice.split()
            tokens = self._tokens[self._at : self._at + len(words)]
            if [plural.get(t.text, t.text) if t.kind == "word" else "" for t in tokens] == words and (
                best is None or len(words) > len(best.split())
            ):
                best, after = choice, self._at + len(words)
        return best, after

    def _refuse_operator(self, attribute: Attribute, words: Collection[str]) -> None:
        token = self.token
        if token.kind == "end":
            raise SentenceError(
                token.offset,
                f"the sentence ends after {attribute.name}",
                f"say what it {next(iter(words))} …",
            )
        said = _SIGNS.get(token.text)
        if said in words:
            raise SentenceError(token.offset, f"{token.text} is not a word of the language", f"write '{said}'")
        rest = " ".join(t.text for t in self._tokens[self._at : self._at + 3] if t.kind == "word")
        _, meant = self._misspelt(words)
        raise SentenceError(
            token.offset,
            f"{attribute.name} is {attribute.kind.value}; it cannot be asked whether it '{rest or token.text}'",
            (f"did you mean '{meant}'? " if meant else "") + f"it can be asked: {', '.join(sorted(words))}",
        )

    def _misspelt(self, words: Collection[str]) -> tuple[str, str]:
        """The words that stand where an operator should, and the operator that they nearly are; empty where none is near."""
        standing: list[str] = []
        for token in self._tokens[self._at :]:
            if token.kind != "word" or "." in token.text:
                break
            standing.append(token.text)
        for count in range(len(standing), 0, -1):
            said = " ".join(standing[:count])
            if said in words:
                break
            meant = _SYNONYMS.get(said, "")
            choices = [choice for choice in words if len(choice.split()) == count]
            near = [meant] if meant in words else difflib.get_close_matches(said, choices, n=1, cutoff=0.75)
            if near:
                return said, near[0]
        return "", ""

    def _values(self, attribute: Attribute, operator: str, shape: str) -> tuple[Any, ...]:
        if shape == "none":
            return ()
        if shape == "list":
            return (self._name(self._scope.lists, "list", "add lists/{name}.csv, or correct the name"),)
        if shape == "family":
            return (
                self._name(
                    self._scope.families,
                    "code family",
                    "families stand in ncci-conventions/code-families.csv",
                ),
            )
        if shape == "many":
            return self._many(attribute, operator)
        first = self._value(attribute, operator)
        if shape == "one":
            return (first,)
        if not self._take("and"):
            raise SentenceError(self.token.offset, "'between' names two values", "write: is between … and …")
        token = self.token
        second = self._value(attribute, operator)
        if second < first:
            raise SentenceError(
                token.offset,
                "the second value of 'between' is the smaller one",
                "write the smaller value first",
            )
        return first, second

    def _name(self, known: Collection[str] | None, what: str, mend: str) -> str:
        token = self.token
        self._at += 1
        name = token.text.strip("\"'")
        if token.kind not in ("word", "text"):
            raise SentenceError(token.offset, f"the name of a {what} is missing", f"write the name of the {what}")
        if known is not None and name not in known:
            near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
            raise SentenceError(
                token.offset,
                f"there is no {what} {name}",
                f"did you mean {near[0]}?" if near else mend.format(name=name),
            )
        return name

    def _many(self, attribute: Attribute, operator: str) -> tuple[Any, ...]:
        opening = self.token
        if not self._take("["):
            raise SentenceError(opening.offset, "several values stand in brackets", 'write them like ["LT", "RT"]')
        values = []
        while not self._take("]"):
            values.append(self._value(attribute, operator))
            if not self._take(",") and self.token.text != "]":
                raise SentenceError(
                    self.token.offset, "a comma or ] is missing", "separate values by commas, close with ]"
                )
        if not values:
            raise SentenceError(opening.offset, "the brackets are empty", "name at least one value")
        return tuple(dict.fromkeys(values))

    def _value(self, attribute: Attribute, operator: str) -> Any:
        token = self.token
        self._at += 1
        if token.kind == "end":
            raise SentenceError(
                token.offset, f"the value for {attribute.name} is missing", f"write {attribute.kind.value}"
            )
        if attribute.kind in (Kind.TEXT, Kind.TEXTS):
            return _text_value(attribute, operator, token)
        if attribute.kind is Kind.NUMBER:
            if token.kind != "number":
                raise SentenceError(
                    token.offset,
                    f"{attribute.name} is a number; {token.text} is not",
                    "write a number without quotes, such as 2",
                )
            return Decimal(token.text)
        try:
            return parse_day(token.text.strip("\"'"))
        except ValueError:
            raise SentenceError(
                token.offset, f"{attribute.name} is a date; {token.text} is not", "write it like 2024-07-01"
            ) from None


def _text_value(attribute: Attribute, operator: str, token: Token) -> str:
    if token.kind != "text":
        noun = "codes" if attribute.code else "texts"
        raise SentenceError(
            token.offset, f"{token.text} stands without quotes", f'write {noun} in quotes: "{token.text}"'
        )
    text = token.text[1:-1]
    if attribute.words and text not in attribute.words:
        raise SentenceError(token.offset, f"{attribute.name} is never {token.text}", suggest(text, attribute.words))
    if not attribute.code or operator in ("text_starts", "texts_starts"):
        if not text and ".fee_schedule." not in attribute.name:
            raise SentenceError(
                token.offset,
                "the text is empty",
                f"to ask whether it was sent, write: {attribute.name} is known",
            )
        return text.replace(".", "") if attribute.code == "diagnosis" else text
    pattern, form = CODE_FORMS[attribute.code]
    if not pattern.fullmatch(text):
        raise SentenceError(token.offset, f"{token.text} is not a {attribute.code} code", form)
    return text.replace(".", "") if attribute.code == "diagnosis" else text

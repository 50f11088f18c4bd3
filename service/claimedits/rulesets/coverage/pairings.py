"""Sentences that ask for two diagnoses: of two lists, or of one (semantics.md §D.3)."""

from __future__ import annotations

import re

from claimedits.rulesets.coverage.statement import NONE, Codes, Says, Statement, any_of

_TOGETHER = re.compile(
    r"\b(?:in\s+addition\s+to|along\s+with|together\s+with|in\s+(?:conjunction|combination)\s+with|accompanied\s+by|as\s+well\s+as|with|and)\s+"
    r"(?:at\s+least\s+)?(?:one|any|another|an?)\b[^.]*\b(?:below|following|listed|other|group|list)\b",
    re.IGNORECASE,
)
_MUST = re.compile(r"\b(?:must|requires?|required|shall|should|need(?:s|ed)?)\b", re.IGNORECASE)
_PAIRING = any_of(
    r"\bprimary\b", r"\bsecondary\b", r"\bdual\b", r"\bboth\b", r"\bin\s+addition\b", r"\balong\s+with\b", r"\btogether\s+with\b",
    r"\bcombination\b", r"\bpaired?\b", r"\baccompan", r"\bplus\b", r"\bfrom\s+each\b", r"\band\s+(?:an?|one|at\s+least)\b",
    r"\brequires?\s+(?:an?|one|any|at\s+least)\b",
    r"\bconjunction\b", r"\bunderlying\b", r"\b(?:two|2)\s+(?:diagnos|ICD|codes)", r"\badditional\s+(?:diagnos|ICD|code)",
)  # fmt: skip
PROCEDURE_GROUP = re.compile(
    r"\b(?:CPT|HCPCS|procedure)\b[^.;:]{0,40}?\bgroups?\s*#?\s*(\d{1,3})\b|\bgroups?\s*#?\s*(\d{1,3})\s+(?:\(?(?:CPT|HCPCS|procedure))",
    re.IGNORECASE,
)
_MODIFIERS = re.compile(r"\bmodifiers?\b\W*((?:[A-Z][0-9A-Z](?![A-Z0-9])(?:\W|\band\b|\bor\b)*)+)")


def read_pairing(sentence: str, number: int, diagnoses: Codes) -> Statement | None:
    """Pairs of groups, and pairs within a group; None where the sentence pairs nothing."""
    if _OPTIONAL.search(sentence):
        return None
    procedure_groups = {n for match in PROCEDURE_GROUP.findall(sentence) for n in match if n}
    numbers = list(dict.fromkeys(int(n) for n in _group_numbers(sentence) if n not in procedure_groups))
    if [n for n in numbers if n != number] and _PAIRING.search(sentence) and _MUST_OR_PAIR.search(sentence):
        paired = _pair_groups(sentence, number, numbers)
        if paired is None or _IF_IT_APPLIES.search(sentence):
            return Statement(Says.UNREAD, secondaries=tuple(numbers), sentence=sentence)
        primary, secondaries = paired
        return Statement(
            Says.PAIR_GROUPS,
            primary=primary,
            secondaries=secondaries,
            any_order=not _CALLED.search(sentence),
            diagnoses=diagnoses if primary == number else NONE,
            words=lifting_modifiers(sentence),
            sentence=sentence,
        )
    if diagnoses and _MUST.search(sentence) and _TOGETHER.search(sentence):
        return Statement(Says.PAIR_CODE, diagnoses=diagnoses, words=lifting_modifiers(sentence), sentence=sentence)
    return None


_MUST_OR_PAIR = any_of(
    _MUST.pattern, r"\breport\b", r"\brefer\s+to\b", r"\bbilled\b", r"\breported\b", r"\bsubmit", r"\bboth\b"
)
_GROUP_LIST = re.compile(
    r"\bgroups?\s*#?\s*(\d{1,3}(?:(?:\s*(?:,|\bor\b|\band\b|and/or|/|&)\s*)+#?\d{1,3}\b)*)", re.IGNORECASE
)
_JOINS = re.compile(
    r"\band\s+(?:also\s+)?(?:an?|one|any|at\s+least)\b|\bplus\b|\bin\s+addition\s+to\b|\balong\s+with\b|\btogether\s+with\b|\bwith\b|\baccompanied\s+by\b"
    r"|\brequires?\b|\brefer\s+to\b|\bin\s+conjunction\s+with\b",
    re.IGNORECASE,
)
_OPTIONAL = re.compile(r"\bwith\s+or\s+without\b|\band/or\b[^.]*\bgroup\b|\beither\s+alone\b", re.IGNORECASE)
_IF_IT_APPLIES = re.compile(
    r"\b(?:when|if|where|as)\s+(?:it\s+is\s+|they\s+are\s+)?(?:applicable|appropriate|indicated|needed|available)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\b(?:primary|principal|secondary)\b", re.IGNORECASE)
_SECONDARY_TO = re.compile(r"\bsecondary\s+(?:(?:diagnos\w+|codes?|ICD\S*)\s+)*to\b", re.IGNORECASE)
"""``as secondary to a code of group 1``: the group that follows is the primary one."""
UNNAMED = "?"
"""In ``words``: the sentence lifts the pairing by modifiers that it does not name."""


def _group_numbers(sentence: str) -> list[str]:
    return [n for match in _GROUP_LIST.findall(sentence) for n in re.findall(r"\d+", match)]


def _pair_groups(sentence: str, number: int, numbers: list[int]) -> tuple[int, tuple[int, ...]] | None:
    """The primary group and its secondary ones; None where the sentence leaves it open."""
    beneath = _SECONDARY_TO.search(sentence)
    if beneath:
        primaries = [int(n) for n in _group_numbers(sentence[beneath.end() :])]
        secondaries = [int(n) for n in _group_numbers(sentence[: beneath.start()])] or [number]
        return (primaries[0], tuple(secondaries)) if len(primaries) == 1 and primaries[0] not in secondaries else None
    called = _called_groups(sentence)
    if "primary" in called and "secondary" in called:
        (primary, *more), secondaries = called["primary"], called["secondary"]
        return None if more or primary in secondaries else (primary, tuple(secondaries))
    if "secondary" in called:
        secondaries = called["secondary"]
        rest = [n for n in numbers if n not in secondaries] or [number]
        return (rest[0], tuple(secondaries)) if len(rest) == 1 and rest[0] not in secondaries else None
    if "primary" in called:
        rest = [n for n in numbers if n not in called["primary"]] or [number]
        return (
            (called["primary"][0], tuple(rest)) if len(called["primary"]) == 1 and called["primary"] != rest else None
        )
    for join in _JOINS.finditer(sentence):
        left = [int(n) for n in _group_numbers(sentence[: join.start()])]
        right = [int(n) for n in _group_numbers(sentence[join.end() :])]
        if len(set(left)) == 1 and right and not set(left) & set(right):
            if len(set(right)) > 1 and not re.search(r"\bor\b", sentence[join.end() :], re.IGNORECASE):
                return None
            return left[0], tuple(dict.fromkeys(right))
        if not left and len(set(right)) == 1 and right[0] != number:
            return number, (right[0],)
    if len(numbers) == 2 and re.search(r"\bboth\b", sentence, re.IGNORECASE):
        return numbers[0], (numbers[1],)
    return None


def _called_groups(sentence: str) -> dict[str, list[int]]:
    """Groups that are called primary or secondary: the first list of numbers after the word, before the other word."""
    found: dict[str, list[int]] = {}
    words = list(re.finditer(r"\b(primary|secondary)\b", sentence, re.IGNORECASE))
    for i, word in enumerate(words):
        until = words[i + 1].start() if i + 1 < len(words) else len(sentence)
        match = _GROUP_LIST.search(sentence, word.end(), until)
        if match:
            found.setdefault(word[1].lower(), [int(n) for n in re.findall(r"\d+", match[1])])
    return found


def lifting_modifiers(sentence: str) -> tuple[str, ...]:
    """Modifiers that lift a pairing, where its own sentence says so."""
    if not re.search(r"\bmodifiers?\b", sentence, re.IGNORECASE):
        return ()
    named = _MODIFIERS.search(sentence)
    if named:
        return tuple(re.findall(r"\b[A-Z][0-9A-Z]\b", named[1]))
    return CLASS_FINDINGS if _CLASS_FINDINGS.search(sentence) else (UNNAMED,)


CLASS_FINDINGS = ("Q7", "Q8", "Q9")
"""Class findings of routine foot care, which texts call "a Q modifier" (100-02 ch. 15 §290)."""
_CLASS_FINDINGS = re.compile(r"\bQ\s+modifiers?\b|\bclass\s+findings?\s+modifiers?\b", re.IGNORECASE)

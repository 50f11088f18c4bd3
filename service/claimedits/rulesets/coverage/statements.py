"""What one sentence of a group paragraph states, where it states anything an edit can use (semantics.md §D.2, §D.3).

Grammar, not exceptions: the patterns are the turns of phrase of billing and coding articles. A sentence that speaks of
pairing, order or exceptions in words that no pattern knows is UNREAD, and what it stands over goes to REVIEW.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from claimedits.rulesets.coverage.paragraphs import (
    every_procedure_code,
    find_diagnoses,
    find_procedure_codes,
    is_bare_list,
    names_any_procedure,
)

Codes = frozenset[str]
NONE: Codes = frozenset()


class Says(Enum):
    """Kinds of statement."""

    NOTHING = "nothing that decides an edit"
    FREE = "no diagnosis list restricts the codes"
    DENIED = "the codes are denied whatever the diagnosis"
    DENIED_IF = "the codes are denied under a condition that the claim does not show"
    DENIED_HERE = "the codes are denied for what the whole document is about"
    OPEN = "the codes may be covered for more than the lists say"
    SETTING = "the codes are for some claim types only"
    SCOPE = "the list is for the codes"
    DIAGNOSIS_SCOPE = "the diagnoses are for the codes only"
    DIAGNOSIS_UNREAD = "something about the diagnoses that was not understood"
    NEEDS_SECONDARY = "the diagnoses need another diagnosis, which is not named"
    PAIR_GROUPS = "a code of one group and a code of another are required"
    PAIR_CODE = "a named diagnosis and another of the same group are required"
    PAIR_HINT = "two diagnoses are required, said without naming the lists"
    PAIR_EXEMPT = "no second diagnosis is required for the codes"
    PAIR_WAIVED = "no second diagnosis is required beside the modifiers"
    UNREAD = "something about the list that was not understood"


@dataclass(frozen=True)
class Statement:
    """What a sentence says. Empty ``codes``: it names no governed code."""

    says: Says
    codes: Codes = NONE
    beside: Codes = NONE
    """DENIED: only on claims that bill one of these codes too."""
    diagnoses: Codes = NONE
    primary: int = 0
    """PAIR_GROUPS: number of the group of primary diagnoses. SCOPE: of the list that is meant, where not the paragraph's own."""
    secondaries: tuple[int, ...] = ()
    """PAIR_GROUPS: groups of secondary diagnoses; any one of them. UNREAD: the groups that the sentence names."""
    words: tuple[str, ...] = ()
    """SETTING: claim types; PAIR_WAIVED: modifiers."""
    sentence: str = field(default="", compare=False)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


_ICD = r"(?:ICD[- ]?10(?:[- ]CM)?\s+)?"
_BOILERPLATE = _any(
    r"responsibility of the provider to code",
    r"provider['’`]?s?['’`]? responsibility to (?:select|code|ensure)",
    r"highest (?:level|degree) of specific\w+|highest level specified",
    r"does not (?:assure|guarantee|ensure) (?:coverage|reimbursement|payment)",
    r"must be reasonable and necessary in the specific case",
    r"refer to the long descriptors",
    r"patient['’]s medical record must|documentation (?:is|must|should|in the)|must be documented|supportive documentation",
    r"is excerpted from|quoted material",
    r"not enough to link|must be present (?:for|on|in) (?:the|a|any|each|every) (?:procedure|service|test|claim|medical|patient)",
    r"\b(?:if|when|unless|provided)\b[^.]*\b(?:criteria|requirements|indications|conditions|guidelines|limitations)\b[^.]*\b(?:met|LCD|NCD|policy|satisfied|article)\b",
    r"\b(?:must|should)\s+(?:best\s+)?(?:describe|reflect|represent|match|correspond)\b",
    r"\ban?\s+(?:valid\s+)?(?:ICD\S*\s+)?(?:diagnosis\s+)?code\s+must\s+be\s+(?:reported|submitted|present|included)\s+(?:on|with)\s+(?:each|every|all|the|any)\s+claims?",
)
_FREE = _any(
    rf"not\s+(?:be\s+)?(?:restricted|limited)\s+(?:to|by)\s+(?:(?:the|these|those|any|a|specific|following)\s+)*{_ICD}(?:diagnos|ICD)",
    rf"\b(?:no|not\s+have(?:\s+(?:any|a))?|without(?:\s+any)?)\s+(?:specific\s+|current\s+)?{_ICD}(?:diagnosis|procedure[- ]to[- ]diagnosis)"
    r"(?:\s+codes?|\s+coding)?(?:[- ]to[- ]procedure(?:\s+codes?)?)?\s*(?:limit|restrict|requirement|edit|[a-z]{0,12}…)",
    r"\bdiagnos\w+(?:\s+\w+){0,3}\s+(?:do|does|will|are|is)\s+not\s+(?:apply|required|be\s+applied)",
    rf"not\s+(?:be\s+)?subject\s+to\s+(?:(?:the|these|any|procedure[- ]to)[\s-]+)*{_ICD}(?:diagnos|ICD)",
    rf"\b(?:do|does|will)\s+not\s+(?:require|need)\s+(?:(?:a|an|any|specific)\s+)*{_ICD}diagnos",
    r"\bnot\s+(?:be\s+)?diagnos\w+[- ](?:code\s+)?(?:restricted|limited|driven|dependent|specific)",
    r"\bexempt\s+from\s+(?:(?:the|these|any|procedure[- ]to)[\s-]+)*(?:ICD|diagnos)",
    r"\b(?:with|for)\s+any\s+(?:appropriate\s+|valid\s+)?(?:ICD\S*\s+)?diagnos",
)
_DENIED = _any(
    r"\bnon-?\s?covered\b",
    r"\b(?:not|no\s+longer)\s+(?:be\s+)?(?:an?\s+)?(?:currently\s+)?covered\b",
    r"\bnot\s+(?:be\s+)?(?:considered\s+)?(?:to\s+be\s+)?(?:medically\s+)?(?:reasonable|necessary)\b",
    r"\bdo(?:es)?\s+not\s+(?:support|meet)\s+(?:the\s+)?(?:medical\s+necessity|coverage)",
    r"\b(?:will\s+be|are|is)\s+denied\b",
    r"\b(?:is|are)\s+(?:considered\s+)?(?:inappropriate|experimental|investigational)\b",
    r"\bnot\s+(?:be\s+)?(?:payable|reimbursable|reimbursed)\b",
)
_ASIDE = re.compile(r"\W*\bthis is not an?\b[^.]*\binclusive list\b[^.*]*[.*]?", re.IGNORECASE)
_HEADING_DENIED = re.compile(r"^\W*(?:non-?\s?covered|not\s+covered)(?:\s+\S+){0,3}\W*$", re.IGNORECASE)
_WHOLE_GROUP = re.compile(
    r"\b(?:following|these|this|below|listed|above|all)\b|\bcodes?\s+in\s+(?:this\s+)?group|\bgroup\s+\d+\s+codes",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\bwhen\s+(?:they\s+are\s+)?(?:billed|reported|performed|submitted|used)\s+"
    r"(?:with|together\s+with|in\s+(?:conjunction|combination)\s+with|in\s+addition\s+to|on\s+the\s+same\s+(?:day|date)(?:\s+of\s+service)?\s+(?:as|with))\b(.*)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(
    r"\b(?:when|if|unless|except|until|without|more\s+than|in\s+excess|exceed\w*|other\s+than|greater\s+than|only|once|dates?\s+of\s+service)\b",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"\b(?:for|to\s+treat)\s+((?:(?!(?:is|are|will|be|and|or|not|which|that|when)\b)[a-z][a-z-]*\s*){1,6})",
    re.IGNORECASE,
)
_PLAIN_PURPOSE = frozenset(
    [
        "medicare",
        "purposes",
        "beneficiaries",
        "services",
        "service",
        "procedures",
        "procedure",
        "coverage",
        "payment",
        "the",
        "any",
        "all",
        "indications",
        "indication",
        "diagnosis",
        "diagnoses",
        "reason",
        "a",
        "an",
        "and",
        "of",
        "or",
        "dates",
        "date",
        "on",
        "after",
        "this",
        "article",
        "policy",
        "lcd",
        "group",
        "codes",
        "code",
        "addition",
        "accordance",
        "with",
        "not",
        "medically",
        "necessary",
        "reasonable",
        "by",
        "local",
        "determination",
        "management",
    ]
)
_OPEN = _any(r"\bmay\s+also\s+be\s+(?:covered|payable|allowed|considered)", r"\bnot\s+addressed\s+(?:in|by)\s+this\b")
_SETTINGS = (
    ("ASC", re.compile(r"\bASCs?\b|ambulatory surgical center", re.IGNORECASE)),
    ("OUTPATIENT_HOSPITAL", re.compile(r"\bOPPS\b|outpatient hospital|hospital outpatient|\bpart A\b", re.IGNORECASE)),
    (
        "PRACTITIONER",
        re.compile(r"\bphysicians?\b|\bpractitioners?\b|\bprofessional claims?\b|\bpart B\b", re.IGNORECASE),
    ),
)
_SETTING = re.compile(
    r"^\W*(?:note\W+)?(?:for|to be used (?:by|for)|only for)\b[^.]*\b(?:claims?|departments?|facilit\w+|settings?|use|billing)\s+only\b",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\bonly\b|\blimited\s+to\b|\brestricted\s+to\b|\bexclusively\b", re.IGNORECASE)
_RESTRICTS = re.compile(
    r"\b(?:only|not|must|requires?d?|limited|except|exclud\w+|unless|when|if|primary|secondary|addition|accompan\w+|conjunction|to\s+be\s+used)\b",
    re.IGNORECASE,
)
_NEEDS_OTHER = _any(
    r"\b(?:requires?|must\s+(?:also\s+)?(?:be|have|include)|need)\b.*\b(?:secondary|second|additional|underlying|another|dual)\b.*\b(?:diagnos|code)",
    r"\b(?:not|never)\s+(?:be\s+)?(?:billed|reported|used|covered|accepted)\s+(?:alone|by\s+itself|as\s+(?:the|a)\s+(?:sole|only|primary|principal))",
    r"\bmust\s+not\s+be\s+the\s+(?:sole|only|primary)",
)
_TOGETHER = re.compile(
    r"\b(?:in\s+addition\s+to|along\s+with|together\s+with|in\s+(?:conjunction|combination)\s+with|accompanied\s+by|as\s+well\s+as|with|and)\s+"
    r"(?:at\s+least\s+)?(?:one|any|another|an?)\b[^.]*\b(?:below|following|listed|other|group|list)\b",
    re.IGNORECASE,
)
_MUST = re.compile(r"\b(?:must|requires?|required|shall|should|need(?:s|ed)?)\b", re.IGNORECASE)
_GROUP = re.compile(r"\bgroups?\s*#?\s*(\d{1,3})\b", re.IGNORECASE)
_PROCEDURE_GROUP = re.compile(
    r"\b(?:CPT|HCPCS|procedure)\b[^.;:]{0,40}?\bgroups?\s*#?\s*(\d{1,3})\b|\bgroups?\s*#?\s*(\d{1,3})\s+(?:\(?(?:CPT|HCPCS|procedure))",
    re.IGNORECASE,
)
_PAIRING = _any(
    r"\bprimary\b", r"\bsecondary\b", r"\bdual\b", r"\bboth\b", r"\bin\s+addition\b", r"\balong\s+with\b", r"\btogether\s+with\b",
    r"\bcombination\b", r"\bpaired?\b", r"\baccompan", r"\bplus\b", r"\bfrom\s+each\b", r"\band\s+(?:an?|one|at\s+least)\b",
    r"\bconjunction\b", r"\bunderlying\b", r"\b(?:two|2)\s+(?:diagnos|ICD|codes)", r"\badditional\s+(?:diagnos|ICD|code)",
)  # fmt: skip
_EXEMPT = re.compile(
    r"\bnot\s+(?:require|need|have)\w*\s+(?:an?\s+)?(?:dual|secondary|second|additional)\s+(?:ICD\S*\s+)?(?:diagnos|code)"
    r"|\b(?:dual|secondary|second)\s+(?:ICD\S*\s+)?(?:diagnos\w+|codes?)(?:\s+\w+){0,2}\s+(?:is|are|will\s+be)\s+not\s+(?:required|needed|necessary)",
    re.IGNORECASE,
)
_WAIVED = re.compile(r"\bnot\s+(?:be\s+)?(?:required|needed|necessary|apply)\b", re.IGNORECASE)
_MODIFIERS = re.compile(r"\bmodifiers?\b\W*((?:[A-Z][0-9A-Z](?![A-Z0-9])(?:\W|\band\b|\bor\b)*)+)")
_NO_SCOPE = _any(
    r"\bin\s+place\s+of\b", r"\binstead\s+of\b", r"\bshould\s+be\s+(?:used\s+to\s+)?(?:reported|submitted|report)\b", r"\bin\s+conjunction\b",
    r"\bseparately\b", r"\badd-?on\b", r"\bdeleted\b", r"\beffective\b", r"\badded\b", r"\bsame\s+date\b", r"\bmust\s+be\s+(?:billed|reported)\b",
    r"\bglobal\b", r"\bnot\s+be\s+(?:billed|reported)\b", r"\bdo\s+not\s+(?:report|bill)\b",
)  # fmt: skip
_CUE = _any(
    r"\bsupports?\b", r"\bcoverage\b", r"\bcovered\b", r"\bappl(?:y|ies|icable)\b", r"\ballowed\b", r"\bappropriate\b", r"\blimited\s+to\b",
    r"\bmedical(?:ly)?\s+necess", r"\bpayable\b", r"\bindicat", r"\bpertain", r"\brelate", r"\bvalid\b",
    r"\bfor\s+(?:the\s+)?(?:following\s+)?(?:CPT|HCPCS|codes?\b|procedures?\b)",
)  # fmt: skip
_NOUN = re.compile(r"\bdiagnos|\bICD\b|\bICD-|\bsecondary\b|\bprimary\b|\bmodifiers?\b", re.IGNORECASE)
_DANGER = _any(
    r"\bsecondary\b", r"\bprimary\b(?!\s+(?:care|procedure))", r"\bdual\b", r"\bin\s+addition\s+to\b", r"\balong\s+with\b", r"\btogether\s+with\b",
    r"\bcombination\b", r"\baccompan\w+", r"\bconjunction\b", r"\bunderlying\b", r"\bexcept\b", r"\bexcluding\b", r"\bunless\b",
    r"\bmust\s+(?:also\s+)?be\s+(?:billed|reported|submitted|present|accompanied|used)\b", r"\bmust\s+(?:include|appear|have)\b",
    r"\bonly\s+(?:if|when|with|for|as|in)\b", r"\bnot\s+(?:be\s+)?(?:covered|payable|used|reported|billed)\b", r"\bsequenc", r"\brequires?\b",
)  # fmt: skip


def read_procedure_sentence(sentence: str, governed: Codes, group_codes: Codes, title: str) -> Statement:
    """What a sentence over a group of procedure codes says of those codes."""
    sentence = _ASIDE.sub(" ", sentence)
    codes = find_procedure_codes(sentence, governed)
    diagnoses = find_diagnoses(sentence)
    foreign = not codes and names_any_procedure(sentence)
    if _EXEMPT.search(sentence):
        return Statement(Says.PAIR_EXEMPT, codes, sentence=sentence)
    if diagnoses and codes and _ONLY.search(sentence):
        return Statement(Says.DIAGNOSIS_SCOPE, codes, diagnoses=diagnoses, sentence=sentence)
    if _FREE.search(sentence) and not foreign:
        return Statement(Says.FREE, codes or group_codes, sentence=sentence)
    if _BOILERPLATE.search(sentence):
        return Statement(Says.NOTHING)
    if _OPEN.search(sentence) and not foreign:
        return Statement(Says.OPEN, codes or group_codes, sentence=sentence)
    if _SETTING.search(sentence) and not foreign:
        settings = tuple(name for name, pattern in _SETTINGS if pattern.search(sentence))
        return Statement(
            Says.SETTING if settings else Says.NOTHING, codes or group_codes, words=settings, sentence=sentence
        )
    if _DENIED.search(sentence) and not foreign:
        return _read_denial(sentence, codes, group_codes, title)
    return Statement(Says.NOTHING)


def _read_denial(sentence: str, codes: Codes, group_codes: Codes, title: str) -> Statement:
    """Which codes are denied, and whether the claim shows the condition."""
    if re.search(r"\bdiagnos|\bICD", sentence, re.IGNORECASE):
        return Statement(Says.NOTHING)  # the logic of the lists, said once more
    beside: Codes = NONE
    companion = _BESIDE.search(sentence)
    rest = sentence
    if companion:
        beside = every_procedure_code(companion[1])
        rest = sentence[: companion.start()] if beside else sentence
        codes -= beside
    if not codes:
        if not (_HEADING_DENIED.match(sentence) or _WHOLE_GROUP.search(rest)):
            return Statement(Says.NOTHING)
        codes = group_codes - beside
    if _CONDITION.search(rest) or _is_for_another_purpose(rest, _PLAIN_PURPOSE | _words(title)):
        return Statement(Says.DENIED_IF, codes, sentence=sentence)
    says = Says.DENIED_HERE if _is_for_another_purpose(rest, _PLAIN_PURPOSE) else Says.DENIED
    return Statement(says, codes, beside=beside, sentence=sentence)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in re.findall(r"[A-Za-z]+", text))


def _is_for_another_purpose(sentence: str, plain: frozenset[str]) -> bool:
    """``not covered for X``, where X holds a word that is not plain."""
    return any(not _words(match[1]) <= plain for match in _PURPOSE.finditer(sentence))


def read_list_sentence(
    sentence: str, governed: Codes, number: int, listed: Codes, procedure_groups: Mapping[int, Codes]
) -> Statement:
    """What a sentence over a list of diagnoses says of that list.

    Args:
        number: the list's group.
        procedure_groups: the document's groups of procedure codes, which the sentence may name by number.
    """
    named = {int(n) for match in _PROCEDURE_GROUP.findall(sentence) for n in match if n}
    codes = find_procedure_codes(sentence, governed)
    codes |= frozenset(code for n in named for code in procedure_groups.get(n, ()) if code in governed)
    diagnoses = find_diagnoses(sentence, listed)
    if _WAIVED.search(sentence) and re.search(r"\b(?:secondary|second|dual|both|pair)", sentence, re.IGNORECASE):
        modifiers = _lifting_modifiers(sentence)
        if modifiers:
            return Statement(Says.PAIR_WAIVED, words=modifiers, sentence=sentence)
    if _EXEMPT.search(sentence):
        return Statement(Says.PAIR_EXEMPT, codes, sentence=sentence)
    if _FREE.search(sentence) and codes:
        return Statement(Says.FREE, codes, sentence=sentence)
    pairing = _read_pairing(sentence, number, diagnoses)
    if pairing is not None:
        return replace(pairing, codes=codes)
    if diagnoses:
        return _read_about_diagnoses(sentence, codes, diagnoses)
    if _BOILERPLATE.search(sentence) and not codes:
        return Statement(Says.NOTHING)
    if number and codes and _DENIED.search(sentence) and not re.search(r"\bdiagnos|\bICD", sentence, re.IGNORECASE):
        return Statement(Says.DENIED if not _CONDITION.search(sentence) else Says.DENIED_IF, codes, sentence=sentence)
    if codes and (is_bare_list(sentence) or _CUE.search(sentence) or not _NO_SCOPE.search(sentence)):
        if not _NO_SCOPE.search(sentence) or re.search(
            r"\b(?:support|cover(?:ed|age)|allowed)", sentence, re.IGNORECASE
        ):
            other = {int(n) for n in _GROUP.findall(sentence)} - named - {number}
            target = other.pop() if len(other) == 1 and number not in map(int, _GROUP.findall(sentence)) else 0
            return Statement(Says.SCOPE, codes, primary=target, sentence=sentence)
        return Statement(Says.NOTHING)
    if _NOUN.search(sentence) and _DANGER.search(sentence):
        return Statement(Says.UNREAD, sentence=sentence)
    return Statement(Says.NOTHING)


def _read_pairing(sentence: str, number: int, diagnoses: Codes) -> Statement | None:
    """Pairs of groups, and pairs within a group; None where the sentence pairs nothing."""
    procedure_groups = {n for match in _PROCEDURE_GROUP.findall(sentence) for n in match if n}
    numbers = list(dict.fromkeys(int(n) for n in _group_numbers(sentence) if n not in procedure_groups))
    if [n for n in numbers if n != number] and _PAIRING.search(sentence) and _MUST_OR_PAIR.search(sentence):
        paired = _pair_groups(sentence, number, numbers)
        if paired is None:
            return Statement(Says.UNREAD, secondaries=tuple(numbers), sentence=sentence)
        primary, secondaries = paired
        return Statement(
            Says.PAIR_GROUPS,
            primary=primary,
            secondaries=secondaries,
            diagnoses=diagnoses if primary == number else NONE,
            words=_lifting_modifiers(sentence),
            sentence=sentence,
        )
    if diagnoses and _MUST.search(sentence) and _TOGETHER.search(sentence):
        return Statement(Says.PAIR_CODE, diagnoses=diagnoses, words=_lifting_modifiers(sentence), sentence=sentence)
    return None


_MUST_OR_PAIR = _any(
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
UNNAMED = "?"
"""In ``words``: the sentence lifts the pairing by modifiers that it does not name."""


def _group_numbers(sentence: str) -> list[str]:
    return [n for match in _GROUP_LIST.findall(sentence) for n in re.findall(r"\d+", match)]


def _pair_groups(sentence: str, number: int, numbers: list[int]) -> tuple[int, tuple[int, ...]] | None:
    """The primary group and its secondary ones; None where the sentence leaves it open."""
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


def _lifting_modifiers(sentence: str) -> tuple[str, ...]:
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


def _read_about_diagnoses(sentence: str, codes: Codes, diagnoses: Codes) -> Statement:
    """Sentences that single out diagnoses of the list."""
    if _NEEDS_OTHER.search(sentence):
        return Statement(Says.NEEDS_SECONDARY, codes, diagnoses=diagnoses, sentence=sentence)
    if codes and _ONLY.search(sentence):
        return Statement(Says.DIAGNOSIS_SCOPE, codes, diagnoses=diagnoses, sentence=sentence)
    if codes or _RESTRICTS.search(sentence):
        return Statement(Says.DIAGNOSIS_UNREAD, codes, diagnoses=diagnoses, sentence=sentence)
    return Statement(Says.NOTHING)


_LABEL = re.compile(
    r"\W*(?:group\s*\d+\W*)?(?:codes?\W+)?(primary|principal|secondary)\s+(?:ICD\S*\s+)?(?:diagnos[ei]s|codes?|diagnosis\s+codes?|ICD\S*\s+codes?)\W*",
    re.IGNORECASE,
)
_LAST_LABEL = re.compile(
    r"\b(primary|principal|secondary)\s+(?:ICD\S*\s+)?(?:diagnos[ei]s|diagnosis\s+codes?)\s*:\s*$", re.IGNORECASE
)


def read_label(sentences: Sequence[str]) -> str:
    """``primary`` or ``secondary`` where a sentence is, or the last one ends in, such a label; else empty."""
    found = {match[1].lower() for sentence in sentences if (match := _LABEL.fullmatch(sentence))}
    last = _LAST_LABEL.search(sentences[-1]) if sentences else None
    if not found and last:
        found = {last[1].lower()}
    if len(found) != 1:
        return ""
    return "secondary" if found == {"secondary"} else "primary"

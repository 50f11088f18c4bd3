"""What one sentence of a group paragraph states, where it states anything an edit can use (semantics.md §D.2, §D.3).

Grammar, not exceptions: the patterns are the turns of phrase of billing and coding articles. A sentence that speaks of
pairing, order or exceptions in words that no pattern knows is UNREAD, and what it stands over goes to REVIEW.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from claimedits.rulesets.coverage.pairings import PROCEDURE_GROUP, lifting_modifiers, read_pairing
from claimedits.rulesets.coverage.paragraphs import (
    every_procedure_code,
    find_diagnoses,
    find_procedure_codes,
    is_bare_list,
    names_any_procedure,
)
from claimedits.rulesets.coverage.statement import NONE, Codes, Says, Statement, any_of

_ICD = r"(?:ICD[- ]?10(?:[- ]CM)?\s+)?"
_BOILERPLATE = any_of(
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
    r"\bmust\s+(?:include|contain|have)\s+(?:the|an?)\s+(?:\w+\s+){0,2}(?:ICD\S*\s+)?(?:diagnosis\s+)?codes?(?:\(s\))?\s+that\b",
    r"\b(?:must|should)\s+(?:best\s+)?(?:describe|reflect|represent|match|correspond)\b",
    r"\ban?\s+(?:valid\s+)?(?:ICD\S*\s+)?(?:diagnosis\s+)?code\s+must\s+be\s+(?:reported|submitted|present|included)\s+(?:on|with)\s+(?:each|every|all|the|any)\s+claims?",
)
_FREE = any_of(
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
_DENIED = any_of(
    r"\bnon-?\s?covered\b",
    r"\b(?:not|no\s+longer)\s+(?:be\s+)?(?:an?\s+)?(?:currently\s+)?covered\b",
    r"\bnot\s+(?:be\s+)?(?:considered\s+)?(?:to\s+be\s+)?(?:medically\s+)?(?:reasonable|necessary)\b",
    r"\bdo(?:es)?\s+not\s+(?:support|meet)\s+(?:the\s+)?(?:medical\s+necessity|coverage)",
    r"\b(?:will\s+be|are|is)\s+denied\b",
    r"\b(?:is|are)\s+(?:considered\s+)?(?:inappropriate|experimental|investigational)\b",
    r"\bnot\s+(?:be\s+)?(?:payable|reimbursable|reimbursed)\b",
    r"\b(?:do|does|will)\s+not\s+(?:provide\s+)?(?:cover|coverage|reimburse)\b",
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
    r"\b(?:when|if|unless|except|until|without|more\s+than|in\s+excess|exceed\w*|other\s+than|greater\s+than|only|once|dates?\s+of\s+service)\b"
    r"|\bin\s+(?:an?|the|cases?|patients?)\b(?!\s+(?:following|list|group|table|related|section|LCD|NCD|article|policy)\b)"
    r"|\bas\s+(?!(?:not\s+)?(?:medically|reasonable|necessary|non-?\s?covered|experimental|investigational|unproven|well|of|follows)\b)\w"
    r"|\b(?:by|under|in)\s+(?:this|the\s+(?:related|attached))\b|\bduring\b|\bwithin\b|\bprior\s+to\b|\bafter\b|\bbefore\b",
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
_OPEN = any_of(r"\bmay\s+also\s+be\s+(?:covered|payable|allowed|considered)", r"\bnot\s+addressed\s+(?:in|by)\s+this\b")
_SETTINGS = (
    ("ASC", re.compile(r"\bASCs?\b|ambulatory surgical center", re.IGNORECASE)),
    ("OUTPATIENT_HOSPITAL", re.compile(r"\bOPPS\b|outpatient hospital|hospital outpatient|\bpart A\b", re.IGNORECASE)),
    (
        "PRACTITIONER",
        re.compile(r"\bphysicians?\b|\bpractitioners?\b|\bprofessional claims?\b|\bpart B\b", re.IGNORECASE),
    ),
)
_SETTING = re.compile(
    r"\b(?:should|may|can|must|will)\s+only\s+be\s+(?:used|billed|reported|covered)\s+(?:for|by|in|on)\b|^\W*(?:note\W+)?(?:for|to be used (?:by|for)|only for)\b[^.]*\b(?:claims?|departments?|facilit\w+|settings?|use|billing)\s+only\b",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\bonly\b|\blimited\s+to\b|\brestricted\s+to\b|\bexclusively\b", re.IGNORECASE)
_ONLY_DIAGNOSES = re.compile(r"\bonly\s+(?:the\s+)?(?:following\s+|these\s+|listed\s+)?(?:ICD|diagnos)", re.IGNORECASE)
"""``only the following diagnoses are covered for code X`` binds the code, not the diagnoses."""
_EXCEPT = re.compile(r"\b(?:except(?:\s+for|ing)?|excluding|other\s+than|but\s+not)\b", re.IGNORECASE)
_CODES_ARE = re.compile(
    r"^\W*(?:(?:note|the|CPT|HCPCS|procedures?|codes?|services?|and|or|through|to|[0-9A-V][0-9A-Z]{3}[0-9A-Z])\b[^A-Za-z0-9]*)+"
    r"(?:is|are|will|do|does|not|remains?)\b",
    re.IGNORECASE,
)
"""The codes are what the sentence speaks of: ``CPT code X is not covered``, not ``these are not covered for X``."""
_RESTRICTS = re.compile(
    r"\b(?:only|not|must|requires?d?|limited|except|exclud\w+|unless|when|if|primary|secondary|addition|accompan\w+|conjunction|to\s+be\s+used)\b",
    re.IGNORECASE,
)
_NEEDS_OTHER = any_of(
    r"\b(?:requires?|must\s+(?:also\s+)?(?:be|have|include)|need)\b.*\b(?:secondary|second|additional|underlying|another|dual)\b.*\b(?:diagnos|code)",
    r"\b(?:not|never)\s+(?:be\s+)?(?:billed|reported|used|covered|accepted)\s+(?:alone|by\s+itself|as\s+(?:the|a)\s+(?:sole|only|primary|principal))",
    r"\bmust\s+not\s+be\s+the\s+(?:sole|only|primary)",
)
_GROUP = re.compile(r"\bgroups?\s*#?\s*(\d{1,3})\b", re.IGNORECASE)
_EXEMPT = re.compile(
    r"\bnot\s+(?:require|need|have)\w*\s+(?:an?\s+)?(?:dual|secondary|second|additional)\s+(?:ICD\S*\s+)?(?:diagnos|code)"
    r"|\b(?:dual|secondary|second)\s+(?:ICD\S*\s+)?(?:diagnos\w+|codes?)(?:\s+\w+){0,2}\s+(?:is|are|will\s+be)\s+not\s+(?:required|needed|necessary)",
    re.IGNORECASE,
)
_WAIVED = re.compile(r"\bnot\s+(?:be\s+)?(?:required|needed|necessary|apply)\b", re.IGNORECASE)
_COVERED_ONLY = re.compile(
    r"\bonly\s+(?:be\s+)?(?:covered|payable|allowed|reimbursed)\s+(?:when|if|for|with|in|upon|as)\b"
    r"|\b(?:covered|payable|allowed|reimbursed)\s+only\s+(?:when|if|for|with|in|upon|as)\b",
    re.IGNORECASE,
)
_ABOUT_LISTS = re.compile(r"\bdiagnos|\bICD|\blist|\bindications?\b|\bbelow\b", re.IGNORECASE)
_OTHER_CODES = re.compile(
    r"\b(?:all|any)\s+(?:of\s+)?(?:the\s+)?(?:other|remaining)\s+(?:[A-Za-z/]+\s+){0,2}(?:procedures?|services?|tests?|(?:CPT|HCPCS)\S*(?:\s+codes?)?)\b",
    re.IGNORECASE,
)
_SEE = re.compile(r"\(?\s*\b(?:please\s+)?see\s+(?:also\s+)?(?:the\s+)?groups?\b[^.)]*\)?", re.IGNORECASE)
_TWO = re.compile(
    r"\b(?:two|2|both|three|multiple|more\s+than\s+one)\s+(?:of\s+(?:the|these)\s+)?(?:\w+\s+){0,2}(?:diagnos|ICD|codes?\b)",
    re.IGNORECASE,
)
_MUST = re.compile(r"\b(?:must|requir\w+|need(?:s|ed)?)\b", re.IGNORECASE)
_BILLING_MODIFIERS = re.compile(r"[256]\d|7[6-9]|80|82|A[ST]|E[1-4Y]|F[1-9A]|G[AXYZ]|L[CDMT]|R[CIT]|T[1-9AC]|X[EPSU]")
"""Modifiers that say side, part, circumstance or who pays: a sentence about them says nothing of diagnoses."""
_NO_SCOPE = any_of(
    r"\bin\s+place\s+of\b", r"\binstead\s+of\b", r"\bshould\s+be\s+(?:used\s+to\s+)?(?:reported|submitted|report)\b", r"\bin\s+conjunction\b",
    r"\bseparately\b", r"\badd-?on\b", r"\bdeleted\b", r"\beffective\b", r"\badded\b", r"\bsame\s+date\b", r"\bmust\s+be\s+(?:billed|reported)\b",
    r"\bglobal\b", r"\bnot\s+be\s+(?:billed|reported)\b", r"\bdo\s+not\s+(?:report|bill)\b",
)  # fmt: skip
_CUE = any_of(
    r"\bsupports?\b", r"\bcoverage\b", r"\bcovered\b", r"\bappl(?:y|ies|icable)\b", r"\ballowed\b", r"\bappropriate\b", r"\blimited\s+to\b",
    r"\bmedical(?:ly)?\s+necess", r"\bpayable\b", r"\bindicat", r"\bpertain", r"\brelate", r"\bvalid\b",
    r"\bfor\s+(?:the\s+)?(?:following\s+)?(?:CPT|HCPCS|codes?\b|procedures?\b)",
)  # fmt: skip
_NOUN = re.compile(r"\bdiagnos|\bICD\b|\bICD-|\bsecondary\b|\bprimary\b|\bmodifiers?\b", re.IGNORECASE)
_DANGER = any_of(
    r"\bsecondary\b", r"\bprimary\b(?!\s+(?:care|procedure))", r"\bdual\b", r"\bin\s+addition\s+to\b", r"\balong\s+with\b", r"\btogether\s+with\b",
    r"\bcombination\b", r"\baccompan\w+", r"\bconjunction\b", r"\bunderlying\b", r"\bexcept\b", r"\bexcluding\b", r"\bunless\b",
    r"\bmust\s+(?:also\s+)?be\s+(?:billed|reported|submitted|present|accompanied|used)\b", r"\bmust\s+(?:include|appear|have)\b",
    r"\bonly\s+(?:if|when|with|for|as|in)\b", r"\bnot\s+(?:be\s+)?(?:covered|payable|used|reported|billed)\b", r"\bsequenc", r"\brequires?\b",
)  # fmt: skip


def read_procedure_sentence(
    sentence: str, governed: Codes, group_codes: Codes, title: str, listed: Codes = NONE
) -> Statement:
    """What a sentence over a group of procedure codes says of those codes. ``listed``: every diagnosis of the document."""
    sentence = _ASIDE.sub(" ", sentence)
    codes = find_procedure_codes(sentence, governed)
    diagnoses = find_diagnoses(sentence, listed - governed)
    foreign = not codes and names_any_procedure(sentence)
    if _EXEMPT.search(sentence):
        return Statement(Says.PAIR_EXEMPT, codes, sentence=sentence)
    if diagnoses and codes and _ONLY.search(sentence):
        return Statement(Says.DIAGNOSIS_SCOPE, codes, diagnoses=diagnoses, sentence=sentence)
    if diagnoses and _DENIED.search(sentence) and not foreign:
        return Statement(Says.DIAGNOSIS_UNREAD, codes, diagnoses=diagnoses, sentence=sentence)
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
    if codes and _COVERED_ONLY.search(sentence) and not _ABOUT_LISTS.search(sentence):
        beside = _BESIDE.search(sentence)
        subject = codes & find_procedure_codes(sentence[: beside.start()], governed) if beside else codes
        return Statement(Says.DENIED_IF, subject, sentence=sentence)
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
    sentence = _SEE.sub(" ", sentence)
    named = {int(n) for match in PROCEDURE_GROUP.findall(sentence) for n in match if n}
    codes = find_procedure_codes(sentence, governed)
    codes |= frozenset(code for n in named for code in procedure_groups.get(n, ()) if code in governed)
    diagnoses = find_diagnoses(sentence, listed - governed)
    if _WAIVED.search(sentence) and re.search(r"\b(?:secondary|second|dual|both|pair)", sentence, re.IGNORECASE):
        modifiers = lifting_modifiers(sentence)
        if modifiers:
            return Statement(Says.PAIR_WAIVED, words=modifiers, sentence=sentence)
    if _EXEMPT.search(sentence):
        return Statement(Says.PAIR_EXEMPT, codes, sentence=sentence)
    if _FREE.search(sentence) and codes:
        return Statement(Says.FREE, codes, sentence=sentence)
    pairing = read_pairing(sentence, number, diagnoses)
    if pairing is not None:
        return replace(pairing, codes=codes)
    if diagnoses:
        return _read_about_diagnoses(sentence, codes, diagnoses)
    if _BOILERPLATE.search(sentence) and not codes:
        return Statement(Says.NOTHING)
    if number and codes and _DENIED.search(sentence) and _CODES_ARE.search(sentence):
        return Statement(Says.DENIED if not _CONDITION.search(sentence) else Says.DENIED_IF, codes, sentence=sentence)
    if not codes and _OTHER_CODES.search(sentence):
        return Statement(Says.SCOPE_OTHERS, sentence=sentence)
    if codes and (is_bare_list(sentence) or _CUE.search(sentence) or not _NO_SCOPE.search(sentence)):
        if not _NO_SCOPE.search(sentence) or re.search(
            r"\b(?:support|cover(?:ed|age)|allowed)", sentence, re.IGNORECASE
        ):
            other = {int(n) for n in _GROUP.findall(sentence)} - named - {number}
            target = other.pop() if len(other) == 1 and number not in map(int, _GROUP.findall(sentence)) else 0
            return Statement(Says.SCOPE, _scope_of(sentence, codes, governed), primary=target, sentence=sentence)
        return Statement(Says.NOTHING)
    if _TWO.search(sentence) and _MUST.search(sentence):
        return Statement(Says.UNREAD, sentence=sentence)
    if _NOUN.search(sentence) and _DANGER.search(sentence) and not _is_about_billing(sentence):
        return Statement(Says.UNREAD, sentence=sentence)
    return Statement(Says.NOTHING)


def _is_about_billing(sentence: str) -> bool:
    """About modifiers that touch no diagnosis, and about nothing else."""
    if not re.search(r"\bmodifiers?\b", sentence, re.IGNORECASE):
        return False
    if re.search(r"\bdiagnos|\bICD|\bsecondary\b|\bprimary\b", sentence, re.IGNORECASE):
        return False
    named = re.findall(r"\b(?:[A-Z][A-Z0-9]|\d\d)\b", sentence)
    return all(_BILLING_MODIFIERS.fullmatch(word) for word in named if word not in ("OR", "IF", "NO", "IS"))


def _scope_of(sentence: str, codes: Codes, governed: Codes) -> Codes:
    """The codes a list is for: without those it excepts, and without companions (``when performed with``)."""
    companion = _BESIDE.search(sentence)
    if companion:
        before = find_procedure_codes(sentence[: companion.start()], governed)
        codes = before & codes or codes
    excepted = _EXCEPT.search(sentence)
    if excepted:
        without = find_procedure_codes(sentence[excepted.end() :], governed)
        before = find_procedure_codes(sentence[: excepted.start()], governed)
        if without:
            return (before & codes or governed) - without
    return codes


def _read_about_diagnoses(sentence: str, codes: Codes, diagnoses: Codes) -> Statement:
    """Sentences that single out diagnoses of the list."""
    if _NEEDS_OTHER.search(sentence):
        return Statement(Says.NEEDS_SECONDARY, codes, diagnoses=diagnoses, sentence=sentence)
    if codes and _ONLY_DIAGNOSES.search(sentence):
        return Statement(Says.UNREAD, sentence=sentence)
    if codes and _ONLY.search(sentence):
        return Statement(Says.DIAGNOSIS_SCOPE, codes, diagnoses=diagnoses, sentence=sentence)
    if codes or _RESTRICTS.search(sentence):
        return Statement(Says.DIAGNOSIS_UNREAD, codes, diagnoses=diagnoses, sentence=sentence)
    return Statement(Says.NOTHING)


def needs_other_diagnosis(sentence: str) -> bool:
    """Whether a sentence asks for a further diagnosis without naming one."""
    return bool(_NEEDS_OTHER.search(sentence)) and not _GROUP.search(sentence)


_LABEL = re.compile(
    r"\W*(?:(?:group|list|table|section)\s*#?\s*\d+\W*)?(?:codes?\W+)?(primary|principal|secondary)\s+(?:ICD\S*\s+)?(?:diagnos[ei]s|codes?|diagnosis\s+codes?|ICD\S*\s+codes?)\W*",
    re.IGNORECASE,
)
_LAST_LABEL = re.compile(
    r"\b(?:following|these|below|listed)\b[^.;]*\b(?:must|should|shall|are\s+to)\s+be\s+(?:reported|used|billed|listed|coded|submitted)\s+as\s+(?:the\s+|an?\s+)?"
    r"(primary|principal|secondary)(?:\s+(?:ICD\S*\s+)?(?:diagnos[ei]s|diagnosis\s+codes?|codes?))?\s*[:.]?\s*$"
    r"|\b(primary|principal|secondary)\s+(?:ICD\S*\s+)?(?:diagnos[ei]s|diagnosis\s+codes?)\s*:\s*$",
    re.IGNORECASE,
)


def read_label(sentences: Sequence[str]) -> str:
    """``primary`` or ``secondary`` where a sentence is, or the last one ends in, such a label; else empty."""
    found = {match[1].lower() for sentence in sentences if (match := _LABEL.fullmatch(sentence))}
    last = _LAST_LABEL.search(sentences[-1]) if sentences else None
    if not found and last:
        found = {(last[1] or last[2]).lower()}
    if len(found) != 1:
        return ""
    return "secondary" if found == {"secondary"} else "primary"

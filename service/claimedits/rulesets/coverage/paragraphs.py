"""Group paragraphs of coverage documents as text: HTML off, sentences apart, codes found (file-formats.md §7)."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Collection, Iterable
from functools import lru_cache

_BLOCK = re.compile(r"<\s*/?\s*(?:p|br|li|ul|ol|div|tr|table|h\d)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_BLANKS = re.compile(r"[^\S\n]+")
_NOTE = re.compile(r"\s+(?=\*?\s*Note\s*:)")
_CLAUSE = r"(?<=;)\s+(?=(?:codes?|groups?|the|these|those|diagnos\w+|any|all|if|when|however)\b)"
_SENTENCE_END = re.compile(
    rf"{_CLAUSE}|(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bNo\.)(?<!\bCh\.)(?<!\bPub\.)\s+(?=[A-Z0-9*“\"(•])"
)

_RANGE = re.compile(
    r"(?<![A-Z0-9.])(\d{5}|\d{4}[A-Z]|[A-V]\d{4})\s*(?:-|–|—|through|thru|to)\s*(\d{5}|\d{4}[A-Z]|[A-V]\d{4})(?![A-Z0-9.])"
)
_SINGLE = re.compile(r"(?<![A-Z0-9.])(?:\d{5}|\d{4}[A-Z]|[A-V]\d{4})(?![A-Z0-9])(?!\.\d)")
_DIAGNOSIS = r"[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})"
_DIAGNOSIS_RANGE = re.compile(rf"\b({_DIAGNOSIS})\s*(?:-|–|—|through|thru|to)\s*({_DIAGNOSIS})\b")
_DIAGNOSIS_CODE = re.compile(rf"\b{_DIAGNOSIS}\b")
_UNDOTTED = re.compile(r"(?<![A-Z0-9.])[A-TV-Z]\d[0-9A-Z]{1,5}(?![A-Z0-9])(?!\.\d)")
_SHORT_DIAGNOSIS = re.compile(r"(?:ICD-10(?:-CM)?|diagnosis)(?: diagnosis)? codes? ([A-TV-Z]\d[0-9A-Z])\b(?!\.)")


def hash_paragraph(paragraph: str) -> str:
    """SHA-256, hexadecimal, of a paragraph exactly as published: what curated roles are tied to."""
    return hashlib.sha256(paragraph.encode()).hexdigest()


@lru_cache(maxsize=4096)
def plain_text(paragraph: str) -> str:
    """A paragraph without HTML: unescaped twice, tags dropped, blanks collapsed; blocks are lines."""
    text = html.unescape(html.unescape(paragraph)).replace("\N{NO-BREAK SPACE}", " ")
    text = _TAG.sub(" ", _BLOCK.sub("\n", text)).replace("®", "").replace("™", "")
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def split_sentences(paragraph: str) -> list[str]:
    """Sentences and headings of a paragraph, in order. A list of codes joins the sentence that announces it."""
    sentences: list[str] = []
    for block in _NOTE.sub("\n", plain_text(paragraph)).split("\n"):
        for sentence in _SENTENCE_END.split(block):
            sentence = sentence.strip()
            if sentences and _announces(sentences[-1]) and is_bare_list(sentence):
                sentences[-1] += " " + sentence
            elif sentence:
                sentences.append(sentence)
    return sentences


def _announces(sentence: str) -> bool:
    """Whether a sentence waits for a list: it ends in a colon, a comma, or the word that stands before codes."""
    return bool(re.search(r"(?:[:,]|\band|\bcodes?)\s*$", sentence, re.IGNORECASE))


def is_bare_list(sentence: str) -> bool:
    """Whether a sentence is nothing but procedure codes and the words that go with them."""
    if not _SINGLE.search(sentence):
        return False
    rest = _SINGLE.sub("", _RANGE.sub("", sentence))
    words = re.findall(r"[A-Za-z]+", rest)
    return all(word.lower() in _LIST_WORDS for word in words)


_LIST_WORDS = frozenset(
    [
        "cpt",
        "hcpcs",
        "code",
        "codes",
        "and",
        "or",
        "for",
        "the",
        "through",
        "to",
        "note",
        "covered",
        "group",
        "procedure",
        "procedures",
    ]
)


def find_procedure_codes(sentence: str, governed: Iterable[str]) -> frozenset[str]:
    """Governed procedure codes that a sentence names, singly or as a range (both ends inclusive)."""
    known = frozenset(governed)
    named = {match for match in _SINGLE.findall(sentence) if match in known}
    for first, last in _RANGE.findall(sentence):
        named |= {code for code in known if first <= code <= last and code[0].isdigit() == first[0].isdigit()}
    return frozenset(named)


def names_any_procedure(sentence: str) -> bool:
    """Whether a sentence names a procedure code at all, governed or not."""
    return bool(_SINGLE.search(sentence))


def every_procedure_code(sentence: str) -> frozenset[str]:
    """Every single procedure code of a sentence; ranges give their ends."""
    return frozenset(_SINGLE.findall(sentence))


def find_diagnoses(sentence: str, listed: Collection[str] = ()) -> frozenset[str]:
    """Diagnosis codes that a sentence names, without the dot; of a range, its ends and the listed codes between.

    A word without a dot is a diagnosis where the sentence says so, or where it is one of ``listed``.
    """
    named = {code.replace(".", "") for code in _DIAGNOSIS_CODE.findall(sentence)}
    named |= {word for word in _UNDOTTED.findall(sentence) if word in listed}
    named |= set(_SHORT_DIAGNOSIS.findall(sentence))
    for first, last in _DIAGNOSIS_RANGE.findall(sentence):
        low, high = first.replace(".", ""), last.replace(".", "")
        named |= {code for code in listed if low <= code <= high or code.startswith(high)}
    return frozenset(named)

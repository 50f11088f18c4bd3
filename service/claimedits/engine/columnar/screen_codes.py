"""Screens the families that look at a line and the head of its claim: CODE_VALIDITY, COVERAGE, MODIFIER and POLICY."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from claimedits.engine.authored.reach import governing, may_speak
from claimedits.engine.code_lists import PROCEDURE_CODES
from claimedits.engine.code_validity import CODE_EDITS, FEE_SCHEDULE, ICD10
from claimedits.engine.columnar.cases import bare_claim
from claimedits.engine.columnar.days import distinct
from claimedits.engine.columnar.part import NO_GROUPS, Part, Screening
from claimedits.engine.coverage import RULE_SET as COVERAGE
from claimedits.model.claim import ClaimLine
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.coverage.governing import Found, GoverningDocuments
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mapped_arrays import Array

# ---- CODE_VALIDITY (semantics.md §F.1–§F.4) ----


def screen_code_validity(part: Part) -> Screening:
    """Codes and diagnoses that are plainly valid on the day, and that no curated edit names, pass."""
    lines, rule_sets = part.lines, part.run.release.rule_sets.keys()
    part.start(Family.CODE_VALIDITY, Status.PASS)
    if not {PROCEDURE_CODES, FEE_SCHEDULE, ICD10} & rule_sets:
        return Screening(Family.CODE_VALIDITY, np.flatnonzero(part.own), (lines.first_day,), NO_GROUPS)
    reads_diagnoses = bool({ICD10, CODE_EDITS} & rule_sets)
    single = lines.first_day == lines.last_day
    odd = part.own & ~single
    for day in distinct(lines.first_day[part.own]):
        here = np.flatnonzero(part.own & (lines.first_day == day) & single)
        code = lines.texts["procedure_code"][here]
        plain = _plain(part, "procedure_code", code, day)[code]
        if reads_diagnoses and len(lines.diagnoses):
            plain &= _plain_claims(part, day, here)[lines.claim_of[here]]
        odd[here[~plain]] = True
    columns = [lines.texts["procedure_code"], lines.first_day, lines.last_day]
    if reads_diagnoses:
        columns += [part.row_kind, part.modifier_sets, *_diagnosis_columns(part)]
        columns += _head_columns(part, ("sex",), ("birth_date", "condition_codes"))
    return Screening(Family.CODE_VALIDITY, np.flatnonzero(odd), columns, NO_GROUPS, needs_head=True)


def _plain_claims(part: Part, day: int, rows: Array) -> Array:
    """Claims all of whose diagnoses are plainly valid on a day."""
    lines = part.lines
    claims = np.unique(lines.claim_of[rows])
    counts = lines.diagnosis_counts[claims]
    of_claim = np.repeat(claims, counts)
    places = np.arange(len(of_claim)) - np.repeat(np.cumsum(counts) - counts, counts)
    items = lines.diagnoses[lines.diagnosis_starts[of_claim] + places]
    bad = ~_plain(part, "diagnosis", items, day)[items]
    plain = np.ones(len(lines.own_lines), dtype=bool)
    plain[of_claim[bad]] = False
    return plain


def _plain(part: Part, what: str, used: Array, day: int) -> Array:
    """For every number of the vocabulary whether the code is plainly valid on a day; those that are used are found out."""
    run = part.run
    diagnoses = what == "diagnosis"
    vocabulary = run.vocabularies.diagnoses if diagnoses else run.vocabularies.of[what]
    words = vocabulary.values
    kept = run.kept.get(("plain", what, day))
    known = kept if isinstance(kept, np.ndarray) else np.zeros(0, dtype=np.int8)
    if len(known) < len(words):
        known = np.append(known, np.full(len(words) - len(known), 2, dtype=np.int8))
        run.kept["plain", what, day] = known
    for number in np.unique(used[known[used] == 2]).tolist():
        known[number] = bool(words[number]) and _is_plain(part, words[number], day, diagnoses)
    return np.asarray(known == 1)


def _is_plain(part: Part, code: str, day: int, is_diagnosis: bool) -> bool:
    """The engine remembers the codes that it found plainly valid; a claim of this code alone makes it look."""
    run = part.run
    line = ClaimLine(1, "" if is_diagnosis else code, (), 1, day, day)  # type: ignore[arg-type]
    claim = bare_claim(Program.MEDICARE, 1, (line,))._replace(diagnoses=(code,) if is_diagnosis else ())
    evaluation = run.evaluation(claim, frozenset((Family.CODE_VALIDITY,)))
    from claimedits.engine.engine import decide

    decide(evaluation)
    procedures, diagnoses = run.release.plain_codes.get(run.as_of, (set(), set()))
    return (code, day) in (diagnoses if is_diagnosis else procedures)


# ---- COVERAGE (semantics.md §D) ----

_LIABILITY = frozenset(("GY", "GZ", "GA"))
"""Modifiers that say something of a line by themselves (§D.6)."""
_UNLOADED, _NOTHING, _UNKNOWN, _LOCAL, _WHOLE = range(5)


def screen_coverage(part: Part) -> Screening:
    """Documents bind Medicare only. What they say turns on the line and its diagnoses, seldom on other lines."""
    lines = part.lines
    statuses = part.start(Family.COVERAGE, Status.PASS)
    medicare = (lines.program == Program.MEDICARE)[lines.claim_of]
    statuses[part.own & ~medicare] = Status.NOT_APPLICABLE
    rows = np.flatnonzero(part.own & medicare)
    found = np.zeros(lines.n, dtype=np.int64)
    loaded = part.run.loaded(COVERAGE)
    if loaded is not None:
        found[rows] = _find_documents(part, loaded, rows)
    bare = ~part.has_modifier(_LIABILITY)
    undated, silent = bare & (found == _UNLOADED), bare & ((found == _NOTHING) | (found == _UNKNOWN))
    code = lines.texts["procedure_code"]
    columns = [
        np.where(bare & (found != _LOCAL), found, -1),
        np.where(undated, 0, code),
        np.where(silent, 0, lines.first_day),
    ]
    others = [part.row_kind, part.modifier_sets, *_diagnosis_columns(part)]
    others += _head_columns(part, ("state", "contractor_id"), ())
    columns += [_blank(column, undated | silent) for column in others]
    whole = np.zeros(len(part.kind), dtype=bool)
    whole[lines.claim_of[found == _WHOLE]] = True
    return Screening(Family.COVERAGE, rows[found[rows] != _WHOLE], columns, NO_GROUPS, whole, needs_head=True)


def _find_documents(part: Part, loaded: LoadedRuleSet, rows: Array) -> Array:
    """What is found for each of ``rows``: no edition, no document, a jurisdiction unknown, documents."""
    lines, run = part.lines, part.run
    documents = GoverningDocuments.of(loaded, run.as_of)
    heads = [lines.claim_texts[name][lines.claim_of[rows]] for name in ("contractor_id", "state")]
    columns = [lines.texts["procedure_code"][rows], *heads, part.row_kind[rows], lines.first_day[rows]]
    key = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        column = column.astype(np.int64) - column.min(initial=0)
        key = key * (int(column.max(initial=0)) + 1) + column
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    words = lines.vocabularies.of
    answers = []
    for asked in zip(*[column[first].tolist() for column in columns], strict=True):
        answer = run.kept.get((Family.COVERAGE, asked))
        if not isinstance(answer, int):
            code, contractor, state, kind, day = asked
            answer = _UNLOADED
            if documents.has_edition(day):
                texts = words["procedure_code"].values[code], words["contractor_id"].values[contractor]
                answer = _tell(documents.find(*texts, words["state"].values[state], Setting(kind % 16), day), texts[0])
            run.kept[Family.COVERAGE, asked] = answer
        answers.append(answer)
    return np.array(answers, dtype=np.int64)[place]


def _tell(found: Found, code: str) -> int:
    if not found.documents:
        return _UNKNOWN if found.is_jurisdiction_unknown else _NOTHING
    documents = (governing.document for governing in found.documents)
    reads_other_lines = any(document and document.scoped_to(code).reading.beside for document in documents)
    return _WHOLE if reads_other_lines else _LOCAL


def _blank(column: Array, rows: Array) -> Array:
    if column.dtype == object:
        blank = column.copy()
        blank[rows] = None
        return blank
    return np.where(rows, 0, column)


# ---- MODIFIER, POLICY (semantics.md §E) ----


def screen_authored(part: Part, family: Family) -> Screening:
    """Claims with a line that some rule could match are seen whole."""
    lines, release = part.lines, part.run.release
    statuses = part.start(family, Status.PASS)
    whole = np.zeros(len(part.kind), dtype=bool)
    alone = np.zeros(lines.n, dtype=bool)
    for program, _, rows in part.kinds:
        if governing(release, family, Program(program)):
            whole[np.unique(lines.claim_of[rows][_may_speak(part, family, np.flatnonzero(rows))])] = True
        elif family is Family.MODIFIER and program == Program.MEDICARE:
            alone |= rows
        else:
            statuses[rows] = Status.NOT_APPLICABLE
    return Screening(family, np.flatnonzero(alone), (part.row_kind, lines.first_day), NO_GROUPS, whole)


def _may_speak(part: Part, family: Family, rows: Array) -> Array:
    lines, run = part.lines, part.run
    columns = (
        part.row_kind, lines.texts["procedure_code"], part.modifier_sets, lines.texts["place_of_service"], lines.first_day,
    )  # fmt: skip
    answers = []
    for row, key in zip(rows.tolist(), zip(*[column[rows].tolist() for column in columns], strict=True), strict=True):
        answer = run.kept.get((family, key))
        if answer is None:
            kind = int(part.row_kind[row])
            claim = bare_claim(*divmod(kind, 16), part.maker.make_lines(np.array([row]), [1]))
            answer = may_speak(run.evaluation(claim, frozenset((family,))), family, 0)
            run.kept[family, key] = answer
        answers.append(bool(answer))
    return np.array(answers, dtype=bool)


# ---- what is read of diagnoses and of the head of a claim ----


def _diagnosis_columns(part: Part) -> list[Array]:
    lines = part.lines
    columns: list[Array] = []
    if len(lines.pointers):
        columns.append(_lists(lines.pointers, lines.pointer_starts, lines.pointer_counts))
    if len(lines.diagnoses):
        columns.append(_lists(lines.diagnoses, lines.diagnosis_starts, lines.diagnosis_counts)[lines.claim_of])
    return columns


def _head_columns(part: Part, texts: Sequence[str], names: Sequence[str]) -> list[Array]:
    """Numbered texts of the claims, and other columns by the text of their values."""
    lines = part.lines
    columns = [lines.claim_texts[name][lines.claim_of] for name in texts]
    heads = lines.starts[:-1]
    for name in names:
        if name in lines.columns:
            values = [str(value) for value in lines.columns[name].take(heads).to_pylist()]
            columns.append(_objects(values)[lines.claim_of])
    return columns


def _objects(values: Sequence[object]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _lists(items: Array, starts: Array, counts: Array) -> Array:
    """Lists of numbers as bytes: equal lists have equal bytes."""
    return _objects([items[s : s + c].tobytes() for s, c in zip(starts.tolist(), counts.tolist(), strict=True)])

"""Reads a document version: paragraphs into scopes and roles (semantics.md §D.2, step 6, and §D.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from claimedits.rulesets.coverage.list_state import ListState, heading_of, list_readings, stated_readings, treat
from claimedits.rulesets.coverage.pairings import UNNAMED
from claimedits.rulesets.coverage.paragraphs import plain_text, split_sentences
from claimedits.rulesets.coverage.readings import (
    CodeReading,
    Codes,
    DocumentReading,
    GroupReading,
    ListKind,
    Paragraph,
    RawGroup,
    Role,
    Treatment,
)
from claimedits.rulesets.coverage.sentences import (
    needs_other_diagnosis,
    read_label,
    read_list_sentence,
    read_procedure_sentence,
)
from claimedits.rulesets.coverage.statement import Says, Statement

TRUNCATED = "…"


def read_document(title: str, groups: Sequence[RawGroup], governed: Codes) -> DocumentReading:
    """The reading of one version. ``governed``: every procedure code of the document."""
    return _Reader(title, groups, governed).read()


class _Reader:
    def __init__(self, title: str, groups: Sequence[RawGroup], governed: Codes) -> None:
        self.title = title
        self.governed = governed
        self.reading = DocumentReading()
        self.procedure_groups = {g.number: g for g in groups if g.kind is ListKind.PROCEDURE}
        self.lists = [ListState(g, self._keep(g)) for g in groups if g.kind is not ListKind.PROCEDURE and g.codes]
        self.code_groups = {number: group.codes for number, group in self.procedure_groups.items()}
        self.listed: Codes = frozenset().union(*(state.group.codes for state in self.lists))
        self.denied_here: set[str] = set()
        self.pairs = 0

    def _keep(self, group: RawGroup) -> int:
        text = plain_text(group.paragraph)
        self.reading.paragraphs.append(Paragraph(f"{group.kind.value} {group.number}", text, group.paragraph_sha256))
        return len(self.reading.paragraphs) - 1

    def read(self) -> DocumentReading:
        self.reading.codes = {code: CodeReading() for code in self.governed}
        for number in sorted(self.procedure_groups):
            self._read_procedure_group(self.procedure_groups[number])
        for state in self.lists:
            self._read_list(state)
        self._pair_labels()
        self._match_headings()
        self._scope_the_rest()
        self._settle_hints()
        for state in self.lists:
            self.reading.groups += [*stated_readings(state), *list_readings(state, self.governed)]
        self._mark_doubtful_scopes()
        self._settle_denials()
        if self.lists and all(state.group.is_stated for state in self.lists if state.group.kind is ListKind.COVERED):
            self.reading.pairing_unclear = False  # people said for which codes the lists are paired
        self.reading.unread = sorted(
            {f"{g.kind.value} {g.number}" for g in self.reading.groups if g.role is Role.NARRATIVE}
        )
        return self.reading

    # -- procedure codes

    def _read_procedure_group(self, group: RawGroup) -> None:
        paragraph = self._keep(group)
        for sentence in split_sentences(group.paragraph):
            said = read_procedure_sentence(sentence, self.governed, group.codes, self.title, self.listed)
            self._apply_to_codes(said, paragraph, group.source)

    def _apply_to_codes(self, said: Statement, paragraph: int, source: tuple[int, int]) -> None:
        if said.says is Says.PAIR_EXEMPT:
            self._exempt(said)
        elif said.says in (Says.DIAGNOSIS_SCOPE, Says.DIAGNOSIS_UNREAD):
            for state in self.lists:
                self._single_out(state, said)
        elif said.says is Says.DENIED_HERE:
            self.denied_here |= said.codes
        for code in said.codes:
            old = self.reading.codes.get(code)
            new = treat(old, said) if old else None
            if new is not None:
                self.reading.codes[code] = replace(new, paragraph=paragraph, source=source)

    # -- lists of diagnoses

    def _read_list(self, state: ListState) -> None:
        group = state.group
        if group.role:
            state.role = Role(group.role)
            state.named = group.procedure_codes
            state.waived = group.waived_by_modifiers
            return
        text = plain_text(group.paragraph)
        state.text = text
        state.is_cut = text.rstrip().endswith(TRUNCATED)
        state.label = read_label(split_sentences(group.paragraph))
        if group.kind is ListKind.NON_COVERED:
            state.role = Role.NON_COVERED
        for sentence in split_sentences(group.asterisk_text) if not group.is_stated else ():
            self._read_asterisk(state, sentence)
        for sentence in split_sentences(group.paragraph):
            if group.starred and not group.is_stated and _ASTERISK.search(sentence):
                self._read_asterisk(state, sentence)
                continue
            said = read_list_sentence(sentence, self.governed, group.number, group.codes, self.code_groups)
            self._apply_to_list(state, said)

    def _read_asterisk(self, state: ListState, sentence: str) -> None:
        """The note of the asterisk: for which codes, or with which other list, the starred diagnoses count."""
        group = state.group
        said = read_list_sentence(sentence, self.governed, group.number, group.codes, self.code_groups)
        covered = {s.group.number: s for s in self.lists if s.group.kind is ListKind.COVERED}
        star = GroupReading(
            group.kind, group.number, Role.STANDALONE, diagnoses=group.starred, paragraph=state.paragraph
        )
        is_scope = said.says is Says.SCOPE or (
            said.says is Says.DIAGNOSIS_SCOPE and group.starred and said.diagnoses >= group.starred
        )
        if is_scope and state.star is None:
            state.star = replace(star, scope=said.codes)
        elif needs_other_diagnosis(sentence) and said.says is not Says.PAIR_GROUPS and state.star is None:
            state.star = replace(star, role=Role.NEEDS_SECONDARY)
        elif said.says is Says.PAIR_GROUPS and said.primary == group.number and said.secondaries[0] in covered:
            other = covered[said.secondaries[0]]
            self.pairs += 1
            state.star = replace(star, role=Role.PRIMARY_ELIGIBLE, pair=self.pairs)
            self._add_part(other, other.group.codes, Role.REQUIRED_SECONDARY, pair=self.pairs, whole=False)
        elif said.says is not Says.NOTHING:
            state.star = replace(star, role=Role.ASTERISK)

    def _apply_to_list(self, state: ListState, said: Statement) -> None:
        if state.group.is_stated and said.says not in (Says.FREE, Says.DENIED, Says.DENIED_IF):
            return  # people said what the list is; of the codes themselves the paragraph still speaks
        if said.says is Says.SCOPE:
            meant = [s for s in self.lists if s.group.kind is state.group.kind and s.group.number == said.primary]
            for other in meant or [state]:
                if not other.group.is_stated:
                    other.named |= said.codes
        elif said.says is Says.SCOPE_OTHERS:
            state.is_for_others = True
        elif said.says in (Says.FREE, Says.DENIED, Says.DENIED_IF):
            self._apply_to_codes(said, state.paragraph, state.group.source)
        elif said.says is Says.PAIR_EXEMPT:
            self._exempt(said)
        elif said.says is Says.PAIR_WAIVED:
            self._waive(said.words)
        elif said.says is Says.PAIR_GROUPS and state.group.kind is ListKind.COVERED:
            self._pair(state, said)
        elif said.says is Says.PAIR_CODE and state.group.kind is ListKind.COVERED and not state.label:
            self._pair_within(state, said)
        elif said.says in (Says.DIAGNOSIS_SCOPE, Says.NEEDS_SECONDARY, Says.DIAGNOSIS_UNREAD):
            if not state.label:  # a labelled list is paired as a whole: the sentence explains the label
                self._single_out(state, said)
        elif said.says is Says.UNREAD:
            for other in self.lists:
                if other is state or (other.group.kind is state.group.kind and other.group.number in said.secondaries):
                    other.hinted = True

    def _waive(self, modifiers: Sequence[str]) -> None:
        """Modifiers that lift every pairing; where they are not named, a missing half is a doubt, not a denial."""
        for other in self.lists:
            other.waived = tuple(dict.fromkeys((*other.waived, *(m for m in modifiers if m != UNNAMED))))
        if UNNAMED in modifiers:
            self.reading.pairing_unclear = True

    def _exempt(self, said: Statement) -> None:
        if said.codes:
            for state in self.lists:
                state.exempt |= said.codes
        else:
            self.reading.pairing_unclear = True

    def _pair(self, state: ListState, said: Statement) -> None:
        """A code of one group and a code of another."""
        covered = {s.group.number: s for s in self.lists if s.group.kind is ListKind.COVERED and not s.group.is_stated}
        primary = covered.get(said.primary)
        secondaries = [covered[n] for n in said.secondaries if n in covered]
        if primary is None or not secondaries or primary in secondaries:
            state.hinted = True
            return
        self._waive(said.words)
        for paired in (primary, *secondaries):
            paired.named |= said.codes
        if primary.role is Role.PRIMARY_ELIGIBLE and all(s.pair == primary.pair for s in secondaries):
            return  # said once more
        part = frozenset(said.diagnoses & primary.group.codes)
        if part and part != primary.group.codes:
            self.pairs += 1
            self._add_part(primary, part, Role.PRIMARY_ELIGIBLE, pair=self.pairs)
            for secondary in secondaries:
                self._add_part(secondary, secondary.group.codes, Role.REQUIRED_SECONDARY, pair=self.pairs, whole=False)
            return
        if any(s.role is not Role.STANDALONE for s in (primary, *secondaries)):
            for other in (primary, *secondaries):
                other.hinted = True  # two pairings of one list: not understood
                other.pair, other.role = 0, Role.STANDALONE
            return
        self.pairs += 1
        primary.role, primary.pair, primary.any_order = Role.PRIMARY_ELIGIBLE, self.pairs, said.any_order
        for secondary in secondaries:
            secondary.role, secondary.pair = Role.REQUIRED_SECONDARY, self.pairs

    def _pair_within(self, state: ListState, said: Statement) -> None:
        """A named diagnosis and another of the same list, in either order."""
        named = frozenset(said.diagnoses & state.group.codes)
        rest = state.group.codes - named
        if not named or not rest:
            state.hinted = True
            return
        self._waive(said.words)
        state.named |= said.codes
        self.pairs += 1
        self._add_part(state, named, Role.PRIMARY_ELIGIBLE, pair=self.pairs, any_order=True)
        self._add_part(state, rest, Role.REQUIRED_SECONDARY, pair=self.pairs, any_order=True)

    def _single_out(self, state: ListState, said: Statement) -> None:
        part = frozenset(said.diagnoses & state.group.codes)
        if not part:
            return
        if said.says is Says.DIAGNOSIS_SCOPE:
            self._add_part(state, part, state.role, scope=said.codes)
        elif said.says is Says.NEEDS_SECONDARY:
            self._add_part(state, part, Role.NEEDS_SECONDARY)
        elif state.group.kind is ListKind.COVERED or _EXCLUDES_IN_PART.search(said.sentence):
            self._add_part(state, part, Role.NARRATIVE)
            state.doubted |= said.codes

    @staticmethod
    def _add_part(
        state: ListState,
        part: Codes,
        role: Role,
        *,
        scope: Codes | None = None,
        pair: int = 0,
        any_order: bool = False,
        whole: bool = True,
    ) -> None:
        """``whole`` False: the members stay in their list too, which then is no list that stands alone for certain."""
        group = state.group
        plain = part - group.starred or part
        if not whole:
            state.shared = True
        state.parts.append(
            GroupReading(
                group.kind,
                group.number,
                role,
                scope,
                pair,
                any_order,
                state.waived,
                frozenset(),
                plain,
                state.paragraph,
            )
        )

    def _pair_labels(self) -> None:
        """``Primary Diagnosis:`` over one list, ``Secondary Diagnosis:`` over the next ones."""
        covered = sorted((s for s in self.lists if s.group.kind is ListKind.COVERED), key=lambda s: s.group.number)
        open_pair, primaries = 0, 0
        for state in covered:
            if state.role is not Role.STANDALONE or not state.label:
                continue
            if state.label == "primary":
                self.pairs += 1
                open_pair, primaries = self.pairs, primaries + 1
                state.role, state.pair = Role.PRIMARY_ELIGIBLE, open_pair
            elif open_pair:
                state.role, state.pair = Role.REQUIRED_SECONDARY, open_pair
        for state in covered:
            alone = state.pair and len({s.role for s in self.lists if s.pair == state.pair}) == 1
            if alone or (state.label == "secondary" and not state.pair):
                state.role, state.pair, state.hinted = Role.STANDALONE, 0, True

    def _match_headings(self) -> None:
        """A list whose heading is that of a group of procedure codes is for those codes."""
        headings = {heading_of(g.paragraph): g for g in self.procedure_groups.values() if heading_of(g.paragraph)}
        for state in self.lists:
            group = headings.get(heading_of(state.group.paragraph))
            if not state.named and group is not None and len(headings) > 1:
                state.named = group.codes

    def _scope_the_rest(self) -> None:
        """A list for all other codes is for those that no other list of its kind names."""
        for state in self.lists:
            others = frozenset[str]().union(
                *(s.named for s in self.lists if s is not state and s.group.kind is state.group.kind)
            )
            if state.is_for_others and not state.named and others:
                state.named = self.governed - others

    def _settle_hints(self) -> None:
        """Words of pairing that no pattern caught: understood where the list is paired already, else unread."""
        for state in self.lists:
            if state.hinted and not state.pair and not any(p.pair for p in state.parts) and not state.group.is_stated:
                if state.role is Role.STANDALONE or (
                    state.role is Role.NON_COVERED and _EXCLUDES_IN_PART.search(state.text)
                ):
                    state.role = Role.NARRATIVE

    def _settle_denials(self) -> None:
        """Denied for what the document is about: plainly where no list is for the code, else it depends on the diagnosis."""
        for code in self.denied_here:
            old = self.reading.codes.get(code)
            if (
                old is not None
                and old.treatment is Treatment.DENIED
                and any(group.scope is None or code in group.scope for group in self.reading.groups)
            ):
                self.reading.codes[code] = replace(old, treatment=Treatment.DENIED_IF)

    def _mark_doubtful_scopes(self) -> None:
        """Lists that name no code, beside as many groups of codes as lists: the numbers may correspond, and may not.

        A hit of a code in a list of another number is doubtful; so is the list of a code that another list names.
        """
        lists = [
            s
            for s in self.lists
            if s.group.kind is ListKind.COVERED and s.role is Role.STANDALONE and not s.group.is_stated
        ]
        numbers = {s.group.number for s in lists}
        if len(numbers) < 2:
            return
        unnamed = {s.group.number for s in lists if not s.named}
        corresponds = all(
            s.named <= self.procedure_groups[s.group.number].codes if s.group.number in self.procedure_groups else False
            for s in lists
            if s.named
        ) and numbers <= set(self.procedure_groups)
        if not unnamed or not corresponds:
            return
        for i, reading in enumerate(list(self.reading.groups)):
            if reading.kind is ListKind.COVERED and reading.number in unnamed and reading.role is Role.STANDALONE:
                own = self.procedure_groups[reading.number].codes & self.governed
                self.reading.groups[i] = replace(reading, scope=own)
                self.reading.groups.append(replace(reading, role=Role.NARRATIVE, scope=self.governed - own))


_ASTERISK = re.compile(r"^\s*\*(?!\s*Note)|\basterisk", re.IGNORECASE)
_EXCLUDES_IN_PART = re.compile(
    r"\b(?:primary|principal|secondary|first[- ]listed|sole|only|unless|except)\b", re.IGNORECASE
)

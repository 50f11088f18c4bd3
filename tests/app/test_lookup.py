"""Look-ups by code, pair, diagnosis and both, over every family; the order, and what was known."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lookup_release import asked, open_release
from releases import claim, line

from claimedits.app.lookup import Edit, LookUp, look_up
from claimedits.engine.engine import Engine
from claimedits.model.dates import Day, format_day, parse_day
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.loaded import LoadedRelease


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> LoadedRelease:
    return open_release(tmp_path_factory.mktemp("lookup"))


def found(release: LoadedRelease, question: LookUp) -> list[tuple[str, bool]]:
    """Rule ids and whether they are active, without what concerns every code."""
    return [(e.rule_id, e.active) for e in look_up(release, question) if not e.concerns_every_code]


def only(release: LoadedRelease, question: LookUp, rule_id: str) -> Edit:
    (edit,) = (edit for edit in look_up(release, question) if edit.rule_id == rule_id)
    return edit


def test_everything_that_touches_a_code(release: LoadedRelease) -> None:
    assert found(release, asked("G0127")) == [
        ("medicare-pfs-indicators/G0127", True),
        ("medicare-pfs-indicators/G0127", True),
        ("procedure-codes/G0127", True),
        ("medicare-modifier-requirements/E04", True),
        ("medicare-modifier-requirements/E11.minor", True),
        ("medicare-modifier-requirements/E16", True),
        ("medicare-ptp-practitioner/G0127+G0102", True),
        ("medicare-ptp-practitioner/G0247+G0127", True),
        ("medicare-mue-practitioner/G0127", False),
        ("medicare-mue-practitioner/G0127", True),
        ("medicare-coverage/A90001", False),
        ("medicare-coverage/A90001", True),
        ("medicare-aoc/G2211", True),
    ]


def test_edits_that_concern_every_code_are_listed_and_say_so(release: LoadedRelease) -> None:
    general = [edit for edit in look_up(release, asked("G0127")) if edit.concerns_every_code]
    assert {edit.family for edit in general} == {Family.DUPLICATE, Family.MODIFIER, Family.POLICY}
    assert [e.rule_id for e in general if e.family is Family.DUPLICATE] == ["duplicates/exact", "duplicates/suspect"]
    assert "example-payer-policy/timely-filing" in [edit.rule_id for edit in general]


def test_a_pair(release: LoadedRelease) -> None:
    assert found(release, asked("G0127", "G0247")) == [("medicare-ptp-practitioner/G0247+G0127", True)]
    assert found(release, asked("G2211", "G0127")) == [("medicare-aoc/G2211", True)]
    assert found(release, asked("G0127", "G9999")) == []


def test_a_diagnosis(release: LoadedRelease) -> None:
    assert found(release, asked(diagnosis="E1142")) == [
        ("code-edits/sequence/E1142", True),
        ("icd10cm/E1142", True),
        ("icd10cm/E1142", False),
        ("medicare-coverage/A90001", False),
        ("medicare-coverage/A90001", True),
        ("medicare-coverage/A90002", True),
        ("medicare-coverage/NCD-1", True),
    ]


def test_a_diagnosis_and_a_code(release: LoadedRelease) -> None:
    edits = look_up(release, asked("G0127", diagnosis="E1142"))
    roles = [(dict(e.fields)["document_version"], dict(e.fields)["role"], e.active) for e in edits]
    assert roles == [("4", "standalone", False), ("5", "required_secondary lifted by Q8", True)]
    # The list that is for G0247 alone is none of G0127's.
    assert not look_up(release, asked("G0127", diagnosis="Z0000"))
    assert found(release, asked("G0247", diagnosis="Z0000")) == [("medicare-coverage/A90001", True)]


def test_a_header_shows_the_billable_codes_below_it(release: LoadedRelease) -> None:
    fields = dict(look_up(release, asked(diagnosis="E114", families=frozenset((Family.CODE_VALIDITY,))))[0].fields)
    assert (fields["icd10_code"], fields["billable"]) == ("E11.4", "no")
    assert (fields["billable_codes_below"], fields["first_codes_below"]) == ("2", "E11.40 E11.42")


def test_a_document_shows_where_it_holds_and_the_roles_of_its_lists(release: LoadedRelease) -> None:
    edit = look_up(release, asked("G0247", families=frozenset((Family.COVERAGE,))))[1]
    fields = dict(edit.fields)
    assert (fields["document_type"], fields["document_version"], fields["states"]) == ("ARTICLE", "5", "NJ PA")
    assert fields["lists"] == (
        "covered 1: primary_eligible lifted by Q8, 1 diagnosis; covered 2: required_secondary lifted by Q8, 1 diagnosis; "
        "non_covered 3: non_covered, 1 diagnosis for G0247"
    )
    assert (edit.citation.source_file, edit.citation.effective_from) == ("case.jsonl", "2024-07-01")


def test_a_modifier(release: LoadedRelease) -> None:
    jz = only(release, asked("JZ"), "modifiers/JZ")
    assert (jz.family, jz.active, dict(jz.fields)["effective_from"]) == (Family.MODIFIER, True, "2023-01-01")
    assert not only(release, asked("JZ", day="2022-12-31"), "modifiers/JZ").active
    rules = [rule_id for rule_id, _ in found(release, asked("JZ", families=frozenset((Family.MODIFIER,))))]
    assert "medicare-modifier-requirements/E19" in rules  # it must not be missing
    assert "medicare-modifier-requirements/E18" not in rules
    liability = only(release, asked("GZ", day="2011-06-30"), "medicare-liability-modifiers/GZ")
    assert (liability.family, liability.active) == (Family.COVERAGE, False)
    assert only(release, asked("GZ", day="2011-07-01"), "medicare-liability-modifiers/GZ").active
    assert dict(only(release, asked("76"), "duplicates/suspect").fields)["concerns"].startswith("76: it says")


def test_a_code_with_a_modifier(release: LoadedRelease) -> None:
    validity = frozenset((Family.CODE_VALIDITY,))
    (row,) = look_up(release, asked("G0127", "TC", families=validity))
    assert dict(row.fields)["modifier"] == "TC"
    words = {e.rule_id: dict(e.fields)["concerns"] for e in look_up(release, asked("J0897", "JZ"))}
    assert words["medicare-modifier-requirements/E19"] == "J0897 with JZ"
    assert words["medicare-modifier-requirements/E20.both"] == "every code with JZ"
    assert look_up(release, asked("JZ", "J0897"))[:] == look_up(release, asked("J0897", "JZ"))[:]


@pytest.mark.parametrize(
    ("code", "rule", "active"),
    [
        ("J0897", "prior-authorization", True),
        ("J9271", "prior-authorization", True),
        ("J9280", "prior-authorization", True),  # within a range of the list
        ("G0438", "wellness-visit-once-a-year", True),
        ("96372", "administration-of-unauthorized-drug", True),  # between two codes
    ],
)
def test_rules_of_a_payer(release: LoadedRelease, code: str, rule: str, active: bool) -> None:
    edit = only(release, asked(code, families=frozenset((Family.POLICY,))), f"example-payer-policy/{rule}")
    fields = dict(edit.fields)
    assert (edit.active, fields["concerns"]) == (active, code)
    assert fields["when"].startswith('claim.payer is "EXAMPLE" and line.procedure_code is ')


def test_a_rule_about_two_lines_stands_between_their_codes(release: LoadedRelease) -> None:
    (edit,) = look_up(release, asked("G0438", "G0439", families=frozenset((Family.POLICY,))))
    assert edit.rule_id == "example-payer-policy/wellness-visit-once-a-year"
    assert dict(edit.fields)["concerns"] == "G0438, with G0439 on another line"


@pytest.mark.parametrize("question", [asked("G0127"), asked("J0897", "JZ"), asked("GZ"), asked(diagnosis="E1142")])
def test_no_field_stands_twice(release: LoadedRelease, question: LookUp) -> None:
    for edit in look_up(release, question):
        names = [name for name, _ in edit.fields]
        assert len(names) == len(set(names)), edit.rule_id


def test_a_code_that_a_list_holds_on_other_days_is_shown_as_not_active(release: LoadedRelease) -> None:
    for day, active in (("2024-06-30", False), ("2024-07-01", True)):
        policy = frozenset((Family.POLICY,))
        edit = only(release, asked("J9271", day=day, families=policy), "example-payer-policy/prior-authorization")
        assert (edit.active, dict(edit.fields)["concerns"]) == (active, "J9271")


def test_rules_of_another_setting_are_left_out(release: LoadedRelease) -> None:
    policy = frozenset((Family.POLICY,))
    for setting, shown in ((Setting.DME_SUPPLIER, True), (Setting.PRACTITIONER, False)):
        edits = look_up(release, asked("A4253", families=policy, setting=setting))
        assert ("example-payer-policy/strips-per-quarter" in [edit.rule_id for edit in edits]) is shown


def test_tables_of_another_program_or_setting_are_left_out(release: LoadedRelease) -> None:
    names = {e.rule_set for e in look_up(release, asked("G0127", program=Program.MEDICAID))}
    assert not any(name.startswith("medicare-") for name in names)
    names = {e.rule_set for e in look_up(release, asked("G0127", setting=Setting.OUTPATIENT_HOSPITAL))}
    assert "medicare-ptp-practitioner" not in names


def test_age_and_sex_edits_of_a_range(release: LoadedRelease) -> None:
    sex = only(release, asked("G0124"), "code-edits/sex/G0124")
    assert dict(sex.fields)["named_as"] == "G0123 to G0124"
    age = only(release, asked(diagnosis="P001"), "code-edits/age/P001")
    assert (dict(age.fields)["age_min"], dict(age.fields)["age_max"]) == ("0", "0")


def test_value_sets_are_shown_and_never_active(release: LoadedRelease) -> None:
    (edit,) = look_up(release, asked(diagnosis="D510"))
    assert (edit.rule_id, edit.active) == ("coverage-value-sets/Anemia", False)
    assert dict(edit.fields)["note"] == "for look-up only: no edit reads value sets"


def test_only_what_was_known_is_shown(release: LoadedRelease) -> None:
    assert found(release, asked("G0127", "G0102", as_of="2024-05-31")) == []
    assert found(release, asked("G0127", as_of="2024-05-31", families=frozenset((Family.MUE,)))) == [
        ("medicare-mue-practitioner/G0127", False)
    ]
    validity = frozenset((Family.CODE_VALIDITY,))
    editions = [
        e.citation.label[:6] for e in look_up(release, asked(diagnosis="E1140", as_of="2024-06-14", families=validity))
    ]
    assert editions == ["FY2024"]


def test_the_order_is_by_family_rule_set_rule_id_and_first_day(release: LoadedRelease) -> None:
    for question in (asked("G0127"), asked(diagnosis="E1142"), asked("59"), asked("J0897", "JZ")):
        edits = list(look_up(release, question))
        keys = [(edit.family, edit.rule_set, edit.rule_id, edit.citation.effective_from) for edit in edits]
        assert keys == sorted(keys)


def test_a_page_is_the_same_as_its_part_of_the_whole(release: LoadedRelease) -> None:
    edits = look_up(release, asked("G0127"))
    whole = list(edits)
    assert len(edits) == len(whole)
    assert [edit for start in range(0, len(edits), 3) for edit in edits[start : start + 3]] == whole
    assert edits[-1] == whole[-1]
    with pytest.raises(IndexError):
        edits[len(whole)]


DAYS = st.integers(parse_day("2024-03-15"), parse_day("2024-10-15"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DAYS, st.sampled_from(("2024-03-15", "2024-06-10", "2024-09-01", "2024-12-31")))
def test_active_is_what_the_engine_would_apply(release: LoadedRelease, day: Day, as_of: str) -> None:
    engine, on = Engine(release), format_day(day)
    sent = claim(line(1, "G0247", service_date=on), line(2, "G0127", units="9", service_date=on), diagnoses=["E11.42"])
    findings = engine.evaluate(sent, as_of, detail="ALL").findings
    said = {(f.rule_id, f.code) for f in findings if f.line_number == 2}

    def active(*codes: str, **parts: str) -> list[Edit]:
        return [e for e in look_up(release, asked(*codes, day=on, as_of=as_of, **parts)) if e.active]

    pair = [e for e in active("G0127", "G0247") if e.family is Family.PTP]
    assert bool(pair) is (("medicare-ptp-practitioner/G0247+G0127", "PTP_CONFLICT") in said)
    values = [dict(e.fields)["value"] for e in active("G0127") if e.family is Family.MUE]
    compared = [f.detail.mue.value for f in findings if f.code == "MUE_EXCEEDED" and f.detail and f.detail.mue]
    assert values == list(map(str, compared))
    documents = {
        (e.rule_id, dict(e.fields)["document_version"]) for e in active("G0127") if e.family is Family.COVERAGE
    }
    decided = {
        (f.rule_id, f.detail.coverage.document_version)
        for f in findings
        if f.line_number == 2
        and f.family is Family.COVERAGE
        and f.detail
        and f.detail.coverage
        and f.detail.coverage.document_version
    }
    assert documents == decided
    editions = [e for e in active(diagnosis="E1142") if e.rule_id == "icd10cm/E1142"]
    assert bool(editions) is (("icd10cm/E1142", "") in said)
    codes = [e for e in active("G0127") if e.rule_id == "procedure-codes/G0127"]
    assert bool(codes) is (("procedure-codes/G0127", "CODE_INVALID") not in said)

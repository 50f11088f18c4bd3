"""What an author is told about each mistake, word for word: the messages are an interface."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claimedits.rulesets.authored import code_lists, reading

ProblemsOf = Callable[..., list[str]]
RULE = """[[rule]]
id = "one"
title = "One"
when = 'line.procedure_code is "G0439"'
status = "FAIL"
code = "POLICY_ONE"
message = "one"
"""
LIST_HEAD = "first,last,effective_from,effective_to,source\n"


def rule(**changes: str) -> str:
    """The rule above with the lines of some fields written anew; an empty text leaves the field out."""
    lines = RULE.splitlines()
    for name, value in changes.items():
        kept = [i for i, line in enumerate(lines) if line.startswith(f"{name} =")]
        line = [f"{name} = {value}"] if value else []
        if kept:
            lines[kept[0] : kept[0] + 1] = line
        else:
            lines += line
    return "\n".join(lines) + "\n"


SENTENCES = [
    (
        """'line.modifer include "50"'""",
        "rules.toml:4:9: line.modifer is no attribute; did you mean line.modifiers?",
    ),
    (
        """'line.units is "2"'""",
        'rules.toml:4:23: line.units is a number; "2" is not; write a number without quotes, such as 2',
    ),
    (
        """'line.units is more than "2" and line.days is 1'""",
        'rules.toml:4:33: line.units is a number; "2" is not; write a number without quotes, such as 2',
    ),
    (
        "'line.procedure_code is 99213'",
        'rules.toml:4:32: 99213 stands without quotes; write codes in quotes: "99213"',
    ),
    (
        """'line.procedure_code is one of ["G0439", 00100]'""",
        'rules.toml:4:49: 00100 stands without quotes; write codes in quotes: "00100"',
    ),
    (
        "'line.units > 2'",
        "rules.toml:4:20: > is not a word of the language; write 'is more than'",
    ),
    (
        """'line.modifiers is "50"'""",
        "rules.toml:4:24: line.modifiers is a list of texts; it cannot be asked whether it 'is'; it can be asked: are empty, "
        "are not empty, do not include, include, include all of, include any in list, include any not in force by list, "
        "include any of, include any starting with, include exactly one of, include none in list, include none of, include only, "
        "include two or more in list, include two or more of",
    ),
    (
        """'line.units equals 2'""",
        "rules.toml:4:20: line.units is a number; it cannot be asked whether it 'equals'; did you mean 'is'? it can be asked: "
        "is, is at least, is at most, is between, is less than, is more than, is not, is not between",
    ),
    (
        """'line.procedure_code is one off ["G0439"]'""",
        "rules.toml:4:29: 'is one off' is no operator; did you mean 'is one of'?",
    ),
    (
        """'line.procedure_code is in ["G0439"]'""",
        "rules.toml:4:29: 'is in' is no operator; did you mean 'is one of'?",
    ),
    (
        "'line.service_date is afer 2024-01-01'",
        "rules.toml:4:27: 'is afer' is no operator; did you mean 'is after'?",
    ),
    (
        "'line.units is greater than 2'",
        "rules.toml:4:20: 'is greater than' is no operator; did you mean 'is more than'?",
    ),
    (
        "'line.procedure_code is wellness'",
        'rules.toml:4:32: wellness stands without quotes; write codes in quotes: "wellness"',
    ),
    (
        "'line.procedure_code is in list wellnes'",
        "rules.toml:4:40: there is no list wellnes; did you mean wellness?",
    ),
    (
        "'line.procedure_code is in list x-rays'",
        "rules.toml:4:40: there is no list x-rays; add lists/x-rays.csv, or correct the name",
    ),
    (
        """'claim.setting is "HOSPITAL"'""",
        'rules.toml:4:26: claim.setting is never "HOSPITAL"; use one of ASC, DME_SUPPLIER, OUTPATIENT_HOSPITAL, PRACTITIONER',
    ),
    (
        """'line.procedure_code is "9921"'""",
        'rules.toml:4:32: "9921" is not a procedure code; a procedure code has five digits or capital letters',
    ),
    (
        "'other.units is 1'",
        "rules.toml:4:9: other.units cannot be asked here; other means the other line, within [[rule.with]] and [[rule.without]]",
    ),
    (
        "'line.service_date is after 2024-13-01'",
        "rules.toml:4:36: line.service_date is a date; 2024-13-01 is not; write it like 2024-07-01",
    ),
    (
        "'line.units is known'",
        "rules.toml:4:9: line.units is always known; leave the condition out",
    ),
    (
        """'line.place_of_service is ""'""",
        "rules.toml:4:34: the text is empty; to ask whether it was sent, write: line.place_of_service is known",
    ),
    (
        """'line.procedure_code is "G0439" line.units is 1'""",
        "rules.toml:4:40: line.units is not expected here; join two conditions with 'and' or 'or'",
    ),
    (
        """'(line.units is 1 or line.units is 2'""",
        "rules.toml:4:44: a parenthesis is not closed; write ) after the last condition",
    ),
    (
        "'line.units is between 5 and 2'",
        "rules.toml:4:37: the second value of 'between' is the smaller one; write the smaller value first",
    ),
    (
        """'switch.payer.strict is "yes"'""",
        "rules.toml:4:9: there is no switch payer.strict; state it in switches.csv",
    ),
    (
        "''",
        "rules.toml:4:9: the sentence ends too early; begin with an attribute, such as line.procedure_code",
    ),
]


@pytest.mark.parametrize(("sentence", "message"), SENTENCES, ids=[sentence for sentence, _ in SENTENCES])
def test_sentence(problems_of: ProblemsOf, sentence: str, message: str) -> None:
    assert problems_of(rule(when=sentence), lists__wellness=LIST_HEAD + "G0438,G0439,,,Test\n") == [message]


NEVER = [
    """['line.procedure_code is "G0438"', 'line.procedure_code is "G0439"']""",
    """['line.modifiers include "50"', 'line.modifiers do not include "50"']""",
    """['line.modifiers include all of ["LT", "RT"]', 'line.modifiers include only ["LT"]']""",
    """['line.units is more than 2', 'line.units is at most 2']""",
    """['line.units is less than 1', 'line.units is 1']""",
    """['line.service_date is before 2020-01-01', 'line.service_date is on or after 2020-01-01']""",
    """['line.modifiers are empty', 'line.modifiers include "50"']""",
    """['line.place_of_service is unknown', 'line.place_of_service is "11"']""",
    """['line.procedure_code is "G0438"', 'line.procedure_code is "G0439" or line.procedure_code is "G0101"']""",
    """['claim.setting is "ASC"', 'claim.setting is not one of ["ASC", "PRACTITIONER"]']""",
]


@pytest.mark.parametrize("when", NEVER)
def test_rule_that_can_never_match(problems_of: ProblemsOf, when: str) -> None:
    (problem,) = problems_of(rule(when=when))
    assert problem.startswith("rules.toml:4:8: the rule can never match: ")
    assert problem.endswith("; correct the condition, or remove the rule")


def test_condition_outside_the_dates_of_the_rule(problems_of: ProblemsOf) -> None:
    rules = rule(when="'line.service_date is before 2023-01-01'", effective_from='"2024-01-01"')
    assert problems_of(rules) == [
        "rules.toml:4:8: the rule can never match: line.service_date lies on no day that all conditions and the dates of the "
        "rule allow; correct the condition, or remove the rule"
    ]


def test_codes_without_quotes_in_lists_of_toml(problems_of: ProblemsOf) -> None:
    rules = rule(modifiers="[50, 59]", missing="[GP]")
    assert problems_of(rules) == [
        'rules.toml:9:12: GP stands without quotes; write codes in quotes: "GP"',
        'rules.toml:8:14: 50 stands without quotes; write codes in quotes: "50"',
        'rules.toml:8:18: 59 stands without quotes; write codes in quotes: "59"',
    ]


def test_code_with_leading_zeros_without_quotes(problems_of: ProblemsOf) -> None:
    assert problems_of(rule(states="[00100]")) == [
        'rules.toml:8:11: 00100 stands without quotes; write codes in quotes: "00100"'
    ]


def test_duplicate_id(problems_of: ProblemsOf) -> None:
    assert problems_of(RULE + "\n" + RULE) == [
        "rules.toml:10:6: the id one stands twice, first at rules.toml:1; give each rule an id of its own"
    ]


def test_overlapping_dates_of_one_rule(problems_of: ProblemsOf) -> None:
    rules = rule(effective_to='"2024-06-30"') + rule(effective_from='"2024-06-30"')
    assert problems_of(rules) == [
        "rules.toml:10:6: two versions of one hold from 2024-06-30 to 2024-06-30, the other at rules.toml:1; "
        "end the earlier one the day before"
    ]


def test_cycle_names_the_rules(problems_of: ProblemsOf) -> None:
    def reads(name: str, other: str) -> str:
        block = f"""[[rule.with]]\nwhat = "finding"\nfamily = "POLICY"\nrules = ["{other}"]\n"""
        return rule(id=f'"{name}"') + block

    rules = reads("a", "b") + reads("b", "c") + reads("c", "a")
    assert problems_of(rules) == [
        "rules.toml:2:6: the rules a → b → c → a read each other's findings in a circle; let one of them stop reading the next"
    ]


def test_reading_a_rule_that_is_not_there(problems_of: ProblemsOf) -> None:
    rules = RULE + """[[rule.with]]\nwhat = "finding"\nfamily = "POLICY"\nrules = ["won"]\n"""
    assert problems_of(rules) == ["rules.toml:11:9: there is no rule won; did you mean one?"]


def test_reading_a_later_family(problems_of: ProblemsOf) -> None:
    rules = rule(code='"MOD_MISSING"') + """[[rule.with]]\nwhat = "finding"\nfamily = "PTP"\n"""
    assert problems_of(rules, family="MODIFIER") == [
        "rules.toml:10:10: PTP is decided after MODIFIER, so its findings cannot be read; use one of CODE_VALIDITY, DUPLICATE, MODIFIER"
    ]


def test_placeholder_that_does_not_exist(problems_of: ProblemsOf) -> None:
    assert problems_of(rule(message='"code {line.code}"')) == [
        "rules.toml:7:17: {line.code} is no placeholder; did you mean line.modifiers?"
    ]


def test_placeholder_without_another_line(problems_of: ProblemsOf) -> None:
    assert problems_of(rule(message='"see {other.lines}"')) == [
        "rules.toml:7:16: {other.lines} has nothing to name; it needs a [[rule.with]] of another line"
    ]


def test_unknown_field_and_missing_fields_all_at_once(problems_of: ProblemsOf) -> None:
    rules = """[[rule]]\nid = "one"\nwhn = 'line.units is 1'\nstatus = "FAILED"\ncode = "ONE"\n"""
    assert problems_of(rules) == [
        "rules.toml:3:1: [[rule]] has no field whn; did you mean when?",
        "rules.toml:1:1: [[rule]] has no when; a rule without conditions would speak of every line",
        'rules.toml:1:1: [[rule]] has no title; write title = "…"',
        "rules.toml:4:10: FAILED is no status; did you mean FAIL?",
        "rules.toml:5:8: ONE is no finding code of a payer's rule; write POLICY_ and capital letters, such as POLICY_FREQUENCY",
        'rules.toml:1:1: [[rule]] has no message; write message = "…"',
    ]


def test_syntax_error(problems_of: ProblemsOf) -> None:
    assert problems_of(RULE + "oops\n") == [
        "rules.toml:8:5: is not TOML: expected '=' after a key in a key/value pair; mend the file there; what follows was not read"
    ]


def test_rule_file_too_large(problems_of: ProblemsOf) -> None:
    size = 10_000_000
    assert problems_of(b"#" * size) == [
        f"rules.toml:1:1: has {size} bytes; a rule file has at most {reading.MOST_BYTES}; split it into several files of the directory"
    ]


def test_rule_file_not_utf_8(problems_of: ProblemsOf) -> None:
    assert problems_of(RULE.encode() + b"# caf\xe9\n") == ["rules.toml:8:1: is not UTF-8; save the file as UTF-8"]


LISTS = [
    (
        b"first;last;effective_from;effective_to;source\nG0438;;;;Test\n",
        "lists/x.csv:1:1: separates its columns by semicolons; save it with commas",
    ),
    (
        b"first\tlast\teffective_from\teffective_to\tsource\n",
        "lists/x.csv:1:1: separates its columns by tabs; save it with commas",
    ),
    (b"code,source\n", "lists/x.csv:1:1: has the columns code, source; the first row is first,last,effective_from,effective_to,source"),
    (b"", "lists/x.csv:1:1: has the columns (none); the first row is first,last,effective_from,effective_to,source"),
    (LIST_HEAD.encode(), "lists/x.csv:1:1: holds no codes; add a row, or remove the list"),
    (
        LIST_HEAD.encode() + b"100,,,,Test\n",
        "lists/x.csv:2:1: 100 has lost a leading zero; write 00100; format the column as text before saving",
    ),
    (LIST_HEAD.encode() + b"g0438,,,,Test\n", "lists/x.csv:2:1: first is not a code; write digits and capital letters, such as G0463"),
    (LIST_HEAD.encode() + b"G0439,G0438,,,Test\n", "lists/x.csv:2:2: G0439 to G0438 is not a range; first and last have the same form, the smaller first"),
    (LIST_HEAD.encode() + b"G0439,,1/1/2024,,Test\n", "lists/x.csv:2:3: effective_from is not a date; write it like 2024-07-01, or leave it empty"),
    (LIST_HEAD.encode() + b"G0439,,2024-01-01,2023-01-01,Test\n", "lists/x.csv:2:4: effective_to lies before effective_from; the last day is inclusive"),
    (LIST_HEAD.encode() + b"G0439,,,,\n", "lists/x.csv:2:5: names no source; say where the codes come from"),
    (LIST_HEAD.encode() + b"G0439,,\n", "lists/x.csv:2:1: has 3 cells, not 5; put a cell that holds a comma in quotes"),
    (LIST_HEAD.encode() + b"G0439,,,,caf\xe9\n", "lists/x.csv:2:1: is not UTF-8; save the file as UTF-8 (CSV UTF-8 in a spreadsheet)"),
    (LIST_HEAD.encode() + b"G0439,,,,a\x00b\n", "lists/x.csv:2:1: holds a NUL byte; save it again as CSV UTF-8"),
    (LIST_HEAD.encode() + b"G0439,,,,T\nG0439,,,,T\n", "lists/x.csv:3:1: says again what row 2 says; leave one of the two rows"),
    (
        b"#" * (code_lists.MOST_BYTES + 1),
        f"lists/x.csv:1:1: has {code_lists.MOST_BYTES + 1} bytes; a code list has at most {code_lists.MOST_BYTES}; split the list",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), LISTS, ids=[message for _, message in LISTS])
def test_code_list(problems_of: ProblemsOf, content: bytes, message: str) -> None:
    assert problems_of(RULE, lists__x=content) == [message]


def test_switch_value_not_allowed(problems_of: ProblemsOf) -> None:
    switches = "name,value,allowed,effective_from,effective_to,source\nstrict,maybe,yes no,,,Test\n"
    assert problems_of(RULE, switches=switches) == ["switches.csv:2:2: strict cannot be maybe; use one of yes no"]


def test_more_blocks_than_a_rule_may_have(problems_of: ProblemsOf) -> None:
    blocks = '[[rule.with]]\nwhat = "another line"\n' * 6
    assert problems_of(RULE + blocks) == [
        "rules.toml:1:1: a rule has at most 5 [[rule.with]] and [[rule.without]]; split the rule"
    ]


def test_one_pair_of_brackets_and_wrong_types(problems_of: ProblemsOf) -> None:
    assert problems_of('[rule]\nid = "one"\n') == [
        "rules.toml:1:1: rule is not a list of tables; write [[rule]] above its fields"
    ]
    assert problems_of(rule(adjustment='"4"', remedy="1")) == [
        'rules.toml:8:14: adjustment is not a table; write it like adjustment = { group = "CO", carc = "4" }',
        "rules.toml:9:10: remedy is not a list of tables; write [[rule.remedy]] above its fields",
    ]


def test_an_operator_of_another_type_is_named_as_one(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(rules=rule(when="'line.procedure_code is more than 2'"))
    assert problem.startswith(
        "rules.toml:4:29: line.procedure_code is a text; it cannot be asked whether it 'is more than';"
    )


DEEP = [
    (f"'{'not (' * 3_000}line.units is 2{')' * 3_000}'", "rules.toml:4:59: 'not' and parentheses stand more than 20 deep; split the rule into several"),
    (f"{'[' * 3_000}1{']' * 3_000}", "rules.toml:4:48: brackets stand more than 40 deep; close those before it"),
    (f"{'{a=' * 3_000}1{'}' * 3_000}", "rules.toml:4:128: brackets stand more than 40 deep; close those before it"),
]  # fmt: skip


@pytest.mark.parametrize(("when", "message"), DEEP, ids=["parentheses", "brackets", "braces"])
def test_nesting_that_would_use_up_the_stack(problems_of: ProblemsOf, when: str, message: str) -> None:
    assert message in problems_of(rules=rule(when=when))


def test_the_deepest_nesting_that_is_read(problems_of: ProblemsOf) -> None:
    """One more than that is refused at its own place."""
    (problem,) = problems_of(rules=rule(when=f"'{'not ' * 21}line.units is 2'"))
    assert problem.startswith("rules.toml:4:89: 'not' and parentheses stand more than 20 deep;")
    (problem,) = problems_of(rules=rule(when=f"'{'not ' * 20}line.unit is 2'"))
    assert problem == "rules.toml:4:89: line.unit is no attribute; did you mean line.units?"


def test_each_of_many_versions_is_named_once(problems_of: ProblemsOf) -> None:
    """A file of thousands of one id must not be weighed pair by pair: 8,000 of them would be 32 million problems."""
    problems = problems_of(rules=rule() * 4_000)
    assert len(problems) == 3_999
    assert (
        problems[-1]
        == "rules.toml:27995:6: the id one stands twice, first at rules.toml:1; give each rule an id of its own"
    )


def test_a_version_that_spans_two_others(problems_of: ProblemsOf) -> None:
    spans = [
        ("2024-01-01", "2024-12-31"),
        ("2024-02-01", "2024-02-29"),
        ("2024-06-01", "2025-01-31"),
        ("2025-02-01", ""),
    ]
    rules = "".join(
        rule(effective_from=f'"{first}"', **({"effective_to": f'"{last}"'} if last else {})) for first, last in spans
    )
    assert problems_of(rules=rules) == [
        "rules.toml:11:6: two versions of one hold from 2024-02-01 to 2024-02-29, the other at rules.toml:1; end the earlier one the day before",
        "rules.toml:20:6: two versions of one hold from 2024-06-01 to 2024-12-31, the other at rules.toml:1; end the earlier one the day before",
    ]


def test_many_codes_without_quotes_are_read_in_one_pass(problems_of: ProblemsOf) -> None:
    problems = problems_of(rules=rule() + f"x = [{', '.join(['00100'] * 5_000)}]\n")
    assert sum("00100 stands without quotes" in problem for problem in problems) == 5_000

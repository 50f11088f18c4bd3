"""Seeded random rules and claims over small vocabularies, so that rules fire, miss and stay undecided in every way."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from claimedits.engine.authored.facts import FEE_SCHEDULE
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.dates import FOREVER
from claimedits.model.finding import Detail, Finding, MueDetail
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.rule import All, Any_, Block, Condition, Rule, Test
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet
from claimedits.rulesets.revision import RevisionHeader, RevisionInfo
from claimedits.rulesets.versions import Editions

CODES = ("00100", "11055", "11720", "99213", "97110", "J9271", "G0439")
MODIFIERS = ("25", "50", "59", "GP", "LT", "RT", "XS", "ZZ")
PLACES = ("11", "22", "")
DIAGNOSES = ("E1142", "I10", "Z006")
DAY = 19_950
RULE_SET = "random-policy"
STRANGE = ("", "True", "0", "null", "$m", "a\u0000b", "ü" * 40)
"""Texts that durable_rules trips over; they stand in fields that take any text."""


def _line_test(random: Random, subject: str) -> Test:
    kind = random.randrange(9)
    negated = random.random() < 0.3
    some = tuple(random.sample(MODIFIERS, random.randint(1, 3)))
    if kind == 0:
        return Test(f"{subject}.procedure_code", "text_in", tuple(random.sample(CODES, random.randint(1, 4))), negated)
    if kind == 1:
        operator = random.choice(("texts_any", "texts_all", "texts_one", "texts_two", "texts_only"))
        return Test(f"{subject}.modifiers", operator, some, negated)
    if kind == 2:
        operator = random.choice(("number_is", "number_more", "number_less"))
        return Test(f"{subject}.units", operator, (Decimal(random.randint(0, 4)),), negated)
    if kind == 3:
        return Test(f"{subject}.place_of_service", random.choice(("text_in", "text_in", "known")), ("11",), negated)
    if kind == 4:
        return Test(
            f"{subject}.fee_schedule.bilateral", "text_in", tuple(random.sample(("0", "1", "2", ""), 2)), negated
        )
    if kind == 5:
        return Test(
            f"{subject}.service_date",
            random.choice(("date_before", "date_after")),
            (DAY + random.randint(-2, 2),),
            negated,
        )
    if kind == 6:
        return Test(f"{subject}.procedure_code", "text_in_list", ("some",), negated)
    if kind == 7:
        return Test(f"{subject}.diagnoses", "texts_any", (random.choice(DIAGNOSES),), negated)
    return Test(f"{subject}.charge", "number_more", (Decimal(random.choice((0, 100))),), negated)


def _claim_test(random: Random) -> Test:
    negated = random.random() < 0.3
    return random.choice(
        (
            Test("claim.setting", "text_in", ("PRACTITIONER", "ASC"), negated),
            Test("claim.payer", "text_in", ("P1",), negated),
            Test("claim.clia_certificate", "text_in", ("WAIVER",), negated),
            Test("claim.history_sent", "truth", (), negated),
            Test("patient.age", "number_less", (Decimal(40),), negated),
            Test("patient.sex", "text_in", ("F",), negated),
        )
    )


def _condition(random: Random, depth: int) -> Condition:
    if depth == 0 or random.random() < 0.5:
        return _claim_test(random) if random.random() < 0.25 else _line_test(random, "line")
    parts = tuple(_condition(random, depth - 1) for _ in range(random.randint(2, 3)))
    return random.choice((All, Any_))(parts)


def _block(random: Random, earlier: list[str]) -> Block:
    absent = random.random() < 0.35
    if random.random() < 0.35:
        own = bool(earlier) and random.random() < 0.6
        test = random.choice(
            (
                Test("finding.status", "text_in", ("FAIL",), random.random() < 0.3),
                Test("finding.mai", "text_in", ("3",), random.random() < 0.3),
                Test("finding.carc", "text_in", ("151",), random.random() < 0.3),
            )
        )
        return Block(
            "finding",
            absent,
            when=test if random.random() < 0.7 else All(()),
            family=Family.POLICY if own else random.choice((Family.MUE, Family.PTP)),
            rules=(random.choice(earlier),) if own else (),
            about=random.choice(("this line", "any line")),
        )
    same = tuple(random.sample(("day", "provider", "code", "place_of_service"), random.randint(0, 2)))
    ranged = "day" not in same and random.random() < 0.3
    return Block(
        random.choice(("another line", "history line", "another line or history line")),
        absent,
        same=same,
        days_before=random.randint(0, 2) if ranged else None,
        days_after=random.randint(0, 2) if ranged and random.random() < 0.5 else None,
        at_least=random.choice((1, 1, 1, 2)),
        at_least_units=Decimal(random.randint(1, 5)) if random.random() < 0.15 else None,
        when=_line_test(random, "other") if random.random() < 0.7 else All(()),
    )


def random_content(random: Random, rules: int) -> AuthoredRules:
    """A revision of ``rules`` random rules in up to three strata."""
    made: list[AuthoredRule] = []
    for number in range(rules):
        earlier = [m.rule.id for m in made if m.rule.stratum < 2]
        blocks = tuple(_block(random, earlier) for _ in range(random.choice((0, 0, 1, 1, 2))))
        read = {rule for block in blocks for rule in block.rules}
        stratum = 1 + max((m.rule.stratum for m in made if m.rule.id in read), default=-1)
        parts = [_condition(random, random.randint(0, 2)) for _ in range(random.randint(1, 3))]
        rule = Rule(
            id=f"r{number}",
            title="Random",
            family=Family.POLICY,
            when=All(tuple(parts)),
            status=random.choice((Status.FAIL, Status.REVIEW)),
            code="POLICY_RANDOM",
            message="{line.procedure_code} {modifiers} {other.lines} {finding.rules}",
            stratum=stratum,
            blocks=blocks,
            if_unknown=random.choice(("NOT_EVALUATED", "REVIEW", "NOTHING")),
            authority="random",
        )
        made.append(AuthoredRule(rule, 0, number + 1))
    return AuthoredRules(
        tuple(made), {"some": CodeList([("11055", "11720", "", ""), ("J9271", "J9271", "", "2024-08-15")])}, {}
    )


def random_claim(random: Random, lines: int) -> Claim:
    """A claim with duplicate lines, history, unknown fields and strange texts."""
    made = [_line(random, number) for number in range(1, lines + 1)]
    if lines > 1 and random.random() < 0.5:
        made[-1] = made[0]._replace(line_number=lines)
    history = tuple(
        _line(random, n)._replace(claim_id="H", paid=random.choice((True, False, None)))
        for n in range(1, random.randint(1, 4))
    )
    return Claim(
        claim_id=random.choice(STRANGE),
        program=Program.MEDICARE,
        setting=random.choice(list(Setting)),
        lines=tuple(made),
        billing_provider_id=random.choice(STRANGE),
        patient=Patient("p", random.choice((None, DAY - 14_000, DAY - 15_000)), random.choice(("F", "M", "U", ""))),
        clia_certificate=random.choice(("", "WAIVER", "COMPLIANCE")),
        diagnoses=tuple(random.sample(DIAGNOSES, random.randint(0, 3))),
        history_lines=history if random.random() < 0.6 else (),
        payer_id=random.choice(("", "P1", "P2", *STRANGE)),
    )


def _line(random: Random, number: int) -> ClaimLine:
    day = DAY + random.randint(-2, 2)
    return ClaimLine(
        line_number=number,
        procedure_code=random.choice(CODES),
        modifiers=tuple(random.sample(MODIFIERS, random.choice((0, 0, 1, 2, 4)))),
        units=Decimal(random.choice(("0.5", "1", "2", "3"))),
        service_date=day,
        service_date_end=day + random.choice((0, 0, 3)),
        rendering_provider_id=random.choice(("", "A", "B")),
        rendering_specialty=random.choice(("", "11", "20")),
        place_of_service=random.choice(PLACES),
        charge_cents=random.choice((None, 0, 10_001)),
    )


class _Fees:
    def indicators(self, code: str, modifier: str, selection: object) -> Indicators | None:
        if code in ("00100", "99213"):
            return None
        return Indicators("A", "0", "000", "0", str(len(code.strip("0")) % 3), "0", "0", "0")


def release_of(content: AuthoredRules, conventions: Any, *, fees: bool) -> LoadedRelease:
    """A release in memory of these rules, the conventions, and a fee schedule or none."""
    sets = [_loaded(RULE_SET, "authored", (content,)), _loaded("ncci-conventions", "conventions", (conventions,))]
    if fees:
        sets.append(_loaded(FEE_SCHEDULE, "pfs", _Fees()))
    return LoadedRelease("random", {loaded.name: loaded for loaded in sets})


def _loaded(name: str, kind: str, index: Any) -> LoadedRuleSet:
    header = RevisionHeader(name, kind, "1", -30_000, FOREVER, -30_000, (), {"family": "POLICY"})
    return LoadedRuleSet(name, kind, Editions([RevisionInfo(f"sha256:{name}", header, {}, 0, 0, 0)]), index)


def suppose_findings(random: Random, evaluation: Evaluation) -> None:
    """Findings of earlier families for rules to read."""
    for index, line in enumerate(evaluation.claim.lines):
        if random.random() < 0.4:
            family = random.choice((Family.MUE, Family.PTP))
            mue = MueDetail(1, random.choice(("2", "3")), "1", "1") if family is Family.MUE else None
            status = random.choice((Status.FAIL, Status.BYPASSED, Status.REVIEW))
            finding = Finding(f"x/{index}", family, status, line.line_number, "X", "", detail=Detail(mue=mue))
            evaluation.add(index, finding)

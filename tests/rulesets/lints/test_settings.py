"""``lints.toml``: what is understood, what is refused and where, and how thresholds take each other's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimedits.app.shipped import find_rules
from claimedits.model.dates import parse_day
from claimedits.model.problems import StoreError
from claimedits.rulesets.lints.lint import Severity
from claimedits.rulesets.lints.settings import LintSettings, read_settings
from claimedits.rulesets.lints.thresholds import Thresholds, read_thresholds

DAY = parse_day("2024-07-01")


def read(tmp_path: Path, text: str) -> LintSettings:
    path = tmp_path / "lints.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path, "lints.toml")


BAD = [
    ("[severities]\n", "lints.toml:1:1: error CE001: lints.toml has no field severities; did you mean severity?"),
    ('severity = "error"\n', "lints.toml:1:12: error CE001: severity is not a table; write [severity] above its fields"),
    ("silence = 1\n", "lints.toml:1:11: error CE001: silence is not a list of tables; write [[silence]] above its fields"),
    ('[severity]\nCE999 = "info"\n', "lints.toml:2:1: error CE001: there is no lint CE999; did you mean CE409?"),
    (
        '[[silence]]\nlint = "unreachable-rows"\nreason = "because"\n',
        "lints.toml:2:8: error CE001: there is no lint unreachable-rows; did you mean unreachable-row?",
    ),
    (
        '[[silence]]\nlint = "CE101"\nrow = 0\nreason = "because"\n',
        "lints.toml:3:7: error CE001: row is not a whole number of at least 1; write it without quotes, such as 1",
    ),
    (
        '[[silence]]\nlint = "CE101"\nuntil = "soon"\nreason = "because"\n',
        'lints.toml:3:9: error CE001: until is not a date; write it like "2024-07-01"',
    ),
    (
        '[[silence]]\nlint = "CE101"\nwhere = "x"\nreason = "because"\n',
        "lints.toml:3:1: error CE001: [[silence]] has no field where; use one of file, fingerprint, lint, reason, revision, row, rule, "
        "rule_set, until",
    ),
    (
        '[[silence]]\nlint = "CE101"\nreason = "-"\n',
        'lints.toml:1:1: error CE002: "-" is no reason; write reason = "…": who reads it must be able to agree',
    ),
    (
        '[[silence]]\nlint = "CE002"\nreason = "because"\n',
        "lints.toml:2:8: error CE001: CE002 cannot be silenced; mend the settings",
    ),
    (
        "[thresholds.ptp]\nrow_share = 0.1\n",
        "lints.toml:2:1: error CE001: there is no threshold row_share; did you mean rows_share?",
    ),
    (
        '[thresholds.ptp]\nrows_share = "5 %"\n',
        "lints.toml:2:14: error CE001: rows_share is no number of at least 0; write a number such as 0.05, or 20",
    ),
    ("[thresholds]\nptp = 5\n", "lints.toml:2:7: error CE001: ptp is not a table; write [thresholds.ptp] above its fields"),
    ("[severity\n", "lints.toml:1:10: error CE001: is not TOML: expected ']' at the end of a table declaration; mend the file there; what follows was not read"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_not_understood_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert [str(finding).rstrip("; ") for finding in read(tmp_path, text).findings] == [message]


def test_severities_by_id_or_name(tmp_path: Path) -> None:
    settings = read(tmp_path, '[severity]\nce101 = "error"\nduplicate-title = "info"\n')
    assert settings.severities == {"CE101": Severity.ERROR, "CE114": Severity.INFO}
    assert settings.findings == []


def test_own_thresholds_take_the_place_of_shipped_ones_field_by_field(tmp_path: Path) -> None:
    shipped = read_thresholds(find_rules() / "lints" / "thresholds.toml")
    own = read(tmp_path, '[thresholds.ptp]\nrows_share = 0.2\n[thresholds."*"]\nchanged_share = 0.5\n').thresholds
    plain, changed = shipped.of("ptp", DAY, {}), shipped.of("ptp", DAY, own)
    assert (plain.rows_share, plain.changed_share, plain.vanished_run) == (0.05, 0.02, 2)
    assert (changed.rows_share, changed.changed_share, changed.vanished_run) == (0.2, 0.5, 2)
    assert shipped.of("no such kind", DAY, {}) == Thresholds(rows_share=0.05, changed_share=0.25, vanished_run=50)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[threshold]]\nkind = "ptp"\neffective_from = "2024-01-01"\nsource = ""\n', "a row has no source"),
        (
            '[[threshold]]\nkind = "ptp"\neffective_from = "2024-01-01"\nsource = "x"\nshare = 1\n',
            "unknown fields share",
        ),
        ("", "'threshold'"),
    ],
)
def test_shipped_thresholds_that_were_spoilt(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError) as error:
        read_thresholds(path)
    assert str(error.value) == f"{path}: cannot be read ({why}); restore it as shipped"

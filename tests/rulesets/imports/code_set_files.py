"""Small made-up code sets in the publishers' layouts: fee schedule, HCPCS, ICD-10-CM."""

from __future__ import annotations

from collections.abc import Sequence

PFS_HEAD = (
    ",,Made-up fee schedule,,,,,,,\r\n"
    ",,,,,,,,,\r\n"
    ",,RELEASED 06/10/2024,,,,,,,\r\n"
    ",,STATUS,PCTC,GLOB,MULT,BILAT,ASST,CO-,TEAM\r\n"
    "HCPCS,MOD,CODE,IND,DAYS,PROC,SURG,SURG,SURG,SURG\r\n"
)
PFS_NAME = "PPRRVU24_JUL.csv"
HCPCS_NAME = "HCPC2024_JUL_ANWEB.txt"
ICD10_NAME = "icd10cm_order_2025.txt"


def fee_schedule(*rows: str) -> bytes:
    """Rows such as ``G0001,,A,0,XXX,0,0,0,0,0``."""
    return (PFS_HEAD + "".join(f"{row}\r\n" for row in rows)).encode("cp1252")


def hcpcs_record(
    code: str,
    record: str = "3",
    title: str = "Made-up supply",
    added: str = "20100101",
    ended: str = "",
    action: str = "N",
) -> str:
    """One record of 320 characters; a modifier stands in columns 4 and 5."""
    text = f"{code:>5}00100{record}{title:<80}"
    return f"{text:<268}{added:<8}{added:<8}{ended:<8}{action:<1}".ljust(320)


def lines(records: Sequence[str]) -> bytes:
    return "".join(f"{record}\r\n" for record in records).encode("cp1252")


def order_record(order: int, code: str, billable: str = "1", title: str = "Made-up condition") -> str:
    return f"{order:05d} {code:<7} {billable} {title:<60} {title}"

"""Made-up 837 files: invented people, providers and amounts, HCPCS Level II codes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO, cast

from claimedits.app.claim_sources.containers import ClaimFile
from claimedits.app.claim_sources.records import Notice, ReadClaim, Record, Rejection
from claimedits.app.claim_sources.x12_reading import read_x12

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *240701*1200*^*00501*000000001*0*T*:~"

BILLING = [
    "HL*1**20*1",
    "PRV*BI*PXC*207Q00000X",
    "NM1*85*2*SAMPLE CLINIC*****XX*1234567893",
    "N3*1 MAIN ST",
    "N4*ANYTOWN*PA*190010000",
    "REF*EI*999999999",
]
SUBSCRIBER = [
    "HL*2*1*22*0",
    "SBR*P*18*******MB",
    "NM1*IL*1*DOE*JANE****MI*1EG4TE5MK73",
    "N3*2 SIDE ST",
    "N4*ANYTOWN*PA*190010000",
    "DMG*D8*19500203*F",
    "NM1*PR*2*MEDICARE*****PI*12502",
]
LINE = ["LX*1", "SV1*HC:G0101:25*80.50*UN*2***1:2", "DTP*472*D8*20240702"]
CLAIM = ["CLM*A-1*80.50***11:B:1*Y*A*Y*Y", "HI*ABK:E1142*ABF:B351", *LINE]
FACILITY_CLAIM = [
    "CLM*F-1*300***13:A:1**A*Y*Y",
    "DTP*434*RD8*20240701-20240703",
    "CL1*1*7*01",
    "REF*G1*AUTH77",
    "HI*ABK:E1142",
    "HI*ABF:B351:::::::Y",
    "HI*BG:A1*BG:20",
    "HI*BE:80:::12",
    "LX*1",
    "SV2*0300*HC:G0103*100*UN*1**25.25",
    "DTP*472*D8*20240702",
    "LX*2",
    "SV2*0250**200*UN*3",
]


def transaction(body: Sequence[str], guide: str = "005010X222A1", control: str = "0001") -> list[str]:
    """ST to SE with the right count."""
    inner = [
        f"ST*837*{control}*{guide}",
        "BHT*0019*00*1*20240701*1200*CH",
        "NM1*41*2*SUBMITTER*****46*1",
        "NM1*40*2*RECEIVER*****46*2",
        *body,
    ]
    return [*inner, f"SE*{len(inner) + 1}*{control}"]


def interchange(transactions: Sequence[Sequence[str]], guide: str = "005010X222A1") -> str:
    """A whole file of one group."""
    segments = [f"GS*HC*SENDER*RECEIVER*20240701*1200*1*X*{guide}"]
    for one in transactions:
        segments.extend(one)
    segments += [f"GE*{len(transactions)}*1", "IEA*1*000000001"]
    return ISA + "\n" + "".join(f"{segment}~\n" for segment in segments)


def professional(claim: Sequence[str] = CLAIM, above: Sequence[str] = (*BILLING, *SUBSCRIBER)) -> str:
    """A file of one professional claim."""
    return interchange([transaction([*above, *claim])])


def institutional(claim: Sequence[str] = FACILITY_CLAIM) -> str:
    """A file of one institutional claim."""
    guide = "005010X223A2"
    return interchange([transaction([*BILLING, *SUBSCRIBER, *claim], guide)], guide)


def changed(segments: Sequence[str], old: str, new: str) -> list[str]:
    """The same segments with one text replaced, which must be there."""
    assert any(old in segment for segment in segments)
    return [segment.replace(old, new) for segment in segments]


def file_of(content: bytes | str, name: str = "sample.837") -> ClaimFile:
    """A stream as the readers take it."""
    raw = content.encode() if isinstance(content, str) else content
    return ClaimFile(name, cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, io.BytesIO(raw)))))


def read(content: bytes | str, program: str = "", setting: str = "") -> list[Record]:
    """Every record of a file."""
    return list(read_x12(file_of(content), program, setting))


def claims(records: Sequence[Record]) -> list[ReadClaim]:
    """The claims among records."""
    return [record for record in records if isinstance(record, ReadClaim)]


def rejections(records: Sequence[Record]) -> list[Rejection]:
    """The rejections among records."""
    return [record for record in records if isinstance(record, Rejection)]


def notices(records: Sequence[Record]) -> list[Notice]:
    """The notices among records."""
    return [record for record in records if isinstance(record, Notice)]

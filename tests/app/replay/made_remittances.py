"""Made-up 835 remittances."""

from __future__ import annotations

from collections.abc import Sequence

HEAD = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*PROVIDER       *240901*1200*^*00501*000000001*0*T*:~"
    "GS*HP*PAYER*PROVIDER*20240901*1200*1*X*005010X221A1~ST*835*0001~BPR*I*100*C*CHK************20240901~TRN*1*1*1999999999~"
)


def service(code: str, charge: str, paid: str, *adjustments: str, line: str = "", billed: str = "") -> str:
    """SVC with its CAS segments (``CO*97*90``), and REF*6R where ``line`` names one."""
    last = f"***HC:{billed}" if billed else ""
    segments = [f"SVC*HC:{code}*{charge}*{paid}{last}", "DTM*472*20240715", *(f"CAS*{one}" for one in adjustments)]
    return "~".join([*segments, *([f"REF*6R*{line}"] if line else [])]) + "~"


def payment(claim_id: str, *services: str, status: str = "1", adjustments: Sequence[str] = ()) -> str:
    """CLP and what follows it."""
    return (
        f"CLP*{claim_id}*{status}*100*50**MB*P{claim_id}~"
        + "".join(f"CAS*{one}~" for one in adjustments)
        + "".join(services)
    )


def remittance(*payments: str) -> bytes:
    """One interchange."""
    body = HEAD + "LX*1~" + "".join(payments)
    count = body.count("~") - 2 + 1
    return (body + f"SE*{count}*0001~GE*1*1~IEA*1*000000001~").encode()

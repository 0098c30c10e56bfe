"""Small HL7 batches for tests of whole files: a clean message, and the envelope around some."""

from __future__ import annotations

from datetime import date

AT = "20261120101500-0600"
"""Message time of all of them."""


def dose(
    order: str,
    *,
    on: str = "20261120",
    cvx: str = "94",
    action: str = "A",
    completion: str = "CP",
    lot: str = "Q3110HZ",
) -> list[str]:
    """One dose given now, with all that goes with it."""
    return [
        f"ORC|RE||{order}^CLINIC|||||||7824^Jackson^Lily^S^^^^^CLINIC^L||57422^Radon^Nicholas^J^^^^^CLINIC^L",
        f"RXA|0|1|{on}||{cvx}^Vaccine^CVX|0.5|mL^milliliters^UCUM||00^Administered^NIP001|"
        "7824^Jackson^Lily^S^^^^^CLINIC^L|^^^CLINIC-1|||"
        f"|{lot}|20270430|MSD^Merck and Co^MVX|||{completion}|{action}",
        "RXR|C38299^Subcutaneous^NCIT|LT^Left Thigh^HL70163",
        "OBX|1|CE|30963-3^Vaccine Funding Source^LN|1|PHC70^Private^CDCPHINVS||||||F|||20261120",
        "OBX|2|CE|64994-7^Vaccine Funding Program Eligibility^LN|2|V01^Not VFC Eligible^HL70064||||||F"
        "|||20261120|||VXC40^per immunization^CDCPHINVS",
        "OBX|3|CE|69764-9^Document Type^LN|3|253088698300013411100521^MMRV VIS^cdcgs1vis||||||F|||20261120",
        "OBX|4|DT|29769-7^Date Vis Presented^LN|3|20261120||||||F|||20261120",
    ]


def historical(order: str, *, on: str, cvx: str = "21") -> list[str]:
    """A dose that somebody else gave."""
    return [
        f"ORC|RE||{order}^CLINIC|||||||7824^Jackson^Lily^S^^^^^CLINIC^L",
        f"RXA|0|1|{on}||{cvx}^Vaccine^CVX|999|||01^Historical^NIP001|||||||||||CP|A",
    ]


def refusal(*, on: str = "20261120", cvx: str = "21") -> list[str]:
    """A dose that was refused; its order number is the placeholder that means none."""
    return [
        "ORC|RE||9999^CLINIC|||||||7824^Jackson^Lily^S^^^^^CLINIC^L",
        f"RXA|0|1|{on}||{cvx}^Vaccine^CVX|999||||||||||||00^Parental decision^NIP002||RE|A",
    ]


def message(
    control: str,
    *doses: list[str],
    patient: str = "P1",
    born: str = "20190725",
    name: str = "Pecos^Sawyer^Kyoko^^^^L",
    kind: str = "VXU^V04^VXU_V04",
    version: str = "2.5.1",
    processing: str = "P",
) -> str:
    """One message; what is not said is clean. Segments end in CR."""
    segments = [
        rf"MSH|^~\&|EHR|CLINIC|REG|STATE|{AT}||{kind}|{control}|{processing}|{version}"
        "|||ER|AL|||||Z22^CDCPHINVS",
        f"PID|1||{patient}^^^CLINIC^MR||{name}|Marion^Valisa^^^^^M|{born}|F||2106-3^White^CDCREC|"
        "350 Greene Cir^^Austin^TX^78701^USA^P||^PRN^PH^^^512^3464569"
        "|||||||||2186-5^not Hispanic or Latino^CDCREC||N||||||N",
        "PD1|||||||||||02^Reminder/Recall - any method^HL70215|N|20261120|||A|20261120|20261120",
        "NK1|1|Pecos^Valisa^Marion^^^^L|MTH^Mother^HL70063|350 Greene Cir^^Austin^TX^78701^USA^P"
        "|^PRN^PH^^^512^3464569",
        *(segment for one in doses for segment in one),
    ]
    return "".join(f"{segment}\r" for segment in segments)


def batch(*messages: str, declared: int | None = None) -> bytes:
    """The messages in an envelope that counts them rightly, unless ``declared`` says otherwise."""
    count = len(messages) if declared is None else declared
    head = rf"FHS|^~\&|EHR|CLINIC|REG|STATE|{AT}" + "\r" + rf"BHS|^~\&|EHR|CLINIC|REG|STATE|{AT}" + "\r"
    return (head + "".join(messages) + f"BTS|{count}\rFTS|1\r").encode()


def file_name(on: date, *, code: str = "AAA-SSL", number: int = 1) -> str:
    """The name of a file of that day: ``AAA-SSL26325.hl7``."""
    more = f"-{number}" if number > 1 else ""
    return f"{code}{on:%y%j}{more}.hl7"

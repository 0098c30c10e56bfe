"""The checks of immunization messages and an independent judge must say the same of the same messages."""

from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import pytest

from partner_exchange.feeds.vxu.found import severity_of
from partner_exchange.feeds.vxu.places import places
from partner_exchange.validation.codes import vxu
from support import batches
from support.vxu import ARRIVED_AT, a_registry, judged, put
from support.vxu_judge import Judge

pytestmark = pytest.mark.slow

MESSAGES = 250

DATES = (
    *(
        "",
        "20261120",
        "20261121",
        "20261123",
        "29990101",
        "20190724",
        "20190725",
        "20200301",
        "202611",
        "2026",
    ),
    *("20261120101500-0600", "20260230", "DOB", "18900101", "20251231235959"),
    *("20261121003000+0000", "20261121060000+0000", "20261122+1400", "20261122003000-0600"),
)
VACCINES = (
    *(
        "",
        "94^MMRV^CVX",
        "83^Hep A^CVX",
        "03^MMR^CVX",
        "140^Influenza^CVX",
        "88^Influenza^CVX",
        "16^whole^CVX",
    ),
    *("116^Rotavirus^CVX", "998^none^CVX", "23^plague^CVX", "5000^?^CVX", "5000^?^CVX^94^MMRV^CVX"),
    *("90707^MMR^C4", "00006-4681-01^M-M-R II^NDC", "00006-4681-01^M-M-R II^NDC^03^MMR^CVX"),
    *("00006-4681-01^M-M-R II^NDC^94^MMRV^CVX", "99999-9999-99^?^NDC", "99999-9999-99^?^NDC^94^MMRV^CVX"),
    *("^^^94^MMRV^CVX", "08^Hep B^CVX", "54^adeno^CVX"),
)
TOGETHER = (
    (("PID-30", "Y"), ("PID-29", "20261119")),
    (("PID-7", "19500101"), ("RXA-3", "20100301"), ("RXA-5", "133^PCV13^CVX")),
    (("RXA-9", "00"), ("RXA-15", ""), ("RXA-6", "999"), ("RXA-10", ""), ("RXR", "")),
    (("RXA-9", "01^Historical^NIP001"), ("RXA-5", "16^whole^CVX")),
)
"""Changes that say something only beside each other."""
VALUES: dict[str, tuple[str, ...]] = {
    "MSH-7": (
        *("", "now", "20261120", "20261120101500", "20261120101500-600", "20261124101500-0600", "202611"),
        *("20261119", "20241120101500-0600", "20261121065959-0600", "20261121070001-0600"),
        *("20261120233000", "20261121003000+0000", "00010101000000+2300", "18991231"),
    ),
    "MSH-9": ("VXU^V04", "VXU^V03^VXU_V04", "ADT^A04^ADT_A01", "QBP^Q11^QBP_Q11", ""),
    "MSH-10": ("", "M1", "M2", "X" * 200),
    "MSH-11": ("", "T", "D", "X"),
    "MSH-12": ("2.4", "", "2.5.1^USA"),
    "MSH-15": ("", "XX"),
    "MSH-16": ("", "NE"),
    "MSH-21": ("", "Z44^CDCPHINVS"),
    "PID": ("PID|", "PID|1", ""),
    "PID-1": ("", "2"),
    "PID-3": (
        *(
            "",
            "P1^^^^MR",
            "P1",
            "P1^^^CLINIC^QQ",
            "P1^^^CLINIC^MR~P2^^^CLINIC^QQ",
            "P2^^^A^SS~P1^^^CLINIC^MR",
        ),
        *(
            "^^^CLINIC^MR",
            "P1^^^CLINIC^MR~^^^CLINIC^SS",
            "P1^^^C^QQ~P2^^^C",
            "P1^^^CLINIC^MR~~P2^^^CLINIC^SS",
        ),
    ),
    "PID-5": ("", "Pecos", "^Sawyer", "Pecos^Test^^^^^L", "Pecos^Newborn", "A^B^^^^^A", "A^B^^^^^?", '""^""'),
    "PID-7": DATES,
    "PID-8": ("", "X", "O", "U"),
    "PID-10": ("", "W", "0"),
    "PID-22": ("U", "0"),
    "PID-24": ("Y", "1"),
    "PID-25": ("2", "x"),
    "PID-29": DATES,
    "PID-30": ("Y", "X", ""),
    "PD1": ("", "PD1|"),
    "PD1-11": ("", "99"),
    "PD1-12": ("", "Y", "X"),
    "PD1-13": DATES,
    "PD1-16": ("", "O", "X"),
    "PD1-17": DATES,
    "PD1-18": DATES,
    "NK1": ("",),
    "NK1-1": ("", "x"),
    "NK1-2": ("", "Pecos"),
    "NK1-3": ("", "QQQ"),
    "ORC": ("",),
    "ORC-1": ("", "NW"),
    "ORC-3": ("", "9999^CLINIC", "O1^CLINIC"),
    "ORC-9": DATES,
    "RXA": ("",),
    "RXA-1": ("", "1"),
    "RXA-2": ("", "999"),
    "RXA-3": DATES,
    "RXA-4": DATES,
    "RXA-5": VACCINES,
    "RXA-6": ("", "999", "much", ".5", "1.", "-1", "0", "0.00", "9" * 16),
    "RXA-7": ("", "drops", "ML"),
    "RXA-9": ("", "01^Historical^NIP001", "99^?^NIP001", "00^New^NIP009", "00", "01"),
    "RXA-10": ("",),
    "RXA-15": ("",),
    "RXA-16": DATES,
    "RXA-17": ("", "QQQ"),
    "RXA-18": ("00^Parental decision^NIP002", "99"),
    "RXA-20": ("", "RE", "NA", "PA", "XX"),
    "RXA-21": ("", "U", "D", "X"),
    "RXR": ("",),
    "RXR-1": ("", "IN", "SC", "QQ"),
    "RXR-2": ("", "QQ"),
    "OBX": ("",),
    "OBX-1": ("", "1", "9", "x"),
    "OBX-2": ("", "NM", "DT", "TX", "QQ"),
    "OBX-3": ("", "64994-7", "69764-9", "29769-7", "99999-9"),
    "OBX-4": ("", "9"),
    "OBX-5": ("", "V00", "V02", "QQ", "20261120", "5"),
    "OBX-6": ("mL",),
    "OBX-11": ("", "P", "X", "D"),
    "OBX-14": DATES,
    "OBX-17": ("", "VXC41", "VXC9"),
}


def random_messages(seed: int) -> list[str]:
    """Return messages of up to three doses with up to six changes each."""
    chance = random.Random(seed)
    return [_random_message(chance, at) for at in range(MESSAGES)]


def _random_message(chance: random.Random, at: int) -> str:
    doses = [_random_dose(chance, f"{at}-{chance.choice((0, dose))}") for dose in range(chance.randrange(4))]
    text = batches.message(f"M{at}", *doses, patient=f"P{chance.randrange(MESSAGES)}")
    places = [chance.choice(list(VALUES)) for _ in range(chance.choice((0, 1, 1, 2, 3, 6)))]
    for place in places:
        if not (place in ("ORC", "RXA") and _count(text, "ORC") != _count(text, "RXA")):
            text = _changed(text, place, chance.choice(VALUES[place]), chance)
    if not chance.randrange(6):
        for place, value in chance.choice(TOGETHER):
            text = _changed(text, place, value, None)
    return text


def _changed(text: str, place: str, value: str, chance: random.Random | None) -> str:
    """Return the message with a change in a segment by chance, or in the first one."""
    count = _count(text, place.partition("-")[0])
    if not count:
        return text
    return put(text, place, value, nth=1 + (chance.randrange(count) if chance else 0))


def _count(text: str, name: str) -> int:
    return sum(segment.startswith(name) for segment in text.split("\r"))


def _random_dose(chance: random.Random, number: str) -> list[str]:
    on = chance.choice(("20261120", "20240301", "20191201"))
    kind = chance.randrange(6)
    if kind == 0:
        return batches.refusal()
    if kind == 1:
        return batches.historical(number, on=on, cvx=chance.choice(("21", "83", "16", "998", "88")))
    return batches.dose(number, on=on, cvx=chance.choice(("94", "94", "83", "03", "08", "88")))


@pytest.mark.parametrize("mode", ["production", "test"])
@pytest.mark.parametrize("seed", range(8))
def test_K23_checks_and_judge_agree_on_every_finding(seed: int, mode: str) -> None:
    messages = random_messages(seed)
    tenant = a_registry(mode=mode)
    judge = Judge(is_production=mode == "production", arrived_at=ARRIVED_AT, zone=ZoneInfo(tenant.time_zone))
    for text in messages:
        judge.judge(text)

    checked = judged(*messages, tenant=tenant)

    issues = checked.issues
    said = [
        (row, place, code, severity_of(code, is_warning=is_warning).value)
        for row, place, code, is_warning in zip(
            issues["row"], places(issues), issues["code"], issues["is_warning"], strict=True
        )
    ]
    assert sorted(set(said) - judge.findings) == []
    assert sorted(judge.findings - set(said)) == []
    where = ["row", "dose", "segment", "sequence", "field", "repetition", "component", "code"]
    assert not issues.duplicated(where).any()
    assert checked.is_message_rejected.tolist() == judge.rejected
    assert checked.is_dose_rejected.tolist() == judge.rejected_doses


def test_K23_the_generated_messages_reach_every_rule() -> None:
    said = set()
    for seed in range(8):
        issues = judged(*random_messages(seed)).issues
        said |= set(issues["code"])
    unreached = {entry.code for entry in vxu.ENTRIES} - said
    assert unreached == {"message-separators", "separators-unusual"}, "what the tokenizer says"

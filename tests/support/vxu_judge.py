"""A second opinion on immunization messages: the rules in plain Python, message by message.

Slow and obvious on purpose: split, ``datetime`` and loops; of the product only the data of the code sets. Its
verdicts must be those of the checks. Messages come in order and without escapes; what a tokenizer does with
others is not asked here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from partner_exchange.feeds.vxu.code_sets import (
    Product,
    State,
    Vaccine,
    VaccineKind,
    codes,
    normalised_ndc,
    products,
    vaccines,
)

INFOS = {
    "code-ignored",
    "vaccine-unspecified",
    "action-assumed",
    "looks-historical",
    "looks-given",
    "name-looks-temporary",
    "protection-claimed",
}
WARNINGS = {
    "message-structure",
    "control-id-too-long",
    "amount-not-positive",
    "time-zone-missing",
    "time-zone-unusual",
    "value-unexpected",
    "value-not-allowed",
    "code-deprecated",
    "expired-lot",
    "end-differs",
    "dose-outside-usual-dates",
    "dose-outside-age",
    "ndc-unknown",
    "ndc-cvx-differ",
    "refusal-inconsistent",
    "dose-repeated",
    "observation-missing",
    "vis-missing",
    "eligibility-repeated",
    "set-id-order",
    "name-not-legal",
    "order-number-shared",
}
QUERIES = ["QBP", "QCK", "QCN", "QRY", "QSB", "QSX", "QVR", "EQQ", "RQQ", "SPQ", "VQQ", "VXQ"]
MESSAGE, DOSE, PART = "message", "dose", "part"


@dataclass
class Dose:
    """An order group with what is found out about it."""

    number: int
    orc: list[str] | None = None
    rxa: list[str] | None = None
    rxr: list[str] | None = None
    obx: list[tuple[int, list[str]]] = field(default_factory=list)
    orc_at: int = 0
    rxa_at: int = 0
    rxr_at: int = 0
    is_bad: bool = False
    cvx: str = ""
    day: date | None = None
    sent_day: str = ""
    action: str = ""
    completion: str = ""
    is_given: bool = False


@dataclass
class Judge:
    """Judges the messages of one file, in their order."""

    is_production: bool
    arrived_at: datetime
    zone: ZoneInfo
    findings: set[tuple[int, str, str, str]] = field(default_factory=set)
    rejected: list[bool] = field(default_factory=list)
    rejected_doses: list[bool] = field(default_factory=list)
    control_ids: set[str] = field(default_factory=set)
    doses: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def today(self) -> date:
        return self.arrived_at.astimezone(self.zone).date()

    @property
    def tomorrow(self) -> date:
        return self.today + timedelta(days=1)

    def judge(self, text: str) -> None:
        """Judge the next message."""
        _Message(self, len(self.rejected) + 1, text).judge()


class _Message:
    def __init__(self, judge: Judge, row: int, text: str) -> None:
        self.file, self.row = judge, row
        self.segments = [line.split("|") for line in text.split("\r") if line]
        self.msh = ["MSH", "|", *self.segments[0][1:]]
        self.pid = next((one for one in self.segments if one[0] == "PID"), None)
        self.pd1 = next((one for one in self.segments if one[0] == "PD1"), None)
        self.doses = self.order_groups()
        self.is_bad = False
        self.message_day: date | None = None
        self.message_zone: tzinfo = judge.zone
        self.birth: date | None = None
        self.death: date | None = None
        self.patient = ""

    def order_groups(self) -> list[Dose]:
        doses: list[Dose] = []
        seen: Counter[str] = Counter()
        for one in self.segments:
            name = one[0]
            seen[name] += 1
            if name == "ORC":
                doses.append(Dose(len(doses) + 1, orc=one, orc_at=seen[name]))
            elif name == "RXA":
                if not doses or doses[-1].rxa is not None:
                    doses.append(Dose(len(doses) + 1))
                doses[-1].rxa, doses[-1].rxa_at = one, seen[name]
            elif name == "RXR":
                doses[-1].rxr, doses[-1].rxr_at = one, seen[name]
            elif name == "OBX":
                doses[-1].obx.append((seen[name], one))
        return doses

    # What is said.

    def say(self, place: str, code: str, *, reach: str = "", dose: Dose | None = None) -> None:
        """State a code; an error only when it reaches something, else it is lowered."""
        severity = "info" if code in INFOS else "warning" if code in WARNINGS or not reach else "error"
        self.file.findings.add((self.row, place, code, severity))
        if severity == "error" and reach == MESSAGE:
            self.is_bad = True
        if severity == "error" and reach == DOSE and dose:
            dose.is_bad = True

    def finish(self, place: str) -> None:
        self.file.findings.add((self.row, place, "message-rejected", "error"))
        self.file.rejected.append(True)
        self.file.rejected_doses += [True] * len(self.doses)

    # The way through a message.

    def judge(self) -> None:
        control = get(self.msh, 10)
        is_repeated = bool(control) and control in self.file.control_ids
        self.header()
        if self.is_bad:
            return self.finish("MSH^1")
        self.rest_of_header(control, is_repeated)
        header_is_bad, self.is_bad = self.is_bad, False
        self.person()
        for at, one in enumerate([one for one in self.segments if one[0] == "NK1"], 1):
            self.relative(at, one)
        for dose in self.doses:
            self.order(dose)
        self.shared_order_numbers()
        self.eligibilities()
        if header_is_bad:
            return self.finish("MSH^1")
        if self.is_bad:
            return self.finish("PID^1" if self.pid is not None else "PID")
        if self.doses and all(dose.is_bad for dose in self.doses):
            first = self.doses[0].rxa_at
            return self.finish(f"RXA^{first}" if first else "RXA")
        self.file.rejected.append(False)
        self.file.control_ids.add(control)
        for dose in self.doses:
            self.file.rejected_doses.append(dose.is_bad)
            if dose.is_bad:
                place = f"RXA^{dose.rxa_at}" if dose.rxa else f"ORC^{dose.orc_at}"
                self.file.findings.add((self.row, place, "dose-rejected", "error"))
            elif dose.action == "A" and dose.completion != "NA" and dose.cvx != "998":
                key = (self.patient, dose.cvx, dose.sent_day[:8])
                if key in self.file.doses:
                    self.say(f"RXA^{dose.rxa_at}", "dose-repeated")
                self.file.doses.add(key)
        return None

    def header(self) -> None:
        kind, event, processing = get(self.msh, 9), get(self.msh, 9, 2), get(self.msh, 11)
        if kind in QUERIES:
            return self.say("MSH^1^9", "query-not-answered", reach=MESSAGE)
        if kind != "VXU":
            return self.say("MSH^1^9", "message-type-unsupported", reach=MESSAGE)
        if event != "V04":
            self.say("MSH^1^9", "event-unsupported", reach=MESSAGE)
        if get(self.msh, 12) != "2.5.1":
            self.say("MSH^1^12", "version-unsupported", reach=MESSAGE)
        if processing not in ("P", "D", "T", ""):
            self.say("MSH^1^11", "processing-id-unsupported", reach=MESSAGE)
        if processing in ("D", "T") and self.file.is_production:
            self.say("MSH^1^11", "processing-id-not-production", reach=MESSAGE)
        return None

    def rest_of_header(self, control: str, is_repeated: bool) -> None:
        if not control:
            self.say("MSH^1^10", "control-id-missing", reach=MESSAGE)
        if len(control) > 199:
            self.say("MSH^1^10", "control-id-too-long")
        if is_repeated:
            self.say("MSH^1^10", "control-id-repeated", reach=MESSAGE)
        if get(self.msh, 9, 3) != "VXU_V04":
            self.say("MSH^1^9", "message-structure")
        self.message_time()
        for number in (11, 15, 16, 21):
            if not get(self.msh, number):
                self.say(f"MSH^1^{number}", "required-missing")
        for number in (15, 16):
            self.code(get(self.msh, number), "acknowledgement-type", f"MSH^1^{number}")
        if get(self.msh, 21) not in ("", "Z22"):
            self.say("MSH^1^21", "value-unexpected")

    def message_time(self) -> None:
        text, place = get(self.msh, 7), "MSH^1^7"
        if not text:
            return self.say(place, "required-missing", reach=MESSAGE)
        self.message_day = self.day(text, place, reach=MESSAGE)
        if self.message_day is None:
            return None
        digits, zone = re.fullmatch(r"([0-9]+)(?:\.[0-9]+)?([+-][0-9]+)?", text).groups()  # type: ignore[union-attr]
        if len(digits) < 12:
            self.say(place, "value-not-precise")
        if not zone:
            self.say(place, "time-zone-missing")
        elif len(zone) == 4:
            self.say(place, "time-zone-unusual")
        if self.message_day < max(date(1900, 1, 1), years_before(self.file.today, 130)):
            self.message_day = None
            return self.say(place, "date-too-long-ago", reach=MESSAGE)
        if zone:
            self.message_zone = fixed(zone)
        at = instant(digits, self.message_zone)
        self.message_zone = timezone(at.utcoffset() or timedelta())
        if at > self.file.arrived_at + (timedelta(hours=1) if zone else timedelta(days=1)):
            self.say(place, "date-in-future", reach=MESSAGE)
        return None

    def person(self) -> None:
        pid = self.pid
        if pid is None or not any(part for part in re.split(r"[\^~]", "^".join(pid[2:]))):
            at = "PID" if pid is None else "PID^1"
            self.say(at, "required-segment-missing", reach=MESSAGE)
        else:
            if not get(pid, 1):
                self.say("PID^1^1", "required-missing")
            elif get(pid, 1) != "1":
                self.say("PID^1^1", "value-unexpected")
            self.identifiers(pid)
            self.name(pid)
            self.birth_and_death(pid)
            if not get(pid, 8):
                self.say("PID^1^8", "required-missing")
            fields = {8: "sex", 10: "race", 22: "ethnicity", 24: "yes-no", 30: "yes-no"}
            for number, name in fields.items():
                self.code(get(pid, number), name, f"PID^1^{number}")
            if get(pid, 25) and not re.fullmatch("[0-9]{1,9}", get(pid, 25)):
                self.say("PID^1^25", "value-not-a-number")
        if self.pd1 is not None:
            self.registry_data(self.pd1)

    def identifiers(self, pid: list[str]) -> None:
        told = [(at, one.split("^")) for at, one in enumerate(field_of(pid, 3).split("~"), 1)]
        told = [(at, [*one, "", "", "", "", ""][:5]) for at, one in told]
        with_id = [one for _, one in told if one[0]]
        is_untyped = not any(is_usable(one[4]) for one in with_id)
        kept: list[list[str]] = []
        for at, one in told:
            place = f"PID^1^3^{at}"
            if not (one[0] or one[3] or one[4]):
                continue
            if not one[0]:
                self.say(f"{place}^1", "required-missing")
                continue
            reach = "" if is_untyped and one is with_id[0] else PART
            if not one[3]:
                self.say(f"{place}^4", "required-missing")
            if not one[4]:
                self.say(f"{place}^5", "required-missing", reach=reach)
            is_good = bool(one[4]) and self.code(one[4], "identifier-type", f"{place}^5", reach=reach)
            if is_good or not reach:
                kept.append(one)
        if not kept:
            return self.say("PID^1^3", "required-missing", reach=MESSAGE)
        first = next((one for one in kept if one[4] == "MR"), kept[0])
        self.patient = f"{first[3]}|{first[0]}"
        return None

    def name(self, pid: list[str]) -> None:
        family, given, kind = (get(pid, 5, part) for part in (1, 2, 7))
        if not family and not given:
            self.say("PID^1^5", "required-missing", reach=MESSAGE)
        elif not family:
            self.say("PID^1^5^1^1", "required-missing", reach=MESSAGE)
        elif not given:
            self.say("PID^1^5^1^2", "required-missing", reach=MESSAGE)
        if self.code(kind, "name-type", "PID^1^5^1^7") and kind not in ("", "L"):
            self.say("PID^1^5^1^7", "name-not-legal")
        if {family.upper(), given.upper()} & {"TEST", "NEWBORN", "BABY BOY", "BABY GIRL"}:
            self.say("PID^1^5", "name-looks-temporary")

    def birth_and_death(self, pid: list[str]) -> None:
        text = get(pid, 7)
        born = self.day(text, "PID^1^7", reach=MESSAGE)
        last = min(self.message_day or self.file.tomorrow, self.file.tomorrow)
        if not text:
            self.say("PID^1^7", "required-missing", reach=MESSAGE)
        elif born and born > last:
            self.say("PID^1^7", "date-in-future", reach=MESSAGE)
        elif born and born < years_before(last, 130):
            self.say("PID^1^7", "birth-too-long-ago", reach=MESSAGE)
        else:
            self.birth = born
        died = self.day(get(pid, 29), "PID^1^29")
        if get(pid, 30) != "Y" and get(pid, 29):
            self.say("PID^1^29", "value-not-allowed")
        if died and died > self.file.tomorrow:
            self.say("PID^1^29", "date-in-future")
        elif get(pid, 30) == "Y":
            self.death = died

    def registry_data(self, pd1: list[str]) -> None:
        self.code(get(pd1, 11), "publicity", "PD1^1^11")
        self.code(get(pd1, 12), "protection", "PD1^1^12")
        self.code(get(pd1, 16), "registry-status", "PD1^1^16")
        if get(pd1, 12) == "Y":
            self.say("PD1^1^12", "protection-claimed")
        for number, of in ((13, 12), (17, 16), (18, 11)):
            day = self.day(get(pd1, number), f"PD1^1^{number}")
            if day and day > self.file.tomorrow:
                self.say(f"PD1^1^{number}", "date-in-future")
            if get(pd1, number) and not get(pd1, of):
                self.say(f"PD1^1^{number}", "value-not-allowed")

    def relative(self, at: int, nk1: list[str]) -> None:
        number = get(nk1, 1)
        if not number:
            self.say(f"NK1^{at}^1", "required-missing")
        elif not re.fullmatch("[0-9]{1,9}", number):
            self.say(f"NK1^{at}^1", "value-not-a-number")
        if not get(nk1, 2, 1) and not get(nk1, 2, 2):
            self.say(f"NK1^{at}^2", "required-missing", reach=PART)
        if not get(nk1, 3):
            self.say(f"NK1^{at}^3", "required-missing", reach=PART)
        self.code(get(nk1, 3), "relationship", f"NK1^{at}^3", reach=PART)

    # Orders.

    def order(self, dose: Dose) -> None:
        if dose.rxa is None:
            return self.say("RXA", "required-segment-missing", reach=DOSE, dose=dose)
        if get(dose.rxa, 21) == "D":
            return self.deletion(dose)
        if dose.orc is None:
            self.say("ORC", "required-segment-missing", reach=DOSE, dose=dose)
        else:
            self.order_control(dose, dose.orc)
        place = f"RXA^{dose.rxa_at}"
        rxa = dose.rxa
        self.what_became(dose, rxa, place)
        self.date_of_dose(dose, rxa, place)
        self.vaccine(dose, rxa, place)
        self.details(dose, rxa, place)
        self.observations(dose)
        return None

    def deletion(self, dose: Dose) -> None:
        dose.action = "D"
        if dose.orc is None:
            self.say("ORC", "required-segment-missing", reach=DOSE, dose=dose)
        elif not get(dose.orc, 3):
            self.say(f"ORC^{dose.orc_at}^3", "required-missing", reach=DOSE, dose=dose)

    def order_control(self, dose: Dose, orc: list[str]) -> None:
        place = f"ORC^{dose.orc_at}"
        if not get(orc, 1):
            self.say(f"{place}^1", "required-missing")
        elif get(orc, 1) != "RE":
            self.say(f"{place}^1", "value-unexpected")
        if not get(orc, 3):
            self.say(f"{place}^3", "required-missing", reach=DOSE, dose=dose)
        ordered = self.day(get(orc, 9), f"{place}^9")
        if ordered and ordered > self.file.tomorrow:
            self.say(f"{place}^9", "date-in-future")

    def what_became(self, dose: Dose, rxa: list[str], place: str) -> None:
        completion, action, source = get(rxa, 20), get(rxa, 21), get(rxa, 9)
        is_known = self.code(completion, "completion", f"{place}^20", reach=DOSE, dose=dose)
        is_action = self.code(action, "action", f"{place}^21", reach=DOSE, dose=dose)
        is_source = self.code(source, "information-source", f"{place}^9")
        if not action:
            self.say(f"{place}^21", "action-assumed")
        if source and not get(rxa, 9, 3):
            self.say(f"{place}^9^1^3", "required-missing")
        elif get(rxa, 9, 3) not in ("", "NIP001"):
            self.say(f"{place}^9^1^3", "value-unexpected")
        dose.action = (action or "A") if is_action else ""
        dose.cvx = resolved(rxa)[0]
        assumed = "NA" if dose.cvx == "998" else "CP"
        dose.completion = (completion or assumed) if is_known else ""
        if dose.action == "D":
            return
        is_completed = dose.completion in ("CP", "PA")
        dose.is_given = is_completed and source == "00"
        if is_completed and not source:
            self.say(f"{place}^9", "required-missing")
        if dose.cvx == "998" and is_completed:
            self.say(f"{place}^20", "no-vaccine-mismatch", reach=DOSE, dose=dose)
        elif (dose.cvx == "998" and completion in ("RE", "")) or (
            dose.cvx not in ("", "998") and dose.completion == "NA"
        ):
            self.say(f"{place}^20", "no-vaccine-mismatch")
        if dose.completion == "RE" and not get(rxa, 18):
            self.say(f"{place}^18", "required-missing")
        self.look(dose, rxa, place, is_elsewhere=is_completed and is_source and source not in ("", "00"))

    def look(self, dose: Dose, rxa: list[str], place: str, *, is_elsewhere: bool) -> None:
        told = [get(rxa, 15), dose.rxr is not None, get(rxa, 10), get(rxa, 6) not in ("", "999")]
        if dose.is_given and not any(told):
            self.say(place, "looks-historical")
        if is_elsewhere and all(told):
            self.say(place, "looks-given")

    def date_of_dose(self, dose: Dose, rxa: list[str], place: str) -> None:
        text = dose.sent_day = get(rxa, 3)
        if not text:
            self.say(f"{place}^3", "required-missing", reach=DOSE, dose=dose)
        day = self.day(text, f"{place}^3", reach=DOSE, dose=dose)
        faults = []
        if day and in_zone(text, day, self.file.zone) > self.file.today:
            faults.append("date-in-future")
        elif day and self.message_day and in_zone(text, day, self.message_zone) > self.message_day:
            faults.append("date-after-message")
        elif day and self.death and day > self.death:
            faults.append("date-after-death")
        if day and self.birth and day < self.birth:
            faults.append("date-before-birth")
        for fault in faults:
            self.say(f"{place}^3", fault, reach=DOSE, dose=dose)
        dose.day = None if faults else day
        end = self.day(get(rxa, 4), f"{place}^4")
        if day and end and day != end:
            self.say(f"{place}^4", "end-differs")

    def vaccine(self, dose: Dose, rxa: list[str], place: str) -> None:
        cvx, product, faults = resolved(rxa)
        if not get(rxa, 5) and not get(rxa, 5, 4):
            return self.say(f"{place}^5", "required-missing", reach=DOSE, dose=dose)
        if not cvx:
            return self.say(f"{place}^5", "code-unknown", reach=DOSE, dose=dose)
        for fault in faults:
            self.say(f"{place}^5", fault)
        vaccine = vaccines()[cvx]
        if vaccine.kind is VaccineKind.NEVER_ACTIVE:
            self.say(f"{place}^5", "code-invalid", reach=DOSE, dose=dose)
        if dose.action != "D" and dose.completion in ("CP", "PA"):
            self.windows(dose, vaccine, place)
        return None

    def windows(self, dose: Dose, vaccine: Vaccine, place: str) -> None:
        if dose.is_given and vaccine.kind is VaccineKind.UNSPECIFIED:
            self.say(f"{place}^5", "vaccine-unspecified")
        if dose.day is None:
            return
        if vaccine.kind is not VaccineKind.UNSPECIFIED and vaccine.cvx != "998":
            if outside(dose.day, vaccine.licensed_from, vaccine.licensed_until):
                reach = DOSE if dose.is_given else ""
                self.say(f"{place}^3", "dose-outside-licence", reach=reach, dose=dose)
            elif outside(dose.day, vaccine.expected_from, vaccine.expected_until):
                self.say(f"{place}^3", "dose-outside-usual-dates")
        if self.birth:
            months = (dose.day.year - self.birth.year) * 12 + dose.day.month - self.birth.month
            months -= dose.day.day < self.birth.day
            if outside(months, vaccine.age_from_months, vaccine.age_until_months):
                self.say(f"{place}^5", "dose-outside-age")

    def details(self, dose: Dose, rxa: list[str], place: str) -> None:
        for number, value in ((1, "0"), (2, "1")):
            if not get(rxa, number):
                self.say(f"{place}^{number}", "required-missing")
            elif get(rxa, number) != value:
                self.say(f"{place}^{number}", "value-unexpected")
        amount, unit = get(rxa, 6), get(rxa, 7)
        if not amount and dose.action != "D":
            self.say(f"{place}^6", "required-missing")
        if amount and not re.fullmatch(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})", amount):
            self.say(f"{place}^6", "value-not-a-number")
        elif amount and (float(amount) < 0 or (float(amount) == 0 and dose.is_given)):
            self.say(f"{place}^6", "amount-not-positive")
        if amount not in ("", "999"):
            if not unit:
                self.say(f"{place}^7", "required-missing")
            self.code(unit, "unit", f"{place}^7")
        expires = self.day(get(rxa, 16), f"{place}^16")
        if dose.is_given and expires and dose.day and dose.day > expires:
            self.say(f"{place}^3", "expired-lot")
        for number in (15, 17):
            if dose.is_given and not get(rxa, number):
                self.say(f"{place}^{number}", "required-missing")
        self.code(get(rxa, 17), "manufacturer", f"{place}^17")
        self.code(get(rxa, 18), "refusal", f"{place}^18")
        if get(rxa, 18) and dose.completion != "RE":
            self.say(f"{place}^18", "refusal-inconsistent")
        if dose.rxr is not None:
            if not get(dose.rxr, 1):
                self.say(f"RXR^{dose.rxr_at}^1", "required-missing")
            self.code(get(dose.rxr, 1), "route", f"RXR^{dose.rxr_at}^1")
            self.code(get(dose.rxr, 2), "site", f"RXR^{dose.rxr_at}^2")

    # Observations.

    def observations(self, dose: Dose) -> None:
        before: int | None = None
        under: dict[str, set[str]] = {}
        for at, obx in dose.obx:
            number = self.observation(obx, f"OBX^{at}")
            if before is not None and number is not None and number <= before:
                self.say(f"OBX^{at}^1", "set-id-order")
            before = number
            if get(obx, 5) and get(obx, 11) not in ("D", "W", "X"):
                under.setdefault(get(obx, 4), set()).add(get(obx, 3))
        if not dose.is_given or dose.cvx not in codes("vis-vaccine"):
            return
        complete = ({"69764-9", "29769-7"}, {"30956-7", "29768-9", "29769-7"})
        if not any(facts <= told for facts in complete for told in under.values()):
            self.say(f"RXA^{dose.rxa_at}", "vis-missing")

    def observation(self, obx: list[str], place: str) -> int | None:
        number, kind, name, value = (get(obx, at) for at in (1, 2, 3, 5))
        for at in (1, 4, 11):
            if not get(obx, at):
                self.say(f"{place}^{at}", "required-missing")
        for at in (2, 3, 5):
            if not get(obx, at):
                self.say(f"{place}^{at}", "required-missing", reach=PART)
        is_number = bool(re.fullmatch("[0-9]{1,9}", number))
        if number and not is_number:
            self.say(f"{place}^1", "value-not-a-number")
        is_kind = self.code(kind, "value-type", f"{place}^2", reach=PART)
        self.code(name, "observation", f"{place}^3")
        self.observed(obx, name, value, place)
        if is_kind and kind == "NM":
            if not get(obx, 6):
                self.say(f"{place}^6", "required-missing")
            if value and not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", value):
                self.say(f"{place}^5", "value-not-a-number", reach=PART)
        if is_kind and kind in ("DT", "TS"):
            self.day(value, f"{place}^5", reach=PART)
        if get(obx, 11) in ("D", "W", "X"):
            self.say(f"{place}^11", "observation-withdrawn", reach=PART)
        elif get(obx, 11) not in ("", "F"):
            self.say(f"{place}^11", "value-unexpected")
        seen = self.day(get(obx, 14), f"{place}^14")
        if seen and seen > self.file.tomorrow:
            self.say(f"{place}^14", "date-in-future")
        return int(number) if is_number else None

    def observed(self, obx: list[str], name: str, value: str, place: str) -> None:
        sets = {"64994-7": "eligibility", "30963-3": "funding-source", "69764-9": "vis-document"}
        if name in sets:
            self.code(value, sets[name], f"{place}^5")
        if name == "64994-7":
            if not get(obx, 17):
                self.say(f"{place}^17", "required-missing")
            self.code(get(obx, 17), "eligibility-method", f"{place}^17")

    def eligibilities(self) -> None:
        told = {
            dose.number: [
                obx
                for _, obx in dose.obx
                if get(obx, 3) == "64994-7" and get(obx, 5) and get(obx, 11) not in ("D", "W", "X")
            ]
            for dose in self.doses
            if dose.rxa
        }
        of_visit = any(get(obx, 17) == "VXC41" for each in told.values() for obx in each)
        for dose in self.doses:
            if dose.is_given and not told[dose.number] and not of_visit:
                self.say(f"RXA^{dose.rxa_at}", "observation-missing")
            if dose.is_given and len(told[dose.number]) > 1:
                self.say(f"RXA^{dose.rxa_at}", "eligibility-repeated")

    def shared_order_numbers(self) -> None:
        under: dict[tuple[str, str], list[Dose]] = {}
        for dose in self.doses:
            if dose.orc and dose.rxa and dose.action == "A" and get(dose.orc, 3) not in ("", "9999"):
                under.setdefault((get(dose.orc, 3), get(dose.orc, 3, 2)), []).append(dose)
        for doses in under.values():
            # A date that is none counts as empty, one that cannot be is a date all the same.
            if len({(dose.cvx, sound(dose.sent_day, self.file.tomorrow)) for dose in doses}) > 1:
                for dose in doses:
                    self.say(f"ORC^{dose.orc_at}^3", "order-number-shared")

    # Single values.

    def day(self, text: str, place: str, *, reach: str = "", dose: Dose | None = None) -> date | None:
        """Return a date, or say what is wrong with it."""
        if not text:
            return None
        found = re.fullmatch(
            r"([0-9]{4}|[0-9]{6}|[0-9]{8}|[0-9]{10}|[0-9]{12}|[0-9]{14}(?:\.[0-9]+)?)([+-][0-9]{3,4})?", text
        )
        if not found:
            self.say(place, "value-not-of-type", reach=reach, dose=dose)
            return None
        day = calendar(found[1])
        if day is None:
            self.say(place, "no-such-day", reach=reach, dose=dose)
        elif len(found[1]) < 8:
            self.say(place, "value-not-precise", reach=reach, dose=dose)
            return None
        return day

    def code(self, value: str, name: str, place: str, *, reach: str = "", dose: Dose | None = None) -> bool:
        """Say what is wrong with a code; return whether it counts (a blank one does)."""
        if not value:
            return True
        code = codes(name).get(value)
        if code is None:
            self.say(place, "code-unknown", reach=reach, dose=dose)
        elif code.state is not State.VALID:
            self.say(place, f"code-{code.state}", reach=reach, dose=dose)
        return code is not None and code.state in (State.VALID, State.DEPRECATED)


def field_of(segment: list[str], number: int) -> str:
    return segment[number] if number < len(segment) else ""


def get(segment: list[str], number: int, component: int = 1) -> str:
    """Return a component of the first repetition of a field."""
    parts = field_of(segment, number).split("~")[0].split("^")
    text = parts[component - 1] if component <= len(parts) else ""
    return "" if text == '""' else text


def is_usable(kind: str) -> bool:
    code = codes("identifier-type").get(kind)
    return code is not None and code.state is not State.INVALID


def years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years)


def fixed(zone: str) -> timezone:
    """Return the zone of an offset of three or four digits with its sign."""
    ahead = timedelta(hours=int(zone[1:-2]), minutes=int(zone[-2:]))
    return timezone(-ahead if zone[0] == "-" else ahead)


def instant(digits: str, zone: tzinfo) -> datetime:
    return datetime.strptime((digits + "000000")[:14], "%Y%m%d%H%M%S").replace(tzinfo=zone)


def in_zone(text: str, day: date, zone: tzinfo) -> date:
    """Return the day of a dose in a zone, or the one that is written if that is earlier."""
    found = re.fullmatch(r"([0-9]+)(?:\.[0-9]+)?([+-][0-9]+)", text)
    return min(day, instant(found[1], fixed(found[2])).astimezone(zone).date()) if found else day


def calendar(digits: str) -> date | None:
    """Return the day of digits, which may leave out day and month; None for what does not exist."""
    whole = digits.partition(".")[0]
    full = whole + "00000101000000"[len(whole) :]
    try:
        return datetime.strptime(full, "%Y%m%d%H%M%S").date()  # noqa: DTZ007
    except ValueError:
        return None


def sound(text: str, tomorrow: date) -> str:
    """Return a date of a dose as it counts among others: "" for what is none."""
    found = re.fullmatch(r"([0-9]{8,14})([+-][0-9]{4})?", text)
    return text if found and calendar(found[1]) else ""


def outside(value: Any, first: Any, last: Any) -> bool:
    return (first is not None and value < first) or (last is not None and value > last)


def resolved(rxa: list[str]) -> tuple[str, Product | None, list[str]]:
    """Return CVX code and product of RXA-5, and what is odd about them."""
    faults: list[str] = []
    cvx, product = "", None
    for code, system in ((get(rxa, 5), get(rxa, 5, 3)), (get(rxa, 5, 4), get(rxa, 5, 6))):
        if code and system == "CVX":
            if code in vaccines():
                cvx = cvx or vaccines()[code].cvx
            else:
                faults.append("code-unknown")
        elif code and system == "NDC":
            known = products().get(normalised_ndc(code))
            product = product or known
            if known is None:
                faults.append("ndc-unknown")
    if product and cvx and cvx not in product.cvx_codes:
        faults.append("ndc-cvx-differ")
        cvx = product.cvx
    return cvx or (product.cvx if product else ""), product, faults

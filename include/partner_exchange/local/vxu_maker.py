"""Made-up VXU batches for the demo, the bench and tests; every patient in them is invented.

Faults are placed on purpose and counted, so that the answer can be held against what was put in. What is not
faulty gives no error and no warning.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from partner_exchange.feeds.vxu.consent_file import COLUMNS
from partner_exchange.local.vxu_doses import (
    Dose,
    Product,
    age_in_months,
    distinct,
    given,
    given_elsewhere,
    products_at,
    refused,
)
from partner_exchange.local.vxu_faults import FAULTS, Fault, Reach

CONSENT_COLUMNS = tuple(column.title for column in COLUMNS)
_ZONE = ZoneInfo("America/Chicago")
_SPAN = timedelta(hours=4)
"""Message times of a batch lie in this long before its time."""
_ADULT_Y = 18
_FOLLOW_UPS = 0.03
"""Share of messages that correct or take back a dose of an earlier one."""
_REMEMBERED = 200
_LAGS_DAYS = (0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 5, 10, 20, 45)
_OTHER_STATUSES = ("NO", "PENDING", "WITHDRAWN")

# fmt: off
_GIRLS = (
    "Adela", "Bryn", "Chloe", "Dalia", "Elena", "Freya", "Gwen", "Hana", "Imani", "Juno", "Kiara", "Lucia",
    "Maren", "Nadia", "Opal", "Priya",
)
_BOYS = (
    "Abel", "Bruno", "Caleb", "Diego", "Emil", "Felix", "Gideon", "Hugo", "Ivan", "Jonah", "Kofi", "Liam",
    "Mateo", "Nolan", "Owen", "Pavel",
)
_MIDDLE = (
    "Alma", "Blue", "Cruz", "Dale", "Eve", "Faye", "Gray", "Hope", "Ida", "Jude", "Kay", "Lee", "May",
    "Noor", "Oak", "Paz",
)
_LAST = (
    "Abbott", "Becerra", "Calloway", "Delgado", "Eastman", "Fuentes", "Garrison", "Hinojosa", "Ibarra",
    "Jennings", "Kowalski", "Lindqvist", "Montoya", "Nguyen", "Okafor", "Pemberton", "Quiroga", "Ramsey",
    "Sandoval", "Thibodeaux", "Underhill", "Villarreal", "Whitfield", "Yarbrough", "Zamora", "O'Dell",
    "Park-Reyes",
)
# fmt: on
_STREETS = ("Bluebonnet Ln", "Pecan Grove Dr", "Mesquite Trl", "Live Oak St", "Caliche Rd", "Armadillo Way")
_TOWNS = (
    ("Austin", "78745", "512"),
    ("Houston", "77008", "713"),
    ("El Paso", "79936", "915"),
    ("San Antonio", "78223", "210"),
    ("Lubbock", "79414", "806"),
    ("Laredo", "78041", "956"),
    ("Tyler", "75703", "903"),
    ("Dallas", "75214", "214"),
)
_RACES = (
    "2106-3^White^CDCREC",
    "2054-5^Black or African-American^CDCREC",
    "2028-9^Asian^CDCREC",
    "1002-5^American Indian or Alaska Native^CDCREC",
    "2131-1^Other Race^CDCREC",
)
_ETHNICITIES = ("2135-2^Hispanic or Latino^CDCREC", "2186-5^not Hispanic or Latino^CDCREC")
_PARENTS = ("MTH^Mother", "FTH^Father", "GRD^Guardian")


@dataclass(frozen=True)
class MadePatient:
    """An invented patient, as the file of consents names it."""

    identifier: str
    authority: str
    last_name: str
    first_name: str
    born_on: date


@dataclass(frozen=True)
class MadeBatch:
    """A batch and what must come of it."""

    content: bytes
    messages: int
    doses: int
    """Order groups, those of rejected messages too."""
    rejected_messages: int
    rejected_doses: int
    """Doses that are not taken, those of rejected messages included."""
    codes: frozenset[str]
    """Codes that the answer must name."""
    patients: tuple[MadePatient, ...]
    """Each once."""


@dataclass(frozen=True)
class _Person:
    patient: MadePatient
    header: list[str]
    """PID, PD1 and NK1."""
    is_child: bool


@dataclass
class _Maker:
    """Makes the messages of one batch, one after the other."""

    chance: random.Random
    import_code: str
    seed: int
    patients: list[MadePatient] = field(default_factory=list)
    earlier: list[tuple[_Person, Dose]] = field(default_factory=list)
    """Clean doses given now that a later message may correct."""

    def clean(self, number: int, at: datetime) -> list[str]:
        """Return a message without faults."""
        if self.earlier and self.chance.random() < _FOLLOW_UPS:
            return self._follow_up(number, at)
        person = self._person(number, at.date(), self._age_days())
        given_now = self._given(number, person, at.date())
        if given_now and len(self.earlier) < _REMEMBERED:
            self.earlier.append((person, given_now[0]))
        groups = [segment for dose in given_now for segment in dose.segments]
        groups += self._others(number, person, at.date(), given_now)
        return [self._msh(number, at), *person.header, *groups]

    def to_spoil(self, number: int, at: datetime) -> list[str]:
        """Return a message whose first dose is one given now to a small child, named by its CVX code."""
        person = self._person(number, at.date(), self.chance.randrange(730, 2000))
        doses = self._given(number, person, at.date(), with_ndc=False)
        return [self._msh(number, at), *person.header, *(one for dose in doses for one in dose.segments)]

    def _follow_up(self, number: int, at: datetime) -> list[str]:
        person, dose = self.earlier.pop(self.chance.randrange(len(self.earlier)))
        again = self._dose(dose.product, person, dose.order, dose.on, action=self.chance.choice("UUD"))
        return [self._msh(number, at), *person.header, *again.segments]

    def _age_days(self) -> int:
        """Return an age: two of three patients are children, most of them small."""
        kind = self.chance.random()
        if kind < 0.4:
            return self.chance.randrange(6 * 365)
        if kind < 0.66:
            return self.chance.randrange(6 * 365, 18 * 365)
        return self.chance.randrange(18 * 366, 88 * 365)

    def _given(self, number: int, person: _Person, today: date, *, with_ndc: bool = True) -> list[Dose]:
        born = person.patient.born_on
        lag = min(self.chance.choice(_LAGS_DAYS), (today - born).days)
        on = today - timedelta(days=lag)
        wanted = self.chance.choices((1, 2, 3), (35, 45, 20))[0]
        products = distinct(self.chance, products_at(age_in_months(born, on)), wanted)
        return [
            self._dose(product, person, self._order(number, place), on, with_ndc=with_ndc)
            for place, product in enumerate(products, 1)
        ]

    def _others(self, number: int, person: _Person, today: date, given_now: list[Dose]) -> list[str]:
        """Return, now and then, a dose that somebody else gave, or one that was refused."""
        kind = self.chance.random()
        if kind < 0.25:
            return given_elsewhere(
                self.chance,
                order=self._order(number, 9),
                facility=self.import_code,
                born=person.patient.born_on,
                reported=today,
            )
        age = age_in_months(person.patient.born_on, today)
        left = [one for one in products_at(age) if one.cvx not in {dose.product.cvx for dose in given_now}]
        if kind < 0.3 and left:
            return refused(self.chance, self.chance.choice(left), facility=self.import_code, on=today)
        return []

    def _dose(
        self,
        product: Product,
        person: _Person,
        order: str,
        on: date,
        *,
        action: str = "A",
        with_ndc: bool = True,
    ) -> Dose:
        return given(
            self.chance,
            product,
            order=order,
            facility=self.import_code,
            on=on,
            is_child=person.is_child,
            action=action,
            with_ndc=with_ndc,
        )

    def _order(self, number: int, place: int) -> str:
        return f"O{self.seed}-{number}-{place}"

    def control_id(self, number: int) -> str:
        """Return the control ID of a message of the batch."""
        return f"{self.import_code}-{self.seed}-{number}"

    def _msh(self, number: int, at: datetime) -> str:
        return (
            rf"MSH|^~\&|LAKESIDE-EHR|{self.import_code}|REGISTRY|STATE|{at:%Y%m%d%H%M%S%z}||VXU^V04^VXU_V04|"
            f"{self.control_id(number)}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS|{self.import_code}|STATE"
        )

    def _person(self, number: int, today: date, age_days: int) -> _Person:
        chance, code = self.chance, self.import_code
        born = today - timedelta(days=age_days)
        # Nobody is born on a day that not every year has.
        born = born.replace(day=28) if (born.month, born.day) == (2, 29) else born
        sex = chance.choice("FM")
        last, middle = chance.choice(_LAST), chance.choice(_MIDDLE)
        first = chance.choice(_GIRLS if sex == "F" else _BOYS)
        patient = MadePatient(f"P{self.seed}-{number}", code, last, first, born)
        self.patients.append(patient)
        is_child = age_in_months(born, today) < _ADULT_Y * 12
        town, zip_code, area = chance.choice(_TOWNS)
        home = f"{chance.randrange(100, 9900)} {chance.choice(_STREETS)}^^{town}^TX^{zip_code}^USA^H"
        phone = f"^PRN^PH^^^{area}^555{chance.randrange(100, 200):04}"
        mail = f"~^NET^Internet^{first.lower()}.{number}@mail.example" if chance.random() < 0.3 else ""
        mother = chance.choice(_GIRLS)
        birth_order = f"Y|{chance.randrange(1, 3)}" if chance.random() < 0.03 else "N|"
        reported = f"{today:%Y%m%d}"
        header = [
            f"PID|1||{patient.identifier}^^^{code}^MR||{last}^{first}^{middle}^^^^L|"
            f"{chance.choice(_LAST)}^{mother}^^^^^M|{born:%Y%m%d}|{sex}||{chance.choice(_RACES)}|{home}||"
            f"{phone}{mail}|||||||||{chance.choice(_ETHNICITIES)}||{birth_order}|||||N",
            f"PD1|||||||||||02^Reminder/recall - any method^HL70215|N|{reported}|||A|{reported}|{reported}",
        ]
        if is_child:
            relation = chance.choice(_PARENTS)
            header.append(f"NK1|1|{last}^{mother}^^^^^L|{relation}^HL70063|{home}|{phone}")
        return _Person(patient, header, is_child)


def make_batch(
    *, messages: int, seed: int, import_code: str, at: datetime, faulty: int | float = 0
) -> MadeBatch:
    """Return a batch in its envelope, from FHS to FTS.

    :param messages: how many, at least one.
    :param seed: another seed gives other patients, orders and control IDs; the same one the same batch.
    :param at: an aware time; messages and doses lie before it.
    :param faulty: how many messages carry one defect each, taken from ``FAULTS`` in their order; a float
        below 1 is the share of messages. The first of several messages carries none.
    """
    wanted = int(messages * faulty) if isinstance(faulty, float) and faulty < 1 else int(faulty)
    chance = random.Random(seed)  # noqa: S311 - invented people, nothing to guard
    maker = _Maker(chance, import_code, seed)
    spare = min(1, messages - 1)
    # A fault points back at the first message.
    places = sorted(chance.sample(range(spare, messages), min(wanted, messages - spare)))
    faults = {place: FAULTS[number % len(FAULTS)] for number, place in enumerate(places)}
    local = at.astimezone(_ZONE)
    sender = rf"^~\&|LAKESIDE-EHR|{import_code}|REGISTRY|STATE|{local:%Y%m%d%H%M%S%z}"
    lines = [f"{name}|{sender}" for name in ("FHS", "BHS")]
    counted = _Counts()
    for number in range(messages):
        sent = (at - _SPAN * (1 - number / messages)).astimezone(_ZONE)
        fault = faults.get(number)
        if fault is None:
            segments = maker.clean(number, sent)
        else:
            segments = fault.apply(maker.to_spoil(number, sent), first_control_id=maker.control_id(0))
        counted.add(segments, fault)
        lines += segments
    lines += [f"BTS|{messages}", "FTS|1"]
    return MadeBatch(
        content=("\r".join(lines) + "\r").encode(),
        messages=messages,
        doses=counted.doses,
        rejected_messages=counted.rejected_messages,
        rejected_doses=counted.rejected_doses,
        codes=frozenset(counted.codes),
        patients=tuple(maker.patients),
    )


@dataclass
class _Counts:
    doses: int = 0
    rejected_messages: int = 0
    rejected_doses: int = 0
    codes: set[str] = field(default_factory=set)

    def add(self, segments: list[str], fault: Fault | None) -> None:
        """Count a message and what its fault costs."""
        doses = sum(one.startswith("ORC") for one in segments)
        self.doses += doses
        if fault is None:
            return
        self.codes |= fault.codes
        if fault.reach is Reach.NOTHING:
            return
        # A message that loses its only dose is lost with it.
        if fault.reach is Reach.MESSAGE or doses == 1:
            self.rejected_messages += 1
            self.rejected_doses += doses
            self.codes.add("message-rejected")
            return
        self.rejected_doses += 1
        self.codes.add("dose-rejected")


def consent_file(batch: MadeBatch, *, share: float, at: datetime) -> bytes:
    """Return the consents of the patients of a batch, as CSV for ``exchange consent import``.

    :param share: of the patients, who have said yes; of the others, a third each said no, have not answered,
        and took it back, and every fourth is not in the file at all.
    """
    today = at.astimezone(_ZONE).date()
    chance = random.Random(len(batch.patients))  # noqa: S311 - invented people, nothing to guard
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CONSENT_COLUMNS)
    for patient in batch.patients:
        status = "YES" if chance.random() < share else chance.choice((*_OTHER_STATUSES, ""))
        if status:
            writer.writerow(_consent(patient, status, today, chance))
    return text.getvalue().encode()


def _consent(patient: MadePatient, status: str, today: date, chance: random.Random) -> tuple[str, ...]:
    is_child = age_in_months(patient.born_on, today) < _ADULT_Y * 12
    # An adult's own consent cannot be from before the age of 18.
    born = patient.born_on
    first = born if is_child else born.replace(year=born.year + _ADULT_Y)
    known_days = min((today - first).days, 700)
    signed = today - timedelta(days=chance.randrange(known_days + 1))
    return (
        patient.identifier,
        patient.authority,
        patient.last_name,
        patient.first_name,
        patient.born_on.isoformat(),
        "CHILD" if is_child else "ADULT",
        status,
        signed.isoformat(),
    )

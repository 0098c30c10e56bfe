"""Faults for made batches: one defect each, with the codes that must tell of it.

The first twelve are the reject catalogue of the registries (K.01.01 to K.01.12). ``FAULTS`` is the one place
that knows the codes; the rules are not asked, so that demo and tests can hold their answer against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

Segments = list[str]
Spoil = Callable[[Segments], Segments]
_SEEN_CONTROL_ID = "{first}"


class Reach(StrEnum):
    """What is lost by a fault."""

    NOTHING = "nothing"
    DOSE = "dose"
    MESSAGE = "message"


@dataclass(frozen=True)
class Fault:
    """One defect of a message whose first order group is a dose given now, named by its CVX code."""

    about: str
    reach: Reach
    codes: frozenset[str]
    """What must be found, beside ``dose-rejected`` and ``message-rejected``."""
    spoil: Spoil

    def apply(self, segments: Sequence[str], *, first_control_id: str) -> Segments:
        """Return the message with the defect.

        :param first_control_id: control ID of the first message of the file.
        """
        spoiled = self.spoil(list(segments))
        return [one.replace(_SEEN_CONTROL_ID, first_control_id) for one in spoiled]


def _put(place: str, text: str) -> Spoil:
    """Set a field of the first such segment: ``RXA-3``, or ``OBX|2|-5`` of the segment that starts so."""
    start, number = place.split("-")
    # MSH-1 is the bar itself.
    at = int(number) - (start == "MSH")

    def spoil(segments: Segments) -> Segments:
        where = _first(segments, start)
        fields = segments[where].split("|")
        fields += [""] * (at + 1 - len(fields))
        fields[at] = text
        segments[where] = "|".join(fields)
        return segments

    return spoil


def _swap(name: str, old: str, new: str) -> Spoil:
    """Replace text in the first segment of that name."""

    def spoil(segments: Segments) -> Segments:
        where = _first(segments, name)
        segments[where] = segments[where].replace(old, new, 1)
        return segments

    return spoil


def _without(start: str) -> Spoil:
    """Leave out the first segment that starts so."""

    def spoil(segments: Segments) -> Segments:
        del segments[_first(segments, start)]
        return segments

    return spoil


def _both(*spoils: Spoil) -> Spoil:
    def spoil(segments: Segments) -> Segments:
        for one in spoils:
            segments = one(segments)
        return segments

    return spoil


def _empty_patient(segments: Segments) -> Segments:
    segments[_first(segments, "PID")] = "PID|"
    return segments


def _day_before_birth(segments: Segments) -> Segments:
    born = int(segments[_first(segments, "PID")].split("|")[7])
    # A year earlier is a day in the calendar but for the 29th of February, which nobody here is born on.
    return _put("RXA-3", str(born - 10_000))(segments)


def _without_statement(segments: Segments) -> Segments:
    where = _first(segments, "OBX|3|")
    del segments[where : where + 2]
    return segments


def _first_dose_again(segments: Segments) -> Segments:
    groups = [at for at, one in enumerate(segments) if one.startswith("ORC")]
    end = groups[1] if len(groups) > 1 else len(segments)
    again = segments[groups[0] : end]
    order = again[0].split("|")[3].split("^")[0]
    again[0] = again[0].replace(order, f"{order}R")
    return [*segments, *again]


def _second_eligibility(segments: Segments) -> Segments:
    """Say the funding source as an eligibility too."""
    return _both(
        _put("OBX|2|-3", "64994-7^Vaccine funding program eligibility category^LN"),
        _put("OBX|2|-5", "V01^Not VFC eligible^HL70064"),
        _put("OBX|2|-17", "VXC40^Eligibility captured at the immunization level^CDCPHINVS"),
    )(segments)


def _without_zone(segments: Segments) -> Segments:
    time = segments[0].split("|")[6]
    return _put("MSH-7", time[: len("YYYYMMDDHHMMSS")])(segments)


def _first(segments: Segments, start: str) -> int:
    return next(at for at, one in enumerate(segments) if one.startswith(start))


def _fault(about: str, reach: Reach, codes: str, spoil: Spoil) -> Fault:
    return Fault(about, reach, frozenset(codes.split()), spoil)


_NOTHING, _DOSE, _MESSAGE = Reach.NOTHING, Reach.DOSE, Reach.MESSAGE

FAULTS: tuple[Fault, ...] = (
    _fault("K.01.01 PID empty", _MESSAGE, "required-segment-missing", _empty_patient),
    _fault("K.01.02 PID-3 missing", _MESSAGE, "required-missing", _put("PID-3", "")),
    _fault("K.01.03 PID-5 missing", _MESSAGE, "required-missing", _put("PID-5", "")),
    _fault("K.01.04 PID-7 missing", _MESSAGE, "required-missing", _put("PID-7", "")),
    _fault("K.01.05 PID-7 no date", _MESSAGE, "value-not-of-type", _put("PID-7", "DOB")),
    _fault("K.01.06 PID-7 in the future", _MESSAGE, "date-in-future", _put("PID-7", "29990101")),
    _fault("K.01.07 no RXA", _DOSE, "required-segment-missing", _without("RXA")),
    _fault("K.01.08 RXA-3 missing", _DOSE, "required-missing", _put("RXA-3", "")),
    _fault("K.01.09 RXA-3 no date", _DOSE, "value-not-of-type", _put("RXA-3", "SHOT DATE")),
    _fault("K.01.10 RXA-3 in the future", _DOSE, "date-in-future", _put("RXA-3", "29990101")),
    _fault("K.01.11 RXA-5 missing", _DOSE, "required-missing", _put("RXA-5", "")),
    _fault("K.01.12 RXA-5 unknown", _DOSE, "code-unknown", _put("RXA-5", "5000^Marsh fever^CVX")),
    _fault("eligibility missing", _NOTHING, "observation-missing", _without("OBX|1|")),
    _fault("message time without zone", _NOTHING, "time-zone-missing", _without_zone),
    _fault("route unknown", _NOTHING, "code-unknown", _put("RXR-1", "C99999^Through the ear^NCIT")),
    _fault("race out of date", _NOTHING, "code-deprecated", _put("PID-10", "W^White^HL70005")),
    _fault("control ID repeated", _MESSAGE, "control-id-repeated", _put("MSH-10", _SEEN_CONTROL_ID)),
    _fault("version 2.4", _MESSAGE, "version-unsupported", _put("MSH-12", "2.4")),
    _fault("lot missing", _NOTHING, "required-missing", _put("RXA-15", "")),
    _fault("lot expired", _NOTHING, "expired-lot", _put("RXA-16", "20100101")),
    _fault("dose before birth", _DOSE, "date-before-birth", _day_before_birth),
    _fault("dose twice", _NOTHING, "dose-repeated", _first_dose_again),
    _fault("action unknown", _DOSE, "code-unknown", _put("RXA-21", "X")),
    _fault("completion unknown", _DOSE, "code-unknown", _put("RXA-20", "XX")),
    _fault("eligibility never right", _NOTHING, "code-invalid", _put("OBX|1|-5", "V00^Unknown^HL70064")),
    _fault("no information statement", _NOTHING, "vis-missing", _without_statement),
    _fault("admission", _MESSAGE, "message-type-unsupported", _put("MSH-9", "ADT^A04^ADT_A01")),
    _fault("query", _MESSAGE, "query-not-answered", _put("MSH-9", "QBP^Q11^QBP_Q11")),
    _fault("event V03", _MESSAGE, "event-unsupported", _put("MSH-9", "VXU^V03^VXU_V04")),
    _fault("processing ID", _MESSAGE, "processing-id-unsupported", _put("MSH-11", "X")),
    _fault("control ID missing", _MESSAGE, "control-id-missing", _put("MSH-10", "")),
    _fault(
        "998 and complete", _DOSE, "no-vaccine-mismatch", _put("RXA-5", "998^No vaccine administered^CVX")
    ),
    _fault("no longer licensed", _DOSE, "dose-outside-licence", _put("RXA-5", "16^Influenza, whole^CVX")),
    _fault("too old for it", _NOTHING, "dose-outside-age", _put("RXA-5", "116^Rotavirus^CVX")),
    _fault(
        "NDC unknown",
        _NOTHING,
        "ndc-unknown",
        _put("RXA-5", "99999-9999-99^Influenza^NDC^140^Influenza^CVX"),
    ),
    _fault(
        "NDC of another vaccine",
        _NOTHING,
        "ndc-cvx-differ",
        _put("RXA-5", "00006-4681-01^M-M-R II^NDC^140^Influenza^CVX"),
    ),
    _fault("sex missing", _NOTHING, "required-missing", _put("PID-8", "")),
    _fault("birth date without day", _MESSAGE, "value-not-precise", _put("PID-7", "202001")),
    _fault("no such day", _DOSE, "no-such-day", _put("RXA-3", "20240230")),
    _fault("end is another day", _NOTHING, "end-differs", _put("RXA-4", "20200101")),
    _fault("sub-ID 999", _NOTHING, "value-unexpected", _put("RXA-2", "999")),
    _fault("relative without relationship", _NOTHING, "required-missing", _put("NK1-3", "")),
    _fault("date of no protection", _NOTHING, "value-not-allowed", _put("PD1-12", "")),
    _fault("set IDs fall", _NOTHING, "set-id-order", _swap("OBX|4|", "OBX|4|", "OBX|1|")),
    _fault("two eligibilities", _NOTHING, "eligibility-repeated", _second_eligibility),
    _fault("alias before the legal name", _NOTHING, "name-not-legal", _swap("PID", "^^^^L|", "^^^^A|")),
)
"""All faults; a batch takes them in this order, again and again."""

"""Places of a VXU message in words, for people who do not read HL7."""

from __future__ import annotations

from collections.abc import Mapping

from partner_exchange.feeds.vxu import profile

SEGMENTS: Mapping[str, str] = {
    "MSH": "Message header",
    "PID": "Patient",
    "PD1": "Patient, registry data",
    "NK1": "Guardian or next of kin",
    "ORC": "Order",
    "RXA": "Vaccination",
    "RXR": "Route and site",
    "OBX": "Observation",
}

FIELDS: Mapping[str, str] = {
    "MSH-1": "Field separator",
    "MSH-2": "Encoding characters",
    "MSH-3": "Sending application",
    "MSH-4": "Sending facility",
    "MSH-5": "Receiving application",
    "MSH-6": "Receiving facility",
    "MSH-7": "Message time",
    "MSH-9": "Message type",
    "MSH-10": "Control ID",
    "MSH-11": "Processing ID",
    "MSH-12": "HL7 version",
    "MSH-15": "Accept acknowledgement type",
    "MSH-16": "Application acknowledgement type",
    "MSH-18": "Character set",
    "MSH-21": "Message profile",
    "MSH-22": "Responsible sending organization",
    "MSH-23": "Responsible receiving organization",
    "PID-1": "Set ID",
    "PID-3": "Patient identifier",
    "PID-3.1": "Patient identifier",
    "PID-3.4": "Assigning authority",
    "PID-3.5": "Identifier type",
    "PID-5": "Patient name",
    "PID-5.1": "Last name",
    "PID-5.2": "First name",
    "PID-5.3": "Middle name",
    "PID-5.4": "Name suffix",
    "PID-5.7": "Name type",
    "PID-6": "Mother's maiden name",
    "PID-7": "Birth date",
    "PID-8": "Sex",
    "PID-10": "Race",
    "PID-11": "Address",
    "PID-11.1": "Street",
    "PID-11.3": "City",
    "PID-11.4": "State",
    "PID-11.5": "Zip code",
    "PID-11.6": "Country",
    "PID-11.9": "County",
    "PID-13": "Phone",
    "PID-13.4": "E-mail address",
    "PID-22": "Ethnicity",
    "PID-24": "Multiple birth indicator",
    "PID-25": "Birth order",
    "PID-29": "Death date",
    "PID-30": "Death indicator",
    "PD1-11": "Publicity code",
    "PD1-12": "Protection indicator",
    "PD1-13": "Protection indicator date",
    "PD1-16": "Registry status",
    "PD1-17": "Registry status date",
    "PD1-18": "Publicity code date",
    "NK1-1": "Guardian set ID",
    "NK1-2": "Guardian name",
    "NK1-2.1": "Guardian last name",
    "NK1-2.2": "Guardian first name",
    "NK1-3": "Guardian relationship",
    "NK1-4": "Guardian address",
    "NK1-5": "Guardian phone",
    "ORC-1": "Order control",
    "ORC-2": "Placer order number",
    "ORC-3": "Filler order number",
    "ORC-9": "Order time",
    "ORC-10": "Entered by",
    "ORC-12": "Ordering provider",
    "ORC-17": "Entering organization",
    "RXA-1": "Give sub-ID",
    "RXA-2": "Administration sub-ID",
    "RXA-3": "Vaccination date",
    "RXA-4": "Vaccination end date",
    "RXA-5": "Vaccine code",
    "RXA-6": "Amount",
    "RXA-7": "Amount unit",
    "RXA-9": "Information source",
    "RXA-10": "Administering provider",
    "RXA-11": "Administered at location",
    "RXA-11.4": "Facility",
    "RXA-15": "Lot number",
    "RXA-16": "Lot expiration date",
    "RXA-17": "Manufacturer",
    "RXA-18": "Refusal reason",
    "RXA-20": "Completion status",
    "RXA-21": "Action code",
    "RXA-22": "System entry time",
    "RXR-1": "Route",
    "RXR-2": "Body site",
    "OBX-1": "Observation set ID",
    "OBX-2": "Observation value type",
    "OBX-3": "Observation code",
    "OBX-4": "Observation sub-ID",
    "OBX-5": "Observation value",
    "OBX-6": "Observation unit",
    "OBX-11": "Observation status",
    "OBX-14": "Observation date",
    "OBX-17": "Observation method",
    profile.CVX: "Vaccine code as CVX",
    profile.ELIGIBILITY: "Eligibility",
}
"""Fields, and components where they have a name of their own."""

WHOLE_FILE = "Whole file"
_OF_A_DOSE = ("ORC", "RXA", "RXR", "OBX")


def in_words(place: str) -> str:
    """Return what a place such as ``PID-7``, ``PID-5.2`` or ``RXA`` is called, else the place."""
    if not place:
        return WHOLE_FILE
    field = place.partition(".")[0]
    return FIELDS.get(place) or FIELDS.get(field) or SEGMENTS.get(_segment(place), place)


def is_of_a_dose(place: str) -> bool:
    """Say whether a place is in the order group of a dose."""
    return _segment(place) in _OF_A_DOSE


def _segment(place: str) -> str:
    return place[:3]

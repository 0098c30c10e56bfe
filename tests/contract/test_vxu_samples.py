"""What is said of real messages, file by file: good ones are taken, and each fault is named where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.vxu import judged_bytes, said

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "hl7"

EXPECTED: dict[str, list[str]] = {
    "GM-1.1.hl7": [],
    "GM-1.2.hl7": [],
    "GM-1.3.hl7": [],
    "GM-2.1.hl7": [],
    # All 21 doses of the message carry one order number.
    "GM-2.3.hl7": [f"ORC^{at}^3 order-number-shared warning" for at in range(1, 22)],
    # Those of historical and refused doses leave RXA-21 out.
    "NIST_2014_Test_Cases_8_messages.hl7": [
        "3 RXA^1^21 action-assumed info",
        "4 RXA^1^21 action-assumed info",
        "5 RXA^1^21 action-assumed info",
        "6 RXA^1^21 action-assumed info",
        "7 RXA^2^21 action-assumed info",
    ],
    "Refusals.hl7": [],
    "batch_envelope_FHS_BHS_ADT.hl7": [
        "MSH^1^9 message-type-unsupported error",
        "MSH^1 message-rejected error",
    ],
    # A message of 2014 from Michigan, for a patient of 14 years.
    "hl7DtapMessage.hl7": [
        "MSH^1^7 time-zone-missing warning",
        "MSH^1^16 required-missing warning",
        "MSH^1^21 required-missing warning",
        "PID^1^3^1^4 required-missing warning",
        "NK1^1^1 required-missing warning",
        "RXA^1 vis-missing warning",
        "RXA^1^2 value-unexpected warning",
        "RXA^1^5 dose-outside-age warning",
        "RXA^1^7 code-deprecated warning",
        "OBX^1^4 required-missing warning",
        "OBX^1^11 required-missing warning",
        "OBX^1^17 required-missing warning",
    ],
    "national_ig_ack_examples.hl7": [
        f"{row} {finding}"
        for row in range(1, 8)
        for finding in ("MSH^1^9 message-type-unsupported error", "MSH^1 message-rejected error")
    ],
    # The zone is written -500, and the code 85 with the words "hep B" is Hep A, at the age of four days.
    "national_ig_vxu_examples.hl7": [
        "MSH^1^7 time-zone-unusual warning",
        "RXA^1^5 dose-outside-age warning",
    ],
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not in this checkout")
@pytest.mark.parametrize("name", EXPECTED)
def test_T43_samples_draw_what_is_wrong_with_them(name: str) -> None:
    checked = judged_bytes((SAMPLES / name).read_bytes())
    assert said(checked) == EXPECTED[name]
    is_vxu = (checked.flat.messages["MSH-9.1"] == "VXU").to_numpy()
    assert (checked.is_message_rejected == ~is_vxu).all()
    assert not checked.is_dose_rejected.any()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not in this checkout")
def test_T43_no_sample_is_left_out() -> None:
    assert {path.name for path in SAMPLES.glob("*.hl7")} == set(EXPECTED)

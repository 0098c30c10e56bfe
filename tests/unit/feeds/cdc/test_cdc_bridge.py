"""HRD figures derived from bed capacity."""

from __future__ import annotations

from partner_exchange.feeds.cdc_bed_capacity.bridge import bridge
from partner_exchange.tenants.catalogue import CatalogueName, ready

NOW = {
    "AllBedsOccupied": 80.0,
    "AllBedsUnoccupied": 20.0,
    "AdultICUOccupied": 6.0,
    "AdultICUUnoccupied": 4.0,
    "PedsICUOccupied": 2.0,
    "PedsICUUnoccupied": 1.0,
    "NICUTotalOccupied": 5.0,
    "NICUTotalUnoccupied": 3.0,
}


def test_K24_beds_are_those_with_and_without_a_patient_and_nicu_is_no_pediatric_icu() -> None:
    assert bridge(NOW, nicu_is_pediatric_icu=False) == {
        "numInPtBeds": 100,
        "numInPtBedsOcc": 80,
        "numICUBedsAdult": 10,
        "numICUBedsOccAdult": 6,
        "numICUBedsPed": 3,
        "numICUBedsOccPed": 2,
    }


def test_K24_nicu_counts_as_pediatric_icu_where_the_tenant_says_so() -> None:
    derived = bridge(NOW, nicu_is_pediatric_icu=True)

    assert (derived["numICUBedsPed"], derived["numICUBedsOccPed"]) == (11, 7)
    assert derived["numICUBedsAdult"] == 10


def test_K24_a_figure_with_a_missing_measure_is_left_out_and_0_is_a_measure() -> None:
    now = {**NOW, "AllBedsUnoccupied": None, "PedsICUOccupied": 0.0}
    del now["NICUTotalUnoccupied"]

    assert bridge(now, nicu_is_pediatric_icu=True) == {
        "numInPtBedsOcc": 80,
        "numICUBedsAdult": 10,
        "numICUBedsOccAdult": 6,
        "numICUBedsOccPed": 5,
    }
    assert bridge({}, nicu_is_pediatric_icu=False) == {}


def test_K24_what_the_bridge_reads_and_gives_is_in_the_catalogues() -> None:
    derived = bridge(NOW, nicu_is_pediatric_icu=True)

    assert set(derived) <= {one.name for one in ready(CatalogueName.CDC_HRD)}
    assert set(NOW) <= {one.name for one in ready(CatalogueName.CDC_BED_CAPACITY)}

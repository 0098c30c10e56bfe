"""NHSN sets from the status store to archive and ledger, with a real database (E38, E39, K24)."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from partner_exchange import clock
from partner_exchange.errors import ArchiveDamaged
from partner_exchange.exports.nhsn.schedule import DueTime, latest_due
from partner_exchange.exports.nhsn.sets import BuiltSet, build, catch_up, pending
from partner_exchange.ledger import nhsn
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.nhsn import NhsnState
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Frequency
from support.nhsn import STARRED_IDS, a_hospital, a_hospital_group, report, sound_values

pytestmark = pytest.mark.service

# A Friday, and the Tuesday before it.
FRIDAY = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
WEDNESDAY = FRIDAY - timedelta(days=2)
TUESDAY = datetime(2026, 11, 17, 21, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Hospitals:
    """A tenant whose hospitals report, and the sets built from that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tenant = a_hospital_group()

    def report(
        self,
        values: Mapping[str, int | str | None],
        at: datetime = FRIDAY - HOUR,
        *,
        tenant: Tenant | None = None,
        resource_id: str = "10001",
        reported_at: datetime | None = None,
    ) -> None:
        with transaction() as connection:
            report(
                connection,
                tenant or self.tenant,
                values,
                recorded_at=at,
                reported_at=reported_at,
                resource_id=resource_id,
            )

    def build(self, at: datetime = FRIDAY, frequency: Frequency = "daily") -> BuiltSet:
        with clock.frozen(at + timedelta(seconds=5)):
            return build(self.tenant, latest_due(frequency, at=at))

    def state(
        self, at: datetime = FRIDAY, frequency: Frequency = "daily", resource_id: str = "10001"
    ) -> tuple[str, str]:
        """Return the state and the reason of a resource after building."""
        self.build(at, frequency)
        event = self.event(at, frequency, resource_id)
        return str(event.state), event.reason_code

    def event(
        self, at: datetime = FRIDAY, frequency: Frequency = "daily", resource_id: str = "10001"
    ) -> nhsn.NhsnEvent:
        with transaction() as connection:
            found = nhsn.states(connection, self.tenant.code, frequency, at)
        (event,) = (one for one in found if one.resource_id == resource_id)
        return event

    def events(self) -> list[nhsn.NhsnEvent]:
        with transaction() as connection:
            return [
                event
                for resource in self.tenant.status.resources
                for event in nhsn.history(connection, self.tenant.code, resource.production_id)
            ]

    def rows(self, built: BuiltSet) -> list[dict[str, str]]:
        assert built.kept is not None
        content = (self.folder / built.kept.path).read_bytes().decode()
        return list(csv.DictReader(io.StringIO(content, newline="")))

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def hospitals(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hospitals:
    folder = tmp_path / "storage"
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{folder}")
    return Hospitals(folder)


# ---- what is in a set


def test_E38_a_daily_set_has_the_values_of_its_due_time(hospitals: Hospitals) -> None:
    hospitals.report({**sound_values(), "numConfC19ICUPatsPed": None, "N95MaskSupplyDays": ">30 DAYS"})
    hospitals.report({"numInPtBeds": 101}, FRIDAY + HOUR)
    built = hospitals.build()
    assert built.states == {NhsnState.READY: 1}
    assert built.kept is not None
    assert built.kept.path == "exports/mercy/nhsn_daily/20261120T213000Z.csv"
    (row,) = hospitals.rows(built)
    assert (row["orgID"], row["reportingContext"], row["collectionDate"]) == ("30101", "HOSP", "2026-11-20")
    assert row["numInPtBeds"] == "100", "what came after the due time goes with the next set"
    assert row["numConfC19ICUPatsPed"] == "9999", "not applicable, as the hospital said"
    assert row["numConfRSVICUPatsPed"] == "", "never reported"
    assert row["N95MaskSupplyDays"] == ">30 DAYS"
    assert len(row) == 58
    event = hospitals.event()
    assert (event.set_path, event.set_sha256) == (built.kept.path, built.kept.sha256)


def test_E38_a_weekly_set_has_the_values_of_the_saturday_before(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1, frequency="weekly", context="CHLD"))
    # Saturday ends at six in the morning UTC in Chicago.
    saturday_end = datetime(2026, 11, 15, 6, tzinfo=UTC)
    second = timedelta(seconds=1)
    monday = TUESDAY - DAY
    hospitals.report(sound_values(), monday, reported_at=saturday_end - second)
    hospitals.report({"numInPtBeds": 120}, monday, reported_at=saturday_end)
    built = hospitals.build(TUESDAY, "weekly")
    (row,) = hospitals.rows(built)
    assert (row["weekEndingDate"], row["reportingContext"]) == ("2026-11-14", "CHLD")
    assert row["numInPtBeds"] == "100"
    assert built.kept is not None
    assert built.kept.path == "exports/mercy/nhsn_weekly/20261117T213000Z.csv"


ADMISSIONS = "numConfFluNewAdmUnk"


def test_E38_new_admissions_of_another_day_are_in_no_daily_set(hospitals: Hospitals) -> None:
    hospitals.report({**sound_values(), ADMISSIONS: 7}, FRIDAY - DAY)
    hospitals.report({"numICUBeds": 16}, FRIDAY - HOUR)
    (row,) = hospitals.rows(hospitals.build())
    assert row[ADMISSIONS] == ""
    assert (row["numICUBeds"], row["numInPtBeds"]) == ("16", "100"), "beds hold until something else is said"


def test_E38_new_admissions_go_for_their_own_day_even_when_the_number_is_that_of_the_day_before(
    hospitals: Hospitals,
) -> None:
    hospitals.report({**sound_values(), ADMISSIONS: 7}, FRIDAY - DAY)
    hospitals.report({**sound_values(), "numICUBeds": 16, ADMISSIONS: 7}, FRIDAY - HOUR)
    (row,) = hospitals.rows(hospitals.build())
    assert row[ADMISSIONS] == "7"
    # Midnight in Chicago: what was told seconds before is about the day before.
    midnight = datetime(2026, 11, 21, 6, tzinfo=UTC)
    second = timedelta(seconds=1)
    hospitals.report({ADMISSIONS: 8, "numConfC19NewAdmUnk": 1}, midnight, reported_at=midnight - second)
    hospitals.report({"numConfC19NewAdmUnk": None}, midnight + second)
    (row,) = hospitals.rows(hospitals.build(FRIDAY + DAY))
    assert (row[ADMISSIONS], row["numConfC19NewAdmUnk"]) == ("", "9999")


def test_E38_new_admissions_of_another_week_are_in_no_weekly_set(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1, frequency="weekly"))
    saturday = datetime(2026, 11, 15, 5, 59, 59, tzinfo=UTC)
    week = timedelta(days=7)
    told = {**sound_values(), ADMISSIONS: 70, "numConfRSVNewAdmUnk": 3}
    hospitals.report(told, saturday - week + DAY, reported_at=saturday - week)
    # What a bulk file said on the Friday before is no total of the week.
    hospitals.report({"numICUBeds": 16, "numConfC19NewAdmUnk": 4}, saturday - DAY)
    hospitals.report({"numConfRSVNewAdmUnk": 3}, saturday + DAY, reported_at=saturday)
    (row,) = hospitals.rows(hospitals.build(TUESDAY, "weekly"))
    assert (row[ADMISSIONS], row["numConfC19NewAdmUnk"], row["numConfRSVNewAdmUnk"]) == ("", "", "3")
    assert (row["numICUBeds"], row["numInPtBeds"]) == ("16", "100")


def test_E39_new_admissions_of_another_day_alone_are_nothing_to_send(hospitals: Hospitals) -> None:
    hospitals.report({ADMISSIONS: 7}, FRIDAY - HOUR, reported_at=FRIDAY - DAY)
    assert hospitals.state() == ("Not Submitted", "no-data")
    assert "new admissions of another day" in hospitals.event().comment


def test_E38_each_frequency_has_its_own_resources_in_the_order_of_their_keys(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(
        a_hospital(2),
        a_hospital(1),
        a_hospital(3, org_id="30101", test_org_id="39101", context="CHLD"),
        a_hospital(4, frequency="weekly"),
        a_hospital(5, frequency=None),
    )
    for number in range(1, 6):
        hospitals.report(sound_values(), resource_id=f"{10_000 + number}")
    rows = hospitals.rows(hospitals.build())
    assert [(row["orgID"], row["reportingContext"]) for row in rows] == [
        ("30101", "CHLD"),
        ("30101", "HOSP"),
        ("30102", "HOSP"),
    ]


def test_X12_another_tenant_with_the_same_resource_ids_changes_nothing(hospitals: Hospitals) -> None:
    other = a_hospital_group(code="grace")
    hospitals.report({**sound_values(), "numInPtBeds": 777}, tenant=other)
    assert hospitals.state() == ("Not Submitted", "no-data")
    hospitals.report(sound_values(), FRIDAY + HOUR)
    (row,) = hospitals.rows(hospitals.build(FRIDAY + DAY))
    assert row["numInPtBeds"] == "100"


# ---- what goes, and what does not


@pytest.mark.parametrize(
    ("due_at", "changed_at", "state"),
    [
        (FRIDAY, FRIDAY - 23 * HOUR, ("Ready", "")),
        (FRIDAY, FRIDAY - 25 * HOUR, ("Not Submitted", "unchanged")),
        # The day of 25 hours: the set before was due 25 hours ago and did not have it.
        (datetime(2026, 11, 1, 21, 30, tzinfo=UTC), datetime(2026, 10, 31, 21, 0, tzinfo=UTC), ("Ready", "")),
        # The day of 23 hours.
        (datetime(2026, 3, 8, 20, 30, tzinfo=UTC), datetime(2026, 3, 7, 20, 45, tzinfo=UTC), ("Ready", "")),
    ],
)
def test_E38_daily_a_change_in_24_hours_makes_it_go(
    hospitals: Hospitals, due_at: datetime, changed_at: datetime, state: tuple[str, str]
) -> None:
    hospitals.report(sound_values(), changed_at)
    assert hospitals.state(due_at) == state


@pytest.mark.parametrize(("days", "state"), [(8, "Ready"), (10, "Not Submitted")])
def test_E38_weekly_a_change_in_nine_days_makes_it_go(hospitals: Hospitals, days: int, state: str) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1, frequency="weekly"))
    hospitals.report(sound_values(), TUESDAY - days * DAY)
    assert hospitals.state(TUESDAY, "weekly")[0] == state


def test_E38_what_is_said_again_or_no_hrd_value_is_no_change(hospitals: Hospitals) -> None:
    hospitals.report(sound_values(), FRIDAY - 30 * HOUR)
    hospitals.report({**sound_values(), "AdultICUOccupied": 7}, FRIDAY - HOUR)
    assert hospitals.state() == ("Not Submitted", "unchanged")
    assert "24 hours" in hospitals.event().comment
    assert hospitals.files() == [], "a set without a hospital is no file"


def test_E39_in_test_mode_nothing_goes(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1), mode="test")
    hospitals.report(sound_values(), resource_id="90001")
    assert hospitals.state(resource_id="90001") == ("Not Submitted", "test-mode")
    assert hospitals.files() == []


def test_E39_a_hospital_without_org_id_is_named_and_keeps_nobody_else(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1, org_id=""), a_hospital(2))
    for resource_id in ("10001", "10002"):
        hospitals.report(sound_values(), resource_id=resource_id)
    assert hospitals.state() == ("Not Submitted", "org-id-missing")
    assert hospitals.state(resource_id="10002") == ("Ready", "")


def test_E39_a_hospital_that_never_reported_is_named(hospitals: Hospitals) -> None:
    assert hospitals.state() == ("Not Submitted", "no-data")
    hospitals.report({"AdultICUOccupied": None}, FRIDAY + HOUR)
    assert hospitals.state(FRIDAY + DAY) == ("Not Submitted", "no-data")


def test_E39_values_that_contradict_each_other_are_an_error_and_stay_here(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1), a_hospital(2))
    # Each file was sound by itself; together they are not.
    hospitals.report({**sound_values(), "numInPtBeds": 60}, resource_id="10001")
    hospitals.report(sound_values(), resource_id="10002")
    assert hospitals.state() == ("Error", "values-contradict")
    event = hospitals.event()
    assert "numInPtBeds against numInPtBedsAdult + numInPtBedsPed" in event.comment
    assert event.set_path is None
    assert [row["orgID"] for row in hospitals.rows(hospitals.build())] == ["30102"]


def test_E39_doubtful_values_go_with_a_warning(hospitals: Hospitals) -> None:
    hospitals.report({**sound_values(), "numICUBedsOccPed": 6, "numInPtBedsOccPed": 10, "numICUBedsOcc": 13})
    built = hospitals.build()
    assert built.states == {NhsnState.WARNING: 1}
    assert len(hospitals.rows(built)) == 1
    event = hospitals.event()
    assert event.reason_code == "values-doubtful"
    assert "numICUBedsOccPed against numICUBedsPed" in event.comment


@pytest.mark.parametrize(
    ("due_at", "state"),
    [
        (FRIDAY, ("Warning", "required-missing")),
        # Wednesday's set is the one for which the starred fields are required (form 57.102).
        (WEDNESDAY, ("Error", "required-never-reported")),
    ],
)
def test_E39_a_required_value_that_was_never_reported(
    hospitals: Hospitals, due_at: datetime, state: tuple[str, str]
) -> None:
    values = {name: value for name, value in sound_values().items() if name != "numConfC19ICUPatsPed"}
    hospitals.report(values, due_at - HOUR)
    assert hospitals.state(due_at) == state
    assert "numConfC19ICUPatsPed" in hospitals.event(due_at).comment
    hospitals.report({"numConfC19ICUPatsPed": None}, due_at + HOUR)
    assert hospitals.state(due_at + DAY) == ("Ready", ""), "not applicable is an answer"


def test_E39_weekly_sets_require_every_starred_value(hospitals: Hospitals) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1, frequency="weekly"))
    hospitals.report({"numConfFluHospPatsPed": 0}, TUESDAY - 4 * DAY)
    assert hospitals.state(TUESDAY, "weekly") == ("Error", "required-never-reported")
    assert hospitals.event(TUESDAY, "weekly").comment.count(", ") >= len(STARRED_IDS) - 1


# ---- the bridge from bed capacity (K24)

BEDS = {
    "AllBedsOccupied": 61,
    "AllBedsUnoccupied": 40,
    "AdultICUOccupied": 7,
    "AdultICUUnoccupied": 3,
    "PedsICUOccupied": 2,
    "PedsICUUnoccupied": 1,
    "NICUTotalOccupied": 4,
    "NICUTotalUnoccupied": 2,
}


@pytest.mark.parametrize(("counts_nicu", "pediatric_icu"), [(False, "3"), (True, "9")])
def test_K24_bed_capacity_stands_in_for_what_was_never_reported_only(
    hospitals: Hospitals, counts_nicu: bool, pediatric_icu: str
) -> None:
    hospitals.tenant = a_hospital_group(a_hospital(1), status={"nicu_counts_as_pediatric_icu": counts_nicu})
    hidden = ("numInPtBeds", "numICUBedsPed")
    values = {**sound_values(), "numICUBeds": 20}
    hospitals.report({name: value for name, value in values.items() if name not in hidden})
    hospitals.report(BEDS)
    built = hospitals.build()
    (row,) = hospitals.rows(built)
    assert (row["numInPtBeds"], row["numICUBedsPed"]) == ("101", pediatric_icu)
    assert row["numInPtBedsOcc"] == "60", "what the hospital reported stays"
    assert built.states == {NhsnState.READY: 1}
    assert hospitals.event().comment == "Taken from bed capacity: numInPtBeds, numICUBedsPed."


def test_K24_what_stands_in_never_makes_a_hospital_contradict_itself(hospitals: Hospitals) -> None:
    values = {name: value for name, value in sound_values().items() if name != "numInPtBeds"}
    hospitals.report(values)
    hospitals.report({"AllBedsOccupied": 50, "AllBedsUnoccupied": 10})
    built = hospitals.build()
    assert built.states == {NhsnState.WARNING: 1}
    assert hospitals.rows(built)[0]["numInPtBeds"] == ""
    assert hospitals.event().reason_code == "required-missing"


def test_K24_bed_capacity_alone_is_no_hrd_data(hospitals: Hospitals) -> None:
    hospitals.report(BEDS)
    assert hospitals.state() == ("Not Submitted", "no-data")


# ---- once, and again


def test_E38_building_again_gives_the_same_bytes_and_records_nothing(hospitals: Hospitals) -> None:
    hospitals.report(sound_values())
    first = hospitals.build()
    events, content = hospitals.events(), hospitals.rows(first)
    # A file that comes late and reports for a time before the due time.
    hospitals.report({"numInPtBeds": 130}, FRIDAY + HOUR, reported_at=FRIDAY - timedelta(minutes=30))
    again = hospitals.build()
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.kept, again.states) == (first.kept, first.states)
    assert hospitals.rows(again) == content
    assert hospitals.events() == events


def test_E38_a_builder_that_was_killed_before_it_recorded_leaves_the_same_set(hospitals: Hospitals) -> None:
    hospitals.report(sound_values())
    first = hospitals.build()
    with transaction() as connection:
        # As if the commit, which comes after the file, had not been.
        connection.execute(text("delete from ledger.nhsn_event"))
    again = hospitals.build()
    assert again.is_new
    assert again.kept == first.kept
    assert len(hospitals.files()) == 1


def test_E38_two_builders_at_once_build_one_set(hospitals: Hospitals) -> None:
    hospitals.report(sound_values())
    due = latest_due("daily", at=FRIDAY)
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: build(hospitals.tenant, due), range(4)))
    assert sorted(one.is_new for one in built) == [False, False, False, True]
    assert len({one.kept for one in built}) == 1
    assert len(hospitals.events()) == 1


def test_E38_a_set_that_is_not_what_was_built_is_our_failure(hospitals: Hospitals) -> None:
    hospitals.report(sound_values())
    built = hospitals.build()
    assert built.kept is not None
    (hospitals.folder / built.kept.path).write_text("other")
    with pytest.raises(ArchiveDamaged, match="another checksum"):
        hospitals.build()


# ---- after an outage


def dues(found: list[DueTime]) -> list[str]:
    return [f"{due.at:%m-%d}" for due in found]


def test_E38_a_tenant_begins_with_the_set_that_was_due_last(hospitals: Hospitals) -> None:
    assert dues(pending(hospitals.tenant, "daily", until=FRIDAY + HOUR)) == ["11-20"]
    assert dues(pending(hospitals.tenant, "weekly", until=FRIDAY)) == ["11-17"]
    hospitals.build()
    assert pending(hospitals.tenant, "daily", until=FRIDAY + HOUR) == []


def test_E38_after_an_outage_each_missed_set_is_built_with_its_own_values(hospitals: Hospitals) -> None:
    start = FRIDAY - 4 * DAY
    hospitals.report(sound_values(), start - HOUR)
    hospitals.build(start)
    for day, beds in ((1, 101), (3, 103)):
        hospitals.report({"numInPtBeds": beds}, start + day * DAY - HOUR)
    built = catch_up(hospitals.tenant, "daily", until=FRIDAY + HOUR)
    assert dues([one.due for one in built]) == ["11-17", "11-18", "11-19", "11-20"]
    states = [next(iter(one.states)) for one in built]
    ready, unchanged = NhsnState.READY, NhsnState.NOT_SUBMITTED
    assert states == [ready, unchanged, ready, unchanged]
    assert [hospitals.rows(one)[0]["numInPtBeds"] for one in built if one.kept] == ["101", "103"]
    assert catch_up(hospitals.tenant, "daily", until=FRIDAY + HOUR) == []


def test_E38_no_more_than_14_days_are_caught_up(hospitals: Hospitals) -> None:
    hospitals.build(FRIDAY - 30 * DAY)
    missed = pending(hospitals.tenant, "daily", until=FRIDAY)
    assert len(missed) == 14
    assert dues(missed)[::13] == ["11-07", "11-20"]
    hospitals.build(FRIDAY)
    assert len(pending(hospitals.tenant, "daily", until=FRIDAY)) == 13, "a gap is seen behind a later set"


# ---- no values outside the set


def test_T60_neither_log_nor_ledger_nor_what_is_handed_on_holds_a_value(
    hospitals: Hospitals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hospitals.report({**sound_values(), "numInPtBeds": 4711, "numConfFluNewAdmUnk": 4712, "numICUBedsOcc": 1})
    built = hospitals.build()
    said = f"{built.as_dict()} {hospitals.events()} {caplog.text}"
    assert "4711" not in said
    assert "4712" not in said
    assert "nhsn.build tenant=mercy export=nhsn_daily" in caplog.text

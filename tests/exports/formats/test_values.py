"""Values as text: numbers with all their digits, dates and instants by their form and zone."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import Kind, Value
from partner_exchange.tenants.exports import ExportColumn, ExportFormat
from partner_exchange.tenants.forms import parts_of
from support.outbound_files import KINDS, a_column, facts, taken_back, written

AT = datetime(2026, 7, 4, 13, 5, 9, 999_999, tzinfo=UTC)


def shown(value: Value, kind: Kind, form: str = "", zone: str = "America/Chicago") -> str:
    column = a_column(kind, form=form)
    content = written([(value,)], [column], about=facts(zone=ZoneInfo(zone)), header=False, newline="lf")
    return content.decode().removesuffix("\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-12, "-12"),
        (10**30, "1" + "0" * 30),
        (Decimal("1.50"), "1.50"),
        (Decimal("-0.000001"), "-0.000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("123456789012345678901234567890.123456789"), "123456789012345678901234567890.123456789"),
    ],
)
def test_M73_numbers_keep_all_digits_and_get_no_exponent(value: int | Decimal, text: str) -> None:
    assert shown(value, Kind.DECIMAL) == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("-Infinity")])
def test_M73_number_that_is_none_is_no_file(kind: str, value: Decimal) -> None:
    with pytest.raises(FileUnwritable) as caught:
        written([(value,)], [a_column(Kind.DECIMAL, header="Score")], kind=kind)
    assert caught.value.code == "not-a-number"
    assert caught.value.fields["column"] == "Score"


def test_M73_truth_is_one_and_zero() -> None:
    assert [shown(value, Kind.BOOLEAN) for value in (True, False)] == ["1", "0"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("", "2026-07-04"),
        ("MM/DD/YYYY", "07/04/2026"),
        ("DD.MM.YY", "04.07.26"),
        ("YYYYMMDD", "20260704"),
        ("{DD}", "{04}"),
    ],
)
def test_M73_dates_follow_their_form(form: str, text: str) -> None:
    assert shown(date(2026, 7, 4), Kind.DATE, form) == text


def test_M73_early_years_keep_four_digits() -> None:
    assert shown(date(987, 7, 4), Kind.DATE, "MM/DD/YYYY") == "07/04/0987"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("", "2026-07-04T13:05:09Z"),
        ("YYYY-MM-DD HH:mm:ss", "2026-07-04 08:05:09"),
        ("YYYY-MM-DD HH:mmZ", "2026-07-04 13:05Z"),
        ("MM/DD/YYYY hh:mm A", "07/04/2026 08:05 AM"),
        ("hh:mm A Z", "01:05 PM Z"),
        ("MM/DD/YYYY", "07/04/2026"),
    ],
)
def test_M73_instants_stand_in_the_zone_of_the_export_unless_their_form_says_utc(
    form: str, text: str
) -> None:
    assert shown(AT, Kind.INSTANT, form) == text
    assert shown(AT.astimezone(timezone(timedelta(hours=9))), Kind.INSTANT, form) == text


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "12:00 AM"), (1, "01:00 AM"), (11, "11:00 AM"), (12, "12:00 PM"), (23, "11:00 PM")]
)
def test_M73_twelve_hour_clock_has_no_hour_zero(hour: int, text: str) -> None:
    assert shown(datetime(2026, 7, 4, hour, tzinfo=UTC), Kind.INSTANT, "hh:mm A", "UTC") == text


def test_M73_days_of_changed_clocks_are_told_as_a_clock_showed_them() -> None:
    before = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    instants = [before + timedelta(hours=hours) for hours in range(4)]

    local = [shown(at, Kind.INSTANT, "HH:mm") for at in instants]

    assert local == ["00:30", "01:30", "01:30", "02:30"]
    assert len({shown(at, Kind.INSTANT) for at in instants}) == 4


def test_M73_instant_without_a_zone_is_a_mistake_of_ours() -> None:
    naive = AT.replace(tzinfo=None)
    for kind in (Kind.INSTANT, Kind.DATE):
        with pytest.raises(ValueError, match="without a zone"):
            shown(naive, kind)


@pytest.mark.parametrize(
    "form", ["yyyy-MM-dd", "MMM YYYY", "YYYY-mm-DD", "HH:mm", "", "--", "MM/MM", "YYYY\n", "YYYY 5"]
)
def test_M73_forms_of_dates_that_say_nothing_are_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"known are|write it with|twice"):
        parts_of(form, has_time=False)
    if form:
        with pytest.raises(ValidationError, match="date_form"):
            ExportFormat(date_form=form)


@pytest.mark.parametrize("form", ["HH:MM DD.MM.YYYY", "hh:mm", "HH:mm A", "YYYY-MM-DD hh:mm a", "h:mm A"])
def test_M73_forms_of_instants_that_leave_something_open_are_refused(form: str) -> None:
    with pytest.raises(ValidationError, match="time_form"):
        ExportFormat(time_form=form)
    with pytest.raises(ValidationError, match="date_form"):
        ExportColumn(column="verified_at", date_form=form)


def test_M73_form_that_does_not_fit_its_column_is_named() -> None:
    with pytest.raises(FileUnwritable, match="'When'") as caught:
        written([], [a_column(Kind.DATE, header="When", form="HH:mm")])
    assert caught.value.code == "form-broken"


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("xlsx", {"quoting": "all"}),
        ("jsonl", {"header": False}),
        ("csv", {"template_file": "a.xml"}),
        ("xml", {"byte_order_mark": True}),
        ("fixed", {"formulas": "as_is"}),
        ("tsv", {"too_long": "cut"}),
        ("fixed", {"root": "all"}),
    ],
)
def test_M73_option_of_another_kind_is_refused(kind: str, option: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=f"means nothing for {kind}"):
        ExportFormat(kind=kind, **option)
    assert ExportFormat(**ExportFormat(kind=kind).model_dump()) == ExportFormat(kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_M49_nul_is_never_written_and_never_vanishes(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    columns = [a_column(name="a", header="A"), a_column(name="b", header="B")]
    caplog.set_level(logging.INFO, "partner_exchange")

    content = written([("x\0y\0", "z"), ("\ud800", "z")], columns, kind=kind)

    assert taken_back(content, columns, kind=kind) == [["x\ufffdy\ufffd", "z"], ["\ufffd", "z"]]
    (line,) = [record.getMessage() for record in caplog.records if "signs_replaced" in record.getMessage()]
    assert line == "export.signs_replaced tenant=mercy export=verified_students column=A count=3"


@pytest.mark.parametrize("kind", KINDS)
def test_M49_same_rows_give_the_same_bytes_however_they_come(kind: str) -> None:
    columns = [a_column(name="a", header="A"), a_column(Kind.INSTANT, name="b", header="B")]
    rows = [(f"user {at}", AT + timedelta(seconds=at)) for at in range(50)]

    whole = written(rows, columns, kind=kind)

    assert written(rows, columns, kind=kind, batch_rows=7) == whole
    assert taken_back(whole, columns, kind=kind)[49] == ["user 49", "2026-07-04T13:05:58Z"]


@pytest.mark.parametrize("kind", KINDS)
def test_M49_row_of_another_width_is_a_mistake_of_ours(kind: str) -> None:
    with pytest.raises(ValueError, match="values in a row"):
        written([("a", "b")], [a_column()], kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_M49_file_with_other_headers_or_cut_off_does_not_read_back(kind: str) -> None:
    columns = [a_column(name="a", header="A"), a_column(name="b", header="B")]
    content = written([("one", "two")] * 3, columns, kind=kind)
    other = [columns[0], a_column(name="c", header="C")]
    for broken, looked_for in ((content, other), (content[:-3], columns), (content, columns[:1])):
        if kind in ("csv", "tsv", "pipe") and broken != content:
            # RFC 4180 lets the last line go without an end, so only within a record it can be told.
            continue
        with pytest.raises(FileUnwritable) as caught:
            taken_back(broken, looked_for, kind=kind)
        assert caught.value.code == "not-as-written"
        assert "two" not in caught.value.message

"""Deltas by comparison: what is new, changed or gone, and what the keys file keeps of it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from partner_exchange.errors import ArchiveDamaged, ReportRefused
from partner_exchange.exports.columns import Kind, Row, Value
from partner_exchange.exports.difference import compare
from partner_exchange.exports.reports.report import ReportColumn
from partner_exchange.local.bench.memory import peak_bytes

COLUMNS = (
    ReportColumn("username", "Username", Kind.TEXT, "who"),
    ReportColumn("term", "Term", Kind.TEXT, "when"),
    ReportColumn("count", "Count", Kind.INTEGER, "how many"),
)
KEYS = ("username",)
FIRST: list[Row] = [("ann", "fall", 1), ("bob", None, 2), ("cid", "fall", 3)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


class Run:
    """Runs one after the other, each delivered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0

    def __call__(self, *batches: list[Row], **over: object) -> list[Row]:
        before = self.folder / f"{self.number}.parquet" if self.number else None
        after = self.folder / f"{self.number + 1}.parquet"
        options = {"columns": COLUMNS, "keys": KEYS, **over}
        found = list(compare(iter(batches), before=before, after=after, **options))
        assert all(found)
        self.number += 1
        return [row for batch in found for row in batch]


def test_M75_the_first_run_is_all_new(run: Run) -> None:
    assert run(FIRST) == [(*row, "new") for row in FIRST]


def test_M75_only_what_differs_goes(run: Run) -> None:
    run(FIRST)
    assert run([("cid", "spring", 3), ("ann", "fall", 1)], [("dan", "", 4)]) == [
        ("cid", "spring", 3, "changed"),
        ("dan", "", 4, "new"),
        ("bob", None, None, "removed"),
    ]
    assert run([("ann", "fall", 1), ("cid", "spring", 3), ("dan", "", 4)]) == []
    assert run() == [(name, None, None, "removed") for name in ("ann", "cid", "dan")]
    assert run() == []
    assert run([("ann", "fall", 1)]) == [("ann", "fall", 1, "new")]


def test_M75_nothing_and_empty_text_are_two_values(run: Run) -> None:
    run([("ann", None, 1), ("bob", "", 1)])
    assert run([("ann", "", 1), ("bob", None, 1)]) == [("ann", "", 1, "changed"), ("bob", None, 1, "changed")]


def test_M75_values_do_not_run_into_each_other(run: Run) -> None:
    columns = COLUMNS[:2]
    run([("ab", "c"), ("1:a", "-")], columns=columns, keys=("username", "term"))
    found = run([("a", "bc"), ("1", "a-")], columns=columns, keys=("username", "term"))
    assert Counter(row[-1] for row in found) == {"new": 2, "removed": 2}


TWO_ZONES = (
    datetime(2026, 11, 21, 6, tzinfo=UTC),
    datetime(2026, 11, 21, 0, tzinfo=timezone(timedelta(hours=-6))),
)


@pytest.mark.parametrize(
    ("kind", "values", "same", "other"),
    [
        (Kind.TEXT, "a", "a", "A"),
        (Kind.INTEGER, 10, 10, 1),
        (Kind.DECIMAL, Decimal("10.50"), Decimal("10.5"), Decimal("10.05")),
        (Kind.DECIMAL, Decimal("100"), Decimal("1E+2"), Decimal("10")),
        (Kind.DECIMAL, Decimal("0.00"), Decimal("-0"), None),
        (Kind.BOOLEAN, True, True, False),
        (Kind.DATE, date(2026, 11, 21), date(2026, 11, 21), date(2026, 11, 22)),
        (Kind.INSTANT, *TWO_ZONES, TWO_ZONES[0] + timedelta(microseconds=1)),
    ],
)
def test_M75_values_are_compared_and_not_their_form(
    run: Run, kind: Kind, values: Value, same: Value, other: Value
) -> None:
    columns = (COLUMNS[0], ReportColumn("value", "Value", kind, "it"))
    run([("ann", values)], columns=columns)
    assert run([("ann", same)], columns=columns) == []
    assert run([("ann", other)], columns=columns) == [("ann", other, "changed")]


KEY_VALUES: tuple[tuple[Kind, Value], ...] = (
    (Kind.TEXT, 'Zoë, "x"\r\n'),
    (Kind.TEXT, None),
    (Kind.TEXT, ""),
    (Kind.INTEGER, -7),
    (Kind.DECIMAL, Decimal("12345678901234567890123456789012345.25")),
    (Kind.BOOLEAN, False),
    (Kind.DATE, date(2026, 2, 28)),
    (Kind.INSTANT, datetime(2026, 11, 21, 7, 47, 12, 345678, tzinfo=UTC)),
)


@pytest.mark.parametrize(("kind", "value"), KEY_VALUES)
def test_M75_a_row_that_is_gone_has_its_keys_with_their_kinds(run: Run, kind: Kind, value: Value) -> None:
    columns = (ReportColumn("at", "At", kind, "it"), *COLUMNS)
    keys = ("username", "at")
    run([(value, "ann", "fall", 1)], columns=columns, keys=keys)
    (row,) = run([], columns=columns, keys=keys)
    assert row == (value, "ann", None, None, "removed")
    assert type(row[0]) is type(value)


def test_M75_two_rows_of_one_key_are_refused_and_leave_no_keys_file(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ReportRefused, match="2 rows of the report have the same username") as refused:
        run(FIRST, [("ann", "spring", 1)], [("ann", "summer", 1)])
    assert refused.value.code == "report-keys-not-unique"
    assert "ann" not in str(refused.value).replace("another", "").replace("cannot", "")
    assert list(tmp_path.iterdir()) == []


def test_M75_who_stops_in_between_leaves_the_keys_file_as_it_was(run: Run, tmp_path: Path) -> None:
    run(FIRST)
    kept = (tmp_path / "1.parquet").read_bytes()
    rows = compare([[("dan", "fall", 4)], []], COLUMNS, KEYS, tmp_path / "1.parquet", tmp_path / "1.parquet")
    assert isinstance(rows, Generator)
    assert next(rows)
    rows.close()
    assert [path.name for path in tmp_path.iterdir()] == ["1.parquet"]
    assert (tmp_path / "1.parquet").read_bytes() == kept


def test_M75_the_same_rows_again_give_the_same_delta(run: Run, tmp_path: Path) -> None:
    run(FIRST)
    second: list[Row] = [("ann", "spring", 1), ("eve", "fall", 5)]
    one, other = (
        list(compare([second], COLUMNS, KEYS, tmp_path / "1.parquet", tmp_path / name)) for name in ("a", "b")
    )
    assert one == other
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_M75_with_other_columns_all_rows_go_once_more_and_deltas_still_add_up(run: Run) -> None:
    run(FIRST)
    wider = (*COLUMNS, ReportColumn("more", "More", Kind.BOOLEAN, "it"))
    rows = [("ann", "fall", 1, True), ("dan", "fall", 4, False)]
    assert run(rows, columns=wider) == [
        ("ann", "fall", 1, True, "changed"),
        ("dan", "fall", 4, False, "new"),
        ("bob", None, None, None, "removed"),
        ("cid", None, None, None, "removed"),
    ]
    assert run(rows, columns=wider) == []
    assert [row[-1] for row in run(rows, columns=wider, version=2)] == ["changed", "changed"]
    assert run(rows, columns=wider, version=2) == []


def test_M75_with_other_keys_all_rows_are_new(run: Run) -> None:
    run(FIRST)
    assert [row[-1] for row in run(FIRST, keys=("username", "count"))] == ["new"] * 3
    assert run(FIRST, keys=("username", "count")) == []


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"\0" * 1000])
def test_M75_a_damaged_keys_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "before").write_bytes(content)
    with pytest.raises(ArchiveDamaged, match="full file") as damaged:
        list(compare([FIRST], COLUMNS, KEYS, tmp_path / "before", tmp_path / "after"))
    assert damaged.value.code == "keys-file-damaged"


def test_M75_the_keys_file_holds_keys_as_text_and_a_hash_for_each_row(run: Run, tmp_path: Path) -> None:
    run(FIRST)
    table = pq.read_table(tmp_path / "1.parquet")
    assert table.column_names == ["username", "row hash"]
    assert table.column("username").to_pylist() == ["ann", "bob", "cid"]
    assert {len(one) for one in table.column("row hash").to_pylist()} == {16}


PRINTS_HASHES = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from decimal import Decimal
from partner_exchange.exports.columns import Kind
from partner_exchange.exports.difference import compare
from partner_exchange.exports.reports.report import ReportColumn
kinds = (Kind.TEXT, Kind.DECIMAL, Kind.INSTANT)
columns = [ReportColumn(str(n), "", kind, "") for n, kind in enumerate(kinds)]
row = ("Zo\\u00eb", Decimal("1.50"), datetime(2026, 11, 21, tzinfo=UTC))
list(compare([[row]], columns, ["0"], None, Path(sys.argv[1])))
import pyarrow.parquet as pq
print(pq.read_table(sys.argv[1]).column("row hash")[0].as_py().hex())
"""


@pytest.mark.slow
def test_M75_hashes_are_the_same_in_every_process(tmp_path: Path) -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINTS_HASHES, tmp_path / seed],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "include"},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    # What is in keys files of a release counts for the next one: a change here sends everything again.
    assert printed == {"547b5a0ecafe1a60594104a26690dd09\n"}


def million(changed: int) -> Iterator[list[Row]]:
    at, day = datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)
    for begin in range(0, 1_000_000, 10_000):
        yield [
            (f"student{n}@example.edu", "Fall 2026", n + (changed and n % 10_000 == 0), day, at)
            + (n % 2 == 0, Decimal(n), "Health Sciences", f"Last{n}", None)
            for n in range(begin, begin + 10_000)
            if not (changed and n % 10_000 == 5)
        ]


def measured(folder: Path, answers: multiprocessing.Queue[tuple[Counter[Value], int]]) -> None:
    kinds = (Kind.DATE, Kind.INSTANT, Kind.BOOLEAN, Kind.DECIMAL, Kind.TEXT, Kind.TEXT, Kind.TEXT)
    columns = (*COLUMNS, *(ReportColumn(f"more_{n}", "", kind, "") for n, kind in enumerate(kinds)))
    for _ in compare(million(0), columns, KEYS, None, folder / "1"):
        pass
    second = compare(million(1), columns, KEYS, folder / "1", folder / "2")
    counts = Counter(row[-1] for batch in second for row in batch)
    answers.put((counts, peak_bytes() // 1024**2))


@pytest.mark.slow
def test_M75_a_million_rows_of_ten_columns_stay_under_500_mb(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=measured, args=(tmp_path, answers))
    process.start()
    counts, peak_mb = answers.get(timeout=200)
    process.join()
    assert counts == {"changed": 100, "removed": 100}
    assert peak_mb < 500

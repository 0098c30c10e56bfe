"""The archive keeps originals byte-exact; the work area hands tables from step to step (K15, M39)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from partner_exchange.errors import ArchiveDamaged
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(f"file://{tmp_path}")


def test_K15_original_comes_back_byte_exact(archive: Archive) -> None:
    content = bytes(range(256)) * 100
    kept = archive.keep("a", iter([content[:1000], content[1000:]]))
    assert kept.size_bytes == len(content)
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    assert archive.original("a", kept.sha256) == content


def test_K15_same_content_is_kept_once_and_leaves_no_arriving_file(archive: Archive, tmp_path: Path) -> None:
    archive.keep("a", [b"same"])
    archive.keep("a", [b"same"])
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_K15_changed_or_missing_original_is_named(archive: Archive, tmp_path: Path) -> None:
    kept = archive.keep("a", [b"true"])
    next(path for path in tmp_path.rglob("*") if path.is_file()).write_bytes(b"false")
    with pytest.raises(ArchiveDamaged, match="another checksum"):
        archive.original("a", kept.sha256)
    with pytest.raises(ArchiveDamaged, match="missing"):
        archive.original("a", "0" * 64)


def test_X12_one_tenants_archive_does_not_answer_for_another(archive: Archive) -> None:
    kept = archive.keep("a", [b"secret"])
    with pytest.raises(ArchiveDamaged):
        archive.original("b", kept.sha256)


def test_X03_a_part_is_replaced_as_a_whole_and_cleared(archive: Archive) -> None:
    for rows in (3, 2):
        archive.write_table("s1", "accepted.parquet", pd.DataFrame({"row": range(rows)}))
    assert archive.read_table("s1", "accepted.parquet")["row"].tolist() == [0, 1]
    archive.clear_work("s1")
    assert not archive.has_part("s1", "accepted.parquet")
    with pytest.raises(FileNotFoundError):
        archive.read_table("s1", "accepted.parquet")


def a_file(folder: Path, content: bytes) -> Path:
    (folder / "local").write_bytes(content)
    return folder / "local"


def test_E38_an_outbound_file_comes_back_byte_exact_and_is_replaced_as_a_whole(
    archive: Archive, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("local")
    place = paths.export("mercy", "nhsn_daily", "20261120T213000Z")
    assert place == "exports/mercy/nhsn_daily/20261120T213000Z.csv"
    archive.keep_export_file(place, a_file(folder, b"first"))
    kept = archive.keep_export_file(place, a_file(folder, b"second"))
    assert (kept.sha256, kept.size_bytes) == (hashlib.sha256(b"second").hexdigest(), 6)
    archive.fetch_export(place, kept.sha256, folder / "back")
    assert (folder / "back").read_bytes() == b"second"
    assert archive.check_export(place, kept.sha256) == 6


def test_E38_a_changed_or_missing_outbound_file_is_named(
    archive: Archive, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("local")
    place = paths.export("mercy", "nhsn_daily", "20261120T213000Z")
    with pytest.raises(ArchiveDamaged, match="is missing"):
        archive.check_export(place, "0" * 64)
    with pytest.raises(ArchiveDamaged, match="is missing"):
        archive.fetch_export(place, "0" * 64, folder / "back")
    archive.keep_export_file(place, a_file(folder, b"true"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["20261120T213000Z.csv"]
    with pytest.raises(ArchiveDamaged, match="another checksum"):
        archive.check_export(place, "0" * 64)
    with pytest.raises(ArchiveDamaged, match="another checksum"):
        archive.fetch_export(place, "0" * 64, folder / "back")


def test_T39_an_original_is_removed_for_good_and_once_is_enough(archive: Archive) -> None:
    kept = archive.keep("a", [b"old"])
    place = paths.archived("a", kept.sha256)
    assert archive.has_original("a", kept.sha256)
    assert archive.size_bytes(place) == 3
    archive.remove(place)
    archive.remove(place)
    assert not archive.has_original("a", kept.sha256)
    assert archive.size_bytes(place) is None
    with pytest.raises(ArchiveDamaged, match="missing"):
        archive.original("a", kept.sha256)


def test_T39_a_copy_that_a_killed_claim_left_is_found_with_its_age(archive: Archive, tmp_path: Path) -> None:
    assert archive.half_kept("a") == []
    archive.keep("a", [b"whole"])

    def killed() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.keep("a", killed())
    (tmp_path / "archive" / "a" / "arriving-notes.txt").write_text("not ours")
    (left,) = archive.half_kept("a")
    assert left.path.startswith("archive/a/arriving-")
    assert left.size_bytes == archive.size_bytes(left.path)
    assert abs(datetime.now(UTC) - left.begun_at) < timedelta(minutes=5)
    assert archive.half_kept("b") == []


def test_T39_the_size_of_a_work_area_is_that_of_all_its_parts(archive: Archive) -> None:
    assert archive.work_bytes("s1") is None
    archive.write_part("s1", "one", b"123")
    archive.write_part("s1", "two", b"4567")
    assert archive.work_bytes("s1") == 7
    archive.clear_work("s1")
    assert archive.work_bytes("s1") is None

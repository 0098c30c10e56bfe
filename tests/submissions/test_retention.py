"""What retention lets go of, and what a purge leaves behind (T39, K10)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from partner_exchange import clock
from partner_exchange.errors import ArchiveDamaged, StateConflict
from partner_exchange.feeds.expected import places
from partner_exchange.ledger import audit, intake, tombstones
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import CLAIM_LOCK, hold, transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.ledger.tombstones import Kind, Removal, Tombstone
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.folders import LocalHome
from partner_exchange.submissions.fail import fail
from partner_exchange.submissions.process import reopen, run_steps
from partner_exchange.submissions.purge import Purged, purge
from partner_exchange.submissions.retention import Due, find
from partner_exchange.submissions.validate import validate
from partner_exchange.validation.findings import Findings
from submissions.conftest import Exchange, roster, student
from support.killed import in_child

pytestmark = pytest.mark.service

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAYS = 180
BAD = student(2, dob="02/30/2001")


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def set_policy(exchange: Exchange, lines: str, code: str = "alpha") -> None:
    policy = exchange.folder / "tenants" / f"{code}.yaml"
    policy.write_text(f"{policy.read_text()}{lines}\n")


@pytest.fixture
def kept(exchange: Exchange) -> Exchange:
    """The exchange with ``alpha`` keeping its files for 180 days."""
    set_policy(exchange, "retention: {days: 180}")
    return exchange


def process(exchange: Exchange, on: float, *names: str, content: bytes | None = None) -> list[Submission]:
    """Take files through all steps on one day; without content each has its own student and a bad row."""
    with clock.frozen(day(on)):
        for name in names:
            own = int(hashlib.sha256(f"{on} {name}".encode()).hexdigest()[:4], 16) + 10
            exchange.drop(roster(student(own), BAD) if content is None else content, name)
        return exchange.run()


def due(exchange: Exchange, on: float, **options: int) -> Due:
    with clock.frozen(day(on)):
        found = find(exchange.home(), exchange.tenant(), **options)
    assert found is not None
    return found


def purge_on(exchange: Exchange, on: float, home: LocalHome | None = None, **options: int) -> Purged:
    with clock.frozen(day(on)):
        return purge(home or exchange.home(), exchange.tenant(), by="tester", **options)


def home_files(exchange: Exchange) -> set[str]:
    home = exchange.home_dir()
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}


def stored_files(exchange: Exchange) -> set[str]:
    storage = exchange.folder / "storage"
    return {path.relative_to(storage).as_posix() for path in storage.rglob("*") if path.is_file()}


def stones() -> list[Tombstone]:
    with transaction() as connection:
        return tombstones.entries(connection, "alpha", limit=1000)[::-1]


def what(things: list[Removal] | tuple[Removal, ...] | list[Tombstone]) -> list[tuple[object, ...]]:
    return sorted((one.kind, one.path, one.size_bytes, one.submission_id or "") for one in things)


def reached(found: Due | list[Removal]) -> set[str]:
    return {one.path for one in (found.removals if isinstance(found, Due) else found)}


def test_T39_the_list_is_what_a_purge_removes_and_each_thing_leaves_a_tombstone(kept: Exchange) -> None:
    first, second = process(kept, 0, "a.csv", "b.csv")
    (young,) = process(kept, 100, "young.csv")
    before = {name: (kept.home_dir() / name).read_bytes() for name in home_files(kept)}
    listed = due(kept, 181)
    young_files = {name for name in before if "young" in name}
    assert what(due(kept, 181).removals) == what(listed.removals)
    assert home_files(kept) == set(before)
    archived = {paths.archived("alpha", one.sha256) for one in (first, second)}
    assert reached(listed) == set(before) - young_files | archived

    done = purge_on(kept, 181)

    sizes = sum(one.size_bytes for one in listed.removals)
    assert done == Purged(submissions=2, files=8, size_bytes=sizes)
    assert home_files(kept) == young_files
    assert stored_files(kept) == {paths.archived("alpha", young.sha256)}
    assert what(stones()) == what(listed.removals)
    for one in stones():
        assert (one.purged_at, one.policy_days) == (day(181), DAYS)
        if one.kind is not Kind.ARCHIVE:
            assert one.sha256 == hashlib.sha256(before[one.path]).hexdigest(), one.path
    assert {one.sha256 for one in stones() if one.kind is Kind.ARCHIVE} == {first.sha256, second.sha256}
    with transaction() as connection:
        told = [(one.actor, one.action, one.subject, one.facts) for one in audit.entries(connection, "alpha")]
    facts = {"files": 4, "policy_days": DAYS}
    assert [(*one[:3], {**one[3], "size_bytes": 0}) for one in told[::-1]] == [
        ("tester", "retention.purge", submission.submission_id, {**facts, "size_bytes": 0})
        for submission in (first, second)
    ]
    assert purge_on(kept, 181) == Purged()
    assert len(stones()) == 8


def test_T39_what_the_ledger_says_stays(kept: Exchange) -> None:
    (submission,) = process(kept, 0, "a.csv")
    queries = [
        "select count(*) from ledger.finding",
        "select count(*) from ledger.finding_group",
        "select count(*) from store.student",
        "select recipient, state from ledger.mail",
        "select state, outcome, rows_total, rows_created, rows_rejected from ledger.submission",
    ]
    before = [kept.rows(query) for query in queries]
    purge_on(kept, 181)
    assert [kept.rows(query) for query in queries] == before
    assert kept.rows("select count(*) from ledger.mail where state = 'queued'") == [(1,)]
    assert kept.get(submission.submission_id).purged_at == day(181)


def test_K10_files_stay_for_ever_unless_the_tenant_says_otherwise(exchange: Exchange) -> None:
    process(exchange, 0, "a.csv")
    files = home_files(exchange)
    with clock.frozen(day(3650)):
        assert find(exchange.home(), exchange.tenant()) is None
    assert purge_on(exchange, 3650) == Purged()
    assert home_files(exchange) == files


@pytest.mark.parametrize(("on", "count"), [(179.9, 0), (180, 0), (180.1, 1)])
def test_K10_the_days_count_from_the_end_of_the_submission(kept: Exchange, on: float, count: int) -> None:
    process(kept, 0, "a.csv")
    assert len(due(kept, on).submissions) == count
    assert purge_on(kept, on).submissions == count


def test_T39_a_legal_hold_keeps_everything(kept: Exchange) -> None:
    process(kept, 0, "a.csv")
    files = home_files(kept)
    policy = kept.folder / "tenants" / "alpha.yaml"
    policy.write_text(policy.read_text().replace("{days: 180}", "{days: 180, legal_hold: true}"))
    with clock.frozen(day(400)):
        assert find(kept.home(), kept.tenant()) is None
    assert purge_on(kept, 400) == Purged()
    assert home_files(kept) == files


def test_T39_the_list_looks_ahead(kept: Exchange) -> None:
    process(kept, 0, "a.csv")
    assert due(kept, 170).removals == ()
    assert len(due(kept, 170, within_days=14).submissions) == 1
    assert purge_on(kept, 170) == Purged()


def test_T39_answers_are_found_where_they_went_before_the_tenant_changed_that(kept: Exchange) -> None:
    process(kept, 0, "beside.csv")
    set_policy(kept, "inbox: {outbox: results, answers: outbox}")
    process(kept, 1, "outbox.csv")
    files = home_files(kept)
    assert {name.split("/")[0] for name in files} == {"inbound", "results"}
    assert reached(due(kept, 200)) >= files
    purge_on(kept, 200)
    assert home_files(kept) == set()


REGISTRY_YAML = """\
preset: texas-registry
name: Clinic
"""


@pytest.fixture
def clinic(exchange: Exchange) -> Exchange:
    """``alpha`` as a registry's partner."""
    (exchange.folder / "tenants" / "alpha.yaml").write_text(REGISTRY_YAML)
    return exchange


def a_finished(name: str, on: float, **over: object) -> Submission:
    """A submission in the ledger alone: one row, loaded and answered."""
    counts = {"rows_total": 1, "rows_accepted": 1, "rows_rejected": 0, **over}
    with clock.frozen(day(on)), transaction() as connection:
        submission_id = ledger.open_submission(
            connection,
            tenant_code="alpha",
            feed="vxu",
            file_name=name,
            stamp=f"{day(on):%Y%m%dT%H%M%SZ}",
            sha256=hashlib.sha256(f"{name} {on}".encode()).hexdigest(),
            size_bytes=1,
            policy_sha256="1" * 64,
        ).submission_id
        ledger.record_validation(
            connection,
            submission_id,
            outcome=Outcome.ACCEPTED,
            rule_version="1",
            findings=Findings(),
            seconds=0,
            part_counts={"acknowledged": 1},
            **counts,
        )
        none = {"updated": 0, "unchanged": 0, "rejected_at_load": 0}
        ledger.record_load(connection, submission_id, created=1, **none, findings=Findings(), seconds=0)
        ledger.record_answer(connection, submission_id, seconds=0)
        return ledger.finish(connection, submission_id, seconds=0)


def write_all(exchange: Exchange, submission: Submission) -> set[str]:
    """Put a file wherever the partner is told to find something; return the paths."""
    told = set(places(submission, (), Findings(), exchange.tenant()).values())
    for place in told:
        path = exchange.home_dir() / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(place)
    return told


def test_T39_a_registrys_answers_go_from_all_its_folders(clinic: Exchange) -> None:
    name = "ALPHA26061.hl7"
    first, again = a_finished(name, 0), a_finished(name, 1)
    young = a_finished(name, 100)
    told = [write_all(clinic, one) for one in (first, again, young)]
    assert {place.split("/")[0] for place in told[0]} == {"Accepted", "DQA-Report", "Receive"}
    assert f"Accepted/{name}" in told[0]
    found = due(clinic, 200)
    assert {one.path for one in found.of(first.submission_id)} == told[0]
    assert {one.path for one in found.of(again.submission_id)} == told[1]
    assert {one.kind for one in found.removals} == {
        Kind.ORIGINAL,
        Kind.REPORT,
        Kind.ACKNOWLEDGEMENTS,
        Kind.CONSENTS,
    }
    purge_on(clinic, 200)
    assert home_files(clinic) == told[2]


def test_T39_a_file_under_a_name_that_we_gave_to_an_older_one_stays(clinic: Exchange) -> None:
    a_finished("ALPHA26061.hl7", 0)
    old = a_finished("ALPHA26061.hl7", 1)
    # A partner may call a file as we call the second of a name.
    young = a_finished(f"ALPHA26061.{old.stamp}.hl7", 100)
    told = write_all(clinic, old) & write_all(clinic, young)
    assert told
    purge_on(clinic, 200)
    assert home_files(clinic) == set(places(young, (), Findings(), clinic.tenant()).values())


def allow_identical(exchange: Exchange) -> None:
    policy = exchange.folder / "tenants" / "alpha.yaml"
    policy.write_text(policy.read_text().replace("roster:\n", "roster:\n  identical_file: allow\n"))


def test_T39_the_same_content_stays_in_the_archive_until_its_last_submission_goes(kept: Exchange) -> None:
    allow_identical(kept)
    content = roster(student(1))
    (first,) = process(kept, 0, "a.csv", content=content)
    (again,) = process(kept, 100, "a.csv", content=content)
    assert first.sha256 == again.sha256
    assert Kind.ARCHIVE not in {one.kind for one in due(kept, 200).removals}
    purge_on(kept, 200)
    assert Archive().original("alpha", again.sha256) == content
    purge_on(kept, 300)
    assert not Archive().has_original("alpha", again.sha256)
    assert [one.submission_id for one in stones() if one.kind is Kind.ARCHIVE] == [again.submission_id]


def test_T39_of_one_content_in_one_purge_the_last_submission_takes_the_archive(kept: Exchange) -> None:
    allow_identical(kept)
    content = roster(student(1))
    (first,) = process(kept, 0, "a.csv", content=content)
    (again,) = process(kept, 1, "a.csv", content=content)
    listed = due(kept, 200)
    assert [one.submission_id for one in listed.removals if one.kind is Kind.ARCHIVE] == [again.submission_id]
    assert purge_on(kept, 200).submissions == 2
    assert what(stones()) == what(listed.removals)
    assert stored_files(kept) == set()


def wait_for_waiting(count: int) -> None:
    """Return when so many transactions of this database wait for one of our locks."""
    query = text(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    for _ in range(1000):
        with transaction() as connection:
            if connection.execute(query).scalar_one() == count:
                return
        time.sleep(0.01)
    pytest.fail(f"{count} should wait by now")


@pytest.mark.parametrize("is_purge_first", [True, False])
def test_T39_a_claim_of_the_same_content_during_a_purge_keeps_its_original(
    kept: Exchange, is_purge_first: bool
) -> None:
    allow_identical(kept)
    content = roster(student(1))
    process(kept, 0, "old.csv", content=content)
    kept.drop(content, "new.csv")

    def claim() -> list[str]:
        with clock.frozen(day(200)):
            return kept.claim_all()

    def purge_it() -> list[str]:
        assert purge_on(kept, 200).submissions == 1
        return []

    both = [purge_it, claim] if is_purge_first else [claim, purge_it]
    with ThreadPoolExecutor(2) as pool:
        with transaction() as connection:
            # Both come to where they take turns, one after the other; both have looked at the archive before.
            hold(connection, CLAIM_LOCK, "alpha")
            running = []
            for one in both:
                running.append(pool.submit(one))
                wait_for_waiting(len(running))
        claimed = [submission_id for one in running for submission_id in one.result(20)]
    assert Archive().original("alpha", kept.get(claimed[0]).sha256) == content
    with clock.frozen(day(200)):
        run_steps(claimed[0], kept.home())
    assert kept.get(claimed[0]).state is State.DONE


def test_T39_what_is_unfinished_or_unanswered_is_never_purged(kept: Exchange) -> None:
    with clock.frozen(day(0)):
        kept.drop(roster(student(1)), "claimed.csv")
        kept.drop(roster(student(2)), "validated.csv")
        kept.drop(roster(student(3)), "failed.csv")
        _, validated, failed = kept.claim_all()
        validate(validated)
        with transaction() as connection:
            ledger.fail(connection, failed, code="store-unavailable", message="ours")
    files = home_files(kept) | stored_files(kept)
    assert due(kept, 400).removals == ()
    purge_on(kept, 400)
    assert home_files(kept) | stored_files(kept) == files


def test_T39_a_failed_submission_goes_with_what_its_steps_left(kept: Exchange) -> None:
    with clock.frozen(day(0)):
        kept.drop(roster(student(1)))
        (submission_id,) = kept.claim_all()
        validate(submission_id)
        fail(submission_id, kept.home(), code="store-unavailable")
    assert any(path.startswith("work/") for path in stored_files(kept))
    kinds = {one.kind for one in due(kept, 200).removals}
    assert kinds == {Kind.ORIGINAL, Kind.RESULT, Kind.ARCHIVE, Kind.WORK}
    purge_on(kept, 200)
    assert home_files(kept) | stored_files(kept) == set()


def test_M39_what_waits_while_intake_is_suspended_and_why_it_does_stays(kept: Exchange) -> None:
    content = roster(student(1))
    process(kept, 0, "a.csv", content=content)
    (same,) = process(kept, 1, "a.csv", content=content)
    assert same.outcome is Outcome.REFUSED
    kept.drop(roster(student(2)), "waits.csv")
    os.utime(kept.inbox() / "waits.csv", (0, 0))
    stays = {name for name in home_files(kept) if f".{same.stamp}" in name}
    assert len(stays) == 2
    purge_on(kept, 400)
    assert home_files(kept) == stays | {"inbound/waits.csv", "inbound/INTAKE-SUSPENDED.txt"}
    assert Archive().has_original("alpha", same.sha256)
    with transaction() as connection:
        intake.resume(connection, "alpha", by="tester")
    purge_on(kept, 400)
    assert home_files(kept) == {"inbound/waits.csv", "inbound/INTAKE-SUSPENDED.txt"}


def test_T39_a_purged_file_cannot_be_replayed_and_may_be_sent_again(kept: Exchange) -> None:
    content = roster(student(1))
    with clock.frozen(day(0)):
        kept.drop(content)
        (submission_id,) = kept.claim_all()
        fail(submission_id, kept.home(), code="store-unavailable")
    purge_on(kept, 200)
    with pytest.raises(ArchiveDamaged) as caught:
        reopen(submission_id, by="tester")
    assert caught.value.code == "original-purged"
    assert "send the file again" in caught.value.message
    assert kept.get(submission_id).state is State.FAILED
    (again,) = process(kept, 201, "roster.csv", content=content)
    assert (again.state, again.rows_created) == (State.DONE, 1)
    with pytest.raises(StateConflict):
        reopen(again.submission_id, by="tester")


def test_N01_the_fix_it_file_of_a_purged_file_is_taken_as_its_fix(kept: Exchange) -> None:
    (first,) = process(kept, 0, "a.csv")
    (fix_it,) = kept.files("rejected/*")
    mended = fix_it.read_bytes().replace(b"02/30/2001", b"02/03/2001")
    name = fix_it.name
    purge_on(kept, 200)
    (fixed,) = process(kept, 201, name, content=mended)
    assert (fixed.state, fixed.outcome, fixed.rows_created) == (State.DONE, Outcome.ACCEPTED, 1)
    assert fixed.fixes_submission_id == first.submission_id


def aged(path: Path, on: float, content: str = "cut") -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    os.utime(path, (day(on).timestamp(), day(on).timestamp()))
    return path.relative_to(path.parents[1]).as_posix()


def test_T39_cut_uploads_are_forgotten_after_the_days_and_nothing_that_is_to_be_taken(kept: Exchange) -> None:
    inbox = kept.inbox()
    gone = {
        aged(inbox / "big.csv.part", 0),
        aged(inbox / ".roster.csv", 0),
        aged(inbox / ".upload-00.exchange", 0),
    }
    aged(inbox / "originals" / ".01K.exchange", 0)
    gone.add("inbound/originals/.01K.exchange")
    stays = {
        aged(inbox / "young.csv.part", 100),
        aged(inbox / "waits.csv", 0),
        aged(inbox / "INTAKE-SUSPENDED.txt", 0),
        aged(inbox / "unknown.csv.20260101T000000Z.completed", 0),
    }
    aged(inbox / "originals" / "unknown", 0)
    stays.add("inbound/originals/unknown")
    with clock.frozen(day(0)):
        arriving = kept.folder / "storage" / "archive" / "alpha" / f"arriving-{_ulid(day(0))}"
        arriving.parent.mkdir(parents=True)
        arriving.write_text("half")
    listed = due(kept, 200)
    kinds = {one.path: one.kind for one in listed.removals}
    assert {path for path, kind in kinds.items() if kind is Kind.FORGOTTEN} == gone
    assert [kind for path, kind in kinds.items() if path not in gone] == [Kind.ARRIVING]
    done = purge_on(kept, 200)
    assert (done.submissions, done.files) == (0, 5)
    assert home_files(kept) == stays
    assert stored_files(kept) == set()
    assert what(stones()) == what(listed.removals)
    part = next(one for one in stones() if one.path.endswith("big.csv.part"))
    assert part.sha256 == hashlib.sha256(b"cut").hexdigest()
    with transaction() as connection:
        (told,) = audit.entries(connection, "alpha")
    assert (told.subject, told.facts["files"]) == ("alpha", 5)
    assert purge_on(kept, 200) == Purged()


def _ulid(at: datetime) -> str:
    from ulid import ULID

    return str(ULID.from_datetime(at))


def test_T39_hidden_files_of_another_server_are_not_ours_to_purge(kept: Exchange) -> None:
    set_policy(kept, "inbox: {connection: their_server}")
    stays = {aged(kept.inbox() / ".profile", 0), aged(kept.inbox() / "big.csv.part", 0)}
    aged(kept.inbox() / ".01K.exchange", 0)
    purge_on(kept, 400)
    assert home_files(kept) == stays


def test_T39_an_upload_that_goes_on_after_the_look_stays(kept: Exchange) -> None:
    part = kept.inbox() / "big.csv.part"
    aged(part, 0)

    class Growing(LocalHome):
        """A home whose partner goes on with an upload while it is read for its checksum."""

        def read(self, path: str) -> Iterator[bytes]:
            yield from super().read(path)
            with part.open("a") as file:
                file.write("more")
            os.utime(part, (day(200).timestamp(), day(200).timestamp()))

    assert purge_on(kept, 200, Growing(kept.home_dir())).files == 0
    assert part.read_text() == "cutmore"
    assert stones() == []


def test_T39_a_purge_takes_so_many_and_leaves_the_rest_to_the_next(
    kept: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [process(kept, number, f"f-{number}.csv")[0].submission_id for number in range(3)]
    monkeypatch.setenv("EXCHANGE_PURGE_LIMIT", "2")
    listed = due(kept, 300)
    assert ([one.submission_id for one in listed.submissions], listed.waiting) == (ids[:2], 1)
    assert astuple(purge_on(kept, 300))[::4] == (2, 1)
    assert home_files(kept)
    assert astuple(purge_on(kept, 300))[::4] == (1, 0)
    assert home_files(kept) == set()


def test_T39_a_file_that_cannot_be_removed_keeps_no_other_from_it(kept: Exchange) -> None:
    first, second = process(kept, 0, "a.csv", "b.csv")
    (stuck,) = kept.files("originals/a.csv.*")

    class Stuck(LocalHome):
        """A home on a server that does not let one file go."""

        def remove(self, path: str) -> None:
            if path.endswith(stuck.name):
                raise PermissionError(path)
            super().remove(path)

    done = purge_on(kept, 200, Stuck(kept.home_dir()))
    assert (done.submissions, done.failed) == (1, 1)
    assert kept.get(first.submission_id).purged_at is None
    assert Archive().has_original("alpha", first.sha256)
    assert not Archive().has_original("alpha", second.sha256)
    done = purge_on(kept, 201)
    assert (done.submissions, done.failed) == (1, 0)
    assert home_files(kept) == set()
    assert {one.purged_at for one in stones()} == {day(200), day(201)}
    assert len(stones()) == 8


def test_T39_a_partner_may_remove_its_file_first(kept: Exchange) -> None:
    process(kept, 0, "a.csv")
    (completed,) = kept.files("*.completed")

    class Racing(LocalHome):
        """A home whose partner removes the result file between look and purge."""

        def read(self, path: str) -> Iterator[bytes]:
            completed.unlink(missing_ok=True)
            return super().read(path)

    assert purge_on(kept, 200, Racing(kept.home_dir())).submissions == 1
    assert home_files(kept) == set()


@pytest.mark.slow
def test_X03_a_purge_killed_anywhere_is_finished_by_the_next(kept: Exchange) -> None:
    process(kept, 0, "a.csv", "b.csv")
    aged(kept.inbox() / "big.csv.part", 0)
    calls = in_child(lambda: purge_on(kept, 200), kill_at=None)
    assert calls is not None
    points, killed = 24, 0
    for point in range(1, points + 1):
        (first,) = process(kept, point, f"a-{point}.csv")
        with clock.frozen(day(point)):
            kept.drop(roster(student(point)), f"b-{point}.csv")
            (failed,) = kept.claim_all()
            validate(failed)
            fail(failed, kept.home(), code="store-unavailable")
        aged(kept.inbox() / f"big-{point}.csv.part", point)
        known = len(stones())
        on = 200 + point
        listed = due(kept, on)
        assert len(listed.submissions) == 2
        there = home_files(kept) | stored_files(kept)
        killed += in_child(partial(purge_on, kept, on), 1 + (point - 1) * calls // points) is None
        left = home_files(kept) | stored_files(kept)
        told = {one.path for one in stones()[known:]}
        for lost in there - left:
            assert any(lost == path or lost.startswith(f"{path}/") for path in told), lost
        purge_on(kept, on + 0.5)
        assert home_files(kept) | stored_files(kept) == set()
        new = stones()[known:]
        assert what(new) == what(listed.removals)
        assert all(one.purged_at for one in new)
        assert kept.get(first.submission_id).purged_at is not None
        assert kept.get(failed).purged_at is not None
    assert killed == points


def test_T39_no_value_of_a_file_reaches_the_log(kept: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    process(kept, 0, "secret-name.csv")
    caplog.clear()
    purge_on(kept, 200)
    assert "purge" in caplog.text
    assert "secret-name" not in caplog.text

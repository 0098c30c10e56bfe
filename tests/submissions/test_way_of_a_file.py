"""The way of one file from drop to answer, step by step and again (K17, M18, M33, M34, M39, N01, X03)."""

from __future__ import annotations

import csv
import io

import pytest

from partner_exchange.errors import StateConflict
from partner_exchange.ledger import intake
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.storage.folders import LocalHome
from partner_exchange.submissions.claim import claim
from partner_exchange.submissions.fail import fail
from partner_exchange.submissions.load import load
from partner_exchange.submissions.notify import notify
from partner_exchange.submissions.process import reopen, run_steps
from partner_exchange.submissions.respond import respond
from partner_exchange.submissions.resume import resume
from partner_exchange.submissions.validate import validate
from submissions.conftest import HEADER, Exchange, roster, student

pytestmark = pytest.mark.service


def test_K17_a_good_file_is_loaded_answered_and_put_away(exchange: Exchange) -> None:
    content = roster(student(1), student(2))
    exchange.drop(content)
    (submission,) = exchange.run()
    assert (submission.state, submission.outcome) == (State.DONE, Outcome.ACCEPTED)
    assert (submission.rows_total, submission.rows_created, submission.rows_rejected) == (2, 2, 0)
    assert exchange.answer().splitlines()[0].startswith("Totals,")
    (original,) = exchange.files("originals/*")
    assert original.read_bytes() == content
    assert original.name == f"roster.csv.{submission.stamp}"
    assert exchange.files("*.processing") == []
    assert exchange.files("rejected/*") == []
    assert exchange.rows("select event, recipient, state from ledger.mail") == [
        ("success", "ok@alpha.example", "queued")
    ]


def test_M33_the_file_is_called_processing_while_it_is_in_hand(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    (submission_id,) = exchange.claim_all()
    validate(submission_id)
    load(submission_id)
    (name,) = [path.name for path in exchange.inbox().iterdir()]
    assert name == f"roster.csv.{exchange.get(submission_id).stamp}.processing"


def test_M18_the_second_file_updates_what_differs_and_leaves_the_rest(exchange: Exchange) -> None:
    exchange.drop(roster(student(1), student(2)))
    (first,) = exchange.run()
    exchange.drop(roster(student(1), student(2, last="Okafor"), student(3)))
    (second,) = exchange.run()
    assert (second.rows_created, second.rows_updated, second.rows_unchanged) == (1, 1, 1)
    changed_by = exchange.rows("select username, changed_by_submission from store.student order by username")
    assert [by for _, by in changed_by] == [first.submission_id, second.submission_id, second.submission_id]


def test_N01_bad_rows_come_back_as_a_fix_it_file_that_links_to_the_first(exchange: Exchange) -> None:
    exchange.drop(roster(student(1), student(2, dob="02/30/2001"), student(3)))
    (first,) = exchange.run()
    assert (first.rows_created, first.rows_rejected) == (2, 1)
    (fix_it,) = exchange.files("rejected/*")
    rows = list(csv.reader(io.StringIO(fix_it.read_text())))
    assert rows[0] == HEADER.strip().split(",")
    assert [row[0] for row in rows[1:]] == ["student2@uni.example"]
    exchange.drop(fix_it.read_bytes().replace(b"02/30/2001", b"02/28/2001"), fix_it.name)
    (second,) = exchange.run()
    assert second.fixes_submission_id == first.submission_id
    assert (second.rows_created, second.rows_rejected) == (1, 0)
    assert exchange.rows("select count(*) from store.student") == [(3,)]


def test_K17_two_drops_of_one_name_in_one_second_stay_apart(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    exchange.run()
    exchange.drop(roster(student(2)))
    exchange.run()
    assert len(exchange.files("*.completed")) == 2
    assert len(exchange.files("originals/*")) == 2


@pytest.mark.parametrize("name", ["fall roster.csv", 'l\'été "2026".csv', "学生.CSV", "a;b&c|d$e.csv"])
def test_M15_names_with_spaces_quotes_and_unicode_are_answered(exchange: Exchange, name: str) -> None:
    exchange.drop(roster(student(1)), name)
    (submission,) = exchange.run()
    assert submission.state is State.DONE
    assert exchange.inbox().joinpath(f"{name}.{submission.stamp}.completed").exists()


def test_M16_a_wrong_ending_and_an_empty_file_are_refused_with_an_answer(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)), "roster.txt")
    exchange.drop(b"", "empty.csv")
    refused = exchange.run()
    assert {one.state for one in refused} == {State.REFUSED}
    assert len(exchange.files("*.completed")) == 2
    assert len(exchange.files("originals/*")) == 2
    events = exchange.rows("select distinct event, recipient from ledger.mail")
    assert events == [("refusal", "stop@alpha.example")]


def test_M37_one_row_too_many_is_refused_before_any_is_loaded(exchange: Exchange) -> None:
    exchange.drop(roster(*(student(number) for number in range(501))))
    (submission,) = exchange.run()
    assert submission.state is State.REFUSED
    assert exchange.rows("select count(*) from store.student") == [(0,)]


def test_X15_a_file_over_the_tenants_size_is_refused_unread(exchange: Exchange) -> None:
    exchange.drop(b"x" * 5_000_001)
    (submission,) = exchange.run()
    assert submission.state is State.REFUSED
    assert "file-too-large" in exchange.answer()
    (original,) = exchange.files("originals/*")
    assert original.stat().st_size == 5_000_001


def test_M39_the_same_content_twice_suspends_intake_until_it_is_resumed(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    exchange.run()
    exchange.drop(roster(student(1)), "again.csv")
    (second,) = exchange.run()
    assert second.state is State.REFUSED
    assert exchange.rows("select event from ledger.mail where event = 'suspended'") == [("suspended",)]
    notice = exchange.inbox() / "INTAKE-SUSPENDED.txt"
    assert "identical-file" in notice.read_text()
    exchange.drop(roster(student(2)), "waiting.csv")
    assert claim(exchange.home(), exchange.tenant()) == []
    assert (exchange.inbox() / "waiting.csv").exists()
    assert resume(exchange.home(), exchange.tenant(), by="tester") is True
    assert not notice.exists()
    (third,) = exchange.run()
    assert (third.file_name, third.state) == ("waiting.csv", State.DONE)
    assert resume(exchange.home(), exchange.tenant(), by="tester") is False
    actions = exchange.rows("select action, actor from ledger.audit order by audit_id")
    assert actions == [("intake.suspend", "pipeline"), ("intake.resume", "tester")]


def test_M39_a_notice_that_the_partner_deletes_comes_back(exchange: Exchange) -> None:
    with transaction() as connection:
        intake.suspend(
            connection, "alpha", reason_code="identical-file", reason="same twice", submission_id=None
        )
    exchange.drop(roster(student(1)))
    assert claim(exchange.home(), exchange.tenant()) == []
    assert (exchange.inbox() / "INTAKE-SUSPENDED.txt").exists()


def test_M39_a_refused_or_failed_first_file_does_not_count(exchange: Exchange) -> None:
    exchange.drop(b"", "first.csv")
    exchange.drop(b"", "second.csv")
    assert {one.state for one in exchange.run()} == {State.REFUSED}
    exchange.drop(roster(student(1)))
    (failing,) = exchange.claim_all()
    fail(failing, exchange.home(), code="store-unavailable")
    exchange.drop(roster(student(1)), "again.csv")
    (again,) = exchange.run()
    assert again.state is State.DONE


def test_M39_two_identical_files_of_one_drop_are_seen_whatever_step_runs_first(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)), "a.csv")
    exchange.drop(roster(student(1)), "b.csv")
    first, second = exchange.claim_all()
    validate(second)
    assert exchange.get(first).outcome is Outcome.ACCEPTED
    assert exchange.get(second).outcome is Outcome.REFUSED


def test_M39_the_same_content_after_another_file_is_no_succession(exchange: Exchange) -> None:
    for number, name in ((1, "a.csv"), (2, "b.csv"), (1, "c.csv")):
        exchange.drop(roster(student(number)), name)
        (submission,) = exchange.run()
    assert submission.state is State.DONE


def test_M35_files_of_one_tenant_load_in_the_order_of_their_claims(exchange: Exchange) -> None:
    exchange.drop(roster(student(1, last="First")), "a.csv")
    exchange.drop(roster(student(1, last="Second")), "b.csv")
    first, second = exchange.claim_all()
    validate(second)
    load(second)
    assert exchange.get(first).state is State.LOADED
    for submission_id in (first, second):
        run_steps(submission_id, exchange.home())
    assert exchange.rows("select last_name from store.student") == [("Second",)]


def test_X03_every_step_run_twice_changes_nothing(exchange: Exchange) -> None:
    exchange.drop(roster(student(1), student(2, on_campus="yes")))
    (submission_id,) = exchange.claim_all()
    home = exchange.home()
    for step in (
        lambda: validate(submission_id),
        lambda: load(submission_id),
        lambda: respond(submission_id, home),
        lambda: notify(submission_id),
    ):
        once = exchange.get(submission_id) if step() else None
        step()
        assert exchange.get(submission_id) == once
    assert exchange.claim_all() == []
    assert exchange.rows("select count(*) from store.student") == [(1,)]
    assert exchange.rows("select count(*) from ledger.mail") == [(1,)]


def test_X03_a_lost_work_area_is_made_anew_from_the_archive(exchange: Exchange) -> None:
    exchange.drop(roster(student(1), student(2, on_campus="yes")))
    (submission_id,) = exchange.claim_all()
    validate(submission_id)
    for part in (exchange.folder / "storage" / "work" / submission_id).iterdir():
        part.unlink()
    run_steps(submission_id, exchange.home())
    assert exchange.get(submission_id).rows_created == 1
    assert len(exchange.files("rejected/*")) == 1


def test_X02_a_renamed_file_that_the_ledger_does_not_know_is_taken_up(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)), "roster.csv.20260101T000000Z.processing")
    (submission,) = exchange.run()
    assert (submission.file_name, submission.stamp) == ("roster.csv", "20260101T000000Z")
    assert submission.state is State.DONE


def test_P6_folders_temporary_names_and_our_own_files_are_never_taken(exchange: Exchange) -> None:
    (exchange.inbox() / "x.csv").mkdir()
    for name in ("a.csv.part", ".b.csv", "c.csv.20260101T000000Z.completed"):
        exchange.drop(b"x", name)
    assert exchange.run() == []


def test_P7_a_file_that_vanishes_is_nobodys_fault(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    home = exchange.home()
    entries = home.entries("inbound")

    class Vanishing(type(home)):  # type: ignore[misc]
        """A home whose listing is older than its files."""

        def entries(self, folder: str) -> list[object]:
            return list(entries)

    (exchange.inbox() / "roster.csv").unlink()
    assert claim(Vanishing(exchange.home_dir()), exchange.tenant()) == []


def test_X05_a_failure_of_ours_tells_the_partner_that_nothing_is_asked(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    (submission_id,) = exchange.claim_all()
    fail(submission_id, exchange.home(), code="store-unavailable")
    fail(submission_id, exchange.home(), code="another")
    failed = exchange.get(submission_id)
    assert (failed.state, failed.failure_code) == (State.FAILED, "store-unavailable")
    assert "nothing is asked" in exchange.answer().lower()
    assert exchange.rows("select event from ledger.mail") == [("failure",)]
    assert len(exchange.files("originals/*")) == 1


def test_X05_a_failure_that_was_not_answered_is_answered_by_the_next_run(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    (submission_id,) = exchange.claim_all()
    blocked = exchange.inbox() / "originals"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(OSError):  # noqa: PT011 - whatever the file system says
        fail(submission_id, exchange.home(), code="store-unavailable")
    blocked.unlink()
    assert exchange.claim_all() == [submission_id]
    run_steps(submission_id, exchange.home())
    assert len(exchange.files("*.completed")) == 1
    assert exchange.claim_all() == []


def test_X09_a_failed_submission_is_replayed_from_the_kept_original(exchange: Exchange) -> None:
    exchange.drop(roster(student(1), student(2, dob="02/30/2001")))
    (submission_id,) = exchange.claim_all()
    fail(submission_id, exchange.home(), code="store-unavailable")
    reopen(submission_id, by="tester")
    counts = run_steps(submission_id, exchange.home())
    assert (counts.state, counts.rows_created, counts.rows_rejected) == (State.DONE, 1, 1)
    assert "nothing is asked" not in exchange.answer().lower()
    assert len(exchange.files("originals/*")) == 1
    events = exchange.rows("select event from ledger.mail order by event")
    assert events == [("failure",), ("findings",)]
    with pytest.raises(StateConflict):
        reopen(submission_id, by="tester")


def test_X09_a_replay_goes_on_behind_the_load(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    (submission_id,) = exchange.claim_all()
    validate(submission_id)
    load(submission_id)
    fail(submission_id, exchange.home(), code="inbox-unavailable")
    reopen(submission_id, by="tester")
    counts = run_steps(submission_id, exchange.home())
    assert (counts.state, counts.rows_created, counts.rows_unchanged) == (State.DONE, 1, 0)


def test_X09_a_replay_that_would_undo_a_later_file_wants_to_be_forced(exchange: Exchange) -> None:
    exchange.drop(roster(student(1, last="Old")), "old.csv")
    (old,) = exchange.claim_all()
    fail(old, exchange.home(), code="store-unavailable")
    exchange.drop(roster(student(1, last="New")), "new.csv")
    exchange.run()
    with pytest.raises(StateConflict, match="--force"):
        reopen(old, by="tester")
    assert exchange.get(old).state is State.FAILED
    reopen(old, by="tester", is_forced=True)
    run_steps(old, exchange.home())
    assert exchange.rows("select last_name from store.student") == [("Old",)]


def test_X05_nothing_is_answered_before_the_rows_are_loaded(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    (submission_id,) = exchange.claim_all()
    validate(submission_id)
    with pytest.raises(StateConflict):
        respond(submission_id, exchange.home())
    assert exchange.files("*.completed") == []
    assert len(exchange.files("*.processing")) == 1


def test_T60_no_row_stays_in_the_work_area_of_a_finished_file(exchange: Exchange) -> None:
    exchange.drop(roster(student(1), student(2, dob="02/30/2001")))
    exchange.run()
    assert [path for path in (exchange.folder / "storage" / "work").rglob("*") if path.is_file()] == []


def test_M39_files_in_hand_are_answered_while_intake_is_suspended(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    exchange.run()
    exchange.drop(roster(student(1)), "again.csv")
    (again,) = exchange.claim_all()
    validate(again)
    exchange.drop(roster(student(2)), "waiting.csv")
    assert exchange.claim_all() == [again]
    run_steps(again, exchange.home())
    assert exchange.get(again).state is State.REFUSED
    assert (exchange.inbox() / "waiting.csv").exists()


def test_M39_a_notice_left_by_accident_goes_with_the_next_claim(exchange: Exchange) -> None:
    exchange.drop(b"suspended", "INTAKE-SUSPENDED.txt")
    exchange.drop(roster(student(1)))
    assert len(exchange.run()) == 1
    assert not (exchange.inbox() / "INTAKE-SUSPENDED.txt").exists()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_M39_the_verdict_does_not_depend_on_which_step_runs_first(
    exchange: Exchange, order: tuple[int, int]
) -> None:
    exchange.drop(roster(student(1)))
    exchange.run()
    exchange.drop(roster(student(2)), "b.txt")
    exchange.drop(roster(student(1)), "c.csv")
    claimed = exchange.claim_all()
    for index in order:
        validate(claimed[index])
    assert {exchange.get(one).outcome for one in claimed} == {Outcome.REFUSED}


def test_X02_a_file_that_cannot_be_read_keeps_no_other_from_being_taken(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)), "locked.csv")
    exchange.drop(roster(student(2)), "open.csv")

    class Locked(LocalHome):
        """A home in which one file belongs to somebody else."""

        def rename(self, old: str, new: str) -> None:
            if "locked" in old:
                raise PermissionError(13, "not yours")
            super().rename(old, new)

    home = Locked(exchange.home_dir())
    assert [one.file_name for one in claim(home, exchange.tenant())] == ["open.csv"]


def test_X12_two_tenants_never_see_each_others_files_rows_or_mails(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)), code="alpha")
    exchange.drop(roster(student(1, last="Other")), code="beta")
    (alpha,) = exchange.run("alpha")
    assert exchange.files("*.completed", "beta") == []
    assert (exchange.inbox("beta") / "roster.csv").exists()
    (beta,) = exchange.run("beta")
    assert (alpha.rows_created, beta.rows_created) == (1, 1)
    stored = exchange.rows("select tenant_code, last_name from store.student order by tenant_code")
    assert stored == [("alpha", "Nguyen"), ("beta", "Other")]
    mails = exchange.rows("select tenant_code, recipient from ledger.mail order by tenant_code")
    assert mails == [("alpha", "ok@alpha.example"), ("beta", "ok@beta.example")]


def test_P4_a_mistake_in_one_tenants_file_leaves_the_others_alone(exchange: Exchange) -> None:
    tenant = exchange.tenant("alpha")
    (exchange.folder / "tenants" / "beta.yaml").write_text("name: [broken")
    exchange.drop(roster(student(1)))
    for claimed in claim(exchange.home(), tenant):
        assert run_steps(claimed.submission_id, exchange.home()).state == State.DONE


def test_T60_no_cell_value_reaches_a_log_line(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    exchange.drop(roster(student(1, last="Canary-Zyzzyva"), student(2, dob="Canary-Dob", last="Canary-Row")))
    exchange.run()
    assert "claim" in caplog.text
    assert "Canary" not in caplog.text
    assert "student1@" not in caplog.text

"""From a real SFTP client through a real Airflow to the answer (issue points 6 and 10, X18)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from e2e.conftest import Stack, roster, wait_for
from partner_exchange.ledger.states import State
from partner_exchange.storage import paths

pytestmark = pytest.mark.e2e

FIRST, SECOND = "first-college", "second-college"


def dag_runs(stack: Stack, code: str) -> list[dict[str, Any]]:
    return list(stack.api(f"/api/v2/dags/inbound__{code}/dagRuns?limit=100&order_by=-run_after")["dag_runs"])


def test_P6_twenty_files_at_once_are_all_answered_without_a_further_drop(stack: Stack) -> None:
    names = {f"twenty-{number:02}.csv" for number in range(20)}
    stack.drop(FIRST, {name: roster(100 * index, 50, bad=2) for index, name in enumerate(sorted(names))})
    ended = stack.wait_for_end(FIRST, names)
    assert {one.state for one in ended.values()} == {State.DONE}
    assert {(one.rows_created, one.rows_rejected) for one in ended.values()} == {(48, 2)}
    stack.assert_answered_once(FIRST, names)


def test_P6_mapped_tasks_show_the_file_names_and_return_counts_only(stack: Stack) -> None:
    stack.drop(FIRST, {"shown.csv": roster(90_000, 10, bad=1)})
    stack.wait_for_end(FIRST, {"shown.csv"})

    def shown() -> list[dict[str, Any]]:
        place = f"/api/v2/dags/inbound__{FIRST}/dagRuns/~/taskInstances?task_id=file.validate&limit=200"
        found = [
            one for one in stack.api(place)["task_instances"] if one["rendered_map_index"] == "shown.csv"
        ]
        return found if found and found[0]["state"] == "success" else []

    (instance,) = wait_for("task with the file's name", shown)
    place = f"/api/v2/dags/inbound__{FIRST}/dagRuns/{instance['dag_run_id']}/taskInstances/file.validate"
    xcom = stack.api(f"{place}/xcomEntries/return_value?map_index={instance['map_index']}")["value"]
    assert "90000" not in str(xcom)
    assert "shown.csv" not in str(xcom)


def test_X18_files_dropped_while_the_dag_is_paused_are_answered_afterwards(stack: Stack) -> None:
    place = f"/api/v2/dags/inbound__{SECOND}"
    stack.api(place, {"is_paused": True}, method="PATCH")
    stack.drop(SECOND, {"paused.csv": roster(0, 10)})
    assert (stack.inbox(SECOND) / "paused.csv").exists()
    stack.api(place, {"is_paused": False}, method="PATCH")
    ended = stack.wait_for_end(SECOND, {"paused.csv"})
    assert ended["paused.csv"].state is State.DONE


def test_P6_a_tenant_never_waits_for_another(stack: Stack) -> None:
    many = {f"many-{number}.csv": roster(200_000 + 5_000 * number, 5_000) for number in range(10)}
    stack.drop(FIRST, many)
    stack.drop(SECOND, {"quick.csv": roster(500, 20)})
    quick = stack.wait_for_end(SECOND, {"quick.csv"})["quick.csv"]
    slow = stack.wait_for_end(FIRST, set(many)).values()
    assert quick.finished_at is not None
    assert quick.finished_at < max(one.finished_at for one in slow if one.finished_at)


def test_N01_the_mended_fix_it_file_links_to_the_first(stack: Stack) -> None:
    stack.drop(SECOND, {"mend.csv": roster(600, 10, bad=3)})
    first = stack.wait_for_end(SECOND, {"mend.csv"})["mend.csv"]
    name = f"mend.{first.stamp}.csv"
    fix_it = stack.partner(SECOND).get(f"inbound/rejected/{name}")
    stack.drop(SECOND, {name: fix_it.replace(b"02/30/2001", b"02/27/2001")})
    second = stack.wait_for_end(SECOND, {name})[name]
    assert second.fixes_submission_id == first.submission_id
    assert (second.rows_created, second.rows_rejected) == (3, 0)


def test_P6_a_refused_file_leaves_the_run_green_and_an_answer(stack: Stack) -> None:
    stack.drop(SECOND, {"refused.csv": b"\xff\xfe\x00bad"})
    ended = stack.wait_for_end(SECOND, {"refused.csv"})
    assert ended["refused.csv"].state is State.REFUSED
    stack.assert_answered_once(SECOND, {"refused.csv"})
    run = wait_for(
        "finished run", lambda: [one for one in dag_runs(stack, SECOND) if one["state"] == "success"]
    )
    assert run


def test_P6_a_failure_of_ours_turns_the_run_red_and_is_told_to_the_partner(stack: Stack) -> None:
    content = roster(700, 5)
    sha256 = hashlib.sha256(content).hexdigest()
    # A folder where the archive would keep this very original: terminal damage, seen by the first check.
    (stack.settings.home_dir / "storage" / paths.archived(SECOND, sha256)).mkdir(parents=True)
    stack.drop(SECOND, {"failing.csv": content})
    failed = stack.wait_for_end(SECOND, {"failing.csv"})["failing.csv"]
    assert failed.state is State.FAILED
    wait_for("red run", lambda: [one for one in dag_runs(stack, SECOND) if one["state"] == "failed"])
    (answer,) = stack.inbox(SECOND).glob("failing.csv.*.completed")
    assert "nothing is asked" in answer.read_text().lower()


def test_X12_neither_tenant_sees_files_rows_or_mails_of_the_other(stack: Stack) -> None:
    from partner_exchange.local.mailsink import read_mails

    firsts = {one.file_name for one in stack.submissions(FIRST)}
    seconds = {one.file_name for one in stack.submissions(SECOND)}
    assert firsts
    assert seconds
    assert not firsts & seconds
    for code, other in ((FIRST, SECOND), (SECOND, FIRST)):
        mails = [
            mail for mail in read_mails(stack.settings) if f"@{code}.example" in ",".join(mail.recipients)
        ]
        assert mails
        assert all(other not in mail.message.as_string() for mail in mails)

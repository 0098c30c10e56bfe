"""``check`` and ``process``: one local file, with or without loading it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from partner_exchange.cli.options import JSON_OPTION, TENANT_OPTION
from partner_exchange.cli.tables import print_table
from partner_exchange.feeds.base import Examination
from partner_exchange.ledger.states import Outcome
from partner_exchange.validation.findings import FindingGroup, Findings, Severity

FILE_ARGUMENT = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="the file, as you would drop it")
]
MAPPING_OPTION = Annotated[
    bool,
    typer.Option(
        "--mapping", help="show which column goes where, with its first value: for your own terminal only"
    ),
]
_EXIT = {Outcome.ACCEPTED: 0, Outcome.ACCEPTED_WITH_FINDINGS: 0, Outcome.REFUSED: 2}
GROUPS_SHOWN = 40


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(check)
    app.command()(process)


def check(
    file: FILE_ARGUMENT,
    tenant: TENANT_OPTION,
    as_json: JSON_OPTION = False,
    with_mapping: MAPPING_OPTION = False,
) -> None:
    """Check a file without any server: exit 0 clean or warnings, 1 something rejected, 2 file refused."""
    from partner_exchange import clock
    from partner_exchange.feeds.answer import mapping_json, result_json
    from partner_exchange.feeds.base import ExamineContext
    from partner_exchange.feeds.registry import get_feed
    from partner_exchange.feeds.samples import first_values
    from partner_exchange.storage.names import StampedName
    from partner_exchange.submissions.validate import outcome_of, refuse_unread
    from partner_exchange.tenants import registry

    policy = registry.load_one(tenant)
    feed = get_feed(policy.feed)
    is_fix_it = bool(StampedName.parse_fix_it(file.name))
    examination = refuse_unread(policy, file.name, file.stat().st_size, is_fix_it=is_fix_it)
    if examination is None:
        context = ExamineContext(tenant=policy, file_name=file.name, today=clock.today())
        examination = feed.examine(file.read_bytes(), context)
    outcome = outcome_of(examination)
    if as_json:
        document = result_json(
            file_name=file.name,
            feed=policy.feed,
            outcome=outcome,
            rows_total=examination.rows_total,
            rows_accepted=examination.rows_accepted,
            rows_rejected=examination.rows_rejected,
            findings=examination.findings,
            template=examination.template,
            columns=mapping_json(examination.mapping),
            values=_checked_values(examination) if examination.columns else None,
        )
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _show(file.name, outcome, examination, _rows(policy.feed))
        if with_mapping:
            if policy.feed != "status":
                print("Values of this feed have fixed places; there is nothing to map.")
            else:
                samples = first_values(file.read_bytes(), file_name=file.name, mapping=examination.mapping)
                _show_mapping(examination, samples)
    raise typer.Exit(_exit_code(outcome, examination.rows_rejected, examination.findings))


def process(file: FILE_ARGUMENT, tenant: TENANT_OPTION, as_json: JSON_OPTION = False) -> None:
    """Take a file through all steps, into the store, without Airflow; exit code as for check."""
    from partner_exchange.cli.options import local_home
    from partner_exchange.feeds.answer import (
        all_columns,
        columns_json,
        result_json,
        value_counts,
        value_sentence,
    )
    from partner_exchange.feeds.expected import dose_counts, places
    from partner_exchange.ledger import submissions as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.notify.outbox import deliver
    from partner_exchange.settings import get_settings
    from partner_exchange.submissions.process import run_steps, take_in
    from partner_exchange.tenants import registry

    policy = registry.load_one(tenant)
    settings = get_settings()
    with ensure_database(settings):
        home = local_home(settings, policy)
        claimed = take_in(home, policy, file)
        counts = run_steps(claimed.submission_id, home)
        deliver(submission_id=claimed.submission_id)
        with transaction() as connection:
            submission = ledger.get(connection, claimed.submission_id)
            findings = ledger.findings(connection, claimed.submission_id)
            columns = ledger.column_outcomes(connection, claimed.submission_id)
    outcome = Outcome(submission.outcome or Outcome.REFUSED)
    doses = dose_counts(submission.part_counts) if submission.loaded_at is not None else {}
    if as_json:
        document = result_json(
            file_name=file.name,
            feed=policy.feed,
            outcome=outcome,
            rows_total=submission.rows_total or 0,
            rows_accepted=submission.rows_accepted or 0,
            rows_rejected=submission.rows_rejected or 0,
            findings=findings,
            template=submission.template,
            columns=columns_json(columns),
            values=value_counts(all_columns(columns)) if columns else None,
        )
        outcomes = {
            "created": submission.rows_created or 0,
            "updated": submission.rows_updated or 0,
            "unchanged": submission.rows_unchanged or 0,
            "rejected": submission.rows_rejected or 0,
        }
        extra = {"submission": counts.submission_id, "state": counts.state, "outcomes": outcomes}
        parts = {"doses": doses} if doses else {}
        print(json.dumps({**document, **extra, **parts}, ensure_ascii=False, indent=2))
    else:
        print(f"submission {submission.submission_id}: {submission.state}, {outcome}")
        print(
            f"{_rows(policy.feed)} {submission.rows_total or 0}: created {submission.rows_created or 0}, "
            f"updated {submission.rows_updated or 0}, unchanged {submission.rows_unchanged or 0}, "
            f"rejected {submission.rows_rejected or 0}"
        )
        if columns:
            print(value_sentence(value_counts(all_columns(columns))))
        if doses:
            told = ", ".join(f"{name} {count}" for name, count in doses.items())
            print(f"doses {submission.part_counts['doses_total']}: {told}")
        _show_groups(findings, _rows(policy.feed))
        for label, place in places(submission, columns, findings, policy).items():
            print(f"{label.lower()}: {settings.partner_homes_dir / policy.code / place}")
    raise typer.Exit(_exit_code(outcome, submission.rows_rejected or 0, findings))


def _exit_code(outcome: Outcome, rows_rejected: int, findings: Findings) -> int:
    """An error rejects at least a value, also where no row was rejected (K23)."""
    is_rejecting = bool(rows_rejected or findings.count(Severity.ERROR))
    return 1 if is_rejecting and outcome is not Outcome.REFUSED else _EXIT[outcome]


def _checked_values(examination: Examination) -> dict[str, int]:
    """Return what the checks know of the values; what is set, unchanged or late only the store knows."""
    return {
        "accepted": len(examination.accepted),
        "skipped": sum(one.skipped for one in examination.columns),
        "rejected": sum(one.rejected for one in examination.columns),
    }


def _rows(feed: str) -> str:
    """Return what the rows of a feed are called."""
    return "messages" if feed == "vxu" else "rows"


def _show(file_name: str, outcome: Outcome, examination: Examination, rows: str) -> None:
    from partner_exchange.feeds.answer import value_sentence

    print(f"{file_name}: {outcome}")
    print(
        f"{rows} {examination.rows_total}: "
        f"accepted {examination.rows_accepted}, rejected {examination.rows_rejected}"
    )
    if examination.columns:
        print(value_sentence(_checked_values(examination)))
    doses = examination.part_counts
    if doses.get("doses_total"):
        print(f"doses {doses['doses_total']}: rejected {doses['doses_rejected']}")
    _show_groups(examination.findings, rows)


def _show_mapping(examination: Examination, samples: Mapping[str, str]) -> None:
    """Show where each column goes (E34); the values are the partner's own, on the partner's own terminal.

    The columns of a template that are blank in the file are counted, not listed: they hide the others.
    """
    mapping = examination.mapping
    if not mapping:
        print(
            "Which column goes where cannot be told of a refused file. Its header has to be recognised "
            "first: mend what the finding above says."
        )
        return
    # No sample at all says that the values could not be read, not that every cell is blank.
    shown = [one for one in mapping if samples.get(one.column) or not one.target or not samples]
    rows = ((one.column, one.target or "nowhere, ignored", samples.get(one.column, "")) for one in shown)
    if shown:
        print_table(("column", "goes to", "first value"), rows, folded=("first value",))
    blank = len(mapping) - len(shown)
    if blank:
        print(
            "1 column of the template is blank."
            if blank == 1
            else f"{blank} columns of the template are blank."
        )


def _show_groups(findings: Findings, rows: str) -> None:
    if not findings.groups:
        return
    print_table(
        ("severity", "code", "column", "count", rows, "what and what to do"),
        (_group_row(group) for group in findings.groups[:GROUPS_SHOWN]),
        folded=(rows, "what and what to do"),
    )
    if len(findings.groups) > GROUPS_SHOWN:
        print(f"... and {len(findings.groups) - GROUPS_SHOWN} more kinds of findings (use --json)")


def _group_row(group: FindingGroup) -> tuple[str | Text, ...]:
    styles = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
    severity = Text(str(group.severity), styles[group.severity])
    return severity, group.code, group.column, str(group.count), group.row_ranges, group.message

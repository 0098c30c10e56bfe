"""Commands for those who run the exchange: submissions, tenants, accounts, mail, migrations."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.options import (
    BY_OPTION,
    JSON_OPTION,
    MAYBE_TENANT_OPTION,
    TENANT_OPTION,
    actor,
    database,
    local_home,
    plain,
    utc,
)
from partner_exchange.cli.probe import probe
from partner_exchange.cli.tables import print_table
from partner_exchange.tenants.model import GATEWAY

if TYPE_CHECKING:
    from partner_exchange.ledger.submissions import Submission
    from partner_exchange.tenants.keys import KeyRing
    from partner_exchange.tenants.model import Tenant
    from partner_exchange.tenants.problems import Problem

tenants_app = typer.Typer(help="Partner files: check them.", no_args_is_help=True)
account_app = typer.Typer(help="A partner's account: intake, keys, first connection.", no_args_is_help=True)
mail_app = typer.Typer(help="The outbox.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(submissions)
    app.command()(replay)
    app.command()(migrate)
    app.add_typer(tenants_app, name="tenants")
    app.add_typer(account_app, name="account")
    account_app.command("probe")(probe)
    app.add_typer(mail_app, name="mail")


def submissions(
    tenant: MAYBE_TENANT_OPTION = None,
    as_json: JSON_OPTION = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many, newest first")] = 50,
) -> None:
    """List the newest submissions with state, outcome, rows and seconds."""
    from partner_exchange.ledger import submissions as ledger
    from partner_exchange.tenants import registry

    if tenant is not None:
        registry.load_one(tenant)
    with database() as connection:
        found = ledger.latest(connection, tenant, limit=limit)
    if as_json:
        print(json.dumps([asdict(one) for one in found], default=plain, ensure_ascii=False, indent=2))
        return
    header = ("submission", "partner", "file", "state", "outcome")
    counts = ("rows", "created", "updated", "unchanged", "rejected", "seconds")
    print_table((*header, *counts), (_submission_row(one) for one in found))


def _submission_row(one: Submission) -> tuple[str, ...]:
    numbers = (one.rows_total, one.rows_created, one.rows_updated, one.rows_unchanged, one.rows_rejected)
    return (
        one.submission_id,
        one.tenant_code,
        one.file_name,
        str(one.state),
        str(one.outcome or ""),
        *("" if number is None else str(number) for number in numbers),
        f"{sum(one.step_seconds.values()):.2f}",
    )


def replay(
    submission: Annotated[str, typer.Argument(help="id of a failed submission")],
    by: BY_OPTION = None,
    force: Annotated[bool, typer.Option("--force", help="also when a later file is loaded already")] = False,
) -> None:
    """Take a failed submission up again from its kept original and answer it."""
    from partner_exchange.ledger import submissions as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.notify.outbox import deliver
    from partner_exchange.settings import get_settings
    from partner_exchange.submissions import process
    from partner_exchange.tenants import registry

    settings = get_settings()
    with ensure_database(settings):
        with transaction() as connection:
            policy = registry.load_one(ledger.get(connection, submission).tenant_code)
        process.reopen(submission, by=actor(by), is_forced=force)
        if policy.inbox.connection != GATEWAY:
            print(f"{submission}: taken up by the next run of inbound__{policy.code}; start one now.")
            return
        counts = process.run_steps(submission, local_home(settings, policy))
        deliver(submission_id=submission)
    print(f"{submission}: {counts.state}, {counts.outcome}")


def migrate() -> None:
    """Bring the exchange database to the newest schema."""
    from partner_exchange.ledger import database
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    with ensure_database(get_settings()) as url:
        database.migrate(url)
    print("The exchange database has the newest schema.")


@tenants_app.command("check")
def tenants_check(
    folder: Annotated[Path | None, typer.Option(help="instead of EXCHANGE_TENANTS_DIR")] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Check all partner files, their keys and exports, and show when each export runs: exit 0 when all hold,
    1 with file, path and remedy for each mistake.
    """
    from partner_exchange.cli import schedules
    from partner_exchange.exports import plan
    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry
    from partner_exchange.tenants.keys import key_ring

    settings = get_settings()
    found, problems = registry.examine(folder or settings.tenants_dir)
    of_tenants = {
        tenant.code: _key_problems(tenant, key_ring(tenant, settings)) + plan.problems(tenant)
        for tenant in found.tenants.values()
    }
    problems += [problem for several in of_tenants.values() for problem in several]
    holding = sorted(code for code, several in of_tenants.items() if not several)
    shown = schedules.schedules(found.tenants.values())
    if as_json:
        document = {
            "tenants": holding,
            "problems": [asdict(problem) for problem in problems],
            "exports": [schedules.as_json(one) for one in shown],
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for one in shown:
            schedules.show(one)
        for problem in problems:
            print(problem)
        print(f"{len(holding)} partner files hold, {len(problems)} problems.")
    raise typer.Exit(1 if problems else 0)


def _key_problems(tenant: Tenant, ring: KeyRing) -> list[Problem]:
    from partner_exchange.tenants.problems import Problem

    return [
        Problem(
            f"{tenant.code}.yaml",
            where if where.startswith("access.") else f"access.public_key_files: {where}",
            error.message.rstrip("."),
            "Put the partner's own key there.",
        )
        for where, error in ring.refused
    ]


@account_app.command("show")
def account_show(tenant: TENANT_OPTION) -> None:
    """Show whether a partner's intake is open, and why not."""
    from partner_exchange.ledger import intake
    from partner_exchange.tenants import registry

    registry.load_one(tenant)
    with database() as connection:
        suspension = intake.suspension(connection, tenant)
    if suspension is None:
        print(f"{tenant}: intake is open.")
    else:
        print(
            f"{tenant}: intake is suspended since {utc(suspension.suspended_at)} UTC: "
            f"{suspension.reason} ({suspension.reason_code}). "
            f"Resume with: exchange account resume -t {tenant}"
        )


@account_app.command("resume")
def account_resume(
    tenant: TENANT_OPTION,
    by: BY_OPTION = None,
) -> None:
    """Open a suspended intake again; the files that waited are processed in order (M39)."""
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings
    from partner_exchange.submissions.resume import resume
    from partner_exchange.tenants import registry

    policy = registry.load_one(tenant)
    settings = get_settings()
    with ensure_database(settings):
        was_suspended = resume(local_home(settings, policy), policy, by=actor(by))
    print(
        f"{tenant}: intake is open again." if was_suspended else f"{tenant}: intake was open; nothing to do."
    )


@mail_app.command("deliver")
def mail_deliver() -> None:
    """Send what is due in the outbox now."""
    from partner_exchange.local.database import ensure_database
    from partner_exchange.notify.outbox import deliver
    from partner_exchange.settings import get_settings

    with ensure_database(get_settings()):
        counts = deliver()
    print(f"sent {counts.sent}, deferred {counts.deferred}, refused {counts.refused}")

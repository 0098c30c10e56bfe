"""``exchange students``: which students are verified, and making them so (M42)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.options import BY_OPTION, JSON_OPTION, TENANT_OPTION, actor, database, plain, utc
from partner_exchange.cli.tables import print_table
from partner_exchange.cli.usernames import Asked, from_arguments, from_file
from partner_exchange.errors import ConfigError

if TYPE_CHECKING:
    from partner_exchange.tenants.model import Tenant

USERNAMES = Annotated[list[str] | None, typer.Argument(metavar="USERNAME", help="whom", show_default=False)]
FILE_OPTION = Annotated[
    typer.FileBinaryRead | None,
    typer.Option(help="one Username a line, or a CSV whose first column is Username; - for standard input"),
]
ALL_OPTION = Annotated[bool, typer.Option("--all", help="all students of the partner")]
RULES_OPTION = Annotated[
    str | None,
    typer.Option("--rule-version", help="by which rules; unset: what the partner file says"),
]
REASON_OPTION = Annotated[str, typer.Option(help="why; kept with each change and shown in its history")]

students_app = typer.Typer(
    help="Students of a partner: which are verified, and since when.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(students_app, name="students")


@students_app.command("verify")
def students_verify(
    tenant: TENANT_OPTION,
    usernames: USERNAMES = None,
    file: FILE_OPTION = None,
    is_all: ALL_OPTION = False,
    rule_version: RULES_OPTION = None,
    reason: REASON_OPTION = "",
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Make students verified: those named here or by a file, or all.

    Exit 0 when there is a student for each Username, 1 when some are unknown; the others are verified.
    """
    asked = _asked(usernames, file, is_all=is_all)
    _flip(tenant, asked, is_verified=True, rules=rule_version, reason=reason, by=by, as_json=as_json)


@students_app.command("unverify")
def students_unverify(
    tenant: TENANT_OPTION,
    usernames: USERNAMES = None,
    file: FILE_OPTION = None,
    is_all: ALL_OPTION = False,
    rule_version: RULES_OPTION = None,
    reason: REASON_OPTION = "",
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Make students unverified again: those named here or by a file, or all.

    Exit 0 when there is a student for each Username, 1 when some are unknown.
    """
    asked = _asked(usernames, file, is_all=is_all)
    _flip(tenant, asked, is_verified=False, rules=rule_version, reason=reason, by=by, as_json=as_json)


@students_app.command("list")
def students_list(
    tenant: TENANT_OPTION,
    is_verified: Annotated[
        bool | None, typer.Option("--verified/--unverified", help="only those", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="how many, by Username")] = 50,
    as_json: JSON_OPTION = False,
) -> None:
    """List students with their state: for your own terminal, as it shows Usernames."""
    from partner_exchange.stores import verifications

    _roster_tenant(tenant)
    with database() as connection:
        found = verifications.listed(connection, tenant, is_verified=is_verified, limit=limit)
    if as_json:
        print(json.dumps(found, default=plain, ensure_ascii=False, indent=2))
        return
    rows = (
        (one.username, _state(one.is_verified), utc(one.changed_at, "minutes"), one.rule_version)
        for one in found
    )
    print_table(("Username", "state", "since (UTC)", "rules"), rows)


@students_app.command("history")
def students_history(
    tenant: TENANT_OPTION,
    username: Annotated[str, typer.Argument(help="of whom")],
    as_json: JSON_OPTION = False,
) -> None:
    """Show when a student became verified or unverified, by whom and why, newest first."""
    from partner_exchange.stores import verifications

    _roster_tenant(tenant)
    asked = from_arguments([username])
    with database() as connection:
        found = verifications.history(connection, tenant, username)
        is_unknown = bool(verifications.unknown_places(connection, tenant, asked.usernames))
    if is_unknown:
        raise typer.BadParameter(f"{tenant} has no student of that Username", param_hint="USERNAME")
    if as_json:
        print(json.dumps(found, default=plain, ensure_ascii=False, indent=2))
        return
    header = ("at (UTC)", "became", "rules", "by", "reason", "position")
    rows = (
        (
            utc(one.changed_at, "minutes"),
            _state(one.is_verified),
            one.rule_version,
            one.actor,
            one.reason,
            "" if one.position is None else str(one.position),
        )
        for one in found
    )
    print_table(header, rows, folded=("reason",))


def _asked(
    usernames: Sequence[str] | None, file: typer.FileBinaryRead | None, *, is_all: bool
) -> Asked | None:
    """Return whom the arguments name, by exactly one of the three ways; None for all."""
    if bool(usernames) + (file is not None) + is_all != 1:
        raise typer.BadParameter("name the students in one way: by Usernames, with --file, or with --all")
    if file is not None:
        return from_file(file.read())
    return from_arguments(usernames) if usernames else None


def _flip(
    code: str,
    asked: Asked | None,
    *,
    is_verified: bool,
    rules: str | None,
    reason: str,
    by: str | None,
    as_json: bool,
) -> None:
    from partner_exchange.stores import verifications

    policy = _roster_tenant(code)
    rules = rules or policy.roster.verification_rules
    usernames = asked.usernames if asked else None
    flip = verifications.verify if is_verified else verifications.unverify
    with database() as connection:
        counts = flip(connection, code, usernames, rule_version=rules, actor=actor(by), reason=reason)
        places = (
            verifications.unknown_places(connection, code, usernames) if usernames and counts.unknown else []
        )
    numbers = [asked.numbers[place] for place in places] if asked else []
    if as_json:
        document = {**asdict(counts), "rule_version": rules, "unknown_at": numbers}
        print(json.dumps(document, indent=2))
    else:
        state = _state(is_verified)
        print(f"{code}: {counts.changed} became {state}, {counts.unchanged} were so already.")
        if asked and numbers:
            print(
                f"Usernames that belong to no student: {counts.unknown} ({_told(asked.unit, numbers)}). "
                "Nothing was done for them: look at how they are written, or load the roster that has them."
            )
    raise typer.Exit(1 if counts.unknown else 0)


def _told(unit: str, numbers: Sequence[int]) -> str:
    import numpy as np

    from partner_exchange.validation.wording import row_ranges

    return f"{unit}{'' if len(numbers) == 1 else 's'} {row_ranges(np.array(numbers))}"


def _roster_tenant(code: str) -> Tenant:
    """Return a tenant that sends rosters.

    :raises UnknownTenant: there is none of that code.
    :raises ConfigError: ``feed-without-students``, it sends another feed.
    """
    from partner_exchange.tenants import registry

    policy = registry.load_one(code)
    if policy.feed != "roster":
        message = (
            f"{code} sends the feed {policy.feed}; students belong to the feed roster. Name such a partner."
        )
        raise ConfigError("feed-without-students", message, feed=policy.feed)
    return policy


def _state(is_verified: bool) -> str:
    return "verified" if is_verified else "unverified"

"""What goes out to a partner: which report, in which form, when, and where to (M43-M50, M67-M75).

A tenant file lists its exports by name. Whether a report of that name exists, and has these columns and
parameters, is known to the room ``exports``; ``exchange tenants check`` says both.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from partner_exchange.tenants.base import MISTAKE, Line, Mistake, Model, require_none
from partner_exchange.tenants.forms import parts_of
from partner_exchange.tenants.mail_address import MailAddress
from partner_exchange.tenants.nhsn_sets import PREFIX
from partner_exchange.tenants.schedule import cron_of

NAME = r"^[a-z][a-z0-9_]{0,39}$"
NAME_IN_WORDS = "a name has lower-case letters, digits and underscores, begins with a letter, 40 at the most"
"""What ``NAME`` takes: names of exports, reports and columns."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _is_not_reserved(value: str) -> str:
    if value.startswith(PREFIX):
        raise ValueError(f"names that begin with {PREFIX} belong to the sets for NHSN")
    return value


ExportName = Annotated[str, StringConstraints(pattern=NAME), AfterValidator(_is_not_reserved)]
"""Stands in DAG ids, file names and commands."""


def _as_it_can_be_kept(value: object) -> object:
    """Say once what would be said for each kind that a parameter may be of."""
    if isinstance(value, (str, int, bool)):
        return value
    problem, remedy = "a text, a whole number, `true` or `false` is wanted here", "Correct the value."
    if isinstance(value, date):
        problem, remedy = "YAML takes it for a date of its own", f'Put the day in quotes: "{value}".'
    raise PydanticCustomError(MISTAKE, "{problem}", {"problem": problem, "remedy": remedy})


ParameterValue = Annotated[str | int | bool, BeforeValidator(_as_it_can_be_kept)]

FormatKind = Literal["csv", "tsv", "pipe", "fixed", "jsonl", "xml", "xlsx"]
FILE_NAME_FIELDS = frozenset({"tenant", "export", "report", "utc", "date", "time", "number", "ending"})
_FIELD = re.compile(r"\{([^{}]*)\}")


_DELIMITED: tuple[FormatKind, ...] = ("csv", "tsv", "pipe")
_KINDS_OF_OPTION: dict[str, tuple[FormatKind, ...]] = {
    "header": (*_DELIMITED, "fixed", "xlsx"),
    "quoting": _DELIMITED,
    "byte_order_mark": (*_DELIMITED, "fixed"),
    "formulas": (*_DELIMITED, "xlsx"),
    "too_long": ("fixed", "xlsx"),
    "root": ("xml",),
    "row": ("xml",),
    "template_file": ("xml",),
}
_ELEMENT = r"^[A-Za-z_][A-Za-z0-9_.-]*$"


def _date_form(value: str) -> str:
    if value:
        parts_of(value, has_time=False)
    return value


def _time_form(value: str) -> str:
    if value:
        parts_of(value, has_time=True)
    return value


class ExportFormat(Model):
    """The form of an outbound file (M64, M73)."""

    kind: FormatKind = Field(default="csv", description="form of the file")
    header: bool = Field(
        default=True,
        description="of csv, tsv, pipe, fixed and xlsx: whether the first line names the columns",
    )
    newline: Literal["crlf", "lf"] = Field(
        default="crlf",
        description="of csv, tsv, pipe and fixed: end of a line (K16); jsonl and xml always have lf",
    )
    quoting: Literal["minimal", "all"] = Field(
        default="minimal", description="of csv, tsv and pipe: quotes where needed, or around each value"
    )
    byte_order_mark: bool = Field(
        default=False,
        description="of csv, tsv, pipe and fixed: whether the file begins with the mark of UTF-8",
    )
    date_form: Annotated[str, AfterValidator(_date_form)] = Field(
        default="", description="such as DD.MM.YYYY, of YYYY YY MM DD; unset: that of the report's column"
    )
    time_form: Annotated[str, AfterValidator(_time_form)] = Field(
        default="",
        description="of instants, such as YYYY-MM-DD HH:mm:ss, of the above and HH hh mm ss A Z; unset: ISO "
        "in UTC with Z; `Z` in a form says UTC, any other form is in the zone of the export",
    )
    formulas: Literal["neutral", "as_is"] = Field(
        default="neutral",
        description="of csv, tsv, pipe and xlsx: whether a value that a spreadsheet would run gets an "
        "apostrophe in front",
    )
    too_long: Literal["refuse", "cut"] = Field(
        default="refuse",
        description="of fixed: what happens to a text that is wider than its column (numbers and dates are "
        "never cut); of xlsx: to one of more than the 32767 characters that a cell holds",
    )
    root: str = Field(default="rows", pattern=_ELEMENT, description="of xml: element around all rows")
    row: str = Field(default="row", pattern=_ELEMENT, description="of xml: element of a row")
    template_file: str = Field(
        default="",
        description="of xml: Jinja template in the tenants folder, named relative to the YAML file; it is "
        "given `rows`, `columns`, `tenant`, `tenant_name`, `export`, `report`, `title` and `made_at`; unset: "
        "one element per value",
    )

    @model_validator(mode="after")
    def _options_belong_to_the_kind(self) -> ExportFormat:
        mistakes = [
            Mistake(
                (option,),
                f"`{option}` belongs to {', '.join(kinds)}, and means nothing for {self.kind}",
                "Leave it out, or choose another `kind`.",
            )
            for option, kinds in _KINDS_OF_OPTION.items()
            if self.kind not in kinds and getattr(self, option) != type(self).model_fields[option].default
        ]
        require_none("format", mistakes)
        return self


class ExportColumn(Model):
    """One column of an outbound file."""

    column: str = Field(pattern=NAME, description="name of the report's column")
    header: Line = Field(default="", description="its name in the file; unset: that of the report")
    date_form: Annotated[str, AfterValidator(_time_form)] = Field(
        default="", description="form of its dates or instants; unset: that of the format"
    )
    width: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="of fixed: characters; of xlsx: width; unset: the report's, or that of a longer header",
    )
    align: Literal["left", "right"] | None = Field(
        default=None, description="of fixed; unset: numbers right, all else left"
    )


class AnswerFiles(Model):
    """Which files a partner drops back to say what became of a delivered file (X11)."""

    folder: str = Field(
        default="",
        description="where they are: unset, of the home the inbox, of the partner's server beside the file",
    )
    accepted: str = Field(
        default="{file_name}.ack", description="name of a confirmation; {file_name} is the delivered file's"
    )
    refused: str = Field(default="{file_name}.nack", description="name of a refusal")
    within_h: int | None = Field(
        default=None, ge=1, description="hours after which a missing answer is told by mail; unset: never"
    )

    @field_validator("accepted", "refused")
    @classmethod
    def _names_the_file(cls, value: str) -> str:
        if "{file_name}" not in value or value == "{file_name}" or "/" in value:
            raise ValueError("must hold {file_name} and something more, such as {file_name}.ack")
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> AnswerFiles:
        if self.accepted == self.refused:
            raise ValueError("`accepted` and `refused` must differ")
        return self


class Target(Model):
    """Where files go: the partner's home here, or the partner's own server (M67, M68, M71, M72)."""

    kind: Literal["home", "server"] = Field(
        default="home", description="the partner's folder here, or the partner's own SFTP server"
    )
    connection: str = Field(
        default="", description="of server: Airflow connection id, with login, key or password and host_key"
    )
    folder: str = Field(
        default="", description="of home: unset, the outbox; of server: any path, such as /data/in"
    )
    check: Literal["size", "content"] = Field(
        default="size",
        description="what is compared before a file gets its name: the size, or the content read back",
    )
    name_taken: Literal["number", "replace", "refuse"] = Field(
        default="number",
        description="when a file of that name is there: name it -2, -3 ..., replace it, or deliver nothing",
    )
    answers: AnswerFiles | None = Field(
        default=None, description="files with which the partner answers; unset: none are looked for"
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Target:
        if self.kind == "server" and not (self.connection and self.folder):
            raise ValueError("`kind: server` needs `connection` and `folder`")
        if self.kind == "home" and self.connection:
            raise ValueError("`connection` belongs to `kind: server`; the home has its own")
        if _CONTROL.search(self.folder) or ".." in self.folder.split("/"):
            raise ValueError("`folder` must be a plain path, and `..` is none")
        return self


class Export(Model):
    """One outbound file on a schedule (M43-M50, M73-M75)."""

    report: str = Field(pattern=NAME, description="name of a report, see docs/reports.md")
    about: Line = Field(default="", description="what the partner uses it for")
    parameters: dict[str, ParameterValue] = Field(default={}, description="parameters of the report")
    columns: tuple[ExportColumn, ...] = Field(
        default=(),
        description="columns in their order, as `- username` or with options; unset: those of the report "
        "that go out by default (M50)",
    )
    content: Literal["full", "delta"] = Field(
        default="full",
        description="all rows each time, or what is new, changed or gone since the last delivered file (M46)",
    )
    format: ExportFormat = Field(default=ExportFormat(), description="form of the file")
    file_name: Line = Field(
        default="{export}-{utc}.{ending}",
        description="of {tenant}, {export}, {report}, {utc} (20261121T074712Z), {date} and {time} in the "
        "zone of the export (20261121, 014712), {number} (running number of the export), {ending}",
    )
    schedule: Line = Field(
        default="",
        description="cron with five fields, or words such as `every 5 minutes`, `once a day at midnight`, "
        "`weekdays at 7:30`; unset: only by hand (M44, M45)",
    )
    time_zone: str = Field(default="", description="zone of schedule and times; unset: the tenant's")
    when_empty: Literal["skip", "file", "daily"] = Field(
        default="skip",
        description="when there is no row: no file, a file each time, or one on a day on which none went",
    )
    target: Target = Field(default=Target(), description="where the file goes")
    delivered_mail: tuple[MailAddress, ...] = Field(
        default=(), description="who gets a mail for each delivered file"
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _take_bare_names(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            return [{"column": one} if isinstance(one, str) else one for one in value]
        return value

    @field_validator("file_name")
    @classmethod
    def _names_one_file(cls, value: str) -> str:
        unknown = sorted(set(_FIELD.findall(value)) - FILE_NAME_FIELDS)
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in sorted(FILE_NAME_FIELDS))
            raise ValueError(f"unknown field {{{unknown[0]}}}; known are {known}")
        rest = _FIELD.sub("x", value)
        if not rest or rest.startswith(".") or set(rest) & set("/\\{}") or len(rest) > 120:
            raise ValueError("not the name of one file: no folder, no dot in front, 120 characters at most")
        return value

    @field_validator("schedule")
    @classmethod
    def _has_a_cron(cls, value: str) -> str:
        if value:
            cron_of(value)
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        if value:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError("not a time zone name; write it as America/Chicago") from error
        return value

    @model_validator(mode="after")
    def _keeps_what_is_not_fetched(self) -> Export:
        fields = set(_FIELD.findall(self.file_name))
        is_of_its_own = bool(fields & {"utc", "number"}) or {"date", "time"} <= fields
        if self.content == "delta" and self.target.name_taken == "replace" and not is_of_its_own:
            raise ValueError(
                "`name_taken: replace` lets a delta take the place of the one before, and of its changes; "
                "put {utc} or {number} into `file_name`, or leave `name_taken` out"
            )
        return self

    @property
    def cron(self) -> str:
        """Return the schedule as cron; "" for one that only goes by hand."""
        return cron_of(self.schedule) if self.schedule else ""

"""The tenant: one partner organisation with its policy, as one YAML file describes it.

Every model forbids unknown keys, so a misspelled option is named instead of ignored. Presets (``presets.py``)
are merged in before validation. The descriptions make docs/tenants.md and the JSON Schema for editors
(``docs.py``).
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from partner_exchange.tenants.base import Model, require_none
from partner_exchange.tenants.export_rules import mistakes_in_exports
from partner_exchange.tenants.exports import Export, ExportName, Target
from partner_exchange.tenants.feed_policy import FeedPolicy
from partner_exchange.tenants.limits import Quota, Retention
from partner_exchange.tenants.mail_address import MailAddress
from partner_exchange.tenants.nhsn_sets import FREQUENCIES, export_name
from partner_exchange.tenants.status_policy import StatusPolicy
from partner_exchange.tenants.vxu_policy import VxuPolicy

TENANT_CODE = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")
RESERVED_CODES = frozenset({"pipeline", "admin", "root", "exchange", "airflow", "system"})
_FOLDER_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$"
_FOLDER_NAME_OR_NONE = r"^([A-Za-z0-9_-][A-Za-z0-9._-]*)?$"

GATEWAY = "exchange_inbox"
"""Connection id of our own gateway."""


class KeyType(StrEnum):
    """SSH public-key types that a policy may name."""

    RSA = "rsa"
    ED25519 = "ed25519"
    ECDSA = "ecdsa"


class KeyPolicy(Model):
    """Which public keys may log in (K4, M03, E42)."""

    types: tuple[KeyType, ...] = Field(
        default=(KeyType.RSA,), min_length=1, description="key types that may log in"
    )
    bits: int | None = Field(
        default=None, ge=2048, le=16384, description="RSA size; unset: any size from 2048"
    )
    match: Literal["exact", "minimum"] = Field(
        default="minimum", description="whether `bits` is the only size taken or the smallest one"
    )


class Access(Model):
    """How the partner logs in to the gateway."""

    key_policy: KeyPolicy = Field(default=KeyPolicy(), description="which keys are taken at all (K4)")
    public_keys: tuple[str, ...] = Field(
        default=(), description="one-line OpenSSH keys or multi-line PuTTYgen (RFC 4716) keys (E41, E43)"
    )
    public_key_files: tuple[str, ...] = Field(
        default=(),
        description="files with one key each: relative to the YAML file, or {keys}/... in the stack's home",
    )


class Inbox(Model):
    """Where the pipeline finds the partner's files; the default is the tenant's home behind our gateway."""

    connection: str = Field(default=GATEWAY, description="Airflow connection id of the SFTP server")
    root: str | None = Field(default=None, description="absolute home on that server; unset: /<tenant code>")
    folder: str = Field(
        default="inbound", pattern=_FOLDER_NAME, description="the folder the partner writes (M05)"
    )
    outbox: str = Field(
        default="outbound", pattern=_FOLDER_NAME, description="the folder the partner reads (M05)"
    )
    answers: Literal["beside", "outbox", "registry"] = Field(
        default="beside",
        description="where answers go: below the inbox; into the outbox, together with a copy of the result "
        "file; or as the registry lays them out, originals into `accepted`, reports into `reports`",
    )
    accepted: str = Field(
        default="", pattern=_FOLDER_NAME_OR_NONE, description="with `registry`: folder of the originals (T28)"
    )
    reports: str = Field(
        default="", pattern=_FOLDER_NAME_OR_NONE, description="with `registry`: folder of the reports (T29)"
    )
    aliases: dict[str, str] = Field(
        default={}, description="other names under which folders are reached, such as DQA-Reports (K6)"
    )
    may_delete_answers: bool = Field(
        default=True, description="whether the partner may delete what lies in the outbox"
    )
    file_names: tuple[str, ...] = Field(
        default=(),
        description="agreed names such as status-*.xlsx, in any case; a file of another name is refused; "
        "empty: any name (E06)",
    )
    settle_s: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="pause between the two looks at size and time (X01); unset: 0 behind our gateway, "
        "which shows a file only when it is complete, and 2 on any other server",
    )

    @model_validator(mode="before")
    @classmethod
    def _look_twice_elsewhere(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("connection", GATEWAY) != GATEWAY:
            return {"settle_s": 2.0, **data}
        return data

    @model_validator(mode="after")
    def _folders_are_clear(self) -> Inbox:
        if self.is_registry != bool(self.accepted and self.reports):
            raise ValueError("`accepted` and `reports` belong to `answers: registry`, which needs both")
        names = [name.casefold() for name in (*self.folders, *self.aliases)]
        if len(set(names)) != len(names):
            raise ValueError("the folders and their other names must differ")
        if not set(self.aliases.values()) <= set(self.folders):
            raise ValueError("`aliases` must name one of the folders, as `other name: folder`")
        return self

    @property
    def is_registry(self) -> bool:
        """Return whether answers are laid out in a registry's folders, with reports for a result file."""
        return self.answers == "registry"

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the names of all folders that a partner sees in the own home."""
        return tuple(name for name in (self.folder, self.accepted, self.reports, self.outbox) if name)


class Contacts(Model):
    """Who hears about what (E36)."""

    success: tuple[MailAddress, ...] = Field(default=(), description="every row loaded")
    findings: tuple[MailAddress, ...] = Field(
        default=(), description="some rows or values rejected; unset: those of `success`"
    )
    refusal: tuple[MailAddress, ...] = Field(
        default=(),
        description="whole file refused, intake suspended, failure; unset: those of `findings`, "
        "else of `success`",
    )
    delivery: tuple[MailAddress, ...] = Field(
        default=(),
        description="an outbound file that cannot be delivered or is not answered; unset: those of `refusal`",
    )
    support: str = Field(default="", description="contact block shown in mails and result files (E48)")


class Required(StrEnum):
    """Roster values that must not be blank, beside Username, which always must be there (K1)."""

    EMAIL = "email"
    STUDENT_ID = "student_id"
    ON_CAMPUS = "on_campus"


class RequirementTerm(Model):
    """One known pair of RequirementGroup and Term (M29)."""

    requirement_group: str = Field(min_length=1, description="as the partner writes it in RequirementGroup")
    term: str = Field(min_length=1, description="as the partner writes it in Term")


class RosterPolicy(FeedPolicy):
    """Policy of the roster feed; each option settles a place where the sources disagree."""

    required: tuple[Required, ...] = Field(
        default=(),
        description="values that must not be blank beside Username; the others only warn (K1)",
    )
    requirement_terms: tuple[RequirementTerm, ...] = Field(
        default=(), description="known pairs of RequirementGroup and Term; empty: any pair is taken (M29)"
    )
    max_rows: int = Field(
        default=50_000, ge=1, description="rows one file may have; the header is not counted (M37)"
    )
    above_max_rows: Literal["refuse", "load_first"] = Field(
        default="refuse", description="refuse the whole file, or load the first rows and list the rest (K19)"
    )
    blank_cells: Literal["keep", "clear"] = Field(
        default="keep", description="whether a blank cell keeps what is stored or clears it (K22, M12)"
    )
    username_pattern: str | None = Field(
        default=None, description="regular expression that the whole Username must match (M21)"
    )
    username_domains: tuple[str, ...] = Field(
        default=(), description="mail domains a Username may have, without @; empty: any (M21)"
    )
    prefill_overrides_review: bool = Field(
        default=False, description="whether a file undoes what a student has reviewed (M30)"
    )
    student_may_edit_student_id: bool = Field(
        default=True, description="whether students may change their StudentId themselves (M24)"
    )
    invite_new_students: bool = Field(
        default=False, description="whether each created student gets one invitation in the queue (M19)"
    )
    extension_case: Literal["any", "lower"] = Field(
        default="any", description="whether .CSV is taken beside .csv (M15)"
    )
    verification_rules: str = Field(
        default="1",
        min_length=1,
        description="version of the rules by which students are verified; kept with each verification (M42)",
    )

    @field_validator("username_pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value


class Tenant(Model):
    """One partner organisation; ``code`` is user name, home folder and key everywhere."""

    code: str = Field(description="user name, home folder and key; unset: the name of the file without .yaml")
    name: str = Field(min_length=1, description="the organisation's name, as people write it")
    mode: Literal["test", "production"] = Field(
        default="test",
        description="whether real data is meant; a label on runs, results and mails. By it the status feed "
        "takes files with the test ids or the production ids (E32, E37), and the immunization feed stores or "
        "only answers, and takes messages that are marked as tests or does not (K7)",
    )
    time_zone: str = Field(
        default="UTC", description="zone of times shown to the partner; the store keeps UTC"
    )
    feed: Literal["roster", "status", "vxu"] = Field(description="the kind of data the partner sends")
    access: Access = Field(default=Access(), description="how the partner logs in")
    inbox: Inbox = Field(default=Inbox(), description="where the partner's files are")
    contacts: Contacts = Field(default=Contacts(), description="who hears about what")
    roster: RosterPolicy = Field(default=RosterPolicy(), description="policy of the roster feed")
    status: StatusPolicy = Field(default=StatusPolicy(), description="policy of the status feed")
    vxu: VxuPolicy = Field(default=VxuPolicy(), description="policy of the immunization feed")
    quota: Quota = Field(default=Quota(), description="how many files the partner may leave (K13)")
    retention: Retention = Field(default=Retention(), description="how long files are kept (K10)")
    exports: dict[ExportName, Export] = Field(default={}, description="what goes out to the partner, by name")
    max_file_bytes: int = Field(default=512 * 1024 * 1024, ge=1024, description="larger uploads are refused")

    @field_validator("code")
    @classmethod
    def _code_is_usable(cls, value: str) -> str:
        if not TENANT_CODE.match(value):
            raise ValueError("use lower-case letters, digits and inner hyphens only, 63 at the most")
        if value in RESERVED_CODES:
            raise ValueError("this code is reserved; choose another one")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        from zoneinfo import ZoneInfoNotFoundError

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not a time zone name; write it as America/Chicago") from error
        return value

    @model_validator(mode="after")
    def _answers_fit_the_feed(self) -> Tenant:
        if (self.feed == "vxu") != self.inbox.is_registry:
            raise ValueError("`inbox.answers: registry` belongs to the feed `vxu`, which needs it")
        return self

    @model_validator(mode="after")
    def _exports_stay_out_of_each_others_way(self) -> Tenant:
        require_none("exports", mistakes_in_exports(self.exports, self.inbox.folder, self.folder_of))
        return self

    @property
    def policy(self) -> FeedPolicy:
        """Return the policy of the tenant's own feed."""
        policies: dict[str, FeedPolicy] = {"roster": self.roster, "status": self.status, "vxu": self.vxu}
        return policies[self.feed]

    @property
    def import_code(self) -> str:
        """Return the code that stands in the names of HL7 files: user name and root folder (T25, T47)."""
        return self.code.upper()

    @property
    def policy_sha256(self) -> str:
        """Return a checksum of the whole policy: the ledger keeps by which one a file was judged.

        Ready status types are part of it, although the tenant's file only names their catalogue.
        """
        digest = hashlib.sha256(self.model_dump_json().encode())
        if self.feed == "status":
            digest.update(self.status.catalogue.sha256.encode())
        return digest.hexdigest()

    @property
    def home(self) -> str:
        """Return the absolute path of the tenant's home on its SFTP server."""
        return self.inbox.root or f"/{self.code}"

    def targets(self) -> dict[str, Target]:
        """Return where each export goes, by its name; sets for NHSN are among them when they have a target.

        Sets of both frequencies: one that is not built any more may still wait for its delivery or answer.
        """
        found = {name: export.target for name, export in self.exports.items()}
        if self.feed == "status" and self.status.nhsn_target is not None:
            found |= dict.fromkeys(map(export_name, FREQUENCIES), self.status.nhsn_target)
        return found

    def folder_of(self, target: Target) -> str:
        """Return the folder of a target: in the home without slashes around it, on a server as it stands."""
        if target.kind == "home":
            return target.folder.strip("/") or self.inbox.outbox
        return target.folder

    def zone_of(self, export: Export) -> ZoneInfo:
        """Return the zone of an export's schedule and of the times in its files."""
        return ZoneInfo(export.time_zone or self.time_zone)

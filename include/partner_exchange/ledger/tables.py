"""Tables of schema ``ledger``, and the metadata that the tables of ``store`` join.

Called by the modules of this room, by ``stores`` for the metadata, and read by ``exports.reports``. The
migrations create the same by hand, and CHECK constraints besides, which Alembic cannot compare; a test holds
both together.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "ledger"
metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware instant that always comes back in UTC, whatever time zone the session has."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        return value.astimezone(UTC) if value is not None else None


submission = Table(
    "submission",
    metadata,
    Column("submission_id", Text, nullable=False),
    # The order of claims: a ULID of the same millisecond, and two clocks, would not keep it.
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("stamp", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("rule_version", Text),
    Column("policy_sha256", Text, nullable=False),
    Column("rows_total", Integer),
    Column("rows_accepted", Integer),
    Column("rows_rejected", Integer),
    Column("rows_created", Integer),
    Column("rows_updated", Integer),
    Column("rows_unchanged", Integer),
    Column("template", Text),
    Column("lines_to_load", Integer),
    Column("is_first_of_name", Boolean, nullable=False, server_default=text("false")),
    Column("part_counts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("fixes_submission_id", Text),
    Column("failure_code", Text),
    Column("failure_message", Text),
    Column("claimed_at", Instant, nullable=False),
    Column("validated_at", Instant),
    Column("loaded_at", Instant),
    Column("answered_at", Instant),
    Column("finished_at", Instant),
    Column("purged_at", Instant),
    Column("step_seconds", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    PrimaryKeyConstraint("submission_id", name="submission_pkey"),
    UniqueConstraint("seq", name="submission_seq_key"),
    UniqueConstraint("tenant_code", "file_name", "stamp", name="submission_claim_key"),
    ForeignKeyConstraint(
        ["fixes_submission_id"], [f"{SCHEMA}.submission.submission_id"], name="submission_fixes_fkey"
    ),
    Index("submission_tenant_feed_seq_idx", "tenant_code", "feed", "seq"),
    Index("submission_name_idx", "tenant_code", text("lower(file_name)")),
    Index("submission_stamp_idx", "tenant_code", "stamp"),
    Index("submission_kept_idx", "tenant_code", "finished_at", postgresql_where=text("purged_at is null")),
    Index("submission_content_idx", "tenant_code", "sha256"),
    schema=SCHEMA,
)

column_outcome = Table(
    "column_outcome",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("set_count", Integer, nullable=False),
    Column("unchanged_count", Integer, nullable=False),
    Column("late_count", Integer, nullable=False),
    Column("skipped_count", Integer, nullable=False),
    Column("rejected_count", Integer, nullable=False),
    PrimaryKeyConstraint("submission_id", "column_name", name="column_outcome_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="column_outcome_submission_fkey"
    ),
    schema=SCHEMA,
)

finding_group = Table(
    "finding_group",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("row_ranges", Text, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("submission_id", "ordinal", name="finding_group_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="finding_group_submission_fkey"
    ),
    schema=SCHEMA,
)

finding = Table(
    "finding",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("row_number", BigInteger),
    Column("column_name", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=text("''::text")),
    Column("severity", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("submission_id", "ordinal", name="finding_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="finding_submission_fkey"
    ),
    schema=SCHEMA,
)

mail = Table(
    "mail",
    metadata,
    Column("mail_id", Text, nullable=False),
    Column("submission_id", Text),
    Column("tenant_code", Text, nullable=False),
    Column("event", Text, nullable=False),
    # What a mail is about that belongs to no submission, such as the id of a quota warning.
    Column("topic", Text, nullable=False, server_default=text("''::text")),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", Instant, nullable=False),
    Column("last_error_code", Text),
    Column("queued_at", Instant, nullable=False),
    Column("sent_at", Instant),
    PrimaryKeyConstraint("mail_id", name="mail_pkey"),
    UniqueConstraint("submission_id", "event", "recipient", name="mail_once_key"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="mail_submission_fkey"
    ),
    Index(
        "mail_topic_key",
        "tenant_code",
        "event",
        "topic",
        "recipient",
        unique=True,
        postgresql_where=text("submission_id is null"),
    ),
    Index("mail_due_idx", "next_attempt_at", postgresql_where=text("state = 'queued'")),
    schema=SCHEMA,
)

quota_warning = Table(
    "quota_warning",
    metadata,
    Column("warning_id", Text, nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("file_count", Integer, nullable=False),
    Column("max_files", Integer, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    PrimaryKeyConstraint("warning_id", name="quota_warning_pkey"),
    Index(
        "quota_warning_open_key",
        "tenant_code",
        "folder",
        "percent",
        unique=True,
        postgresql_where=text("ended_at is null"),
    ),
    schema=SCHEMA,
)

intake = Table(
    "intake",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("suspended_at", Instant),
    Column("reason_code", Text),
    Column("reason", Text),
    Column("submission_id", Text),
    Column("resumed_at", Instant),
    Column("resumed_by", Text),
    PrimaryKeyConstraint("tenant_code", name="intake_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="intake_submission_fkey"
    ),
    schema=SCHEMA,
)

message_outcome = Table(
    "message_outcome",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("row_number", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("consent_status", Text, nullable=False),
    Column("consent_type", Text, nullable=False),
    Column("consent_on", Date),
    Column("consent_expires_on", Date),
    Column("doses_stored", Integer, nullable=False),
    Column("doses_held", Integer, nullable=False),
    Column("doses_unchanged", Integer, nullable=False),
    Column("doses_deleted", Integer, nullable=False),
    Column("doses_refused", Integer, nullable=False),
    Column("doses_present", Integer, nullable=False),
    PrimaryKeyConstraint("submission_id", "row_number", name="message_outcome_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="message_outcome_submission_fkey"
    ),
    schema=SCHEMA,
)

quality_report = Table(
    "quality_report",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("score", Double),
    Column("document", JSONB, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("submission_id", name="quality_report_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="quality_report_submission_fkey"
    ),
    Index("quality_report_tenant_idx", "tenant_code", "seq"),
    schema=SCHEMA,
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("tenant_code", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    PrimaryKeyConstraint("audit_id", name="audit_pkey"),
    Index("audit_tenant_idx", "tenant_code", "audit_id"),
    schema=SCHEMA,
)

nhsn_event = Table(
    "nhsn_event",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("origin", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("set_path", Text),
    Column("set_sha256", Text),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("event_id", name="nhsn_event_pkey"),
    # A set is built once: what the builder says of a resource and due time is never said anew.
    Index(
        "nhsn_event_set_key",
        "tenant_code",
        "frequency",
        "due_at",
        "resource_id",
        unique=True,
        postgresql_where=text("origin = 'set'"),
    ),
    Index("nhsn_event_due_idx", "tenant_code", "frequency", "due_at", "resource_id", "event_id"),
    Index("nhsn_event_resource_idx", "tenant_code", "resource_id", "event_id"),
    schema=SCHEMA,
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("tombstone_id", BigInteger, Identity(always=True), nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("submission_id", Text),
    Column("kind", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("policy_days", Integer, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("purged_at", Instant),
    Column("delivery_id", Text),
    PrimaryKeyConstraint("tombstone_id", name="tombstone_pkey"),
    ForeignKeyConstraint(
        ["submission_id"], [f"{SCHEMA}.submission.submission_id"], name="tombstone_submission_fkey"
    ),
    ForeignKeyConstraint(["delivery_id"], [f"{SCHEMA}.delivery.delivery_id"], name="tombstone_delivery_fkey"),
    Index(
        "tombstone_planned_key",
        "tenant_code",
        "kind",
        "path",
        unique=True,
        postgresql_where=text("purged_at is null"),
    ),
    Index("tombstone_submission_idx", "submission_id"),
    Index("tombstone_delivery_idx", "delivery_id", postgresql_where=text("delivery_id is not null")),
    Index("tombstone_tenant_idx", "tenant_code", "tombstone_id"),
    schema=SCHEMA,
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", Text, nullable=False),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("export_name", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("report_version", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("policy_sha256", Text, nullable=False),
    Column("due_at", Instant),
    Column("state", Text, nullable=False),
    Column("since_position", BigInteger),
    Column("until_position", BigInteger),
    Column("rows_total", BigInteger),
    Column("file_name", Text, nullable=False, server_default=text("''::text")),
    Column("archive_path", Text, nullable=False, server_default=text("''::text")),
    Column("sha256", Text, nullable=False, server_default=text("''::text")),
    Column("size_bytes", BigInteger),
    Column("keys_path", Text, nullable=False, server_default=text("''::text")),
    Column("keys_sha256", Text, nullable=False, server_default=text("''::text")),
    Column("delivered_name", Text, nullable=False, server_default=text("''::text")),
    Column("home_folder", Text, nullable=False, server_default=text("''::text")),
    Column("place", Text, nullable=False, server_default=text("''::text")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", Instant),
    Column("fault_code", Text, nullable=False, server_default=text("''::text")),
    Column("fault_message", Text, nullable=False, server_default=text("''::text")),
    Column("opened_at", Instant, nullable=False),
    Column("written_at", Instant),
    Column("delivered_at", Instant),
    Column("answered_at", Instant),
    Column("closed_at", Instant),
    Column("purged_at", Instant),
    PrimaryKeyConstraint("delivery_id", name="delivery_pkey"),
    UniqueConstraint("seq", name="delivery_seq_key"),
    Index(
        "delivery_open_key",
        "tenant_code",
        "export_name",
        unique=True,
        postgresql_where=text("state in ('selected', 'written', 'uploaded', 'dead')"),
    ),
    Index(
        "delivery_due_key",
        "tenant_code",
        "export_name",
        "due_at",
        unique=True,
        postgresql_where=text("state <> 'abandoned'"),
    ),
    Index("delivery_tenant_idx", "tenant_code", "export_name", "seq"),
    Index(
        "delivery_name_idx", "tenant_code", "delivered_name", postgresql_where=text("delivered_name <> ''")
    ),
    schema=SCHEMA,
)

export_cursor = Table(
    "export_cursor",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("export_name", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("position", BigInteger),
    Column("delivery_id", Text, nullable=False),
    Column("moved_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_code", "export_name", name="export_cursor_pkey"),
    ForeignKeyConstraint(
        ["delivery_id"], [f"{SCHEMA}.delivery.delivery_id"], name="export_cursor_delivery_fkey"
    ),
    schema=SCHEMA,
)

delivery_answer = Table(
    "delivery_answer",
    metadata,
    Column("answer_id", Text, nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("export_name", Text, nullable=False, server_default=text("''::text")),
    Column("delivery_id", Text),
    Column("place", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("comment", Text, nullable=False, server_default=text("''::text")),
    Column("received_at", Instant, nullable=False),
    PrimaryKeyConstraint("answer_id", name="delivery_answer_pkey"),
    ForeignKeyConstraint(
        ["delivery_id"], [f"{SCHEMA}.delivery.delivery_id"], name="delivery_answer_delivery_fkey"
    ),
    UniqueConstraint(
        "tenant_code", "place", "file_name", "sha256", "modified_at", name="delivery_answer_once_key"
    ),
    Index("delivery_answer_tenant_idx", "tenant_code", "received_at"),
    Index("delivery_answer_delivery_idx", "delivery_id"),
    schema=SCHEMA,
)

report_request = Table(
    "report_request",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("tenant_code", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("report", Text, nullable=False, server_default=text("''::text")),
    Column("parameters", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", Text),
    Column("answer", Text, nullable=False, server_default=text("''::text")),
    PrimaryKeyConstraint("request_id", name="report_request_pkey"),
    Index("report_request_tenant_idx", "tenant_code", "request_id"),
    schema=SCHEMA,
)

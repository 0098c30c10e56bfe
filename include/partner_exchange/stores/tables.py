"""Tables of schema ``store``; they share the ledger's metadata and migrations.

Called by the modules of this room alone.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from partner_exchange.ledger.tables import Instant, metadata

SCHEMA = "store"

student = Table(
    "student",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("username_key", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("student_id", Text),
    Column("last_name", Text),
    Column("first_name", Text),
    Column("telephone", Text),
    Column("telephone_key", Text),
    Column("dob", Date),
    Column("requirement_group", Text),
    Column("term", Text),
    Column("enrollment_source", Text),
    Column("on_campus", Boolean),
    Column("on_campus_source", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("created_by_submission", Text, nullable=False),
    Column("changed_by_submission", Text, nullable=False),
    PrimaryKeyConstraint("tenant_code", "username_key", name="student_pkey"),
    UniqueConstraint(
        "tenant_code", "student_id", name="student_student_id_key", deferrable=True, initially="IMMEDIATE"
    ),
    schema=SCHEMA,
)

invitation = Table(
    "invitation",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("username_key", Text, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("submission_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_code", "username_key", name="invitation_pkey"),
    schema=SCHEMA,
)

status_policy = Table(
    "status_policy",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("policy_sha256", Text, nullable=False),
    Column("synced_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_code", name="status_policy_pkey"),
    schema=SCHEMA,
)

resource = Table(
    "resource",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("is_test", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant_code", "resource_id", name="resource_pkey"),
    schema=SCHEMA,
)

status_type = Table(
    "status_type",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("status_type_id", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("update_every_h", Double),
    Column("is_active", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant_code", "status_type_id", name="status_type_pkey"),
    schema=SCHEMA,
)

status = Table(
    "status",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("status_type_id", Integer, nullable=False),
    Column("row_number", Integer),
    Column("reported_at", Instant, nullable=False),
    Column("confirmed_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("number", Double),
    Column("is_not_applicable", Boolean, nullable=False),
    Column("is_computed", Boolean, nullable=False),
    Column("value", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("submission_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_code", "resource_id", "status_type_id", name="status_pkey"),
    schema=SCHEMA,
)

status_change = Table(
    "status_change",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("status_type_id", Integer, nullable=False),
    Column("row_number", Integer),
    Column("reported_at", Instant, nullable=False),
    Column("merge_no", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("number", Double),
    Column("is_not_applicable", Boolean, nullable=False),
    Column("is_computed", Boolean, nullable=False),
    Column("is_reason_given", Boolean, nullable=False),
    Column("is_comment_given", Boolean, nullable=False),
    Column("is_late", Boolean, nullable=False),
    Column("value", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("submission_id", Text, nullable=False),
    PrimaryKeyConstraint(
        "tenant_code",
        "resource_id",
        "status_type_id",
        "reported_at",
        "merge_no",
        name="status_change_pkey",
    ),
    Index("status_change_recorded_idx", "recorded_at", postgresql_using="brin"),
    schema=SCHEMA,
)

status_confirmation = Table(
    "status_confirmation",
    metadata,
    Column("tenant_code", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("reported_at", Instant, nullable=False),
    Column("merge_no", BigInteger, nullable=False),
    Column("is_reason_given", Boolean, nullable=False),
    Column("is_comment_given", Boolean, nullable=False),
    Column("status_type_ids", ARRAY(Integer), nullable=False),
    PrimaryKeyConstraint(
        "tenant_code",
        "resource_id",
        "reported_at",
        "merge_no",
        "is_reason_given",
        "is_comment_given",
        name="status_confirmation_pkey",
    ),
    schema=SCHEMA,
)

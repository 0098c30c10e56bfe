"""Tables of schema ``store``; they share the ledger's metadata and migrations.

Called by the modules of this room alone.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, PrimaryKeyConstraint, Table, Text, UniqueConstraint

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

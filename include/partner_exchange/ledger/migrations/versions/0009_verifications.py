"""Keep which students are verified, and a log of each change that exports read in order."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = """
-- No foreign keys to store.student: verifying reads that table in the same statement and nobody removes
-- students, whereas their share locks would hold up, and deadlock with, a roster that changes StudentIds.
create table store.verification (
    tenant_code   text        not null,
    username_key  text        not null,
    is_verified   boolean     not null,
    changed_at    timestamptz not null,
    rule_version  text        not null,

    constraint verification_pkey primary key (tenant_code, username_key)
);

create table store.verification_change (
    change_id     bigint      not null generated always as identity,
    tenant_code   text        not null,
    username_key  text        not null,
    is_verified   boolean     not null,
    changed_at    timestamptz not null,
    rule_version  text        not null,
    actor         text        not null,
    reason        text        not null default '',
    -- Where the change stands among those of the tenant that were committed: given by whoever reads the log
    -- first after the commit, so that a change that commits late stands behind what was read before it.
    position      bigint,

    -- Each index makes giving positions slower; this one also finds the history of a student.
    constraint verification_change_pkey primary key (tenant_code, username_key, change_id)
);
create unique index verification_change_position_key
    on store.verification_change (tenant_code, position) where position is not null;
create index verification_change_waiting_idx
    on store.verification_change (tenant_code, change_id) where position is null;

create table store.verification_position (
    tenant_code    text   not null,
    last_position  bigint not null,

    constraint verification_position_pkey primary key (tenant_code)
);
"""

_DOWN = """
drop table store.verification_position;
drop table store.verification_change;
drop table store.verification;
"""


def upgrade() -> None:
    """Add the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute(_DOWN)

"""Create the store of statuses: what resources report now, and all that they ever reported."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UP = """
-- Which policy the two tables below repeat.
create table store.status_policy (
    tenant_code    text        not null,
    policy_sha256  text        not null,
    synced_at      timestamptz not null,

    constraint status_policy_pkey primary key (tenant_code)
);

create table store.resource (
    tenant_code  text    not null,
    resource_id  text    not null,
    is_test      boolean not null,
    name         text    not null,
    kind         text    not null,
    region       text    not null,
    org_id       text    not null,
    context      text    not null,
    frequency    text    not null,
    is_active    boolean not null,

    constraint resource_pkey primary key (tenant_code, resource_id),
    constraint resource_frequency_check check (frequency in ('', 'daily', 'weekly'))
);

create table store.status_type (
    tenant_code     text             not null,
    status_type_id  integer          not null,
    ordinal         integer          not null,
    name            text             not null,
    kind            text             not null,
    section         text             not null,
    standard        text             not null,
    update_every_h  double precision,
    is_active       boolean          not null,

    constraint status_type_pkey primary key (tenant_code, status_type_id)
);

-- Orders what was said of one reporting time: a number per pass of a merge, so that rows cost no sequence.
create sequence store.status_merge_no;

create table store.status (
    tenant_code        text             not null,
    resource_id        text             not null,
    status_type_id     integer          not null,
    row_number         integer,
    reported_at        timestamptz      not null,
    confirmed_at       timestamptz      not null,
    recorded_at        timestamptz      not null,
    number             double precision,
    is_not_applicable  boolean          not null,
    is_computed        boolean          not null,
    value              text             not null,
    colour             text             not null,
    level              text             not null,
    reason             text             not null,
    comment            text             not null,
    -- No foreign keys: they would cost as much as the merge itself.
    submission_id      text             not null,

    -- The key finds the statuses of a tenant and of a resource, and leads the search for overdue ones too: an
    -- index by confirmed_at would have to be written with every confirmation.
    constraint status_pkey primary key (tenant_code, resource_id, status_type_id),
    constraint status_confirmed_check check (confirmed_at >= reported_at),
    constraint status_not_applicable_check check (not is_not_applicable or (value = '' and number is null))
)
-- A file confirms or changes most of what it names. In half-free pages that writes no index entry, which is
-- twice as fast; full pages would grow to the same size with the second file.
with (fillfactor = 50);

create table store.status_change (
    tenant_code        text             not null,
    resource_id        text             not null,
    status_type_id     integer          not null,
    row_number         integer,
    reported_at        timestamptz      not null,
    merge_no           bigint           not null,
    recorded_at        timestamptz      not null,
    number             double precision,
    is_not_applicable  boolean          not null,
    is_computed        boolean          not null,
    -- Whether the report gave them itself, or the status kept them.
    is_reason_given    boolean          not null,
    is_comment_given   boolean          not null,
    -- Told when a newer report was known already.
    is_late            boolean          not null,
    value              text             not null,
    colour             text             not null,
    level              text             not null,
    reason             text             not null,
    comment            text             not null,
    submission_id      text             not null,

    constraint status_change_pkey
        primary key (tenant_code, resource_id, status_type_id, reported_at, merge_no)
);
-- Rows come in the order of this time, so a summary per range of pages is enough, and costs nothing.
create index status_change_recorded_idx on store.status_change using brin (recorded_at);

-- What a report said again: one line per resource and time. A late report needs it to know how long the
-- values around it were in force.
create table store.status_confirmation (
    tenant_code       text        not null,
    resource_id       text        not null,
    reported_at       timestamptz not null,
    merge_no          bigint      not null,
    is_reason_given   boolean     not null,
    is_comment_given  boolean     not null,
    status_type_ids   integer[]   not null,

    constraint status_confirmation_pkey
        primary key (tenant_code, resource_id, reported_at, merge_no, is_reason_given, is_comment_given)
);
"""

_DOWN = """
drop table store.status_confirmation, store.status_change, store.status, store.status_type, store.resource,
    store.status_policy;
drop sequence store.status_merge_no;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Drop them with all their rows."""
    op.execute(_DOWN)

"""Keep what a purge removed, and which submissions it has taken (T39, K10)."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = """
alter table ledger.submission add column purged_at timestamptz;
alter table ledger.submission add constraint submission_purged_check check (
    purged_at is null or state in ('done', 'refused', 'failed')
);
create index submission_kept_idx on ledger.submission (tenant_code, finished_at) where purged_at is null;
create index submission_content_idx on ledger.submission (tenant_code, sha256);

create table ledger.tombstone (
    tombstone_id  bigint      not null generated always as identity,
    tenant_code   text        not null,
    submission_id text,
    kind          text        not null,
    path          text        not null,
    sha256        text        not null,
    size_bytes    bigint      not null,
    policy_days   integer     not null,
    planned_at    timestamptz not null,
    purged_at     timestamptz,

    constraint tombstone_pkey primary key (tombstone_id),
    constraint tombstone_submission_fkey foreign key (submission_id)
        references ledger.submission (submission_id),
    constraint tombstone_sha256_check check (sha256 ~ '^([0-9a-f]{64})?$'),
    constraint tombstone_size_check check (size_bytes >= 0),
    constraint tombstone_days_check check (policy_days >= 1)
);
-- What is planned once is not planned a second time; what was purged may come again and go again.
create unique index tombstone_planned_key on ledger.tombstone (tenant_code, kind, path)
    where purged_at is null;
create index tombstone_submission_idx on ledger.tombstone (submission_id);
create index tombstone_tenant_idx on ledger.tombstone (tenant_code, tombstone_id);
"""

_DOWN = """
drop table ledger.tombstone;
drop index ledger.submission_content_idx;
drop index ledger.submission_kept_idx;
alter table ledger.submission drop column purged_at;
"""


def upgrade() -> None:
    """Add the table and the column."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute(_DOWN)

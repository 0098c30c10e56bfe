"""Keep what became of each resource in each NHSN set."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UP = """
create table ledger.nhsn_event (
    event_id     bigint      not null generated always as identity,
    tenant_code  text        not null,
    resource_id  text        not null,
    frequency    text        not null,
    due_at       timestamptz not null,
    origin       text        not null,
    state        text        not null,
    reason_code  text        not null,
    comment      text        not null,
    set_path     text,
    set_sha256   text,
    recorded_at  timestamptz not null,

    constraint nhsn_event_pkey primary key (event_id),
    constraint nhsn_event_frequency_check check (frequency in ('daily', 'weekly')),
    constraint nhsn_event_origin_check check (origin in ('set', 'answer')),
    constraint nhsn_event_state_check check (
        state in ('Ready', 'Warning', 'Submitted', 'Not Submitted', 'Error')
    ),
    -- Nothing is sent by the builder of sets, so nothing is Submitted by it.
    constraint nhsn_event_submitted_check check (origin = 'answer' or state <> 'Submitted'),
    constraint nhsn_event_set_check check ((set_path is null) = (set_sha256 is null)),
    constraint nhsn_event_in_set_check check (
        origin = 'answer' or (state in ('Ready', 'Warning')) = (set_path is not null)
    ),
    constraint nhsn_event_reason_check check ((reason_code = '') = (state in ('Ready', 'Submitted')))
);
create unique index nhsn_event_set_key
    on ledger.nhsn_event (tenant_code, frequency, due_at, resource_id) where origin = 'set';
create index nhsn_event_due_idx
    on ledger.nhsn_event (tenant_code, frequency, due_at, resource_id, event_id);
create index nhsn_event_resource_idx on ledger.nhsn_event (tenant_code, resource_id, event_id);
"""

_DOWN = "drop table ledger.nhsn_event"


def upgrade() -> None:
    """Add the table."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove it."""
    op.execute(_DOWN)

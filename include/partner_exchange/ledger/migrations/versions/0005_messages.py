"""Keep places inside a row, counts below rows, and what became of each message of an HL7 file."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UP = """
alter table ledger.finding add column place text not null default '';

alter table ledger.submission
    add column is_first_of_name boolean not null default false,
    add column part_counts jsonb not null default '{}';
create index submission_name_idx on ledger.submission (tenant_code, lower(file_name));
create index submission_stamp_idx on ledger.submission (tenant_code, stamp);

create table ledger.message_outcome (
    submission_id      text    not null,
    row_number         bigint  not null,
    outcome            text    not null,
    consent_status     text    not null,
    consent_type       text    not null,
    consent_on         date,
    consent_expires_on date,
    doses_stored       integer not null,
    doses_held         integer not null,
    doses_unchanged    integer not null,
    doses_deleted      integer not null,
    doses_refused      integer not null,
    doses_present      integer not null,

    constraint message_outcome_pkey primary key (submission_id, row_number),
    constraint message_outcome_submission_fkey foreign key (submission_id)
        references ledger.submission (submission_id),
    constraint message_outcome_outcome_check check (outcome in ('created', 'updated', 'unchanged')),
    constraint message_outcome_status_check check (
        consent_status in ('YES', 'NO', 'PENDING', 'NOT_FOUND')
    ),
    constraint message_outcome_type_check check (consent_type in ('CHILD', 'ADULT', '')),
    constraint message_outcome_counts_check check (
        least(doses_stored, doses_held, doses_unchanged, doses_deleted, doses_refused, doses_present) >= 0
    )
);

create table ledger.quality_report (
    submission_id text             not null,
    tenant_code   text             not null,
    seq           bigint           not null,
    score         double precision,
    document      jsonb            not null,
    recorded_at   timestamptz      not null,

    constraint quality_report_pkey primary key (submission_id),
    constraint quality_report_submission_fkey foreign key (submission_id)
        references ledger.submission (submission_id),
    constraint quality_report_score_check check (score between 0 and 100)
);
create index quality_report_tenant_idx on ledger.quality_report (tenant_code, seq);
"""

_DOWN = """
drop table ledger.quality_report;
drop table ledger.message_outcome;
drop index ledger.submission_stamp_idx;
drop index ledger.submission_name_idx;
alter table ledger.submission drop column part_counts, drop column is_first_of_name;
alter table ledger.finding drop column place;
"""


def upgrade() -> None:
    """Add columns and tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute(_DOWN)

"""Keep which template a file follows, how much is to be loaded, and what became of its values by column."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UP = """
alter table ledger.submission add column template text, add column lines_to_load integer;

create table ledger.column_outcome (
    submission_id    text    not null,
    ordinal          integer not null,
    column_name      text    not null,
    set_count        integer not null,
    unchanged_count  integer not null,
    late_count       integer not null,
    skipped_count    integer not null,
    rejected_count   integer not null,
    constraint column_outcome_pkey primary key (submission_id, column_name),
    constraint column_outcome_submission_fkey
        foreign key (submission_id) references ledger.submission (submission_id),
    constraint column_outcome_counts_check check (
        least(set_count, unchanged_count, late_count, skipped_count, rejected_count) >= 0
    )
);
"""

_DOWN = """
drop table ledger.column_outcome;
alter table ledger.submission drop column template, drop column lines_to_load;
"""


def upgrade() -> None:
    """Add the column and the table."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove both."""
    op.execute(_DOWN)

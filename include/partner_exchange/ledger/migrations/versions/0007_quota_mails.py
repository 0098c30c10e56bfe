"""Keep since when a partner's folder is nearly full, and mails that belong to no submission (T38)."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UP = """
create table ledger.quota_warning (
    warning_id  text        not null,
    tenant_code text        not null,
    folder      text        not null,
    percent     integer     not null,
    file_count  integer     not null,
    max_files   integer     not null,
    began_at    timestamptz not null,
    ended_at    timestamptz,

    constraint quota_warning_pkey primary key (warning_id),
    constraint quota_warning_count_check check (file_count >= 0 and max_files > 0)
);
-- One episode per threshold at a time, however many looks see it.
create unique index quota_warning_open_key
    on ledger.quota_warning (tenant_code, folder, percent) where ended_at is null;

alter table ledger.mail
    alter column submission_id drop not null,
    add column topic text not null default '',
    drop constraint mail_event_check,
    add constraint mail_event_check check (
        event in ('success', 'findings', 'refusal', 'failure', 'suspended', 'quota')
    ),
    add constraint mail_topic_check check ((submission_id is null) = (topic <> ''));
create unique index mail_topic_key
    on ledger.mail (tenant_code, event, topic, recipient) where submission_id is null;
"""

_DOWN = """
delete from ledger.mail where submission_id is null;
drop index ledger.mail_topic_key;
alter table ledger.mail
    drop constraint mail_topic_check,
    drop constraint mail_event_check,
    add constraint mail_event_check check (
        event in ('success', 'findings', 'refusal', 'failure', 'suspended')
    ),
    drop column topic,
    alter column submission_id set not null;
drop table ledger.quota_warning;
"""


def upgrade() -> None:
    """Add the table and the topic of a mail."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them, and with the topic the mails that have nothing else."""
    op.execute(_DOWN)

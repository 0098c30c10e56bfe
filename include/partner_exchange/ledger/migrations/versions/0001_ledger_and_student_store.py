"""Create the ledger and the store of students."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LEDGER = """
create schema ledger;

create table ledger.submission (
    submission_id        text        not null,
    seq                  bigint      not null generated always as identity,
    tenant_code          text        not null,
    feed                 text        not null,
    file_name            text        not null,
    stamp                text        not null,
    sha256               text        not null,
    size_bytes           bigint      not null,
    state                text        not null,
    outcome              text,
    rule_version         text,
    policy_sha256      text        not null,
    rows_total           integer,
    rows_accepted        integer,
    rows_rejected        integer,
    rows_created         integer,
    rows_updated         integer,
    rows_unchanged       integer,
    fixes_submission_id  text,
    failure_code         text,
    failure_message      text,
    claimed_at           timestamptz not null,
    validated_at         timestamptz,
    loaded_at            timestamptz,
    answered_at          timestamptz,
    finished_at          timestamptz,
    step_seconds         jsonb       not null default '{}'::jsonb,

    constraint submission_pkey primary key (submission_id),
    constraint submission_seq_key unique (seq),
    -- One claim per file, however many workers saw it (X02, M33).
    constraint submission_claim_key unique (tenant_code, file_name, stamp),
    constraint submission_fixes_fkey
        foreign key (fixes_submission_id) references ledger.submission (submission_id),
    constraint submission_state_check check (
        state in ('claimed', 'validated', 'loaded', 'answered', 'held', 'done', 'refused', 'failed')
    ),
    constraint submission_outcome_check check (outcome in ('accepted', 'accepted_with_findings', 'refused')),
    constraint submission_verdict_check check (
        state in ('claimed', 'failed') or (outcome is not null and validated_at is not null)
    ),
    constraint submission_refused_check check (outcome is distinct from 'refused' or loaded_at is null),
    -- Rows in = sum of row outcomes (X04): first of the checks, then of the store.
    constraint submission_checked_rows_check check (
        validated_at is null or coalesce(rows_total = rows_accepted + rows_rejected, false)
    ),
    constraint submission_loaded_rows_check check (
        loaded_at is null
        or coalesce(rows_total = rows_created + rows_updated + rows_unchanged + rows_rejected, false)
    )
);
create index submission_tenant_feed_seq_idx on ledger.submission (tenant_code, feed, seq);

create table ledger.finding_group (
    submission_id  text    not null,
    ordinal        integer not null,
    code           text    not null,
    severity       text    not null,
    column_name    text    not null,
    count          integer not null,
    row_ranges     text    not null,
    message        text    not null,

    constraint finding_group_pkey primary key (submission_id, ordinal),
    constraint finding_group_submission_fkey
        foreign key (submission_id) references ledger.submission (submission_id),
    constraint finding_group_severity_check check (severity in ('error', 'warning', 'info'))
);

create table ledger.finding (
    submission_id  text    not null,
    ordinal        integer not null,
    row_number     bigint,
    column_name    text    not null,
    severity       text    not null,
    code           text    not null,
    message        text    not null,

    constraint finding_pkey primary key (submission_id, ordinal),
    constraint finding_submission_fkey
        foreign key (submission_id) references ledger.submission (submission_id),
    constraint finding_severity_check check (severity in ('error', 'warning', 'info'))
);

create table ledger.mail (
    mail_id          text        not null,
    submission_id    text        not null,
    tenant_code      text        not null,
    event            text        not null,
    recipient        text        not null,
    state            text        not null,
    attempts         integer     not null default 0,
    next_attempt_at  timestamptz not null,
    last_error_code  text,
    queued_at        timestamptz not null,
    sent_at          timestamptz,

    constraint mail_pkey primary key (mail_id),
    -- A step that runs twice queues each mail once (E36).
    constraint mail_once_key unique (submission_id, event, recipient),
    constraint mail_submission_fkey foreign key (submission_id) references ledger.submission (submission_id),
    constraint mail_event_check check (event in ('success', 'findings', 'refusal', 'failure', 'suspended')),
    constraint mail_state_check check (state in ('queued', 'sent', 'refused')),
    constraint mail_sent_check check ((state = 'sent') = (sent_at is not null))
);
create index mail_due_idx on ledger.mail (next_attempt_at) where state = 'queued';

create table ledger.intake (
    tenant_code    text not null,
    suspended_at   timestamptz,
    reason_code    text,
    reason         text,
    submission_id  text,
    resumed_at     timestamptz,
    resumed_by     text,

    constraint intake_pkey primary key (tenant_code),
    constraint intake_submission_fkey foreign key (submission_id) references ledger.submission (submission_id)
);

create table ledger.audit (
    audit_id     bigint      not null generated always as identity,
    at           timestamptz not null,
    actor        text        not null,
    tenant_code  text,
    action       text        not null,
    subject      text        not null,
    facts        jsonb       not null default '{}'::jsonb,

    constraint audit_pkey primary key (audit_id)
);
create index audit_tenant_idx on ledger.audit (tenant_code, audit_id);
"""

_STORE = """
create schema store;

create table store.student (
    tenant_code            text        not null,
    username_key           text        not null,
    username               text        not null,
    student_id             text,
    last_name              text,
    first_name             text,
    telephone              text,
    telephone_key          text,
    dob                    date,
    requirement_group      text,
    term                   text,
    enrollment_source      text,
    on_campus              boolean,
    on_campus_source       text,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    -- No foreign keys: they would cost as much as the merge itself.
    created_by_submission  text        not null,
    changed_by_submission  text        not null,

    constraint student_pkey primary key (tenant_code, username_key),
    -- Deferrable, so it is checked after a statement, not after each row: two students may swap ids (M23).
    constraint student_student_id_key unique (tenant_code, student_id) deferrable initially immediate,
    constraint student_username_check check (username_key <> ''),
    constraint student_enrollment_check check ((requirement_group is null) = (term is null)),
    constraint student_enrollment_source_check check (
        enrollment_source in ('prefilled', 'reviewed') and requirement_group is not null
        or enrollment_source is null and requirement_group is null
    ),
    constraint student_on_campus_source_check check (
        on_campus_source in ('prefilled', 'reviewed') and on_campus is not null
        or on_campus_source is null and on_campus is null
    )
);

create table store.invitation (
    tenant_code    text        not null,
    username_key   text        not null,
    queued_at      timestamptz not null,
    submission_id  text        not null,

    -- One invitation per student, ever (M19).
    constraint invitation_pkey primary key (tenant_code, username_key)
);
"""


def upgrade() -> None:
    """Create both schemas."""
    op.execute(_LEDGER)
    op.execute(_STORE)


def downgrade() -> None:
    """Drop both schemas with all their rows."""
    op.execute("drop schema store cascade; drop schema ledger cascade")
